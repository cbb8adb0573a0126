"""Many migrations at a glance, for lists of tenants: no plan is loaded."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from . import models
from .store import Store

#: The option in which a migration keeps the ids of the projects that its plan is about.
PROJECTS = "projects"


@dataclasses.dataclass(frozen=True)
class Totals:
    """A migration's units, counted."""

    units: int = 0
    done: int = 0
    #: Failed, or blocked by one that failed.
    failed: int = 0
    bytes_done: int = 0
    bytes_total: int = 0


def newest_of_projects(store: Store, pair: str) -> dict[str, tuple[int, str]]:
    """Project of the source -> id and state of the newest migration that has it."""
    row = models.Migration
    query = sa.select(row.id, row.state, row.options).where(row.pair == pair).order_by(row.id)
    found: dict[str, tuple[int, str]] = {}
    for id_, state, options in store.read(lambda session: session.execute(query).all()):
        found.update(dict.fromkeys((options or {}).get(PROJECTS) or (), (id_, state)))
    return found


def newest_of_hosts(store: Store, pair: str, key: str) -> dict[str, tuple[int, str]]:
    """Host -> id and state of the newest migration whose selection has it under this key (evacuate, reassign)."""
    row = models.Migration
    host = row.selection[key].as_string()
    query = sa.select(row.id, row.state, host).where(row.pair == pair, host.is_not(None)).order_by(row.id)
    found = store.read(lambda session: session.execute(query).all())
    return {str(name): (id_, state) for id_, state, name in found}


def totals(store: Store, migration_ids: Collection[int]) -> dict[int, Totals]:
    """Of these migrations; of one without units all are 0."""
    if not migration_ids:
        return {}
    unit = models.Unit

    def count(*states: str) -> sa.ColumnElement[Any]:
        return sa.func.sum(sa.case((unit.state.in_(states), 1), else_=0))

    query = (
        sa.select(
            unit.migration_id,
            sa.func.count(unit.id),
            count("done"),
            count("failed", "blocked"),
            sa.func.sum(unit.bytes_done),
            sa.func.sum(unit.bytes_total),
        )
        .where(unit.migration_id.in_(migration_ids))
        .group_by(unit.migration_id)
    )
    found = store.read(lambda session: session.execute(query).all())
    # Sums come back as Decimal from some drivers.
    counted = {row[0]: Totals(*(int(value or 0) for value in row[1:])) for row in found}
    return {id_: counted.get(id_, Totals()) for id_ in migration_ids}


def counterparts(store: Store, pair: str, type_: str) -> dict[str, str]:
    """All of a type that are known between two clouds: id in the source -> id in the destination."""
    row = models.Mapping
    query = sa.select(row.source_id, row.destination_id).where(row.pair == pair, row.type == type_)
    return store.read(lambda session: {row[0]: row[1] for row in session.execute(query)})
