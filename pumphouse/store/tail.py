"""Follows the table of events: each once, in the order of their ids, though they are not committed in that order.

An id is given when an event is inserted; it is seen when its transaction is committed. So behind a gap somebody may
still be writing: what comes after it waits for a while. An event that comes even later is given out as *late*.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import sqlalchemy as sa

from . import events, models
from .rows import Event
from .store import Store

#: Seconds that later events wait for an id that is missing, and seconds after which nobody writes it any more.
PATIENCE, DEAD = 2.0, 60.0
#: Events that are read at once; ids before the newest one in which gaps are looked for at the beginning.
PAGE, BEHIND = 1000, 1000
#: Of one gap, how many ids are looked for later: a jump of the sequence is no loss of thousands.
GAP = 100


@dataclasses.dataclass
class Found:
    """What came since the last look."""

    events: list[Event]
    #: Of ids before those given out earlier.
    late: list[Event]
    #: There is more already.
    more: bool


class Tail:
    """One follower; for one thread."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin a little before the newest event, for the sake of what is being written just now."""
        self._store, self._clock = store, clock
        #: All events up to this one are given out, but for the skipped.
        self.given = max(0, oldest_id(store) - 1, events.last_id(store) - BEHIND)
        #: Ids that were not there in time, and when they were given up.
        self.skipped: dict[int, float] = {}
        #: When those that wait behind a gap were first seen.
        self._seen: dict[int, float] = {}

    def look(self) -> Found:
        """What is new."""
        late = self._late()
        rows = events.after(self._store, self.given, PAGE)
        ready = self._ready(rows)
        for row in ready:
            missing = range(max(self.given + 1, row.id - GAP), row.id)
            self.skipped.update(dict.fromkeys(missing, self._clock()))
            self.given = row.id
        return Found(ready, late, len(ready) == PAGE)

    def _ready(self, rows: list[Event]) -> list[Event]:
        """Those that wait for nothing."""
        now, today = self._clock(), time.time()
        self._seen = {row.id: self._seen.get(row.id, now) for row in rows}
        # An id is given after all smaller ones: a gap is as old as the oldest of what is behind it.
        oldest, waited = now, [False] * len(rows)
        for index in range(len(rows) - 1, -1, -1):
            oldest = min(oldest, self._seen[rows[index].id])
            waited[index] = now - oldest >= PATIENCE or today - rows[index].time > DEAD
        before = self.given
        for index, row in enumerate(rows):
            if row.id != before + 1 and not waited[index]:
                return rows[:index]
            before = row.id
        return rows

    def _late(self) -> list[Event]:
        now = self._clock()
        self.skipped = {id_: since for id_, since in self.skipped.items() if now - since < DEAD}
        if not self.skipped:
            return []
        query = sa.select(models.Event).where(models.Event.id.in_(self.skipped)).order_by(models.Event.id)
        found = self._store.read(lambda session: [_row(one) for one in session.scalars(query)])
        for row in found:
            del self.skipped[row.id]
        return found


def oldest_id(store: Store) -> int:
    """That of the oldest event that is kept; 0 where there is none."""
    return int(store.read(lambda session: session.scalar(sa.select(sa.func.min(models.Event.id)))) or 0)


def _row(row: models.Event) -> Event:
    return Event(row.id, row.time, row.unit, row.kind, row.text, row.data, row.migration_id)
