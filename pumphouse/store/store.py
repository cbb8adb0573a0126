"""The store: everything the operator must not lose, in one SQL database."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from . import database, events, models, rows
from .outcomes import Outcomes
from .transactions import put

#: States of a migration.
RUNNING, DONE, FAILED, STOPPED = "running", models.DONE, "failed", "stopped"
CANCELLED, REVERTING, REVERTED = "cancelled", "reverting", "reverted"
#: Asked for over the API: waiting for an engine, or for its plan.
QUEUED, PLANNING = "queued", "planning"
#: What the processes that run a migration can be asked for.
CANCEL = "cancel"
#: States in which a migration is to go on by itself.
UNFINISHED = (QUEUED, PLANNING, RUNNING)

#: What a unit's row may be changed in.
UNIT_FIELDS = frozenset(
    (
        *("state", "step", "bytes_total", "bytes_done", "started", "finished", "downtime", "error"),
        *("logbook", "accepted"),
    )
)

#: A unit to come: (name, kind, title, bytes to move).
NewUnit = tuple[str, str, str, int]


class Store(Outcomes):
    """Our own state. Safe to use from many threads and processes; each method is one short transaction.

    All methods raise PumphouseError when the database fails.
    """

    @classmethod
    def open(cls, url: str) -> Store:
        """The store at an SQLAlchemy URL; its tables are created, or brought up to date, first.

        Raises ConfigError for a URL that cannot be used, and UsageError for a database that a newer
        Pumphouse wrote.
        """
        engine = database.make_engine(url)
        database.upgrade(engine)
        return cls(engine)

    # Migrations

    def start_migration(
        self,
        pair: str,
        selection: dict[str, Any],
        plan: dict[str, Any],
        options: dict[str, Any],
        units: Iterable[NewUnit] = (),
        state: str = RUNNING,
    ) -> int:
        """Record a new migration with its units in their order, pending; returns its id.

        ``options`` must not hold secrets.
        """
        units = list(units)
        return self.write(lambda session: self.start_in(session, pair, selection, plan, options, units, state))

    def start_in(
        self,
        session: Session,
        pair: str,
        selection: dict[str, Any],
        plan: dict[str, Any],
        options: dict[str, Any],
        units: Iterable[NewUnit],
        state: str,
    ) -> int:
        """The same, as a part of a transaction."""
        now = time.time()
        row = models.Migration(
            pair=pair, selection=selection, plan=plan, options=options, state=state, created=now, updated=now
        )
        session.add(row)
        session.flush()
        _add_units(session, row.id, units)
        events.add_in(session, events.MIGRATION, state, row.id)
        return row.id

    def set_plan(self, migration_id: int, plan: dict[str, Any], units: Iterable[NewUnit]) -> None:
        """The plan of a migration that was begun without one, and its units."""
        units = list(units)

        def work(session: Session) -> None:
            session.get_one(models.Migration, migration_id).plan = plan
            session.execute(sa.delete(models.Unit).where(models.Unit.migration_id == migration_id))
            _add_units(session, migration_id, units)

        self.write(work)

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
        found = self.read(lambda session: session.execute(query).all())
        # Sums come back as Decimal from some drivers, and as None without units.
        return [
            rows.MigrationSummary(*row[: len(fields)], *(int(value or 0) for value in row[len(fields) :]))
            for row in found
        ]

    def set_migration_state(self, migration_id: int, state: str) -> None:
        """A migration changes its state; the time of it is kept as ``updated``."""

        def work(session: Session) -> None:
            row = session.get_one(models.Migration, migration_id)
            changed = row.state != state
            row.state, row.updated = state, time.time()
            if changed:
                events.add_in(session, events.MIGRATION, state, migration_id)

        self.write(work)

    def wish(self, migration_id: int, wish: str) -> None:
        """Ask the processes that run a migration for something: CANCEL, or "" for nothing any more."""
        change = sa.update(models.Migration).where(models.Migration.id == migration_id).values(wish=wish)
        self.write(lambda session: session.execute(change))

    def wished(self, migration_id: int) -> str:
        """What they are asked for."""
        query = sa.select(models.Migration.wish).where(models.Migration.id == migration_id)
        return str(self.read(lambda session: session.scalar(query)) or "")

    def options(self, migration_id: int) -> dict[str, Any]:
        """How it is run."""
        query = sa.select(models.Migration.options).where(models.Migration.id == migration_id)
        return dict(self.read(lambda session: session.scalar(query)) or {})

    def set_options(self, migration_id: int, options: dict[str, Any]) -> None:
        """How it is run, anew."""
        change = sa.update(models.Migration).where(models.Migration.id == migration_id).values(options=options)
        self.write(lambda session: session.execute(change))

    # Units

    def try_again(self, migration_id: int, states: Iterable[str]) -> None:
        """Units in these states are pending again."""
        unit = models.Unit
        change = (
            sa.update(unit)
            .where(unit.migration_id == migration_id, unit.state.in_(list(states)))
            .values(state="pending", error="", started=None, finished=None, bytes_done=0)
        )
        self.write(lambda session: session.execute(change))

    def units(self, migration_id: int, name: str | None = None) -> list[rows.UnitRow]:
        """The units of a migration, in the order of its plan; or one of them."""
        query = sa.select(models.Unit).where(models.Unit.migration_id == migration_id)
        if name is not None:
            query = query.where(models.Unit.name == name)
        return self._all(rows.UnitRow, query.order_by(models.Unit.id))

    def states(self, migration_id: int) -> list[rows.UnitState]:
        """How all units of a migration are, without what is seldom looked at."""
        unit = models.Unit
        query = sa.select(unit.name, unit.state, unit.error, unit.bytes_done).where(unit.migration_id == migration_id)
        return self.read(lambda session: [rows.UnitState(*row) for row in session.execute(query)])

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
        self.write(lambda session: session.execute(change))

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
        """Record a counterpart, in place of the one before; ``created``: we made it, and may delete it.

        That it was being made is no longer noted.
        """
        note = models.Note
        made = sa.delete(note).where(note.kind == models.MAKING, note.type == type, note.source_id == source_id)

        def work(session: Session) -> None:
            put(
                session,
                models.Mapping,
                {"pair": pair, "type": type, "source_id": source_id},
                {"destination_id": destination_id, "migration_id": migration_id, "unit": unit, "created": created},
            )
            if created:
                session.execute(made)

        self.write(work)

    def is_counterpart(self, pair: str, type: str, destination_id: str) -> bool:
        """Whether a resource of the destination stands for one of the source."""
        mapping = models.Mapping
        query = sa.select(mapping.id).where(
            mapping.pair == pair, mapping.type == type, mapping.destination_id == destination_id
        )
        return self.read(lambda session: session.scalar(query)) is not None

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
        self.write(lambda session: session.execute(change))

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
        self.write(lambda session: events.add_in(session, kind, text, migration_id, unit=unit, data=data))

    def events(self, migration_id: int, after: int = 0) -> list[rows.Event]:
        """The events of a migration in their order, from the one that follows ``after`` on."""
        event = models.Event
        query = sa.select(event).where(event.migration_id == migration_id, event.id > after)
        return self._all(rows.Event, query.order_by(event.id))


def _add_units(session: Session, migration_id: int, units: Iterable[NewUnit]) -> None:
    if new := [_unit(migration_id, *unit) for unit in units]:
        session.execute(sa.insert(models.Unit), new)


def _unit(migration_id: int, name: str, kind: str, title: str, bytes_total: int) -> dict[str, Any]:
    """The row of one that has not begun."""
    return {
        "migration_id": migration_id,
        "name": name,
        "kind": kind,
        "title": title[: models.TEXT_LIMIT],
        "state": "pending",
        "step": "",
        "bytes_total": bytes_total,
        "bytes_done": 0,
        "error": "",
    }


def _mapping(pair: str, type: str, source_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    mapping = models.Mapping
    return (mapping.pair == pair, mapping.type == type, mapping.source_id == source_id)


def _trim(value: Any) -> Any:
    return value[: models.TEXT_LIMIT] if isinstance(value, str) else value
