"""Subnets, IPv4 and IPv6 (Networking API v2.0, ``/v2.0/subnets``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pumphouse.clouds.cloud import Cloud
from pumphouse.resources.base import Named, Wire, Wires, unnamed
from pumphouse.resources.fields import carry, refer, report, some, unordered
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.network.wire import BOOKKEEPING, NetworkType

#: Stands for a pool where the range comes from a provider (IPv6).
DELEGATED = "prefix_delegation"


class Subnet(NetworkType):
    """A range of addresses of a network."""

    type = "subnet"
    collection = "subnets"
    parent = "network"
    parent_field = "network_id"
    home = "network_id"
    scope = {"network_id": "network_id"}
    fields = (
        *BOOKKEEPING,
        carry("name", "not unique"),
        refer("network_id", "network", "the network that it is part of", match=True),
        refer("project_id", "project", "the project that owns it"),
        carry("cidr", "the range", match=True),
        carry("ip_version", "4 or 6"),
        carry("gateway_ip", "null for none"),
        carry("allocation_pools", "addresses that may be given out", normal=unordered),
        carry("enable_dhcp", "whether the cloud answers DHCP"),
        carry("dns_nameservers", "in the order in which guests ask"),
        carry("host_routes", "routes for guests", normal=unordered),
        carry("ipv6_address_mode", "slaac, dhcpv6-stateful or dhcpv6-stateless", omit_null=True),
        carry("ipv6_ra_mode", "who sends router advertisements", omit_null=True),
        carry("description", "free text"),
        carry("service_types", "device owners that it is kept for", extension="subnet-service-types"),
        carry("dns_publish_fixed_ip", "publish every address", extension="subnet-dns-publish-fixed-ip"),
        carry("tags", "simple labels", normal=unordered),
        refer("subnetpool_id", "subnet_pool", "what its range was cut from", omit_null=True),
        report("use_default_subnetpool", "only a way to ask for a range"),
        report("segment_id", "segments are not carried yet", worth=some),
        report("router:external", "follows from its network"),
    )

    def list_for(self, cloud: Cloud, parents: Iterable[Wire]) -> Wires:
        """Those of networks that may be made; an external network is the destination's own."""
        return super().list_for(cloud, [parent for parent in parents if not parent.get("router:external")])

    def references(self, resource: Wire) -> Iterator[tuple[str, str]]:
        """A range delegated by a provider is of no pool."""
        for kind, id_ in super().references(resource):
            if id_ != DELEGATED:
                yield kind, id_

    def obstacle(self, resource: Wire, source: Inventory, destination: Inventory) -> str | None:
        """What the destination's provider delegates, or its administrators decide."""
        if resource.get("subnetpool_id") == DELEGATED:
            return "its range is delegated by the source's provider"
        network = source.get("network", resource["network_id"]) or {}
        if network.get("router:external"):
            return "the destination's external network has no such range, and none is made"
        return None

    def name(self, resource: Wire, named: Named = unnamed) -> str:
        """The range, and the name if it has one."""
        return f"{resource['name']} {resource['cidr']}".strip()

    def clash(self, found: Wire, wanted: Wire, source: Wire) -> Sequence[str]:
        """Guests would be told another gateway."""
        return ["gateway_ip"] if found.get("gateway_ip") != wanted.get("gateway_ip") else []
