"""Plans that were asked for over the API."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from . import events, jobs, models
from .store import Store

MAKING, READY, FAILED = "making", "ready", "failed"


@dataclasses.dataclass(frozen=True)
class PlanRow:
    """A plan as it stands; see ``models.PlanRow`` for the columns."""

    id: int
    pair: str
    selection: dict[str, Any]
    state: str
    said: str
    error: dict[str, Any] | None
    plan: dict[str, Any] | None
    created: float
    updated: float
    created_by: str
    migration_id: int | None


def add(store: Store, pair: str, selection: dict[str, Any], created_by: str) -> PlanRow:
    """Ask for one: with the job that makes it."""
    now = time.time()

    def work(session: Session) -> PlanRow:
        row = models.PlanRow(
            pair=pair, selection=selection, state=MAKING, said="", created=now, updated=now, created_by=created_by
        )
        session.add(row)
        session.flush()
        jobs.add_in(session, "plan", created_by, plan_id=row.id)
        return _plan(row)

    return store.write(work)


def get(store: Store, plan_id: int) -> PlanRow | None:
    """One of them."""

    def look(session: Session) -> PlanRow | None:
        row = session.get(models.PlanRow, plan_id)
        return None if row is None else _plan(row)

    return store.read(look)


def newest(store: Store, *, before: int | None = None, limit: int = 50) -> list[PlanRow]:
    """The newest first, without what was planned; ``before``: only those with a smaller id."""
    row = models.PlanRow
    names = [field.name for field in dataclasses.fields(PlanRow) if field.name != "plan"]
    query = sa.select(*(getattr(row, name) for name in names)).order_by(row.id.desc()).limit(limit)
    if before is not None:
        query = query.where(row.id < before)
    return store.read(lambda session: [PlanRow(**found._asdict(), plan=None) for found in session.execute(query)])


def say(store: Store, plan_id: int, line: str) -> None:
    """What is being read for it."""
    _change(store, plan_id, said=line[: models.TEXT_LIMIT])


def ready(store: Store, plan_id: int, plan: dict[str, Any]) -> None:
    """It is made."""
    _change(store, plan_id, state=READY, said="", plan=plan)


def failed(store: Store, plan_id: int, error: dict[str, Any]) -> None:
    """It cannot be made: {"code", "detail", "remedy"}."""
    _change(store, plan_id, state=FAILED, said="", error=error)


def _change(store: Store, plan_id: int, **values: Any) -> None:
    def work(session: Session) -> None:
        row = session.get_one(models.PlanRow, plan_id)
        for name, value in values.items():
            setattr(row, name, value)
        row.updated = time.time()
        session.flush()
        data = {"id": row.id, "state": row.state, "error": row.error}
        events.add_in(session, events.PLAN, row.said or f"plan {row.id} is {row.state}", data=data)

    store.write(work)


def _plan(row: models.PlanRow) -> PlanRow:
    return PlanRow(**{field.name: getattr(row, field.name) for field in dataclasses.fields(PlanRow)})
