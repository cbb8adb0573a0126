"""Servers run in the destination as they ran in the source: each booted once, with its own disk."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Disks, Moved
from tests.acceptance.counterparts import Sides, unlike
from tests.acceptance.disks import expected
from tests.acceptance.tenant.model import Tenant
from tests.acceptance.tenant.servers import METADATA

MOVED = ("web", "off", "bfv")
#: Of the service's own making. ``user_id``: who made it was the operator, and the report says so.
ITS_OWN = (
    "id", "created", "updated", "hostId", "user_id", "progress", "image", "attachments", "interfaces", "addresses",
    "os-extended-volumes:volumes_attached", "OS-SRV-USG:launched_at", "OS-EXT-SRV-ATTR:host",
    "OS-EXT-SRV-ATTR:hypervisor_hostname", "OS-EXT-SRV-ATTR:instance_name", "OS-EXT-SRV-ATTR:reservation_id",
)  # fmt: skip
HOSTNAME = "OS-EXT-SRV-ATTR:hostname"
GIB = 1 << 30


@pytest.mark.parametrize("short", MOVED)
def test_fields(sides: Sides, short: str) -> None:
    """Status, metadata, tags, description, user data, key, zone, host name, config drive, groups."""
    here, there = sides.here("server", short), sides.there("server", short)
    if not here[HOSTNAME].isascii():  # old releases took what newer ones refuse, see below
        here = {**here, HOSTNAME: there[HOSTNAME]}
    assert unlike(here, there, ITS_OWN, tenant_id=sides.there("project", "tenant")["id"]) == []


def test_a_host_name_that_cannot_be_is_reported(moved: Moved, built: Tenant) -> None:
    (server,) = [one for one in moved.report["resources"] if one["source_id"] == built.id("server", "off")]
    (field,) = [field for field in server["fields"] if field["field"] == HOSTNAME]
    assert field["verdict"] == "not carried"
    assert field["reason"]


def test_what_was_given_is_what_is_there(sides: Sides) -> None:
    """Not only the same as the source shows."""
    web = sides.there("server", "web")
    assert web["metadata"] == METADATA
    assert (web["status"], web["config_drive"]) == ("ACTIVE", "True")
    assert web["OS-EXT-SRV-ATTR:hostname"] == "a-host-of-its-own"
    assert sides.there("server", "off")["status"] == "SHUTOFF"
    assert sides.there("server", "bfv")["status"] == "ACTIVE"


@pytest.mark.parametrize("short", MOVED)
def test_addresses(sides: Sides, short: str) -> None:
    """The networks in their order, and in each the same addresses and MACs."""
    here, there = sides.here("server", short)["addresses"], sides.there("server", short)["addresses"]
    assert list(there) == list(here)
    for network, entries in here.items():
        assert sorted(there[network], key=str) == sorted(entries, key=str), network


@pytest.mark.parametrize("short", MOVED)
def test_interfaces(sides: Sides, short: str) -> None:
    """Each card with its tag."""
    here, there = sides.here("server", short)["interfaces"], sides.there("server", short)["interfaces"]
    assert {mac: card["tag"] for mac, card in there.items()} == {mac: card["tag"] for mac, card in here.items()}


@pytest.mark.parametrize("short", MOVED)
def test_attached_volumes(sides: Sides, short: str) -> None:
    """The same devices, tags, and whether they go when the server goes."""
    kept = ("device", "tag", "delete_on_termination")

    def attachments(server: dict) -> list[dict]:
        return [{key: attachment[key] for key in kept} for attachment in server["attachments"]]

    here, there = sides.here("server", short), sides.there("server", short)
    assert attachments(there) == attachments(here)


def test_booted_from_a_volume(sides: Sides) -> None:
    """It shows no image, here as there; and its root volume is the first of its disks."""
    there = sides.there("server", "bfv")
    assert there["image"] == ""
    assert there["attachments"][0]["volumeId"] == sides.there("volume", "root")["id"]


@pytest.mark.parametrize(("short", "image"), [("web", "rich"), ("off", "short-lived")])
def test_disk(bytes_of: Disks, built: Tenant, short: str, image: str) -> None:
    """All that the source's disk held when it was stopped; also where the image is gone."""
    here, there = bytes_of.source[f"server {short}"], bytes_of.destination[f"server {short}"]
    assert there.unlike(here) == []
    assert there.unlike(expected({0: built.uploaded[image]}, GIB)) == []


@pytest.mark.parametrize("disk", ["server web", "server off", "volume root"])
def test_booted_exactly_once(bytes_of: Disks, disk: str) -> None:
    here, there = bytes_of.source[disk].boots, bytes_of.destination[disk].boots
    assert here == 1
    assert there == 2


def test_no_other_servers(sides: Sides, moved: Moved) -> None:
    assert len(sides.destination["server"]) == len(MOVED)
