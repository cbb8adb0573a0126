"""How volumes come to be: what they are made from, and what happens in the background until they are available.

As the NFS driver does it: it makes no clones of volumes that are attached. In Zed, since it takes qcow2 files with
others below them for dangerous, it makes none of volumes with snapshots either, nor a volume of any but the first
snapshot.
"""

from __future__ import annotations

import functools
from typing import Any

from pumphouse.embedded import qcow2
from pumphouse.embedded.service import RefusedError
from pumphouse.embedded.volume.quotas import Quotas
from pumphouse.embedded.volume.state import BACKEND, GIB, ZONE, Json, new_volume, touch

#: What Cinder notes of an image beside its users' properties, as text: its name among the metadata -> its name.
NOTED = {
    "image_id": "id",
    "image_name": "name",
    "checksum": "checksum",
    "container_format": "container_format",
    "disk_format": "disk_format",
    "min_disk": "min_disk",
    "min_ram": "min_ram",
    "size": "size",
}
#: What of an image is neither noted nor one of its users' properties.
OTHER = {
    "visibility", "virtual_size", "status", "protected", "owner", "os_hidden", "os_hash_algo", "os_hash_value",
    "created_at", "updated_at", "tags", "self", "file", "schema", "stores", "id", "name",
}  # fmt: skip
YES = "<is> True"
UNKNOWN_IMAGE = "Invalid image identifier or unable to access requested image."
#: Words for messages. What the driver cannot do is given to the scheduler again, which has no other backend.
SCHEDULED = ("schedule allocate volume", "Could not find any available weighted backend.")
FAILED = ("create volume from backend storage", "Driver failed to create the volume.")
UNFIT = ("copy image to volume", "Image used for creating volume exceeds available space.")
#: Seconds between two looks at what takes long.
LOOK = 0.1


class CannotError(Exception):
    """The driver cannot make a volume from that."""


class Creation(Quotas):
    """The part of the service that makes volumes."""

    def make(self, project_id: str, user_id: str, size: int, **fields: Any) -> Json:
        """A volume for another service, which waits until it is there: available, or in its error state."""
        volume = self.begin(project_id, user_id, size, **{"name": "", **fields})
        self.scheduled(volume["id"], wait=True)
        return volume

    def begin(self, project_id: str, user_id: str, size: int, **fields: Any) -> Json:
        """A volume that is about to be made, whoever asks. Refuses what cannot be.

        ``fields``: ``name``, ``description``, ``availability_zone``, ``metadata``; ``volume_type``: its id or name;
        ``image_id``, or ``snapshot`` or ``source``: the record, if it is made from something.
        """
        snapshot, source, image_id = (fields.get(key) for key in ("snapshot", "source", "image_id"))
        image = self._image(image_id, size) if image_id else None
        type_ = self._type(fields.get("volume_type"), snapshot or source, image)
        zone = fields.get("availability_zone") or ZONE
        if zone != ZONE:
            raise RefusedError(400, f"Availability zone '{zone}' is invalid.")
        self.fits(project_id, size)
        self.reserve(project_id, type_["id"], volumes=1, gigabytes=size)
        volume = new_volume(
            project_id,
            user_id,
            size,
            type_["id"],
            name=fields["name"],
            description=fields.get("description"),
            metadata=dict(fields.get("metadata") or {}),
            multiattach=type_["extra_specs"].get("multiattach") == YES,
            encrypted=bool(type_["encryption"]),
            image_id=image_id,
            snapshot_id=snapshot["id"] if snapshot else None,
            source_volid=source["id"] if source else None,
            bootable=(snapshot or source or {"bootable": False})["bootable"],
        )
        self.state.volumes[volume["id"]] = volume
        self.state.of_project.setdefault(project_id, {})[volume["id"]] = None
        return volume

    # --- in the background ---

    def scheduled(self, id_: str, wait: bool = False) -> None:
        """The scheduler has looked for a backend; then the driver begins. ``wait``: all happens at once."""
        volume = self.state.volumes.get(id_)
        if volume is None or volume["status"] != "creating":
            return
        touch(volume)
        type_ = self.state.types[volume["volume_type_id"]]
        if not self._served(type_):
            self._broken(volume)
            return
        volume["host"] = self.pool
        if volume["image_id"]:
            volume["status"] = "downloading"
        if volume["image_id"] and not wait:
            self.cloud.later("volume", self, "made", id_)
        else:
            self.made(id_, wait)

    def made(self, id_: str, wait: bool = False) -> None:
        """The driver is done, or looks again whether it is."""
        volume = self.state.volumes.get(id_)
        if volume is None or volume["status"] not in ("creating", "downloading"):
            return
        try:
            found = self._found(volume, wait)
        except CannotError:
            self._broken(volume)
            return
        if found is None:
            self.cloud.timers.add(LOOK, self.type, "made", id_)
        elif self.cloud.faults.fails("volume"):
            self._broken(volume)
        else:
            volume.update(found, status="available")
            touch(volume)

    def _found(self, volume: Json, wait: bool) -> Json | None:
        """Its bytes and what is told of them; None as long as they are being written. Raises CannotError."""
        size, blobs = volume["size"] * GIB, self.cloud.blobs
        if volume["image_id"]:
            return self._from_image(volume["image_id"], size, wait)
        if not (volume["source_volid"] or volume["snapshot_id"]):
            return {"blob": blobs.empty(size)}
        if volume["source_volid"]:
            origin = self.state.volumes.get(volume["source_volid"])
            if origin is None or origin["status"] != "available":
                raise CannotError
            below = next(iter(self.state.of_volume.get(origin["id"], ())), None)
        else:
            origin = self.state.snapshots.get(volume["snapshot_id"])
            if origin is None:
                raise CannotError
            first = next(iter(self.state.of_volume[origin["volume_id"]]))
            below = first if first != origin["id"] else None
        if below and self.cloud.release.name == "zed":
            raise CannotError
        blob = origin["blob"]
        raw = blobs.derived.soon(("longer", blob, size), blobs.stored(blob), lambda: qcow2.extended(blobs, blob, size))
        return None if raw is None else {"blob": raw, "volume_image_metadata": dict(origin["volume_image_metadata"])}

    def _from_image(self, image_id: str, size: int, wait: bool) -> Json | None:
        image, blob, blobs = self.cloud.image.find(image_id), self.cloud.image.blob(image_id), self.cloud.blobs
        if image is None or blob is None:
            raise CannotError

        convert = qcow2.to_raw if image["disk_format"] == "qcow2" else qcow2.extended
        write = functools.partial(convert, blobs, blob, size)
        try:
            raw = write() if wait else blobs.derived.soon(("volume", blob, size), blobs.stored(blob), write)
        except qcow2.FormatError as error:
            raise CannotError from error
        if raw and blobs.size(raw) > size:
            raise CannotError
        if raw is None:
            return None
        return {"blob": raw, "bootable": True, "volume_image_metadata": _noted(image)}

    def _broken(self, volume: Json) -> None:
        """No other backend could do better. Images are to blame themselves."""
        if volume["image_id"] and volume["host"]:
            self.tell(volume, *UNFIT)
        else:
            if volume["host"] and not (volume["source_volid"] or volume["snapshot_id"]):
                self.tell(volume, *FAILED)
            self.tell(volume, *SCHEDULED)
            volume["host"] = None
        volume["status"] = "error"
        touch(volume)

    def _served(self, type_: Json) -> bool:
        """Whether the one backend has what a type's extra specs want. Those with a scope are none of its business."""
        able = {"volume_backend_name": BACKEND, "thin_provisioning_support": YES, "sparse_copy_volume": YES}
        for key, value in type_["extra_specs"].items():
            scope, _, name = key.rpartition(":")
            if scope in ("", "capabilities") and able.get(name) != value:
                return False
        return True

    # --- what it is made from ---

    def _image(self, id_: str, size: int) -> Json:
        """An image from which a volume of this size can be made."""
        image = self.cloud.image.find(id_)
        if image is None:
            raise RefusedError(400, UNKNOWN_IMAGE)
        bytes_ = max(image["size"] or 0, image["virtual_size"] or 0)
        needed = -(-bytes_ // GIB)
        if image["status"] != "active":
            raise RefusedError(400, f"Invalid input received: Image {id_} is not active.")
        if needed > size:
            text = f"Size of specified image {needed}GB is larger than volume size {size}GB."
            if (image["size"] or 0) <= size * GIB:
                text = f"Image virtual size is {needed}GB and doesn't fit in a volume of size {size}GB."
                raise RefusedError(400, f"Image {id_} is unacceptable: {text}")
            raise RefusedError(400, f"Invalid input received: {text}")
        if image["min_disk"] > size:
            text = f"Volume size {size}GB cannot be smaller than the image minDisk size {image['min_disk']}GB."
            raise RefusedError(400, f"Invalid input received: {text}")
        return image

    def _type(self, name: str | None, origin: Json | None, image: Json | None) -> Json:
        """The type that is asked for, or that of what it is made from, or the usual one."""
        if name:
            type_ = self.type_named(name)
            if origin and origin["volume_type_id"] != type_["id"]:
                raise RefusedError(
                    400,
                    f"Invalid input received: Invalid volume_type provided: {type_['id']} (requested type is not "
                    "compatible; either match source volume, or omit type argument).",
                )
            return type_
        if origin:
            return self.state.types[origin["volume_type_id"]]
        if image and image.get("cinder_img_volume_type"):
            return self.type_named(image["cinder_img_volume_type"])
        return self.default_type()


def _noted(image: Json) -> dict[str, str]:
    """What a volume keeps of its image."""
    own = {name: str(value) for name, value in image.items() if name not in OTHER and name not in NOTED}
    own = {name: value for name, value in own.items() if not name.startswith("os_glance_")}
    told = {name: str(image[source]) for name, source in NOTED.items() if image[source] is not None}
    return {"signature_verified": "False", **own, **told}
