"""Volumes arrive with their bytes, what is said about them, and where they were attached."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Disks
from tests.acceptance.counterparts import Sides, unlike
from tests.acceptance.disks import expected
from tests.acceptance.tenant.model import Tenant

#: Of the service's own making.
ITS_OWN = (
    "id", "created_at", "updated_at", "user_id", "source_volid", "snapshot_id", "volume_type_id",
    "service_uuid", "os-vol-host-attr:host", "attachments", "volume_image_metadata", "shared_targets",
)  # fmt: skip
#: Of the image that a volume was made from, not of what it holds.
OF_THE_IMAGE = {
    "image_id",
    "image_name",
    "checksum",
    "size",
    "disk_format",
    "container_format",
    "signature_verified",
}
GIB = 1 << 30


@pytest.mark.parametrize("short", ["detached", "web", "bfv", "root"])
def test_fields(sides: Sides, short: str) -> None:
    here, there = sides.here("volume", short), sides.there("volume", short)
    project = sides.there("project", "tenant")["id"]
    assert unlike(here, there, ITS_OWN, **{"os-vol-tenant-attr:tenant_id": project}) == []


@pytest.mark.parametrize("short", ["detached", "web", "bfv", "root"])
def test_what_nova_needs_to_boot_it(sides: Sides, short: str) -> None:
    """Properties that came from the image: machine type, buses, licences."""
    here = sides.here("volume", short).get("volume_image_metadata", {})
    there = sides.there("volume", short).get("volume_image_metadata", {})
    kept = {key: value for key, value in here.items() if key not in OF_THE_IMAGE}
    assert {key: there.get(key) for key in kept} == kept


@pytest.mark.parametrize(("short", "server"), [("web", "web"), ("bfv", "bfv"), ("root", "bfv")])
def test_attachment(sides: Sides, short: str, server: str) -> None:
    (here,) = sides.here("volume", short)["attachments"]
    (there,) = sides.there("volume", short)["attachments"]
    assert there["device"] == here["device"]
    assert there["server_id"] == sides.there("server", server)["id"]


@pytest.mark.parametrize("short", ["detached", "web", "bfv"])
def test_bytes_are_those_that_were_written(bytes_of: Disks, built: Tenant, short: str) -> None:
    """At the start, in the middle and at the very end; zero elsewhere."""
    written = expected(built.written[short], GIB)
    assert bytes_of.destination[f"volume {short}"].unlike(written) == []
    assert bytes_of.source[f"volume {short}"].unlike(written) == []


def test_bytes_of_the_boot_volume(bytes_of: Disks, built: Tenant) -> None:
    here, there = bytes_of.source["volume root"], bytes_of.destination["volume root"]
    assert there.unlike(here) == []
    assert there.unlike(expected({0: built.uploaded["rich"]}, GIB)) == []


def test_no_other_volumes(sides: Sides) -> None:
    assert len(sides.destination["volume"]) == 4
    assert sides.destination["snapshot"] == {}
