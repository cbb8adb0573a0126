"""Volume types with their extra specs (Block Storage API v3, ``/types``), matched by name."""

from __future__ import annotations

from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing, or_none
from pumphouse.names import suggestion
from pumphouse.resources.base import ResourceType, Wire, Wires
from pumphouse.resources.fields import carry, report, text
from pumphouse.resources.inventory import Inventory

#: The extra spec that says on which backend the volumes of a type are.
BACKEND = "volume_backend_name"
#: Extra specs that only backends with the capability of the same name can serve.
CAPABILITIES = ("multiattach",)
YES = "<is> True"


class VolumeType(ResourceType):
    """A type of the destination with the same name stands in as it is, or else one that its backends can serve."""

    type = "volume_type"
    unit = "volume_type"
    mapping = "volume_types"
    fields = (
        report("id", "chosen by the destination"),
        carry("name", "unique in the cloud", match=True),
        carry("description", "free text", normal=text),
        carry("extra_specs", "the backend and its abilities; an existing type keeps its own"),
        carry("os-volume-type-access:is_public", "whether every project may use it"),
        report("is_public", "the same, said twice"),
        report("qos_specs_id", "its limits, see volume_type_qos"),
    )

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """All types, private ones too."""
        return [found.to_dict() for found in cloud.volume.volume_types.list(is_public=None)]

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One type."""
        return or_none(lambda: dict(cloud.volume.volume_types.get(id_).to_dict()))

    def obstacle(self, resource: Wire, source: Inventory, destination: Inventory) -> str | None:
        """A type whose backend or abilities the destination does not have."""
        there = destination.list(self.type)
        specs = resource.get("extra_specs") or {}
        why = _why_not(specs, pools(destination.cloud)) if set(specs) & {BACKEND, *CAPABILITIES} else None
        if why is None:
            return None
        hint = suggestion(resource["name"], (found["name"] for found in there))
        return f"no volume type of this name in the destination, and {why}: map it (mappings.volume_types); {hint}"

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """POST /types, then its extra specs."""
        types = cloud.volume.volume_types
        public = wanted.get("os-volume-type-access:is_public", True)
        made = types.create(wanted["name"], wanted.get("description"), public)
        if specs := wanted.get("extra_specs"):
            try:
                made.set_keys(specs)
            except Exception:
                self.delete(cloud, made.id)
                raise
        return dict(types.get(made.id).to_dict())

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Remove it."""
        with ignore_missing():
            cloud.volume.volume_types.delete(id_)


def pools(cloud: Cloud) -> Wires:
    """Capabilities of each pool of the cloud's backends (``/scheduler-stats/get_pools``)."""
    return [dict(pool.to_dict()["capabilities"]) for pool in cloud.volume.pools.list(detailed=True)]


def _why_not(specs: Wire, there: Wires) -> str | None:
    """Which extra spec no pool serves."""
    able = there
    if backend := specs.get(BACKEND):
        able = [pool for pool in there if pool.get(BACKEND) == backend]
        if not able:
            known = ", ".join(sorted({str(pool.get(BACKEND)) for pool in there})) or "none"
            return f"no backend is called {backend!r} (there is: {known})"
    for ability in CAPABILITIES:
        if specs.get(ability) == YES and not any(pool.get(ability) in (True, "True") for pool in able):
            return f"no backend for it has the ability {ability}"
    return None
