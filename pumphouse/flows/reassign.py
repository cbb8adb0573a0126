"""Giving a host to the destination: off, out of the source, installed, taken in; a unit each, one after the other."""

from __future__ import annotations

from taskflow.flow import Flow
from taskflow.patterns import linear_flow

from pumphouse.planning.plan import Unit
from pumphouse.tasks.installing import AwaitService, BootFromNetwork, Deploy, Discover, EnableService, Prepare
from pumphouse.tasks.reassign import DeleteAgents, DeleteProvider, DeleteService, SwitchOff


def switch_off_flow(unit: Unit) -> Flow:
    """Its power is cut."""
    host, service = _names(unit)
    return linear_flow.Flow(unit.name).add(SwitchOff(host, service))


def leave_flow(unit: Unit) -> Flow:
    """The source knows it no more."""
    host, service = _names(unit)
    return linear_flow.Flow(unit.name).add(
        DeleteService(host, service), DeleteProvider(host), DeleteAgents(host, service)
    )


def install_flow(unit: Unit) -> Flow:
    """It boots from the network and is deployed: undone together, as nothing of it is of use without the rest."""
    host, _ = _names(unit)
    return linear_flow.Flow(unit.name).add(Prepare(host), BootFromNetwork(host), Discover(host), Deploy(host))


def join_flow(unit: Unit) -> Flow:
    """It is a compute host of the destination; what told the source once more that it lives is removed again."""
    host, service = _names(unit)
    there = list(unit.items[0].move["there"])
    return linear_flow.Flow(unit.name).add(
        AwaitService(host, there), EnableService(host, service), DeleteProvider(host), DeleteAgents(host, service)
    )


def _names(unit: Unit) -> tuple[str, str]:
    """The host as the inventory calls it, and as the source's Nova calls the host of its nova-compute."""
    move = unit.items[0].move
    return str(move["host"]), str(move["service"])
