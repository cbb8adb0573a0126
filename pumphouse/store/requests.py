"""Creating requests that carry an Idempotency-Key: one that is sent again gets the first one's answer."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from . import models
from .store import Store

#: Seconds that an answer is kept, and after which a request that never got one is taken for dead.
KEPT, DEAD = 24 * 3600.0, 60.0


@dataclasses.dataclass(frozen=True)
class Request:
    """A request that came before."""

    fingerprint: str
    #: None: it is still being answered.
    status: int | None
    body: Any
    location: str | None


def begin(store: Store, actor: str, key: str, fingerprint: str) -> Request | None:
    """None when it is the first with this key of this actor; else that one. Old ones are forgotten on the way."""
    row, now = models.Request, time.time()

    def work(session: Session) -> Request | None:
        old = sa.or_(row.created < now - KEPT, sa.and_(row.status.is_(None), row.created < now - DEAD))
        session.execute(sa.delete(row).where(old))
        found = session.scalar(sa.select(row).where(row.actor == actor, row.key == key))
        if found is not None:
            return Request(found.fingerprint, found.status, found.body, found.location)
        session.add(row(actor=actor, key=key, fingerprint=fingerprint, created=now))
        session.flush()
        return None

    return store.write(work)


def answer(store: Store, actor: str, key: str, status: int, body: Any, location: str | None) -> None:
    """What was answered to it."""
    row = models.Request
    change = (
        sa.update(row).where(row.actor == actor, row.key == key).values(status=status, body=body, location=location)
    )
    store.write(lambda session: session.execute(change))


def forget(store: Store, actor: str, key: str) -> None:
    """It failed and made nothing: it may be sent again."""
    row = models.Request
    store.write(lambda session: session.execute(sa.delete(row).where(row.actor == actor, row.key == key)))
