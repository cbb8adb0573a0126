"""Subnets, IPv4 and IPv6 (Networking API v2.0, ``/v2.0/subnets``)."""

from __future__ import annotations

from collections.abc import Sequence

from pumphouse.resources.base import Named, Wire, unnamed
from pumphouse.resources.fields import carry, refer, report, some, unordered
from pumphouse.resources.network.wire import BOOKKEEPING, NetworkType


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
        report("subnetpool_id", "the range is carried, not the pool that it was cut from", worth=some),
        report("use_default_subnetpool", "only a way to ask for a range"),
        report("segment_id", "segments are not carried yet", worth=some),
        report("router:external", "follows from its network"),
    )

    def name(self, resource: Wire, named: Named = unnamed) -> str:
        """The range, and the name if it has one."""
        return f"{resource['name']} {resource['cidr']}".strip()

    def clash(self, found: Wire, wanted: Wire, source: Wire) -> Sequence[str]:
        """Guests would be told another gateway."""
        return ["gateway_ip"] if found.get("gateway_ip") != wanted.get("gateway_ip") else []
