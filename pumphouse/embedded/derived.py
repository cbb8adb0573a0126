"""What follows from blobs, which never change: hashes, conversions. Found once; what takes long, in the background.

It is kept beside the cloud's state and never saved: it can be found again at any time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

#: Bytes that are worked through while somebody waits.
AT_ONCE = 64 << 20


class Derived:
    """Results by keys. Threads may share it."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._lock = threading.Lock()
        self._done: dict[Hashable, Any] = {}
        self._failed: dict[Hashable, Exception] = {}
        self._running: set[Hashable] = set()

    def now(self, key: Hashable, find: Callable[[], T]) -> T:
        """What ``find`` gives, or gave the last time."""
        if key not in self._done:
            self._done[key] = find()
        result: T = self._done[key]
        return result

    def soon(self, key: Hashable, bytes_: int, find: Callable[[], T]) -> T | None:
        """The same, or None as long as it is being found, for ``bytes_`` that are many. Raises what ``find`` raised."""
        if bytes_ <= AT_ONCE:
            return self.now(key, find)
        with self._lock:
            if key in self._failed:
                raise self._failed.pop(key)
            if key not in self._done and key not in self._running:
                self._running.add(key)
                threading.Thread(target=self._find, args=(key, find), daemon=True).start()
            return self._done.get(key)

    def _find(self, key: Hashable, find: Callable[[], Any]) -> None:
        try:
            self.now(key, find)
        except Exception as error:
            self._failed[key] = error
        finally:
            self._running.discard(key)
