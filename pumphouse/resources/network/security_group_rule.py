"""Rules of security groups (Networking API v2.0, ``/v2.0/security-group-rules``)."""

from __future__ import annotations

from pumphouse.resources.base import Named, Wire, unnamed
from pumphouse.resources.fields import carry, refer, report, some, text
from pumphouse.resources.network.wire import BOOKKEEPING, NetworkType


class SecurityGroupRule(NetworkType):
    """What a group lets pass: two rules are the same if they let the same pass."""

    type = "security_group_rule"
    unit = "security_groups"
    collection = "security-group-rules"
    parent = "security_group"
    parent_field = "security_group_id"
    scope = {"security_group_id": "security_group_id"}
    fields = (
        *BOOKKEEPING,
        refer("security_group_id", "security_group", "the group that it is part of", match=True),
        refer("project_id", "project", "the project that owns it"),
        carry("direction", "ingress or egress", match=True),
        carry("ethertype", "IPv4 or IPv6", match=True),
        carry("protocol", "null for any", match=True),
        carry("port_range_min", "or ICMP type", match=True),
        carry("port_range_max", "or ICMP code", match=True),
        carry("remote_ip_prefix", "null for any", match=True),
        refer("remote_group_id", "security_group", "members of a group as the other side", match=True),
        carry("description", "free text", omit_null=True, normal=text),
        refer("remote_address_group_id", "address_group", "named addresses as the other side", match=True,
              extension="security-groups-remote-address-group"),
        report("normalized_cidr", "follows from remote_ip_prefix"),
        report("belongs_to_default_sg", "follows from its group"),
        report("tags", "the API has no call to set them on a rule", worth=some),
    )  # fmt: skip

    def name(self, resource: Wire, named: Named = unnamed) -> str:
        """ "ingress IPv4 tcp 22-22 from 10.0.0.0/8"."""
        ports = (resource.get("port_range_min"), resource.get("port_range_max"))
        group, addresses = resource.get("remote_group_id"), resource.get("remote_address_group_id")
        other = resource.get("remote_ip_prefix") or (group and f"group {named('security_group', group)}")
        other = other or (addresses and f"addresses {named('address_group', addresses)}")
        words = [
            resource["direction"],
            resource["ethertype"],
            resource.get("protocol") or "any",
            "" if ports == (None, None) else f"{ports[0]}-{ports[1]}",
            f"with {other}" if other else "",
        ]
        return " ".join(word for word in words if word)
