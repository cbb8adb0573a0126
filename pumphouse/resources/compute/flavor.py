"""Flavors with their extra specs (Compute API, ``/flavors``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing, is_conflict, or_none
from pumphouse.resources.base import ResourceType, Wire, Wires
from pumphouse.resources.fields import carry, keep, report, some


def _number(value: Any) -> float:
    """Before microversion 2.75 no swap is "", afterwards 0."""
    return float(value or 0)


class Flavor(ResourceType):
    """A flavor; one of the same name serves if it has the same size and extra specs."""

    type = "flavor"
    unit = "flavor"
    mapping = "flavors"
    fields = (
        keep("id", "kept when it is free in the destination"),
        carry("name", "unique in the cloud", match=True),
        carry("ram", "MiB"),
        carry("vcpus", "virtual CPUs"),
        carry("disk", "root disk, GiB; 0: the image's own size"),
        carry("OS-FLV-EXT-DATA:ephemeral", "GiB", normal=_number),
        carry("swap", "MiB", normal=_number),
        carry("rxtx_factor", "for old network drivers", normal=_number),
        carry("os-flavor-access:is_public", "whether every project may use it"),
        carry("description", "free text (from microversion 2.55)", omit_null=True),
        carry("extra_specs", "what the scheduler and the driver are told"),
        report("OS-FLV-DISABLED:disabled", "deprecated, cannot be set", worth=some),
        report("links", "addresses in the source's API"),
    )
    #: The fields in which an existing flavor of that name must agree.
    essential = ("ram", "vcpus", "disk", "OS-FLV-EXT-DATA:ephemeral", "swap", "extra_specs")

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """All flavors, private ones too."""
        return [_wire(flavor) for flavor in cloud.compute.flavors.list(is_public=None, limit=None)]

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One flavor."""
        return or_none(lambda: _wire(cloud.compute.flavors.get(id_)))

    def clash(self, found: Wire, wanted: Wire, source: Wire) -> Sequence[str]:
        """Another size under the same name."""
        essential = (field for field in self.fields if field.name in self.essential)
        return [f.name for f in essential if not f.same(found.get(f.name), wanted.get(f.name))]

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """POST /flavors, then its extra specs. The id is another one only if the source's is taken."""
        arguments = {
            "name": wanted["name"],
            "ram": wanted["ram"],
            "vcpus": wanted["vcpus"],
            "disk": wanted["disk"],
            "ephemeral": wanted.get("OS-FLV-EXT-DATA:ephemeral") or 0,
            "swap": wanted.get("swap") or 0,
            "rxtx_factor": wanted.get("rxtx_factor") or 1.0,
            "is_public": wanted.get("os-flavor-access:is_public", True),
        }
        if wanted.get("description") is not None:
            arguments["description"] = wanted["description"]
        flavors = cloud.compute.flavors
        try:
            made = flavors.create(flavorid=wanted.get("id") or "auto", **arguments)
        except Exception as error:
            if not is_conflict(error) or self._named(cloud, wanted["name"]):
                raise
            made = flavors.create(flavorid="auto", **arguments)
        with self.completed(cloud, made.id):
            if wanted.get("extra_specs"):
                made.set_keys(wanted["extra_specs"])
            return _wire(flavors.get(made.id))

    def _named(self, cloud: Cloud, name: str) -> bool:
        return any(flavor["name"] == name for flavor in self.list(cloud))

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Remove it."""
        with ignore_missing():
            cloud.compute.flavors.delete(id_)


def _wire(flavor: Any) -> Wire:
    """A flavor's wire form; before microversion 2.61 the extra specs take a request of their own."""
    wire: Wire = flavor.to_dict()
    if "extra_specs" not in wire:
        wire["extra_specs"] = flavor.get_keys()
    return wire
