"""Fuel: its Nailgun installs hosts into one of its environments. See docs/fuel.md.

Nothing is remembered between calls: each looks at what Fuel knows of the machine now, by its MACs, and does what is
next. So any of them can be called again, by another process, wherever the one before has died.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pumphouse.hosts.inventory import Host
from pumphouse.hosts.options import Option
from pumphouse.hosts.provisioners.base import Progress, Provisioner, ProvisionerError
from pumphouse.hosts.provisioners.fuel import checks, work
from pumphouse.hosts.provisioners.fuel.api import Json, Nailgun, NotFound
from pumphouse.hosts.provisioners.fuel.books import MOVING, Books, said


class Fuel(Provisioner):
    """One environment of one Fuel master node, 6.0 to 11.0."""

    name = "fuel"
    OPTIONS = {
        # Of the master node: http://10.20.0.2:8000 or https://10.20.0.2:8443.
        "url": Option("text", required=True),
        # Where its Keystone is, if not below /keystone of url: http://10.20.0.2:5000.
        "keystone_url": Option("text"),
        "username": Option("text", default="admin"),
        "password": Option("secret", required=True),
        "tenant": Option("text", default="admin"),
        # False, or the path of the CA's certificate.
        "verify": Option("text or flag", default=True),
        # Name, or id, of the environment that hosts come into.
        "environment": Option("text", required=True),
        # Names of environments of the same Fuel that the machine may be taken out of: those of the source.
        "take_from": Option("texts", default=()),
        # Seconds for one request.
        "deadline": Option("number", default=60, least=1, most=3600),
    }

    def __init__(self, options: Mapping[str, Any]) -> None:
        """As the inventory says; no request is made."""
        super().__init__(options)
        self._made: Books | None = None

    @property
    def books(self) -> Books:
        """What Fuel knows. Raises ProvisionerError for a URL that is none."""
        if self._made is None:
            said_ = self.options
            nailgun = Nailgun(said_["url"], said_["username"], said_["password"], said_["tenant"], said_["verify"],
                              said_["deadline"], said_["keystone_url"])  # fmt: skip
            self._made = Books(nailgun, said_["environment"])
        return self._made

    def check(self, host: Host) -> list[str]:
        """Log-in, environment, roles, layout; nobody else's changes, no task that runs, no node that is in use."""
        try:
            return list(checks.obstacles(self.books, host, self.options["take_from"]))
        except ProvisionerError as error:
            return [str(error)]

    def prepare(self, host: Host) -> None:
        """Remove the nodes that were this machine. One that is in use is not removed: ProvisionerError."""
        found = self.books.of(host)
        environment = self.books.environment()
        for node in found:
            if reason := checks.kept(self.books, node, environment, self.options["take_from"]):
                raise ProvisionerError(reason)
        for node in found:
            self._remove(node)

    def discovered(self, host: Host, since: float) -> str | None:
        """The machine's node, once it has booted Fuel's image: prepare has removed all that were there before.

        Nailgun does not tell when it has seen a machine, and keeps it online for three minutes after its last word:
        that is why prepare must have been called while the power was off. A node that is in the environment is
        one that we put there.
        """
        for node in self.books.of(host):
            if node["pending_deletion"] or node["status"] == "removing":
                continue
            if node["error_type"] == "discover":
                raise ProvisionerError(f"Fuel has discovered {said(node)} with address {node['ip']}, which it did not "
                                       "give: another DHCP server answers in its network", passing=True)  # fmt: skip
            if node["cluster"] is None and node["status"] == "discover" and node["online"]:
                return str(node["id"])
            if node["cluster"] is not None and node["cluster"] == self.books.environment()["id"]:
                return str(node["id"])
        return None

    def deploy(self, host: Host, node: str) -> None:
        """Assign, lay out, provision; progress goes on from there."""
        work.begin(self.books, host)

    def progress(self, host: Host, node: str) -> Progress:
        """How far it is. Between Nailgun's two tasks, provisioning and deployment, it starts the second one."""
        return work.follow(self.books, host, node)

    def forget(self, host: Host, node: str | None) -> None:
        """Stop what runs on this machine alone, take it out of the environment, remove it.

        Raises a passing ProvisionerError while Fuel is still stopping.
        """
        environment = self.books.environment()
        for one in self.books.of(host):
            if one["cluster"] is None:
                self._remove(one)
            elif one["cluster"] == environment["id"] and one["status"] != "removing":
                if one["status"] in MOVING:
                    work.stop(self.books, environment, one)
                self._remove(one)

    def names(self, host: Host, node: str | None) -> list[str]:
        """Before 8.0, and where the host's name cannot be one of Fuel's, machines are called node-N by their ids."""
        return [host.name, *([f"node-{node}"] if node else [])]

    def _remove(self, node: Json) -> None:
        """6.0 does it at once; later ones by a task, after which the machine, if it is on, boots again."""
        nailgun = self.books.nailgun
        if node["status"] == "removing":
            return
        try:
            if node["cluster"] is not None and node["pending_addition"]:
                nailgun.call("POST", f"clusters/{node['cluster']}/unassignment/", [{"id": node["id"]}])
            nailgun.begin("DELETE", f"nodes/{node['id']}/")
        except NotFound:
            # Somebody was faster, or the answer to our own request was lost.
            return
