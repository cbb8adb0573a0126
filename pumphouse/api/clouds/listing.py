"""One list of one cloud: read page by page in the background, shown at any time, kept complete, and read anew."""

from __future__ import annotations

import bisect
import collections
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pumphouse.api.clouds.crew import Crew
from pumphouse.api.clouds.reader import Closed
from pumphouse.api.clouds.rows import Kind, Row
from pumphouse.clouds.errors import explain

log = logging.getLogger(__name__)

#: Seconds after which a complete list that is asked for is read anew, beside being shown.
FRESH = 30.0
#: Seconds between a failure and the next attempt.
PAUSE = 5.0
#: Seconds without a page after which a service is named as one that does not answer.
SLOW = 5.0
#: Seconds without a page after which nobody waits for the next one.
STILL = 0.8
#: Seconds that who asked for a new list waits for it at most.
RENEWED = 15.0

#: Numbers what lists hold, in this process: what differs never has the same.
_VERSIONS = itertools.count(1)


@dataclass
class Content:
    """What was read so far, or all of it."""

    began: float
    rows: dict[str, Row] = field(default_factory=dict)
    #: Project -> how many, and the sum of what they weigh.
    counts: collections.Counter[str] = field(default_factory=collections.Counter)
    weights: collections.Counter[str] = field(default_factory=collections.Counter)
    complete: bool = False
    version: int = field(default_factory=lambda: next(_VERSIONS))

    def add(self, page: Sequence[Row], kind: Kind) -> None:
        """What came; whatever moved from one page to the next while these were read is counted once."""
        for row in page:
            if row.id in self.rows:
                continue
            self.rows[row.id] = row
            if row.project_id:
                self.counts[row.project_id] += 1
                if kind.weight:
                    self.weights[row.project_id] += kind.weigh(row)
        self.version = next(_VERSIONS)

    def end(self, before: Content) -> bool:
        """That was all. Whether it is anything else than what was known ``before``."""
        was_complete, known = before.complete, before.rows
        self.complete, self.version = True, next(_VERSIONS)
        if not was_complete or known.keys() != self.rows.keys():
            return True
        if any(not row.same(known[id_]) for id_, row in self.rows.items()):
            return True
        # One of the two can go, and what was sorted stays so.
        self.rows, self.version = known, before.version
        return False


@dataclass(frozen=True)
class View:
    """A list as it is at one moment."""

    #: In the order of their places.
    rows: Sequence[Row]
    #: Whether these are all.
    complete: bool
    #: Why there are not more, or no newer ones; in the service's words.
    error: str | None
    #: Seconds since these were begun to be read.
    age: float


class Listing:
    """Threads may share it."""

    def __init__(
        self,
        kind: Kind,
        pages: Callable[[], Iterator[list[Row]]],
        crew: Crew,
        filled: Callable[[], None] = lambda: None,
    ) -> None:
        """``pages`` reads all anew, in a thread of the ``crew``; ``filled`` is told when that has brought news."""
        self.kind = kind
        #: When it was last asked for (monotonic).
        self.used = time.monotonic()
        self._pages, self._crew, self._filled = pages, crew, filled
        self._changed = threading.Condition()
        self._shown: Content = Content(time.monotonic())
        self._sorted: tuple[int, list[Row]] = (0, [])
        #: How often it was begun to be read, and how often that has ended; more of the former: it is being read.
        self._begun = self._ended = 0
        #: Once it has ended it is to be read once more.
        self._again = False
        #: When the last page came, or the reading ended.
        self._moved = time.monotonic()
        self._error: str | None = None
        self._failed_at = 0.0

    # --- for who asks ---

    def ask(self, *, renew: bool = False) -> int:
        """Have it read if it is not, or not lately; ``renew``: in any case.

        Gives the number of the reading that will bring it.
        """
        now = self.used = time.monotonic()
        with self._changed:
            if self._begun > self._ended:
                self._again = self._again or renew
                return self._begun + renew
            paused = self._error is not None and now - self._failed_at < PAUSE
            fresh = self._shown.complete and now - self._shown.began < FRESH
            if renew or not (paused or fresh):
                self._begin()
            return self._begun

    def renew(self) -> None:
        """Read it anew, though nobody asks for it now."""
        with self._changed:
            if self._begun > self._ended:
                self._again = True
            elif self._shown.complete:
                self._begin()

    def _begin(self) -> None:
        self._begun += 1
        self._again = False
        self._moved = time.monotonic()
        self._crew.do(self._fill)

    def wait(self, enough: Callable[[Content], bool], until: float, *, renew: bool = False) -> None:
        """Have it read, and see :meth:`wait_for`."""
        self.wait_for(self.ask(renew=renew), until, enough, renew=renew)

    def wait_for(
        self, number: int, until: float, enough: Callable[[Content], bool] = lambda _: False, *, renew: bool = False
    ) -> None:
        """Until there is enough to be shown, or nothing more comes, or it is ``until`` (monotonic).

        ``number``: what :meth:`ask` gave. ``renew``: what was there before will not do. A service that has not moved
        for a while is not waited for.
        """
        with self._changed:
            while self._ended < number and (renew or not (self._shown.complete or enough(self._shown))):
                now = time.monotonic()
                left = min(until, self._moved + (SLOW if renew else STILL)) - now
                if left <= 0:
                    return
                self._changed.wait(left)

    def view(self) -> View:
        """As it is now."""
        with self._changed:
            shown, error = self._shown, self._error
            quiet = time.monotonic() - self._moved
            if self._begun > self._ended and quiet > SLOW:
                error = f"no answer for {quiet:.0f} s"
            if self._sorted[0] != shown.version:
                self._sorted = (shown.version, sorted(shown.rows.values(), key=lambda row: row.place))
            rows = self._sorted[1]
            return View(rows, shown.complete, error, time.monotonic() - shown.began)

    def counted(self, project_id: str) -> tuple[int, int] | None:
        """How many a project has, and what they weigh, as far as they were read; None where that says nothing."""
        shown = self._shown
        if not shown.complete and (not shown.rows or self._error):
            return None
        return shown.counts[project_id], shown.weights[project_id]

    def find(self, id_: str) -> Row | None:
        """One that was read."""
        return self._shown.rows.get(id_)

    @property
    def complete(self) -> bool:
        """Whether all of it was ever read."""
        return self._shown.complete

    # --- in the background ---

    def _fill(self) -> None:
        content, error, news = Content(time.monotonic()), None, False
        with self._changed:
            if not self._shown.complete:
                self._shown = content
            self._moved = content.began
        try:
            for page in self._pages():
                with self._changed:
                    content.add(page, self.kind)
                    self._moved = time.monotonic()
                    self._changed.notify_all()
            with self._changed:
                news = content.end(self._shown)
        except Closed:
            error = "it is not read any more"
        except Exception as failure:
            error = explain(failure)
            log.warning("list of %s: %s", self.kind.type, error)
        with self._changed:
            if content.complete:
                self._shown = content
            self._error, self._failed_at = error, time.monotonic()
            self._ended += 1
            if self._again:
                self._begin()
            self._changed.notify_all()
        if news:
            self._filled()


def after(rows: Sequence[Row], place: tuple[str, str] | None) -> int:
    """Where what follows a place begins; its name may have been cut off."""
    if place is None:
        return 0
    start = bisect.bisect_right(rows, place, key=lambda row: row.place)
    name, id_ = place
    for number in range(start, len(rows)):
        if not rows[number].folded.startswith(name):
            break
        if rows[number].id == id_:
            return number + 1
    return start


def matching(
    project_id: str | None = None, search: str | None = None, status: str | None = None
) -> Callable[[Row], Any] | None:
    """The test for what is asked for; None: all of them. ``search``: a part of the name, or of the id."""
    if not (project_id or search or status):
        return None
    text = (search or "").casefold()

    def test(row: Row) -> bool:
        return (
            (project_id is None or row.project_id == project_id)
            and (status is None or (row.status or "").casefold() == status.casefold())
            and (not text or text in row.folded or text in row.id)
        )

    return test
