"""One transaction at a time: tried again when it collides with another one, and while the database is away."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from ..errors import PumphouseError
from . import database, models

T = TypeVar("T")
Row = TypeVar("Row", bound=Any)

#: How often a write is tried that collides with another one.
ATTEMPTS = 5

#: Seconds that a database may be away (restarted, failed over) before that is an error.
PATIENCE = 60.0

#: Codes of deadlocks and lock timeouts: MariaDB and MySQL by number, PostgreSQL by SQLSTATE.
COLLISIONS = {1205, 1213, 1020, "40001", "40P01"}
#: The same for a server that is not there, or just starting or stopping.
UNREACHABLE = {1053, 1077, 1927, 2002, 2003, 2006, 2013, "57P01", "57P02", "57P03", "08001", "08006"}


class Transactions:
    """What the store stands on. Safe to use from many threads and processes.

    All methods raise PumphouseError when the database fails.
    """

    def __init__(self, engine: Engine) -> None:
        """Work on a database whose tables are up to date; see :meth:`open`."""
        self.engine = engine
        self._readers = sessionmaker(engine, expire_on_commit=False)
        self._writers = sessionmaker(engine.execution_options(pumphouse_write=True), expire_on_commit=False)
        #: Without a file there is one connection only, and threads take turns.
        self._turn: contextlib.AbstractContextManager[Any] = (
            threading.RLock() if database.is_memory(engine.url) else contextlib.nullcontext()
        )

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        """Use as a context manager to have it closed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def upsert(self, model: type[models.Base], key: dict[str, Any], values: dict[str, Any]) -> None:
        """Update the row with this key or insert it; of two inserters one tries again and updates."""

        self.write(lambda session: put(session, model, key, values))

    def write(self, work: Callable[[Session], T]) -> T:
        """Do the work in one transaction, again when it collides with another one."""

        def transaction() -> T:
            with self._writers.begin() as session:
                return work(session)

        return self.patiently(transaction)

    def read(self, work: Callable[[Session], T]) -> T:
        """What the work finds."""

        def look() -> T:
            with self._readers() as session:
                return work(session)

        return self.patiently(look)

    def patiently(self, do: Callable[[], T]) -> T:
        """Do it; again when it collides with another transaction, and for a while when the database is away.

        A transaction whose end was lost may be done twice: writers see to it that this does no harm.
        """
        attempt, deadline = 1, 0.0
        while True:
            try:
                with self._turn:
                    return do()
            except SQLAlchemyError as error:
                now = time.monotonic()
                if _away(error) and now < (deadline := deadline or now + PATIENCE):
                    time.sleep(0.5)
                elif attempt < ATTEMPTS and _collided(error):
                    time.sleep(random.uniform(0, 0.05 * attempt))  # noqa: S311
                    attempt += 1
                else:
                    raise self._failure(error) from error

    def _all(self, row: Callable[..., Row], query: sa.Select[Any]) -> list[Row]:
        found: Sequence[Any] = self.read(lambda session: session.scalars(query).all())
        return [_detached(row, item) for item in found]

    def _first(self, row: Callable[..., Row], query: sa.Select[Any]) -> Row | None:
        found = self.read(lambda session: session.scalars(query).first())
        return None if found is None else _detached(row, found)

    def _failure(self, error: SQLAlchemyError) -> PumphouseError:
        return PumphouseError(f"database {database.place(self.engine.url)}: {database.reason(error)}")


def put(session: Session, model: type[models.Base], key: dict[str, Any], values: dict[str, Any]) -> None:
    """Change the row of this key, or add one."""
    row = session.scalars(sa.select(model).filter_by(**key)).first()
    if row is None:
        session.add(model(**key, **values))
    else:
        for name, value in values.items():
            setattr(row, name, value)


def _detached(row: Any, item: models.Base) -> Any:
    """The plain row of a mapped object: the columns of the same names."""
    return row(**{field.name: getattr(item, field.name) for field in dataclasses.fields(row)})


def _away(error: SQLAlchemyError) -> bool:
    """Whether the connection was lost, or none could be made."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    codes = {getattr(error.orig, "sqlstate", None), *getattr(error.orig, "args", ())[:1]}
    # psycopg has no code for a connection that it could not make.
    none_made = type(error.orig).__module__.startswith("psycopg") and codes.isdisjoint(COLLISIONS) and None in codes
    return error.connection_invalidated or none_made or bool(codes & UNREACHABLE)


def _collided(error: SQLAlchemyError) -> bool:
    """Whether the same transaction may succeed when it is tried again."""
    if isinstance(error, IntegrityError):
        return True
    origin = error.orig if isinstance(error, DBAPIError) else None
    codes = {getattr(origin, "sqlstate", None), *getattr(origin, "args", ())[:1]}
    return bool(codes & COLLISIONS)
