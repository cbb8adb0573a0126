"""Evacuating a host: its services first, then what is on it, each in a unit of its own, and a look at the end."""

from __future__ import annotations

from taskflow.flow import Flow
from taskflow.patterns import linear_flow

from pumphouse.planning.plan import Unit
from pumphouse.tasks.base import Task
from pumphouse.tasks.hosts import ArriveServer, CheckEmpty, DisableHost, DisableVolumes, MoveServer, MoveVolume


def host_flow(unit: Unit) -> Flow:
    """Nothing new comes to it."""
    tasks: list[Task] = []
    for item in unit.items:
        if item.action == "move":
            tasks.append(DisableHost(item.id) if item.type == "compute_service" else DisableVolumes(item.id))
    return linear_flow.Flow(unit.name).add(*tasks)


def move_flow(unit: Unit) -> Flow:
    """A server goes to another host."""
    (item,) = unit.items
    return linear_flow.Flow(unit.name).add(MoveServer(item.id, item.move), ArriveServer(item.id, item.move))


def move_volume_flow(unit: Unit) -> Flow:
    """A volume goes to another host."""
    (item,) = unit.items
    return linear_flow.Flow(unit.name).add(MoveVolume(item.id, item.move))


def empty_flow(unit: Unit) -> Flow:
    """The end: it is empty."""
    (item,) = unit.items
    return linear_flow.Flow(unit.name).add(CheckEmpty(item.id))
