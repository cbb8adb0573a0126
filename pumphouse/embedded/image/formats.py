"""What format an upload has, whether it is what the image says, and how large the disk in it is."""

from __future__ import annotations

from pumphouse.embedded import qcow2
from pumphouse.embedded.blobs import Blobs
from pumphouse.embedded.service import Json, RefusedError

#: (format, where its mark is, the mark).
MARKS = (
    ("qcow2", 0, qcow2.MAGIC),
    ("qed", 0, b"QED\0"),
    ("vmdk", 0, b"KDMV"),
    ("vhd", 0, b"conectix"),
    ("vhdx", 0, b"vhdxfile"),
    ("luks", 0, b"LUKS\xba\xbe"),
    ("vdi", 0x40, b"\x7f\x10\xda\xbe"),
    ("iso", 0x8001, b"CD001"),
    ("gpt", 510, b"\x55\xaa"),
)
#: Formats of which the newer Glance can tell whether an upload has them.
INSPECTED = {"raw", *(name for name, _, _ in MARKS)}


def detected(blobs: Blobs, name: str) -> str:
    """The format by its marks, "raw" without any. A boot sector counts as "gpt"."""
    with blobs.path(name).open("rb") as file:
        start = file.read(MARKS[7][1] + 5)
    return next((format_ for format_, at, mark in MARKS if start[at : at + len(mark)] == mark), "raw")


def virtual_size(blobs: Blobs, name: str, image: Json, must_match: bool) -> int | None:
    """Bytes of the disk, None where Glance cannot tell. Refuses (415) another format if it ``must_match``."""
    if image["container_format"] != "bare":
        return None
    found, said = detected(blobs, name), image["disk_format"]
    if said == "raw":
        return blobs.size(name) or None
    if found == said:
        return _inside(blobs, name, must_match) if found == "qcow2" else None
    if must_match and (found != "raw" or said in INSPECTED):
        raise RefusedError(415, f"Image disk_format {said} does not match stream data {found}")
    return None


def _inside(blobs: Blobs, name: str, must_match: bool) -> int | None:
    try:
        return qcow2.virtual_size(blobs, name) or None
    except qcow2.FormatError:
        if must_match:
            raise RefusedError(415, "Image failed safety checks") from None
        return None
