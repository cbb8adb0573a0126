"""How volumes and snapshots are shown: by microversion, and by who looks."""

from __future__ import annotations

from pumphouse.embedded.volume.listing import Lists
from pumphouse.embedded.volume.state import Json, stored


class Views(Lists):
    """The part of the service that shows."""

    def volume_view(self, volume: Json, made: bool = False) -> Json:
        """In full. ``made``: as the answer to its making has it."""
        type_ = self.state.types.get(volume["volume_type_id"])
        shown = {
            "id": volume["id"],
            "status": volume["status"],
            "size": volume["size"],
            "availability_zone": volume["availability_zone"],
            "created_at": volume["created_at"] if made else stored(volume["created_at"]),
            "updated_at": stored(volume["updated_at"]),
            "name": volume["name"],
            "description": volume["description"],
            "volume_type": type_["name"] if type_ else None,
            "snapshot_id": volume["snapshot_id"],
            "source_volid": volume["source_volid"],
            "metadata": {**volume["metadata"], **volume["admin_metadata"]},
            "links": self.links("volumes", volume["id"]),
            "user_id": volume["user_id"],
            "bootable": str(volume["bootable"]).lower(),
            "encrypted": volume["encrypted"],
            "replication_status": None,
            "consistencygroup_id": None,
            "multiattach": volume["multiattach"],
            "attachments": [self._attachment(volume, one) for one in volume["attachments"] if is_attached(one)],
        }
        self._since(shown, volume)
        if not made:
            self._extended(shown, volume)
        return shown

    def _since(self, shown: Json, volume: Json) -> None:
        """What microversions added."""
        ready = volume["host"] is not None and volume["status"] not in ("creating", "downloading")
        admin = self.token.admin
        if admin:
            shown["migration_status"] = volume["migration_status"]
        if self.since(13):
            shown["group_id"] = None
        if admin and self.since(21):
            shown["provider_id"] = None
        if self.since(48):
            shown["shared_targets"] = not ready
            shown["service_uuid"] = self.state.service_uuid if ready else None
        if admin and self.since(61):
            shown["cluster_name"] = None
        if self.since(63):
            shown["volume_type_id"] = volume["volume_type_id"]
        if self.since(64) and volume["encrypted"]:
            shown["encryption_key_id"] = volume["id"]
        if self.since(65):
            shown["consumes_quota"] = True

    def _extended(self, shown: Json, volume: Json) -> None:
        """What extensions of the API added."""
        shown["os-vol-tenant-attr:tenant_id"] = volume["project_id"]
        if self.token.admin:
            shown["os-vol-mig-status-attr:migstat"] = volume["migration_status"]
            shown["os-vol-mig-status-attr:name_id"] = None
            shown["os-vol-host-attr:host"] = volume["host"]
        if volume["volume_image_metadata"]:
            shown["volume_image_metadata"] = volume["volume_image_metadata"]

    def _attachment(self, volume: Json, attachment: Json) -> Json:
        return {
            "id": volume["id"],
            "attachment_id": attachment["attachment_id"],
            "volume_id": volume["id"],
            "server_id": attachment["server_id"],
            "host_name": attachment["host_name"] if self.token.admin else None,
            "device": attachment["device"],
            "attached_at": stored(attachment["attached_at"]),
        }

    def volume_brief(self, volume: Json) -> Json:
        """In lists without details."""
        return {"id": volume["id"], "name": volume["name"], "links": self.links("volumes", volume["id"])}

    def snapshot_view(self, snapshot: Json, made: bool = False, detailed: bool = True) -> Json:
        """``made``: as the answer to its making has it."""
        shown = {
            "id": snapshot["id"],
            "created_at": snapshot["created_at"] if made else stored(snapshot["created_at"]),
            "updated_at": stored(snapshot["updated_at"]),
            "name": snapshot["name"],
            "description": snapshot["description"],
            "volume_id": snapshot["volume_id"],
            "status": snapshot["status"],
            "size": snapshot["size"],
            "metadata": snapshot["metadata"],
        }
        if not detailed:
            return shown
        if self.since(14):
            shown["group_snapshot_id"] = None
        if self.since(41):
            shown["user_id"] = snapshot["user_id"]
        if self.since(65):
            shown["consumes_quota"] = True
        if not made:
            shown["os-extended-snapshot-attributes:project_id"] = snapshot["project_id"]
            shown["os-extended-snapshot-attributes:progress"] = snapshot["progress"]
        return shown


def is_attached(attachment: Json) -> bool:
    """Whether a server really has it, on a host and under a name."""
    return bool(attachment["host_name"] and attachment["device"])
