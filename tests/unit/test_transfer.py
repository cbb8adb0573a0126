"""A stream on its way through: nothing lost, nothing read far ahead, nothing left running."""

from __future__ import annotations

import hashlib
import threading
import time

import pytest

from pumphouse.errors import TransferError
from pumphouse.transfer.glance import PIECE, pieces
from pumphouse.transfer.images import _Claim, compare_hashes
from pumphouse.transfer.stream import CHUNK, READ_AHEAD, Digests, Interrupted, ReadAhead, can_hash


class Source:
    """Gives ``count`` chunks, then ends, fails or waits."""

    def __init__(self, count: int, end: BaseException | None = None, wait: bool = False) -> None:
        self.left = count
        self.end = end
        self.wait = wait
        self.given = 0
        self.interrupted = threading.Event()

    def read(self, count: int) -> bytes:
        if self.left:
            self.left -= 1
            self.given += 1
            return bytes([self.given]) * count
        if self.wait:
            self.interrupted.wait(10)
        if self.end:
            raise self.end
        return b""


def reader(source: Source, seen: list[bytes] | None = None) -> ReadAhead:
    look = (lambda _: None) if seen is None else seen.append
    return ReadAhead(source.read, see=look, interrupt=source.interrupted.set)


def nothing() -> None:
    pass


def test_all_chunks_come_in_order() -> None:
    seen: list[bytes] = []
    with reader(Source(20), seen) as ahead:
        chunks = list(ahead.chunks(nothing))
    assert [chunk[0] for chunk in chunks] == list(range(1, 21))
    assert seen == chunks
    assert {len(chunk) for chunk in chunks} == {CHUNK}


def test_a_slow_writer_bounds_what_is_read() -> None:
    source = Source(50)
    with reader(source) as ahead:
        next(ahead.chunks(nothing))
        time.sleep(0.2)
        assert source.given <= READ_AHEAD + 2


def test_what_reading_raises_comes_after_the_chunks_before_it() -> None:
    with reader(Source(2, Interrupted("gone"))) as ahead:
        chunks = ahead.chunks(nothing)
        assert len(next(chunks)) + len(next(chunks)) == 2 * CHUNK
        with pytest.raises(Interrupted, match="gone"):
            next(chunks)


def test_leaving_ends_the_thread_wherever_it_is() -> None:
    before = threading.active_count()
    with reader(Source(50)):
        pass
    source = Source(0, wait=True)
    with reader(source):
        time.sleep(0.05)
    assert source.interrupted.is_set()
    assert threading.active_count() == before


def test_who_waits_can_look_around() -> None:
    def enough() -> None:
        raise KeyError("stop")

    with reader(Source(0, wait=True)) as ahead, pytest.raises(KeyError):
        next(ahead.chunks(enough))


def test_several_hashes_in_one_pass() -> None:
    digests = Digests(["sha512", "md5"])
    digests.update(b"ab")
    digests.update(b"c")
    assert digests.hex("sha512") == hashlib.sha512(b"abc").hexdigest()
    assert digests.hex("md5") == hashlib.md5(b"abc").hexdigest()
    assert digests.hex("sha256") is None
    assert digests.hex(None) is None


def test_which_hashes_can_be_made() -> None:
    assert can_hash("sha512")
    assert can_hash("sha3_256")
    assert not can_hash("shake_128")
    assert not can_hash("crc-of-the-moon")


def test_pieces_are_the_chunk() -> None:
    chunk = bytes(range(256)) * 2000
    assert b"".join(pieces(chunk)) == chunk
    assert max(len(piece) for piece in pieces(chunk)) == PIECE
    assert list(pieces(b"")) == []


@pytest.mark.parametrize(
    ("record", "hash_"),
    [
        ({"size": 1, "os_hash_algo": "sha512", "os_hash_value": "a", "checksum": "c"}, "a"),
        ({"size": 1, "os_hash_algo": "sha256", "os_hash_value": "b", "checksum": "c"}, "sha256:b"),
        ({"size": 1, "os_hash_algo": "unheard-of", "os_hash_value": "b", "checksum": "c"}, "md5:c"),
        ({"size": 1, "os_hash_algo": None, "os_hash_value": None, "checksum": "c"}, "md5:c"),
        ({"size": 1, "checksum": "c"}, "md5:c"),
        ({"size": 1, "checksum": None}, None),
    ],
)
def test_what_a_record_says_of_its_bytes(record: dict[str, object], hash_: str | None) -> None:
    assert _Claim.of(record).hash == hash_


def record(**says: object) -> dict[str, object]:
    """An image as a Glance shows it."""
    return {"id": "i", "size": 1, "os_hash_algo": "sha512", "os_hash_value": "a", "checksum": "c", **says}


OLD = {"os_hash_algo": None, "os_hash_value": None}


@pytest.mark.parametrize(("source", "there", "sha512"), [({}, {}, "a"), (OLD, {}, None), ({}, OLD, None)])
def test_a_copy_whose_process_has_died_is_proved_by_what_both_sides_say(source, there, sha512) -> None:
    proof = compare_hashes(record(**source), record(**there))
    assert proof["size"] == 1
    assert proof["destination_sha512"] == sha512
    assert proof["destination_hash"] == ("a" if sha512 else "md5:c")


@pytest.mark.parametrize(
    ("source", "there"),
    [
        ({}, {"size": 2}),
        ({}, {"os_hash_value": "b"}),
        (OLD, {"checksum": "d"}),
        ({}, {**OLD, "checksum": None}),
        ({"os_hash_value": None, "checksum": None}, {"os_hash_value": None, "checksum": None}),
    ],
    ids=["size", "sha512", "md5", "no hash there", "no hash at all"],
)
def test_where_they_do_not_say_the_same_nothing_is_proved(source, there) -> None:
    with pytest.raises(TransferError, match="the copy must be deleted"):
        compare_hashes(record(**source), record(**there))
