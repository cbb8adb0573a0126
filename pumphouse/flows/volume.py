"""A volume's bytes: clone -> image -> stream -> volume."""

from __future__ import annotations

from taskflow.flow import Flow
from taskflow.patterns import linear_flow

from pumphouse.planning.plan import Item, Unit
from pumphouse.tasks.access import EnterProject
from pumphouse.tasks.images import CopyTemporaryImage
from pumphouse.tasks.volumes import ExportVolume, MakeVolume


def volume_flow(unit: Unit) -> Flow:
    """A detached volume, in a unit of its own."""
    flow = linear_flow.Flow(unit.name)
    for item in unit.items:
        if item.action == "create":
            flow.add(*(EnterProject(id_) for kind, id_ in item.needs if kind == "project"))
            flow.add(carry_volume(item))
    return flow


def carry_volume(item: Item) -> Flow:
    """The chain for one volume; the server flow has one for each of its volumes."""
    exported, imported = f"exported:{item.id}", f"imported:{item.id}"
    return linear_flow.Flow(f"volume:{item.id}").add(
        ExportVolume(item.id, provides=exported),
        CopyTemporaryImage(("volume", item.id), item.bytes, exported, provides=imported),
        MakeVolume(item.id, imported),
    )
