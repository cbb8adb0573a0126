"""Subnets."""

from __future__ import annotations

import ipaddress
import uuid
from typing import Any

from pumphouse.embedded.network import checks
from pumphouse.embedded.network.addresses import INTERFACES, automatic
from pumphouse.embedded.network.attributes import NAME, OPEN, READ_ONLY, REQUIRED, Attribute
from pumphouse.embedded.network.errors import conflict, forbidden, invalid
from pumphouse.embedded.network.networks import GO_ALONG
from pumphouse.embedded.network.resource import Resource
from pumphouse.embedded.network.subnet_rules import check, check_pools, default_pools, first
from pumphouse.embedded.service import Json

_MODE = Attribute(OPEN, checks.one_of(("dhcpv6-stateful", "dhcpv6-stateless", "slaac")), put=False)


class Subnets(Resource):
    """Ranges of addresses of networks."""

    collection, singular, path = "subnets", "subnet", "subnets"
    gone = ("SubnetNotFound", "Subnet {} could not be found.")
    quota = "subnet"
    attributes = {
        "name": NAME,
        "network_id": Attribute(REQUIRED, checks.uuid, put=False),
        "ip_version": Attribute(REQUIRED, checks.one_of((4, 6), checks.integer), put=False),
        "cidr": Attribute(OPEN, checks.cidr_or_none, put=False),
        "prefixlen": Attribute(OPEN, checks.natural, put=False),
        "subnetpool_id": Attribute(OPEN, put=False),
        "use_default_subnetpool": Attribute(False, checks.boolean, put=False),
        "gateway_ip": Attribute(OPEN, checks.address_or_none),
        "allocation_pools": Attribute(OPEN, checks.pools),
        "enable_dhcp": Attribute(True, checks.boolean),
        "dns_nameservers": Attribute([], checks.nameservers),
        "host_routes": Attribute([], checks.host_routes),
        "ipv6_ra_mode": _MODE,
        "ipv6_address_mode": _MODE,
        "service_types": Attribute([], operators=True),
        "dns_publish_fixed_ip": Attribute(OPEN, checks.boolean, extension="subnet-dns-publish-fixed-ip"),
        "segment_id": Attribute(OPEN, checks.uuid_or_none, operators=True),
        "router:external": Attribute(post=False, put=False, extension="subnet-external-network"),
        "shared": READ_ONLY,
    }

    def of(self, network_id: str) -> list[Json]:
        """Those of a network, as they came."""
        return self.table.where("network_id", network_id)

    def read(self, given: Json) -> tuple[str, Json]:
        """Only the owner of a network gives it subnets."""
        project, wanted = super().read(given)
        network = self.service.networks.table.get(wanted["network_id"])
        if network is None:
            raise self.service.networks.not_there(wanted["network_id"])
        if not self.mine(network):
            raise forbidden("rule:create_subnet")
        return project, wanted

    def make(self, project_id: str, wanted: Json) -> Json:
        """Its range is given, or cut from a pool."""
        network = self.service.networks.table.rows[wanted["network_id"]]
        pool, cidr = self.service.subnet_pools.range_for(project_id, wanted)
        wanted["cidr"], wanted["subnetpool_id"] = cidr, pool and pool["id"]
        for name in ("ipv6_ra_mode", "ipv6_address_mode"):
            wanted.setdefault(name, None)
        wanted = {n: v for n, v in wanted.items() if n not in ("prefixlen", "use_default_subnetpool", "segment_id")}
        wanted.pop("dns_publish_fixed_ip", None)
        wanted.setdefault("gateway_ip", str(first(cidr, pool is not None)))
        check(wanted)
        if "allocation_pools" in wanted:
            check_pools(wanted["allocation_pools"], cidr, wanted["gateway_ip"])
        else:
            wanted["allocation_pools"] = default_pools(cidr, wanted["gateway_ip"])
        self._check_others(network, cidr, pool)
        row = self.keep({"id": str(uuid.uuid4()), "project_id": project_id, **wanted})
        self.service.networks.touch(network)
        self._give_automatic(row)
        self.service.dhcp.serve(network["id"])
        return row

    def _check_others(self, network: Json, cidr: str, pool: Json | None) -> None:
        """Subnets of a network do not overlap, and those of a version come from one pool."""
        mine: Any = ipaddress.ip_network(cidr)
        if mine.prefixlen == 0:
            raise invalid("0 is not allowed as CIDR prefix length")
        for other in self.of(network["id"]):
            if other["ip_version"] == mine.version and mine.overlaps(ipaddress.ip_network(other["cidr"])):
                raise invalid(f"Requested subnet with cidr: {cidr} for network: {network['id']} overlaps with another "
                              "subnet")  # fmt: skip
        self.service.subnet_pools.check_affinity(self.of(network["id"]), mine.version, pool)

    def _give_automatic(self, row: Json) -> None:
        """Ports that are there get an address in a new range whose addresses follow from MACs."""
        if not automatic(row):
            return
        ports = self.service.state.tables["ports"]
        for port in ports.where("network_id", row["network_id"]):
            if not port["device_owner"].startswith("network:"):
                port["fixed_ips"] += self.service.addresses.take(port, [{"automatic": row}])

    def alter(self, row: Json, wanted: Json) -> None:
        """Not so that ports lose their way."""
        spec = {**row, **wanted}
        check(spec, row)
        gateway = spec["gateway_ip"]
        if gateway != row["gateway_ip"] and row["gateway_ip"] and gateway:
            holder = self.service.addresses.of(row["id"]).get(int(ipaddress.ip_address(row["gateway_ip"])))
            port = self.service.state.tables["ports"].get(holder)
            if port and port["device_owner"] in INTERFACES:
                raise conflict("GatewayIpInUse", f"Current gateway ip {row['gateway_ip']} already in use by port "
                                                 f"{port['id']}. Unable to update.")  # fmt: skip
        if gateway != row["gateway_ip"] or "allocation_pools" in wanted:
            check_pools(spec["allocation_pools"], row["cidr"], gateway)
        wanted.pop("dns_publish_fixed_ip", None)
        self.table.change(row, **wanted)
        self.service.state.cursors.pop(row["id"], None)
        self.service.dhcp.serve(row["network_id"])

    def erase(self, row: Json) -> None:
        """Not while somebody's port has an address in it, unless addresses come by themselves."""
        ports = self.service.state.tables["ports"]
        holders = [ports.rows[id_] for id_ in dict.fromkeys(self.service.addresses.of(row["id"]).values())]
        needs = [port for port in holders if port["device_owner"] not in GO_ALONG]
        if automatic(row):
            needs = [port for port in needs if port["device_owner"] in INTERFACES]
        if needs:
            raise conflict("SubnetInUse", f"Unable to complete operation on subnet {row['id']}: One or more ports have "
                                          "an IP allocation from this subnet.")  # fmt: skip
        for port in holders:
            port["fixed_ips"] = [ip for ip in port["fixed_ips"] if ip["subnet_id"] != row["id"]]
        self.drop(row)
        self.service.dhcp.serve(row["network_id"])

    def drop(self, row: Json) -> None:
        """Without looking whether it is used."""
        self.service.state.addresses.pop(row["id"], None)
        self.service.state.cursors.pop(row["id"], None)
        self.forget(row["id"])
        if network := self.service.networks.table.get(row["network_id"]):
            self.service.networks.touch(network)

    def visible(self, row: Json) -> bool:
        """As its network, and to its owner."""
        network = self.service.networks.table.rows[row["network_id"]]
        return self.mine(row) or self.service.networks.visible(network)

    def changeable(self, row: Json) -> bool:
        """To its owner and the network's."""
        return self.mine(row) or self.mine(self.service.networks.table.rows[row["network_id"]])

    def view(self, row: Json) -> Json:
        """With what follows from its network, where the release tells it."""
        shown = super().view(row)
        if "subnet-external-network" in self.service.extensions:
            network = self.service.networks.table.rows[row["network_id"]]
            shown["router:external"] = self.service.networks.external(network)
        return shown
