"""Subnet pools (Networking API v2.0, ``/v2.0/subnetpools``)."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import status
from pumphouse.resources.base import Wire
from pumphouse.resources.fields import carry, refer, report, unordered
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.network.wire import BOOKKEEPING, NetworkType, shared_twin


class SubnetPool(NetworkType):
    """Ranges from which subnets are cut; a shared or default one of the destination stands in."""

    type = "subnet_pool"
    unit = "subnet_pool"
    collection = "subnetpools"
    rbac = "subnetpool"
    owned = True
    fields = (
        *BOOKKEEPING,
        carry("name", "not unique", match=True),
        refer("project_id", "project", "the project that owns it", match=True),
        carry("prefixes", "the ranges", normal=unordered),
        refer("address_scope_id", "address_scope", "ranges that are routed without translation"),
        carry("default_prefixlen", "size of a subnet if none is asked for"),
        carry("min_prefixlen", "the biggest subnet"),
        carry("max_prefixlen", "the smallest subnet"),
        carry("default_quota", "addresses (IPv4) or /64 (IPv6) for each project; null for no limit", omit_null=True),
        carry("shared", "whether every project may use it"),
        carry("is_default", "taken where no pool is named; a cloud has one for each IP version", loose=True),
        carry("description", "free text"),
        carry("tags", "simple labels", normal=unordered),
        report("ip_version", "follows from the prefixes"),
    )

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """The project's own, else a shared one of that name, else the default for a default."""
        found = super().find(inventory, wanted, source) or shared_twin(self, inventory, wanted)
        if found is None and source.get("is_default") and source.get("shared"):
            defaults = inventory.list(self.type, is_default=True)
            return next((pool for pool in defaults if pool["ip_version"] == source["ip_version"]), None)
        return found

    def clash(self, found: Wire, wanted: Wire, source: Wire) -> Sequence[str]:
        """Subnets of the source's ranges must fit in."""
        there = [ipaddress.ip_network(prefix) for prefix in found["prefixes"]]
        here = [ipaddress.ip_network(prefix) for prefix in source["prefixes"]]
        fits = all(any(one.version == other.version and one.subnet_of(other) for other in there) for one in here)  # type: ignore[arg-type]
        return [] if fits else ["prefixes"]

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """As the default where the destination has none yet."""
        try:
            return super().create(cloud, wanted)
        except Exception as error:
            if not wanted.get("is_default") or status(error) not in (400, 403, 409):
                raise
        return super().create(cloud, {**wanted, "is_default": False})
