"""The server that no host of the destination takes: undone alone, and running again where it was."""

from __future__ import annotations

from tests.acceptance.conftest import Disks, Moved
from tests.acceptance.counterparts import Sides, unlike
from tests.acceptance.disks import expected
from tests.acceptance.tenant.model import Tenant

GIB = 1 << 30


def test_the_exit_code_and_its_name(moved: Moved, built: Tenant) -> None:
    assert moved.done.code == 1
    assert built.name("server", "failing") in moved.done.out + moved.done.err


def test_it_fails_alone_with_novas_words(moved: Moved, built: Tenant) -> None:
    failed = [unit for unit in moved.report["units"] if unit["state"] != "done"]
    assert [unit["name"] for unit in failed] == [f"server:{built.id('server', 'failing')}"]
    assert "No valid host" in failed[0]["error"]


def test_it_runs_again(moved: Moved, before: object, sides: Sides, built: Tenant) -> None:
    here = sides.here("server", "failing")
    now = moved.after.source["server"][built.id("server", "failing")]
    assert now["status"] == "ACTIVE"
    assert unlike(here, now, ["updated"]) == []


def test_it_was_not_harmed(bytes_of: Disks, built: Tenant) -> None:
    """Stopped for the copy and started again: two boots; its bytes and its volume's as they were."""
    disk = bytes_of.source["server failing"]
    assert disk.boots == 2
    assert disk.unlike(expected({0: built.uploaded["rich"]}, GIB)) == []
    assert bytes_of.source["volume failing"].unlike(expected(built.written["failing"], GIB)) == []


def test_nothing_of_it_is_left(sides: Sides, built: Tenant) -> None:
    """No server, port or volume; no image that was made for it."""
    mac = sides.here("port", "failing")["mac_address"]
    assert [p for p in sides.destination["port"].values() if p["mac_address"] == mac] == []
    for kind in ("server", "volume", "image", "port"):
        names = [thing["name"] for thing in sides.destination[kind].values() if "failing" in (thing["name"] or "")]
        assert names == [], kind


def test_its_siblings_went_on(moved: Moved, built: Tenant) -> None:
    states = {unit["name"]: unit["state"] for unit in moved.report["units"]}
    for short in ("web", "off", "bfv"):
        assert states[f"server:{built.id('server', short)}"] == "done"
