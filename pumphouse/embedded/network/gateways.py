"""The way of a router outside: a port in an external network."""

from __future__ import annotations

import ipaddress
from typing import Any

from pumphouse.embedded.network import checks
from pumphouse.embedded.network.errors import bad, conflict
from pumphouse.embedded.network.part import Neutron
from pumphouse.embedded.network.port_rules import INTERFACES
from pumphouse.embedded.service import Json

OWNER = "network:router_gateway"


def gateway(value: Any) -> Json | None:
    """``external_gateway_info`` of a request; null and {} are none."""
    if not value:
        return None
    checks.keys(value, {"network_id"}, {"enable_snat", "external_fixed_ips", "qos_policy_id"})
    found: Json = {"network_id": checks.uuid(value["network_id"])}
    if value.get("external_fixed_ips") is not None:
        found["external_fixed_ips"] = checks.fixed_ips(value["external_fixed_ips"])
    if "enable_snat" in value:
        found["enable_snat"] = checks.boolean(value["enable_snat"])
    if "qos_policy_id" in value:
        found["qos_policy_id"] = checks.uuid_or_none(value["qos_policy_id"])
    return found


def view(service: Neutron, router: Json) -> Json | None:
    """``external_gateway_info`` of an answer."""
    kept = router["_gateway"]
    if not kept:
        return None
    ips = service.ports.table.rows[kept["port_id"]]["fixed_ips"]
    shown = {"network_id": kept["network_id"], "external_fixed_ips": [dict(ip) for ip in ips],
             "enable_snat": kept["enable_snat"]}  # fmt: skip
    if kept.get("qos_policy_id"):
        shown["qos_policy_id"] = kept["qos_policy_id"]
    return shown


def apply(service: Neutron, router: Json, wanted: Json | None) -> None:
    """Let a router have this way out, or none."""
    kept = router["_gateway"]
    network = _check(service, wanted) if wanted else None
    if kept and (wanted is None or wanted["network_id"] != kept["network_id"]):
        _remove(service, router, kept)
        kept = None
    if wanted is None or network is None:
        return
    service.policies.usable(wanted.get("qos_policy_id"))
    ips = wanted.get("external_fixed_ips")
    if kept is None:
        _check_overlap(service, router, network)
        fields = {"fixed_ips": ips} if ips else {}
        port = service.ports.make_internal(
            "", network["id"], device_id=router["id"], device_owner=OWNER, port_security_enabled=False, **fields
        )
        kept = {"port_id": port["id"], "network_id": network["id"], "enable_snat": True}
        if service.backend == "linuxbridge" and router["admin_state_up"]:
            service.ports.plug(port, service.host)
    elif ips:
        port = service.ports.table.rows[kept["port_id"]]
        port["fixed_ips"] = service.addresses.change(port, ips)
    kept = {**kept, **{name: wanted[name] for name in ("enable_snat", "qos_policy_id") if name in wanted}}
    service.routers.table.change(router, _gateway=kept, _gateway_network=network["id"])


def _check(service: Neutron, wanted: Json) -> Json:
    network = service.networks.seen(wanted["network_id"])
    if not service.networks.external(network):
        raise bad("router", f"Network {network['id']} is not an external network")
    subnets = service.subnets.of(network["id"])
    for ip in wanted.get("external_fixed_ips") or ():
        if ip.get("ip_address") and any(subnet["gateway_ip"] == ip["ip_address"] for subnet in subnets):
            raise bad("router", f"External IP {ip['ip_address']} is the same as the gateway IP")
    return network


def _remove(service: Neutron, router: Json, kept: Json) -> None:
    for ip in service.floating_ips.table.where("router_id", router["id"]):
        if ip["floating_network_id"] == kept["network_id"]:
            raise conflict("RouterExternalGatewayInUseByFloatingIp",
                           f"Gateway cannot be updated for router {router['id']}, since a gateway to external network "
                           f"{kept['network_id']} is required by one or more floating IPs.")  # fmt: skip
    service.ports.drop(service.ports.table.rows[kept["port_id"]])
    service.routers.table.change(router, _gateway=None, _gateway_network=None)


def _check_overlap(service: Neutron, router: Json, network: Json) -> None:
    """The ranges outside are none of those inside."""
    inside = [service.subnets.table.rows[ip["subnet_id"]] for port in service.routers.ports(router)
              if port["device_owner"] in INTERFACES for ip in port["fixed_ips"]]  # fmt: skip
    for subnet in service.subnets.of(network["id"]):
        check_apart(subnet, inside)


def check_apart(subnet: Json, others: list[Json]) -> None:
    """A router has one way only to each address."""
    mine: Any = ipaddress.ip_network(subnet["cidr"])
    for other in others:
        theirs: Any = ipaddress.ip_network(other["cidr"])
        if mine.version == theirs.version and mine.overlaps(theirs):
            raise bad("router", f"Cidr {subnet['cidr']} of subnet {subnet['id']} overlaps with cidr {other['cidr']} of "
                                f"subnet {other['id']}")  # fmt: skip
