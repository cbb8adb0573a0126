"""Nova: making servers, showing, listing, changing and deleting them."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator

import pytest

from tests.acceptance.clouds import Account, Json
from tests.acceptance.tenant.servers import public_key
from tests.contract.ground import SIZE, Ground
from tests.contract.wording import refused

Name = Callable[[str], str]

CORE = {
    "id", "name", "status", "tenant_id", "user_id", "metadata", "hostId", "image", "flavor", "created", "updated",
    "addresses", "accessIPv4", "accessIPv6", "links", "OS-DCF:diskConfig", "progress",
}  # fmt: skip
MORE = {
    "OS-EXT-AZ:availability_zone", "config_drive", "key_name", "OS-SRV-USG:launched_at", "OS-SRV-USG:terminated_at",
    "security_groups", "OS-EXT-STS:task_state", "OS-EXT-STS:vm_state", "OS-EXT-STS:power_state",
    "os-extended-volumes:volumes_attached",
}  # fmt: skip
FLAVOR = {"vcpus", "ram", "disk", "ephemeral", "swap", "original_name", "extra_specs"}
PLACE = {f"OS-EXT-SRV-ATTR:{field}" for field in ("host", "instance_name", "hypervisor_hostname")}
SAID = ("reservation_id", "launch_index", "hostname", "kernel_id", "ramdisk_id", "root_device_name", "user_data")
ATTRIBUTES = PLACE | {f"OS-EXT-SRV-ATTR:{field}" for field in SAID}
#: Microversion -> what everybody is shown from there on.
SINCE = {
    9: {"locked"},
    19: {"description"},
    26: {"tags"},
    63: {"trusted_image_certificates"},
    71: {"server_groups"},
    73: {"locked_reason"},
    90: {"OS-EXT-SRV-ATTR:hostname"},
    96: {"pinned_availability_zone"},
    100: {"scheduler_hints"},
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
LONG = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000")


@pytest.fixture(scope="module")
def rich(ground: Ground, member: Account, name: Name) -> Iterator[Json]:
    """A server about which everything is said."""
    key = name("key")
    member.compute.post("/os-keypairs", "keypair", name=key, public_key=public_key())
    port = ground.port()
    server = ground.boot(
        name=name("rich wéb"),
        networks=[{"port": port["id"], "tag": "vorn"}],
        key_name=key,
        metadata={"empty": "", "Gr.sse: x_y-z": "½ 日本"},
        tags=["b", "étiquette"],
        description="línea",
        user_data=base64.b64encode(b"#cloud-config\n").decode(),
        config_drive=True,
        availability_zone="nova",
        hostname="a-host-of-its-own",
        accessIPv4="203.0.113.7",
        accessIPv6="2001:db8::7",
        **{"OS-DCF:diskConfig": "AUTO"},
        hints={"same_host": ground.flavor["id"]},
    )
    yield server
    ground.delete(server["id"])


@pytest.fixture(scope="module")
def plain(ground: Ground) -> Iterator[Json]:
    """A server about which nothing is said."""
    server = ground.boot()
    yield server
    ground.delete(server["id"])


def newest(release: str) -> int:
    """Minor version."""
    return 93 if release == "zed" else 103


# --- made


def test_the_answer_to_post(ground: Ground) -> None:
    body = {"server": ground.fields()}
    answer = ground.member.compute.call("POST", "/servers", json=body)
    made = answer.json()["server"]
    try:
        assert answer.status_code == 202
        assert set(made) == {"id", "links", "OS-DCF:diskConfig", "security_groups", "adminPass"}
        assert (made["OS-DCF:diskConfig"], made["security_groups"]) == ("MANUAL", [{"name": "default"}])
        assert answer.headers["Location"] == made["links"][0]["href"]
        server = ground.state(made["id"], "ACTIVE")
        assert (server["OS-EXT-STS:vm_state"], server["OS-EXT-STS:power_state"]) == ("active", 1)
    finally:
        ground.delete(made["id"])


def test_what_was_said_is_shown(ground: Ground, operator: Account, rich: Json) -> None:
    server = ground.show(rich["id"], account=operator)
    assert server["metadata"] == {"empty": "", "Gr.sse: x_y-z": "½ 日本"}
    assert sorted(server["tags"]) == ["b", "étiquette"]
    assert (server["description"], server["config_drive"], server["OS-DCF:diskConfig"]) == ("línea", "True", "AUTO")
    assert (server["accessIPv4"], server["accessIPv6"]) == ("203.0.113.7", "2001:db8::7")
    assert server["OS-EXT-SRV-ATTR:hostname"] == "a-host-of-its-own"
    assert base64.b64decode(server["OS-EXT-SRV-ATTR:user_data"]) == b"#cloud-config\n"
    assert ground.member.compute.get(f"/os-keypairs/{server['key_name']}")["name"] == server["key_name"]
    assert (server["OS-EXT-AZ:availability_zone"], server["OS-EXT-SRV-ATTR:root_device_name"]) == ("nova", "/dev/vda")
    assert server["image"]["id"] == ground.image["id"]
    assert server["flavor"]["original_name"] == ground.flavor["name"]


def test_what_was_not_said(ground: Ground, operator: Account, plain: Json) -> None:
    server = ground.show(plain["id"], account=operator)
    assert (server["metadata"], server["tags"], server["description"], server["config_drive"]) == ({}, [], None, "")
    assert (server["accessIPv4"], server["accessIPv6"], server["key_name"]) == ("", "", None)
    assert (server["locked"], server["locked_reason"], server["server_groups"]) == (False, None, [])
    assert server["security_groups"] == [{"name": "default"}]
    assert server["OS-EXT-SRV-ATTR:hostname"] == re.sub("[ _]", "-", server["name"])
    assert server["os-extended-volumes:volumes_attached"] == []
    assert re.fullmatch(r"r-[a-z0-9]{8}", server["OS-EXT-SRV-ATTR:reservation_id"])
    assert (server["OS-EXT-SRV-ATTR:kernel_id"], server["OS-EXT-SRV-ATTR:launch_index"]) == ("", 0)
    assert TIME.fullmatch(server["created"]) and TIME.fullmatch(server["updated"])
    assert LONG.fullmatch(server["OS-SRV-USG:launched_at"]) and server["OS-SRV-USG:terminated_at"] is None


def test_addresses(ground: Ground, plain: Json) -> None:
    (called,) = ground.show(plain["id"])["addresses"]
    (address,) = ground.show(plain["id"])["addresses"][called]
    assert called == ground.network["name"]
    assert set(address) == {"version", "addr", "OS-EXT-IPS:type", "OS-EXT-IPS-MAC:mac_addr"}
    (port,) = ground.member.network.list("/ports", "ports", device_id=plain["id"])
    assert (address["addr"], address["OS-EXT-IPS:type"]) == (port["fixed_ips"][0]["ip_address"], "fixed")
    assert port["device_owner"] == "compute:nova"
    assert ground.member.compute.call("GET", f"/servers/{plain['id']}/ips").json() == {
        "addresses": {called: [{"version": 4, "addr": address["addr"]}]}
    }


@pytest.mark.parametrize("minor", [1, 2, 3, 9, 12, 16, 19, 26, 46, 47, 52, 63, 64, 70, 71, 73, 75, 79, 81, 90, 93, 96,
                                   98, 100])  # fmt: skip
def test_fields_by_version(ground: Ground, operator: Account, release: str, rich: Json, minor: int) -> None:
    if minor > newest(release):
        pytest.skip(f"{release} does not speak it")
    version = f"2.{minor}"
    common = CORE | MORE | {field for first, fields in SINCE.items() if minor >= first for field in fields}
    if minor < 90:
        assert set(ground.show(rich["id"], version)) == common
    assert set(ground.show(rich["id"], version)) >= common - {"OS-EXT-SRV-ATTR:hostname"}
    theirs = (ATTRIBUTES if minor >= 3 else PLACE) | ({"host_status"} if minor >= 16 else set())
    assert set(ground.show(rich["id"], version, operator)) == common | theirs


def test_older_shapes(ground: Ground, rich: Json, release: str) -> None:
    old = ground.show(rich["id"], "2.46")
    assert set(old["flavor"]) == {"id", "links"}
    assert old["flavor"]["id"] == ground.flavor["id"]
    assert set(ground.show(rich["id"], "2.47")["flavor"]) == FLAVOR
    assert set(ground.show(rich["id"], "2.90")["image"]) == {"id", "links"}
    if release != "zed":
        properties = ground.show(rich["id"], "2.98")["image"]["properties"]
        assert properties["hw_machine_type"] == "pc"
        assert ground.show(rich["id"], "2.100")["scheduler_hints"] == {"same_host": [ground.flavor["id"]]}
        assert ground.show(rich["id"], "2.96")["pinned_availability_zone"] == "nova"


def test_where_it_is(ground: Ground, operator: Account, plain: Json) -> None:
    server = ground.show(plain["id"], account=operator)
    hosts = [h["hypervisor_hostname"] for h in operator.compute.list("/os-hypervisors", "hypervisors")]
    assert server["OS-EXT-SRV-ATTR:host"] in hosts
    assert server["OS-EXT-SRV-ATTR:hypervisor_hostname"] == server["OS-EXT-SRV-ATTR:host"]
    assert re.fullmatch(r"[a-z]+-[0-9a-f]{8}", server["OS-EXT-SRV-ATTR:instance_name"])
    assert server["host_status"] == "UP"
    assert re.fullmatch("[0-9a-f]{56}", server["hostId"])


# --- refused


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"flavorRef": "nothing"}, "Flavor nothing could not be found."),
        ({"imageRef": "6a1f0d4e-0000-4000-8000-000000000000"}, "Can not find requested image"),
        ({"imageRef": "nothing"}, "is not valid under any of the given schemas"),
        ({"key_name": "nobody's"}, "Invalid key_name provided."),
        ({"networks": [{"port": "6a1f0d4e-0000-4000-8000-000000000000"}]}, "could not be found."),
        ({"networks": [{"uuid": "6a1f0d4e-0000-4000-8000-000000000000"}]}, "could not be found."),
        ({"security_groups": [{"name": "nothing"}]}, "nothing"),
        ({"name": ""}, ""),
        ({"name": " x"}, "Can not start or end with whitespace."),
        ({"name": "🚰"}, "An invalid 'name' value was provided."),
        ({"metadata": {"x/y": "z"}}, "does not match any of the regexes"),
        ({"tags": ["a,b"]}, ""),
        ({"user_data": "x"}, ""),
        ({"hostname": "höst"}, "does not match"),
        ({"min_count": 2, "max_count": 1}, "min_count must be <= max_count"),
        ({"surprise": 1}, "Additional properties are not allowed ('surprise' was unexpected)"),
    ],
)
def test_malformed(ground: Ground, wrong: Json, words: str) -> None:
    with refused(400, words):
        ground.post(**wrong)


def test_networks_must_be_said(ground: Ground) -> None:
    fields = ground.fields()
    del fields["networks"]
    with refused(400, "'networks' is a required property"):
        ground.member.compute.post("/servers", "server", **fields)


def test_image_and_flavor_must_fit(ground: Ground, operator: Account, name: Name) -> None:
    tiny = operator.compute.post("/flavors", "flavor", name=name("no disk"), **{**SIZE, "disk": 0})
    with refused(403, "Only volume-backed servers are allowed for flavors with zero disk."):
        ground.post(flavorRef=tiny["id"])
    with refused(400, "Missing imageRef attribute"):
        ground.post(imageRef="")


def test_what_only_operators_say(ground: Ground) -> None:
    with refused(403, "Policy doesn't allow os_compute_api:servers:create:forced_host to be performed."):
        ground.post(availability_zone="nova:somewhere")
    with refused(403, "Policy doesn't allow compute:servers:create:requested_destination to be performed."):
        ground.post(host="somewhere")


def test_ports_in_use(ground: Ground, rich: Json) -> None:
    (port,) = ground.member.network.list("/ports", "ports", device_id=rich["id"])
    with refused(409, f"Port {port['id']} is still in use."):
        ground.post(networks=[{"port": port["id"]}])


def test_quotas(ground: Ground, operator: Account, plain: Json, rich: Json) -> None:
    path = f"/os-quota-sets/{ground.member.project_id}"
    used = operator.compute.get(f"{path}/detail")
    assert used["instances"]["in_use"] == used["cores"]["in_use"] >= 2
    count = used["instances"]["in_use"]
    operator.compute.put(path, "quota_set", instances=count)
    try:
        words = f"Quota exceeded for instances: Requested 1, but already used {count} of {count} instances"
        with refused(403, words):
            ground.post()
        operator.compute.put(path, "quota_set", cores=count, ram=64 * count)
        with refused(403, "Quota exceeded for cores, instances, ram: Requested 1, 1, 64, but already used"):
            ground.post()
        assert ground.member.compute.get("/limits")["absolute"]["totalInstancesUsed"] == count
    finally:
        operator.compute.delete(path)


def test_no_host_will_do(ground: Ground, operator: Account, name: Name) -> None:
    flavor = operator.compute.post("/flavors", "flavor", name=name("pinned"), **SIZE)
    path = f"/flavors/{flavor['id']}/os-extra_specs"
    operator.compute.post(path, "extra_specs", **{"capabilities:hypervisor_hostname": "<or> x1 <or> x2"})
    made = ground.post(flavorRef=flavor["id"])
    try:
        server = ground.settled(made["id"])
        assert server["status"] == "ERROR"
        assert set(server["fault"]) == {"code", "created", "message"}
        assert server["fault"]["message"] == "No valid host was found. There are not enough hosts available."
        assert (server["OS-EXT-STS:task_state"], server["OS-SRV-USG:launched_at"]) == (None, None)
        assert server["hostId"] == ""
        assert "details" in ground.show(made["id"], account=operator)["fault"]
        assert "progress" not in server
    finally:
        ground.delete(made["id"])


def test_no_such_zone(ground: Ground) -> None:
    with refused(400, "The requested availability zone is not available"):
        ground.post(availability_zone="the moon")


def test_hostnames_beyond_ascii(ground: Ground, release: str, name: Name) -> None:
    """Linux bridges take them, OVN does not."""
    made = ground.post(name=name("ü"))
    try:
        server = ground.settled(made["id"])
        assert server["status"] == ("ACTIVE" if release == "zed" else "ERROR")
        if release != "zed":
            assert server["fault"]["message"].startswith("Exceeded maximum number of retries.")
    finally:
        ground.delete(made["id"])
