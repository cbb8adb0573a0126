"""Carry an image's bytes from one Glance to another, and prove that they arrived."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.errors import Cancelled, PumphouseError, TransferError
from pumphouse.transfer.glance import Glance, Moved, pieces
from pumphouse.transfer.stream import Digests, Interrupted, ReadAhead, can_hash

#: How often a copy is begun, and the seconds before the second and the third time.
ATTEMPTS = 3
PAUSES = (1.0, 5.0)

#: Seconds that Glance may take to notice that an upload broke off; and, if all was sent, to finish it.
NOTICE = 60.0
FINISH = 600.0

#: Seconds between two looks at an image that is being put away.
INTERVAL = 0.5


@dataclasses.dataclass(frozen=True)
class Copied:
    """The proof of a copy."""

    #: Bytes.
    size: int
    #: Of what went through this process.
    sha512: str
    #: What each Glance says of its data: the hex digits of a sha512, or "md5:..." where it has another hash;
    #: None where it has none at all.
    source_hash: str | None
    destination_hash: str | None
    #: How long it took.
    seconds: float

    def proof(self) -> dict[str, Any]:
        """As it is kept for the report."""
        there = self.destination_hash
        return {
            "size": self.size,
            "source_sha512": self.sha512,
            # An old Glance has another hash: "md5:...", which was compared instead.
            "destination_sha512": None if there and ":" in there else there,
            "destination_hash": there,
            "seconds": round(self.seconds, 3),
        }


def compare_hashes(source: dict[str, Any], destination: dict[str, Any]) -> dict[str, Any]:
    """The proof of a copy whose process did not live to tell, by what both Glances say of their images.

    Raises TransferError where that is not the same.
    """
    here, there = _Claim.of(source), _Claim.of(destination)
    if here.algorithm != there.algorithm:
        here, there = _Claim.by_md5(source), _Claim.by_md5(destination)
    if here != there or not there.value:
        raise TransferError(
            f"image {source['id']}: the source says {here}, but image {destination['id']} in the destination is "
            f"{there}: the copy must be deleted"
        )
    return Copied(
        here.size, (here.value or "") if here.algorithm == "sha512" else "", here.hash, there.hash, 0.0
    ).proof()


def _never() -> bool:
    return False


def copy_image(
    source: Cloud,
    source_id: str,
    destination: Cloud,
    destination_id: str,
    *,
    on_bytes: Callable[[int], None],
    cancelled: Callable[[], bool] = _never,
) -> Copied:
    """Copy the bytes of an active image into a queued one; nothing touches this machine's disk.

    ``on_bytes(n)``: n more bytes arrived; negative when they have to be sent again. ``cancelled`` is asked at every
    chunk. What passes by itself (a connection lost, a service restarted) is tried again from the beginning.

    Raises TransferError when the bytes did not arrive as they left, with the wrong data out of use: the caller
    deletes the image's record. Raises Cancelled.
    """
    return _Copy(Glance(source), source_id, Glance(destination), destination_id, on_bytes, cancelled).run()


@dataclasses.dataclass(frozen=True)
class _Claim:
    """What a Glance says of an image's bytes."""

    size: int
    algorithm: str | None
    value: str | None

    @classmethod
    def of(cls, record: dict[str, Any]) -> _Claim:
        """The multihash, or the md5 where there is none (before Rocky) or this Python cannot make it."""
        algorithm, value = record.get("os_hash_algo"), record.get("os_hash_value")
        if not (algorithm and value and can_hash(algorithm)):
            value = record.get("checksum")
            algorithm = "md5" if value else None
        return cls(record.get("size") or 0, algorithm, value)

    @classmethod
    def by_md5(cls, record: dict[str, Any]) -> _Claim:
        """What all releases have."""
        return cls(record.get("size") or 0, "md5", record.get("checksum"))

    def __str__(self) -> str:
        return f"{self.size} bytes, {self.algorithm or 'no hash'} {self.value or ''}".rstrip()

    @property
    def hash(self) -> str | None:
        """As in Copied."""
        return self.value if self.algorithm in (None, "sha512") else f"{self.algorithm}:{self.value}"


class _Copy:
    """One image on its way."""

    def __init__(
        self,
        source: Glance,
        source_id: str,
        destination: Glance,
        destination_id: str,
        on_bytes: Callable[[int], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self.source, self.source_id = source, source_id
        self.destination, self.destination_id = destination, destination_id
        self.on_bytes = on_bytes
        self.cancelled = cancelled
        #: Of the running attempt: what the source promised, what came, and whether all of it was handed on.
        self.promised = _Claim(0, None, None)
        self.digests = Digests([])
        self.sent = 0
        self.complete = False
        #: Whether any attempt began to upload: before that, what is in the destination is not our doing.
        self.touched = False
        #: Where the destination wants the bytes, if not at its endpoint.
        self.url: str | None = None

    def run(self) -> Copied:
        started = time.monotonic()
        try:
            arrived = self._persist()
        except Exception:
            if self.touched:
                self._withdraw()
            raise
        sha512 = self.digests.hex("sha512")
        assert sha512 is not None  # noqa: S101 - it is always among them
        return Copied(self.sent, sha512, self.promised.hash, arrived.hash, time.monotonic() - started)

    def _persist(self) -> _Claim:
        """Attempt it until it is done. Returns what the destination says of its data."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._attempt()
            except Interrupted as error:
                if isinstance(error, Moved):
                    self.url = error.url
                if claim := self._after(error):
                    return claim
                if attempt == ATTEMPTS:
                    text = f"image {self.source_id}: given up after {ATTEMPTS} attempts: {error}"
                    raise TransferError(text) from error
                if self.sent:
                    self.on_bytes(-self.sent)
                self._pause(PAUSES[attempt - 1])
        raise AssertionError("not reached")

    def _attempt(self) -> _Claim:
        self.sent, self.complete = 0, False
        for glance in (self.source, self.destination):
            glance.fresh_token()
        there = self._expect_queued()
        here = self.source.record(self.source_id)
        if here["status"] != "active":
            raise TransferError(
                f"image {self.source_id} is {here['status']!r} in the source: only an active image has bytes to copy"
            )
        self.promised = _Claim.of(here)
        # An old Glance has no multihash at all; a newer one says which only when the data is there.
        names = {"sha512", self.promised.algorithm or "sha512", "sha512" if "os_hash_algo" in there else "md5"}
        self.digests = Digests(names)
        with self.source.download(self.source_id) as download:
            reader = ReadAhead(download.read, see=self.digests.update, interrupt=download.interrupt)
            with reader:
                self.touched = True
                self.destination.upload(self.destination_id, self._body(reader), self.promised.size, self.url)
        return self._verify(self._settled(FINISH))

    def _expect_queued(self) -> dict[str, Any]:
        record = self.destination.record(self.destination_id)
        if record["status"] == "saving":
            # An upload of a process that was killed: Glance notices a little later.
            record = self._settled(NOTICE)
        if record["status"] != "queued":
            raise TransferError(self._cannot(record["status"]))
        return record

    def _cannot(self, status: str) -> str:
        return (
            f"image {self.destination_id} is {status!r} in the destination: data can be uploaded only to a queued "
            "image; delete its record and make it again"
        )

    def _body(self, reader: ReadAhead) -> Iterator[memoryview]:
        """What is uploaded. Wrong data is noticed before its end is sent: so it never becomes an active image."""
        for chunk in reader.chunks(idle=self._unless_cancelled):
            self._unless_cancelled()
            yield from pieces(chunk)
            self.sent += len(chunk)
            self.on_bytes(len(chunk))
        self._unless_cancelled()
        promised = self.promised
        if self.sent < promised.size:
            raise Interrupted(f"the download ended after {self.sent} of {promised.size} bytes")
        came = _Claim(self.sent, promised.algorithm, self.digests.hex(promised.algorithm))
        if (came.size, came.value) != (promised.size, promised.value):
            raise TransferError(
                f"image {self.source_id}: the source says {promised}, but what it sent is {came}: "
                "its copy is damaged, or the way to it is"
            )
        self.complete = True

    def _verify(self, record: dict[str, Any]) -> _Claim:
        """Compare what the destination holds with what was sent to it."""
        if record["status"] != "active":
            raise TransferError(self._cannot(record["status"]))
        claim = _Claim.of(record)
        ours = self.digests.hex(claim.algorithm)
        if ours is None:  # It has a hash that we did not make, or none.
            claim = self._read_back()
            ours = self.digests.hex("sha512")
        if (claim.size, claim.value) != (self.sent, ours):
            sent = _Claim(self.sent, claim.algorithm, ours)
            raise TransferError(
                f"image {self.source_id}: the source sent {sent}, but image {self.destination_id} in the destination "
                f"is {claim}: the copy must be deleted"
            )
        return claim

    def _read_back(self) -> _Claim:
        """The destination's bytes in our own words, where its record tells too little."""
        digests, size = Digests(["sha512"]), 0
        with (
            self.destination.download(self.destination_id) as download,
            ReadAhead(download.read, see=digests.update, interrupt=download.interrupt) as reader,
        ):
            for chunk in reader.chunks(idle=self._unless_cancelled):
                self._unless_cancelled()
                size += len(chunk)
        return _Claim(size, "sha512", digests.hex("sha512"))

    def _after(self, error: Interrupted) -> _Claim | None:
        """Look what became of an interrupted upload: it may have arrived, though the answer was lost."""
        record = self._settled(FINISH if self.complete else NOTICE)
        if record["status"] == "queued":
            return None
        if record["status"] == "active" and self.complete:
            try:
                return self._verify(record)
            except Interrupted as again:
                raise TransferError(f"image {self.source_id}: cannot be verified: {again}") from again
        raise TransferError(f"{error}; then {self._cannot(record['status'])}") from error

    def _settled(self, timeout: float) -> dict[str, Any]:
        """The image's record in the destination when Glance is done with it, or when the time is over."""
        deadline = time.monotonic() + timeout
        while True:
            record: dict[str, Any] = {"status": "out of reach"}
            try:
                record = self.destination.record(self.destination_id)
            except Interrupted as error:
                if time.monotonic() > deadline:
                    raise TransferError(
                        f"image {self.source_id}: what became of its copy is unknown: {error}"
                    ) from error
            if record["status"] not in ("saving", "out of reach") or time.monotonic() > deadline:
                return record
            self._pause(INTERVAL)

    def _withdraw(self) -> None:
        """Wrong or unfinished data shall not be used by anybody; the record is the caller's to delete."""
        self.cancelled = _never
        with contextlib.suppress(Interrupted, PumphouseError):
            if self._settled(NOTICE if self.sent else 0)["status"] == "active":
                self.destination.deactivate(self.destination_id)

    def _unless_cancelled(self) -> None:
        if self.cancelled():
            raise Cancelled(f"image {self.source_id}: the copy was stopped")

    def _pause(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._unless_cancelled()
            time.sleep(min(left, 0.2))
