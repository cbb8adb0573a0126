"""How a host is switched: ipmi, redfish, the operator's own command, or by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pumphouse.hosts import drivers

if TYPE_CHECKING:
    from pumphouse.hosts.inventory import Host
    from pumphouse.hosts.power.base import Power


def of(host: Host) -> Power:
    """The switch of a host. Raises UsageError where the driver is not installed."""
    power: Power = drivers.find(drivers.POWER, host.bmc.name)(host)
    return power
