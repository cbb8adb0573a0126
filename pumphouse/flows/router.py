"""A router: its record and its way out, its interfaces, then the routes that lead through them."""

from __future__ import annotations

from taskflow.flow import Flow
from taskflow.patterns import linear_flow

from pumphouse.planning.plan import Unit
from pumphouse.tasks.records import MakeResource
from pumphouse.tasks.routers import SetRoutes


def router_flow(unit: Unit) -> Flow:
    """The router, its interfaces, its routes; undone in the opposite order."""
    flow = linear_flow.Flow(unit.name)
    fresh = [item for item in unit.items if item.action == "create"]
    flow.add(*(MakeResource(item.type, item.id, item.name) for item in fresh))
    flow.add(*(SetRoutes(item.id) for item in fresh if item.type == "router"))
    return flow
