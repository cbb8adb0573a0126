"""Bytes of images, volumes and disks: files that are written once and never changed.

A saved cloud refers to them by name, so they stay until the process ends. Holes stay holes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from pumphouse.embedded.derived import Derived

CHUNK = 1 << 20
_ZEROS = bytes(CHUNK)


class Blobs:
    """All in one directory."""

    def __init__(self, directory: Path) -> None:
        """``directory`` is made if it is not there."""
        self.directory = directory
        self.derived = Derived()
        directory.mkdir(parents=True, exist_ok=True)

    def path(self, name: str) -> Path:
        """The file of a blob, to read."""
        return self.directory / name

    def size(self, name: str) -> int:
        """Bytes."""
        return self.path(name).stat().st_size

    def write(self, chunks: Iterable[bytes], size: int | None = None) -> str:
        """A new blob of these bytes, zeros after them up to ``size``; zeros become holes. Returns its name."""
        with self._new() as file:
            for chunk in chunks:
                if is_zero(chunk):
                    file.seek(len(chunk), os.SEEK_CUR)
                else:
                    file.write(chunk)
            file.truncate(max(size or 0, file.tell()))
        return Path(file.name).name

    def stored(self, name: str) -> int:
        """Bytes that are not in holes."""
        return self.path(name).stat().st_blocks * 512

    def empty(self, size: int) -> str:
        """A blob of zeros."""
        return self.derived.now(("empty", size), lambda: self.write((), size))

    def read(self, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes from ``start`` on, in chunks."""
        with self.path(name).open("rb") as file:
            file.seek(start)
            left = length if length is not None else self.size(name) - start
            while left > 0 and (chunk := file.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk

    def digest(self, name: str, algorithm: str) -> str:
        """The hexadecimal hash of all its bytes."""
        digest = hashlib.new(algorithm)
        for chunk in self.read(name):
            digest.update(chunk)
        return digest.hexdigest()

    def pieces(self, name: str, size: int = CHUNK) -> Iterator[tuple[int, bytes]]:
        """(offset, bytes) of what is not a hole, in pieces that begin at multiples of ``size``."""
        end = self.size(name)
        with self.path(name).open("rb") as file:
            disk, at = file.fileno(), 0
            while at < end:
                try:
                    data = os.lseek(disk, at, os.SEEK_DATA)
                except OSError:  # nothing but holes from here on
                    return
                for at in range(data // size * size, os.lseek(disk, data, os.SEEK_HOLE), size):
                    yield at, os.pread(disk, size, at)
                at += size

    def place(self, pieces: Iterable[tuple[int, bytes]], size: int = 0) -> str:
        """A new blob with these bytes at these offsets, holes elsewhere. Returns its name."""
        with self._new() as file:
            end = size
            for offset, piece in pieces:
                file.seek(offset)
                file.write(piece)
                end = max(end, offset + len(piece))
            file.truncate(end)
        return Path(file.name).name

    @contextlib.contextmanager
    def _new(self) -> Iterator[BinaryIO]:
        """A new file, which vanishes if writing it does not end well."""
        path = self.path(uuid.uuid4().hex)
        try:
            with path.open("wb") as file:
                yield file
        except BaseException:
            path.unlink()
            raise


def is_zero(data: bytes) -> bool:
    """Whether there is nothing but zeros."""
    return data == _ZEROS[: len(data)] if len(data) <= CHUNK else data.count(0) == len(data)
