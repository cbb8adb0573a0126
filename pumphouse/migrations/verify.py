"""After the move every resource is read again from both clouds and compared, field by field."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from pumphouse.clouds.errors import explain
from pumphouse.migrations import moved
from pumphouse.names import Counterparts
from pumphouse.planning.plan import Item, Unit
from pumphouse.resources.base import FieldVerdict
from pumphouse.resources.compute.server import settled
from pumphouse.resources.registry import TYPES
from pumphouse.tasks.base import patiently
from pumphouse.tasks.context import Context

#: The verdict on what could not be compared: whether it is right is not known.
NOT_VERIFIED = "not verified"


def verify_unit(context: Context, unit: Unit, later: bool = False) -> bool:
    """Compare each of a unit's resources and keep the result. Returns whether all that was made is right.

    ``later``: some time after the move, when what was of its moment is not compared any more.
    """
    wrong = [item for item in unit.items if not _verify(context, unit, item, later)]
    return not wrong


def note_failure(context: Context, unit: Unit, reason: str, verdict: str = "failed") -> None:
    """Keep why none of a unit's resources was moved."""
    for item in unit.items:
        if item.action == "reuse":
            _verify(context, unit, item)
        else:
            why = item.reason if item.action in ("conflict", "skip") else reason
            _save(context, unit, item, "not carried" if item.action == "skip" else verdict, [_whole(why)])


def note_left_alone(context: Context, unit: Unit) -> None:
    """Compare what of a unit that was not moved was there already; of the rest the earlier result stands."""
    for item in unit.items:
        if item.action == "reuse":
            _verify(context, unit, item)


def _verify(context: Context, unit: Unit, item: Item, later: bool = False) -> bool:
    if item.action == "skip":
        _save(context, unit, item, "not carried", [_whole(item.reason)])
        return True
    look = moved.look if item.action == "move" else _compare
    try:
        fields = list(patiently(context, f"comparing {item.type} {item.id}", lambda: look(context, item, later)))
    except Exception as error:
        _save(context, unit, item, NOT_VERIFIED, [_whole(explain(error), NOT_VERIFIED)])
        return False
    if item.action == "reuse":
        fields = [_left_alone(field) for field in fields]
    fields += [
        FieldVerdict(loss.field, "not carried", loss.value, None, loss.reason)
        for loss in item.losses
        if loss.field not in {field.field for field in fields}
    ]
    # That it has another id there says nothing about the resource itself.
    verdicts = {field.verdict for field in fields if field.field != "id"}
    graver = ("differs",) if item.action == "move" else ("differs", "mapped")
    verdict = next((v for v in graver if v in verdicts), "equal")
    _save(context, unit, item, verdict, fields)
    return verdict != "differs"


def _compare(context: Context, item: Item, later: bool = False) -> Sequence[FieldVerdict]:
    type_ = TYPES[item.type]
    there = context.lookup(item.type, item.id) or item.destination_id
    source = context.seen(*item.key)
    destination = type_.get(context.destination, there) if there else None
    if source is None or destination is None:
        missing = "source" if source is None else "destination"
        return [_whole(f"is not in the {missing} any more", "differs")]
    lookup = Counterparts(context.lookup, context.names)
    fields = type_.compare(source, destination, lookup, later=later or item.action == "reuse")
    if item.type == "server":
        fields = [_powered(field, context.power) if field.field == "status" else field for field in fields]
    return fields


def _powered(field: FieldVerdict, power: str) -> FieldVerdict:
    """The verdict on a server's status where it was asked for that it ends in another one than it had."""
    wanted = settled(field.source, power)
    if wanted == field.source:
        return field
    verdict, reason = "differs", f"it was to be left {wanted}"
    if field.destination == wanted:
        verdict, reason = "mapped", "left shut off, as was asked for"
    return dataclasses.replace(field, verdict=verdict, reason=reason)


def _left_alone(field: FieldVerdict) -> FieldVerdict:
    """What was there before this run, or was changed since an earlier one, is not this run's to put right."""
    if field.verdict != "differs":
        return field
    return dataclasses.replace(field, verdict="not carried", reason="was there already, and is left as it is")


def _whole(reason: str, verdict: str = "not carried") -> FieldVerdict:
    return FieldVerdict("(resource)", verdict, None, None, reason)


def _save(context: Context, unit: Unit, item: Item, verdict: str, fields: list[FieldVerdict]) -> None:
    # What moves within its cloud keeps its id; a counterpart in the other one has nothing to do with it.
    stays = bool(item.move)
    context.store.save_result(
        context.migration_id,
        unit.name,
        item.type,
        item.id,
        item.name,
        item.id if stays else context.lookup(item.type, item.id) or item.destination_id,
        verdict,
        [dataclasses.asdict(field) for field in fields],
        None if stays else _bytes(context, item),
    )


def _bytes(context: Context, item: Item) -> dict[str, Any] | None:
    """The proof that bytes arrived: from this run, or from the migration that moved them."""
    if item.key in context.evidence:
        return context.evidence[item.key]
    row = context.store.mapped(context.pair, item.type, item.id)
    if row is None or row.migration_id == context.migration_id:
        return None
    return context.store.bytes_of(row.migration_id, *item.key)
