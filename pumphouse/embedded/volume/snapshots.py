"""Snapshots of volumes."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from pumphouse.embedded.service import RefusedError, body, route
from pumphouse.embedded.volume.base import flag
from pumphouse.embedded.volume.state import Json, new_snapshot, touch
from pumphouse.embedded.volume.types import empty
from pumphouse.embedded.volume.volumes import Volumes, described, texts

KNOWN = ("name", "display_name", "description", "volume_id", "force", "metadata")


class Snapshots(Volumes):
    """The part of the service about them."""

    @route("GET", "/v3/<project_id>/snapshots")
    def list_snapshots(self) -> Json:
        """With less of each."""
        return self._list("snapshots", detailed=False)

    @route("GET", "/v3/<project_id>/snapshots/detail")
    def list_snapshots_detail(self) -> Json:
        """In full."""
        return self._list("snapshots/detail", detailed=True)

    @route("POST", "/v3/<project_id>/snapshots")
    def post_snapshot(self) -> tuple[Json, int]:
        """Of a volume; of an attached one only by force, or by newer versions."""
        given = body("snapshot")
        if unknown := [repr(name) for name in given if name not in KNOWN]:
            text = f"Additional properties are not allowed ({', '.join(unknown)} was unexpected)"
            raise RefusedError(400, f"Invalid input for field/attribute snapshot. Value: {given}. {text}")
        if "volume_id" not in given:
            text = "'volume_id' is a required property"
            raise RefusedError(400, f"Invalid input for field/attribute snapshot. Value: {given}. {text}")
        name, description = described(given)
        volume = self.visible(given["volume_id"])
        forced = flag(given.get("force", False), "force")
        if self.since(66) and given.get("force") is not None and not forced:
            text = (
                "Since microversion 3.66 of the Block Storage API, the 'force' option is invalid for this request. For "
                "backward compatibility, however, when the 'force' flag is passed with a value evaluating to True, it "
                "is silently ignored."
            )
            raise RefusedError(400, text)
        self._snappable(volume, forced or self.since(66))
        metadata = texts(given.get("metadata") or {})
        made = self.make_snapshot(
            volume["id"], self.token.user_id, name=name, description=description, metadata=metadata
        )
        return {"snapshot": self.snapshot_view(made, made=True)}, 202

    @route("GET", "/v3/<project_id>/snapshots/<id_>")
    def show_snapshot(self, id_: str) -> Json:
        """One of them."""
        return {"snapshot": self.snapshot_view(self.visible_snapshot(id_))}

    @route("PUT", "/v3/<project_id>/snapshots/<id_>")
    def change_snapshot(self, id_: str) -> Json:
        """Name, description."""
        given = body("snapshot")
        snapshot = self.visible_snapshot(id_)
        name, description = described(given)
        if {"name", "display_name"} & given.keys():
            snapshot["name"] = name
        if {"description", "display_description"} & given.keys():
            snapshot["description"] = description
        touch(snapshot)
        return {"snapshot": self.snapshot_view(snapshot)}

    @route("DELETE", "/v3/<project_id>/snapshots/<id_>")
    def remove_snapshot(self, id_: str) -> Response:
        """In a while."""
        self._begin_removal_of_snapshot(self.visible_snapshot(id_))
        return empty()

    @route("GET", "/v3/<project_id>/snapshots/<id_>/metadata")
    def show_snapshot_metadata(self, id_: str) -> Json:
        """All."""
        return {"metadata": self.visible_snapshot(id_)["metadata"]}

    @route("POST", "/v3/<project_id>/snapshots/<id_>/metadata")
    def add_snapshot_metadata(self, id_: str) -> Json:
        """Some more, or others."""
        snapshot = self.visible_snapshot(id_)
        snapshot["metadata"] |= texts(body("metadata"))
        return {"metadata": snapshot["metadata"]}

    @route("PUT", "/v3/<project_id>/snapshots/<id_>/metadata")
    def replace_snapshot_metadata(self, id_: str) -> Json:
        """These and no others."""
        snapshot = self.visible_snapshot(id_)
        snapshot["metadata"] = texts(body("metadata"))
        return {"metadata": snapshot["metadata"]}

    @route("POST", "/v3/<project_id>/snapshots/<id_>/action")
    def act_on_snapshot(self, id_: str) -> Response:
        """What administrators can do about one that is stuck."""
        given = body()
        snapshot = self.visible_snapshot(id_)
        if "os-reset_status" in given:
            self.demand("volume_extension:snapshot_admin_actions:reset_status")
            status = str(given["os-reset_status"].get("status", "")).lower()
            if status not in ("available", "creating", "deleting", "error", "error_deleting"):
                raise RefusedError(400, f"Snapshot status: {status} is invalid.")
            snapshot["status"] = status
            touch(snapshot)
            return empty()
        if "os-force_delete" in given:
            self.demand("volume_extension:snapshot_admin_actions:force_delete")
            self._begin_removal_of_snapshot(snapshot, force=True)
            return empty()
        raise RefusedError(400, f"There is no such action: {', '.join(given)}")

    def make_snapshot(self, volume_id: str, user_id: str, **fields: Any) -> Json:
        """A snapshot that is about to be taken, for the token's project. ``fields``: name, description, metadata."""
        volume, project = self.state.volumes[volume_id], str(self.token.project_id)
        self.reserve(project, volume["volume_type_id"], snapshots=1, gigabytes=volume["size"])
        made = new_snapshot(volume, user_id, project, **fields)
        self.state.snapshots[made["id"]] = made
        self.state.of_volume.setdefault(volume_id, {})[made["id"]] = None
        self.cloud.later("snapshot", self, "taken", made["id"])
        return made

    # --- in the background ---

    def taken(self, id_: str) -> None:
        """It is there."""
        snapshot = self.state.snapshots.get(id_)
        if snapshot is None or snapshot["status"] != "creating":
            return
        volume = self.state.volumes.get(snapshot["volume_id"])
        touch(snapshot)
        if volume is None or volume["blob"] is None or self.cloud.faults.fails("snapshot"):
            snapshot["status"] = "error"
            self.tell(snapshot, "create snapshot", "Snapshot failed to create.", "VOLUME_SNAPSHOT")
        else:
            # Bytes never change under a name: this is all that a snapshot needs.
            snapshot.update(status="available", progress="100%", blob=volume["blob"])

    def snapshot_removed(self, id_: str) -> None:
        """It is gone."""
        if id_ in self.state.snapshots:
            self.forget_snapshot(id_)

    # --- inside ---

    def _list(self, path: str, detailed: bool) -> Json:
        page = self.listed("snapshot", path, self.state.snapshots.values(), request.args)
        shown = [self.snapshot_view(snapshot, detailed=detailed) for snapshot in page.records]
        return self.page("snapshots", page, shown)

    def _begin_removal_of_snapshot(self, snapshot: Json, force: bool = False) -> None:
        if not force and snapshot["status"] not in ("available", "error"):
            text = "Snapshot status must be available or error and must not be part of a group."
            raise RefusedError(400, f"Invalid snapshot: {text}")
        snapshot["status"] = "deleting"
        touch(snapshot)
        self.cloud.later("delete", self, "snapshot_removed", snapshot["id"])

    def _snappable(self, volume: Json, attached: bool) -> None:
        """Refuse a volume of which no snapshot can be taken as it is."""
        if volume["status"] == "error":
            text = "The snapshot cannot be created when the volume is in error status."
            raise RefusedError(400, f"Invalid volume: {text}")
        if not volume["host"]:
            text = "The snapshot cannot be created because volume has not been scheduled to any host."
            raise RefusedError(400, f"Invalid volume: {text}")
        allowed = ("available", "in-use") if attached else ("available",)
        if volume["status"] not in allowed:
            text = (
                f"Volume {volume['id']} status must be {', '.join(allowed)}, but current status is: {volume['status']}."
            )
            raise RefusedError(400, f"Invalid volume: {text}")
