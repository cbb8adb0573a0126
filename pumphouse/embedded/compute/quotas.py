"""Limits of projects, what they have of them, and whether one more server fits."""

from __future__ import annotations

from typing import Any

from flask import request

from pumphouse.embedded.compute import schemas
from pumphouse.embedded.compute.base import Base
from pumphouse.embedded.compute.state import QUOTAS, Json
from pumphouse.embedded.service import RefusedError, route

#: Not told any more from microversion 2.36, and from 2.57 on.
OF_NETWORK = ("fixed_ips", "floating_ips", "security_group_rules", "security_groups")
OF_FILES = ("injected_files", "injected_file_content_bytes", "injected_file_path_bytes")
#: Limit -> names in ``/limits``.
ABSOLUTE = {
    "ram": ("maxTotalRAMSize",),
    "instances": ("maxTotalInstances",),
    "cores": ("maxTotalCores",),
    "key_pairs": ("maxTotalKeypairs",),
    "floating_ips": ("maxTotalFloatingIps",),
    "metadata_items": ("maxServerMeta", "maxImageMeta"),
    "injected_files": ("maxPersonality",),
    "injected_file_content_bytes": ("maxPersonalitySize",),
    "security_groups": ("maxSecurityGroups",),
    "security_group_rules": ("maxSecurityGroupRules",),
    "server_groups": ("maxServerGroups",),
    "server_group_members": ("maxServerGroupMembers",),
}
USED = {
    "totalRAMUsed": "ram",
    "totalCoresUsed": "cores",
    "totalInstancesUsed": "instances",
    "totalFloatingIpsUsed": "floating_ips",
    "totalSecurityGroupsUsed": "security_groups",
    "totalServerGroupsUsed": "server_groups",
}
COUNTED = ("instances", "cores", "ram")


class Quotas(Base):
    """``/os-quota-sets``, ``/limits``."""

    def quotas_of(self, project_id: str | None) -> dict[str, int]:
        """A project's limits; -1 is none."""
        return {**QUOTAS, **self.state.quotas.get(project_id or "", {})}

    def use(self, project_id: str, flavor: Json, sign: int = 1) -> None:
        """Count a server of this size; ``sign`` -1: no more."""
        used = self.state.used.setdefault(project_id, dict.fromkeys(COUNTED, 0))
        for kind, amount in zip(COUNTED, (1, flavor["vcpus"], flavor["ram"]), strict=True):
            used[kind] += sign * amount

    def room_for(self, project_id: str, flavor: Json, least: int, most: int) -> int:
        """How many of ``most`` servers fit into the project's limits. Refuses when it is less than ``least``."""
        limits, used = self.quotas_of(project_id), self._in_use(project_id)
        each = {"instances": 1, "cores": flavor["vcpus"], "ram": flavor["ram"]}
        free = {kind: limits[kind] - used[kind] for kind in COUNTED if limits[kind] >= 0}
        fit = min([most, *(left // each[kind] for kind, left in free.items() if each[kind])])
        if fit >= least:
            return fit
        overs = sorted(kind for kind, left in free.items() if each[kind] * most > left)
        asked = {kind: f"{least}-{most}" if kind == "instances" and least != most else each[kind] * most
                 for kind in overs}  # fmt: skip
        raise RefusedError(403, self._over(overs, asked, used, limits))

    def room_to_grow(self, project_id: str, old: Json, new: Json) -> None:
        """Refuse a resize that the project's limits do not allow."""
        limits, used = self.quotas_of(project_id), self._in_use(project_id)
        more = {"cores": new["vcpus"] - old["vcpus"], "ram": new["ram"] - old["ram"]}
        overs = sorted(k for k, amount in more.items() if amount > 0 and 0 <= limits[k] < used[k] + amount)
        if overs:
            raise RefusedError(403, self._over(overs, more, used, limits))

    def _over(self, overs: list[str], asked: dict[str, Any], used: dict[str, int], limits: dict[str, int]) -> str:
        def told(table: dict[str, Any]) -> str:
            return ", ".join(str(table[kind]) for kind in overs)

        names, have = ", ".join(overs), f"{told(used)} of {told(limits)}"
        return f"Quota exceeded for {names}: Requested {told(asked)}, but already used {have} {names}"

    def _in_use(self, project_id: str) -> dict[str, int]:
        groups = sum(group["project_id"] == project_id for group in self.state.groups.values())
        counted = self.state.used.get(project_id, dict.fromkeys(COUNTED, 0))
        return {**dict.fromkeys(QUOTAS, 0), **counted, "server_groups": groups}

    # --- os-quota-sets ---

    @route("GET", "/v2.1/os-quota-sets/<project_id>")
    def show_quotas(self, project_id: str) -> Json:
        """A project's limits."""
        self._check("show", project_id)
        return {"quota_set": {"id": project_id, **self._shown(self.quotas_of(project_id))}}

    @route("GET", "/v2.1/os-quota-sets/<project_id>/detail")
    def detail_quotas(self, project_id: str) -> Json:
        """With what is in use."""
        self._check("detail", project_id)
        used = self._in_use(project_id)
        told = self._shown(self.quotas_of(project_id))
        detail = {kind: {"in_use": used[kind], "limit": limit, "reserved": 0} for kind, limit in told.items()}
        return {"quota_set": {"id": project_id, **detail}}

    @route("GET", "/v2.1/os-quota-sets/<project_id>/defaults")
    def default_quotas(self, project_id: str) -> Json:
        """Of a project about which nothing was said."""
        self._check("defaults", project_id)
        return {"quota_set": {"id": project_id, **self._shown(QUOTAS)}}

    @route("PUT", "/v2.1/os-quota-sets/<project_id>")
    def update_quotas(self, project_id: str) -> Json:
        """Set some; below what is in use only by force."""
        self._check("update", project_id)
        limit = {"type": ["integer", "string"], "pattern": "^-?[0-9]+$", "minimum": -1, "maximum": schemas.LARGEST}
        properties = dict.fromkeys(self._shown(QUOTAS), limit)
        given = schemas.checked("quota_set", schemas.thing((), force=schemas.BOOLEAN, **properties))
        force = schemas.truth(given.pop("force", False))
        used, wanted = self._in_use(project_id), {kind: int(value) for kind, value in given.items()}
        for kind, value in wanted.items():
            if not force and 0 <= value < used[kind]:
                message = (
                    f"Quota limit {value} for {kind} must be greater than or equal to already used and "
                    f"reserved {used[kind]}."
                )
                raise RefusedError(400, message)
        self.state.quotas.setdefault(project_id, {}).update(wanted)
        return {"quota_set": self._shown(self.quotas_of(project_id))}

    @route("DELETE", "/v2.1/os-quota-sets/<project_id>")
    def delete_quotas(self, project_id: str) -> tuple[None, int]:
        """The defaults hold again."""
        self.demand("os-quota-sets:delete")
        self.state.quotas.pop(project_id, None)
        return None, 202

    def _check(self, verb: str, project_id: str) -> None:
        self.demand(f"os-quota-sets:{verb}", project_id)
        if self.cloud.identity.project(project_id) is None:
            raise RefusedError(400, f"Project ID {project_id} is not a valid project.")

    def _shown(self, limits: dict[str, int]) -> dict[str, int]:
        hidden = (*OF_NETWORK, *OF_FILES) if self.since(57) else OF_NETWORK if self.since(36) else ()
        return {kind: limits[kind] for kind in QUOTAS if kind not in hidden}

    # --- limits ---

    @route("GET", "/v2.1/limits")
    def list_limits(self) -> Json:
        """Limits and use of the token's project, or of another one's for administrators."""
        project = request.args.get("tenant_id") or self.token.project_id or ""
        if "tenant_id" in request.args:
            self.demand("limits:other_project")
        told = (*OF_NETWORK, *OF_FILES) if self.since(57) else OF_NETWORK if self.since(36) else ()
        limits, used = self.quotas_of(project), self._in_use(project)
        absolute = {
            name: limits[kind]
            for kind, names in ABSOLUTE.items()
            for name in names
            if kind not in told and not (name == "maxImageMeta" and self.since(39))
        }
        absolute |= {name: used[kind] for name, kind in USED.items() if kind not in told}
        return {"limits": {"rate": [], "absolute": absolute}}
