"""Nodes: discovered by what fuel's agent says of them, listed, renamed, removed; and those that come back."""

from __future__ import annotations

import copy
import ipaddress
import json
import time
from typing import Any

from flask import Response, request

from pumphouse.embedded.nailgun.flavours import Json
from pumphouse.embedded.nailgun.layout import ADMIN_NETWORK
from pumphouse.embedded.nailgun.master import Part
from pumphouse.embedded.nailgun.wording import BareError, found, sent
from pumphouse.embedded.service import RefusedError, route

#: What an agent tells of a machine that is kept as it is.
TOLD = ("ip", "manufacturer", "os_platform", "platform_name", "agent_checksum")
#: The addresses that Fuel gives to booting machines.
ADMIN_RANGE = ("10.20.0.129", "10.20.0.254")
#: Fields in all versions; ``hostname`` and ``labels`` came later.
SHOWN = ("id", "cluster", "error_type", "fqdn", "group_id", "ip", "kernel_params", "mac", "manufacturer", "meta",
         "name", "online", "os_platform", "pending_addition", "pending_deletion", "pending_roles", "platform_name",
         "progress", "roles", "status")  # fmt: skip
#: What somebody may change.
CHANGEABLE = ("name", "hostname", "labels", "online")


class Nodes(Part):
    """The calls of nodes, without their disks and interfaces."""

    @route("GET", "/nodes")
    def listed(self) -> Any:
        """All, those of an environment (``cluster_id=N``), or those of none (``cluster_id=``)."""
        wanted = request.args.get("cluster_id")
        nodes = list(self.state.nodes.values())
        if wanted is not None:
            nodes = self.members(int(wanted) if wanted else None)
        return [self.view(node) for node in nodes]

    @route("GET", "/nodes/<int:id_>")
    def shown(self, id_: int) -> Any:
        """One."""
        return self.view(self.node(id_))

    @route("GET", "/nodes/allocation/stats")
    def statistics(self) -> Any:
        """How many there are, and how many of them are in no environment."""
        return {"total": len(self.state.nodes), "unallocated": len(self.members(None))}

    def view(self, node: Json) -> Json:
        """As the API shows it."""
        body = {key: node[key] for key in SHOWN}
        if self.flavour.later:
            body |= {"hostname": node["hostname"], "labels": node["labels"]}
        return copy.deepcopy(body | {"network_data": self.master.layout.network_data(node)})

    @route("POST", "/nodes", open=True)
    def discovered(self) -> Any:
        """A machine's agent speaks for the first time."""
        told = sent()
        mac = told.get("mac")
        if not mac or not (told.get("meta") or {}).get("interfaces"):
            raise RefusedError(400, "No mac address specified" if not mac else "Node interfaces are not specified")
        if told.get("status") != "discover":
            raise RefusedError(403, "Only bootstrap nodes are allowed to be registered.")
        if self.by_mac(told):
            raise RefusedError(409, f"Node with mac {mac} already exists - doing nothing")
        node = self.made(told)
        meta = node["meta"]
        disks = sum(disk["size"] for disk in meta.get("disks", [])) / 10**12
        memory = meta.get("memory", {}).get("total", 0) / 2**30
        self.master.notify("discover", f"New node is discovered: {meta.get('cpu', {}).get('total', 0)} CPUs / "
                           f"{memory:.1f} GB RAM / {disks:.3f} TB HDD ", node=node["id"])  # fmt: skip
        return self.view(node), 201

    @route("PUT", "/nodes/agent", open=True)
    def heard(self) -> Any:
        """A machine's agent speaks again: its id stays, and so does its status."""
        told = sent()
        node = self.by_mac(told)
        if node is None:
            raise RefusedError(400, "Invalid MAC is specified")
        node["seen"] = time.monotonic()
        if not node["online"]:
            node["online"] = True
            self.master.notify("discover", f"Node '{node['name']}' is back online", node=node["id"])
        if told.get("agent_checksum") and told["agent_checksum"] == node["agent_checksum"]:
            return {"id": node["id"], "cached": True}
        for key in TOLD:
            node[key] = told.get(key, node[key])
        node["meta"].update(told.get("meta") or {})
        self._judge(node)
        return {"id": node["id"]}

    def by_mac(self, told: Json) -> Json | None:
        """The node of whom this is told: by any of the MACs."""
        mac = str(told.get("mac") or "").lower()
        told_macs = {mac} | {one["mac"].lower() for one in (told.get("meta") or {}).get("interfaces", [])}
        return next((node for node in self.state.nodes.values() if node["mac"] in told_macs), None)

    def made(self, told: Json) -> Json:
        """A new node for what is told of a machine."""
        id_ = self.master.number("node")
        mac = told["mac"].lower()
        node: Json = {
            "id": id_, "mac": mac, "name": told.get("name") or f"Untitled ({mac[-5:]})", "status": "discover",
            "meta": copy.deepcopy(told["meta"]), "cluster": None, "group_id": None, "roles": [], "pending_roles": [],
            "pending_addition": False, "pending_deletion": False, "online": True, "progress": 0, "error_type": None,
            "kernel_params": None, "hostname": f"node-{id_}", "labels": {}, "seen": time.monotonic(),
            "fqdn": f"node-{id_}.example.com" if self.flavour.later else None, "volumes": None,
        } | {key: told.get(key) for key in TOLD}  # fmt: skip
        node["nics"] = self.master.layout.nics(node)
        self.state.nodes[id_] = node
        self._judge(node)
        return node

    def _judge(self, node: Json) -> None:
        """A machine with an address that Fuel did not give is in error, until it has another."""
        least, most = map(ipaddress.ip_address, ADMIN_RANGE)
        try:
            right = least <= ipaddress.ip_address(node["ip"]) <= most  # type: ignore[operator]
        except ValueError:
            right = False
        if not right and node["status"] == "discover":
            node.update(status="error", error_type="discover")
            self.master.notify("error", f"Node '{node['name']}' has IP '{node['ip']}' that does not match any "
                               f"Admin network ({ADMIN_NETWORK})", node=node["id"])  # fmt: skip
        elif right and node["error_type"] == "discover":
            node.update(status="discover", error_type=None)

    @route("PUT", "/nodes/<int:id_>")
    def changed(self, id_: int) -> Any:
        """Another name, labels, or what somebody pretends of it."""
        node, given = self.node(id_), sent()
        if not given:
            raise RefusedError(400, "Node attributes are not specified")
        node |= {key: value for key, value in given.items() if key in CHANGEABLE}
        if "hostname" in given and self.flavour.later:
            node["fqdn"] = f"{node['hostname']}.example.com"
        body = self.view(node)
        return Response(json.dumps(json.dumps(body)), content_type="application/json") if self.flavour.twice_encoded \
            else body  # fmt: skip

    @route("DELETE", "/nodes/<int:id_>")
    def removed(self, id_: int) -> Any:
        """Not known any more. 6.0 does it at once; later ones have a task that does it, and the machine boots again."""
        return self.remove([self.node(id_)])

    @route("DELETE", "/nodes")
    def removed_many(self) -> Any:
        """Several of one environment."""
        if not self.flavour.later:
            return Response("None", status=405, content_type="text/html")
        ids = request.args.get("ids", "").split(",")
        return self.remove([found(self.state.nodes.get(int(id_)), "Node") for id_ in ids if id_])

    def remove(self, nodes: list[Json]) -> Any:
        """The answer to who wants them removed."""
        if not self.flavour.later:
            for node in nodes:
                del self.state.nodes[node["id"]]
            return None, 204
        cluster, tasks = nodes[0]["cluster"], self.master.tasks
        if cluster is None:
            for node in nodes:
                del self.state.nodes[node["id"]]
            return tasks.view(tasks.made("node_deletion", None, status="ready", progress=100)), 200
        if tasks.running(cluster):
            raise BareError(400, "Cannot perform the actions because there are running tasks.")
        task = tasks.made("node_deletion", cluster, status="running")
        for node in nodes:
            node.update(status="removing", pending_deletion=True)
        ids = [node["id"] for node in nodes]
        self.master.later(self.master.delays["delete"], "nodes", "gone", task["id"], ids)
        return tasks.view(task), 202

    def gone(self, task: int, ids: list[int]) -> None:
        """They are removed; those whose machines are on boot again, and are discovered under new ids."""
        for id_ in ids:
            if node := self.state.nodes.get(id_):
                self.reborn(node)
        self.master.tasks.end(task, "ready", f"{len(ids)} node(s) were removed")

    def reborn(self, node: Json) -> None:
        """Remove a node; if its machine is on, it is there again, as discovered."""
        del self.state.nodes[node["id"]]
        if not node["online"]:
            return
        again = self.made({**node, "meta": node["meta"]})
        again.update(progress=100, labels=node["labels"])
        if not self.flavour.later:
            again.update(group_id=1, fqdn=node["fqdn"])
