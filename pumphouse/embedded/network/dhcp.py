"""The ports through which agents answer DHCP. OVN does that without any."""

from __future__ import annotations

import uuid

from pumphouse.embedded.network.addresses import automatic
from pumphouse.embedded.network.part import Part
from pumphouse.embedded.service import Json, RefusedError


class Dhcp(Part):
    """One port in each network that has a subnet with DHCP."""

    def serve(self, network_id: str) -> None:
        """Let a network's port have an address in each of its subnets with DHCP, and in no others."""
        network = self.service.networks.table.get(network_id)
        if self.service.backend != "linuxbridge" or network is None:
            return
        subnets = [subnet for subnet in self.service.subnets.of(network_id) if subnet["enable_dhcp"]]
        ports = self.service.state.tables["ports"].where("network_id", network_id)
        port = next((one for one in ports if one["device_owner"] == "network:dhcp"), None)
        if not subnets:
            if port:
                self.service.ports.drop(port)
        elif port is None:
            self._make(network, subnets)
        else:
            self._adapt(port, subnets)

    def _make(self, network: Json, subnets: list[Json]) -> None:
        host = self.service.host
        fields = {
            "device_id": f"dhcp{uuid.uuid5(uuid.NAMESPACE_DNS, host)}-{network['id']}",
            "device_owner": "network:dhcp",
            "fixed_ips": [{"subnet_id": subnet["id"]} for subnet in subnets],
            "port_security_enabled": False,
        }
        try:
            port = self.service.ports.make_internal(network["project_id"], network["id"], **fields)
        except RefusedError:  # no address, or no room in the quota: guests then go without
            return
        self.service.ports.plug(port, host)

    def _adapt(self, port: Json, subnets: list[Json]) -> None:
        served = {subnet["id"] for subnet in subnets}
        has = {ip["subnet_id"] for ip in port["fixed_ips"]}
        gone = [ip for ip in port["fixed_ips"] if ip["subnet_id"] not in served]
        fresh = [{"automatic": subnet} if automatic(subnet) else {"among": [subnet]}
                 for subnet in subnets if subnet["id"] not in has]  # fmt: skip
        if not gone and not fresh:
            return
        self.service.addresses.release(gone)
        kept = [ip for ip in port["fixed_ips"] if ip["subnet_id"] in served]
        try:
            port["fixed_ips"] = kept + self.service.addresses.take(port, fresh)
        except RefusedError:  # a full range goes without
            port["fixed_ips"] = kept
        self.service.ports.touch(port)
