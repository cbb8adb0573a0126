"""Whether an address of an external network can be had in the destination."""

from __future__ import annotations

import ipaddress

from pumphouse.resources.inventory import Inventory

#: Device owners of ports that are known to people as something else.
KNOWN_AS = {
    "network:floatingip": "a floating IP",
    "network:router_gateway": "a router's gateway",
    "network:router_interface": "a router's interface",
    "network:dhcp": "the DHCP service",
    "network:distributed": "the metadata service",
}


def unavailable(destination: Inventory, network_id: str, address: str) -> str | None:
    """Why an address of a network of the destination cannot be had, or None.

    Neutron gives out any free address within a subnet to an administrator, inside its allocation pools or not.
    """
    ranges = [subnet["cidr"] for subnet in destination.list("subnet", network_id=network_id)]
    wanted = ipaddress.ip_address(address)
    if not any(wanted in ipaddress.ip_network(cidr) for cidr in ranges):
        network = destination.get("network", network_id) or {}
        has = ", ".join(ranges) or "none"
        return (
            f"{address} is in no range of the destination's network {network.get('name', network_id)} (it has: {has})"
        )
    for other in destination.list("floating_ip"):
        if (other["floating_network_id"], other["floating_ip_address"]) == (network_id, address):
            whose = _project(destination, other.get("project_id"))
            return f"{address} is taken in the destination by floating IP {other['id']}{whose}"
    for port in destination.list("port", network_id=network_id):
        if any(ip["ip_address"] == address for ip in port.get("fixed_ips", ())):
            owner = port.get("device_owner") or ""
            what = KNOWN_AS.get(owner, "a port")
            return f"{address} is taken in the destination by {what} ({port.get('device_id') or port['id']})"
    return None


def _project(destination: Inventory, id_: str | None) -> str:
    found = destination.get("project", id_) if id_ else None
    return f" of project {found['name']}" if found else ""
