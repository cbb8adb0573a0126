"""Ranges of addresses that networks of the tenant have in common with networks that it will share."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from pumphouse.planning.checks.subject import Subject, about
from pumphouse.planning.plan import Finding


def overlaps(subject: Subject) -> Iterator[Finding]:
    """Routing between the two is not possible, though each works for itself."""
    fresh = list(subject.fresh("subnet"))
    if not fresh:
        return
    shared = {
        network["id"]: network["name"]
        for network in subject.there.list("network")
        if network.get("shared") or network.get("router:external")
    }
    known = [
        (ipaddress.ip_network(subnet["cidr"], strict=False), subnet)
        for subnet in (subject.there.list("subnet") if shared else ())
        if subnet["network_id"] in shared
    ]
    for item, wire in fresh:
        mine = ipaddress.ip_network(wire["cidr"], strict=False)
        for other, subnet in known:
            if mine.version == other.version and mine.overlaps(other):
                yield about(
                    "note",
                    item,
                    f"overlaps with {other} of the network {shared[subnet['network_id']]!r}, "
                    "which the destination shares with every project",
                    "nothing, unless a router is to join the two",
                )
