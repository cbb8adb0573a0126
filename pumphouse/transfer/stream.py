"""A stream of bytes on its way through: read ahead in a thread, hashed as it passes."""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator

#: Bytes that are read and hashed at once. hashlib lets other threads run meanwhile.
CHUNK = 1 << 20

#: Chunks that may wait between the reader and the writer.
READ_AHEAD = 4

#: Seconds after which somebody who waits for a chunk looks around.
LOOK_AROUND = 0.5


class Interrupted(Exception):  # noqa: N818 - what happened, and no fault of the data
    """A transfer came to a stop half-way; it may go well the next time."""


class Digests:
    """Several hashes of the same bytes."""

    def __init__(self, names: Iterable[str]) -> None:
        """``names``: as hashlib has them; see :func:`can_hash`."""
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in names}

    def update(self, chunk: bytes) -> None:
        """Take the next bytes."""
        for hash_ in self._hashes.values():
            hash_.update(chunk)

    def hex(self, name: str | None) -> str | None:
        """The hash of what passed so far; None if this one was not asked for."""
        return self._hashes[name].hexdigest() if name in self._hashes else None


def can_hash(name: str) -> bool:
    """Whether :class:`Digests` knows this hash. Those of variable length are left out: Glance cannot use them."""
    return name in hashlib.algorithms_available and not name.startswith("shake")


class ReadAhead:
    """Reads in a thread of its own, a few chunks ahead of whoever iterates; so that the two ends overlap.

    Reading and hashing here and writing there is what measured best: see docs/performance.md.
    """

    def __init__(
        self, read: Callable[[int], bytes], *, see: Callable[[bytes], None], interrupt: Callable[[], None]
    ) -> None:
        """``read(n)``: the next bytes, b"" at the end. ``see``: is shown each chunk, in the reading thread.

        ``interrupt``: called from another thread to make a ``read`` that waits for bytes return.
        """
        self._read = read
        self._see = see
        self._interrupt = interrupt
        self._chunks: queue.SimpleQueue[bytes | BaseException] = queue.SimpleQueue()
        self._room = threading.Semaphore(READ_AHEAD)
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="transfer-reader", daemon=True)

    def __enter__(self) -> ReadAhead:
        """Begin to read."""
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop reading, wherever it is."""
        self._closed = True
        self._room.release()
        if self._thread.is_alive():
            self._interrupt()
        self._thread.join()

    def _run(self) -> None:
        try:
            while (chunk := self._read(CHUNK)) and not self._closed:
                self._see(chunk)
                self._room.acquire()
                self._chunks.put(chunk)
            self._chunks.put(b"")
        except BaseException as error:
            self._chunks.put(error)

    def chunks(self, idle: Callable[[], None]) -> Iterator[bytes]:
        """The chunks in order. Raises what ``read`` raised, and what ``idle`` raises while no chunk comes."""
        while True:
            try:
                item = self._chunks.get(timeout=LOOK_AROUND)
            except queue.Empty:
                idle()
                continue
            if isinstance(item, BaseException):
                raise item
            if not item:
                return
            self._room.release()
            yield item
