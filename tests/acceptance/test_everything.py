"""A project with at least one of everything is moved in one command; compared by plain clients."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance import disks
from tests.acceptance.clouds import Account, Json
from tests.acceptance.command import Pumphouse
from tests.acceptance.conftest import Whole
from tests.acceptance.disks import Disk, expected
from tests.acceptance.everything.networks import FLOATING, GATEWAY
from tests.acceptance.everything.storage import GIB, UEFI
from tests.acceptance.lab import Lab
from tests.acceptance.photograph import everything

#: Servers by short name -> the volumes that they have, in the order of their devices.
DEVICES = {
    "flipped": {"attached": "/dev/vdb"},
    "flipped bfv": {"root": "/dev/vda", "second": "/dev/vdb", "first": "/dev/vdc"},
}


def there(whole: Whole, type_: str, short: str) -> tuple[str, Json]:
    """(id, what the destination shows) of a thing's counterpart, by its name or address."""
    key, _ = whole.here.seen[type_][whole.tenant.id(type_, short)]
    found = [(id_, thing) for id_, (other, thing) in whole.there.seen[type_].items() if other == key]
    assert len(found) == 1, f"{len(found)} in the destination stand for {type_} {key}"
    return found[0]


def test_one_command_moved_it(whole: Whole) -> None:
    assert whole.done.code == 0, whole.done.said


def test_nothing_differs(whole: Whole, pumphouse: Pumphouse) -> None:
    """Pumphouse's own word; the other tests here do not take it."""
    report = pumphouse.run("report", str(whole.done.json()["migration"]["id"]), "-f", "json").json()
    bad = [(one["type"], one["name"]) for one in report["resources"] if one["verdict"] not in ("equal", "mapped")]
    assert bad == []


@pytest.mark.parametrize("type_", ["floating_ip", "router", "trunk", "image", "volume", "server", "group", "subnet"])
def test_all_of_a_type_are_there(whole: Whole, type_: str) -> None:
    def keys(seen: dict[str, tuple[str, Json]]) -> list[str]:
        return sorted(key for key, _ in seen.values())

    assert keys(whole.there.seen[type_]) == keys(whole.here.seen[type_])


@pytest.mark.parametrize("kind", ["domain", "project", "user"])
def test_what_was_disabled_stays_so(whole: Whole, kind: str) -> None:
    assert there(whole, kind, "flipped")[1]["enabled"] is False
    assert there(whole, kind, "plain")[1]["enabled"] is True


def test_projects_below_others(whole: Whole) -> None:
    parent = there(whole, "project", "flipped")[1]["parent_id"]
    assert parent == f"project {whole.tenant.name('project', 'tenant')}"


def test_members_of_groups(whole: Whole, clouds: Lab) -> None:
    id_, _ = there(whole, "group", "flipped")
    names = {user["name"] for user in clouds.destination.identity.list(f"/groups/{id_}/users", "users")}
    assert names == {whole.tenant.name("user", short) for short in ("plain", "flipped")}


def test_roles_that_groups_give(whole: Whole, clouds: Lab) -> None:
    """The effective assignments: those of groups and implied ones resolved by the service."""

    def effective(cloud: Account, project: str) -> set[tuple[str, str]]:
        query = {"scope.project.id": project, "effective": "true", "include_names": "true"}
        found = cloud.identity.list("/role_assignments", "role_assignments", **query)
        return {(a["user"]["name"], a["role"]["name"]) for a in found if whole.tenant.prefix in a["user"]["name"]}

    here = effective(clouds.source, whole.tenant.project_id)
    assert len(here) > 3
    assert effective(clouds.destination, there(whole, "project", "tenant")[0]) == here


def test_floating_ip(whole: Whole) -> None:
    _, ip = there(whole, "floating_ip", "flipped")
    assert ip["floating_ip_address"] == FLOATING
    assert ip["fixed_ip_address"] == "10.71.0.7"
    assert ip["port_id"] == f"port {whole.tenant.name('port', 'flipped')}"


def test_router(whole: Whole) -> None:
    _, router = there(whole, "router", "flipped")
    assert router["routes"] == [{"destination": "192.168.79.0/24", "nexthop": "10.71.0.70"}]
    addresses = router["external_gateway_info"]["external_fixed_ips"]
    assert [ip["ip_address"] for ip in addresses] == [GATEWAY]


def test_sub_ports(whole: Whole) -> None:
    (sub,) = there(whole, "trunk", "flipped")[1]["sub_ports"]
    assert (sub["segmentation_type"], sub["segmentation_id"]) == ("vlan", 71)
    assert sub["port_id"] == f"port {whole.tenant.name('port', 'sub')}"


def test_locked_and_off(whole: Whole) -> None:
    _, server = there(whole, "server", "flipped")
    assert (server["status"], server["locked"], server["locked_reason"]) == ("SHUTOFF", True, "Beweis é")
    assert there(whole, "server", "plain")[1]["status"] == "ACTIVE"


def test_server_is_in_its_group(whole: Whole, clouds: Lab) -> None:
    id_, _ = there(whole, "server", "flipped")
    group, _ = there(whole, "server_group", "flipped")
    groups = clouds.destination.compute.list("/os-server-groups", "server_groups", all_projects=1)
    (members,) = [g["members"] for g in groups if g["id"] == group]
    assert members == [id_]


@pytest.mark.parametrize("server", DEVICES)
def test_devices(whole: Whole, clouds: Lab, server: str) -> None:
    id_, _ = there(whole, "server", server)
    found = clouds.destination.compute.list(f"/servers/{id_}/os-volume_attachments", "volumeAttachments")
    volumes = {there(whole, "volume", short)[0]: short for short in DEVICES[server]}
    assert {volumes[a["volumeId"]]: a["device"] for a in found} == DEVICES[server]
    source = clouds.source.compute.list(
        f"/servers/{whole.tenant.id('server', server)}/os-volume_attachments", "volumeAttachments"
    )
    flags = {whole.tenant.id("volume", short): short for short in DEVICES[server]}
    kept = ("tag", "delete_on_termination")
    here = {flags[a["volumeId"]]: [a[key] for key in kept] for a in source}
    assert {volumes[a["volumeId"]]: [a[key] for key in kept] for a in found} == here


def test_cards_in_order(whole: Whole, clouds: Lab) -> None:
    """As the guest sees them: the order of the networks, each with its address and MAC."""

    def cards(cloud: Account, id_: str) -> list[Any]:
        found = cloud.compute.list(f"/servers/{id_}/os-interface", "interfaceAttachments")
        return sorted((i["mac_addr"], [ip["ip_address"] for ip in i["fixed_ips"]], i["tag"]) for i in found)

    id_, server = there(whole, "server", "flipped")
    assert cards(clouds.destination, id_) == cards(clouds.source, whole.tenant.id("server", "flipped"))
    _, source = whole.here.seen["server"][whole.tenant.id("server", "flipped")]
    assert list(server["addresses"]) == list(source["addresses"])


@pytest.mark.parametrize(("type_", "where"), [("image", None), ("volume", "volume_image_metadata")])
def test_uefi(whole: Whole, type_: str, where: str | None) -> None:
    _, thing = there(whole, type_, "flipped")
    said = thing[where] if where else thing
    assert {key: said[key] for key in UEFI} == UEFI


def test_machine_image_has_its_parts(whole: Whole, clouds: Lab) -> None:
    """Both parts are there with their bytes, and the image names them by their ids in the destination."""
    id_, _ = there(whole, "image", "flipped machine")
    machine = clouds.destination.image.get(f"/images/{id_}")
    for part, form in (("kernel", "aki"), ("ramdisk", "ari")):
        here = clouds.source.image.get(f"/images/{whole.tenant.id('image', part)}")
        image = clouds.destination.image.get(f"/images/{machine[f'{part}_id']}")
        assert (image["disk_format"], image["os_hash_value"]) == (form, here["os_hash_value"])


def test_who_may_use_the_private_volume_type(whole: Whole, clouds: Lab) -> None:
    id_, _ = there(whole, "volume_type", "flipped")
    access = clouds.destination.volume.list(f"/types/{id_}/os-volume-type-access", "volume_type_access")
    assert [a["project_id"] for a in access] == [there(whole, "project", "tenant")[0]]


@pytest.fixture(scope="module")
def bytes_there(whole: Whole, clouds: Lab) -> dict[str, Disk]:
    """Every volume of the destination, and the root disks of servers without one."""
    shorts = ("attached", "root", "second", "first", "flipped")
    volumes = {short: there(whole, "volume", short)[0] for short in shorts}
    return disks.read(clouds.destination, {"plain": there(whole, "server", "plain")[0]}, volumes)


@pytest.mark.parametrize("short", ["attached", "first", "second", "flipped"])
def test_bytes(whole: Whole, bytes_there: dict[str, Disk], short: str) -> None:
    """Those that were written, at the start and at the very end; zero elsewhere."""
    size = 2 * GIB if short == "flipped" else GIB
    assert bytes_there[f"volume {short}"].unlike(expected(whole.tenant.written[short], size)) == []


@pytest.mark.parametrize("disk", ["volume root", "server plain"])
def test_guests_went_on_counting(bytes_there: dict[str, Disk], disk: str) -> None:
    """Once in the source, once in the destination."""
    assert bytes_there[disk].boots == 2


def test_verify(whole: Whole, pumphouse: Pumphouse) -> None:
    done = pumphouse.run("verify", str(whole.done.json()["migration"]["id"]))
    assert done.code == 0, done.said


def test_nothing_is_left(whole: Whole, clouds: Lab, pumphouse: Pumphouse) -> None:
    """No more images, volumes and servers than the tenant's own; and the operator has no roles in it."""
    for cloud in (clouds.source, clouds.destination):
        seen = everything(cloud, lambda thing: whole.tenant.prefix in str(thing))
        projects = {p["id"] for p in cloud.identity.list("/projects", "projects") if whole.tenant.prefix in p["name"]}
        assert [key for key in seen["assignment"] if any(id_ in key for id_ in projects)] == []
        assert len(seen["image"]) == len(whole.here.seen["image"])
        assert len(seen["volume"]) == len(whole.here.seen["volume"])
    done = pumphouse.run("leftovers")
    assert done.code == 0, done.said
    assert whole.tenant.prefix not in done.out
