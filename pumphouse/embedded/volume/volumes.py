"""Volumes: made, shown, changed, removed; and their owners' metadata."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, request

from pumphouse.embedded.service import RefusedError, body, route
from pumphouse.embedded.volume.base import TRUE, flag
from pumphouse.embedded.volume.creation import UNKNOWN_IMAGE, Creation
from pumphouse.embedded.volume.state import Json, touch
from pumphouse.embedded.volume.types import empty
from pumphouse.embedded.volume.views import Views

#: What a request to make one may hold, in versions that refuse the rest.
KNOWN = {
    "name", "description", "display_name", "display_description", "volume_type", "metadata", "snapshot_id",
    "source_volid", "consistencygroup_id", "size", "availability_zone", "multiattach", "image_id", "imageRef",
    "group_id", "backup_id",
}  # fmt: skip
NO_MULTIATTACH = (
    "multiattach parameter has been removed. The default behavior is to use multiattach enabled volume types. Contact "
    "your administrator to create a multiattach enabled volume type and use it to create multiattach volumes."
)
#: Of metadata.
KEY = re.compile("[a-zA-Z0-9-_:. /]{1,255}")
DELETABLE = ("available", "error", "error_restoring", "error_extending", "error_managing")


class Volumes(Creation, Views):
    """The part of the service about volumes themselves."""

    @route("GET", "/v3/<project_id>/volumes")
    def list_volumes(self) -> Json:
        """Names only."""
        page = self.listed("volume", "volumes", self._candidates(), request.args)
        return self.page("volumes", page, [self.volume_brief(volume) for volume in page.records])

    @route("GET", "/v3/<project_id>/volumes/detail")
    def list_volumes_detail(self) -> Json:
        """In full."""
        page = self.listed("volume", "volumes/detail", self._candidates(), request.args)
        return self.page("volumes", page, [self.volume_view(volume) for volume in page.records])

    @route("GET", "/v3/<project_id>/volumes/summary")
    def summarize(self) -> Json:
        """How many, and how large together."""
        self.needs(12)
        everybody = self.token.admin and flag(request.args.get("all_tenants", "False"), "all_tenants")
        project = self.token.project_id
        found = [one for one in self.state.volumes.values() if everybody or one["project_id"] == project]
        summary: Json = {"total_count": len(found), "total_size": sum(volume["size"] for volume in found)}
        if self.since(36):
            summary["metadata"] = {}
            for volume in found:
                for key, value in volume["metadata"].items():
                    summary["metadata"].setdefault(key, [])
                    if value not in summary["metadata"][key]:
                        summary["metadata"][key].append(value)
        return {"volume-summary": summary}

    @route("POST", "/v3/<project_id>/volumes")
    def make_volume(self) -> tuple[Json, int]:
        """Empty, or from an image, a snapshot or another volume."""
        given = body("volume")
        if self.since(53):
            strangers(given, KNOWN)
        if flag(given.get("multiattach") or False, "multiattach"):
            raise RefusedError(400, NO_MULTIATTACH)
        name, description = described(given)
        image, snapshot, source = self._origin(given)
        if (type_ := given.get("volume_type")) and not self.usable(self.type_named(type_)):
            raise RefusedError(404, f"Volume type with name {type_} could not be found.")
        made = self.begin(
            str(self.token.project_id),
            self.token.user_id,
            _size(given.get("size"), snapshot, source),
            name=name,
            description=description,
            image_id=image,
            volume_type=type_,
            availability_zone=given.get("availability_zone"),
            metadata=texts(given.get("metadata") or {}),
            snapshot=snapshot,
            source=source,
        )
        self.cloud.later("volume", self, "scheduled", made["id"])
        return {"volume": self.volume_view(made, made=True)}, 202

    @route("GET", "/v3/<project_id>/volumes/<id_>")
    def show_volume(self, id_: str) -> Json:
        """One of them."""
        return {"volume": self.volume_view(self.visible(id_))}

    @route("PUT", "/v3/<project_id>/volumes/<id_>")
    def change_volume(self, id_: str) -> Json:
        """Name, description, metadata."""
        given = body("volume")
        strangers(given, {"name", "description", "display_name", "display_description", "metadata"})
        volume = self.visible(id_)
        name, description = described(given)
        if {"name", "display_name"} & given.keys():
            volume["name"] = name
        if {"description", "display_description"} & given.keys():
            volume["description"] = description
        if "metadata" in given:
            volume["metadata"] = texts(given["metadata"])
        touch(volume)
        return {"volume": self.volume_view(volume)}

    @route("DELETE", "/v3/<project_id>/volumes/<id_>")
    def remove_volume(self, id_: str) -> Response:
        """Unless something has it, or it has snapshots; with ``cascade`` those too."""
        cascade = flag(request.args.get("cascade", "False"), "cascade")
        force = self.since(23) and flag(request.args.get("force", "False"), "force")
        volume = self.visible(id_)
        if force:
            self.demand("volume_extension:volume_admin_actions:force_delete")
        self.begin_removal(volume, force=force, cascade=cascade)
        return empty()

    # --- their owners' metadata ---

    @route("GET", "/v3/<project_id>/volumes/<id_>/metadata")
    def show_metadata(self, id_: str) -> Json:
        """All."""
        return {"metadata": self.visible(id_)["metadata"]}

    @route("POST", "/v3/<project_id>/volumes/<id_>/metadata")
    def add_metadata(self, id_: str) -> Json:
        """Some more, or others."""
        given = texts(body("metadata"))
        volume = self._changeable(id_, "Updating")
        volume["metadata"] |= given
        return {"metadata": volume["metadata"]}

    @route("PUT", "/v3/<project_id>/volumes/<id_>/metadata")
    def replace_metadata(self, id_: str) -> Json:
        """These and no others."""
        given = texts(body("metadata"))
        volume = self._changeable(id_, "Updating")
        volume["metadata"] = given
        return {"metadata": given}

    @route("GET", "/v3/<project_id>/volumes/<id_>/metadata/<path:key>")
    def show_metadatum(self, id_: str, key: str) -> Json:
        """One."""
        return {"meta": {key: _of(self.visible(id_), key)}}

    @route("PUT", "/v3/<project_id>/volumes/<id_>/metadata/<path:key>")
    def set_metadatum(self, id_: str, key: str) -> Json:
        """One."""
        given = texts(body("meta"))
        if key not in given:
            raise RefusedError(400, "Request body and URI mismatch")
        if len(given) > 1:
            raise RefusedError(400, "Request body contains too many items")
        self._changeable(id_, "Updating")["metadata"] |= given
        return {"meta": given}

    @route("DELETE", "/v3/<project_id>/volumes/<id_>/metadata/<path:key>")
    def remove_metadatum(self, id_: str, key: str) -> Response:
        """One less."""
        _of(self.visible(id_), key)
        del self._changeable(id_, "Deleting")["metadata"][key]
        return empty(200)

    # --- inside ---

    def begin_removal(self, volume: Json, *, force: bool = False, cascade: bool = False) -> None:
        """Refuse to remove a volume that is in use; else it is gone in a while."""
        snapshots = self.state.of_volume.get(volume["id"], {})
        allowed = force or volume["status"] in DELETABLE
        if not allowed or volume["attachments"] or (snapshots and not cascade):
            state = "" if force else f"status must be {' or '.join([', '.join(DELETABLE[:-1]), DELETABLE[-1]])} and "
            text = (
                f"Volume {state}must not be migrating, attached, belong to a group, have snapshots, awaiting a "
                "transfer, or be disassociated from snapshots after volume transfer."
            )
            raise RefusedError(400, f"Invalid volume: {text}")
        volume["status"] = "deleting"
        touch(volume)
        for id_ in snapshots:
            self.state.snapshots[id_]["status"] = "deleting"
        self.cloud.later("delete", self, "removed", volume["id"])

    def removed(self, id_: str) -> None:
        """It is gone, with its snapshots."""
        volume = self.state.volumes.get(id_)
        if volume is None or volume["status"] != "deleting":
            return
        for snapshot in list(self.state.of_volume.get(id_, ())):
            self.forget_snapshot(snapshot)
        self.count(volume["project_id"], volume["volume_type_id"], volumes=-1, gigabytes=-volume["size"])
        del self.state.volumes[id_], self.state.of_project[volume["project_id"]][id_]

    def forget_snapshot(self, id_: str) -> None:
        """It is gone."""
        snapshot = self.state.snapshots.pop(id_)
        self.state.of_volume[snapshot["volume_id"]].pop(id_, None)
        self.count(snapshot["project_id"], snapshot["volume_type_id"], snapshots=-1, gigabytes=-snapshot["size"])

    def _candidates(self) -> list[Json]:
        """The volumes among which a list chooses."""
        everybody = self.token.admin and request.args.get("all_tenants", "").lower() in TRUE
        project = request.args.get("project_id") if everybody else self.token.project_id
        if project is None:
            return list(self.state.volumes.values())
        return [self.state.volumes[id_] for id_ in self.state.of_project.get(project, ())]

    def _origin(self, given: Json) -> tuple[str | None, Json | None, Json | None]:
        """(image's id, snapshot, volume) that a new one shall be made from, one of them at most."""
        image = given.get("imageRef") or given.get("image_id")
        names = ("snapshot_id", "source_volid", "backup_id")
        if sum(bool(one) for one in (image, *(given.get(name) for name in names))) > 1:
            text = "May specify only one of backup, imageRef, snapshot, source volume"
            raise RefusedError(400, f"Invalid input received: {text}")
        if given.get("backup_id"):
            raise RefusedError(404, f"Backup {given['backup_id']} could not be found.")
        image = str(image).rpartition("/")[2] if image else None
        if image and not self.cloud.image.visible(image):
            raise RefusedError(400, UNKNOWN_IMAGE)
        snapshot = self.visible_snapshot(given["snapshot_id"]) if given.get("snapshot_id") else None
        source = self.visible(given["source_volid"]) if given.get("source_volid") else None
        if snapshot and snapshot["status"] != "available":
            text = "Originating snapshot status must be one of 'available' values"
            raise RefusedError(400, f"Invalid snapshot: {text}")
        if source and source["status"] not in ("available", "in-use"):
            text = "Originating source volume status must be one of 'available, in-use' values"
            raise RefusedError(400, f"Invalid volume: {text}")
        return image, snapshot, source

    def _changeable(self, id_: str, verb: str) -> Json:
        volume = self.visible(id_)
        if volume["status"] in ("maintenance", "uploading"):
            text = f"{verb} volume metadata is not allowed for volumes in {volume['status']} status."
            raise RefusedError(400, f"Invalid volume: {text}")
        return volume


def strangers(given: Json, known: set[str]) -> None:
    """Refuse what nobody knows."""
    if unknown := [repr(name) for name in given if name not in known]:
        verb = "was" if len(unknown) == 1 else "were"
        text = f"Additional properties are not allowed ({', '.join(unknown)} {verb} unexpected)"
        raise RefusedError(400, f"Invalid input for field/attribute volume. Value: {given}. {text}")


def described(given: Json) -> tuple[str | None, str | None]:
    """Name and description, in either of their spellings, without blanks around them."""
    found = []
    for key in ("name", "description"):
        text = given.get(key, given.get(f"display_{key}"))
        if text is not None:
            text = str(text).strip()
            if len(text) > 255:
                raise RefusedError(400, f"{key} has {len(text)} characters, more than 255.")
        found.append(text)
    return found[0], found[1]


def texts(metadata: Any) -> dict[str, str]:
    """Metadata that Cinder takes: short texts."""
    if not isinstance(metadata, dict):
        raise RefusedError(400, f"Invalid input for field/attribute metadata. Value: {metadata}.")
    for key, value in metadata.items():
        if not KEY.fullmatch(key) or not isinstance(value, str) or len(value) > 255:
            raise RefusedError(400, f"Invalid input for field/attribute {key}. Value: {value}.")
    return dict(metadata)


def _size(given: Any, snapshot: Json | None, source: Json | None) -> int:
    """In GiB; at least that of what it is made from."""
    origin = snapshot or source
    if given is None and origin:
        return int(origin["size"])
    try:
        size = int(given)
    except (TypeError, ValueError):
        size = 0
    if size < 1 or isinstance(given, bool):
        text = f"Invalid input for field/attribute size. Value: {given}. {given} is less than the minimum of 1"
        raise RefusedError(400, text)
    if snapshot and size < snapshot["size"]:
        text = f"Volume size '{size}'GB cannot be smaller than the snapshot size {snapshot['size']}GB. They must be >= "
        raise RefusedError(400, f"Invalid input received: {text}original snapshot size.")
    if source and size < source["size"]:
        text = f"Volume size '{size}'GB cannot be smaller than original volume size  {source['size']}GB. They must be "
        raise RefusedError(400, f"Invalid input received: {text}>= original volume size.")
    return size


def _of(volume: Json, key: str) -> str:
    """One of the owner's metadata."""
    if key not in volume["metadata"]:
        raise RefusedError(404, f"Volume {volume['id']} has no metadata with key {key}.")
    return str(volume["metadata"][key])
