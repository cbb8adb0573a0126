"""What a unit must know of a resource of the source even when its process has died."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from . import models

if TYPE_CHECKING:
    from .store import Store

from .models import BEFORE, COPIED, MAKING, STOPPED

__all__ = ["BEFORE", "COPIED", "MAKING", "STOPPED", "all_of", "copies", "drop", "find", "keep"]


def keep(store: Store, kind: str, migration_id: int, unit: str, type_: str, source_id: str, data: Any) -> None:
    """Note it, in place of what was noted before; ``data`` is JSON and holds no secret."""
    store.upsert(
        models.Note,
        {"migration_id": migration_id, "kind": kind, "type": type_, "source_id": source_id},
        {"unit": unit, "time": time.time(), "data": data},
    )


def find(store: Store, kind: str, type_: str, source_id: str, migration_id: int | None = None) -> Any | None:
    """What was noted last: of one migration, or of any."""
    note = models.Note
    query = sa.select(note.data).where(note.kind == kind, note.type == type_, note.source_id == source_id)
    if migration_id is not None:
        query = query.where(note.migration_id == migration_id)
    return store.read(lambda session: session.scalars(query.order_by(note.time.desc())).first())


def copies(store: Store, migration_id: int, unit: str) -> dict[tuple[str, str], dict[str, Any]]:
    """(type, source id) -> the proof that its bytes arrived, of one unit."""
    note = models.Note
    query = sa.select(note.type, note.source_id, note.data).where(
        note.migration_id == migration_id, note.unit == unit, note.kind == COPIED
    )
    return {(type_, id_): data for type_, id_, data in store.read(lambda session: session.execute(query).all())}


def all_of(store: Store, kind: str, type_: str) -> dict[str, tuple[int, Any]]:
    """Source id -> (migration, what it noted last), of one type of resource."""
    note = models.Note
    query = sa.select(note.source_id, note.migration_id, note.data).where(note.kind == kind, note.type == type_)
    rows = store.read(lambda session: session.execute(query.order_by(note.time)).all())
    return {source_id: (migration, data) for source_id, migration, data in rows}


def drop(store: Store, kind: str, type_: str, source_id: str) -> None:
    """It is not so any more."""
    note = models.Note
    change = sa.delete(note).where(note.kind == kind, note.type == type_, note.source_id == source_id)
    store.write(lambda session: session.execute(change))
