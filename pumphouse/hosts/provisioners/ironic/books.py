"""What Ironic knows of one host: its node, found by its MACs each time, and whose it is.

A node is claimed by its ``instance_uuid``, which Ironic lets nobody overwrite, and which keeps Nova from using it. Ours
follows from the host's name, so that any process of ours knows it again. In ``extra.pumphouse`` of the node stands
what was asked for last: only with that a ``last_error`` can be told from an old one.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pumphouse.hosts.inventory import Host
from pumphouse.hosts.provisioners.base import ProvisionerError
from pumphouse.hosts.provisioners.ironic import enrolment
from pumphouse.hosts.provisioners.ironic.api import BareMetal, Json, NotFound

#: States that lead on by themselves (read in Ironic's common/states.py).
MOVING = frozenset({"verifying", "inspecting", "inspect wait", "cleaning", "clean wait", "clean hold", "adopting",
                    "deploying", "wait call-back", "deploy hold", "deleting", "rescuing", "rescue wait", "unrescuing",
                    "servicing", "service wait", "service hold"})  # fmt: skip
#: States in which a node is nobody's.
FREE = frozenset({"enroll", "manageable", "available", "inspect failed", "clean failed"})
#: States of being deployed, or of having been.
DEPLOYED = frozenset({"deploying", "wait call-back", "deploy hold", "deploy failed", "active", "adopting",
                      "adopt failed", "error"})  # fmt: skip

#: The key in a node's ``extra``.
MARK = "pumphouse"


@dataclasses.dataclass
class Books:
    """The node of one host. Raises ProvisionerError, all of it."""

    api: BareMetal
    host: Host
    options: Mapping[str, Any]

    @property
    def claim(self) -> str:
        """The instance_uuid of a node that is ours."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"pumphouse:{self.host.name}"))

    def node(self) -> Json | None:
        """The node that is this machine: by its MACs, else by its name if it has no other MACs."""
        found = {mac: self._node_of(mac) for mac in self.host.macs}
        ids = {one for one in found.values() if one}
        if len(ids) > 1:
            where = ", ".join(f"{mac} is of node {one}" for mac, one in found.items() if one)
            raise ProvisionerError(f"{self.api.name} has the MACs of {self.host.name} at several nodes: {where}")
        if ids:
            return self.look(ids.pop())
        named = self.look(self.options["node"] or self.host.name)
        if named is not None and (others := self.macs_of(named)):
            raise ProvisionerError(f"{self.said(named)} has the name of {self.host.name}, but other MACs: "
                                   f"{', '.join(others)}")  # fmt: skip
        return named

    def look(self, ident: str) -> Json | None:
        """A node by its uuid or name, or None."""
        try:
            return dict(self.api.get(f"/nodes/{quote(ident, safe='')}"))
        except NotFound:
            return None

    def macs_of(self, node: Json) -> list[str]:
        """Of its ports, in lower case."""
        return [str(port["address"]).lower() for port in self.api.get(f"/nodes/{node['uuid']}/ports")["ports"]]

    def _node_of(self, mac: str) -> str | None:
        ports = self.api.get(f"/ports?address={mac}&fields=uuid,node_uuid")["ports"]
        return str(ports[0]["node_uuid"]) if ports else None

    # --- whose it is ---

    def marked(self, node: Json) -> Json:
        """What we have noted at the node; empty where that is not of this host."""
        said = (node.get("extra") or {}).get(MARK)
        return dict(said) if isinstance(said, dict) and said.get("host") == self.host.name else {}

    def ours(self, node: Json) -> bool:
        """Whether it is claimed, or was and Ironic has let go of it in undeploying."""
        return node["instance_uuid"] == self.claim or (node["instance_uuid"] is None and bool(self.marked(node)))

    def taken(self, node: Json) -> str | None:
        """Why the node is not for us to touch; None: it is free, or ours."""
        state = node["provision_state"]
        if node["instance_uuid"] not in (None, self.claim):
            return (f"{self.said(node)} is in somebody else's hands: {state} as instance {node['instance_uuid']}; "
                    "undeploy it there first")  # fmt: skip
        if not self.ours(node) and state not in FREE:
            doing = "somebody else is at it" if state in MOVING else "undeploy it there first"
            return f"{self.said(node)} is {state}, and not by Pumphouse: {doing}"
        if node["maintenance"] and state != "active":
            why = self.api.words(node["maintenance_reason"] or node["last_error"]) or "it does not say why"
            return f"{self.said(node)} is in maintenance ({why}): end that in Ironic first"
        return None

    def said(self, node: Json) -> str:
        """A node in a sentence: "Ironic's node hv3 (0a1b...)"."""
        return f"Ironic's node {node['name'] or 'without a name'} ({node['uuid']})"

    def error(self, node: Json) -> str:
        """Ironic's own words for what went wrong last."""
        return self.api.words(node["last_error"])

    # --- changes ---

    def patch(self, node: Json, *changes: tuple[str, Any], **noted: Any) -> Json:
        """Change fields (path, value; None removes), and what is noted at the node; its new state."""
        mark = {"host": self.host.name, **self.marked(node), **noted}
        wanted = [*changes, (f"/extra/{MARK}", mark)]
        body = [_operation(path, value) for path, value in wanted]
        return dict(self.api.call("PATCH", f"/nodes/{node['uuid']}", body))

    def add_ports(self, node: Json) -> None:
        """Those of the host's MACs that it has not."""
        known = self.macs_of(node)
        for mac in self.host.macs:
            if mac not in known:
                self.api.call("POST", "/ports", enrolment.port(self.host, mac, node["uuid"]))

    def let_go(self, node: Json) -> None:
        """Neither claimed nor noted any more."""
        paths: list[tuple[str, Any]] = [("/instance_info", {}), (f"/extra/{MARK}", None)]
        if node["instance_uuid"] is not None:
            paths.append(("/instance_uuid", None))
        self.api.call("PATCH", f"/nodes/{node['uuid']}", [_operation(path, value) for path, value in paths])


def _operation(path: str, value: Any) -> Json:
    return {"op": "remove", "path": path} if value is None else {"op": "add", "path": path, "value": value}


def moving(node: Json) -> bool:
    """Whether something is being done to it that ends by itself."""
    return node["provision_state"] in MOVING or bool(node["target_power_state"])
