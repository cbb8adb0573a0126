"""Floating IPs."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Iterable

from pumphouse.embedded.network import checks
from pumphouse.embedded.network.attributes import NAME, READ_ONLY, REQUIRED, Attribute
from pumphouse.embedded.network.errors import bad, conflict, missing
from pumphouse.embedded.network.resource import Resource
from pumphouse.embedded.service import Json

OWNER = "network:floatingip"
_DETAILS = ("name", "network_id", "mac_address", "admin_state_up", "status", "device_id", "device_owner")


class FloatingIPs(Resource):
    """Addresses outside that lead to ports inside."""

    collection, singular, path = "floatingips", "floatingip", "floatingips"
    gone = ("FloatingIPNotFound", "Floating IP {} could not be found")
    quota = "floatingip"
    attributes = {
        "floating_network_id": Attribute(REQUIRED, checks.uuid, put=False),
        "floating_ip_address": Attribute(None, checks.address_or_none, put=False, operators=True),
        "subnet_id": Attribute(None, checks.uuid_or_none, put=False),
        "port_id": Attribute(None, checks.uuid_or_none),
        "fixed_ip_address": Attribute(None, checks.address_or_none),
        "qos_policy_id": Attribute(None, checks.uuid_or_none),
        "dns_name": Attribute("", NAME.check, put=False, extension="dns-integration"),
        "dns_domain": Attribute("", NAME.check, put=False, extension="dns-integration"),
        "router_id": READ_ONLY,
        "status": READ_ONLY,
        "port_details": READ_ONLY,
    }

    def make(self, project_id: str, wanted: Json) -> Json:
        """A port outside holds the address."""
        network = self.service.networks.seen(wanted["floating_network_id"])
        if not self.service.networks.external(network):
            raise bad("floatingip", f"Network {network['id']} is not a valid external network")
        if not any(subnet["ip_version"] == 4 for subnet in self.service.subnets.of(network["id"])):
            raise bad("floatingip", f"Network {network['id']} does not contain any IPv4 subnet")
        self.service.policies.usable(wanted["qos_policy_id"])
        self.service.quotas.check(self.quota, project_id, 1)
        id_ = str(uuid.uuid4())
        place = self._place({**wanted, "project_id": project_id, "id": id_})
        port = self._port(network, wanted, id_)
        row = {**wanted, **place, "id": id_, "project_id": project_id, "_port_id": port["id"]}
        row["floating_ip_address"] = port["fixed_ips"][0]["ip_address"]
        row.pop("subnet_id")
        return self.keep(row)

    def _port(self, network: Json, wanted: Json, id_: str) -> Json:
        four = [subnet["id"] for subnet in self.service.subnets.of(network["id"]) if subnet["ip_version"] == 4]
        ip = {name: value for name, value in (("ip_address", wanted["floating_ip_address"]),
                                              ("subnet_id", wanted["subnet_id"])) if value}  # fmt: skip
        port = self.service.ports.make_internal(
            "",
            network["id"],
            device_id=id_,
            device_owner=OWNER,
            port_security_enabled=False,
            fixed_ips=[ip or {"subnet_id": four[0]}],
        )
        port["status"] = "N/A"
        return port

    def _place(self, spec: Json) -> Json:
        """Where it leads: port, address and router."""
        if not spec["port_id"]:
            if spec["fixed_ip_address"]:
                raise bad("floatingip", "fixed_ip_address cannot be specified without a port_id")
            return {"port_id": None, "fixed_ip_address": None, "router_id": None}
        port = self.service.ports.seen(spec["port_id"])
        if not self.token.admin and port["project_id"] != spec["project_id"]:
            raise bad("floatingip", f"Cannot process floating IP association with Port {port['id']}, since that port "
                                    f"is owned by a different {self.service.owner}")  # fmt: skip
        ip = _inner(port, spec["fixed_ip_address"])
        router = self._router(port, ip, spec["floating_network_id"])
        for other in self.table.where("port_id", port["id"]):
            if (
                other["id"] != spec["id"]
                and other["fixed_ip_address"] == ip["ip_address"]
                and (other["floating_network_id"] == spec["floating_network_id"])
            ):
                raise conflict(
                    "FloatingIPPortAlreadyAssociated",
                    f"Cannot associate floating IP {other['floating_ip_address']} ({other['id']}) with port "
                    f"{port['id']} using fixed IP {ip['ip_address']}, as that fixed IP already has a floating IP on "
                    f"external network {spec['floating_network_id']}.",
                )
        return {"port_id": port["id"], "fixed_ip_address": ip["ip_address"], "router_id": router}

    def _router(self, port: Json, ip: Json, external: str) -> str:
        """The one that leads from a port's subnet outside."""
        for router in self.service.routers.table.where("_gateway_network", external):
            for interface in self.service.routers.interfaces.of(router):
                if any(one["subnet_id"] == ip["subnet_id"] for one in interface["fixed_ips"]):
                    return str(router["id"])
        raise missing(
            "ExternalGatewayForFloatingIPNotFound",
            f"External network {external} is not reachable from subnet {ip['subnet_id']}.  Therefore, cannot associate "
            f"Port {port['id']} with a Floating IP.",
        )

    def alter(self, row: Json, wanted: Json) -> None:
        """It can lead elsewhere, or nowhere."""
        if wanted.get("qos_policy_id"):
            self.service.policies.usable(wanted["qos_policy_id"])
        if "port_id" in wanted or wanted.get("fixed_ip_address"):
            spec = {**row, "fixed_ip_address": None, **wanted}
            wanted = {**wanted, **self._place(spec)}
        self.table.change(row, **wanted)

    def erase(self, row: Json) -> None:
        """With its port."""
        self.forget(row["id"])
        self.service.ports.drop(self.service.ports.table.rows[row["_port_id"]])

    def detach(self, port_id: str, addresses: Iterable[str] | None = None) -> None:
        """Those that lead to a port (to some of its addresses) lead nowhere."""
        for row in self.table.where("port_id", port_id):
            if addresses is None or row["fixed_ip_address"] in addresses:
                self.table.change(row, port_id=None, fixed_ip_address=None, router_id=None)
                self.touch(row)

    def view(self, row: Json) -> Json:
        """With what follows from where it leads."""
        shown = super().view(row)
        port, router = self.service.ports.table.get(row["port_id"]), self.service.routers.table.get(row["router_id"])
        works = port and router and router["admin_state_up"] and port["status"] == "ACTIVE"
        shown["status"] = "ACTIVE" if works else "DOWN"
        shown["port_details"] = {name: port[name] for name in _DETAILS} if port else None
        return shown


def _inner(port: Json, address: str | None) -> Json:
    """The one of a port's addresses to which a floating IP leads."""
    four = [ip for ip in port["fixed_ips"] if ipaddress.ip_address(ip["ip_address"]).version == 4]
    if address:
        if ipaddress.ip_address(address).version != 4:
            raise bad("floatingip", f"Cannot process floating IP association with {address}, since that is not an IPv4 "
                                    "address")  # fmt: skip
        for ip in four:
            if ip["ip_address"] == address:
                return ip
        raise bad("floatingip", f"Port {port['id']} does not have fixed ip {address}")
    if not four:
        raise bad("floatingip", f"Cannot add floating IP to port {port['id']} that has no fixed IPv4 addresses")
    if len(four) > 1:
        raise bad("floatingip", f"Port {port['id']} has multiple fixed IPv4 addresses.  Must provide a specific IPv4 "
                                "address when assigning a floating IP")  # fmt: skip
    return four[0]
