"""Which process has a unit. Nobody else may run it, or write about it.

A claim is a lease: whoever has it renews it. When a process dies, its leases run out, and another one takes its units.
A process that was only paused does not know that it has lost a unit: so each claim raises the unit's epoch, and who
writes, or is about to change something in a cloud, looks whether the epoch is still his own.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Collection
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..errors import PumphouseError
from . import database, models
from .store import Store

T = TypeVar("T")

#: Seconds that a claim holds without being renewed, and between two renewals.
LEASE = 30.0
RENEW = LEASE / 4

#: States in which a unit can be claimed.
OPEN = ("pending", "running")


class LostClaimError(PumphouseError):
    """Another process has taken the unit: this one must do nothing more to it."""


@dataclasses.dataclass(frozen=True)
class Claim:
    """The right to run one unit."""

    migration_id: int
    unit: str
    owner: str
    epoch: int


def take(
    store: Store, migration_id: int, unit: str, owner: str, states: Collection[str] = OPEN, lease: float | None = None
) -> Claim | None:
    """Claim a unit that nobody has, or whose owner has not renewed in time. None when somebody has it.

    ``states``: one of those it must be in.
    """
    now, row = database.clock(store.engine), models.Unit
    of = (row.migration_id == migration_id, row.name == unit)
    free = sa.or_(row.lease.is_(None), row.lease < now)
    change = (
        sa.update(row)
        .where(*of, row.state.in_(list(states)), free)
        .values(owner=owner, epoch=row.epoch + 1, lease=_until(store, lease))
        .execution_options(synchronize_session=False)
    )

    def work(session: Session) -> int | None:
        if session.execute(change).rowcount != 1:  # type: ignore[attr-defined]
            return None
        return session.scalar(sa.select(row.epoch).where(*of))

    epoch = store.write(work)
    return None if epoch is None else Claim(migration_id, unit, owner, epoch)


def renew(store: Store, migration_id: int, owner: str, lease: float | None = None) -> set[str]:
    """Renew all leases of a process; returns the units that it still has."""
    row = models.Unit
    mine = (row.migration_id == migration_id, row.owner == owner, row.lease.is_not(None))
    change = sa.update(row).where(*mine).values(lease=_until(store, lease))
    change = change.execution_options(synchronize_session=False)

    def work(session: Session) -> set[str]:
        session.execute(change)
        return set(session.scalars(sa.select(row.name).where(*mine)))

    return store.write(work)


def release(store: Store, claim: Claim) -> None:
    """Give it up: it has ended, or another process may go on with it."""
    change = sa.update(models.Unit).where(*_is(claim)).values(lease=None, owner="")
    store.write(lambda session: session.execute(change))


def release_dead(store: Store, migration_id: int, is_dead: Callable[[str], bool]) -> None:
    """Let go at once of what processes hold that are known to be dead, rather than when their leases run out."""
    for owner in others(store, migration_id):
        if is_dead(owner):
            row = models.Unit
            change = sa.update(row).where(row.migration_id == migration_id, row.owner == owner).values(lease=None)
            store.write(functools.partial(Session.execute, statement=change))


def release_ended(store: Store, migration_id: int) -> None:
    """Let go of units that have ended: who had them was stopped between the last words about them and letting go."""
    row = models.Unit
    ended = (row.migration_id == migration_id, row.state.not_in(OPEN), row.lease < database.clock(store.engine))
    change = sa.update(row).where(*ended).values(lease=None, owner="")
    store.write(lambda session: session.execute(change.execution_options(synchronize_session=False)))


def others(store: Store, migration_id: int, owner: str = "") -> list[str]:
    """The owners of units of a migration whose leases have not run out, but for this one."""
    row = models.Unit
    query = sa.select(row.owner).distinct().where(
        row.migration_id == migration_id, row.owner != owner, row.lease > database.clock(store.engine)
    )  # fmt: skip
    return store.read(lambda session: list(session.scalars(query)))


class ClaimedStore(Store):
    """The store in the hands of who has claimed a unit: what is written is written only as long as he has it."""

    def __init__(self, store: Store, claim: Claim) -> None:
        """``store``: whose connections are used."""
        self.__dict__.update(store.__dict__)
        self.claim = claim
        # Asked before everything that is written, and so made once.
        self._ours = sa.select(models.Unit.id).where(*_is(claim))
        self._ours_locked = self._ours.with_for_update()

    def write(self, work: Callable[[Session], T]) -> T:
        """Like the store's. Raises LostClaimError."""

        def guarded(session: Session) -> T:
            # Locked until the end of the transaction, where the database locks rows.
            if session.scalar(self._ours_locked) is None:
                raise lost(self.claim)
            return work(session)

        return super().write(guarded)

    def check(self) -> None:
        """Before something is changed in a cloud: whether nobody else has taken the unit. Raises LostClaimError."""
        if self.read(lambda session: session.scalar(self._ours)) is None:
            raise lost(self.claim)


def lost(claim: Claim) -> LostClaimError:
    """The error that says so."""
    return LostClaimError(f"another process has taken over {claim.unit} of migration {claim.migration_id}")


def _until(store: Store, lease: float | None) -> sa.TextClause:
    return sa.text(f"({database.clock(store.engine).text} + {float(LEASE if lease is None else lease)})")


def _is(claim: Claim) -> tuple[sa.ColumnElement[bool], ...]:
    row = models.Unit
    return (
        row.migration_id == claim.migration_id,
        row.name == claim.unit,
        row.owner == claim.owner,
        row.epoch == claim.epoch,
        row.lease.is_not(None),
    )
