"""Networks (Networking API v2.0, ``/v2.0/networks``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import status
from pumphouse.names import Names, suggestion
from pumphouse.resources.base import Wire
from pumphouse.resources.fields import Lookup, carry, refer, report, some, unordered
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.network.wire import BOOKKEEPING, NetworkType, known_zones, shared_twin

#: What a network is underneath, each with the kind of names of its values.
PROVIDER = {
    "provider:network_type": None,
    "provider:physical_network": "physical_networks",
    "provider:segmentation_id": None,
}


class Network(NetworkType):
    """A network of a project, or one that it only uses (shared, external)."""

    type = "network"
    collection = "networks"
    rbac = "network"
    owned = True
    mapping = "networks"
    fields = (
        *BOOKKEEPING,
        carry("name", "not unique", match=True),
        refer("project_id", "project", "the project that owns it", match=True),
        carry("description", "free text"),
        carry("admin_state_up", "whether it forwards packets"),
        carry("shared", "whether every project may use it"),
        carry("router:external", "whether it leads outside", extension="external-net"),
        carry("is_default", "the external network that is taken if none is named", omit_null=True,
              extension="auto-allocated-topology"),
        carry("port_security_enabled", "default of its ports", extension="port-security", omit_null=True),
        carry("dns_domain", "where names of its ports are published", extension="dns-integration", omit_null=True),
        carry("availability_zone_hints", "where its agents should be", extension="network_availability_zone",
              names="availability_zones", loose=True),
        carry("vlan_transparent", "passes tags of guests", extension="vlan-transparent", omit_null=True, normal=bool),
        carry("qinq", "passes double tags", extension="qinq", omit_null=True, normal=bool),
        carry("mtu", "bytes; kept unless it is more than the destination's networks allow", loose=True),
        carry("tags", "simple labels", normal=unordered),
        report("provider:network_type", "the destination's own choice, unless networks.provider is carry"),
        report("provider:physical_network", "the destination's own choice, unless networks.provider is carry",
               worth=some, names="physical_networks"),
        report("provider:segmentation_id", "the destination's own choice, unless networks.provider is carry"),
        report("segments", "the destination's own choice, unless networks.provider is carry", worth=some),
        refer("qos_policy_id", "qos_policy", "limits of its ports", extension="qos"),
        report("availability_zones", "follows from the agents"),
        report("ipv4_address_scope", "follows from the pools of its subnets"),
        report("ipv6_address_scope", "follows from the pools of its subnets"),
        report("l2_adjacency", "follows from the segments"),
        report("subnets", "each is a resource of its own"),
        report("status", "ACTIVE once its ports work"),
    )  # fmt: skip

    def renamed(self, resource: Wire) -> str | None:
        """Only what belongs to the cloud is named by it: a tenant's own network keeps its name."""
        return self.mapping if resource.get("router:external") or resource.get("shared") else None

    def adapt(self, wanted: Wire, source: Wire, names: Names) -> Wire:
        """With the kind of network, and its number, where the configuration says so."""
        wanted = super().adapt(wanted, source, names)
        if names.rule("networks.provider") == "carry" and not source.get("router:external"):
            wanted |= _underneath(source, names)
            if source.get("segments"):  # several, and none of the fields above
                wanted["segments"] = [_underneath(segment, names) for segment in source["segments"]]
        return wanted

    def references(self, resource: Wire) -> Iterator[tuple[str, str]]:
        """An external network is the destination's own, and brings nothing along."""
        if not resource.get("router:external"):
            yield from super().references(resource)

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """An external one by its name; a project's own by both; a shared one of that name, whoever owns it."""
        if source.get("router:external"):
            found = _external(inventory, wanted["name"])
            return found[0] if len(found) == 1 else None
        found_one = super().find(inventory, wanted, source)
        return found_one or (shared_twin(self, inventory, wanted) if source.get("shared") else None)

    def hindrance(self, resource: Wire, lookup: Lookup, destination: Inventory) -> str | None:
        """External networks are never made for a tenant."""
        if not resource.get("router:external"):
            return None
        if len(_external(destination, resource["name"])) > 1:
            return "the destination has several external networks of this name"
        names = (network["name"] for network in destination.list(self.type, **{"router:external": True}))
        return (
            "the destination has no external network of this name, and none is made: map it under mappings.networks "
            f"({suggestion(resource['name'], names)})"
        )

    def clash(self, found: Wire, wanted: Wire, source: Wire) -> Sequence[str]:
        """A network that leads elsewhere."""
        return [n for n in ("router:external",) if n in wanted and found.get(n) != wanted[n]]

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """Ask for the source's MTU; where that is too big, the destination's own is taken."""
        zones = known_zones(cloud, "network", wanted.get("availability_zone_hints"))
        wanted = {**wanted, **({"availability_zone_hints": zones} if zones is not None else {})}
        try:
            return super().create(cloud, wanted)
        except Exception as error:
            if "mtu" not in wanted or status(error) != 400 or "mtu" not in str(error).lower():
                raise
        return super().create(cloud, {name: value for name, value in wanted.items() if name != "mtu"})


def _underneath(wire: Wire, names: Names) -> Wire:
    """What a network, or one of its segments, is underneath, by the destination's names."""
    return {name: names.value(kind, wire[name]) for name, kind in PROVIDER.items() if wire.get(name) is not None}


def _external(inventory: Inventory, name: str) -> list[Wire]:
    return [one for one in inventory.list("network", **{"router:external": True}) if one["name"] == name]
