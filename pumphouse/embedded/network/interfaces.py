"""Interfaces of routers."""

from __future__ import annotations

import ipaddress

from pumphouse.embedded.network.addresses import INTERFACES
from pumphouse.embedded.network.errors import bad, conflict, missing, port_in_use
from pumphouse.embedded.network.gateways import check_apart
from pumphouse.embedded.network.part import Part
from pumphouse.embedded.service import Json, RefusedError

OWNER = INTERFACES[0]


class Interfaces(Part):
    """Add and remove them."""

    def add(self, router: Json, asked: Json) -> tuple[Json, list[str]]:
        """By a subnet, whose gateway the router becomes, or by a port. The port, and the subnets."""
        _check_asked(asked)
        if asked.get("port_id") and asked.get("subnet_id"):
            raise bad("router", "Cannot specify both subnet-id and port-id")
        if asked.get("port_id"):
            return self._add_port(router, asked["port_id"])
        return self._add_subnet(router, asked["subnet_id"])

    def _add_port(self, router: Json, port_id: str) -> tuple[Json, list[str]]:
        port = self.service.ports.seen(port_id)
        if port["device_id"]:
            raise port_in_use(port)
        if not port["fixed_ips"]:
            raise bad("router", "Router port must have at least one fixed IP")
        subnets = [self.service.subnets.table.rows[ip["subnet_id"]] for ip in port["fixed_ips"]]
        if sum(subnet["ip_version"] == 4 for subnet in subnets) > 1:
            raise bad("router", "Cannot have multiple IPv4 subnets on router port")
        for subnet in subnets:
            self._check_new(router, subnet)
        self.service.ports.table.change(port, device_id=router["id"], device_owner=OWNER)
        self.service.routers.serve(router, port)
        return port, [subnet["id"] for subnet in subnets]

    def _add_subnet(self, router: Json, subnet_id: str) -> tuple[Json, list[str]]:
        subnet = self.service.subnets.seen(subnet_id)
        if not subnet["gateway_ip"]:
            raise bad("router", "Subnet for router interface must have a gateway IP")
        if subnet["ip_version"] == 6 and subnet["ipv6_address_mode"] and not subnet["ipv6_ra_mode"]:
            raise bad("router", f"IPv6 subnet {subnet['id']} configured to receive RAs from an external router cannot "
                                "be added to Neutron Router.")  # fmt: skip
        self._check_new(router, subnet)
        ip = {"subnet_id": subnet["id"], "ip_address": subnet["gateway_ip"]}
        port = self._sixes(router, subnet) if subnet["ip_version"] == 6 else None
        if port:
            port["fixed_ips"] += self.service.addresses.take(port, [{"subnet": subnet, **ip}])
            self.service.ports.touch(port)
        else:
            port = self.service.ports.make_internal(
                router["project_id"],
                subnet["network_id"],
                device_id=router["id"],
                device_owner=OWNER,
                port_security_enabled=False,
                fixed_ips=[ip],
            )
            self.service.routers.serve(router, port)
        return port, [subnet["id"]]

    def _sixes(self, router: Json, subnet: Json) -> Json | None:
        """The router's port for the IPv6 ranges of a network: all of them share one."""
        for port in self.of(router):
            versions = {ipaddress.ip_address(ip["ip_address"]).version for ip in port["fixed_ips"]}
            if port["network_id"] == subnet["network_id"] and versions == {6}:
                return port
        return None

    def _check_new(self, router: Json, subnet: Json) -> None:
        inside = {ip["subnet_id"] for port in self.service.routers.ports(router) for ip in port["fixed_ips"]}
        if subnet["id"] in inside and self.service.backend == "linuxbridge":
            raise bad("router", f"Router already has a port on subnet {subnet['id']}")
        check_apart(subnet, [self.service.subnets.table.rows[id_] for id_ in inside])

    def remove(self, router: Json, asked: Json) -> tuple[Json, list[str]]:
        """By its port or its subnet. The port, and the subnets that it was in."""
        _check_asked(asked)
        if port_id := asked.get("port_id"):
            port = next((port for port in self.of(router) if port["id"] == port_id), None)
            if port is None:
                raise missing("RouterInterfaceNotFound",
                              f"Router {router['id']} does not have an interface with id {port_id}")  # fmt: skip
            ids = [ip["subnet_id"] for ip in port["fixed_ips"]]
            if asked.get("subnet_id", ids[0]) not in ids:
                raise RefusedError(400, f"Subnet on port {port['id']} does not match the requested subnet "
                                        f"{asked['subnet_id']}.", "SubnetMismatchForPort")  # fmt: skip
        else:
            self.service.subnets.seen(asked["subnet_id"])
            port, ids = self._in_subnet(router, asked["subnet_id"]), [asked["subnet_id"]]
        for id_ in ids:
            self._check_unused(router, self.service.subnets.table.rows[id_])
        left = [ip for ip in port["fixed_ips"] if ip["subnet_id"] not in ids]
        if left:
            self.service.addresses.release(ip for ip in port["fixed_ips"] if ip not in left)
            port["fixed_ips"] = left
        else:
            self.service.ports.drop(port)
        return port, ids

    def _in_subnet(self, router: Json, subnet_id: str) -> Json:
        for port in self.of(router):
            if any(ip["subnet_id"] == subnet_id for ip in port["fixed_ips"]):
                return port
        raise missing("RouterInterfaceNotFoundForSubnet",
                      f"Router {router['id']} has no interface on subnet {subnet_id}")  # fmt: skip

    def _check_unused(self, router: Json, subnet: Json) -> None:
        what = f"Router interface for subnet {subnet['id']} on router {router['id']} cannot be deleted, as it is " \
               "required by one or more"  # fmt: skip
        inside = ipaddress.ip_network(subnet["cidr"])
        for floating in self.service.floating_ips.table.where("router_id", router["id"]):
            if ipaddress.ip_address(floating["fixed_ip_address"]) in inside:
                raise conflict("RouterInterfaceInUseByFloatingIP", f"{what} floating IPs.")
        for route in router["routes"]:
            if ipaddress.ip_address(route["nexthop"]) in inside:
                raise conflict("RouterInterfaceInUseByRoute", f"{what} routes.")

    def of(self, router: Json) -> list[Json]:
        """The ports that are interfaces of a router."""
        return [port for port in self.service.routers.ports(router) if port["device_owner"] in INTERFACES]


def _check_asked(asked: Json) -> None:
    if not asked.get("port_id") and not asked.get("subnet_id"):
        raise bad("router", "Either subnet_id or port_id must be specified")
