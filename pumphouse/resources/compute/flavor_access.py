"""Which projects may use a private flavor (Compute API, ``/flavors/{flavor}/os-flavor-access``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing
from pumphouse.resources.base import Named, ResourceType, Wire, Wires, unnamed
from pumphouse.resources.compute.flavor import Flavor
from pumphouse.resources.fields import refer
from pumphouse.resources.inventory import Inventory


class FlavorAccess(ResourceType):
    """That a project may use a private flavor. "flavor/project" stands for it."""

    type = "flavor_access"
    again = True
    unit = "flavor"
    parent = "flavor"
    home = "flavor_id"
    owned = True
    plural = "private flavors"
    #: A project is not carried only because a flavor is open to it.
    guest = "tenant_id"
    fields = (
        refer("flavor_id", "flavor", "what may be used", match=True),
        refer("tenant_id", "project", "by whom", match=True),
    )

    def id(self, resource: Wire) -> str:
        """flavor/project."""
        return f"{resource['flavor_id']}/{resource['tenant_id']}"

    def name(self, resource: Wire, named: Named = unnamed) -> str:
        """To whom."""
        return f"open to {named('project', resource['tenant_id'])}"

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """Which private flavors a project may use."""
        found = self.list_for(cloud, Flavor().list(cloud))
        return [access for access in found if access["tenant_id"] == scope.get("project_id")]

    def list_for(self, cloud: Cloud, parents: Iterable[Wire]) -> Wires:
        """Who may use these flavors; Nova has no list over several flavors, and none for public ones."""
        return [
            access
            for flavor in parents
            if not flavor.get("os-flavor-access:is_public", True)
            for access in self._of(cloud, flavor["id"])
        ]

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One entry of a flavor's list."""
        flavor, project = id_.split("/")
        return next((access for access in self._of(cloud, flavor) if access["tenant_id"] == project), None)

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """The same pair."""
        return self.get(inventory.cloud, self.id(wanted))

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """Action addTenantAccess."""
        cloud.compute.flavor_access.add_tenant_access(wanted["flavor_id"], wanted["tenant_id"])
        return wanted

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Action removeTenantAccess."""
        flavor, project = id_.split("/")
        with ignore_missing():
            cloud.compute.flavor_access.remove_tenant_access(flavor, project)

    def _of(self, cloud: Cloud, flavor: str) -> Wires:
        with ignore_missing():
            return [
                {"flavor_id": entry.flavor_id, "tenant_id": entry.tenant_id}
                for entry in cloud.compute.flavor_access.list(flavor=flavor)
            ]
        return []
