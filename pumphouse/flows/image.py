"""An image: its record, its bytes, then what needs both."""

from __future__ import annotations

from taskflow.flow import Flow
from taskflow.patterns import linear_flow

from pumphouse.planning.plan import Unit
from pumphouse.tasks.images import CopyImage, FinishImage
from pumphouse.tasks.records import MakeResource


def image_flow(unit: Unit) -> Flow:
    """Record, bytes, members, protection."""
    flow = linear_flow.Flow(unit.name)
    fresh = [item for item in unit.items if item.action == "create"]
    for item in (item for item in fresh if item.type == "image"):
        flow.add(MakeResource("image", item.id, item.name), CopyImage(item.id, item.bytes))
    for item in (item for item in fresh if item.type != "image"):
        flow.add(MakeResource(item.type, item.id, item.name))
    for item in (item for item in fresh if item.type == "image"):
        flow.add(FinishImage(item.id))
    return flow
