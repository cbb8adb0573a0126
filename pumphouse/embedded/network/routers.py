"""Routers."""

from __future__ import annotations

import ipaddress
import uuid
from typing import Any

from flask import request

from pumphouse.embedded.network import checks, gateways
from pumphouse.embedded.network.addresses import INTERFACES
from pumphouse.embedded.network.attributes import NAME, OPEN, READ_ONLY, Attribute
from pumphouse.embedded.network.errors import bad, conflict, forbidden, invalid
from pumphouse.embedded.network.interfaces import Interfaces
from pumphouse.embedded.network.resource import Call, Resource
from pumphouse.embedded.service import Json, RefusedError, Route

#: How many further routes a router can have.
MOST_ROUTES = 30


class Routers(Resource):
    """What connects networks, and leads outside."""

    collection, singular, path = "routers", "router", "routers"
    gone = ("RouterNotFound", "Router {} could not be found")
    quota = "router"
    secret = frozenset({"distributed", "ha"})
    attributes = {
        "name": NAME,
        "admin_state_up": Attribute(True, checks.boolean),
        "external_gateway_info": Attribute(None, gateways.gateway),
        "routes": Attribute([], checks.host_routes, post=False),
        "distributed": Attribute(OPEN, checks.boolean_or_none, operators=True, extension="dvr"),
        "ha": Attribute(OPEN, checks.boolean_or_none, operators=True),
        "availability_zone_hints": Attribute([], put=False),
        "flavor_id": Attribute(OPEN, put=False),
        "enable_default_route_bfd": Attribute(None, checks.boolean_or_none, operators=True,
                                              extension="enable-default-route-bfd"),
        "enable_default_route_ecmp": Attribute(None, checks.boolean_or_none, operators=True,
                                               extension="enable-default-route-ecmp"),
        "status": READ_ONLY,
        "availability_zones": READ_ONLY,
        "enable_snat": Attribute(post=False, put=False, extension="router-enable-snat"),
        "external_gateways": Attribute(post=False, put=False, extension="external-gateway-multihoming"),
    }  # fmt: skip

    @property
    def interfaces(self) -> Interfaces:
        """Their connections to subnets."""
        return Interfaces(self.service)

    def calls(self) -> list[Call]:
        """Interfaces are added and removed by calls of their own."""
        one = f"/v2.0/{self.path}/<id_>"
        return [
            *super().calls(),
            (Route("PUT", f"{one}/add_router_interface", False, False), self.add_interface),
            (Route("PUT", f"{one}/remove_router_interface", False, False), self.remove_interface),
        ]

    def add_interface(self, id_: str) -> Json:
        """An address in a subnet, or a port that there is."""
        return self._of_interface(id_, "add_router_interface", self.interfaces.add)

    def remove_interface(self, id_: str) -> Json:
        """With its port."""
        return self._of_interface(id_, "remove_router_interface", self.interfaces.remove)

    def _of_interface(self, id_: str, action: str, how: Any) -> Json:
        row = self.seen(id_)
        if not self.mine(row) or not (self.token.admin or self.service.writer()):
            raise forbidden(f"rule:{action}")
        port, subnets = how(row, request.get_json(force=True, silent=True) or {})
        self.touch(row)
        return {
            "id": row["id"],
            f"{self.service.owner}_id": row["project_id"],
            "port_id": port["id"],
            "network_id": port["network_id"],
            "subnet_id": subnets[-1],
            "subnet_ids": subnets,
        }

    # --- make and change

    def may_write(self, action: str, said: Json) -> None:
        """How a gateway works, and its addresses, are the operator's."""
        super().may_write(action, said)
        for name in ("enable_snat", "external_fixed_ips"):
            if not self.token.admin and name in (said.get("external_gateway_info") or {}):
                rule = f"rule:{action}_router"
                raise forbidden(f"({rule} and ({rule}:external_gateway_info and {rule}:external_gateway_info:{name}))")

    def make(self, project_id: str, wanted: Json) -> Json:
        """With its way out."""
        self._check_kind(wanted)
        self.service.zones.check("router", wanted["availability_zone_hints"])
        gateway = wanted.pop("external_gateway_info")
        wanted.pop("flavor_id", None)
        kind = self._kind(wanted)
        own = {"status": "ACTIVE", "routes": [], "revision_number": 1, "_gateway": None, "_gateway_network": None}
        row = self.keep({"id": str(uuid.uuid4()), "project_id": project_id, **own, **kind, **wanted})
        try:
            gateways.apply(self.service, row, gateway)
        except RefusedError:
            self.forget(row["id"])
            raise
        return row

    def _check_kind(self, wanted: Json) -> None:
        if self.service.backend == "ovn" and wanted.get("ha") is False:
            raise invalid("Provider ovn does not support ha=False")

    def _kind(self, wanted: Json) -> Json:
        """Pops the kind of router out of what is wanted."""
        for name in ("enable_default_route_bfd", "enable_default_route_ecmp"):
            if name in wanted:
                wanted[name] = bool(wanted[name])
        ha = wanted.pop("ha", None)
        if self.service.backend == "ovn":
            return {"ha": True}
        return {"distributed": bool(wanted.pop("distributed", None)), "ha": bool(ha)}

    def alter(self, row: Json, wanted: Json) -> None:
        """Routes must be reachable."""
        self._check_kind(wanted)
        kind = {name: wanted.pop(name) for name in ("ha", "distributed") if wanted.get(name) is not None}
        if row["admin_state_up"] and any(row[name] != value for name, value in kind.items()):
            raise bad("router", "Cannot change HA attribute of active routers. Please set router admin_state_up to "
                                "False prior to upgrade")  # fmt: skip
        wanted |= kind
        if "external_gateway_info" in wanted:
            gateways.apply(self.service, row, wanted.pop("external_gateway_info"))
        if "routes" in wanted:
            self._check_routes(row, wanted["routes"])
        up = wanted.get("admin_state_up", row["admin_state_up"])
        self.table.change(row, **wanted)
        for port in self.ports(row):
            if up and port["status"] != "ACTIVE":
                self.serve(row, port)

    def _check_routes(self, row: Json, routes: list[Json]) -> None:
        if len(routes) > MOST_ROUTES:
            raise RefusedError(400, f"Unable to complete operation for {row['id']}. The number of routes exceeds the "
                                    f"maximum {MOST_ROUTES}.", "RoutesExhausted")  # fmt: skip
        subnets = self.service.state.tables["subnets"]
        ips = [ip for port in self.ports(row) for ip in port["fixed_ips"]]
        ranges = [ipaddress.ip_network(subnets.rows[ip["subnet_id"]]["cidr"]) for ip in ips]
        for route in routes:
            hop = ipaddress.ip_address(route["nexthop"])
            reason = ""
            if not any(hop.version == one.version and hop in one for one in ranges):
                reason = "the nexthop is not connected with router"
            elif any(ip["ip_address"] == str(hop) for ip in ips):
                reason = "the nexthop is used by router"
            if reason:
                raise invalid(f"Invalid format for routes: {routes}, {reason}", "InvalidRoutes")

    def erase(self, row: Json) -> None:
        """With its gateway, not with interfaces."""
        if left := [port["id"] for port in self.interfaces.of(row)]:
            raise conflict("RouterInUse", f"Router {row['id']} has ports still attached: {', '.join(left)}")
        gateways.apply(self.service, row, None)
        self.forget(row["id"])

    # --- what hangs on it

    def ports(self, row: Json) -> list[Json]:
        """All of its ports."""
        return self.service.state.tables["ports"].where("device_id", row["id"])

    def serve(self, row: Json, port: Json) -> None:
        """Let an interface work. OVN's are on no host."""
        if not row["admin_state_up"]:
            return
        if self.service.backend == "linuxbridge":
            self.service.ports.plug(port, self.service.host)
        elif port["device_owner"] in INTERFACES:
            port["status"] = "ACTIVE"

    def view(self, row: Json) -> Json:
        """With its way out, and in OVN with all of them."""
        shown = super().view(row)
        shown["flavor_id"] = None
        shown["availability_zones"] = self.service.zones.names() if self.ports(row) else []
        shown["external_gateway_info"] = info = gateways.view(self.service, row)
        if self.service.backend == "ovn":
            shown["enable_snat"] = info["enable_snat"] if info else True
            shown["external_gateways"] = [
                {
                    "network_id": info["network_id"],
                    "external_fixed_ips": [
                        {"ip_address": ip["ip_address"], "subnet_id": ip["subnet_id"]}
                        for ip in info["external_fixed_ips"]
                    ],
                }
            ] if info else []  # fmt: skip
        return shown

    def made(self, row: Json) -> Json:
        """No agent has it yet when it is answered to POST."""
        return {**self.view(row), "availability_zones": []}
