"""Flavors keep their specs and their circle, keys their owners."""

from __future__ import annotations

import pytest

from tests.acceptance.counterparts import Sides, unlike


@pytest.mark.parametrize("short", ["small", "pinned"])
def test_flavor(sides: Sides, short: str) -> None:
    here, there = sides.here("flavor", short), sides.there("flavor", short)
    assert unlike(here, there, ["id"], access=[sides.there("project", "tenant")["id"]]) == []


@pytest.mark.parametrize("short", ["owner", "guest", "leaver"])
def test_keypair(sides: Sides, short: str) -> None:
    """Each belongs to who had it in the source, be they disabled or of another domain."""
    name = sides.tenant.name("keypair", short)
    here = sides.source["keypair"][f"{sides.here('user', short)['id']} {name}"]
    there = sides.destination["keypair"].get(f"{sides.there('user', short)['id']} {name}")
    assert there, sides.destination["keypair"]
    assert unlike(here, there) == []


def test_no_other_keypairs(sides: Sides) -> None:
    assert len(sides.destination["keypair"]) == 3
