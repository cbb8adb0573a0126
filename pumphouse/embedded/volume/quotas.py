"""Limits of projects, what is in use of them, and the refusal of more."""

from __future__ import annotations

from typing import Any

from flask import request

from pumphouse.embedded.service import RefusedError, body, route
from pumphouse.embedded.volume.base import Base, flag
from pumphouse.embedded.volume.state import BY_TYPE, GROUP_QUOTAS, QUOTAS, Json

#: What a request may say beside limits.
NO_LIMITS = ("tenant_id", "id")
MOST = 2**31 - 1


class Quotas(Base):
    """The part of the service that counts."""

    @route("GET", "/v3/<project_id>/os-quota-sets/<of>")
    def show_quotas(self, of: str) -> Json:
        """A project's limits; with ``usage`` also what is in use."""
        if not self.token.admin and of != self.token.project_id:
            self.demand("volume_extension:quotas:show")
        limits: Json = self.limits(of)
        if flag(request.args.get("usage", "False"), "usage"):
            limits = {
                name: {"limit": limit, "in_use": self._in_use(of, name), "reserved": 0}
                for name, limit in limits.items()
            }
        return {"quota_set": {**limits, "id": of}}

    @route("GET", "/v3/<project_id>/os-quota-sets/<of>/defaults")
    def show_default_quotas(self, of: str) -> Json:
        """The limits of projects of whom nothing is said."""
        if not self.token.admin and of != self.token.project_id:
            self.demand("volume_extension:quotas:show")
        return {"quota_set": {**self._defaults(), "id": of}}

    @route("PUT", "/v3/<project_id>/os-quota-sets/<of>")
    def set_quotas(self, of: str) -> Json:
        """Some of them; none below what is in use."""
        self.demand("volume_extension:quotas:update")
        given = {name: value for name, value in body("quota_set").items() if name not in NO_LIMITS}
        for name, value in given.items():
            given[name] = _limit(name, value)
            used = self._in_use(of, name)
            if name in self.state.quotas.get(of, {}) and name != "per_volume_gigabytes" and -1 < given[name] < used:
                text = (
                    f"Quota {name} limit must be equal or greater than existing resources. Current usage is {used} "
                    f"and the requested limit is {given[name]}."
                )
                raise RefusedError(400, text)
        self.state.quotas.setdefault(of, {}).update(given)
        return {"quota_set": self.limits(of)}

    @route("DELETE", "/v3/<project_id>/os-quota-sets/<of>")
    def reset_quotas(self, of: str) -> tuple[None, int]:
        """The defaults hold again."""
        self.demand("volume_extension:quotas:delete")
        self.state.quotas.pop(of, None)
        return None, 200

    @route("GET", "/v3/<project_id>/limits")
    def show_limits(self) -> Json:
        """The token's project's, and what is in use, in other words."""
        project = str(self.token.project_id)
        if self.token.admin and self.since(39):
            project = request.args.get("project_id") or request.args.get("tenant_id") or project
        limits = self.limits(project)
        used = self.state.used.get(project, {})
        absolute = {
            "maxTotalVolumes": limits["volumes"],
            "maxTotalVolumeGigabytes": limits["gigabytes"],
            "maxTotalSnapshots": limits["snapshots"],
            "maxTotalBackups": limits["backups"],
            "maxTotalBackupGigabytes": limits["backup_gigabytes"],
            "totalVolumesUsed": used.get("volumes", 0),
            "totalGigabytesUsed": used.get("gigabytes", 0),
            "totalSnapshotsUsed": used.get("snapshots", 0),
            "totalBackupsUsed": 0,
            "totalBackupGigabytesUsed": 0,
        }
        return {"limits": {"rate": [], "absolute": absolute}}

    def limits(self, project: str) -> dict[str, int]:
        """All of a project's."""
        return {**self._defaults(), **self._own(project)}

    def reserve(self, project: str, type_id: str, **more: int) -> None:
        """Count what a project is about to have (``volumes=1, gigabytes=2``). Refuses (413) what is too much."""
        limits, used = self.limits(project), self.state.used.get(project, {})
        called = self.state.types[type_id]["name"]
        wanted = {name: (name, count) for name, count in more.items()}
        wanted |= {f"{name}_{called}": (f"{name}/{type_id}", count) for name, count in more.items()}
        for name in sorted(wanted):
            where, count = wanted[name]
            if limits[name] != -1 and used.get(where, 0) + count > limits[name]:
                raise RefusedError(413, _too_much(name, limits[name], used.get(where, 0), more))
        self.count(project, type_id, **more)

    def fits(self, project: str, size: int) -> None:
        """Refuse (413) a volume that is too large by itself."""
        limit = self.limits(project)["per_volume_gigabytes"]
        if limit != -1 and size > limit:
            text = f"Requested volume size {size}G is larger than maximum allowed limit {limit}G."
            raise RefusedError(413, text)

    def count(self, project: str, type_id: str, **more: int) -> None:
        """Take note of what came, or went (negative)."""
        used = self.state.used.setdefault(project, {})
        for name, count in more.items():
            for where in (name, f"{name}/{type_id}"):
                used[where] = used.get(where, 0) + count

    def _defaults(self) -> dict[str, int]:
        types = reversed(self.state.types.values())
        by_type = {f"{what}_{type_['name']}": -1 for type_ in types for what in BY_TYPE}
        return {**QUOTAS, **by_type, **GROUP_QUOTAS}

    def _own(self, project: str) -> dict[str, int]:
        """Those that were set and still mean something."""
        known = self._defaults()
        return {name: value for name, value in self.state.quotas.get(project, {}).items() if name in known}

    def _in_use(self, project: str, name: str) -> int:
        used = self.state.used.get(project, {})
        for type_ in self.state.types.values():
            what, _, called = name.partition("_")
            if called == type_["name"] and what in BY_TYPE:
                return used.get(f"{what}/{type_['id']}", 0)
        return used.get(name, 0)


def _limit(name: str, value: Any) -> int:
    try:
        limit = int(value)
    except (TypeError, ValueError):
        limit = -2
    if isinstance(value, bool) or not -1 <= limit <= MOST:
        text = f"Invalid input for field/attribute {name}. Value: {value}. {value!r} is no limit"
        raise RefusedError(400, text)
    return limit


def _too_much(name: str, limit: int, used: int, more: dict[str, int]) -> str:
    """Cinder's words for a limit that is exceeded."""
    if name.startswith("gigabytes"):
        return (
            f"Requested volume or snapshot exceeds allowed {name} quota. Requested {more['gigabytes']}G, quota is "
            f"{limit}G and {used}G has been consumed."
        )
    if name.startswith("volumes"):
        return f"Maximum number of volumes allowed ({limit}) exceeded for quota '{name}'."
    return f"Maximum number of snapshots allowed ({limit}) exceeded"
