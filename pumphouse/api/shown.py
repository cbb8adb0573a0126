"""Migrations and units as answers show them."""

from __future__ import annotations

import collections
import threading
import weakref
from collections.abc import Sequence
from typing import Any

from ..engine import requests
from ..store import Store, plan_texts, watched
from ..store.rows import Event, UnitRow
from ..store.store import FAILED
from ..store.watched import Head
from . import messages
from .movement import Speeds, counts

#: Plans of which it is remembered what needs what.
REMEMBERED = 8

_LOCK = threading.Lock()
_NEEDS: weakref.WeakKeyDictionary[Store, collections.OrderedDict[int, dict[str, list[str]]]] = (
    weakref.WeakKeyDictionary()
)


def migrations(store: Store, speeds: Speeds, heads: Sequence[Head]) -> list[dict[str, Any]]:
    """Several, with few queries."""
    ids = [head.id for head in heads]
    why = watched.errors(store, [head.id for head in heads if head.state == FAILED or head.units_failed])
    busy = watched.busy(store, ids)
    return [
        {
            **counts(head, speeds),
            "selection": head.selection,
            "created": head.created,
            "updated": head.updated,
            "started_by": str(head.options.get("operator", "")),
            "source": _cloud(head, "source", 0),
            "destination": _cloud(head, "destination", 2),
            "concurrency": head.options.get("concurrency"),
            "source_after": head.options.get("source_after", "keep"),
            "accepted": head.accepted,
            "wish": head.wish,
            "error": why.get(head.id, ""),
            "running": bool(head.claimed) or busy.get(head.id) == "running",
            "can": _possible(head, head.id in busy),
        }
        for head in heads
    ]


def migration(store: Store, speeds: Speeds, migration_id: int) -> dict[str, Any] | None:
    """One, with what is possible looked at closely; None when it is not known."""
    found = watched.heads(store, ids=[migration_id], counted=False)
    if not found:
        return None
    # This lets go of what dead processes hold: what is shown is read after it.
    can = requests.possible(store, found[0])  # type: ignore[arg-type]  # but for its plan it is one
    return {**migrations(store, speeds, watched.heads(store, ids=[migration_id]))[0], "can": can}


def unit(row: UnitRow, needs: dict[str, list[str]]) -> dict[str, Any]:
    """One unit."""
    names = ("name", "kind", "title", "state", "step", "bytes_done", "bytes_total")
    more = ("started", "finished", "downtime", "error", "accepted")
    return {**{name: getattr(row, name) for name in (*names, *more)}, "needs": needs.get(row.name, [])}


def needs_of(store: Store, migration_id: int) -> dict[str, list[str]]:
    """Which units each unit needs, in the order of the plan; remembered, as a plan does not change."""
    with _LOCK:
        known = _NEEDS.setdefault(store, collections.OrderedDict())
        if migration_id in known:
            known.move_to_end(migration_id)
            return known[migration_id]
    found = plan_texts.needs(store, migration_id)
    if found:
        with _LOCK:
            known[migration_id] = found
            while len(known) > REMEMBERED:
                known.popitem(last=False)
    return found


def event(row: Event) -> dict[str, Any]:
    """An event."""
    return {
        "id": row.id,
        "time": row.time,
        "type": messages.type_of(row),
        "migration_id": row.migration_id,
        "unit": row.unit,
        "kind": row.kind,
        "text": row.text,
        "data": row.data,
    }


def _cloud(head: Head, role: str, place: int) -> str:
    return str(head.options.get(role) or head.pair.partition(" -> ")[place])


def _possible(head: Head, busy: bool) -> dict[str, bool]:
    """As ``requests.possible``, but that a dead process's claim counts until it has run out."""
    free = not busy and not head.claimed
    return {verb: head.state in states and (verb == "cancel" or free) for verb, states in requests.STATES.items()}
