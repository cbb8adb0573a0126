"""Units whose resources are records only: made one after another, as the plan has them in order."""

from __future__ import annotations

from taskflow.flow import Flow
from taskflow.patterns import linear_flow

from pumphouse.planning.plan import Unit
from pumphouse.resources.registry import TYPES
from pumphouse.tasks.access import EnterProject
from pumphouse.tasks.passwords import CarryPassword
from pumphouse.tasks.records import MakeResource


def records_flow(unit: Unit) -> Flow:
    """Make each resource, from within its project where that takes it; a user gets his password right after."""
    flow = linear_flow.Flow(unit.name)
    entered = set()
    for item in unit.items:
        if item.action == "create":
            projects = [id_ for kind, id_ in item.needs if kind == "project"] if TYPES[item.type].inside else []
            flow.add(*(EnterProject(id_) for id_ in projects if id_ not in entered))
            entered |= set(projects)
            flow.add(MakeResource(item.type, item.id, item.name))
            if item.type == "user":
                flow.add(CarryPassword(item.id))
    return flow
