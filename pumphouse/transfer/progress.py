"""What is running now, how far it is, and who wants to know: shared by tasks (writers) and displays (readers)."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable

#: States of a unit, here and in the database.
PENDING, RUNNING, DONE, FAILED, BLOCKED, STOPPED = "pending", "running", "done", "failed", "blocked", "stopped"


@dataclasses.dataclass
class UnitProgress:
    """How far one unit is. Bytes are those that went through our process."""

    name: str
    title: str
    bytes_total: int
    state: str = PENDING
    #: What it does just now: "copying the root disk".
    step: str = ""
    bytes_done: int = 0
    #: How many of the total are only an upper bound: disks that were not yet written into images.
    bytes_guessed: int = 0
    #: Seconds since the epoch.
    started: float | None = None
    finished: float | None = None
    #: Why it failed or could not start.
    error: str = ""


class Progress:
    """The units of one run. Safe to use from many threads."""

    def __init__(self, units: Iterable[UnitProgress] = ()) -> None:
        """Take the units in the order in which they are to be shown."""
        self.units = {unit.name: unit for unit in units}
        self._lock = threading.Lock()
        self._listeners: list[Callable[[UnitProgress, str], None]] = []

    def listen(self, listener: Callable[[UnitProgress, str], None]) -> None:
        """Call ``listener(unit, what)`` at each change of ``"state"`` or ``"step"`` (not for bytes)."""
        self._listeners.append(listener)

    def state(self, name: str, state: str, error: str = "") -> None:
        """A unit changes its state."""
        unit = self.units[name]
        with self._lock:
            unit.state, unit.error = state, error
            if state == RUNNING:
                unit.started = time.time()
            elif unit.started:
                unit.finished = time.time()
        self._tell(unit, "state")

    def seen(self, name: str, state: str, error: str, bytes_done: int) -> None:
        """What another process has made of a unit."""
        unit = self.units[name]
        with self._lock:
            unit.state, unit.error, unit.bytes_done = state, error, bytes_done
        self._tell(unit, "state")

    def step(self, name: str, step: str) -> None:
        """A unit begins its next step."""
        unit = self.units[name]
        unit.step = step
        self._tell(unit, "step")

    def advance(self, name: str, count: int) -> None:
        """``count`` more bytes of a unit have arrived in the destination."""
        with self._lock:
            self.units[name].bytes_done += count

    def expect(self, name: str, count: int, guessed: int = 0) -> None:
        """``count`` more bytes than planned (negative: fewer) will be moved for a unit.

        ``guessed``: bytes of the total that were an upper bound until now.
        """
        unit = self.units[name]
        with self._lock:
            unit.bytes_total = max(0, unit.bytes_total + count)
            unit.bytes_guessed = max(0, unit.bytes_guessed - guessed)

    def _tell(self, unit: UnitProgress, what: str) -> None:
        for listener in self._listeners:
            listener(unit, what)
