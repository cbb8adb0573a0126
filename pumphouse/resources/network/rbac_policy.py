"""Who else may use something of a project (Networking API v2.0, ``/v2.0/rbac-policies``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.resources.base import EVERYONE, Named, Wire, Wires, unnamed
from pumphouse.resources.fields import Lookup, carry, refer
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.network.wire import BOOKKEEPING, NetworkType

#: What may be shared, as the API calls it: our type, its collection, the extension that allows it.
OBJECTS = {
    "network": ("network", "networks", "rbac-policies"),
    "qos_policy": ("qos_policy", "qos/policies", "qos"),
    "security_group": ("security_group", "security-groups", "rbac-security-groups"),
    "address_scope": ("address_scope", "address-scopes", "rbac-address-scope"),
    "subnetpool": ("subnet_pool", "subnetpools", "rbac-subnetpool"),
    "address_group": ("address_group", "address-groups", "rbac-address-group"),
}
#: Their own field ``shared`` says that everybody may use them.
SAY_SHARED = ("network", "qos_policy", "address_scope", "subnetpool")


class RbacPolicy(NetworkType):
    """A share with one project, or with all where the object itself cannot say so."""

    type = "rbac_policy"
    unit = "rbac_policy"
    collection = "rbac-policies"
    extension = "rbac-policies"
    owned = True
    parent = "network"
    parent_field = "object_id"
    #: A project is not carried only because something is shared with it.
    guest = "target_tenant"
    scope = {}
    fields = (
        *BOOKKEEPING,
        carry("object_type", "network, qos_policy, security_group, ...", match=True),
        refer("object_id", "network", "what is shared: a network, QoS policy, security group, ...", match=True),
        carry("action", "access_as_shared", match=True),
        refer("target_tenant", "project", "with whom; * for all", match=True),
        refer("project_id", "project", "whose policy it is: an administrator's may become Pumphouse's account's",
              loose=True, omit_null=True),
    )  # fmt: skip

    @property
    def plural(self) -> str:
        """As people write it."""
        return "RBAC policies"

    def name(self, resource: Wire, named: Named = unnamed) -> str:
        """What, and with whom."""
        kind, target = resource["object_type"], resource["target_tenant"]
        who = "everybody" if target == EVERYONE else named("project", target)
        what = named(OBJECTS[kind][0], resource["object_id"]) if kind in OBJECTS else resource["object_id"]
        return f"{kind.replace('_', ' ')} {what} for {who}"

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """Those that a project has made, and those of what it owns; without what ``shared`` says."""
        project = scope.pop("project_id", None)
        found = super().list(cloud, **scope)
        if project:
            kinds = {one["object_type"] for one in found}
            mine = {thing["id"] for kind in kinds & set(OBJECTS) for thing in self._of(cloud, kind, project)}
            found = [one for one in found if one["project_id"] == project or one["object_id"] in mine]
        return [one for one in found if not _implied(one)]

    def _of(self, cloud: Cloud, kind: str, project: str) -> Wires:
        return cloud.network.list(OBJECTS[kind][1], project_id=project)

    def references(self, resource: Wire) -> Iterator[tuple[str, str]]:
        """The object, by its kind; everybody is no project."""
        if resource["object_type"] in OBJECTS:
            yield OBJECTS[resource["object_type"]][0], resource["object_id"]
        if resource["target_tenant"] != EVERYONE:
            yield "project", resource["target_tenant"]

    def resolver(self, resource: Wire, lookup: Lookup) -> Lookup:
        """The object's counterpart by its kind; everybody is everybody there too."""
        kind = OBJECTS.get(resource["object_type"], ("network",))[0]

        def find(type_: str, id_: str) -> str | None:
            if id_ == EVERYONE:
                return EVERYONE
            return lookup(kind if type_ == "network" else type_, id_)

        return find

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """The same object, action and project."""
        same = [field.name for field in self.matching]
        found = inventory.list(self.type)
        return next((one for one in found if all(one[name] == wanted[name] for name in same)), None)

    def obstacle(self, resource: Wire, source: Inventory, destination: Inventory) -> str | None:
        """External networks are not ours to share."""
        if resource["object_type"] not in OBJECTS:
            return f"Pumphouse does not carry anything of the kind {resource['object_type']}"
        if resource["action"] == "access_as_external":
            return "external networks, and who may use them, are the destination's own"
        return None


def _implied(policy: Wire) -> bool:
    """What the object's own fields ``shared`` and ``router:external`` say already."""
    if policy["target_tenant"] != EVERYONE:
        return False
    return policy["action"] == "access_as_external" or policy["object_type"] in SAY_SHARED
