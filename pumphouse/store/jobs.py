"""Jobs: what was asked for over the API and takes long. Engines take them, one at a time each, as units are claimed.

A job that an engine did not end, because it was killed, is taken by another one once its lease has run out (or at
once, where its process is known to be dead): every kind of job can be begun anew.
"""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from . import database, events, models
from .store import Store

#: Seconds that an engine has a job without saying so again.
LEASE = 30.0
QUEUED, RUNNING, DONE, FAILED = "queued", "running", "done", "failed"


@dataclasses.dataclass(frozen=True)
class Job:
    """A job as it stands; see ``models.Job`` for the columns."""

    id: int
    kind: str
    state: str
    plan_id: int | None
    migration_id: int | None
    arguments: dict[str, Any]
    said: str
    error: dict[str, Any] | None
    result: dict[str, Any] | None
    created: float
    started: float | None
    finished: float | None
    created_by: str
    owner: str


def add(
    store: Store,
    kind: str,
    created_by: str,
    *,
    plan_id: int | None = None,
    migration_id: int | None = None,
    arguments: dict[str, Any] | None = None,
) -> Job:
    """Ask for one. ``arguments`` must not hold secrets."""
    return store.write(
        lambda session: add_in(session, kind, created_by, plan_id=plan_id, migration_id=migration_id, **arguments or {})
    )


def add_in(
    session: Session,
    kind: str,
    created_by: str,
    *,
    plan_id: int | None = None,
    migration_id: int | None = None,
    **arguments: Any,
) -> Job:
    """The same, as a part of a transaction."""
    row = models.Job(
        kind=kind, state=QUEUED, plan_id=plan_id, migration_id=migration_id, arguments=arguments, said="",
        created=time.time(), created_by=created_by, owner="",
    )  # fmt: skip
    session.add(row)
    session.flush()
    _tell(session, row)
    return _job(row)


def get(store: Store, job_id: int) -> Job | None:
    """One of them."""

    def look(session: Session) -> Job | None:
        row = session.get(models.Job, job_id)
        return None if row is None else _job(row)

    return store.read(look)


def newest(
    store: Store,
    *,
    before: int | None = None,
    limit: int = 50,
    migration_id: int | None = None,
    states: Collection[str] = (),
) -> list[Job]:
    """The newest first; ``before``: only those with a smaller id."""
    query = sa.select(models.Job).order_by(models.Job.id.desc()).limit(limit)
    if before is not None:
        query = query.where(models.Job.id < before)
    if migration_id is not None:
        query = query.where(models.Job.migration_id == migration_id)
    if states:
        query = query.where(models.Job.state.in_(states))
    return store.read(lambda session: [_job(row) for row in session.scalars(query)])


def open_in(session: Session, migration_id: int) -> str:
    """What is asked for of a migration and not done yet, in words; "" where nothing is."""
    row = models.Job
    query = sa.select(row).where(row.migration_id == migration_id, row.state.in_((QUEUED, RUNNING)))
    found = session.scalars(query.order_by(row.id.desc()).limit(1)).first()
    return "" if found is None else f"job {found.id}, {found.kind}, is {found.state}"


def take(store: Store, owner: str, is_dead: Callable[[str], bool], kinds: Collection[str]) -> Job | None:
    """The oldest job of these kinds that nobody does, for ``owner`` to do; None when there is none."""
    row, now = models.Job, database.clock(store.engine)
    free = sa.or_(
        row.state == QUEUED,
        sa.and_(row.state == RUNNING, sa.or_(row.lease.is_(None), row.lease < now)),
    )
    query = sa.select(row.id, row.owner, free).where(row.state.in_((QUEUED, RUNNING)), row.kind.in_(kinds))
    for id_, other, is_free in store.read(lambda session: session.execute(query.order_by(row.id)).all()):
        if is_free or (other and is_dead(other)):
            job = store.write(functools.partial(_take, store=store, job_id=id_, owner=owner, other=other))
            if job is not None:
                return job
    return None


def _take(session: Session, store: Store, job_id: int, owner: str, other: str) -> Job | None:
    row = models.Job
    change = (
        sa.update(row)
        .where(row.id == job_id, row.owner == other, row.state.in_((QUEUED, RUNNING)))
        .values(state=RUNNING, owner=owner, lease=_until(store), started=sa.func.coalesce(row.started, time.time()))
        .execution_options(synchronize_session=False)
    )
    if session.execute(change).rowcount != 1:  # type: ignore[attr-defined]
        return None
    taken = session.get_one(row, job_id)
    _tell(session, taken)
    return _job(taken)


def renew(store: Store, owner: str) -> set[int]:
    """Keep what ``owner`` has; the ids of that."""
    row = models.Job
    mine = (row.owner == owner, row.state == RUNNING)
    change = sa.update(row).where(*mine).values(lease=_until(store)).execution_options(synchronize_session=False)

    def work(session: Session) -> set[int]:
        session.execute(change)
        return set(session.scalars(sa.select(row.id).where(*mine)))

    return store.write(work)


def say(store: Store, job: Job, line: str) -> None:
    """What it does just now."""
    _change(store, job, said=line[: models.TEXT_LIMIT])


def end(store: Store, job: Job, *, result: dict[str, Any] | None = None, error: dict[str, Any] | None = None) -> None:
    """It has succeeded, or failed with an ``error`` {"code", "detail", "remedy"}."""
    state = DONE if error is None else FAILED
    _change(store, job, state=state, result=result, error=error, finished=time.time(), lease=None)


def let_go(store: Store, job: Job) -> None:
    """It was not ended: another engine may go on with it at once."""
    _change(store, job, state=QUEUED, owner="", lease=None)


def count(store: Store) -> dict[str, int]:
    """How many there are of each state."""
    query = sa.select(models.Job.state, sa.func.count(models.Job.id)).group_by(models.Job.state)
    return store.read(lambda session: {row[0]: row[1] for row in session.execute(query)})


def _change(store: Store, job: Job, **values: Any) -> None:
    """Nothing, where another engine has taken it meanwhile."""

    def work(session: Session) -> None:
        row = session.get_one(models.Job, job.id)
        if row.owner != job.owner:
            return
        for name, value in values.items():
            setattr(row, name, value)
        session.flush()
        _tell(session, row)

    store.write(work)


def _tell(session: Session, row: models.Job) -> None:
    """Whoever listens to events."""
    data = {"id": row.id, "kind": row.kind, "state": row.state, "plan_id": row.plan_id, "error": row.error}
    events.add_in(session, "job", row.said or f"{row.kind} is {row.state}", row.migration_id, data=data)


def _job(row: models.Job) -> Job:
    return Job(**{field.name: getattr(row, field.name) for field in dataclasses.fields(Job)})


def _until(store: Store) -> sa.TextClause:
    return sa.text(f"({database.clock(store.engine).text} + {LEASE})")
