"""What became of each resource of a migration, and what of ours is still to go away: a part of the store."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from . import models, rows
from .transactions import Transactions


class Outcomes(Transactions):
    """Results and temporaries. See :class:`Store`."""

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
        self.upsert(
            models.Result,
            {"migration_id": migration_id, "type": type, "source_id": source_id},
            {
                "unit": unit,
                "name": name[: models.TEXT_LIMIT],
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

    def results_in_brief(self, migration_id: int) -> list[rows.Result]:
        """The same, with the fields of those only that must be looked at: all of them take 20 KiB a resource."""
        result = models.Result
        fields = sa.case((result.verdict.in_(("differs", "not verified")), result.fields), else_=None).label("fields")
        columns = [getattr(result, field.name) for field in dataclasses.fields(rows.Result) if field.name != "fields"]
        query = sa.select(*columns, fields).where(result.migration_id == migration_id).order_by(result.id)
        found = self.read(lambda session: [row._asdict() for row in session.execute(query)])
        return [rows.Result(**{**row, "fields": row["fields"] or []}) for row in found]

    def bytes_of(self, migration_id: int, type: str, source_id: str) -> dict[str, Any] | None:
        """What a migration has kept of the bytes of one resource."""
        result = models.Result
        query = sa.select(result.bytes).where(
            result.migration_id == migration_id, result.type == type, result.source_id == source_id
        )
        return self.read(lambda session: session.scalar(query))

    def count_results(self, migration_id: int, verdicts: Collection[str]) -> int:
        """How many resources of a migration have one of these verdicts."""
        result = models.Result
        query = sa.select(sa.func.count(result.id)).where(
            result.migration_id == migration_id, result.verdict.in_(verdicts)
        )
        return int(self.read(lambda session: session.scalar(query)) or 0)

    def units_with(self, migration_id: int, verdict: str) -> set[str]:
        """The names of units that have a resource with this verdict."""
        result = models.Result
        query = sa.select(result.unit).where(result.migration_id == migration_id, result.verdict == verdict)
        return set(self.read(lambda session: session.scalars(query.distinct()).all()))

    def measured(self, pair: str, limit: int = 200) -> tuple[list[rows.UnitRow], list[dict[str, Any]]]:
        """What was moved between two clouds before, the newest first: whole units, and copies of bytes."""
        unit, migration, result = models.Unit, models.Migration, models.Result
        units = self._all(
            rows.UnitRow,
            sa.select(unit)
            .join(migration, migration.id == unit.migration_id)
            .where(migration.pair == pair, unit.state == models.DONE, unit.bytes_done > 0)
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
        found = self.read(lambda session: session.scalars(copies).all())
        return units, [dict(one) for one in found if one]

    # Temporaries

    def add_temporary(self, migration_id: int, unit: str, cloud_role: str, type: str, id: str, name: str) -> int:
        """Remember a thing of ours in a cloud that must go away; returns the row's id for drop_temporary.

        ``id`` is "" while it is being made: then it is known by its name only.
        """

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

        return self.write(work)

    def set_temporary(self, id: int, resource_id: str) -> None:
        """It was made, and has this id in its cloud; ``id`` is what add_temporary returned."""
        change = sa.update(models.Temporary).where(models.Temporary.id == id).values(resource_id=resource_id)
        self.write(lambda session: session.execute(change))

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
        self.write(lambda session: session.execute(change))
