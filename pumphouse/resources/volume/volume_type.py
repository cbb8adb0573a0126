"""Volume types (Block Storage API v3, ``/types``), matched by name."""

from __future__ import annotations

from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import or_none
from pumphouse.resources.base import ResourceType, Wire, Wires
from pumphouse.resources.fields import carry, report
from pumphouse.resources.inventory import Inventory


class VolumeType(ResourceType):
    """A type of the destination with the same name stands in: its backend is the destination's own."""

    type = "volume_type"
    unit = "volume_type"
    mapping = "volume_types"
    fields = (
        report("id", "chosen by the destination"),
        carry("name", "unique in the cloud", match=True),
        report("description", "the destination's own"),
        report("extra_specs", "choose the destination's own backend"),
        report("is_public", "the destination's own"),
        report("os-volume-type-access:is_public", "the destination's own"),
        report("qos_specs_id", "the destination's own"),
    )

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """All types, private ones too."""
        return [found.to_dict() for found in cloud.volume.volume_types.list(is_public=None)]

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One type."""
        return or_none(lambda: dict(cloud.volume.volume_types.get(id_).to_dict()))

    def obstacle(self, resource: Wire, source: Inventory, destination: Inventory) -> str | None:
        """Types are not made: their backends are a matter of the destination."""
        names = sorted(found["name"] for found in destination.list(self.type))
        if resource["name"] in names:
            return None
        return f"the destination has no volume type of this name; make one (it has: {', '.join(names)})"
