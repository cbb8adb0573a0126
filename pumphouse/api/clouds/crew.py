"""A few threads that do what is asked of them: a service that hangs holds up its own crew and nobody else."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Crew:
    """At most so many threads; they start with the first job, and end with the process, whatever they wait for."""

    def __init__(self, name: str, size: int) -> None:
        """``name``: of the threads."""
        self._name, self._size = name, size
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._closed = False
        #: Jobs that are waiting or being done.
        self._busy = 0

    def do(self, job: Callable[[], None]) -> None:
        """Have it done when a thread is free. What it raises is logged only."""
        with self._lock:
            if self._closed:
                return
            self._busy += 1
            self._jobs.put(job)
            if len(self._threads) < min(self._size, self._busy):
                thread = threading.Thread(
                    target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True
                )  # not concurrent.futures': those are waited for when the process ends
                self._threads.append(thread)
                thread.start()

    def close(self) -> None:
        """Nothing new is begun. What is being done is not waited for."""
        with self._lock:
            self._closed = True
            for _ in self._threads:
                self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if not self._closed:
                try:
                    job()
                except Exception:
                    log.exception("a job of %s failed", self._name)
            with self._lock:
                self._busy -= 1
