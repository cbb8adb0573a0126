"""Limits of volumes (Block Storage API v3, ``/qos-specs``), each for one or several volume types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing, or_none
from pumphouse.resources.base import ResourceType, Wire, Wires
from pumphouse.resources.fields import carry, report


class QosSpec(ResourceType):
    """QoS specs; made only with a volume type that is made."""

    type = "qos_spec"
    unit = "volume_type"
    plural = "QoS specs"
    only_with = "volume_type_qos"
    fields = (
        report("id", "chosen by the destination"),
        carry("name", "unique in the cloud", match=True),
        carry("consumer", "who applies them: front-end, back-end or both"),
        carry("specs", "the limits"),
    )

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """All of them."""
        return [found.to_dict() for found in cloud.volume.qos_specs.list()]

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One of them."""
        return or_none(lambda: dict(cloud.volume.qos_specs.get(id_).to_dict()))

    def clash(self, found: Wire, wanted: Wire, source: Wire) -> Sequence[str]:
        """Other limits under the same name."""
        return [name for name in ("consumer", "specs") if found.get(name) != wanted.get(name)]

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """POST /qos-specs: the limits and the consumer are in one object there."""
        made = cloud.volume.qos_specs.create(wanted["name"], {**wanted["specs"], "consumer": wanted["consumer"]})
        return dict(made.to_dict())

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Remove them; refused while a type has them."""
        with ignore_missing():
            cloud.volume.qos_specs.delete(id_)
