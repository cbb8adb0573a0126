"""Rows of one collection, found without looking at all of them. Plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from pumphouse.embedded.service import Json


@dataclasses.dataclass
class Table:
    """Rows by id, and the ids by the values of some fields; a list counts with each of its elements."""

    indexed: tuple[str, ...] = ("project_id",)
    rows: dict[str, Json] = dataclasses.field(default_factory=dict)
    index: dict[str, dict[Any, dict[str, None]]] = dataclasses.field(default_factory=dict)

    def __contains__(self, id_: object) -> bool:
        """Whether there is a row with this id."""
        return id_ in self.rows

    def __iter__(self) -> Iterator[Json]:
        """All rows, as they came."""
        return iter(self.rows.values())

    def get(self, id_: str | None) -> Json | None:
        """One row, or None."""
        return self.rows.get(id_ or "")

    def add(self, row: Json) -> Json:
        """Keep a row, which has an ``id``."""
        self.rows[row["id"]] = row
        self._note(row, self.indexed)
        return row

    def change(self, row: Json, **fields: Any) -> Json:
        """Set fields of a row that is in here."""
        moved = [name for name in self.indexed if name in fields and fields[name] != row.get(name)]
        self._forget(row, moved)
        row.update(fields)
        self._note(row, moved)
        return row

    def remove(self, id_: str) -> Json:
        """Take a row out."""
        row = self.rows.pop(id_)
        self._forget(row, self.indexed)
        return row

    def where(self, field: str, *values: Any) -> list[Json]:
        """The rows in which an indexed field has (or holds) one of these values, as they came."""
        of_field = self.index.get(field, {})
        if len(values) == 1:
            return [self.rows[id_] for id_ in of_field.get(values[0], ())]
        return [self.rows[id_] for id_ in {id_: None for value in values for id_ in of_field.get(value, ())}]

    def count(self, field: str, value: Any) -> int:
        """How many :meth:`where` would find."""
        return len(self.index.get(field, {}).get(value, ()))

    def _note(self, row: Json, fields: Iterable[str]) -> None:
        for name in fields:
            for value in _values(row.get(name)):
                self.index.setdefault(name, {}).setdefault(value, {})[row["id"]] = None

    def _forget(self, row: Json, fields: Iterable[str]) -> None:
        for name in fields:
            of_field = self.index.get(name, {})
            for value in _values(row.get(name)):
                ids = of_field[value]
                del ids[row["id"]]
                if not ids:
                    del of_field[value]


def _values(value: Any) -> Iterable[Any]:
    return dict.fromkeys(value) if isinstance(value, list) else (value,)
