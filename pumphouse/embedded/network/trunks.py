"""Trunks: several networks through one port."""

from __future__ import annotations

from typing import Any

from flask import request

from pumphouse.embedded.network import checks
from pumphouse.embedded.network.attributes import NAME, READ_ONLY, REQUIRED, Attribute
from pumphouse.embedded.network.errors import conflict, invalid, missing, port_in_use
from pumphouse.embedded.network.resource import Call, Resource
from pumphouse.embedded.service import Json, Route

SUB_PORT = "trunk:subport"


def sub_ports(value: Any) -> list[Json]:
    """What comes through, each with its tag."""
    if not isinstance(value, list):
        raise ValueError(f"Invalid data format for subports: '{value}' is not a list")
    found: list[Json] = []
    for one in value:
        if not isinstance(one, dict) or "port_id" not in one:
            raise ValueError("A valid port UUID must be specified")
        port = checks.uuid(one["port_id"])
        if any(port == other["port_id"] for other in found):
            raise ValueError(f"Non unique UUID for subport: '{port}'")
        found.append({**one, "port_id": port})
    return found


class Trunks(Resource):
    """A port of a server, and others that come through it with tags."""

    collection, singular, path = "trunks", "trunk", "trunks"
    gone = ("TrunkNotFound", "Trunk {} could not be found.")
    quota = "trunk"
    attributes = {
        "name": NAME,
        "admin_state_up": Attribute(True, checks.boolean),
        "port_id": Attribute(REQUIRED, checks.uuid, put=False),
        "sub_ports": Attribute([], sub_ports, put=False),
        "status": READ_ONLY,
    }

    def calls(self) -> list[Call]:
        """Sub-ports are added and removed by calls of their own."""
        one = f"/v2.0/{self.path}/<id_>"
        return [
            *super().calls(),
            (Route("GET", f"{one}/get_subports", False, False), self.get_subports),
            (Route("PUT", f"{one}/add_subports", False, False), self.add_subports),
            (Route("PUT", f"{one}/remove_subports", False, False), self.remove_subports),
        ]

    def of(self, port_id: str) -> Json | None:
        """The trunk whose parent a port is."""
        return next(iter(self.table.where("port_id", port_id)), None)

    def with_sub_port(self, port_id: str) -> Json | None:
        """The trunk through which a port comes."""
        return next(iter(self.table.where("_sub_port_ids", port_id)), None)

    def make(self, project_id: str, wanted: Json) -> Json:
        """Of a port that is in no trunk yet."""
        parent = self.service.ports.seen(wanted["port_id"])
        if self.with_sub_port(parent["id"]):
            raise conflict("TrunkPortInUse", f"Port {parent['id']} is in use by another trunk.")
        if self.of(parent["id"]):
            raise conflict("ParentPortInUse", f"Port {parent['id']} is currently in use and is not eligible for use as "
                                              "a parent port.")  # fmt: skip
        asked = self._checked(parent, [], wanted.pop("sub_ports"))
        ovn = self.service.backend == "ovn"
        row = super().make(
            project_id,
            {**wanted, "status": "ACTIVE" if ovn else "DOWN", "sub_ports": [], "_sub_port_ids": []},
        )
        if ovn:
            self.touch(row)
        self._join(row, asked)
        return row

    def alter(self, row: Json, wanted: Json) -> None:
        """Its name, and whether it forwards."""
        super().alter(row, wanted)
        if "admin_state_up" in wanted:
            self.follow(self.service.ports.table.rows[row["port_id"]])

    def erase(self, row: Json) -> None:
        """Not while it is disabled."""
        self._check_enabled(row)
        self._leave(row, row["_sub_port_ids"])
        super().erase(row)

    # --- sub-ports

    def get_subports(self, id_: str) -> Json:
        """All of them."""
        return {"sub_ports": self.seen(id_)["sub_ports"]}

    def add_subports(self, id_: str) -> Json:
        """More of them."""
        row, asked = self._asked(id_)
        self._check_enabled(row)
        parent = self.service.ports.table.rows[row["port_id"]]
        self._join(row, self._checked(parent, row["sub_ports"], asked, row))
        self.touch(row)
        return self.view(row)

    def remove_subports(self, id_: str) -> Json:
        """Fewer of them."""
        row, asked = self._asked(id_)
        self._check_enabled(row)
        for one in asked:
            if one["port_id"] not in row["_sub_port_ids"]:
                raise missing("SubPortNotFound",
                              f"SubPort {one['port_id']} on trunk {row['id']} could not be found.")  # fmt: skip
        self._leave(row, [one["port_id"] for one in asked])
        self.touch(row)
        return self.view(row)

    def _asked(self, id_: str) -> tuple[Json, list[Json]]:
        row = self.seen(id_)
        self.may_change(row, "update", {})
        given = request.get_json(force=True, silent=True)
        try:
            return row, sub_ports((given or {}).get("sub_ports"))
        except ValueError as error:
            raise invalid(str(error)) from None

    def _check_enabled(self, row: Json) -> None:
        if not row["admin_state_up"]:
            raise conflict("TrunkDisabled", f"Trunk {row['id']} is currently disabled.")

    def _checked(self, parent: Json, there: list[Json], asked: list[Json], trunk: Json | None = None) -> list[Json]:
        networks = self.service.networks.table.rows
        tags = {(one["segmentation_type"], one["segmentation_id"]) for one in there}
        found = []
        for one in asked:
            port = self.service.ports.seen(one["port_id"])
            if port["id"] == parent["id"]:
                raise conflict("ParentPortInUse", f"Port {port['id']} is currently in use and is not eligible for use "
                                                  "as a parent port.")  # fmt: skip
            most, mtu = networks[parent["network_id"]]["mtu"], networks[port["network_id"]]["mtu"]
            if mtu > most:
                raise conflict("SubPortMtuGreaterThanTrunkPortMtu", f"MTU {mtu} of subport {port['id']} cannot be "
                               f"greater than MTU {most} of trunk {parent['id']}.")  # fmt: skip
            kind, number = _tag(one, networks[port["network_id"]])
            self._check_free(port)
            if (kind, number) in tags:
                raise conflict("DuplicateSubPort", f"segmentation_type {kind} and segmentation_id {number} already in "
                               f"use on trunk {trunk['id'] if trunk else None}.")  # fmt: skip
            tags.add((kind, number))
            found.append({"port_id": port["id"], "segmentation_type": kind, "segmentation_id": number})
        return found

    def _check_free(self, port: Json) -> None:
        if self.with_sub_port(port["id"]):
            raise conflict("TrunkPortInUse", f"Port {port['id']} is in use by another trunk.")
        if self.of(port["id"]):
            raise conflict("ParentPortInUse", f"Port {port['id']} is currently in use and is not eligible for use as a "
                                              "parent port.")  # fmt: skip
        if port["device_id"]:
            raise port_in_use(port)

    def _join(self, row: Json, asked: list[Json]) -> None:
        ids = [one["port_id"] for one in asked]
        self.table.change(row, sub_ports=[*row["sub_ports"], *asked], _sub_port_ids=[*row["_sub_port_ids"], *ids])
        if asked:
            self.follow(self.service.ports.table.rows[row["port_id"]])

    def _leave(self, row: Json, ids: list[str]) -> None:
        ports = self.service.ports.table
        for id_ in ids:
            port = ports.rows[id_]
            ports.change(port, device_owner="", status="DOWN", **{"binding:profile": {}, "binding:vif_type": "unbound",
                         "binding:host_id": "", "binding:vif_details": {}})  # fmt: skip
        left = [one for one in row["sub_ports"] if one["port_id"] not in ids]
        self.table.change(row, sub_ports=left, _sub_port_ids=[one["port_id"] for one in left])

    def follow(self, parent: Json) -> None:
        """Sub-ports are where their parent is; OVN notes at once whose they are, agents when it is on a host."""
        row = self.of(parent["id"])
        if row is None:
            return
        host = parent["binding:host_id"]
        ovn = self.service.backend == "ovn"
        for one in row["sub_ports"]:
            port = self.service.ports.table.rows[one["port_id"]]
            fields: Json = {"binding:host_id": host, "status": parent["status"] if host else "DOWN"}
            if ovn:
                fields |= {"binding:vif_type": "ovs",
                           "binding:profile": {"parent_name": parent["id"], "tag": one["segmentation_id"]}}  # fmt: skip
            elif host:
                fields |= {"binding:vif_type": parent["binding:vif_type"],
                           "binding:vif_details": parent["binding:vif_details"]}  # fmt: skip
            if ovn or host:
                self.service.ports.table.change(port, device_owner=SUB_PORT, **fields)
        if not ovn:
            row["status"] = "ACTIVE" if host and parent["status"] == "ACTIVE" and row["admin_state_up"] else "DOWN"

    def details(self, port_id: str) -> Json | None:
        """What a parent port tells of its trunk."""
        row = self.of(port_id)
        if row is None:
            return None
        ports = self.service.ports.table.rows
        subs = [{**one, "mac_address": ports[one["port_id"]]["mac_address"]} for one in row["sub_ports"]]
        return {"trunk_id": row["id"], "sub_ports": subs}


def _tag(one: Json, network: Json) -> tuple[str, int]:
    kind, number = one.get("segmentation_type"), one.get("segmentation_id")
    if kind == "inherit":
        kind, number = network["provider:network_type"], network["provider:segmentation_id"]
    if kind is None or number is None:
        raise invalid(f"Invalid subport details '{one}': missing segmentation information. Must specify both "
                      "segmentation_id and segmentation_type")  # fmt: skip
    if kind != "vlan":
        raise invalid(f"Unknown segmentation_type '{kind}'")
    number = checks.integer(number)
    if not 1 <= number <= 4094:
        raise invalid(f"Segmentation ID '{number}' is not in range")
    return kind, number
