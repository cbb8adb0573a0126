"""Limits of projects."""

from __future__ import annotations

from typing import Any

from flask import request

from pumphouse.embedded.network import checks
from pumphouse.embedded.network.errors import conflict, forbidden, malformed
from pumphouse.embedded.network.part import Part
from pumphouse.embedded.service import Json, RefusedError

#: What is counted -> its collection, and the default limit.
LIMITS: dict[str, tuple[str, int]] = {
    "network": ("networks", 100),
    "subnet": ("subnets", 100),
    "subnetpool": ("subnetpools", -1),
    "port": ("ports", 500),
    "router": ("routers", 10),
    "floatingip": ("floatingips", 50),
    "rbac_policy": ("rbac_policies", 10),
    "security_group": ("security_groups", 10),
    "security_group_rule": ("security_group_rules", 100),
    "trunk": ("trunks", -1),
}
DEFAULTS = {name: limit for name, (_, limit) in LIMITS.items()}


class Quotas(Part):
    """All projects' limits, and what they use of them."""

    def of(self, project_id: str) -> dict[str, int]:
        """A project's limits."""
        return {**DEFAULTS, **self.service.state.quotas.get(project_id, {})}

    def used(self, name: str, project_id: str) -> int:
        """How many a project has."""
        return self.service.state.tables[LIMITS[name][0]].count("project_id", project_id)

    def check(self, name: str, project_id: str, more: int) -> None:
        """Refuse (409) what would be too many. What is nobody's is not counted."""
        limit = self.of(project_id)[name]
        if project_id and 0 <= limit < self.used(name, project_id) + more:
            raise conflict("OverQuota", f"Quota exceeded for resources: ['{name}'].")

    # --- the calls

    def index(self) -> Json:
        """GET of all that differ from the defaults."""
        self._operators("get_quota")
        found = [{**self.of(id_), "tenant_id": id_, "project_id": id_} for id_ in self.service.state.quotas]
        return {"quotas": found}

    def show(self, project_id: str) -> Json:
        """GET of a project's."""
        self._readers(project_id)
        return {"quota": self.of(project_id)}

    def default(self, project_id: str) -> Json:
        """GET of what everybody has."""
        self._readers(project_id)
        return {"quota": dict(DEFAULTS)}

    def details(self, project_id: str) -> Json:
        """GET with what is used."""
        token = self.service.token
        if not token.admin and project_id != token.project_id:
            reason = "Only admin is authorized to access quotas for another project"
            raise RefusedError(403, f"User does not have admin privileges: {reason}.", "AdminRequired")
        return {
            "quota": {
                name: {"limit": limit, "used": self.used(name, project_id), "reserved": 0}
                for name, limit in self.of(project_id).items()
            }
        }

    def update(self, project_id: str) -> Json:
        """PUT."""
        self._operators("update_quota")
        given: Any = (request.get_json(force=True, silent=True) or {}).get("quota")
        if not isinstance(given, dict):
            raise malformed("Unable to find 'quota' in request body")
        asked, limits = dict(given), {}
        for name in ("tenant_id", "project_id"):
            asked.pop(name, None)
        # Newer releases refuse by themselves, and are forced; older ones refuse when they are asked to look.
        ovn = self.service.backend == "ovn"
        force = checks.boolean(asked.pop("force", False))
        look = checks.boolean(asked.pop("check_limit", False)) or (ovn and not force)
        for name, value in asked.items():
            if name not in LIMITS:
                raise malformed(f"Unrecognized attribute(s) '{name}'")
            limits[name] = self._limit(name, value)
        if look:
            self._check_used(project_id, limits)
        self.service.state.quotas.setdefault(project_id, {}).update(limits)
        return {"quota": self.of(project_id)}

    def delete(self, project_id: str) -> None:
        """DELETE: the defaults hold again."""
        self._operators("delete_quota")
        self.service.state.quotas.pop(project_id, None)

    def _limit(self, name: str, value: Any) -> int:
        limit = checks.integer(value)
        if limit < -1:
            raise malformed(f"Invalid input for {name}. Reason: '{value}' is too small - must be at least '-1'.")
        return limit

    def _check_used(self, project_id: str, limits: Json) -> None:
        for name, limit in limits.items():
            used = self.used(name, project_id)
            if 0 <= limit < used:
                raise malformed(f"Quota limit {limit} for {name} must be greater than or equal to already used {used}")

    def _operators(self, rule: str) -> None:
        if not self.service.token.admin:
            raise forbidden(f"rule:{rule}")

    def _readers(self, project_id: str) -> None:
        if not self.service.token.admin and project_id != self.service.token.project_id:
            raise forbidden("rule:get_quota")
