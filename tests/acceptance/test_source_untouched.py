"""The source is as it was, but for the servers that were moved: they are off."""

from __future__ import annotations

from tests.acceptance.conftest import Moment, Moved
from tests.acceptance.photograph import differences
from tests.acceptance.tenant.model import Tenant

#: What stopping a server changes of it.
STOPPED = {
    "status", "updated", "progress", "OS-EXT-STS:vm_state", "OS-EXT-STS:power_state",
}  # fmt: skip
#: What stopping a server, or reading a volume, changes of others: times and counts of changes.
TIMES = {"updated_at", "revision_number"}


def test_nothing_else_changed(before: Moment, moved: Moved, built: Tenant) -> None:
    went = {built.id("server", short) for short in ("web", "bfv")}
    ports = before.source["port"]

    def allowed(kind: str, id_: str, field: str) -> bool:
        if kind == "server":
            return field in STOPPED if id_ in went else field == "updated"
        if kind == "port":
            return field in TIMES or (field == "status" and ports[id_]["device_id"] in went)
        return kind == "volume" and field == "updated_at"

    assert differences(before.source, moved.after.source, allowed) == []


def test_moved_servers_are_off(moved: Moved, built: Tenant) -> None:
    servers = moved.after.source["server"]
    states = {short: servers[built.id("server", short)]["status"] for short in ("web", "off", "bfv", "failing")}
    assert states == {"web": "SHUTOFF", "off": "SHUTOFF", "bfv": "SHUTOFF", "failing": "ACTIVE"}
