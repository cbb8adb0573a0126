"""Units whose resources are records only: made one after another, as the plan has them in order."""

from __future__ import annotations

from taskflow.flow import Flow
from taskflow.patterns import linear_flow

from pumphouse.planning.plan import Unit
from pumphouse.tasks.passwords import CarryPassword
from pumphouse.tasks.records import MakeResource


def records_flow(unit: Unit) -> Flow:
    """Make each resource; a user gets his password right after."""
    flow = linear_flow.Flow(unit.name)
    for item in unit.items:
        if item.action == "create":
            flow.add(MakeResource(item.type, item.id, item.name))
            if item.type == "user":
                flow.add(CarryPassword(item.id))
    return flow
