"""QoS policies with their rules (Networking API v2.0, ``/v2.0/qos/policies``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.resources.base import Wire
from pumphouse.resources.fields import carry, refer, unordered
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.network.wire import BOOKKEEPING, NetworkType, shared_twin

#: Fields of a rule that say nothing outside its own database.
OWN = ("id", "qos_policy_id", "tenant_id", "project_id", "revision_number", "created_at", "updated_at")


def rules(value: Any) -> Any:
    """Rules by what they say, in no order; a value that is null in one release is left out in another."""
    said = [{k: v for k, v in rule.items() if k not in OWN and v is not None} for rule in value or ()]
    return unordered(said)


class QosPolicy(NetworkType):
    """A policy and all its rules, of every kind; a shared one of the same name stands in."""

    type = "qos_policy"
    unit = "qos_policy"
    collection = "qos/policies"
    rbac = "qos_policy"
    extension = "qos"
    owned = True
    fields = (
        *BOOKKEEPING,
        carry("name", "not unique", match=True),
        refer("project_id", "project", "the project that owns it", match=True),
        carry("description", "free text"),
        carry("shared", "whether every project may use it"),
        carry("is_default", "taken for new networks of the project", extension="qos-default"),
        carry("rules", "bandwidth_limit, dscp_marking, minimum_bandwidth, packet_rate_limit, ...",
              post=False, normal=rules),
        carry("tags", "simple labels", normal=unordered),
    )  # fmt: skip

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """The project's own, else a shared one."""
        return super().find(inventory, wanted, source) or shared_twin(self, inventory, wanted)

    def clash(self, found: Wire, wanted: Wire, source: Wire) -> Sequence[str]:
        """It would limit otherwise."""
        return [] if rules(found.get("rules")) == rules(source.get("rules")) else ["rules"]

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """The policy, then each rule by the call of its kind."""
        made = super().create(cloud, wanted)
        with self.completed(cloud, made["id"]):
            for rule in wanted.get("rules") or ():
                body = {k: v for k, v in rule.items() if k not in (*OWN, "type") and v is not None}
                cloud.network.create(f"{self.collection}/{made['id']}/{rule['type']}_rules", body)
        return made
