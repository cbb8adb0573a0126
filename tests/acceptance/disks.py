"""What is on a disk or a volume, read through the APIs alone: by a snapshot or an upload to an image."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.acceptance.clouds import Account, Json, LateError, RefusedError, wait
from tests.acceptance.tenant.images import write_raw
from tests.acceptance.tenant.servers import state
from tests.lab.guest import SECTOR, boots

BLOCK = 1 << 16


class Disk:
    """A disk: the counter of its guest, if it has one, and a digest of each block that is not zero."""

    def __init__(self, path: Path) -> None:
        self.size = path.stat().st_size
        self.blocks: dict[int, str] = {}
        self.boots: int | None = None
        with path.open("rb") as disk:
            for offset, data in _data(disk.fileno(), self.size):
                if offset == 0:
                    data = self._count(data)
                if data.strip(b"\0"):
                    self.blocks[offset] = hashlib.sha256(data).hexdigest()

    def _count(self, first: bytes) -> bytes:
        """Take the guest's counter out of the first block: all else of it must be as it was."""
        try:
            self.boots = boots(first)
        except ValueError:
            return first
        return first[:SECTOR] + bytes(SECTOR) + first[2 * SECTOR :]

    def unlike(self, other: Disk) -> list[str]:
        """Where two disks differ, the counters aside: lines for people, none when they are the same."""
        lines = [] if self.size == other.size else [f"size: {self.size} and {other.size} bytes"]
        for offset in sorted({*self.blocks, *other.blocks}):
            if self.blocks.get(offset) != other.blocks.get(offset):
                lines.append(f"64 KiB at offset {offset}")
        return lines


def expected(pieces: dict[int, bytes], size: int) -> Disk:
    """The disk that these bytes make."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "raw")
        write_raw(path, pieces, size)
        return Disk(path)


def server_disk(operator: Account, server_id: str) -> Disk:
    """The root disk of a server that was booted from an image."""
    name = f"witness {uuid.uuid4()}"
    made = operator.compute.post(f"/servers/{server_id}/action", "createImage", name=name)
    disk = _image_disk(operator, made["image_id"])
    wait(
        lambda: operator.compute.get(f"/servers/{server_id}"),
        lambda server: not server["OS-EXT-STS:task_state"],
        f"end of the snapshot of {server_id}",
    )
    return disk


def volume_disk(operator: Account, volume_id: str) -> Disk:
    """A volume, attached or not."""
    volume = _volume(operator, volume_id)
    body = {
        "image_name": f"witness {uuid.uuid4()}",
        "disk_format": "qcow2",
        "container_format": "bare",
        "force": True,
    }
    made = operator.volume.post(f"/volumes/{volume_id}/action", "os-volume_upload_image", **body)
    disk = _image_disk(operator, made["image_id"])
    wait(
        lambda: _volume(operator, volume_id),
        lambda now: now["status"] == volume["status"],
        f"end of the upload of {volume_id}",
    )
    return disk


def read(operator: Account, servers: dict[str, str], volumes: dict[str, str]) -> dict[str, Disk]:
    """Servers' root disks and volumes, {short name: id} -> disks by "server web", "volume data".

    Servers that run are stopped meanwhile: QEMU lets nobody else read the volumes of a running one.
    """
    with contextlib.ExitStack() as rest, ThreadPoolExecutor(3) as pool:
        attached = {a["server_id"] for id_ in volumes.values() for a in _volume(operator, id_)["attachments"]}
        for server_id in {*servers.values(), *attached}:
            rest.enter_context(at_rest(operator, server_id))
        jobs = {f"server {short}": pool.submit(server_disk, operator, id_) for short, id_ in servers.items()}
        jobs |= {f"volume {short}": pool.submit(volume_disk, operator, id_) for short, id_ in volumes.items()}
        return {what: job.result() for what, job in jobs.items()}


@contextlib.contextmanager
def at_rest(operator: Account, server_id: str) -> Iterator[None]:
    """Stop a server that runs, and start it again afterwards."""
    server = operator.compute.get(f"/servers/{server_id}")
    running = server["status"] == "ACTIVE"
    if running:
        operator.compute.post(f"/servers/{server_id}/action", **{"os-stop": None})
        state(operator, server, "SHUTOFF")
    try:
        yield
    finally:
        if running:
            operator.compute.post(f"/servers/{server_id}/action", **{"os-start": None})
            state(operator, server, "ACTIVE")


def _volume(operator: Account, volume_id: str) -> Json:
    return operator.volume.get(f"/volumes/{volume_id}")


def _image_disk(operator: Account, image_id: str) -> Disk:
    """Download an image, look at it, delete it."""
    try:
        wait(lambda: operator.image.find(f"/images/{image_id}") or {"status": "killed"},
             lambda image: image["status"] == "active", f"image {image_id}")  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            packed, raw = Path(folder, "packed"), Path(folder, "raw")
            answer = operator.image.call("GET", f"/images/{image_id}/file", stream=True)
            with packed.open("wb") as file:
                for chunk in answer.iter_content(1 << 20):
                    file.write(chunk)
            done = subprocess.run(
                ["qemu-img", "convert", "-O", "raw", "-S", "4k", packed, raw], capture_output=True, text=True
            )
            if done.returncode:
                raise LateError(f"image {image_id} is no disk: {done.stderr}")
            return Disk(raw)
    finally:
        try:
            operator.image.delete(f"/images/{image_id}")
        except RefusedError as refused:  # still being written to: the caller's error is the one to see
            print(f"the witness's image stays: {refused}")


def _data(disk: int, size: int) -> Iterator[tuple[int, bytes]]:
    """(offset, bytes) of the blocks that hold data, holes of the file left out."""
    offset = 0
    while offset < size:
        try:
            offset = os.lseek(disk, offset, os.SEEK_DATA) // BLOCK * BLOCK
        except OSError:  # nothing but holes from here on
            return
        end = os.lseek(disk, offset if offset else 0, os.SEEK_HOLE)
        end = max(end, offset + 1)
        while offset < end:
            yield offset, os.pread(disk, BLOCK, offset)
            offset += BLOCK
