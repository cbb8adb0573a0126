"""Switching a machine, with what must be so before: for whoever asks, on the command line or over the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pumphouse.errors import UsageError
from pumphouse.hosts import guard, power
from pumphouse.hosts.power.base import PowerError, State

if TYPE_CHECKING:
    from pumphouse.clouds.cloud import Cloud
    from pumphouse.hosts.inventory import Host


def may_boot_from_network(host: Host, state: State) -> None:
    """Refuse what could be installed anew by mistake. ``state``: how the machine is now.

    Raises PowerError for a host that is not the source's, UsageError for one that is not off.
    """
    if not host.source:
        raise PowerError(
            f"{host.name} is not noted as a host of the source in the inventory (source: true): what boots from the"
            " network may be installed anew"
        )
    if state != "off":
        raise UsageError(f"{host.name} is {state}; it would boot from the network at some later start")


def switch_on(host: Host, *, network: bool = False) -> State:
    """Switch a machine on; the state that it is in then. ``network``: it boots from there, this once."""
    switch = power.of(host)
    if network:
        may_boot_from_network(host, switch.state())
        switch.boot_from_network()
    switch.on()
    return switch.state()


def switch_off(
    host: Host, source: Cloud, destination: Cloud, *, soft: bool = False, say: Callable[[str], None]
) -> State:
    """Switch a machine off, if nobody's servers go down with it; the state that it is in then.

    ``soft``: by way of its operating system. Raises PowerError with what is in the way.
    """
    guard.refuse(host, source, destination)
    switch = power.of(host)
    say(f"switching {host.name} off")
    switch.off(soft=soft)
    return switch.state()
