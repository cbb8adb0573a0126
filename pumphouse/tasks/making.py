"""Make a thing in the destination once, whatever becomes of the answer, and of this process.

Before it is made, it is noted that it is being made; once its id is in the mapping the note goes. Where the note is
found, an earlier attempt may have made the thing without anybody knowing its id: what it has left is looked for, and
used or removed, before it is made again. That the task is run again after a lost answer is ``tasks.base``'s doing.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import is_conflict
from pumphouse.errors import CloudError
from pumphouse.resources.base import ResourceType, Wire
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.registry import TYPES
from pumphouse.store import notes
from pumphouse.tasks.context import Context, delete_and_wait, refused

#: Seconds by which the clocks of two machines may differ.
CLOCKS = 300.0


def make(
    context: Context, type_: ResourceType, cloud: Cloud, source: Wire, wanted: Wire, create: Callable[[], Wire]
) -> str:
    """Id of what ``create`` makes as the counterpart of ``source``; it is in the mapping when this returns."""
    source_id = type_.id(source)
    if type_.repeatable(wanted):
        there = _again(type_, cloud, wanted, create)
    else:
        there = _once(context, type_, cloud, source, wanted, create)
    context.made(type_.type, source_id, there)
    return there


def clear(context: Context, type_: ResourceType, cloud: Cloud, source: Wire, wanted: Callable[[], Wire]) -> None:
    """Remove what an attempt has left that did not get as far as the mapping."""
    source_id = type_.id(source)
    noted = notes.find(context.store, notes.MAKING, type_.type, source_id)
    if noted is not None:
        for left in _left(context, type_, cloud, source, wanted(), noted):
            _remove(type_, cloud, left)
        notes.drop(context.store, notes.MAKING, type_.type, source_id)


def _once(
    context: Context, type_: ResourceType, cloud: Cloud, source: Wire, wanted: Wire, create: Callable[[], Wire]
) -> str:
    note = (context.store, notes.MAKING)
    of = (type_.type, type_.id(source))
    noted = notes.find(*note, *of)
    if noted is not None and (there := _settle(context, type_, cloud, source, wanted, noted)):
        return there
    noted = noted or {"name": type_.name(source), "since": time.time()}
    notes.keep(*note, context.migration_id, context.unit, *of, noted)
    try:
        return type_.id(create())
    except Exception as error:
        if refused(error):
            notes.drop(*note, *of)
        raise


def _settle(context: Context, type_: ResourceType, cloud: Cloud, source: Wire, wanted: Wire, noted: Wire) -> str | None:
    """Use what is left of an earlier attempt, or remove it: it may lack what was to be set after it was made."""
    for left in _left(context, type_, cloud, source, wanted, noted):
        if type_.adoptable:
            return type_.id(left)
        _remove(type_, cloud, left)
    return None


def _remove(type_: ResourceType, cloud: Cloud, left: Wire) -> None:
    """Somebody may have made it by hand meanwhile: then it holds something. Raises CloudError."""
    if why := type_.occupied(cloud, type_.id(left)):
        raise CloudError(
            f"{type_.type} {type_.name(left)} ({type_.id(left)}) is in the way in the {cloud.role}: it {why}"
        )
    delete_and_wait(type_, cloud, type_.id(left))


def _left(context: Context, type_: ResourceType, cloud: Cloud, source: Wire, wanted: Wire, noted: Wire) -> list[Wire]:
    """What may have been made since it was noted, and stands for nothing else."""
    return [
        one
        for one in type_.orphans(Inventory(cloud, TYPES), wanted, source)
        if not context.store.is_counterpart(context.pair, type_.type, type_.id(one))
        and not _older(one, float(noted.get("since") or 0))
    ]


def _older(wire: Wire, since: float) -> bool:
    """Whether it was there before, as far as its service tells; clocks may differ by some minutes."""
    try:
        made = datetime.datetime.fromisoformat(str(wire.get("created_at") or wire["created"]))
    except (KeyError, ValueError):
        return False
    return made.replace(tzinfo=made.tzinfo or datetime.UTC).timestamp() < since - CLOCKS


def _again(type_: ResourceType, cloud: Cloud, wanted: Wire, create: Callable[[], Wire]) -> str:
    try:
        return type_.id(create())
    except Exception as error:
        if is_conflict(error) and type_.get(cloud, type_.id(wanted)):
            return type_.id(wanted)
        raise
