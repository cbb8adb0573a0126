"""Which servers have a volume: what Nova says to Cinder, what administrators can say, and the lists of it."""

from __future__ import annotations

import uuid

from flask import Response, request

from pumphouse.embedded.service import RefusedError, route
from pumphouse.embedded.volume.snapshots import Snapshots
from pumphouse.embedded.volume.state import Json, now, stored, touch
from pumphouse.embedded.volume.types import empty
from pumphouse.embedded.volume.views import is_attached


class Attachments(Snapshots):
    """The part of the service about them."""

    def attach(self, volume_id: str, server_id: str, device: str | None, host: str | None) -> str:
        """A server has it from now on; it is only reserved while the server has no host, or no name for it.

        Refuses (400) a volume that something else has. Returns the attachment's id.
        """
        volume = self._existing(volume_id)
        allowed = ("available", "in-use", "downloading") if volume["multiattach"] else ("available", "downloading")
        if volume["status"] not in (*allowed, "reserved", "attaching"):
            text = (
                f"Volume {volume_id} status must be {' or '.join([', '.join(allowed[:-1]), allowed[-1]])} to reserve, "
                f"but the current status is {volume['status']}."
            )
            raise RefusedError(400, f"Invalid volume: {text}")
        made = {
            "attachment_id": str(uuid.uuid4()),
            "server_id": server_id,
            "host_name": host,
            "device": device,
            "attached_at": now(),
        }
        volume["attachments"].append(made)
        self._settle(volume)
        return str(made["attachment_id"])

    def place(self, volume_id: str, server_id: str, device: str | None, host: str | None) -> None:
        """A server that has it is on another host, or on none, or knows it by another name."""
        if volume := self.state.volumes.get(volume_id):
            for attachment in volume["attachments"]:
                if attachment["server_id"] == server_id:
                    attachment.update(device=device, host_name=host)
            self._settle(volume)

    def detach(self, volume_id: str, server_id: str) -> None:
        """A server has it no more; nothing happens when it had not."""
        volume = self.state.volumes.get(volume_id)
        if volume is None:
            return
        left = [attachment for attachment in volume["attachments"] if attachment["server_id"] != server_id]
        self._detached(volume, left)

    @route("GET", "/v3/<project_id>/attachments")
    def list_attachments(self) -> Json:
        """Without details."""
        return self._list_attachments(detailed=False)

    @route("GET", "/v3/<project_id>/attachments/detail")
    def list_attachments_detail(self) -> Json:
        """With details."""
        return self._list_attachments(detailed=True)

    @route("GET", "/v3/<project_id>/attachments/<id_>")
    def show_attachment(self, id_: str) -> Json:
        """One of them."""
        self.needs(27)
        for record in self._records():
            if record["id"] == id_ and (self.token.admin or record["project_id"] == self.token.project_id):
                return {"attachment": _view(record, detailed=True)}
        raise RefusedError(404, f"Volume attachment could not be found with filter: attachment_id = {id_}.")

    @route("DELETE", "/v3/<project_id>/attachments/<id_>")
    def remove_attachment(self, id_: str) -> Response:
        """Only Nova may, as long as a server has the volume."""
        shown = self.show_attachment(id_)["attachment"]
        volume = self.state.volumes[shown["volume_id"]]
        self.may_detach(volume, id_)
        self._detached(volume, [one for one in volume["attachments"] if one["attachment_id"] != id_])
        return empty(200)

    def may_detach(self, volume: Json, attachment_id: str | None) -> None:
        """Refuse to take a volume from under a server that is there."""
        for attachment in volume["attachments"]:
            if attachment_id in (None, attachment["attachment_id"]) and self.cloud.compute.find(
                attachment["server_id"]
            ):
                text = f"Detach volume from instance {attachment['server_id']} using the Compute API"
                raise RefusedError(409, text)

    def reset_attachments(self, volume: Json) -> None:
        """Forget all of them."""
        volume["attachments"] = []
        volume["admin_metadata"].pop("attached_mode", None)

    def _detached(self, volume: Json, left: list[Json]) -> None:
        if len(left) == len(volume["attachments"]):
            return
        volume["attachments"] = left
        if left or volume["status"] in ("in-use", "detaching", "reserved"):
            self._settle(volume)

    def _settle(self, volume: Json) -> None:
        """Its status follows from its attachments."""
        attached = any(is_attached(attachment) for attachment in volume["attachments"])
        volume["status"] = "in-use" if attached else "reserved" if volume["attachments"] else "available"
        touch(volume)

    def _existing(self, volume_id: str) -> Json:
        if volume_id not in self.state.volumes:
            raise RefusedError(404, f"Volume {volume_id} could not be found.")
        return self.state.volumes[volume_id]

    def _records(self) -> list[Json]:
        """All attachments, with what lists ask for."""
        return [
            {
                **attachment,
                "id": attachment["attachment_id"],
                "volume_id": volume["id"],
                "project_id": volume["project_id"],
                "instance_id": attachment["server_id"],
                "status": "attached" if is_attached(attachment) else "reserved",
                "attach_status": "attached" if is_attached(attachment) else "reserved",
                "created_at": attachment["attached_at"],
            }
            for volume in self.state.volumes.values()
            for attachment in volume["attachments"]
        ]

    def _list_attachments(self, detailed: bool) -> Json:
        self.needs(27)
        page = self.listed("attachment", "attachments", self._records(), request.args)
        return {"attachments": [_view(record, detailed) for record in page.records]}


def _view(record: Json, detailed: bool) -> Json:
    shown = {
        "id": record["id"],
        "status": record["status"],
        "instance": record["server_id"],
        "volume_id": record["volume_id"],
    }
    if detailed:
        shown |= {
            "attached_at": stored(record["attached_at"]),
            "detached_at": "",
            "attach_mode": "rw",
            "connection_info": {"driver_volume_type": "nfs", "volume_id": record["volume_id"], "access_mode": "rw"},
        }
    return shown
