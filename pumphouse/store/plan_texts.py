"""Plans as they are in the database: whole, as text that need not be read, or parts that the database cuts out."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from . import models
from .store import Store


def of_plan(store: Store, plan_id: int) -> str | None:
    """The JSON of a plan that was asked for; None while there is none."""
    return _text(store, sa.select(_as_text(store, models.PlanRow.plan)).where(models.PlanRow.id == plan_id))


def of_migration(store: Store, migration_id: int) -> str | None:
    """The JSON of a migration's plan; None for a migration that is not known, or not planned yet."""
    row = models.Migration
    text = _text(store, sa.select(_as_text(store, row.plan)).where(row.id == migration_id))
    return None if text in (None, "{}") else text


def part(store: Store, migration_id: int, *path: str | int) -> Any:
    """What stands at a place of a migration's plan: ``part(store, 7, "estimate")``; None where nothing does."""
    row = models.Migration
    query = sa.select(row.plan[path]).where(row.id == migration_id)
    return store.read(lambda session: session.scalar(query))


def needs(store: Store, migration_id: int) -> dict[str, list[str]]:
    """Which units each unit of a migration needs, in the order of the plan."""
    text = of_migration(store, migration_id)
    return {} if text is None else {unit["name"]: unit["needs"] for unit in json.loads(text)["units"]}


def _as_text(store: Store, column: Any) -> sa.ColumnElement[str]:
    # Only PostgreSQL's driver reads JSON by itself.
    if store.engine.dialect.name == "postgresql":
        return sa.cast(column, sa.Text)
    return sa.type_coerce(column, sa.Text)


def _text(store: Store, query: sa.Select[Any]) -> str | None:
    found = store.read(lambda session: session.scalar(query))
    return None if found in (None, "null") else str(found)
