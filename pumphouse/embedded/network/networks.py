"""Networks."""

from __future__ import annotations

import uuid

from pumphouse.embedded.network import checks, segments
from pumphouse.embedded.network.attributes import NAME, OPEN, READ_ONLY, Attribute
from pumphouse.embedded.network.errors import conflict, invalid
from pumphouse.embedded.network.resource import Resource
from pumphouse.embedded.service import Json, RefusedError

#: Owners of ports that go with their network.
GO_ALONG = ("network:dhcp",)


class Networks(Resource):
    """What ports are plugged into."""

    collection, singular, path = "networks", "network", "networks"
    gone = ("NetworkNotFound", "Network {} could not be found.")
    quota = "network"
    secret = frozenset({segments.TYPE, segments.PHYSICAL, segments.NUMBER, "segments"})
    attributes = {
        "name": NAME,
        "admin_state_up": Attribute(True, checks.boolean),
        "shared": Attribute(False, checks.boolean, operators=True),
        "router:external": Attribute(False, checks.boolean, operators=True),
        "is_default": Attribute(False, checks.boolean, operators=True),
        "mtu": Attribute(0, checks.natural),
        "port_security_enabled": Attribute(True, checks.boolean),
        "qos_policy_id": Attribute(None, checks.uuid_or_none),
        "availability_zone_hints": Attribute([], put=False),
        "dns_domain": Attribute(OPEN, checks.host_name, extension="dns-integration"),
        "vlan_transparent": Attribute(OPEN, checks.boolean, put=False, extension="vlan-transparent"),
        "qinq": Attribute(OPEN, checks.boolean, put=False, extension="qinq"),
        segments.TYPE: Attribute(OPEN, checks.text_or_none(32), operators=True),
        segments.PHYSICAL: Attribute(OPEN, checks.text_or_none(64), operators=True),
        segments.NUMBER: Attribute(
            OPEN, lambda value: None if value is None else checks.integer(value), operators=True
        ),
        "segments": Attribute(OPEN, operators=True),
        "status": READ_ONLY,
        "subnets": READ_ONLY,
        "availability_zones": READ_ONLY,
        "ipv4_address_scope": READ_ONLY,
        "ipv6_address_scope": READ_ONLY,
    }

    def make(self, project_id: str, wanted: Json) -> Json:
        """With its place underneath; it brings its project's default group along."""
        service = self.service
        service.security_groups.default(project_id)
        service.zones.check("network", wanted["availability_zone_hints"])
        service.policies.usable(wanted["qos_policy_id"])
        shared, external = wanted.pop("shared"), wanted.pop("router:external")
        wanted.pop("dns_domain", None)
        id_ = str(uuid.uuid4())
        if several := wanted.pop("segments", None):
            wanted |= several[0]
        asked = {
            name: wanted.pop(name) for name in (segments.TYPE, segments.PHYSICAL, segments.NUMBER) if name in wanted
        }
        place = segments.allocate(service.state, service.backend, id_, asked)
        try:
            row = self._new(id_, project_id, wanted | place)
        except RefusedError:
            segments.release(service.state, place)
            raise
        for yes, action in ((shared, "access_as_shared"), (external, "access_as_external")):
            if yes:
                service.rbac.share("network", row, action)
        return row

    def _new(self, id_: str, project_id: str, wanted: Json) -> Json:
        largest = segments.largest(self.service.backend, wanted[segments.TYPE])
        if wanted["mtu"] > largest:
            raise invalid(f"Requested MTU is too big, maximum is {largest}")
        if self.service.backend == "ovn":
            wanted = {"vlan_transparent": False, "qinq": False, **wanted}
        wanted["qos_policy_id"] = wanted["qos_policy_id"] or self.service.policies.default(project_id)
        wanted["mtu"] = wanted["mtu"] or largest
        return self.keep({"id": id_, "project_id": project_id, "status": "ACTIVE", "revision_number": 1, **wanted})

    def alter(self, row: Json, wanted: Json) -> None:
        """``shared`` and ``router:external`` are policies of their own."""
        if "mtu" in wanted:
            largest = segments.largest(self.service.backend, row[segments.TYPE])
            wanted["mtu"] = wanted["mtu"] or largest
            if wanted["mtu"] > largest:
                raise invalid(f"Requested MTU is too big, maximum is {largest}")
        if wanted.get("qos_policy_id"):
            self.service.policies.usable(wanted["qos_policy_id"])
        for name in (segments.TYPE, segments.PHYSICAL, segments.NUMBER):
            if name in wanted and wanted[name] != row[name]:
                raise invalid("Plugin does not support updating the following provider network attributes: " + name)
        for name, action in (("shared", "access_as_shared"), ("router:external", "access_as_external")):
            if name in wanted:
                self._open(row, action, wanted.pop(name))
        wanted.pop("dns_domain", None)
        self.table.change(row, **wanted)

    def _open(self, row: Json, action: str, yes: bool) -> None:
        policy = self.service.rbac.open_to_all(row["id"], action)
        if yes and policy is None:
            self.service.rbac.share("network", row, action)
        if not yes and policy is not None:
            self.service.rbac.check_unused(policy)
            self.service.state.tables["rbac_policies"].remove(policy["id"])

    def erase(self, row: Json) -> None:
        """With its subnets, the ports of DHCP, and floating IPs that lead nowhere; not with anybody else's ports."""
        for floating in self.service.floating_ips.table.where("floating_network_id", row["id"]):
            if floating["port_id"] is None:
                self.service.floating_ips.erase(floating)
        ports = self.service.state.tables["ports"].where("network_id", row["id"])
        if others := [port["id"] for port in ports if port["device_owner"] not in GO_ALONG]:
            raise conflict(
                "NetworkInUse",
                f"Unable to complete operation on network {row['id']}. There are one or more ports still in use on "
                f"the network, id for these ports is: {','.join(others)}.",
            )
        for port in ports:
            self.service.ports.drop(port)
        for subnet in self.service.subnets.of(row["id"]):
            self.service.subnets.drop(subnet)
        self.service.state.macs.pop(row["id"], None)
        segments.release(self.service.state, row)
        self.forget(row["id"])

    def external(self, row: Json) -> bool:
        """Whether it leads outside, for whomever."""
        return any(one["action"] == "access_as_external" for one in self.service.rbac.of(row["id"]))

    def view(self, row: Json) -> Json:
        """With what follows from subnets, ports and policies."""
        shown = super().view(row)
        subnets = self.service.subnets.of(row["id"])
        shown["subnets"] = sorted(subnet["id"] for subnet in subnets)
        shown["shared"] = self.service.shares(row["id"], "access_as_shared")
        shown["router:external"] = self.external(row)
        for version in (4, 6):
            shown[f"ipv{version}_address_scope"] = self._scope(subnets, version)
        shown["availability_zones"] = self._zones(row, subnets)
        if not shown["router:external"]:
            del shown["is_default"]
        return shown

    def made(self, row: Json) -> Json:
        """The answer to POST tells ``is_default`` of all."""
        return {**self.view(row), "is_default": row["is_default"]}

    def _scope(self, subnets: list[Json], version: int) -> str | None:
        pools = self.service.state.tables["subnetpools"]
        for subnet in subnets:
            if subnet["ip_version"] == version and (pool := pools.get(subnet["subnetpool_id"])):
                return str(pool["address_scope_id"]) if pool["address_scope_id"] else None
        return None

    def _zones(self, row: Json, subnets: list[Json]) -> list[str]:
        """Those of the agents that serve it: as soon as there is something to serve."""
        served = any(subnet["enable_dhcp"] for subnet in subnets)
        served = served or bool(subnets and self.service.state.tables["ports"].count("network_id", row["id"]))
        return self.service.zones.names() if served else []
