"""Limits of a project's servers (Compute API, ``/os-quota-sets/{project}``)."""

from __future__ import annotations

from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing
from pumphouse.resources.fields import Wire, carry, refer, report
from pumphouse.resources.quota import DEFAULTS, QuotaType

OLD = "of nova-network; Neutron has limits of its own"


class ComputeQuota(QuotaType):
    """What a project may have of servers, where that differs from the default; -1 is no limit."""

    type = "compute_quota"
    fields = (
        refer("id", "project", "whose limits they are", match=True),
        carry("instances", "servers"),
        carry("cores", "virtual CPUs"),
        carry("ram", "MiB of memory"),
        carry("key_pairs", "key pairs of each user"),
        carry("metadata_items", "entries in each server's metadata"),
        carry("server_groups", "server groups"),
        carry("server_group_members", "servers in each group"),
        carry("injected_files", "files written into each server (until microversion 2.56)"),
        carry("injected_file_content_bytes", "size of each such file (until microversion 2.56)"),
        carry("injected_file_path_bytes", "length of each such path (until microversion 2.56)"),
        report("fixed_ips", OLD),
        report("floating_ips", OLD),
        report("security_groups", OLD),
        report("security_group_rules", OLD),
        report(DEFAULTS, "each cloud has its own defaults"),
    )

    def read(self, cloud: Cloud, project_id: str, default: bool = False) -> Wire:
        """GET, at the newest microversion known."""
        quotas = cloud.compute.quotas
        found: Any = quotas.defaults(project_id) if default else quotas.get(project_id)
        return dict(found.to_dict())

    def write(self, cloud: Cloud, project_id: str, limits: Wire) -> None:
        """PUT. By force: a limit may be lower than what is in use, as it may be in the source."""
        cloud.compute.quotas.update(project_id, force=True, **limits)

    def delete(self, cloud: Cloud, id_: str) -> None:
        """DELETE: the defaults hold again."""
        with ignore_missing():
            cloud.compute.quotas.delete(id_)
