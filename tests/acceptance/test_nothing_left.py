"""No temporary image, snapshot, volume, server, key or role remains on either side, in any project."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Moment, Moved
from tests.acceptance.photograph import Photograph

#: What the destination has more of afterwards: the tenant's own.
ARRIVED = {"image": 3, "volume": 4, "server": 3, "snapshot": 0, "backup": 0, "keypair": 0, "assignment": 0}


def more(before: Photograph, after: Photograph, kind: str) -> list[str]:
    """Names of what is there now and was not."""
    return [str(after[kind][id_].get("name")) for id_ in sorted(after[kind].keys() - before[kind].keys())]


@pytest.mark.parametrize("kind", sorted(ARRIVED))
def test_source(before: Moment, moved: Moved, kind: str) -> None:
    assert more(before.source_all, moved.after.source_all, kind) == []


@pytest.mark.parametrize("kind", sorted(ARRIVED))
def test_destination(before: Moment, moved: Moved, kind: str) -> None:
    names = more(before.destination_all, moved.after.destination_all, kind)
    assert len(names) == ARRIVED[kind], names


def test_the_operator_got_no_roles(before: Moment, moved: Moved) -> None:
    """Whoever moves a tenant may need a role in it for a while; not for longer."""
    for side in ("source_all", "destination_all"):
        was, is_ = getattr(before, side)["assignment"], getattr(moved.after, side)["assignment"]
        assert was.keys() == is_.keys(), side
