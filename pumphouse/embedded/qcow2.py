"""qcow2 disks: what is in them, and how one is made. Holes are never read nor written.

Both directions are of blobs (``blobs.py``). Of the format's features those are known that ``qemu-img convert`` uses
by itself: versions 2 and 3, clusters of any size, clusters of zeros, clusters compressed by deflate.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from pumphouse.embedded.blobs import Blobs, is_zero

MAGIC = b"QFI\xfb"
#: magic, version, backing file's offset and length, cluster bits, size, encryption, L1 entries, L1 offset,
#: reference table's offset and clusters, snapshots, their offset; then of version 3: incompatible, compatible and
#: autoclear features, refcount order, header's length.
HEADER = struct.Struct(">4sIQIIQIIQQIIQ")
HEADER_3 = struct.Struct(">QQQII")
#: Of the disks that are written: 64 KiB, as qemu-img's.
BITS = 16
CLUSTER = 1 << BITS
ENTRIES = CLUSTER // 8
#: Entries of a cluster of reference counts, 16 bits each.
COUNTS = CLUSTER // 2
#: Of entries: "the only reference to it".
COPIED = 1 << 63
COMPRESSED = 1 << 62
OFFSET = (1 << 56) - (1 << 9)
#: Bits of the incompatible features that change nothing for a reader: dirty, corrupt.
HARMLESS = 0b11


class FormatError(ValueError):
    """A disk that is none, or uses a feature that is not known here."""


def is_qcow2(blobs: Blobs, name: str) -> bool:
    """Whether a blob begins as such a disk does."""
    with blobs.path(name).open("rb") as file:
        return file.read(4) == MAGIC


def virtual_size(blobs: Blobs, name: str) -> int:
    """The bytes of the disk that a blob, qcow2 or raw, stands for."""
    if not is_qcow2(blobs, name):
        return blobs.size(name)
    with blobs.path(name).open("rb") as file:
        return _Reader(file).size


def to_raw(blobs: Blobs, name: str, size: int = 0) -> str:
    """A blob with the disk's content, zeros after it up to ``size`` bytes; the blob itself if it is that already."""
    if not is_qcow2(blobs, name):
        return extended(blobs, name, size)
    return blobs.derived.now(("raw", name, size), lambda: _unpacked(blobs, name, size))


def extended(blobs: Blobs, name: str, size: int) -> str:
    """A blob with zeros after it up to ``size`` bytes; the blob itself if it has as many."""
    if blobs.size(name) >= size:
        return name
    return blobs.derived.now(("extended", name, size), lambda: blobs.place(blobs.pieces(name), size))


def from_raw(blobs: Blobs, name: str) -> str:
    """A blob that is a qcow2 disk with a raw blob's content."""
    return blobs.derived.now(("qcow2", name), lambda: blobs.place(_Writer(blobs, name).clusters()))


def _unpacked(blobs: Blobs, name: str, size: int) -> str:
    with blobs.path(name).open("rb") as file:
        reader = _Reader(file)
        return blobs.place(reader.clusters(), max(size, reader.size))


class _Reader:
    """A disk that is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        start = file.read(HEADER.size + HEADER_3.size)
        if len(start) < HEADER.size or start[:4] != MAGIC:
            raise FormatError("this is no qcow2 disk")
        _, version, backing, _, bits, size, encrypted, entries, l1, *_ = HEADER.unpack_from(start)
        features = HEADER_3.unpack_from(start, HEADER.size)[0] if version == 3 else 0
        if version not in (2, 3) or backing or encrypted or features & ~HARMLESS:
            raise FormatError("a feature of this qcow2 disk is not known here")
        #: Bytes of the disk.
        self.size: int = size
        self._bits: int = bits
        self._cluster = 1 << bits
        self._l1 = self._table(l1, entries)

    def clusters(self) -> Iterator[tuple[int, bytes]]:
        """(offset in the disk, bytes) of all that is not zero."""
        for number, entry in enumerate(self._l1):
            if not entry & OFFSET:
                continue
            base = number * (self._cluster // 8)
            for index, found in enumerate(self._table(entry & OFFSET, self._cluster // 8)):
                at = (base + index) << self._bits
                if found and at < self.size and (data := self._data(found)):
                    yield at, data[: self.size - at]

    def _table(self, offset: int, entries: int) -> tuple[int, ...]:
        self._file.seek(offset)
        packed = self._file.read(entries * 8)
        if len(packed) < entries * 8:
            raise FormatError("this qcow2 disk is torn")
        return struct.unpack(f">{entries}Q", packed)

    def _data(self, entry: int) -> bytes | None:
        """A cluster's bytes; None for zeros."""
        if entry & COMPRESSED:
            return self._inflated(entry)
        if entry & 1 or not entry & OFFSET:
            return None
        self._file.seek(entry & OFFSET)
        return self._file.read(self._cluster)

    def _inflated(self, entry: int) -> bytes:
        """The entry holds where the bytes begin, and how many further sectors of 512 they reach into."""
        bits = 62 - (self._bits - 8)
        offset, sectors = entry & ((1 << bits) - 1), (entry & (COMPRESSED - 1)) >> bits
        self._file.seek(offset)
        packed = self._file.read((sectors + 1) * 512 - offset % 512)
        try:
            return zlib.decompressobj(-12).decompress(packed, self._cluster)
        except zlib.error as error:
            raise FormatError(f"this qcow2 disk is damaged: {error}") from error


class _Writer:
    """A disk that is made: header, L1 table, then data as it comes, each L2 table where the first of its data is."""

    def __init__(self, blobs: Blobs, name: str) -> None:
        self._blobs, self._name = blobs, name
        #: QEMU knows whole sectors only.
        self._size = -(-blobs.size(name) // 512) * 512
        self._entries = -(-self._size // (CLUSTER * ENTRIES))
        #: The next free cluster.
        self._free = 1 + -(-self._entries * 8 // CLUSTER)
        #: Number -> (its cluster, its entries).
        self._tables: dict[int, tuple[int, list[int]]] = {}

    def clusters(self) -> Iterator[tuple[int, bytes]]:
        """(offset in the file, bytes) of all of it."""
        for offset, data in self._blobs.pieces(self._name, CLUSTER):
            if not is_zero(data):
                yield self._map(offset), data.ljust(CLUSTER, b"\0")
        for cluster, entries in self._tables.values():
            yield cluster << BITS, _packed(entries)
        l1 = [0] * self._entries
        for number, (cluster, _) in self._tables.items():
            l1[number] = cluster << BITS | COPIED
        yield CLUSTER, _packed(l1)
        yield from self._references()

    def _map(self, offset: int) -> int:
        """Where in the file the disk's cluster at ``offset`` shall be."""
        number, index = divmod(offset >> BITS, ENTRIES)
        if number not in self._tables:
            self._tables[number] = self._take(), [0] * ENTRIES
        at = self._take() << BITS
        self._tables[number][1][index] = at | COPIED
        return at

    def _take(self, count: int = 1) -> int:
        taken, self._free = self._free, self._free + count
        return taken

    def _references(self) -> Iterator[tuple[int, bytes]]:
        """Reference counts, one for each cluster and those of the counts themselves; then the header."""
        blocks = tables = 0
        while (self._free + blocks + tables) > blocks * COUNTS or blocks > tables * ENTRIES:
            blocks = -(-(self._free + blocks + tables + 1) // COUNTS)
            tables = -(-blocks // ENTRIES)
        table, first = self._take(tables), self._take(blocks)
        yield table << BITS, _packed([(first + n) << BITS for n in range(blocks)]).ljust(tables * CLUSTER, b"\0")
        ones = struct.pack(">H", 1) * self._free
        yield first << BITS, ones.ljust(blocks * CLUSTER, b"\0")
        head = HEADER.pack(MAGIC, 3, 0, 0, BITS, self._size, 0, self._entries, CLUSTER, table << BITS, tables, 0, 0)
        yield 0, head + HEADER_3.pack(0, 0, 0, 4, HEADER.size + HEADER_3.size)


def _packed(entries: list[int]) -> bytes:
    return struct.pack(f">{len(entries)}Q", *entries)
