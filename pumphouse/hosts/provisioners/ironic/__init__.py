"""Ironic, OpenStack's Bare Metal service, of a cloud or standalone, installs hosts or adopts them. See docs/ironic.md.

Nothing is remembered between calls: each looks at the machine's node, by its MACs, and does what is next. So any of
them can be called again, by another process, wherever the one before has died.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pumphouse.hosts.inventory import Host
from pumphouse.hosts.options import Option
from pumphouse.hosts.provisioners.base import Progress, Provisioner, ProvisionerError
from pumphouse.hosts.provisioners.ironic import api, checks, enrolment, work
from pumphouse.hosts.provisioners.ironic.books import Books


class Ironic(Provisioner):
    """One Ironic, of OpenStack Stein or later."""

    name = "ironic"
    OPTIONS = {
        # An entry of clouds.yaml ...
        "cloud": Option("text"),
        # ... or a standalone Ironic: http://10.0.0.2:6385.
        "endpoint": Option("text"),
        "auth": Option("text", default="none", choices=("none", "http_basic")),
        "username": Option("text"),
        "password": Option("secret"),
        # Of endpoint. False, or the path of the CA's certificate.
        "verify": Option("text or flag", default=True),
        # The node's name where it is another than the host's.
        "node": Option("text"),
        # Of a node that is enrolled: the hardware type (default: as bmc.kind), and what is added to its driver_info.
        "driver": Option("text"),
        "driver_info": Option("mapping", default={}),
        # {deploy: direct, boot: ipxe, ...}; default: Ironic's.
        "interfaces": Option("mapping", default={}),
        "properties": Option("mapping", default={}),
        "resource_class": Option("text", default="baremetal", longest=80),
        # What is deployed: image_source, image_checksum, root_gb, kernel, ramdisk, capabilities, ...
        "instance_info": Option("mapping", default={}),
        # user_data, meta_data, network_data for cloud-init.
        "configdrive": Option("mapping", default={}),
        # Inspect the machine before it is deployed.
        "inspect": Option("flag", default=False),
        # Take a machine that runs into Ironic's books, and install nothing.
        "adopt": Option("flag", default=False),
        # Seconds for one request.
        "deadline": Option("number", default=60, least=1, most=3600),
    }
    owns_power = True

    def __init__(self, options: Mapping[str, Any]) -> None:
        """As the inventory says; no request is made."""
        super().__init__(options)
        self._api: api.BareMetal | None = None

    def books(self, host: Host) -> Books:
        """What Ironic knows of the host. Raises ProvisionerError for options that do not go together."""
        if self._api is None:
            self._api = api.connect(self.options)
        for secret in enrolment.secrets(host):
            self._api.hide(secret)
        enrolment.interfaces(self.options)
        if self.options["adopt"] and self.options["inspect"]:
            raise ProvisionerError("provisioner.inspect restarts the machine: it does not go together with adopt")
        return Books(self._api, host, self.options)

    def check(self, host: Host) -> list[str]:
        """Log-in, driver and interfaces, an image; the node in nobody else's hands."""
        try:
            return list(checks.obstacles(self.books(host)))
        except ProvisionerError as error:
            return [str(error)]

    def prepare(self, host: Host) -> None:
        """Enrol the host unless Ironic has it, claim the node, begin to manage it (the log-on to its BMC)."""
        work.prepare(self.books(host))

    def discovered(self, host: Host, since: float) -> str | None:
        """The node's uuid once Ironic manages it, has switched it off, and has inspected it where that is asked for.

        ``since`` does not matter: Ironic reaches the machine by its BMC, and not by what booted on it.
        """
        return work.discover(self.books(host))

    def deploy(self, host: Host, node: str) -> None:
        """Make it available (Ironic may clean it), or adopt it; progress goes on from there."""
        work.deploy(self.books(host))

    def progress(self, host: Host, node: str) -> Progress:
        """How far it is. When the node has become available it has it deployed."""
        return work.follow(self.books(host), node)

    def forget(self, host: Host, node: str | None) -> None:
        """Undeploy what we deployed, let go of the node, remove it if we enrolled it.

        Raises a passing ProvisionerError while Ironic is still at it.
        """
        work.forget(self.books(host))
