"""What is on a node's interfaces and disks: the defaults, and what somebody put there instead."""

from __future__ import annotations

import copy
import ipaddress
from typing import Any

from pumphouse.embedded.nailgun.flavours import Json
from pumphouse.embedded.nailgun.master import Part
from pumphouse.embedded.nailgun.wording import python2, sent_list
from pumphouse.embedded.service import RefusedError, route

ADMIN_NETWORK = "10.20.0.0/24"
#: The network that machines boot from: it belongs to no environment, and has the id 1.
ADMIN: Json = {"id": 1, "name": "fuelweb_admin"}
#: CIDR and VLAN of an environment's networks.
NETWORKS: dict[str, tuple[str, int | None]] = {
    "public": ("172.16.0.0/24", None),
    "management": ("192.168.0.0/24", 101),
    "storage": ("192.168.1.0/24", 102),
    "private": ("192.168.2.0/24", 103),
    "fuelweb_admin": (ADMIN_NETWORK, None),
}
#: MiB for the operating system; of each disk, so much is lost for partition tables.
SYSTEM, LOST = 28672, 692
#: Volumes that a role brings, in the order in which they get their room.
VOLUMES = {"cinder": "cinder", "controller": "image", "ceph-osd": "ceph", "mongo": "mongo", "compute": "vm"}


class Layout(Part):
    """The calls of disks and interfaces."""

    def nics(self, node: Json) -> list[Json]:
        """The interfaces of a new node, with no networks."""
        nics = []
        for told in node["meta"]["interfaces"]:
            nic: Json = {
                "id": self.master.number("nic"), "name": told["name"], "mac": told["mac"].lower(), "type": "ether",
                "state": told.get("state"), "max_speed": told.get("max_speed"),
                "current_speed": told.get("current_speed"), "assigned_networks": [],
            }  # fmt: skip
            if self.flavour.later:
                nic |= {
                    "driver": told.get("driver"), "bus_info": told.get("bus_info"), "attributes": {},
                    "pxe": bool(told.get("pxe")) or nic["mac"] == node["mac"],
                    "meta": {"dpdk": {"available": False}, "max_queues": None, "numa_node": None, "pci_id": "",
                             "sriov": {"available": False, "pci_id": "", "totalvfs": 0}, "offloading_modes": []},
                }  # fmt: skip
            nics.append(nic)
        return nics

    def of(self, node: Json) -> dict[int, str]:
        """The networks that a node is to be in, by their ids."""
        if node["cluster"] is None:
            return {}
        names = {one["id"]: one["name"] for one in self.cluster(node["cluster"])["networks"]}
        roles = {*node["roles"], *node["pending_roles"]}
        if not self.flavour.public_everywhere and "controller" not in roles:
            names = {id_: name for id_, name in names.items() if name != "public"}
        return {ADMIN["id"]: ADMIN["name"]} | names

    def connect(self, node: Json) -> None:
        """The defaults of a node that is new in an environment: public on the second interface, all else on the first.

        Its disks are laid out for its roles when somebody looks.
        """
        node["volumes"] = None
        ordered = sorted(node["nics"], key=lambda nic: nic["mac"] != node["mac"])
        for nic in ordered:
            nic["assigned_networks"] = []
        for id_, name in self.of(node).items():
            nic = ordered[1] if name == "public" and len(ordered) > 1 else ordered[0]
            nic["assigned_networks"].append({"id": id_, "name": name})

    def network_data(self, node: Json) -> list[Json]:
        """What a node shows of its networks: addresses once it is installed, that of fuelweb_admin before."""
        if node["cluster"] is None:
            return []
        installed, data = node["status"] in ("deploying", "ready"), []
        for nic in node["nics"]:
            for one in nic["assigned_networks"]:
                cidr, vlan = NETWORKS[one["name"]]
                entry: Json = {"name": one["name"], "dev": nic["name"], "cidr": cidr, "vlan": vlan}
                network, admin = ipaddress.ip_network(cidr), one["name"] == ADMIN["name"]
                addressed = installed and (one["name"] != "public" or "controller" in node["roles"])
                if admin or addressed:
                    gateway = str(network[1]) if one["name"] == "public" or (admin and self.flavour.later) else None
                    address = node["ip"] if admin else str(network[node["id"] + 2])
                    waits = node["pending_addition"]
                    entry |= {"brd": str(network.broadcast_address), "netmask": str(network.netmask),
                              "gateway": gateway, "ip": None if waits else f"{address}/24"}  # fmt: skip
                data.append(entry)
        return data

    @route("GET", "/nodes/<int:id_>/interfaces")
    def interfaces(self, id_: int) -> Any:
        """What is on which."""
        return copy.deepcopy(self.node(id_)["nics"])

    @route("PUT", "/nodes/<int:id_>/interfaces")
    def put_interfaces(self, id_: int) -> Any:
        """Other networks on them."""
        return self._put_interfaces(self.node(id_), sent_list())

    @route("PUT", "/nodes/interfaces")
    def put_many(self) -> Any:
        """Those of several nodes."""
        given = sent_list()
        for one in given:
            self._put_interfaces(self.node(one["id"]), one["interfaces"])
        return [{"id": one["id"], "interfaces": copy.deepcopy(self.node(one["id"])["nics"])} for one in given]

    def _put_interfaces(self, node: Json, given: list[Json]) -> list[Json]:
        nics, left = {nic["id"]: nic for nic in node["nics"]}, dict(self.of(node))
        for one in given:
            if one.get("id") not in nics:
                raise RefusedError(400, f"Node '{node['id']}': there is no interface with ID '{one.get('id')}' in DB")
            for network in one.get("assigned_networks", []):
                if left.pop(network.get("id"), None) is None:
                    raise RefusedError(400, f"Network '{network.get('id')}' is not available for node '{node['id']}'")
                if self.flavour.later and network["id"] == ADMIN["id"] and not nics[one["id"]]["pxe"]:
                    raise RefusedError(400, f"Node '{node['id']}': admin network can not be assigned to non-pxe "
                                       f"interface {nics[one['id']]['name']}")  # fmt: skip
        if left:
            unassigned = ",".join(map(str, left))
            raise RefusedError(400, f"Node '{node['id']}': {unassigned} network(s) are left unassigned")
        names = self.of(node)
        for one in given:
            ids = [network["id"] for network in one["assigned_networks"]]
            nics[one["id"]]["assigned_networks"] = [{"id": id_, "name": names[id_]} for id_ in ids]
        self._pending(node, "interfaces")
        return copy.deepcopy(node["nics"])

    @route("GET", "/nodes/<int:id_>/disks")
    def disks(self, id_: int) -> Any:
        """Which volumes are on which, in MiB."""
        node = self.node(id_)
        return copy.deepcopy(node["volumes"] or self.default(node))

    @route("GET", "/nodes/<int:id_>/disks/defaults")
    def default_disks(self, id_: int) -> Any:
        """As nobody has changed it."""
        return self.default(self.node(id_))

    @route("GET", "/nodes/<int:id_>/volumes")
    def volumes(self, id_: int) -> Any:
        """The same, in a form of its own."""
        return self.disks(id_)

    @route("PUT", "/nodes/<int:id_>/disks")
    def put_disks(self, id_: int) -> Any:
        """Other sizes."""
        node, given = self.node(id_), sent_list()
        known = {disk["id"] for disk in self.default(node)}
        for disk in given:
            if disk.get("id") not in known:
                raise RefusedError(400, f"Unknown disk: {disk.get('id')}")
            if sum(volume["size"] for volume in disk["volumes"]) > disk["size"]:
                raise RefusedError(400, f"Not enough free space on disk: {python2(disk)}")
        node["volumes"] = copy.deepcopy(given)
        self._pending(node, "disks")
        return given

    def default(self, node: Json) -> list[Json]:
        """The system on the first disk; what the roles bring shares the rest, one after the other."""
        roles = {*node["roles"], *node["pending_roles"]}
        kinds = [volume for role, volume in VOLUMES.items() if role in roles]
        disks: list[Json] = []
        free: list[int] = []
        for told in node["meta"].get("disks", []):
            size = told["size"] // 2**20 - LOST
            disk: Json = {"id": told["disk"], "name": told["name"], "size": size, "extra": told.get("extra", []),
                          "volumes": []}  # fmt: skip
            if self.flavour.later:
                disk["bootable"] = not disks
            disks.append(disk)
            free.append(size)
        wanted = {"os": min(SYSTEM, free[0] if free else 0)}
        wanted |= dict.fromkeys(kinds, (sum(free) - wanted["os"]) // max(len(kinds), 1))
        for kind, size in wanted.items():
            for number, disk in enumerate(disks):
                taken = min(size, free[number])
                size, free[number] = size - taken, free[number] - taken
                disk["volumes"].append({"name": kind, "size": taken})
                if self.flavour.later:
                    disk["volumes"][-1]["keep_data"] = False
        return disks

    def _pending(self, node: Json, what: str) -> None:
        if node["cluster"] is not None:
            change = {"name": what, "node_id": node["id"]}
            changes = self.cluster(node["cluster"])["changes"]
            if change not in changes:
                changes.append(change)
