"""What makes a compute host of a machine: fuel, ironic, or the operator's own command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pumphouse.errors import UsageError
from pumphouse.hosts import drivers

if TYPE_CHECKING:
    from pumphouse.hosts.inventory import Host
    from pumphouse.hosts.provisioners.base import Provisioner


def of(host: Host) -> Provisioner:
    """The provisioner of a host. Raises UsageError where it has none, or its driver is not installed."""
    if host.provisioner is None:
        raise UsageError(f"the inventory has no provisioner for {host.name}: it cannot be reassigned")
    provisioner: Provisioner = drivers.find(drivers.PROVISIONER, host.provisioner.name)(host.provisioner.options)
    return provisioner
