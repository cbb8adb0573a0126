"""The store: everything the operator must not lose, in one SQL database."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from ..errors import PumphouseError
from . import database, models, rows

T = TypeVar("T")
Row = TypeVar("Row", bound=Any)

#: States of a migration.
RUNNING, DONE, FAILED, STOPPED = "running", "done", "failed", "stopped"

#: How often a write is tried that collides with another one.
ATTEMPTS = 5

#: Codes of deadlocks and lock timeouts: MariaDB and MySQL by number, PostgreSQL by SQLSTATE.
COLLISIONS = {1205, 1213, 1020, "40001", "40P01"}

#: What a unit's row may be changed in.
UNIT_FIELDS = frozenset(("state", "step", "bytes_total", "bytes_done", "started", "finished", "downtime", "error"))

#: Characters of free text that are kept: below MariaDB's 65,535 bytes of a TEXT, whatever the characters.
TEXT_LIMIT = 16_000


class Store:
    """Our own state. Safe to use from many threads and processes; each method is one short transaction.

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

    @classmethod
    def open(cls, url: str) -> Store:
        """The store at an SQLAlchemy URL; its tables are created, or brought up to date, first.

        Raises ConfigError for a URL that cannot be used, and UsageError for a database that a newer
        Pumphouse wrote.
        """
        engine = database.make_engine(url)
        database.upgrade(engine)
        return cls(engine)

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    def __enter__(self) -> Store:
        """Use as a context manager to have it closed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    # Migrations

    def start_migration(
        self, pair: str, selection: dict[str, Any], plan: dict[str, Any], options: dict[str, Any]
    ) -> int:
        """Record a new migration, running; returns its id. ``options`` must not hold secrets."""
        now = time.time()

        def work(session: Session) -> int:
            row = models.Migration(
                pair=pair,
                selection=selection,
                plan=plan,
                options=options,
                state=RUNNING,
                created=now,
                updated=now,
            )
            session.add(row)
            session.flush()
            return row.id

        return self._write(work)

    def migrations(self) -> list[rows.Migration]:
        """All migrations with their plans, oldest first; see :meth:`history` for a list to show."""
        return self._all(rows.Migration, sa.select(models.Migration).order_by(models.Migration.id))

    def migration(self, migration_id: int) -> rows.Migration | None:
        """One migration."""
        query = sa.select(models.Migration).where(models.Migration.id == migration_id)
        return self._first(rows.Migration, query)

    def history(self) -> list[rows.MigrationSummary]:
        """All migrations, oldest first, without their plans and with their units counted."""
        migration, unit = models.Migration, models.Unit

        def count(*states: str) -> sa.ColumnElement[int]:
            return sa.func.coalesce(sa.func.sum(sa.case((unit.state.in_(states), 1), else_=0)), 0)

        counts = (
            sa.select(
                unit.migration_id,
                sa.func.count(unit.id).label("units"),
                count("done").label("units_done"),
                count("failed", "blocked").label("units_failed"),
                sa.func.sum(unit.bytes_done).label("bytes_done"),
            )
            .group_by(unit.migration_id)
            .subquery()
        )
        fields = ("id", "pair", "selection", "state", "created", "updated")
        totals = ("units", "units_done", "units_failed", "bytes_done")
        query = (
            sa.select(*(getattr(migration, name) for name in fields), *(counts.c[name] for name in totals))
            .outerjoin(counts, counts.c.migration_id == migration.id)
            .order_by(migration.id)
        )
        found = self._read(lambda session: session.execute(query).all())
        # Sums come back as Decimal from some drivers, and as None without units.
        return [
            rows.MigrationSummary(*row[: len(fields)], *(int(value or 0) for value in row[len(fields) :]))
            for row in found
        ]

    def set_migration_state(self, migration_id: int, state: str) -> None:
        """A migration changes its state; the time of it is kept as ``updated``."""
        change = (
            sa.update(models.Migration)
            .where(models.Migration.id == migration_id)
            .values(state=state, updated=time.time())
        )
        self._write(lambda session: session.execute(change))

    # Units

    def add_units(self, migration_id: int, units: Iterable[tuple[str, str, str, int]]) -> None:
        """The units of a migration in their order, pending: (name, kind, title, bytes to move)."""
        new = [
            {
                "migration_id": migration_id,
                "name": name,
                "kind": kind,
                "title": title[:TEXT_LIMIT],
                "state": "pending",
                "step": "",
                "bytes_total": bytes_total,
                "bytes_done": 0,
                "error": "",
            }
            for name, kind, title, bytes_total in units
        ]
        if new:
            self._write(lambda session: session.execute(sa.insert(models.Unit), new))

    def units(self, migration_id: int) -> list[rows.UnitRow]:
        """The units of a migration, in the order of its plan."""
        query = sa.select(models.Unit).where(models.Unit.migration_id == migration_id)
        return self._all(rows.UnitRow, query.order_by(models.Unit.id))

    def update_unit(self, migration_id: int, name: str, **values: Any) -> None:
        """Change some of the columns of a unit (UNIT_FIELDS)."""
        unknown = values.keys() - UNIT_FIELDS
        if unknown:
            raise TypeError(f"update_unit: no such column: {', '.join(sorted(unknown))}")
        if not values:
            return
        change = (
            sa.update(models.Unit)
            .where(models.Unit.migration_id == migration_id, models.Unit.name == name)
            .values({key: _trim(value) for key, value in values.items()})
        )
        self._write(lambda session: session.execute(change))

    # Mappings

    def map(
        self,
        pair: str,
        type: str,
        source_id: str,
        destination_id: str,
        *,
        migration_id: int,
        unit: str,
        created: bool,
    ) -> None:
        """Record a counterpart, in place of the one before; ``created``: we made it, and may delete it."""
        self._upsert(
            models.Mapping,
            {"pair": pair, "type": type, "source_id": source_id},
            {
                "destination_id": destination_id,
                "migration_id": migration_id,
                "unit": unit,
                "created": created,
            },
        )

    def mapped(self, pair: str, type: str, source_id: str) -> rows.Mapping | None:
        """The counterpart of a source resource, if it is known."""
        return self._first(rows.Mapping, sa.select(models.Mapping).where(*_mapping(pair, type, source_id)))

    def mappings(self, pair: str) -> list[rows.Mapping]:
        """All counterparts that are known between two clouds."""
        query = sa.select(models.Mapping).where(models.Mapping.pair == pair)
        return self._all(rows.Mapping, query.order_by(models.Mapping.id))

    def unmap(self, pair: str, type: str, source_id: str) -> None:
        """Forget a counterpart; one that is not known is fine."""
        change = sa.delete(models.Mapping).where(*_mapping(pair, type, source_id))
        self._write(lambda session: session.execute(change))

    # Events

    def add_event(
        self,
        migration_id: int,
        kind: str,
        text: str,
        unit: str | None = None,
        data: Any = None,
    ) -> None:
        """Something happened, now. ``data`` is JSON; neither it nor the text may hold secrets."""
        row = {
            "migration_id": migration_id,
            "time": time.time(),
            "unit": unit,
            "kind": kind,
            "text": text[:TEXT_LIMIT],
            "data": data,
        }
        self._write(lambda session: session.execute(sa.insert(models.Event), [row]))

    def events(self, migration_id: int, after: int = 0) -> list[rows.Event]:
        """The events of a migration in their order, from the one that follows ``after`` on."""
        event = models.Event
        query = sa.select(event).where(event.migration_id == migration_id, event.id > after)
        return self._all(rows.Event, query.order_by(event.id))

    # Results

    def save_result(
        self,
        migration_id: int,
        unit: str,
        type: str,
        source_id: str,
        name: str,
        destination_id: str | None,
        verdict: str,
        fields: list[dict[str, Any]],
        bytes: dict[str, Any] | None,
    ) -> None:
        """What became of a resource, in place of what was said before in this migration."""
        self._upsert(
            models.Result,
            {"migration_id": migration_id, "type": type, "source_id": source_id},
            {
                "unit": unit,
                "name": name[:TEXT_LIMIT],
                "destination_id": destination_id,
                "verdict": verdict,
                "fields": fields,
                "bytes": bytes,
            },
        )

    def results(self, migration_id: int) -> list[rows.Result]:
        """What became of each resource, in the order in which it was first said."""
        query = sa.select(models.Result).where(models.Result.migration_id == migration_id)
        return self._all(rows.Result, query.order_by(models.Result.id))

    def measured(self, pair: str, limit: int = 200) -> tuple[list[rows.UnitRow], list[dict[str, Any]]]:
        """What was moved between two clouds before, the newest first: whole units, and copies of bytes."""
        unit, migration, result = models.Unit, models.Migration, models.Result
        units = self._all(
            rows.UnitRow,
            sa.select(unit)
            .join(migration, migration.id == unit.migration_id)
            .where(migration.pair == pair, unit.state == DONE, unit.bytes_done > 0)
            .order_by(unit.id.desc())
            .limit(limit),
        )
        copies = (
            sa.select(result.bytes)
            .join(migration, migration.id == result.migration_id)
            # Later migrations repeat the proof of earlier ones.
            .join(unit, (unit.migration_id == result.migration_id) & (unit.name == result.unit))
            .where(migration.pair == pair, unit.bytes_done > 0)
            .order_by(result.id.desc())
            .limit(limit)
        )
        found = self._read(lambda session: session.scalars(copies).all())
        return units, [dict(one) for one in found if one]

    # Temporaries

    def add_temporary(self, migration_id: int, unit: str, cloud_role: str, type: str, id: str, name: str) -> int:
        """Remember a thing of ours in a cloud that must go away; returns the row's id for drop_temporary."""

        def work(session: Session) -> int:
            row = models.Temporary(
                migration_id=migration_id,
                unit=unit,
                cloud_role=cloud_role,
                type=type,
                resource_id=id,
                name=name,
            )
            session.add(row)
            session.flush()
            return row.id

        return self._write(work)

    def temporaries(self, migration_id: int | None = None, unit: str | None = None) -> list[rows.Temporary]:
        """What is still to go away: of all, of one migration, of one of its units; oldest first."""
        query = sa.select(models.Temporary).order_by(models.Temporary.id)
        if migration_id is not None:
            query = query.where(models.Temporary.migration_id == migration_id)
        if unit is not None:
            query = query.where(models.Temporary.unit == unit)
        return self._all(rows.Temporary, query)

    def drop_temporary(self, id: int) -> None:
        """A temporary thing is gone; ``id`` is what add_temporary returned."""
        change = sa.delete(models.Temporary).where(models.Temporary.id == id)
        self._write(lambda session: session.execute(change))

    # How it is done

    def _upsert(self, model: type[models.Base], key: dict[str, Any], values: dict[str, Any]) -> None:
        """Update the row with this key or insert it; of two inserters one tries again and updates."""

        def work(session: Session) -> None:
            row = session.scalars(sa.select(model).filter_by(**key)).first()
            if row is None:
                session.add(model(**key, **values))
            else:
                for name, value in values.items():
                    setattr(row, name, value)

        self._write(work)

    def _write(self, work: Callable[[Session], T]) -> T:
        """Do the work in one transaction, again when it collides with another one."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._turn, self._writers.begin() as session:
                    return work(session)
            except SQLAlchemyError as error:
                if attempt == ATTEMPTS or not _collided(error):
                    raise self._failure(error) from error
                time.sleep(random.uniform(0, 0.05 * attempt))  # noqa: S311
        raise AssertionError

    def _read(self, work: Callable[[Session], T]) -> T:
        try:
            with self._turn, self._readers() as session:
                return work(session)
        except SQLAlchemyError as error:
            raise self._failure(error) from error

    def _all(self, row: Callable[..., Row], query: sa.Select[Any]) -> list[Row]:
        found: Sequence[Any] = self._read(lambda session: session.scalars(query).all())
        return [_detached(row, item) for item in found]

    def _first(self, row: Callable[..., Row], query: sa.Select[Any]) -> Row | None:
        found = self._read(lambda session: session.scalars(query).first())
        return None if found is None else _detached(row, found)

    def _failure(self, error: SQLAlchemyError) -> PumphouseError:
        return PumphouseError(f"database {database.place(self.engine.url)}: {database.reason(error)}")


def _mapping(pair: str, type: str, source_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    mapping = models.Mapping
    return (mapping.pair == pair, mapping.type == type, mapping.source_id == source_id)


def _detached(row: Any, item: models.Base) -> Any:
    """The plain row of a mapped object: the columns of the same names."""
    return row(**{field.name: getattr(item, field.name) for field in dataclasses.fields(row)})


def _trim(value: Any) -> Any:
    return value[:TEXT_LIMIT] if isinstance(value, str) else value


def _collided(error: SQLAlchemyError) -> bool:
    """Whether the same transaction may succeed when it is tried again."""
    if isinstance(error, IntegrityError):
        return True
    origin = error.orig if isinstance(error, DBAPIError) else None
    codes = {getattr(origin, "sqlstate", None), *getattr(origin, "args", ())[:1]}
    return bool(codes & COLLISIONS)
