"""Limits of a project's networks (Networking API v2.0, ``/quotas/{project}``)."""

from __future__ import annotations

from pumphouse.clouds.cloud import Cloud
from pumphouse.resources.fields import Wire, carry, refer, report
from pumphouse.resources.quota import DEFAULTS, QuotaType


class NetworkQuota(QuotaType):
    """What a project may have of networks, where that differs from the default; -1 is no limit."""

    type = "network_quota"
    fields = (
        refer("id", "project", "whose limits they are", match=True),
        carry("network", "networks"),
        carry("subnet", "subnets"),
        carry("subnetpool", "subnet pools"),
        carry("port", "ports"),
        carry("router", "routers"),
        carry("floatingip", "floating IPs"),
        carry("rbac_policy", "shares with other projects"),
        carry("security_group", "security groups"),
        carry("security_group_rule", "rules of all security groups"),
        carry("trunk", "trunks"),
        report(DEFAULTS, "each cloud has its own defaults"),
    )

    def read(self, cloud: Cloud, project_id: str, default: bool = False) -> Wire:
        """GET; ``project_id`` and ``tenant_id``, which some releases add, are the id."""
        found = cloud.network.get("quotas", f"{project_id}/default" if default else project_id)
        return {name: value for name, value in (found or {}).items() if name not in ("project_id", "tenant_id")}

    def write(self, cloud: Cloud, project_id: str, limits: Wire) -> None:
        """PUT. By force, where a newer release would else refuse a limit below what is in use."""
        forced = {"force": True} if "quota-check-limit" in cloud.network.extensions() else {}
        cloud.network.update("quotas", project_id, {**limits, **forced})

    def delete(self, cloud: Cloud, id_: str) -> None:
        """DELETE: the defaults hold again."""
        cloud.network.delete("quotas", id_)
