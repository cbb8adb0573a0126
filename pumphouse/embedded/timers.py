"""What happens by itself after a while. Time passes when somebody looks: see :meth:`EmbeddedCloud.tick`."""

from __future__ import annotations

import dataclasses
import heapq
import time
from typing import Any


@dataclasses.dataclass(order=True)
class Timer:
    """``method`` of the service ``service`` is called with ``arguments`` when ``due`` is over."""

    due: float
    number: int
    service: str = dataclasses.field(compare=False)
    method: str = dataclasses.field(compare=False)
    arguments: tuple[Any, ...] = dataclasses.field(compare=False)


class Timers:
    """Ordered by time, and within one moment as they came. Plain data, to be saved with the cloud."""

    def __init__(self) -> None:
        """None yet."""
        self._heap: list[Timer] = []
        self._count = 0

    def add(self, delay: float, service: str, method: str, *arguments: Any) -> None:
        """``delay`` in seconds."""
        self._count += 1
        heapq.heappush(self._heap, Timer(time.monotonic() + delay, self._count, service, method, arguments))

    def due(self) -> list[Timer]:
        """Those whose time has come, taken out."""
        now, found = time.monotonic(), []
        while self._heap and self._heap[0].due <= now:
            found.append(heapq.heappop(self._heap))
        return found
