"""Writing a volume into an image."""

from __future__ import annotations

from typing import Any

from pumphouse.embedded import qcow2
from pumphouse.embedded.service import RefusedError
from pumphouse.embedded.volume.attachments import Attachments
from pumphouse.embedded.volume.base import flag
from pumphouse.embedded.volume.creation import LOOK, NOTED
from pumphouse.embedded.volume.state import Json, stored, touch

#: Beginnings of properties that are Glance's.
RESERVED = ("os_glance", "img_signature")
FORMATS = ("raw", "vmdk", "vdi", "qcow2", "vhd", "vhdx", "ploop")


class Uploads(Attachments):
    """The part of the service about that."""

    def upload(self, volume: Json, given: Json) -> tuple[Json, int]:
        """Begin to write it into a new image; attached, only by force."""
        fields = self._wanted(volume, given)
        allowed = ("available", "in-use") if flag(given.get("force", "False"), "force") else ("available",)
        if volume["status"] not in allowed:
            text = f"Volume {volume['id']} status must be {' or '.join(allowed)}"
            raise RefusedError(400, f"Invalid volume: {text}")
        image = self.cloud.image.create(self.token.project_id, {**self._properties(volume), **fields})
        volume.update(previous_status=volume["status"], status="uploading")
        self.cloud.later("image", self, "uploaded", volume["id"], image["id"])
        return {"os-volume_upload_image": self._receipt(volume, image)}, 202

    def uploaded(self, id_: str, image_id: str) -> None:
        """The image has the bytes; or it is gone, where they could not be read."""
        volume, images = self.state.volumes.get(id_), self.cloud.image
        if volume is None or volume["status"] != "uploading":
            return
        image = images.find(image_id)
        if image is None or not self._readable(volume):
            images.delete(image_id)
            self.tell(volume, "copy volume to image", "Failed to upload volume to image at backend.")
        elif (blob := self._packed(volume["blob"], image["disk_format"])) is None:
            self.cloud.timers.add(LOOK, self.type, "uploaded", id_, image_id)
            return
        else:
            images.fill(image_id, blob)
        self.released(id_, image_id)

    def released(self, id_: str, image_id: str) -> None:
        """The image is done, and so the volume is free again; or another look."""
        volume, image = self.state.volumes.get(id_), self.cloud.image.find(image_id)
        if volume is None or volume["status"] != "uploading":
            return
        if image and image["status"] == "saving":
            self.cloud.timers.add(LOOK, self.type, "released", id_, image_id)
            return
        volume.update(status=volume["previous_status"], previous_status=None)
        touch(volume)

    def _packed(self, blob: str, form: str) -> str | None:
        """The volume's bytes in an image's format; None while a large one is being written."""
        if form != "qcow2":
            return blob
        blobs = self.cloud.blobs
        return blobs.derived.soon(("packed", blob), blobs.stored(blob), lambda: qcow2.from_raw(blobs, blob))

    def _properties(self, volume: Json) -> dict[str, str]:
        """What a volume's image said in its users' words; it goes on into the images that are made of the volume.

        The newer Cinder refuses itself when there are none, but for what it filters out.
        """
        reserved = RESERVED if self.cloud.release.name == "zed" else (*RESERVED, "signature_verified")
        told = {name: value for name, value in volume["volume_image_metadata"].items() if name not in NOTED}
        own = {name: value for name, value in told.items() if not name.startswith(reserved)}
        if told and not own and self.cloud.release.name != "zed":
            text = (
                "Unable to set 'properties' to {}. Reason: {} is not of type 'string'\n\nFailed validating 'type' in "
                "schema['additionalProperties']:\n    {'type': 'string'}\n\nOn instance['properties']:\n    {}"
            )
            raise RefusedError(400, text)
        return own

    def _wanted(self, volume: Json, given: Json) -> Json:
        """The image's fields. Refuses what cannot be."""
        form, container = given.get("disk_format", "raw"), given.get("container_format", "bare")
        if form not in FORMATS:
            text = f"Value: {form}. {form!r} is not one of {list(FORMATS)!r}"
            raise RefusedError(400, f"Invalid input for field/attribute disk_format. {text}")
        if volume["encrypted"] and (form, container) != ("raw", "bare"):
            text = (
                "An encrypted volume uploaded as an image must use 'raw' disk_format and 'bare' container_format, "
                "which are the defaults for these options."
            )
            raise RefusedError(400, text)
        fields = {"name": needed(given, "image_name"), "container_format": container, "disk_format": form}
        if self.since(1):
            fields["visibility"] = given.get("visibility", "private")
            fields["protected"] = flag(given.get("protected", "False"), "protected")
            if fields["visibility"] == "public":
                self.demand("volume_extension:volume_actions:upload_public")
        return fields

    def _readable(self, volume: Json) -> bool:
        """NFS reads no volume with snapshots, and QEMU lets nobody read one that a running server writes to."""
        if volume["blob"] is None or self.state.of_volume.get(volume["id"]):
            return False
        servers = [self.cloud.compute.find(attachment["server_id"]) for attachment in volume["attachments"]]
        return not any(server and server.get("vm_state") == "active" for server in servers)

    def _receipt(self, volume: Json, image: Json) -> Json:
        type_ = self.state.types[volume["volume_type_id"]]
        told = ("id", "name", "description", "is_public", "extra_specs", "qos_specs_id")
        return {
            "id": volume["id"],
            "updated_at": stored(volume["updated_at"]),
            "status": "uploading",
            "display_description": volume["description"],
            "size": volume["size"],
            "volume_type": {
                **{key: type_[key] for key in told},
                "created_at": stored(type_["created_at"]),
                "updated_at": stored(type_["updated_at"]),
                "deleted_at": None,
                "deleted": False,
            },
            "image_id": image["id"],
            "container_format": image["container_format"],
            "disk_format": image["disk_format"],
            "image_name": image["name"],
            "protected": image["protected"],
            "visibility": image["visibility"],
        }


def needed(given: Json, name: str) -> Any:
    """What an action cannot do without."""
    if name not in given:
        text = f"'{name}' is a required property"
        raise RefusedError(400, f"Invalid input for field/attribute {name}. {text}")
    return given[name]
