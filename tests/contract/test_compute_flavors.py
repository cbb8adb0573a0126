"""Nova: versions, flavors and key pairs."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable

import pytest
import requests

from tests.acceptance.clouds import Account, Json
from tests.acceptance.everything.servers import OTHER, certificate
from tests.acceptance.tenant.servers import public_key
from tests.contract.ground import SIZE, status
from tests.contract.wording import refused

Name = Callable[[str], str]

NEWEST = {"zed": "2.93", "2026.1": "2.103"}
FLAVOR = {
    "id", "name", "ram", "disk", "swap", "vcpus", "links", "OS-FLV-EXT-DATA:ephemeral", "OS-FLV-DISABLED:disabled",
    "os-flavor-access:is_public", "rxtx_factor",
}  # fmt: skip


def error(answer: requests.Response) -> tuple[str, str]:
    """The envelope and the message of a refusal, whose form is checked."""
    ((envelope, content),) = answer.json().items()
    assert set(content) == {"code", "message"}
    assert content["code"] == answer.status_code
    return envelope, content["message"]


@pytest.fixture(scope="module")
def flavor(operator: Account, name: Name) -> Json:
    """One that says everything."""
    return operator.compute.post("/flavors", "flavor", name=name("flavor"), **OTHER)


# --- versions


def test_versions(operator: Account, release: str) -> None:
    shown = operator.compute.call("GET", "", microversion=None).json()["version"]
    assert shown["id"] == "v2.1"
    assert (shown["min_version"], shown["version"]) == ("2.1", NEWEST[release])


def test_the_version_of_a_request_is_told(operator: Account) -> None:
    answer = operator.compute.call("GET", "/servers", microversion="2.19")
    assert answer.headers["OpenStack-API-Version"] == "compute 2.19"
    assert answer.headers["X-OpenStack-Nova-API-Version"] == "2.19"
    assert answer.headers["x-openstack-request-id"] == answer.headers["x-compute-request-id"]


def test_unknown_versions(operator: Account, release: str) -> None:
    with refused(406, f"Minimum is 2.1 and maximum is {NEWEST[release]}"):
        operator.compute.call("GET", "/servers", microversion="2.999")
    with refused(400, "MajorNum.MinorNum"):
        operator.compute.call("GET", "/servers", headers={"X-OpenStack-Nova-API-Version": "two"}, microversion=None)


def test_no_token(operator: Account) -> None:
    url = operator.connection.compute.get_endpoint()
    answer = requests.get(f"{url}/servers", timeout=60)
    assert answer.status_code == 401
    assert answer.json()["error"]["title"] == "Unauthorized"


# --- flavors


def test_create(flavor: Json) -> None:
    assert set(flavor) == FLAVOR | {"description", "extra_specs"}
    assert {key: flavor[key] for key in OTHER} == OTHER
    assert flavor["extra_specs"] == {}
    assert flavor["OS-FLV-DISABLED:disabled"] is False
    assert [link["rel"] for link in flavor["links"]] == ["self", "bookmark"]


def test_defaults(operator: Account, name: Name) -> None:
    plain = operator.compute.post("/flavors", "flavor", name=name("plain"), **SIZE)
    assert (plain["swap"], plain["rxtx_factor"], plain["OS-FLV-EXT-DATA:ephemeral"]) == (0, 1.0, 0)
    assert (plain["os-flavor-access:is_public"], plain["description"]) == (True, None)
    assert operator.compute.get(f"/flavors/{plain['id']}", microversion="2.74")["swap"] == ""


def test_older_versions_show_less(operator: Account, flavor: Json) -> None:
    path = f"/flavors/{flavor['id']}"
    assert set(operator.compute.get(path, microversion="2.1")) == FLAVOR
    assert set(operator.compute.get(path, microversion="2.55")) == FLAVOR | {"description"}
    assert set(operator.compute.get(path, microversion="2.61")) == FLAVOR | {"description", "extra_specs"}


def test_taken(operator: Account, flavor: Json, name: Name) -> None:
    with refused(409, f"Flavor with name {flavor['name']} already exists."):
        operator.compute.post("/flavors", "flavor", **SIZE, name=flavor["name"])
    with refused(409, f"Flavor with ID {flavor['id']} already exists."):
        operator.compute.post("/flavors", "flavor", **SIZE, name=name("again"), id=flavor["id"])


@pytest.mark.parametrize(
    "wrong", [{"ram": 0}, {"vcpus": "many"}, {"name": ""}, {"name": " x"}, {"disk": -1}, {"surprise": 1}]
)
def test_malformed(operator: Account, name: Name, wrong: Json) -> None:
    with refused(400):
        operator.compute.post("/flavors", "flavor", **{**SIZE, "name": name("malformed"), **wrong})


def test_members_make_none(member: Account, name: Name) -> None:
    with refused(403, "Policy doesn't allow os_compute_api:os-flavor-manage:create to be performed."):
        member.compute.post("/flavors", "flavor", **SIZE, name=name("mine"))


def test_extra_specs(operator: Account, flavor: Json) -> None:
    path = f"/flavors/{flavor['id']}/os-extra_specs"
    specs = {"quota:cpu_shares": "512", "own:zero": "0"}
    assert operator.compute.post(path, "extra_specs", **specs) == specs
    assert operator.compute.get(f"/flavors/{flavor['id']}")["extra_specs"] == specs
    assert operator.compute.call("GET", f"{path}/own:zero").json() == {"own:zero": "0"}
    operator.compute.call("PUT", f"{path}/own:zero", json={"own:zero": "1"})
    operator.compute.call("DELETE", f"{path}/quota:cpu_shares")
    assert operator.compute.get(path) == {"own:zero": "1"}
    with refused(404, f"Flavor {flavor['id']} has no extra specs with key quota:cpu_shares."):
        operator.compute.call("DELETE", f"{path}/quota:cpu_shares")


def test_private_flavors(operator: Account, member: Account, flavor: Json) -> None:
    path, project = f"/flavors/{flavor['id']}", member.project_id
    assert member.compute.find(path) is None
    given = operator.compute.call("POST", f"{path}/action", json={"addTenantAccess": {"tenant": project}})
    assert given.status_code == 200
    assert given.json() == {"flavor_access": [{"flavor_id": flavor["id"], "tenant_id": project}]}
    assert member.compute.get(path)["name"] == flavor["name"]
    assert flavor["id"] in [f["id"] for f in member.compute.list("/flavors/detail", "flavors")]
    with refused(409, "Flavor access already exists for flavor"):
        operator.compute.post(f"{path}/action", "addTenantAccess", tenant=project)
    operator.compute.post(f"{path}/action", "removeTenantAccess", tenant=project)
    assert operator.compute.list(f"{path}/os-flavor-access", "flavor_access") == []
    with refused(404, f"/ {project} combination."):
        operator.compute.post(f"{path}/action", "removeTenantAccess", tenant=project)
    with refused(400, f"Project ID {'0' * 32} is not a valid project."):
        operator.compute.post(f"{path}/action", "addTenantAccess", tenant="0" * 32)


def test_access_of_public_flavors(operator: Account, name: Name) -> None:
    public = operator.compute.post("/flavors", "flavor", name=name("public"), **SIZE)
    with refused(404, "Access list not available for public flavors."):
        operator.compute.list(f"/flavors/{public['id']}/os-flavor-access", "flavor_access")
    with refused(409, "Can not add access to a public flavor."):
        operator.compute.post(f"/flavors/{public['id']}/action", "addTenantAccess", tenant=operator.project_id)


def test_lists(operator: Account, member: Account, flavor: Json, name: Name) -> None:
    public = operator.compute.post("/flavors", "flavor", name=name("listed"), **SIZE)["id"]

    def ids(account: Account, **query: str) -> set[str]:
        return {found["id"] for found in account.compute.list("/flavors", "flavors", **query)}

    assert {public, flavor["id"]} <= ids(operator, is_public="None")
    assert public in ids(operator) and flavor["id"] not in ids(operator)
    assert public not in ids(operator, is_public="false")
    assert public in ids(member) and flavor["id"] not in ids(member, is_public="None")
    assert public not in ids(operator, minRam="65")
    pages = operator.compute.list("/flavors/detail", "flavors", limit=1, is_public="None")
    assert [f["id"] for f in pages] == sorted(f["id"] for f in pages)
    with refused(400, "marker [nothing] not found"):
        operator.compute.call("GET", "/flavors?marker=nothing")


def test_description(operator: Account, flavor: Json) -> None:
    assert operator.compute.put(f"/flavors/{flavor['id']}", "flavor", description="x")["description"] == "x"
    with refused(404, "The resource could not be found."):
        operator.compute.call("PUT", f"/flavors/{flavor['id']}", json={"flavor": {"description": "x"}},
                              microversion="2.54")  # fmt: skip


def test_gone(operator: Account, name: Name) -> None:
    made = operator.compute.post("/flavors", "flavor", name=name("gone"), **SIZE)
    assert operator.compute.call("DELETE", f"/flavors/{made['id']}").status_code == 202
    with refused(404, f"Flavor {made['id']} could not be found."):
        operator.compute.get(f"/flavors/{made['id']}")


# --- key pairs


def test_ssh_key(member: Account, name: Name) -> None:
    key, called = public_key(), name("key")
    answer = member.compute.call("POST", "/os-keypairs", json={"keypair": {"name": called, "public_key": key}})
    assert answer.status_code == 201
    blob = base64.b64decode(key.split()[1])
    pair = {
        "name": called,
        "public_key": key,
        "fingerprint": hashlib.md5(blob).digest().hex(":"),
        "user_id": member.user_id,
        "type": "ssh",
    }
    assert answer.json() == {"keypair": pair}
    shown = member.compute.get(f"/os-keypairs/{called}")
    assert {key: shown[key] for key in pair} == pair
    assert set(shown) - set(pair) == {"id", "created_at", "updated_at", "deleted", "deleted_at"}
    assert (shown["deleted"], shown["deleted_at"], shown["updated_at"]) == (False, None, None)
    (listed,) = [
        k["keypair"] for k in member.compute.list("/os-keypairs", "keypairs") if k["keypair"]["name"] == called
    ]
    assert set(listed) == {"name", "public_key", "fingerprint", "type"}


def test_certificate(member: Account, name: Name) -> None:
    pem = certificate()
    pair = member.compute.post("/os-keypairs", "keypair", name=name("x509"), public_key=pem, type="x509")
    lines = pem.strip().splitlines()[1:-1]
    assert pair["fingerprint"] == hashlib.sha1(base64.b64decode("".join(lines))).digest().hex(":")
    assert pair["public_key"] == pem


def test_generated_key(member: Account, name: Name) -> None:
    made = member.compute.call("POST", "/os-keypairs", json={"keypair": {"name": name("made")}}, microversion="2.91")
    assert "PRIVATE KEY" in made.json()["keypair"]["private_key"]
    with refused(400, "'public_key' is a required property"):
        member.compute.call("POST", "/os-keypairs", json={"keypair": {"name": name("made")}}, microversion="2.92")


def test_wrong_keys(member: Account, name: Name, release: str) -> None:
    taken = name("taken")
    member.compute.post("/os-keypairs", "keypair", name=taken, public_key=public_key())
    with refused(409, f"Key pair '{taken}' already exists."):
        member.compute.post("/os-keypairs", "keypair", name=taken, public_key=public_key())
    with refused(400, "Keypair data is invalid: failed to generate fingerprint"):
        member.compute.post("/os-keypairs", "keypair", name=name("wrong"), public_key="ssh-rsa AAAA")
    with refused(400, "Keypair data is invalid: failed to generate X509 fingerprint"):
        member.compute.post("/os-keypairs", "keypair", name=name("wrong"), public_key=public_key(), type="x509")
    with refused(400, "Only expected characters" if release == "zed" else "does not match"):
        member.compute.post("/os-keypairs", "keypair", name=name("ö"), public_key=public_key())
    body = {"keypair": {"name": name("with @."), "public_key": public_key()}}
    assert status(lambda: member.compute.call("POST", "/os-keypairs", json=body, microversion="2.91")) == 400
    assert member.compute.call("POST", "/os-keypairs", json=body, microversion="2.92").status_code == 201


def test_keys_of_others(operator: Account, member: Account, name: Name) -> None:
    called, key = name("for"), public_key()
    made = operator.compute.post("/os-keypairs", "keypair", name=called, public_key=key, user_id=member.user_id)
    assert made["user_id"] == member.user_id
    assert member.compute.get(f"/os-keypairs/{called}")["public_key"] == key
    assert operator.compute.get(f"/os-keypairs/{called}?user_id={member.user_id}")["public_key"] == key
    with refused(404, f"Keypair {called} not found for user {operator.user_id}"):
        operator.compute.get(f"/os-keypairs/{called}")
    with refused(403, "Policy doesn't allow os_compute_api:os-keypairs:index to be performed."):
        member.compute.list("/os-keypairs", "keypairs", user_id=operator.user_id)
    assert operator.compute.list("/os-keypairs", "keypairs", user_id="0" * 32) == []
    operator.compute.call("DELETE", f"/os-keypairs/{called}?user_id={member.user_id}")
    with refused(404):
        member.compute.call("DELETE", f"/os-keypairs/{called}")


def test_before_there_were_types(member: Account, name: Name) -> None:
    called = name(f"old {os.getpid()}")
    body = {"keypair": {"name": called, "public_key": public_key()}}
    made = member.compute.call("POST", "/os-keypairs", json=body, microversion="2.1")
    assert made.status_code == 200
    assert set(made.json()["keypair"]) == {"name", "public_key", "fingerprint", "user_id"}
    assert member.compute.call("DELETE", f"/os-keypairs/{called}", microversion="2.1").status_code == 202
