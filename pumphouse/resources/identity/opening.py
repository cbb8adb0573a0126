"""A disabled project or domain that is enabled for a while, so that Pumphouse can work inside; never in a plan."""

from __future__ import annotations

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import or_none
from pumphouse.resources.base import ResourceType, Wire


class Opening(ResourceType):
    """Its id is "projects/ID" or "domains/ID". It is there as long as that is enabled; removing it disables it."""

    type = "opening"
    unit = "identity"
    fields = ()

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """None where the project is gone, or disabled again."""
        manager, _, where = id_.partition("/")
        found = or_none(lambda: getattr(cloud.identity, manager).get(where).to_dict())
        return {"id": id_} if found and found.get("enabled", True) else None

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """Enable it."""
        self._set(cloud, wanted["id"], True)
        return wanted

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Disable it again."""
        if self.get(cloud, id_):
            self._set(cloud, id_, False)

    def _set(self, cloud: Cloud, id_: str, enabled: bool) -> None:
        manager, _, where = id_.partition("/")
        getattr(cloud.identity, manager).update(where, enabled=enabled)
