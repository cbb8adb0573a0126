"""What Fuel knows: nodes by their MACs, environments by their names, tasks; read anew each time."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

from pumphouse.hosts.inventory import Host
from pumphouse.hosts.provisioners.base import ProvisionerError
from pumphouse.hosts.provisioners.fuel.api import Json, Nailgun

#: What a node is while something is done to it.
MOVING = frozenset({"provisioning", "provisioned", "deploying"})
#: Tasks that install.
WORK = frozenset({"provision", "deployment", "deploy"})


@dataclasses.dataclass
class Books:
    """Reads Nailgun. Raises ProvisionerError, all of it."""

    nailgun: Nailgun
    #: The environment's name, or its id in digits.
    wanted: str

    def environment(self) -> Json:
        """The one that hosts are to come into."""
        everything = self.nailgun.get("clusters/")
        named = [one for one in everything if one["name"] == self.wanted]
        numbered = [one for one in everything if str(one["id"]) == self.wanted]
        if found := named or numbered:
            return dict(found[0])
        names = ", ".join(sorted(one["name"] for one in everything)) or "none at all"
        raise ProvisionerError(f"Fuel at {self.nailgun.url} has no environment {self.wanted!r}; it has {names}")

    def name_of(self, environment: Any) -> str:
        """An environment's name, by its id."""
        found = [one["name"] for one in self.nailgun.get("clusters/") if one["id"] == environment]
        return str(found[0]) if found else f"number {environment}"

    def nodes(self) -> list[Json]:
        """All nodes, of all environments and none."""
        return list(self.nailgun.get("nodes/"))

    def of(self, host: Host) -> list[Json]:
        """The nodes that are this machine, the newest first: by any of its MACs, as ids change."""
        return _mine(host, self.nodes())

    def newest(self, host: Host) -> Json | None:
        """The newest of them."""
        found = self.of(host)
        return found[0] if found else None

    def tasks(self, environment: Json) -> list[Json]:
        """Those that are remembered, the oldest first."""
        return sorted(self.nailgun.get(f"tasks/?cluster_id={environment['id']}"), key=lambda task: task["id"])


def _mine(host: Host, nodes: list[Json]) -> list[Json]:
    macs = set(host.macs)
    return sorted((node for node in nodes if macs & macs_of(node)), key=lambda node: node["id"], reverse=True)


def split(host: Host, nodes: list[Json]) -> tuple[list[Json], list[Json]]:
    """The nodes that are this machine, and all others."""
    mine = _mine(host, nodes)
    return mine, [node for node in nodes if node not in mine]


def macs_of(node: Json) -> set[str]:
    """All that are told of a node, in lower case."""
    interfaces = (node.get("meta") or {}).get("interfaces") or []
    return {str(mac).lower() for mac in [node.get("mac"), *(one.get("mac") for one in interfaces)] if mac}


def running(tasks: list[Json]) -> Json | None:
    """The newest task that has not ended; a part only where its whole is not there."""
    found = [task for task in tasks if task["status"] in ("pending", "running")]
    whole = [task for task in found if not task.get("parent_id")]
    best = whole or found
    return best[-1] if best else None


def last(tasks: list[Json], names: Collection[str] = WORK) -> Json | None:
    """The newest task of these names."""
    return next((task for task in reversed(tasks) if task["name"] in names), None)


def said(node: Json) -> str:
    """A node in a sentence: "node 3 (52:54:00:aa:00:02)"."""
    return f"node {node['id']} ({node['mac']})"
