"""What can be done with a volume: flags, image metadata, states, size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response

from pumphouse.embedded import qcow2
from pumphouse.embedded.service import RefusedError, body, route
from pumphouse.embedded.volume.base import flag
from pumphouse.embedded.volume.state import GIB, Json, touch
from pumphouse.embedded.volume.types import empty
from pumphouse.embedded.volume.uploads import Uploads, needed
from pumphouse.embedded.volume.volumes import texts

STATUSES = (
    "creating", "available", "deleting", "error", "error_deleting", "error_managing", "managing", "attaching",
    "in-use", "detaching", "maintenance", "restoring-backup", "error_restoring", "reserved", "awaiting-transfer",
    "backing-up", "error_backing-up", "error_extending", "downloading", "uploading", "retyping", "extending",
)  # fmt: skip


class Actions(Uploads):
    """The part of the service about them."""

    @route("POST", "/v3/<project_id>/volumes/<id_>/action")
    def act(self, id_: str) -> Any:
        """One action, named by the only key of the body."""
        given = body()
        known: dict[str, Callable[[Json, Any], Any]] = {
            "os-volume_upload_image": self.upload,
            "os-set_bootable": self._set_bootable,
            "os-update_readonly_flag": self._set_readonly,
            "os-set_image_metadata": self._set_image_metadata,
            "os-unset_image_metadata": self._unset_image_metadata,
            "os-show_image_metadata": self._show_image_metadata,
            "os-reset_status": self._reset_status,
            "os-force_delete": self._force_delete,
            "os-extend": self._extend,
            "os-reserve": self._reserve,
            "os-unreserve": self._unreserve,
            "os-begin_detaching": self._begin_detaching,
            "os-roll_detaching": self._roll_detaching,
            "os-attach": self._attach,
            "os-detach": self._detach,
        }
        for name, action in known.items():
            if name in given:
                return action(self.visible(id_), given[name] or {})
        raise RefusedError(400, f"There is no such action: {', '.join(given)}")

    # --- what is told of it ---

    def _set_bootable(self, volume: Json, given: Json) -> Response:
        volume["bootable"] = flag(needed(given, "bootable"), "bootable")
        touch(volume)
        return empty(200)

    def _set_readonly(self, volume: Json, given: Json) -> Response:
        readonly = flag(needed(given, "readonly"), "readonly")
        if volume["status"] != "available":
            text = f"Volume {volume['id']} status must be available to update readonly flag, but current status is: "
            raise RefusedError(400, f"Invalid volume: {text}{volume['status']}.")
        volume["admin_metadata"]["readonly"] = str(readonly)
        touch(volume)
        return empty()

    def _set_image_metadata(self, volume: Json, given: Json) -> Json:
        if volume["status"] in ("maintenance", "uploading"):
            text = f"Updating volume metadata is not allowed for volumes in {volume['status']} status."
            raise RefusedError(400, f"Invalid volume: {text}")
        volume["volume_image_metadata"] |= texts(needed(given, "metadata"))
        return {"metadata": volume["volume_image_metadata"]}

    def _unset_image_metadata(self, volume: Json, given: Json) -> Response:
        key = needed(given, "key")
        if key not in volume["volume_image_metadata"]:
            text = f"Glance metadata for volume/snapshot {volume['id']} cannot be found."
            raise RefusedError(404, text)
        del volume["volume_image_metadata"][key]
        return empty(200)

    def _show_image_metadata(self, volume: Json, given: Json) -> Json:
        return {"metadata": volume["volume_image_metadata"]}

    # --- its states ---

    def _reset_status(self, volume: Json, given: Json) -> Response:
        self.demand("volume_extension:volume_admin_actions:reset_status")
        status = given.get("status")
        if status and status.lower() not in STATUSES:
            raise RefusedError(400, f"Volume status: {status} is invalid, valid statuses are: {STATUSES}.")
        if status in ("deleting", "error_deleting", "detaching"):
            raise RefusedError(400, f"Cannot reset-state to {status}")
        if status == "in-use" and not volume["attachments"]:
            text = "Cannot reset-state to in-use because volume does not have any attachments."
            raise RefusedError(400, text)
        if status:
            volume["status"] = status.lower()
        if given.get("attach_status") == "detached":
            self.reset_attachments(volume)
        touch(volume)
        return empty()

    def _force_delete(self, volume: Json, given: Json) -> Response:
        self.demand("volume_extension:volume_admin_actions:force_delete")
        self.begin_removal(volume, force=True)
        return empty()

    def _reserve(self, volume: Json, given: Json) -> Response:
        allowed = ("available", "in-use") if volume["multiattach"] else ("available",)
        if volume["status"] not in allowed:
            text = f"Volume status must be {' or '.join(allowed)} to reserve, but the status is {volume['status']}."
            raise RefusedError(400, f"Invalid volume: {text}")
        volume["status"] = "attaching"
        return empty()

    def _unreserve(self, volume: Json, given: Json) -> Response:
        if volume["status"] == "attaching":
            volume["status"] = "in-use" if volume["attachments"] else "available"
        return empty()

    def _begin_detaching(self, volume: Json, given: Json) -> Response:
        if volume["status"] != "in-use":
            text = (
                "Unable to detach volume. Volume status must be 'in-use' and attach_status must be 'attached' to "
                "detach."
            )
            raise RefusedError(400, f"Invalid volume: {text}")
        volume["status"] = "detaching"
        return empty()

    def _roll_detaching(self, volume: Json, given: Json) -> Response:
        if volume["status"] == "detaching":
            volume["status"] = "in-use"
        return empty()

    def _attach(self, volume: Json, given: Json) -> Response:
        """Take note that something has it, as nobody but Nova should."""
        device = needed(given, "mountpoint")
        if volume["status"] not in ("available", "attaching"):
            text = f"Error attaching volume - InvalidVolume: Invalid volume: status is {volume['status']}"
            raise RefusedError(400, text)
        if volume["admin_metadata"].setdefault("readonly", "False") == "True" and given.get("mode") != "ro":
            raise RefusedError(400, f"Invalid attaching mode 'rw' for volume {volume['id']}.")
        self.attach(volume["id"], given.get("instance_uuid", ""), device, given.get("host_name"))
        volume["admin_metadata"]["attached_mode"] = given.get("mode", "rw")
        return empty()

    def _detach(self, volume: Json, given: Json) -> Response:
        self.may_detach(volume, given.get("attachment_id"))
        self.reset_attachments(volume)
        volume["status"] = "available"
        touch(volume)
        return empty()

    # --- its size ---

    def _extend(self, volume: Json, given: Json) -> Response:
        size = int(needed(given, "new_size"))
        more = size - volume["size"]
        if more <= 0:
            text = (
                f"New size for extend must be greater than current size. (current: {volume['size']}, extended: {size})."
            )
            raise RefusedError(400, f"Invalid input received: {text}")
        allowed = ("available", "in-use") if self.since(42) else ("available",)
        if volume["status"] not in allowed:
            text = f"Volume {volume['id']} status must be '{{'status': 'available'}}' to extend, currently "
            raise RefusedError(400, f"Invalid volume: {text}{volume['status']}.")
        self.fits(volume["project_id"], size)
        self.reserve(volume["project_id"], volume["volume_type_id"], gigabytes=more)
        volume.update(previous_status=volume["status"], status="extending")
        self.cloud.later("volume", self, "extended", volume["id"], size)
        return empty()

    def extended(self, id_: str, size: int) -> None:
        """It is larger, or could not be made so."""
        volume = self.state.volumes.get(id_)
        if volume is None or volume["status"] != "extending":
            return
        touch(volume)
        if self.cloud.faults.fails("volume"):
            volume["status"] = "error_extending"
            self.count(volume["project_id"], volume["volume_type_id"], gigabytes=volume["size"] - size)
            self.tell(volume, "extend volume", "Volume Driver failed to extend volume.")
            return
        volume["blob"] = qcow2.extended(self.cloud.blobs, volume["blob"], size * GIB)
        volume.update(size=size, status=volume["previous_status"])
