"""Floating IPs (Networking API v2.0, ``/v2.0/floatingips``), with the same address."""

from __future__ import annotations

from collections.abc import Sequence

from pumphouse.resources.base import Named, Wire, unnamed
from pumphouse.resources.fields import Lookup, carry, refer, report, some, text, unordered
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.network.addresses import unavailable
from pumphouse.resources.network.wire import BOOKKEEPING, NetworkType


class FloatingIP(NetworkType):
    """An address of an external network, and the port that it leads to. Made after the server and the router."""

    type = "floating_ip"
    unit = "floating_ip"
    collection = "floatingips"
    extension = "router"
    owned = True
    parent = "port"
    parent_field = "port_id"
    fields = (
        *BOOKKEEPING,
        carry("floating_ip_address", "kept; where it is taken, nothing is made", match=True),
        refer("floating_network_id", "network", "the external network", match=True),
        refer("project_id", "project", "the project that owns it", match=True),
        refer("port_id", "port", "where it leads to; null for nowhere"),
        carry("fixed_ip_address", "which of the port's addresses"),
        refer("router_id", "router", "follows from its port's network; must be there before", post=False),
        carry("description", "free text"),
        carry("dns_name", "published name", extension="dns-integration", omit_null=True, normal=text),
        carry("dns_domain", "where it is published", extension="dns-integration", omit_null=True, normal=text),
        refer("qos_policy_id", "qos_policy", "limits", extension="qos-fip", omit_null=True),
        carry("tags", "simple labels", normal=unordered),
        report("port_forwardings", "port forwardings are not carried", worth=some),
        report("port_details", "follows from its port"),
        report("status", "ACTIVE once its port works"),
    )

    @property
    def plural(self) -> str:
        """As people write it."""
        return "floating IPs"

    def name(self, resource: Wire, named: Named = unnamed) -> str:
        """The address."""
        return str(resource["floating_ip_address"])

    def clash(self, found: Wire, wanted: Wire, source: Wire) -> Sequence[str]:
        """One that leads elsewhere."""
        return [name for name in ("port_id", "fixed_ip_address") if found.get(name) != wanted.get(name)]

    def hindrance(self, resource: Wire, lookup: Lookup, destination: Inventory) -> str | None:
        """The address is taken, or no address of the network."""
        if why := super().hindrance(resource, lookup, destination):
            return why
        network = lookup("network", resource["floating_network_id"])
        if network is None:
            return None
        return unavailable(destination, network, resource["floating_ip_address"])
