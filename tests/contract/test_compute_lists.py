"""Nova: listing, changing and deleting servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.acceptance.clouds import Account, Json, LateError
from tests.contract.ground import SIZE, Ground, status
from tests.contract.test_compute_servers import CORE
from tests.contract.wording import refused

Name = Callable[[str], str]


@pytest.fixture(scope="module")
def plain(ground: Ground) -> Iterator[Json]:
    """A server about which nothing is said."""
    server = ground.boot()
    yield server
    ground.delete(server["id"])


@pytest.fixture(scope="module")
def rich(ground: Ground, plain: Json) -> Iterator[Json]:
    """A younger one, with a tag and a name of its own."""
    server = ground.boot(name=ground.name("rich"), tags=["étiquette"])
    yield server
    ground.delete(server["id"])


# --- lists


def test_lists(ground: Ground, operator: Account, other: Account, plain: Json, rich: Json) -> None:
    both = {plain["id"], rich["id"]}

    def ids(account: Account, **query: object) -> set[str]:
        return {s["id"] for s in account.compute.list("/servers/detail", "servers", **query)}

    assert both <= ids(ground.member)
    assert not both & ids(other)
    assert not both & ids(operator)
    assert both <= ids(operator, all_tenants=1)
    assert both <= ids(operator, all_tenants=1, project_id=ground.member.project_id)
    assert not both & ids(operator, all_tenants=1, project_id=operator.project_id)
    with refused(403, "Policy doesn't allow os_compute_api:servers:detail:get_all_tenants to be performed."):
        ids(other, all_tenants=1)
    assert ids(ground.member, name="rich") & both == {rich["id"]}
    assert ids(ground.member, status="ACTIVE") >= both
    assert not ids(ground.member, status="SHUTOFF") & both
    assert ids(ground.member, flavor=ground.flavor["id"]) >= both
    assert ids(ground.member, image=ground.image["id"]) >= both
    assert ids(ground.member, tags="étiquette") & both == {rich["id"]}
    assert ids(ground.member, **{"not-tags": "étiquette"}) & both == {plain["id"]}
    host = ground.show(plain["id"], account=operator)["OS-EXT-SRV-ATTR:host"]
    assert plain["id"] in ids(operator, all_tenants=1, host=host)
    assert not ids(operator, all_tenants=1, host="nowhere")
    with refused(400, "Invalid status value"):
        ids(ground.member, status="HAPPY")
    with refused(400, "'surprise' does not match any of the regexes: '^_'"):
        ids(ground.member, surprise=1)


def test_listed_servers_show_all_but_groups(ground: Ground, operator: Account, rich: Json) -> None:
    listed = operator.compute.list("/servers/detail", "servers", all_tenants=1)
    (found,) = [server for server in listed if server["id"] == rich["id"]]
    shown = ground.show(rich["id"], account=operator)
    assert set(shown) - set(found) == {"server_groups"}
    assert {key: found[key] for key in found if key != "updated"} == {
        key: shown[key] for key in found if key != "updated"
    }
    brief = ground.member.compute.list("/servers", "servers")
    assert all(set(server) == {"id", "name", "links"} for server in brief)


def test_pages(ground: Ground, operator: Account, plain: Json, rich: Json) -> None:
    """The newest first; a marker may be of any server that the list could show."""
    every = [s["id"] for s in ground.member.compute.list("/servers", "servers")]
    assert every.index(rich["id"]) < every.index(plain["id"])
    first = ground.member.compute.call("GET", "/servers?limit=1").json()
    (link,) = first["servers_links"]
    assert link["rel"] == "next"
    assert f"limit=1&marker={every[0]}" in link["href"]
    assert [s["id"] for s in ground.member.compute.list("/servers", "servers", limit=1)] == every
    rest = ground.member.compute.call("GET", f"/servers?marker={every[-1]}").json()
    assert rest == {"servers": []}
    with refused(400, "marker [nothing] not found"):
        ground.member.compute.call("GET", "/servers?marker=nothing")
    with refused(400):
        ground.member.compute.call("GET", "/servers?limit=-1")
    ordered = ground.member.compute.list("/servers", "servers", sort_key="display_name", sort_dir="asc")
    names = [server["name"].lower() for server in ordered]
    assert names == sorted(names)


def test_others_see_nothing(ground: Ground, other: Account, plain: Json) -> None:
    for call in ("GET", "PUT", "DELETE"):
        with refused(404, f"Instance {plain['id']} could not be found."):
            how = {"json": {"server": {"name": "theirs"}}} if call == "PUT" else {}
            other.compute.call(call, f"/servers/{plain['id']}", **how)
    with refused(404, "Instance nothing could not be found."):
        other.compute.get("/servers/nothing")


# --- changed


def test_update(ground: Ground, plain: Json, name: Name) -> None:
    called = name("renamed é")
    path = f"/servers/{plain['id']}"
    changed = ground.member.compute.put(path, "server", name=called, description="new", accessIPv4="203.0.113.9")
    assert (changed["name"], changed["description"], changed["accessIPv4"]) == (called, "new", "203.0.113.9")
    assert set(changed) == set(ground.show(plain["id"]))
    old = ground.member.compute.call("PUT", path, json={"server": {"name": called}}, microversion="2.74")
    assert set(old.json()["server"]) == CORE | {
        "locked", "description", "tags", "trusted_image_certificates", "locked_reason", "server_groups",
    }  # fmt: skip
    with refused(400):
        ground.member.compute.put(path, "server", metadata={})


def test_metadata(ground: Ground, plain: Json) -> None:
    path = f"/servers/{plain['id']}/metadata"
    compute = ground.member.compute
    assert compute.post(path, "metadata", a="1", b="2") == {"a": "1", "b": "2"}
    assert compute.put(f"{path}/a", "meta", a="3") == {"a": "3"}
    assert compute.get(path) == {"a": "3", "b": "2"}
    assert compute.get(f"{path}/a") == {"a": "3"}
    compute.delete(f"{path}/a")
    with refused(404, "Metadata item was not found"):
        compute.get(f"{path}/a")
    assert compute.put(path, "metadata", c="é") == {"c": "é"}
    assert ground.show(plain["id"])["metadata"] == {"c": "é"}
    with refused(400):
        compute.post(path, "metadata", d="x" * 256)
    with refused(403, "Maximum number of metadata items exceeds 128"):
        compute.post(path, "metadata", **{f"k{number}": "" for number in range(128)})


def test_tags(ground: Ground, plain: Json) -> None:
    path = f"/servers/{plain['id']}/tags"
    compute = ground.member.compute
    assert compute.call("PUT", path, json={"tags": ["x", "y"]}).json() == {"tags": ["x", "y"]}
    assert compute.call("PUT", f"{path}/z").status_code == 201
    assert compute.call("PUT", f"{path}/z").status_code == 204
    assert compute.call("GET", f"{path}/z").status_code == 204
    compute.delete(f"{path}/x")
    with refused(404, f"Server {plain['id']} has no tag 'x'"):
        compute.call("GET", f"{path}/x")
    assert compute.call("GET", path).json() == {"tags": ["y", "z"]}
    compute.delete(path)
    assert ground.show(plain["id"])["tags"] == []


# --- several, and gone


def test_several_at_once(ground: Ground, name: Name) -> None:
    called = name("many")
    body = {"server": ground.fields(name=called, min_count=2, return_reservation_id=True)}
    answer = ground.member.compute.call("POST", "/servers", json=body)
    reservation = answer.json()
    assert set(reservation) == {"reservation_id"}
    found = ground.member.compute.list("/servers/detail", "servers", reservation_id=reservation["reservation_id"])
    try:
        assert sorted(server["name"] for server in found) == [f"{called}-1", f"{called}-2"]
        for server in found:
            ground.state(server["id"], "ACTIVE")
    finally:
        for server in found:
            ground.delete(server["id"])


def test_deleted(ground: Ground, operator: Account) -> None:
    server = ground.boot()
    begun = server["created"]
    answer = ground.member.compute.call("DELETE", f"/servers/{server['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    ground.gone(server["id"])
    assert ground.member.network.list("/ports", "ports", device_id=server["id"]) == []
    assert status(lambda: ground.member.compute.call("DELETE", f"/servers/{server['id']}")) == 404
    since = ground.member.compute.list("/servers/detail", "servers", **{"changes-since": begun})
    assert [s["status"] for s in since if s["id"] == server["id"]] == ["DELETED"]
    gone = operator.compute.list("/servers/detail", "servers", all_tenants=1, deleted="true")
    assert server["id"] in [s["id"] for s in gone]
    with refused(403, "Only administrators may list deleted instances"):
        ground.member.compute.list("/servers", "servers", status="DELETED")
    actions = ground.member.compute.list(f"/servers/{server['id']}/os-instance-actions", "instanceActions")
    assert [action["action"] for action in actions] == ["delete", "create"]


def test_whoever_waits_for_an_error_is_told(ground: Ground, operator: Account) -> None:
    """The tests' own waiting: it ends with the server's fault."""
    flavor = operator.compute.post("/flavors", "flavor", name=ground.name("nowhere"), **SIZE)
    path = f"/flavors/{flavor['id']}/os-extra_specs"
    operator.compute.post(path, "extra_specs", **{"capabilities:hypervisor_hostname": "nowhere"})
    made = ground.post(flavorRef=flavor["id"])
    try:
        with pytest.raises(LateError, match="No valid host"):
            ground.state(made["id"], "ACTIVE")
    finally:
        ground.delete(made["id"])
