"""Images arrive bit by bit, with all that is said about them."""

from __future__ import annotations

import hashlib

import pytest

from tests.acceptance.counterparts import Sides, unlike
from tests.acceptance.lab import Lab
from tests.acceptance.tenant.model import Tenant

#: When, and where the bytes lie.
ITS_OWN = ("created_at", "updated_at", "locations", "stores", "direct_url", "members")


@pytest.mark.parametrize("short", ["queued", "rich", "protected"])
def test_fields(sides: Sides, short: str) -> None:
    """The id too: servers and scripts refer to images by it."""
    here, there = sides.here("image", short), sides.there("image", short)
    assert unlike(here, there, ITS_OWN, owner=sides.there("project", "tenant")["id"]) == []


@pytest.mark.parametrize("short", ["rich", "protected"])
def test_bytes(clouds: Lab, built: Tenant, sides: Sides, short: str) -> None:
    there = sides.there("image", short)
    data = clouds.destination.image.call("GET", f"/images/{there['id']}/file").content
    assert data == built.uploaded[short]
    assert there["os_hash_value"] == hashlib.sha512(data).hexdigest()


def test_the_one_without_bytes_waits_for_them(sides: Sides) -> None:
    assert sides.there("image", "queued")["status"] == "queued"


def test_false_and_empty_are_values(sides: Sides) -> None:
    rich = sides.there("image", "rich")
    assert (rich["custom_empty"], rich["custom_zero"], rich["os_require_quiesce"]) == ("", "0", "False")
    assert sides.there("image", "protected")["protected"] is True
    assert sides.there("image", "protected")["os_hidden"] is True


def test_members(sides: Sides, built: Tenant) -> None:
    assert sides.there("image", "rich")["members"] == {built.notes["destination"]["neighbour"]: "pending"}
