"""What may happen to a run: faults of the clouds, and the death of the process at a given point."""

from __future__ import annotations

import dataclasses
import os
import signal
from collections import Counter
from collections.abc import Iterator
from typing import Any

#: Where a process can be killed: before a request that changes something is sent, after its answer came, between two
#: portions of a copy, and when a task's new state has been saved.
POINTS = ("before", "after", "bytes", "saved")

#: What is done to a single request, wherever it is; ``lost`` is that the answer never comes.
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 429},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "reset", "at": 0},
    {"kind": "reset", "at": 20},
    {"kind": "truncate", "at": 30},
    {"kind": "slow", "seconds": 0.3},
    {"kind": "revoke"},
    {"kind": "lost"},
)
#: What is done to the bytes of a copy.
OF_BYTES: tuple[dict[str, Any], ...] = (
    {"kind": "reset", "at": 1500, "method": "GET"},
    {"kind": "truncate", "at": 2000, "method": "GET"},
    {"kind": "corrupt", "at": 700, "method": "GET"},
    {"kind": "reset", "at": 900, "method": "PUT", "where": "request"},
    {"kind": "corrupt", "at": 1200, "method": "PUT", "where": "request"},
    {"kind": "lost", "method": "PUT"},
    {"kind": "stall", "seconds": 1, "method": "PUT"},
)
#: What goes into its error state by itself.
ERRING = ("server", "volume", "image", "snapshot")


@dataclasses.dataclass(frozen=True)
class Injection:
    """One disturbance of one run."""

    #: A point of POINTS at which the process dies, and the how-manieth of its kind; or none.
    point: str = ""
    number: int = 0
    #: Faults by cloud: "source", "destination".
    faults: tuple[tuple[str, dict[str, Any]], ...] = ()
    #: They stay until the run has ended, and are taken away before it is resumed.

    def __str__(self) -> str:
        parts = [f"killed {self.point} {self.number}"] if self.point else []
        parts += [f"{cloud} {' '.join(f'{k}={v}' for k, v in fault.items())}" for cloud, fault in self.faults]
        return ", ".join(parts) or "undisturbed"


def of_points(counts: Counter[str]) -> Iterator[Injection]:
    """The death at every point that an undisturbed run has."""
    for point in POINTS:
        for number in range(1, counts[point] + 1):
            yield Injection(point, number)


def of_reverts(counts: Counter[str]) -> Iterator[Injection]:
    """The death while what has failed is being undone: no server comes up, and the process is killed later on."""
    broken = (("destination", {"kind": "fails", "type": "server", "count": 99}),)
    for point in ("before", "after", "saved"):
        for number in range(counts[point] // 2, counts[point] + 1):
            yield Injection(point, number, broken)


def of_requests(requests: dict[str, int]) -> Iterator[Injection]:
    """Each fault at each request of each cloud; ``requests``: how many there are."""
    for cloud, number in requests.items():
        for after in range(number):
            for fault in FAULTS:
                yield Injection(faults=((cloud, {**fault, "after": after}),))


def of_bytes(copies: int) -> Iterator[Injection]:
    """Each fault amid each copy, and each error state."""
    for fault in OF_BYTES:
        cloud = "source" if fault["method"] == "GET" else "destination"
        for after in range(copies):
            yield Injection(faults=((cloud, {**fault, "path": "/image/v2/images/[^/]+/file", "after": after}),))
    for type_ in ERRING:
        for cloud in ("source", "destination"):
            for after in range(3):
                yield Injection(faults=((cloud, {"kind": "fails", "type": type_, "after": after}),))


class Points:
    """Counts the points that a process passes, and kills it at one."""

    def __init__(self, injection: Injection) -> None:
        self.injection = injection
        self.passed: Counter[str] = Counter()

    def pass_(self, point: str) -> None:
        """One more of a kind."""
        self.passed[point] += 1
        if (point, self.passed[point]) == (self.injection.point, self.injection.number):
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        """Into this process, for good."""
        import requests

        from pumphouse.clouds.http import READING
        from pumphouse.store import logbook
        from pumphouse.transfer.progress import Progress

        send, advance, save = requests.Session.send, Progress.advance, logbook.Connection.update_atom_details

        def counted_send(session: Any, request: Any, **more: Any) -> Any:
            changing = request.method not in READING and not request.url.endswith("/auth/tokens")
            if changing:
                self.pass_("before")
            answer = send(session, request, **more)
            if changing:
                self.pass_("after")
            return answer

        def counted_advance(progress: Any, name: str, count: int) -> None:
            advance(progress, name, count)
            self.pass_("bytes")

        def counted_save(connection: Any, detail: Any) -> Any:
            saved = save(connection, detail)
            self.pass_("saved")
            return saved

        requests.Session.send = counted_send  # type: ignore[method-assign]
        Progress.advance = counted_advance  # type: ignore[method-assign]
        logbook.Connection.update_atom_details = counted_save  # type: ignore[method-assign]
