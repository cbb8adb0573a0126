"""TaskFlow's persistence in our own database: one logbook for each unit whose flow has begun and not ended.

TaskFlow's SQL backend makes its tables anew for every save, so that SQLAlchemy compiles every statement again: 27 ms
a task. With tables that are made once it is 4 to 5; half of it was for a progress (0.0, then 1.0) that nobody reads.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from taskflow import exceptions
from taskflow.persistence import models as taskflow
from taskflow.persistence.backends import impl_sqlalchemy
from taskflow.persistence.backends.sqlalchemy import tables

from . import models
from .claims import ClaimedStore
from .store import Store

METADATA = sa.MetaData()
TABLES = tables.fetch(METADATA)


class Connection(impl_sqlalchemy.Connection):
    """TaskFlow's, with tables of its own no more, and writing only as long as the unit is ours."""

    def __init__(self, backend: Backend) -> None:
        """All that TaskFlow's own sets."""
        self._backend, self._engine = backend, backend.engine
        self._metadata, self._tables = METADATA, TABLES
        self._converter = impl_sqlalchemy._Alchemist(TABLES)

    def update_atom_details(self, atom_detail: Any) -> Any:
        """A task changes its state. Where only its progress does, nothing is written."""
        kept = {name: value for name, value in atom_detail.to_dict().items() if name != "meta"}
        if self._backend.kept.get(atom_detail.uuid) == kept:
            return atom_detail
        saved = self._patiently(lambda: super(Connection, self).update_atom_details(atom_detail))
        self._backend.kept[atom_detail.uuid] = kept
        return saved

    def update_flow_details(self, flow_detail: Any) -> Any:
        """The flow changes its state."""
        return self._patiently(lambda: super(Connection, self).update_flow_details(flow_detail))

    def save_logbook(self, book: Any) -> Any:
        """Everything of a flow."""
        return self._patiently(lambda: super(Connection, self).save_logbook(book))

    def _patiently(self, do: Callable[[], Any]) -> Any:
        def attempt() -> Any:
            self._backend.check()
            try:
                return do()
            except exceptions.StorageFailure as failure:
                # As the store knows what may pass.
                if isinstance(failure.__cause__, sa.exc.SQLAlchemyError):
                    raise failure.__cause__ from None
                raise

        return self._backend.store.patiently(attempt)


class Backend(impl_sqlalchemy.SQLAlchemyBackend):
    """On the store's connections."""

    def __init__(self, store: Store) -> None:
        """A ``ClaimedStore`` is asked before each write."""
        super().__init__({}, engine=store.engine.execution_options(pumphouse_write=True))
        self.store = store
        #: What was written last of each task.
        self.kept: dict[str, dict[str, Any]] = {}

    def check(self) -> None:
        """Raises LostClaimError."""
        if isinstance(self.store, ClaimedStore):
            self.store.check()

    def get_connection(self) -> Connection:
        """The tables are there: Alembic has made them."""
        return Connection(self)


def begin(store: Store, name: str, logbook: str) -> tuple[Backend, Any, Any]:
    """(backend, logbook, flow detail) of a flow that has not begun yet; ``logbook``: the UUID that it shall have."""
    backend = Backend(store)
    book = taskflow.LogBook(name[:255], logbook)
    detail = taskflow.FlowDetail(name[:255], str(uuid.uuid4()))
    book.add(detail)
    with contextlib.closing(backend.get_connection()) as connection:
        connection.save_logbook(book)
    return backend, book, detail


def find(store: Store, logbook: str) -> tuple[Backend, Any, Any] | None:
    """The same of one that has begun; None when it is not there (any more)."""
    backend = Backend(store)
    with contextlib.closing(backend.get_connection()) as connection:
        try:
            book = store.patiently(lambda: connection.get_logbook(logbook))
        except exceptions.NotFound:
            return None
    return backend, book, next(iter(book))


def sweep(store: Store, migration_id: int) -> None:
    """Forget those of units that have ended: a process may have died between the two."""
    unit = models.Unit
    ended = (unit.migration_id == migration_id, unit.state != "running", unit.logbook.is_not(None))
    for name in store.read(lambda session: session.scalars(sa.select(unit.name).where(*ended)).all()):
        end(store, migration_id, name)


def end(store: Store, migration_id: int, unit: str) -> None:
    """Forget that of a unit, if it has one: both at once, lest one stays that no unit knows of."""
    books, row = TABLES.logbooks, models.Unit
    of = (row.migration_id == migration_id, row.name == unit)
    known = sa.select(row.logbook).where(*of, row.logbook.is_not(None)).scalar_subquery()

    def work(session: Session) -> None:
        session.execute(sa.delete(books).where(books.c.uuid == known))
        session.execute(sa.update(row).where(*of).values(logbook=None))

    store.write(work)
