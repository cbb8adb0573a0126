"""Memory does not grow with the size of what is carried."""

from __future__ import annotations

import hashlib
import multiprocessing
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import yaml

from pumphouse.clouds.cloud import Cloud
from pumphouse.config import CloudConfig
from pumphouse.transfer.images import copy_image
from tests.functional.image_service import Handler, ImageService

MIB = 1 << 20
#: Of each image, and how many go at once.
SIZE = 160 * MIB
AT_ONCE = 4
#: What the transfers may add to the process, MiB.
ALLOWED = 150

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="measures memory through Linux' /proc"
)


class Big(Handler):
    """Gives and takes images that exist nowhere."""

    def send_data(self, data: bytes, length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(SIZE))
        self.end_headers()
        for number in range(SIZE // MIB):
            self.wfile.write(bytes([number]) * MIB)

    def receive(self, image_id: str) -> None:
        hash_, size = hashlib.sha512(), 0
        for chunk in self.body():
            hash_.update(chunk)
            size += len(chunk)
        self.server.records[image_id].update(
            status="active", size=size, os_hash_algo="sha512", os_hash_value=hash_.hexdigest()
        )


def serve(pipe: Connection) -> None:
    """One service for both clouds, in a process of its own."""
    with ImageService() as service:
        service.RequestHandlerClass = Big  # type: ignore[assignment]
        hash_ = hashlib.sha512()
        for number in range(SIZE // MIB):
            hash_.update(bytes([number]) * MIB)
        for number in range(AT_ONCE):
            service.make(f"here-{number}", b"", size=SIZE, os_hash_value=hash_.hexdigest())
            service.make(f"there-{number}")
        pipe.send(service.clouds_yaml())
        pipe.recv()


@pytest.fixture
def entry() -> Iterator[dict[str, Any]]:
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    yield ours.recv()
    ours.send("end")
    process.join()


def memory(field: str) -> int:
    """MiB: VmRSS now, VmHWM at most since the last reset."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(field))


def test_four_at_once_stay_small(entry, tmp_path, monkeypatch) -> None:
    path = tmp_path / "clouds.yaml"
    path.write_text(yaml.safe_dump({"clouds": {"one": entry}}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    a, b = (Cloud.open(role, CloudConfig("one", None)) for role in ("source", "destination"))
    a.adapter("image").get_endpoint()
    b.adapter("image").get_endpoint()

    def copy(number: int) -> int:
        return copy_image(a, f"here-{number}", b, f"there-{number}", on_bytes=lambda _: None).size

    Path("/proc/self/clear_refs").write_text("5")
    idle = memory("VmRSS")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert list(pool.map(copy, range(AT_ONCE))) == [SIZE] * AT_ONCE
    assert memory("VmHWM") - idle < ALLOWED
    time.sleep(0.1)
    assert not [thread for thread in threading.enumerate() if thread.name == "transfer-reader"]
    a.close()
    b.close()
