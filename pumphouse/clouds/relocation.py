"""How a server leaves its host within its cloud: what Nova allows, asking for it, and what Nova's own record says.

Facts that shaped it (seen on Zed):

- A running server is on its new host and ACTIVE half a second before its migration's record says "completed".
- A live migration that fails in libvirt ends as "failed" while the server is ACTIVE again, and the action that asked
  for it shows no error: the reason stands in the log of nova-compute alone.
- One for which no host is found ends as "error", and the events of the action have the scheduler's words.
- The record is made by the conductor, a moment after the request was accepted; the action is there at once.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import or_none
from pumphouse.clouds.hypervisors import HOST

Wire = dict[str, Any]
Way = Literal["live", "cold", "evacuate", "offload"]

#: Way -> what Nova calls the action, and the states of its record in which it has ended well.
ACTIONS: dict[Way, str] = {
    "live": "live-migration",
    "cold": "migrate",
    "evacuate": "evacuate",
    "offload": "shelveOffload",
}
ENDED: dict[Way, tuple[str, ...]] = {
    "live": ("completed",),
    "cold": ("finished", "confirming", "confirmed"),
    "evacuate": ("done", "completed"),
    "offload": (),
}
#: What records are called (from microversion 2.23 on).
KINDS: dict[str, Way] = {"live-migration": "live", "migration": "cold", "resize": "cold", "evacuation": "evacuate"}
#: States of records that have ended otherwise.
BROKEN = ("error", "failed", "cancelled", "reverted")
#: What people read.
WORDS: dict[Way, str] = {
    "live": "live-migrated",
    "cold": "cold-migrated",
    "evacuate": "rebuilt elsewhere from its disks, as its host is down",
    "offload": "taken off its host, shelved as it is",
}
#: Why a server in this state cannot leave its host, and what helps.
STAYS = {
    "SUSPENDED": "Nova moves no suspended server: resume it, or shut it off",
    "RESCUE": "Nova moves no server in rescue: unrescue it first",
    "ERROR": "Nova moves no server in ERROR: repair it, or reset its state",
    "VERIFY_RESIZE": "its resize awaits an answer: confirm or revert it first",
    "SOFT_DELETED": "it is deleted, but kept for a while: restore it, or force its deletion",
    "BUILD": "it is being made: wait until that is done",
}
#: What Nova rebuilds elsewhere when the host is down.
REBUILT = ("ACTIVE", "SHUTOFF", "ERROR")
#: Nova's microversions: a live migration finds out by itself whether disks must be copied (and takes no
#: ``force`` again); the same of evacuations; a cold one can be told where to go.
AUTO, FREE, TOLD = (2, 25), "2.68", (2, 56)


def way(server: Wire, *, cold: bool, down: bool, fenced: bool) -> tuple[Way | None, str]:
    """How a server can leave its host, or None; and why.

    ``cold``: running servers are to be switched off on the way. ``down``: its nova-compute does not answer;
    ``fenced``: and the machine surely does not run any more.
    """
    status, task = server["status"], server.get("OS-EXT-STS:task_state")
    if down:
        if not fenced:
            return None, "its nova-compute is down: where the machine is surely off, say so (fenced)"
        if status not in REBUILT:
            return None, f"it is {status}, and Nova rebuilds elsewhere only what is {', '.join(REBUILT)}"
        return "evacuate", WORDS["evacuate"]
    if task:
        return None, f"it is busy ({task}): wait until that is done"
    if status == "SHUTOFF" or (status == "ACTIVE" and cold):
        return "cold", WORDS["cold"]
    if status in ("ACTIVE", "PAUSED"):
        return "live", WORDS["live"]
    if status == "SHELVED":
        return "offload", WORDS["offload"]
    return None, STAYS.get(status, f"it is {status}: Nova does not move it so")


# --- asking ---


def ask(cloud: Cloud, way_: Way, server_id: str, host: str | None) -> None:
    """Ask Nova for the move. ``host``: where to; None: Nova chooses. Raises novaclient's exceptions."""
    newest = cloud.microversion("compute")
    servers = cloud.compute_at(FREE).servers
    if way_ == "live" and newest >= AUTO:
        servers.live_migrate(server_id, host, "auto")
    elif way_ == "live":
        servers.live_migrate(server_id, host, False, False)
    elif way_ == "cold" and newest >= TOLD:
        servers.migrate(server_id, host=host)
    elif way_ == "cold":
        servers.migrate(server_id)
    elif way_ == "evacuate":
        servers.evacuate(server_id, host=host)
    else:
        servers.shelve_offload(server_id)


def abort(cloud: Cloud, server_id: str, record_id: int) -> None:
    """Stop a live migration that is on its way (from microversion 2.24 on; queued ones from 2.65 on)."""
    cloud.compute.server_migrations.live_migration_abort(server_id, record_id)


# --- looking ---


@dataclasses.dataclass
class Move:
    """What Nova says of one move: of the server, of its record and of the action, as far as there is one."""

    server: Wire
    record: Wire | None
    action: Wire | None

    @property
    def status(self) -> str:
        """Of the record; until there is one, of the request."""
        return str(self.record["status"]) if self.record else "requested"

    @property
    def host(self) -> str | None:
        """Where the server is."""
        return self.server.get(HOST) or None

    @property
    def busy(self) -> bool:
        """Whether Nova is doing something to the server."""
        return bool(self.server.get("OS-EXT-STS:task_state"))

    def arrived(self, way_: Way, origin: str) -> bool:
        """Whether it has left ``origin`` for good, as far as the server and its record tell.

        ``way_``: what was asked for; somebody else may have asked for another before.
        """
        if self.busy or self.host == origin:
            return False
        if way_ == "offload" and self.record is None:
            return self.host is None
        kind = KINDS.get(str((self.record or {}).get("migration_type")), way_)
        return self.status in ENDED[kind]

    @property
    def broken(self) -> bool:
        """Whether it has ended, and not well."""
        if self.busy:
            return False
        if self.record:
            return self.status in BROKEN
        return bool(self.action and self.action.get("message"))


def last(cloud: Cloud, server_id: str) -> tuple[str, int]:
    """What was the newest action of a server (its request's id) and its newest migration (its number)."""
    actions = [action.to_dict() for action in cloud.compute.instance_action.list(server_id)]
    newest = max((record["id"] for record in _records(cloud, server_id)), default=0)
    return (str(actions[0]["request_id"]) if actions else ""), newest


def look(cloud: Cloud, server_id: str, after: tuple[str, int]) -> Move | None:
    """What became of a server ``after`` what was the last; None where the server is gone."""
    # First the record: what it says of the end is then true of the server.
    records = [record for record in _records(cloud, server_id) if record["id"] > after[1]]
    found = or_none(lambda: cloud.compute.servers.get(server_id))
    if found is None:
        return None
    actions = [action.to_dict() for action in cloud.compute.instance_action.list(server_id)]
    known = [action["request_id"] for action in actions]
    fresh = actions[: known.index(after[0])] if after[0] in known else actions
    moving = [action for action in fresh if action["action"] in ACTIONS.values()]
    newest = max(records, key=lambda record: int(record["id"]), default=None)
    return Move(found.to_dict(), newest, moving[0] if moving else None)


def _records(cloud: Cloud, server_id: str) -> list[Wire]:
    found = [record.to_dict() for record in cloud.compute.migrations.list(instance_uuid=server_id)]
    return [record for record in found if record.get("instance_uuid") == server_id]


def remaining(cloud: Cloud, server_id: str, record_id: int) -> int | None:
    """Bytes of memory that a live migration has still to copy, where Nova tells (from microversion 2.23 on)."""
    for one in cloud.compute.server_migrations.list(server_id):
        if one.id == record_id:
            left = getattr(one, "memory_remaining_bytes", None)
            return int(left) if left is not None else None
    return None


def why(cloud: Cloud, move: Move, origin: str) -> str:
    """Why a move has ended badly, in Nova's words as far as it has any. ``origin``: the host that it was to leave."""
    said: list[str] = []
    if move.action:
        whole = or_none(lambda: cloud.compute.instance_action.get(move.server["id"], move.action["request_id"]))  # type: ignore[index]
        said += [text for event in getattr(whole, "events", None) or () if (text := _told(event))]
    if not said:
        # Nova writes a fault a moment after it has given the record up.
        now = or_none(lambda: cloud.compute.servers.get(move.server["id"]))
        server = now.to_dict() if now is not None else move.server
        if server["status"] == "ERROR":
            said.append(str((server.get("fault") or {}).get("message") or ""))
    words = "; ".join(dict.fromkeys(filter(None, said)))
    return words or f"Nova gives no reason: see the log of nova-compute on {origin}"


def _told(event: Wire) -> str:
    """What an event says of its failure: to everybody from microversion 2.84 on, before that to administrators."""
    if event.get("result") != "Error":
        return ""
    if event.get("details"):
        return str(event["details"])
    lines = str(event.get("traceback") or "").strip().splitlines()
    return lines[-1].strip() if lines else ""
