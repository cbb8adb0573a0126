"""What the cloud has for volumes: services, pools, zones; and the kinds of things of which there are none here."""

from __future__ import annotations

import shutil
from typing import Any

from flask import request

from pumphouse.embedded.service import RefusedError, route
from pumphouse.embedded.volume.base import flag
from pumphouse.embedded.volume.listing import Lists
from pumphouse.embedded.volume.state import BACKEND, GIB, ZONE, Json, now, stored

VERSION = {"3.70": "2022-08-31T00:00:00Z", "3.71": "2023-08-31T00:00:00Z"}
EXTENSIONS = {
    "os-availability-zone": "AvailabilityZones",
    "os-extended-snapshot-attributes": "ExtendedSnapshotAttributes",
    "os-quota-sets": "Quotas",
    "os-services": "Services",
    "os-types-extra-specs": "TypesExtraSpecs",
    "os-types-manage": "TypesManage",
    "os-vol-host-attr": "VolumeHostAttribute",
    "os-vol-image-meta": "VolumeImageMetadata",
    "os-vol-mig-status-attr": "VolumeMigStatusAttribute",
    "os-vol-tenant-attr": "VolumeTenantAttribute",
    "os-volume-actions": "VolumeActions",
    "os-volume-type-access": "VolumeTypeAccess",
    "encryption": "VolumeTypeEncryption",
    "qos-specs": "Qos_specs_manage",
    "scheduler-stats": "Scheduler_stats",
}


class Facilities(Lists):
    """The part of the service about them."""

    @route("GET", "/", open=True)
    def list_versions(self) -> tuple[Json, int]:
        """The one there is."""
        return self.show_version(), 300

    @route("GET", "/v3")
    def show_version(self) -> Json:
        """Version 3, up to a microversion."""
        newest = ".".join(map(str, self.cloud.release.volume))
        links = [
            {"rel": "describedby", "type": "text/html", "href": "https://docs.openstack.org/"},
            {"rel": "self", "href": f"{self.url}/v3/"},
        ]
        media = [{"base": "application/json", "type": "application/vnd.openstack.volume+json;version=3"}]
        version = {"id": "v3.0", "status": "CURRENT", "version": newest, "min_version": "3.0"}
        return {"versions": [{**version, "updated": VERSION[newest], "links": links, "media-types": media}]}

    @route("GET", "/v3/<project_id>/os-services")
    def list_services(self) -> Json:
        """All are up."""
        self.demand("volume_extension:services:index")
        scheduler = {
            "binary": "cinder-scheduler",
            "host": self.host.partition("@")[0],
            "zone": ZONE,
            "status": "enabled",
            "state": "up",
            "updated_at": stored(now()),
            "cluster": None,
            "disabled_reason": None,
        }
        backend: Json = {**scheduler, "binary": "cinder-volume", "host": self.host, "backend_state": "up"}
        backend |= {"replication_status": "disabled", "active_backend_id": None, "frozen": False}
        wanted = {name: request.args[name] for name in ("binary", "host") if name in request.args}
        services = [backend, scheduler]
        return {"services": [one for one in services if all(one[key] == value for key, value in wanted.items())]}

    @route("GET", "/v3/<project_id>/scheduler-stats/get_pools")
    def list_pools(self) -> Json:
        """The one there is, with the room of the disk that it is on."""
        self.demand("scheduler_extension:scheduler_stats:get_pools")
        pool: Json = {"name": self.pool}
        if flag(request.args.get("detail", "False"), "detail"):
            pool["capabilities"] = self._capabilities()
        return {"pools": [pool]}

    @route("GET", "/v3/<project_id>/os-availability-zone")
    def list_zones(self) -> Json:
        """The one there is."""
        return {"availabilityZoneInfo": [{"zoneName": ZONE, "zoneState": {"available": True}}]}

    @route("GET", "/v3/<project_id>/messages")
    def list_messages(self) -> Json:
        """What went wrong in the background, in all projects: Cinder makes no difference."""
        self.needs(3)
        page = self.listed("message", "messages", self.state.messages.values(), request.args, everybody=True)
        return self.page("messages", page, [self._message(message) for message in page.records])

    @route("GET", "/v3/<project_id>/messages/<id_>")
    def show_message(self, id_: str) -> Json:
        """One of them."""
        self.needs(3)
        message = self.state.messages.get(id_)
        if message is None or not (self.token.admin or message["project_id"] == self.token.project_id):
            raise RefusedError(404, f"Message {id_} could not be found.")
        return {"message": self._message(message)}

    @route("GET", "/v3/<project_id>/backups")
    @route("GET", "/v3/<project_id>/backups/detail")
    def list_backups(self) -> Json:
        """None: there is no service for them."""
        return {"backups": []}

    @route("GET", "/v3/<project_id>/groups")
    @route("GET", "/v3/<project_id>/groups/detail")
    def list_groups(self) -> Json:
        """None."""
        self.needs(13)
        return {"groups": []}

    @route("GET", "/v3/<project_id>/consistencygroups")
    @route("GET", "/v3/<project_id>/consistencygroups/detail")
    def list_consistency_groups(self) -> Json:
        """None."""
        return {"consistencygroups": []}

    @route("GET", "/v3/<project_id>/volume-transfers")
    @route("GET", "/v3/<project_id>/volume-transfers/detail")
    @route("GET", "/v3/<project_id>/os-volume-transfer")
    @route("GET", "/v3/<project_id>/os-volume-transfer/detail")
    def list_transfers(self) -> Json:
        """None."""
        return {"transfers": []}

    @route("GET", "/v3/<project_id>/extensions")
    def list_extensions(self) -> Json:
        """Of the API, in the old sense."""
        return {
            "extensions": [
                {"name": name, "alias": alias, "description": name, "updated": "2012-05-31T00:00:00+00:00", "links": []}
                for alias, name in EXTENSIONS.items()
            ]
        }

    def _capabilities(self) -> Json:
        room = shutil.disk_usage(self.cloud.directory)
        provisioned = sum(volume["size"] for volume in self.state.volumes.values())
        return {
            "volume_backend_name": BACKEND,
            "vendor_name": "Open Source",
            "driver_version": "1.4.0",
            "storage_protocol": "NFS",
            "total_capacity_gb": room.total / GIB,
            "free_capacity_gb": room.free / GIB,
            "reserved_percentage": 0,
            "QoS_support": False,
            "sparse_copy_volume": True,
            "provisioned_capacity_gb": float(provisioned),
            "max_over_subscription_ratio": 20.0,
            "thin_provisioning_support": True,
            "thick_provisioning_support": False,
            "allocated_capacity_gb": provisioned,
            "filter_function": None,
            "goodness_function": None,
            "timestamp": now(),
        }

    def _message(self, message: Json) -> Json:
        shown: dict[str, Any] = {key: value for key, value in message.items() if key != "project_id"}
        shown["created_at"] = stored(message["created_at"])
        shown["guaranteed_until"] = stored(message["created_at"])
        return {**shown, "links": self.links("messages", message["id"])}
