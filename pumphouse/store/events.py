"""Events of all migrations, and of what belongs to none, in one order: that of their ids."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from . import models, rows

if TYPE_CHECKING:
    from .store import Store

#: Kinds that are not of a unit's course: somebody's request, a job, a plan, a migration's state.
AUDIT, JOB, PLAN, MIGRATION = "audit", "job", "plan", "migration"


def add(store: Store, kind: str, text: str, migration_id: int | None = None, **more: Any) -> None:
    """Something happened, now. Neither the text nor ``data`` (JSON) may hold secrets; ``more``: as of ``add_in``."""
    store.write(lambda session: add_in(session, kind, text, migration_id, **more))


def add_in(
    session: Session,
    kind: str,
    text: str,
    migration_id: int | None = None,
    *,
    unit: str | None = None,
    data: Any = None,
) -> None:
    """The same, as a part of a transaction."""
    row = {
        "migration_id": migration_id,
        "time": time.time(),
        "unit": unit,
        "kind": kind,
        "text": text[: models.TEXT_LIMIT],
        "data": data,
    }
    session.execute(sa.insert(models.Event), [row])


def after(
    store: Store,
    after: int,
    limit: int = 1000,
    *,
    migration_ids: Collection[int] = (),
    unit: str | None = None,
    kinds: Collection[str] = (),
) -> list[rows.Event]:
    """The events that follow one, in their order."""
    event = models.Event
    query = sa.select(event).where(event.id > after).order_by(event.id).limit(limit)
    if migration_ids:
        query = query.where(event.migration_id.in_(migration_ids))
    if unit is not None:
        query = query.where(event.unit == unit)
    if kinds:
        query = query.where(event.kind.in_(kinds))
    return store.read(lambda session: [_event(row) for row in session.scalars(query)])


def newest(
    store: Store, *, kinds: Collection[str] = (), before: int | None = None, limit: int = 50
) -> list[rows.Event]:
    """The newest of some kinds first; ``before``: only those with a smaller id."""
    event = models.Event
    query = sa.select(event).order_by(event.id.desc()).limit(limit)
    if kinds:
        query = query.where(event.kind.in_(kinds))
    if before is not None:
        query = query.where(event.id < before)
    return store.read(lambda session: [_event(row) for row in session.scalars(query)])


def last_id(store: Store) -> int:
    """That of the newest event; 0 where there is none."""
    return int(store.read(lambda session: session.scalar(sa.select(sa.func.max(models.Event.id)))) or 0)


def _event(row: models.Event) -> rows.Event:
    return rows.Event(row.id, row.time, row.unit, row.kind, row.text, row.data, row.migration_id)
