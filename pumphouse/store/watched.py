"""Migrations and units as they are watched: counted by the database, without their plans (20 MB of 10,000 units)."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from . import database, models
from .rows import Event, UnitRow
from .store import FAILED, RUNNING, Store

#: States of units that have ended well or badly.
GOOD, BAD = ("done",), ("failed", "blocked")
#: States of units that still have to move what is left of their bytes.
OPEN = ("pending", "running")
#: States of jobs that are not done yet.
WAITING = ("queued", "running")


@dataclasses.dataclass(frozen=True)
class Head:
    """A migration without its plan, its units counted. The first fields are those of ``rows.Migration``."""

    id: int
    pair: str
    selection: dict[str, Any]
    options: dict[str, Any]
    state: str
    wish: str
    created: float
    updated: float
    units: int
    units_done: int
    #: Failed, or blocked by one that failed.
    units_failed: int
    units_running: int
    #: Those that are still to be done, the running ones included.
    units_open: int
    #: Those that were accepted.
    accepted: int
    #: Those that a live process has.
    claimed: int
    bytes_done: int
    bytes_total: int
    #: Of those that are still to be done.
    bytes_left: int


@dataclasses.dataclass(frozen=True)
class Moving:
    """A unit that runs, or did a moment ago."""

    name: str
    state: str
    step: str
    bytes_done: int
    bytes_total: int


# -- migrations ---------------------------------------------------------------------------------------------


def heads(
    store: Store,
    *,
    ids: Collection[int] | None = None,
    states: Collection[str] = (),
    before: int | None = None,
    limit: int | None = None,
    counted: bool = True,
) -> list[Head]:
    """Migrations, the newest first, in two queries. ``ids``: only these; ``before``: only those with a smaller id.

    ``counted``: else one query, and zeros for all that is counted.
    """
    row = models.Migration
    plain = [field.name for field in dataclasses.fields(Head)][:8]
    query = sa.select(*(getattr(row, name) for name in plain)).order_by(row.id.desc()).limit(limit)
    if ids is not None:
        query = query.where(row.id.in_(ids))
    if states:
        query = query.where(row.state.in_(states))
    if before is not None:
        query = query.where(row.id < before)
    found = store.read(lambda session: session.execute(query).all())
    counts = _counts(store, [one.id for one in found] if counted else [])
    return [Head(**one._asdict(), **counts[one.id]) for one in found]


def _counts(store: Store, ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """What is counted of each of these migrations; zeros of those without units."""
    unit = models.Unit

    def total(value: Any, *when: Any) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(sa.case((sa.and_(*when), value), else_=0) if when else value), 0)

    columns = {
        "units": sa.func.count(unit.id),
        "units_done": total(1, unit.state.in_(GOOD)),
        "units_failed": total(1, unit.state.in_(BAD)),
        "units_running": total(1, unit.state == RUNNING),
        "units_open": total(1, unit.state.in_(OPEN)),
        "accepted": total(1, unit.accepted),
        "claimed": total(1, unit.lease > database.clock(store.engine)),
        "bytes_done": total(unit.bytes_done),
        "bytes_total": total(unit.bytes_total),
        "bytes_left": total(unit.bytes_total - unit.bytes_done, unit.state.in_(OPEN)),
    }
    query = (
        sa.select(unit.migration_id, *(column.label(name) for name, column in columns.items()))
        .where(unit.migration_id.in_(ids))
        .group_by(unit.migration_id)
    )
    found: dict[int, dict[str, Any]] = collections.defaultdict(lambda: dict.fromkeys(columns, 0))
    for migration_id, *values in store.read(lambda session: session.execute(query).all()) if ids else ():
        # Sums come as Decimal from some drivers.
        found[migration_id] = dict(zip(columns, map(int, values), strict=True))
    return found


def briefs(store: Store, states: Collection[str] = ()) -> list[tuple[int, dict[str, Any], dict[str, Any]]]:
    """(id, selection, options) of all migrations, the newest first: what is searched in."""
    row = models.Migration
    query = sa.select(row.id, row.selection, row.options).order_by(row.id.desc())
    if states:
        query = query.where(row.state.in_(states))
    return store.read(lambda session: [(one.id, one.selection, one.options) for one in session.execute(query)])


def count(store: Store, states: Collection[str] = ()) -> int:
    """How many migrations there are, or are in these states."""
    query = sa.select(sa.func.count(models.Migration.id))
    if states:
        query = query.where(models.Migration.state.in_(states))
    return int(store.read(lambda session: session.scalar(query)) or 0)


def errors(store: Store, ids: Collection[int]) -> dict[int, str]:
    """Why migrations have failed: the first unit that did, else the last job that did."""
    if not ids:
        return {}
    unit, job = models.Unit, models.Job
    units = (
        sa.select(sa.func.min(unit.id))
        .where(unit.migration_id.in_(ids), unit.state == FAILED)
        .group_by(unit.migration_id)
    )
    jobs = (
        sa.select(sa.func.max(job.id)).where(job.migration_id.in_(ids), job.state == FAILED).group_by(job.migration_id)
    )
    of_units = sa.select(unit.migration_id, unit.title, unit.error).where(unit.id.in_(units))
    of_jobs = sa.select(job.migration_id, job.error).where(job.id.in_(jobs))
    found = {
        one.migration_id: str((one.error or {}).get("detail", ""))
        for one in store.read(lambda session: session.execute(of_jobs).all())
    }
    for one in store.read(lambda session: session.execute(of_units).all()):
        found[one.migration_id] = f"{one.title}: {one.error}" if one.error else one.title
    return found


def busy(store: Store, ids: Collection[int]) -> dict[int, str]:
    """Those of these migrations for which a job is not done yet: "queued", or "running"."""
    job = models.Job
    query = sa.select(job.migration_id, job.state).where(job.migration_id.in_(ids), job.state.in_(WAITING))
    found = store.read(lambda session: session.execute(query).all())
    # A running one says more: it comes last.
    return {one.migration_id: one.state for one in sorted(found, key=lambda one: WAITING.index(one.state))}


# -- their units --------------------------------------------------------------------------------------------


def moving(store: Store, migration_id: int, also: Collection[str] = ()) -> list[Moving]:
    """The units that run, and those of these names."""
    unit = models.Unit
    columns = [getattr(unit, field.name) for field in dataclasses.fields(Moving)]
    query = (
        sa.select(*columns)
        .where(unit.migration_id == migration_id, sa.or_(unit.state == RUNNING, unit.name.in_(also)))
        .order_by(unit.id)
    )
    return store.read(lambda session: [Moving(*one) for one in session.execute(query)])


def units(
    store: Store, migration_id: int, *, states: Collection[str] = (), after: int = 0, limit: int = 50
) -> list[tuple[int, UnitRow]]:
    """(row's id, unit) in the order of the plan; ``after``: only those that follow the row with this id."""
    unit = models.Unit
    query = sa.select(unit).where(unit.migration_id == migration_id, unit.id > after).order_by(unit.id).limit(limit)
    if states:
        query = query.where(unit.state.in_(states))
    names = [field.name for field in dataclasses.fields(UnitRow)]

    def look(session: Any) -> list[tuple[int, UnitRow]]:
        return [(one.id, UnitRow(**{name: getattr(one, name) for name in names})) for one in session.scalars(query)]

    return store.read(look)


def count_units(store: Store, migration_id: int, states: Collection[str] = ()) -> int:
    """How many units a migration has, or has in these states."""
    unit = models.Unit
    query = sa.select(sa.func.count(unit.id)).where(unit.migration_id == migration_id)
    if states:
        query = query.where(unit.state.in_(states))
    return int(store.read(lambda session: session.scalar(query)) or 0)


def log(store: Store, migration_id: int, unit: str, limit: int) -> list[Event]:
    """The last events of a unit, in their order."""
    event = models.Event
    names = [field.name for field in dataclasses.fields(Event)]
    query = sa.select(*(getattr(event, name) for name in names))
    query = query.where(event.migration_id == migration_id, event.unit == unit).order_by(event.id.desc()).limit(limit)
    return store.read(lambda session: [Event(**one._asdict()) for one in session.execute(query)])[::-1]
