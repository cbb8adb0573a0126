"""Interfaces of routers (Networking API v2.0, ``/v2.0/routers/{router}/add_router_interface``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing
from pumphouse.resources.base import Named, Wire, Wires, unnamed
from pumphouse.resources.fields import Lookup, carry, refer, report, unordered
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.network.wire import NetworkType, without_automatic

#: Device owners of the ports that are interfaces, of routers of every kind.
OWNERS = (
    "network:router_interface",
    "network:router_interface_distributed",
    "network:ha_router_replicated_interface",
)


class RouterInterface(NetworkType):
    """That a router has an address in a subnet. "router/subnet" stands for it."""

    type = "router_interface"
    again = True
    unit = "router"
    collection = "ports"
    extension = "router"
    parent = "router"
    parent_field = "device_id"
    home = "router_id"
    scope = {}
    fields = (
        refer("router_id", "router", "the router", match=True),
        refer("subnet_id", "subnet", "where it has an address", match=True),
        refer("network_id", "network", "the subnet's network"),
        refer("project_id", "project", "the project that owns its port"),
        carry("ip_address", "the subnet's gateway, or another"),
        report("port_id", "made by the service"),
        refer("fixed_ips", "subnet", "all addresses of its port", at="*.subnet_id", post=False, normal=unordered),
        report("mac_address", "kept where its address is not the subnet's gateway"),
    )

    def id(self, resource: Wire) -> str:
        """router/subnet."""
        return f"{resource['router_id']}/{resource['subnet_id']}"

    def name(self, resource: Wire, named: Named = unnamed) -> str:
        """ "gate in office 10.20.0.0/24 as 10.20.0.1"."""
        router, subnet = named("router", resource["router_id"]), named("subnet", resource["subnet_id"])
        return f"{router} in {subnet} as {resource['ip_address']}"

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """Those of routers, one for each address."""
        ports = cloud.network.list("ports", device_id=scope.get("router_id"), device_owner=list(OWNERS))
        return [
            {
                "router_id": port["device_id"],
                "subnet_id": ip["subnet_id"],
                "network_id": port["network_id"],
                "project_id": port["project_id"],
                "ip_address": ip["ip_address"],
                "port_id": port["id"],
                "fixed_ips": port["fixed_ips"],
                "mac_address": port["mac_address"],
            }
            for port in ports
            for ip in port["fixed_ips"]
        ]

    def list_for(self, cloud: Cloud, parents: Iterable[Wire]) -> Wires:
        """Those of these routers."""
        ids = [parent["id"] for parent in parents]
        return [
            one for start in range(0, len(ids), 100) for one in self.list(cloud, router_id=ids[start : start + 100])
        ]

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One of them."""
        router = id_.partition("/")[0]
        return next((one for one in self.list(cloud, router_id=[router]) if self.id(one) == id_), None)

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """The same router in the same subnet, or whoever has the address."""
        if found := self.get(inventory.cloud, self.id(wanted)):
            return found
        for port in inventory.list("port", network_id=wanted["network_id"]):
            for ip in port["fixed_ips"]:
                if (ip["subnet_id"], ip["ip_address"]) == (wanted["subnet_id"], wanted["ip_address"]):
                    return {**wanted, "router_id": port["device_id"] or port["id"], "port_id": port["id"]}
        return None

    def clash(self, found: Wire, wanted: Wire, source: Wire) -> Sequence[str]:
        """Guests would look for their gateway elsewhere."""
        return [name for name in ("router_id", "ip_address") if found.get(name) != wanted.get(name)]

    def translate(self, resource: Wire, lookup: Lookup) -> Wire:
        """With the port's MAC: its automatic addresses follow from it."""
        return {**super().translate(resource, lookup), "mac_address": resource["mac_address"]}

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """By its subnet, where it is the subnet's gateway; else a port with its addresses is made first."""
        if there := self.get(cloud, self.id(wanted)):
            # It came along with another address of its port.
            return there
        subnet = cloud.network.get("subnets", wanted["subnet_id"]) or {}
        router = wanted["router_id"]
        if subnet.get("gateway_ip") == wanted["ip_address"]:
            cloud.network.action("routers", router, "add_router_interface", {"subnet_id": wanted["subnet_id"]})
            return wanted
        port = self._port(cloud, wanted)
        try:
            cloud.network.action("routers", router, "add_router_interface", {"port_id": port["id"]})
        except Exception:
            cloud.network.delete("ports", port["id"])
            raise
        return wanted

    def _port(self, cloud: Cloud, wanted: Wire) -> Wire:
        """The port for it, which an interrupted attempt may have left."""
        fields = {name: wanted[name] for name in ("network_id", "project_id", "mac_address")}
        left = [port for port in cloud.network.list("ports", **fields) if not port.get("device_id")]
        if left:
            return left[0]
        return cloud.network.create("ports", {**fields, "fixed_ips": without_automatic(cloud, wanted["fixed_ips"])})

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Neutron removes its port with it."""
        router, _, subnet = id_.partition("/")
        with ignore_missing():
            cloud.network.action("routers", router, "remove_router_interface", {"subnet_id": subnet})
