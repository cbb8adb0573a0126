"""qcow2 disks of the embedded clouds, against QEMU's own tool."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pumphouse.embedded import qcow2
from pumphouse.embedded.blobs import Blobs
from tests.acceptance.tenant.images import write_raw

needs_qemu = pytest.mark.skipif(not shutil.which("qemu-img"), reason="qemu-img is not installed")

MIB = 1 << 20
#: A disk that is hard to get right: data at both ends, in single bytes, across clusters, and none for long.
PIECES = {0: b"\1", 65536 * 3 - 1: b"ab", 40 * MIB: os.urandom(3 * MIB + 17), 700 * MIB - 512: os.urandom(512)}
SIZE = 700 * MIB


def qemu_img(*arguments: str | Path) -> str:
    return subprocess.run(["qemu-img", *map(str, arguments)], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def blobs(tmp_path):
    return Blobs(tmp_path / "blobs")


@pytest.fixture
def raw(blobs):
    write_raw(blobs.path("raw"), PIECES, SIZE)
    return "raw"


def read(blobs: Blobs, name: str) -> dict[int, bytes]:
    """All that is not zero, by 4 KiB."""
    return {at: data for at, data in blobs.pieces(name, 4096) if data.strip(b"\0")}


@needs_qemu
@pytest.mark.parametrize("size", [0, 1, 512, 65536, 700 * MIB, (1 << 40) + 4096])
def test_what_is_written_is_whole_for_qemu(blobs, size):
    write_raw(blobs.path("raw"), {at: data for at, data in PIECES.items() if at + len(data) <= size}, size)
    made = qcow2.from_raw(blobs, "raw")
    assert json.loads(qemu_img("check", "--output=json", blobs.path(made)))["check-errors"] == 0
    assert json.loads(qemu_img("info", "--output=json", blobs.path(made)))["virtual-size"] == -(-size // 512) * 512
    qemu_img("compare", "-f", "raw", "-F", "qcow2", blobs.path("raw"), blobs.path(made))


def test_a_round_trip_gives_back_the_bytes_and_the_holes(blobs, raw):
    packed = qcow2.from_raw(blobs, raw)
    assert blobs.size(packed) < 5 * MIB
    assert qcow2.virtual_size(blobs, packed) == SIZE
    back = qcow2.to_raw(blobs, packed)
    assert (blobs.size(back), read(blobs, back)) == (SIZE, read(blobs, raw))
    assert blobs.path(back).stat().st_blocks * 512 < 5 * MIB


@needs_qemu
@pytest.mark.parametrize(
    "options",
    [
        ["-o", "compat=0.10"],
        ["-o", "compat=1.1"],
        ["-c"],
        ["-o", "cluster_size=4096"],
        ["-c", "-o", "cluster_size=2M"],
        ["-o", "lazy_refcounts=on"],
        ["-o", "refcount_bits=1"],
    ],
    ids=" ".join,
)
def test_what_qemu_writes_is_read(blobs, raw, options):
    qemu_img("convert", "-f", "raw", "-O", "qcow2", *options, blobs.path(raw), blobs.path("packed"))
    back = qcow2.to_raw(blobs, "packed")
    assert (blobs.size(back), read(blobs, back)) == (SIZE, read(blobs, raw))


@needs_qemu
def test_clusters_that_were_zeroed_are_holes(blobs, raw):
    qemu_img("convert", "-f", "raw", "-O", "qcow2", blobs.path(raw), blobs.path("packed"))
    subprocess.run(["qemu-io", "-c", f"write -z {40 * MIB} 4M", str(blobs.path("packed"))], check=True)
    back = qcow2.to_raw(blobs, "packed")
    assert read(blobs, back).keys() == {0, 65536 * 3 - 4096, 65536 * 3, SIZE - 4096}


def test_a_disk_is_extended_with_a_hole(blobs, raw):
    for name in (raw, qcow2.from_raw(blobs, raw)):
        longer = qcow2.to_raw(blobs, name, 2 << 30)
        assert blobs.size(longer) == 2 << 30
        assert read(blobs, longer) == read(blobs, raw)
    assert qcow2.to_raw(blobs, raw, MIB) == raw, "a disk that is long enough stays as it is"


@needs_qemu
@pytest.mark.parametrize("options", [["-o", "extended_l2=on"], ["-o", "data_file_raw=on,data_file=PATH"]])
def test_what_is_not_known_is_refused(blobs, options, tmp_path):
    options = [option.replace("PATH", str(tmp_path / "data")) for option in options]
    qemu_img("create", "-f", "qcow2", *options, blobs.path("odd"), "1M")
    with pytest.raises(qcow2.FormatError):
        qcow2.to_raw(blobs, "odd")


@pytest.mark.parametrize("length", [8, 200, 70_000])
def test_a_torn_disk_is_refused(blobs, raw, length):
    whole = blobs.path(qcow2.from_raw(blobs, raw)).read_bytes()
    blobs.path("torn").write_bytes(whole[:length])
    with pytest.raises(qcow2.FormatError):
        qcow2.to_raw(blobs, "torn")
