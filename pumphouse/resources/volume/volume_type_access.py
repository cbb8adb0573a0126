"""Which projects may use a private volume type (Block Storage API v3, ``/types/{type}/os-volume-type-access``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing, or_none
from pumphouse.resources.base import Named, ResourceType, Wire, Wires, unnamed
from pumphouse.resources.fields import refer
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.volume.volume_type import VolumeType


class VolumeTypeAccess(ResourceType):
    """That a project may use a private volume type. "type/project" stands for it."""

    type = "volume_type_access"
    again = True
    unit = "volume_type"
    parent = "volume_type"
    home = "volume_type_id"
    owned = True
    plural = "private volume types"
    #: A project is not carried only because a type is open to it.
    guest = "project_id"
    fields = (
        refer("volume_type_id", "volume_type", "what may be used", match=True),
        refer("project_id", "project", "by whom", match=True),
    )

    def id(self, resource: Wire) -> str:
        """type/project."""
        return f"{resource['volume_type_id']}/{resource['project_id']}"

    def name(self, resource: Wire, named: Named = unnamed) -> str:
        """To whom."""
        return f"open to {named('project', resource['project_id'])}"

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """Which private types a project may use."""
        found = self.list_for(cloud, VolumeType().list(cloud))
        return [access for access in found if access["project_id"] == scope.get("project_id")]

    def list_for(self, cloud: Cloud, parents: Iterable[Wire]) -> Wires:
        """Who may use these types; Cinder has no list over several types, and none for public ones."""
        return [
            access
            for type_ in parents
            if not type_.get("os-volume-type-access:is_public", True)
            for access in self._of(cloud, type_["id"])
        ]

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One entry of a type's list; a public type, which has no list, is open to every project."""
        id_, _, project = id_.partition("/")
        type_ = or_none(lambda: cloud.volume.volume_types.get(id_).to_dict())
        if type_ and type_.get("os-volume-type-access:is_public", True):
            return {"volume_type_id": id_, "project_id": project}
        return next((access for access in self._of(cloud, id_) if access["project_id"] == project), None)

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """The same pair."""
        return self.get(inventory.cloud, self.id(wanted))

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """Action addProjectAccess, unless the type is open to all."""
        if self.get(cloud, self.id(wanted)):
            return wanted
        cloud.volume.volume_type_access.add_project_access(wanted["volume_type_id"], wanted["project_id"])
        return wanted

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Action removeProjectAccess; a public type has no list."""
        type_, _, project = id_.partition("/")
        if not self._of(cloud, type_):
            return
        with ignore_missing():
            cloud.volume.volume_type_access.remove_project_access(type_, project)

    def _of(self, cloud: Cloud, type_: str) -> Wires:
        with ignore_missing():
            return [
                {"volume_type_id": entry.volume_type_id, "project_id": entry.project_id}
                for entry in cloud.volume.volume_type_access.list(type_)
            ]
        return []
