"""Server groups: which servers belong together or apart (Compute API, ``/os-server-groups``)."""

from __future__ import annotations

from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing, or_none
from pumphouse.resources.base import ResourceType, Wire, Wires
from pumphouse.resources.fields import carry, refer, report, some

#: So many are asked for at once.
PAGE = 500
#: From here on a group has one policy, with rules; before, a list of one.
ONE_POLICY = (2, 64)


def rules(value: Any) -> Any:
    """Rules, whether their numbers are told as texts or not."""
    return {name: str(number) for name, number in (value or {}).items()}


class ServerGroup(ResourceType):
    """A server group. A server joins it only when it is booted: groups come before their servers."""

    type = "server_group"
    unit = "server_group"
    owned = True
    #: A group belongs to the project of whoever makes it.
    inside = True
    fields = (
        report("id", "chosen by the destination"),
        carry("name", "not unique", match=True),
        refer("project_id", "project", "the project that owns it", match=True),
        carry("policy", "affinity, anti-affinity, or the soft ones", match=True),
        carry("rules", "such as max_server_per_host (from microversion 2.64)", match=True, normal=rules),
        report("members", "each server is booted into its group"),
        report("metadata", "never used by Nova", worth=some),
        report("policies", "the policy, before microversion 2.64"),
        report("user_id", "the account that Pumphouse works with"),
    )

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """All groups, or a project's; Nova has no filter by project."""
        manager = cloud.compute.server_groups
        found: Wires = []
        while True:
            page = [_wire(group) for group in manager.list(all_projects=True, limit=PAGE, offset=len(found))]
            seen = {group["id"] for group in found}
            fresh = [group for group in page if group["id"] not in seen]
            found += fresh
            # A server gives fewer than asked for where its own limit is smaller.
            if not fresh:
                break
        project = scope.get("project_id")
        return [group for group in found if project in (None, group.get("project_id"))]

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One group."""
        return or_none(lambda: _wire(cloud.compute.server_groups.get(id_)))

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """POST, from within the project."""
        inside = cloud.as_project(wanted["project_id"])
        manager = inside.compute.server_groups
        if cloud.microversion("compute") < ONE_POLICY:
            return _wire(manager.create(wanted["name"], [wanted["policy"]]))
        return _wire(manager.create(wanted["name"], wanted["policy"], rules=wanted.get("rules") or None))

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Remove it."""
        with ignore_missing():
            cloud.compute.server_groups.delete(id_)


def groups_of(cloud: Cloud) -> dict[str, list[str]]:
    """Server id -> ids of its groups (before microversion 2.71, and in lists, Nova does not tell it there)."""
    found: dict[str, list[str]] = {}
    for group in ServerGroup().list(cloud):
        for server in group.get("members") or ():
            found.setdefault(server, []).append(group["id"])
    return found


def _wire(group: Any) -> Wire:
    wire = dict(group.to_dict())
    if "policy" not in wire:
        wire["policy"] = next(iter(wire.get("policies") or ()), None)
        wire["rules"] = {}
    return wire
