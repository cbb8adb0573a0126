"""Disks of servers: what they are, what they are called, and what the guest does to them.

A root disk that is no volume is kept as what it was made of and how often it was booted; its bytes are made
when somebody wants them, so that ten thousand servers cost nothing.
"""

from __future__ import annotations

import string
import struct
import uuid
from typing import Any

from pumphouse.embedded import qcow2
from pumphouse.embedded.blobs import Blobs
from pumphouse.embedded.compute.base import Base
from pumphouse.embedded.compute.state import Json

GIB = 1 << 30
SECTOR = 512
#: The guest of the tests has this in its second sector, and behind it the number of its boots, which it counts itself.
TAG = b"LABGUEST"
#: What it says on its console.
GREETING = "LABGUEST booted\n"
#: Bus -> how its disks are called.
PREFIXES = {"virtio": "vd", "scsi": "sd", "sata": "sd", "usb": "sd", "ide": "hd"}


def disk(**fields: Any) -> Json:
    """A block device mapping."""
    return {
        "bdm_uuid": str(uuid.uuid4()),
        "source_type": "volume",
        "destination_type": "volume",
        "volume_id": None,
        "image_id": None,
        "snapshot_id": None,
        "size": None,
        "guest_format": None,
        "boot_index": None,
        "device": None,
        "delete_on_termination": False,
        "tag": None,
        "volume_type": None,
        "attachment_id": None,
        **fields,
    }


def root_of(server: Json) -> Json | None:
    """The disk from which it boots."""
    return next((one for one in server["disks"] if one["boot_index"] == 0), None)


def boots_from_volume(server: Json) -> bool:
    """Whether its root disk is a volume."""
    root = root_of(server)
    return root is not None and root["destination_type"] == "volume"


def in_order(server: Json) -> list[Json]:
    """As libvirt sees them: the root disk, ephemeral disks, swap, then volumes as they were asked for."""

    def place(one: Json) -> int:
        if one["boot_index"] == 0:
            return 0
        if one["destination_type"] == "local":
            return 2 if one["guest_format"] == "swap" else 1
        return 3

    return sorted(server["disks"], key=place)


def next_device(server: Json) -> str:
    """The first name that is free. libvirt does not heed names that are asked for."""
    bus = server["image_properties"].get("hw_disk_bus", "virtio")
    taken = {one["device"] for one in server["disks"]}
    names = (f"/dev/{PREFIXES.get(bus, 'vd')}{letter}" for letter in _letters())
    return next(name for name in names if name not in taken)


def name_devices(server: Json) -> None:
    """Give each disk of a new server its name."""
    for one in server["disks"]:
        one["device"] = None
    for one in in_order(server):
        one["device"] = next_device(server)
    if root := root_of(server):
        server["root_device_name"] = root["device"]


def _letters() -> list[str]:
    """a to z, then aa to zz."""
    once = list(string.ascii_lowercase)
    return once + [first + second for first in once for second in once]


class Devices(Base):
    """Bytes of servers' disks."""

    def blob(self, id_: str) -> str | None:
        """The bytes of a server's root disk, raw."""
        server = self.state.servers.get(id_)
        if server is None:
            return None
        if boots_from_volume(server):
            root = root_of(server)
            return self.cloud.volume.blob(root["volume_id"]) if root and root["volume_id"] else None
        if server["root"] is None:
            return None
        root = server["root"]
        root["blob"] = count(
            self.cloud.blobs, qcow2.to_raw(self.cloud.blobs, root["blob"], root["size"]), root["boots"]
        )
        root["boots"] = 0
        return str(root["blob"])

    def new_root(self, blob: str, flavor: Json) -> Json:
        """The root disk of a server that is made from an image's bytes. Raises ValueError when it does not fit."""
        needed, given = qcow2.virtual_size(self.cloud.blobs, blob), flavor["disk"] * GIB
        if given and needed > given:
            message = (
                "Flavor's disk is too small for requested image. "
                f"Flavor disk is {given} bytes, image is {needed} bytes."
            )
            raise ValueError(message)
        return {"blob": blob, "size": given or needed, "boots": 0}

    def boot(self, server: Json) -> None:
        """The guest runs, and counts that on its disk."""
        if boots_from_volume(server):
            root = root_of(server)
            id_ = root["volume_id"] if root else None
            blob = self.cloud.volume.blob(id_) if id_ else None
            if id_ and blob and (counted := count(self.cloud.blobs, blob, 1)) != blob:
                self.cloud.volume.set_blob(id_, counted)
        elif server["root"] is not None:
            server["root"]["boots"] += 1
        server["console"] = GREETING


def count(blobs: Blobs, name: str, boots: int) -> str:
    """A disk with so many boots more on its counter; the same one when it is none of the guest's."""
    head = b"".join(blobs.read(name, SECTOR, len(TAG) + 4))
    if not boots or not head.startswith(TAG) or len(head) < len(TAG) + 4:
        return name
    (before,) = struct.unpack_from("<I", head, len(TAG))
    after = struct.pack("<I", before + boots)
    at = SECTOR + len(TAG)

    def pieces() -> Any:
        for offset, piece in blobs.pieces(name):
            yield offset, piece[:at] + after + piece[at + 4 :] if offset == 0 else piece

    return blobs.place(pieces(), blobs.size(name))
