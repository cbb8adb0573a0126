"""What servers used, in numbers that an embedded cloud does not have; and which extensions there are."""

from __future__ import annotations

import datetime

from pumphouse.embedded.compute.base import Base
from pumphouse.embedded.compute.state import Json
from pumphouse.embedded.service import RefusedError, route

#: Told until extensions went away; clients ask for these.
EXTENSIONS = {
    "os-keypairs": "Keypairs",
    "os-quota-sets": "Quotas",
    "os-server-groups": "ServerGroups",
    "os-volume-attachment-update": "VolumeAttachmentUpdate",
    "os-availability-zone": "AvailabilityZone",
    "os-simple-tenant-usage": "SimpleTenantUsage",
    "os-aggregates": "Aggregates",
    "os-hypervisors": "Hypervisors",
}
UPDATED = "2014-12-03T00:00:00Z"
ISO = "%Y-%m-%dT%H:%M:%SZ"


class Usage(Base):
    """``/os-simple-tenant-usage``, ``/extensions``."""

    @route("GET", "/v2.1/extensions")
    def list_extensions(self) -> Json:
        """All."""
        return {"extensions": [self._extension(alias) for alias in EXTENSIONS]}

    @route("GET", "/v2.1/extensions/<alias>")
    def show_extension(self, alias: str) -> Json:
        """One."""
        if alias not in EXTENSIONS:
            raise RefusedError(404, "The resource could not be found.")
        return {"extension": self._extension(alias)}

    def _extension(self, alias: str) -> Json:
        return {
            "name": EXTENSIONS[alias],
            "alias": alias,
            "description": "",
            "updated": UPDATED,
            "namespace": "http://docs.openstack.org/compute/ext/fake_xml",
            "links": [],
        }

    @route("GET", "/v2.1/os-simple-tenant-usage/<project_id>")
    def show_usage(self, project_id: str) -> Json:
        """Of a project's servers, since they were made."""
        self.demand("os-simple-tenant-usage:show", project_id)
        now = datetime.datetime.now(datetime.UTC)
        servers = [self.state.servers[id_] for id_ in self.state.of_project.get(project_id, {})]
        if not servers:
            return {"tenant_usage": {}}
        used = [self._usage_of(server, now) for server in servers]
        totals = {
            "total_memory_mb_usage": sum(one["memory_mb"] * one["hours"] for one in used),
            "total_vcpus_usage": sum(one["vcpus"] * one["hours"] for one in used),
            "total_local_gb_usage": sum(one["local_gb"] * one["hours"] for one in used),
            "total_hours": sum(one["hours"] for one in used),
        }
        start = min(one["started_at"] for one in used)
        stop = now.strftime("%Y-%m-%dT%H:%M:%S.%f")
        usage = {"tenant_id": project_id, "server_usages": used, **totals, "start": start, "stop": stop}
        return {"tenant_usage": usage}

    def _usage_of(self, server: Json, now: datetime.datetime) -> Json:
        began = datetime.datetime.strptime(server["created"], ISO).replace(tzinfo=datetime.UTC)
        flavor, seconds = server["flavor"], (now - began).total_seconds()
        return {
            "instance_id": server["id"],
            "name": server["name"],
            "hours": seconds / 3600,
            "flavor": flavor["name"],
            "tenant_id": server["project_id"],
            "memory_mb": flavor["ram"],
            "local_gb": flavor["disk"] + flavor["ephemeral"],
            "vcpus": flavor["vcpus"],
            "started_at": began.strftime("%Y-%m-%dT%H:%M:%S.%f"),
            "ended_at": None,
            "state": server["vm_state"],
            "uptime": int(seconds),
        }
