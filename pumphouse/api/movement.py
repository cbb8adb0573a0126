"""How fast migrations move, and what of that is news to those who listen."""

from __future__ import annotations

import collections
import dataclasses
import threading
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

from ..store import Store, plan_texts, watched
from ..store.store import RUNNING
from ..store.watched import Head, Moving
from .messages import PROGRESS, Message

#: Seconds over which a rate is measured, and after which what was seen says nothing any more.
WINDOW, STALE = 10.0, 30.0
#: Migrations whose rates, and whose estimates, are remembered.
REMEMBERED = 1000
#: States in which units move.
ACTIVE = ("queued", "planning", "running", "reverting")


class Rates:
    """Bytes per second of each migration over the last seconds, as far as somebody looks. Threads share it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Measure with this clock."""
        self._clock, self._lock = clock, threading.Lock()
        self._seen: collections.OrderedDict[int, collections.deque[tuple[float, int]]] = collections.OrderedDict()

    def see(self, migration_id: int, done: int) -> float | None:
        """The rate of a migration that has now moved so many bytes; None while that is not known."""
        now = self._clock()
        with self._lock:
            seen = self._seen.setdefault(migration_id, collections.deque())
            self._seen.move_to_end(migration_id)
            if seen and (now - seen[-1][0] > STALE or done < seen[-1][1]):
                seen.clear()
            if not seen or now > seen[-1][0]:
                seen.append((now, done))
            while len(seen) > 2 and now - seen[1][0] >= WINDOW:
                seen.popleft()
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
            passed = seen[-1][0] - seen[0][0]
            # Progress is written once a second: less tells nothing.
            return (seen[-1][1] - seen[0][1]) / passed if passed >= 1 else None


class Speeds:
    """Rates, and the time that is left. Threads share it."""

    def __init__(self, store: Store) -> None:
        """``store``: where the plans with their estimates are."""
        self._store, self.rates = store, Rates()
        self._estimates: dict[int, dict[str, Any]] = {}

    def of(self, head: Head) -> tuple[float | None, float | None]:
        """(bytes per second, seconds left) of a migration; None where it does not run, or that is not known."""
        if head.state != RUNNING:
            return None, None
        rate = self.rates.see(head.id, head.bytes_done)
        return rate, seconds_left(head, self._estimate(head), rate)

    def _estimate(self, head: Head) -> dict[str, Any]:
        if head.id not in self._estimates:
            found = plan_texts.part(self._store, head.id, "estimate")
            if not found:
                return {}
            # Several threads may come here at once: they find the same.
            if len(self._estimates) >= REMEMBERED:
                self._estimates.clear()
            self._estimates[head.id] = {name: found.get(name) for name in ("seconds", "bytes", "bytes_per_second")}
        return self._estimates[head.id]


def seconds_left(head: Head, estimate: dict[str, Any], rate: float | None) -> float | None:
    """Until its end: for the bytes by the rate, or by what the plan expected; for all else by the units that are left.

    The plan's estimate is for one unit after the other.
    """
    at_once = max(1, min(int(head.options.get("concurrency") or 1), head.units_open))
    expected = estimate.get("bytes_per_second") or 0
    if rate and rate >= 1:
        moving = head.bytes_left / rate
    elif expected:
        moving = head.bytes_left / expected / at_once
    elif head.bytes_left:
        return None
    else:
        moving = 0.0
    if not estimate.get("seconds"):
        return moving or None
    beside = estimate["seconds"] - (estimate.get("bytes") or 0) / expected if expected else estimate["seconds"]
    return round(moving + max(0.0, beside) * head.units_open / max(1, head.units) / at_once, 1)


def counts(head: Head, speeds: Speeds) -> dict[str, Any]:
    """What is counted of a migration, in the words of the API."""
    rate, left = speeds.of(head)
    names = ("id", "state", "units", "units_done", "units_failed", "units_running", "bytes_done", "bytes_total")
    return {**{name: getattr(head, name) for name in names}, "rate": rate, "seconds_left": left}


class Watch:
    """What has changed of the migrations that run, since the last look; for one thread."""

    def __init__(self, store: Store, speeds: Speeds) -> None:
        """Nothing was seen yet."""
        self._store, self._speeds = store, speeds
        self._heads: dict[int, Head] = {}
        self._units: dict[int, dict[str, Moving]] = {}

    def look(self, wanted: Collection[int]) -> Iterable[Message]:
        """A message for each that has changed. ``wanted``: only of these migrations; empty: of all."""
        running = watched.heads(self._store, states=ACTIVE, ids=wanted or None)
        ended = self._heads.keys() - {head.id for head in running}
        if ended:
            running += watched.heads(self._store, ids=ended)
        for head in running:
            units = self._changed(head.id)
            before = self._heads.get(head.id)
            if units or before is None or dataclasses.replace(before, claimed=head.claimed) != head:
                told = {"migration_id": head.id, "units": units, "migration": counts(head, self._speeds)}
                yield Message(PROGRESS, told, migration_id=head.id)
            else:
                # A rate that is measured only when bytes arrive never falls.
                self._speeds.of(head)
            self._heads[head.id] = head
        for gone in ended:
            self._heads.pop(gone, None)
            self._units.pop(gone, None)

    def _changed(self, migration_id: int) -> list[dict[str, Any]]:
        before = self._units.get(migration_id, {})
        now = watched.moving(self._store, migration_id, before.keys())
        self._units[migration_id] = {unit.name: unit for unit in now if unit.state == RUNNING}
        return [dataclasses.asdict(unit) for unit in now if before.get(unit.name) != unit]
