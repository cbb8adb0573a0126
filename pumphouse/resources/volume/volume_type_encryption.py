"""How volumes of a type are encrypted (Block Storage API v3, ``/types/{type}/encryption``); no keys are here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing, or_none
from pumphouse.resources.base import Named, ResourceType, Wire, Wires, unnamed
from pumphouse.resources.fields import carry, refer, report
from pumphouse.resources.inventory import Inventory


class VolumeTypeEncryption(ResourceType):
    """The encryption settings of a volume type, which has one at most: the type's id stands for them."""

    type = "volume_type_encryption"
    again = True
    unit = "volume_type"
    parent = "volume_type"
    home = "volume_type_id"
    only_with = "volume_type"
    plural = "encryption settings of volume types"
    fields = (
        refer("volume_type_id", "volume_type", "whose volumes are encrypted", match=True),
        report("encryption_id", "chosen by the destination"),
        carry("provider", "luks, luks2 or plain"),
        carry("cipher", "algorithm and mode", omit_null=True),
        carry("key_size", "bits", omit_null=True),
        carry("control_location", "who encrypts: front-end (Nova) or back-end"),
        report("created_at", "a time in the source"),
        report("updated_at", "a time in the source"),
        report("deleted", "false for all that are shown"),
        report("deleted_at", "a time in the source"),
    )

    def id(self, resource: Wire) -> str:
        """The type's id."""
        return str(resource["volume_type_id"])

    def name(self, resource: Wire, named: Named = unnamed) -> str:
        """Of which type."""
        return f"encryption of {named('volume_type', resource['volume_type_id'])}"

    def list_for(self, cloud: Cloud, parents: Iterable[Wire]) -> Wires:
        """One request for each type; Cinder has no list over several."""
        found = (self.get(cloud, type_["id"]) for type_ in parents)
        return [settings for settings in found if settings]

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """A type's settings; of one that has none Cinder answers with an empty object."""
        found: Any = or_none(lambda: cloud.volume.volume_encryption_types.get(id_).to_dict())
        return dict(found) if found and found.get("provider") else None

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """What the counterpart of the type has."""
        return self.get(inventory.cloud, wanted["volume_type_id"])

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """POST /types/{type}/encryption, unless an interrupted attempt has done so."""
        if there := self.get(cloud, wanted["volume_type_id"]):
            return there
        body = {key: value for key, value in self.body(wanted).items() if key != "volume_type_id"}
        made = cloud.volume.volume_encryption_types.create(wanted["volume_type_id"], body)
        return {**made.to_dict(), "volume_type_id": wanted["volume_type_id"]}

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Remove them."""
        with ignore_missing():
            cloud.volume.volume_encryption_types.delete(id_)
