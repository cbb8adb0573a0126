"""How often somebody may fail to log in. It is counted in the audit events, so all processes count together."""

from __future__ import annotations

import time

import sqlalchemy as sa

from ..store import Store, events, models
from .identity import Identity, network, record
from .problems import Problem

#: So many failures from one address within so many seconds.
MOST, WINDOW = 10, 300.0
#: How many events are looked through for them: the table has no index for it, and this is asked by anybody.
LOOKED = 5000

#: The action in the audit event.
FAILED = "login.failed"


def check(store: Store, address: str) -> None:
    """Raises Problem 429 when there were too many failures from this address (or its IPv6 network)."""
    wait = _wait(store, address)
    if wait > 0:
        raise _too_many(wait)


def failed(store: Store, who: Identity, how: str) -> None:
    """Record a failure. Raises Problem 429, and records nothing, when there were too many already."""
    check(store, who.address)
    record(store, who, FAILED, how)


def _too_many(wait: float) -> Problem:
    seconds = int(wait) + 1
    return Problem(
        429,
        "too-many-attempts",
        "too many tokens that are not valid came from this address",
        f"wait {seconds} seconds, then use one that is valid",
        headers={"Retry-After": str(seconds)},
    )


def _wait(store: Store, address: str) -> float:
    """Seconds until the next attempt is looked at; 0: it may come now."""
    row, now, mine = models.Event, time.time(), network(address)
    query = (
        sa.select(row.time, row.data)
        .where(row.id > events.last_id(store) - LOOKED, row.kind == events.AUDIT, row.time > now - WINDOW)
        .order_by(row.id.desc())
    )
    found = store.read(lambda session: session.execute(query).all())
    times = [
        when
        for when, data in found
        if (data or {}).get("action") == FAILED and network(str(data.get("address"))) == mine
    ]
    return times[MOST - 1] + WINDOW - now if len(times) >= MOST else 0.0
