"""What all types of the Networking API v2.0 have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.resources.base import ResourceType, Wire, Wires
from pumphouse.resources.fields import Field, Lookup, report
from pumphouse.resources.inventory import Inventory

#: Fields that every resource of Neutron has and that say nothing outside its own database.
BOOKKEEPING: tuple[Field, ...] = (
    report("id", "chosen by the destination"),
    report("tenant_id", "an older name of project_id"),
    report("created_at", "a time in the source"),
    report("updated_at", "a time in the source"),
    report("revision_number", "counts changes in the source"),
    report("standard_attr_id", "a row number in the source"),
)


class NetworkType(ResourceType):
    """A collection of the Networking API."""

    unit = "network"
    #: As in the URL: "security-groups".
    collection: str
    scope = {"project_id": "project_id"}
    #: The field by which resources of a parent are found.
    parent_field: str = ""
    #: Alias of the API extension without which there are none.
    extension: str = ""
    #: What RBAC policies call it, where its field ``shared`` stands for a policy for everybody.
    rbac: str = ""

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """Those that match the scope, in pages; none where the service does not know them."""
        if not self.known(cloud):
            return []
        found = cloud.network.list(self.collection, **{k: v for k, v in scope.items() if v is not None})
        return self._with_everybody(cloud, found)

    def list_for(self, cloud: Cloud, parents: Iterable[Wire]) -> Wires:
        """Those of many parents, a hundred parents a request (the ids go into the URL)."""
        ids = [parent["id"] for parent in parents]
        found: Wires = []
        for start in range(0, len(ids), 100):
            found += self.list(cloud, **{self.parent_field: ids[start : start + 100]})
        return found

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One of them."""
        if not self.known(cloud):
            return None
        found = cloud.network.get(self.collection, id_)
        return self._with_everybody(cloud, [found])[0] if found else None

    def _with_everybody(self, cloud: Cloud, found: Wires) -> Wires:
        """``shared`` as everybody sees it: Neutron shows it to us for what is shared with our own project only, too."""
        if (
            not self.rbac
            or "rbac-policies" not in cloud.network.extensions()
            or not any(f.get("shared") for f in found)
        ):
            return found
        asked = {"object_type": self.rbac, "action": "access_as_shared", "target_tenant": "*"}
        everybody = {policy["object_id"] for policy in cloud.network.list("rbac-policies", **asked)}
        return [{**one, "shared": one["id"] in everybody} for one in found]

    def known(self, cloud: Cloud) -> bool:
        """Whether a cloud's Neutron has the extension for this type."""
        return not self.extension or self.extension in cloud.network.extensions()

    def hindrance(self, resource: Wire, lookup: Lookup, destination: Inventory) -> str | None:
        """A Neutron without the extension."""
        if self.known(destination.cloud):
            return None
        return f"the destination's Neutron does not have the extension {self.extension}"

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """One POST; tags are set by a call of their own."""
        body = self.body(wanted, cloud.network.extensions())
        tags = body.pop("tags", None)
        made = cloud.network.create(self.collection, body)
        if tags:
            with self.completed(cloud, made["id"]):
                cloud.network.set_tags(self.collection, made["id"], tags)
            made["tags"] = tags
        return made

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Remove it."""
        cloud.network.delete(self.collection, id_)


def shared_twin(type_: NetworkType, inventory: Inventory, wanted: Wire) -> Wire | None:
    """One of the same name that everybody may use, whoever owns it."""
    for other in inventory.list(type_.type, shared=True):
        if other.get("shared") and all(
            field.same(wanted.get(field.name), other.get(field.name))
            for field in type_.matching
            if field.name != "project_id"
        ):
            return other
    return None


def known_zones(cloud: Cloud, resource: str, zones: Any) -> list[str] | None:
    """Those of a list of availability zones that the cloud has; None for none asked for."""
    if not zones:
        return None
    known = {zone["name"] for zone in cloud.network.list("availability_zones") if zone["resource"] == resource}
    return [zone for zone in zones if zone in known]


#: Modes in which an address follows from the MAC, and none may be asked for.
AUTOMATIC = ("slaac", "dhcpv6-stateless")


def without_automatic(cloud: Cloud, fixed_ips: Wires) -> Wires:
    """``fixed_ips`` as they can be asked for: of an automatic address only its subnet; the same MAC gives the same."""
    asked: Wires = []
    for ip in fixed_ips:
        subnet = (cloud.network.get("subnets", ip["subnet_id"]) or {}) if ":" in ip["ip_address"] else {}
        automatic = subnet.get("ipv6_address_mode") in AUTOMATIC
        asked.append({"subnet_id": ip["subnet_id"]} if automatic else ip)
    return asked
