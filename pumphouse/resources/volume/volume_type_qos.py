"""Which QoS specs a volume type has (Block Storage API v3, ``/qos-specs/{id}/associate``)."""

from __future__ import annotations

from collections.abc import Iterable

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing, or_none
from pumphouse.resources.base import Named, ResourceType, Wire, Wires, unnamed
from pumphouse.resources.fields import refer
from pumphouse.resources.inventory import Inventory


class VolumeTypeQos(ResourceType):
    """That a volume type has these QoS specs. "type/specs" stands for it."""

    type = "volume_type_qos"
    again = True
    unit = "volume_type"
    parent = "volume_type"
    home = "volume_type_id"
    only_with = "volume_type"
    fields = (
        refer("volume_type_id", "volume_type", "what is limited", match=True),
        refer("qos_specs_id", "qos_spec", "by what", match=True),
    )

    def id(self, resource: Wire) -> str:
        """type/specs."""
        return f"{resource['volume_type_id']}/{resource['qos_specs_id']}"

    def name(self, resource: Wire, named: Named = unnamed) -> str:
        """By what."""
        return f"limited by {named('qos_spec', resource['qos_specs_id'])}"

    def list_for(self, cloud: Cloud, parents: Iterable[Wire]) -> Wires:
        """The types themselves tell."""
        return [
            {"volume_type_id": type_["id"], "qos_specs_id": type_["qos_specs_id"]}
            for type_ in parents
            if type_.get("qos_specs_id")
        ]

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """A type's specs, if it has these."""
        id_, _, specs = id_.partition("/")
        type_ = or_none(lambda: cloud.volume.volume_types.get(id_).to_dict())
        return next(
            (one for one in self.list_for(cloud, [type_] if type_ else []) if one["qos_specs_id"] == specs), None
        )

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """The same pair."""
        return self.get(inventory.cloud, self.id(wanted))

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """Action associate."""
        cloud.volume.qos_specs.associate(wanted["qos_specs_id"], wanted["volume_type_id"])
        return wanted

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Action disassociate."""
        type_, _, specs = id_.partition("/")
        with ignore_missing():
            cloud.volume.qos_specs.disassociate(specs, type_)
