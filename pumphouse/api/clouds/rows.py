"""What is kept of a resource in a list: few fields, so that tens of thousands of them stay small."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pumphouse.api.clouds.reader import Reader, Wire
from pumphouse.clouds.cloud import Service


class Row:
    """One resource. ``values`` are those of its kind's columns."""

    __slots__ = ("folded", "id", "name", "project_id", "status", "values")

    def __init__(self, id: str, name: str, project_id: str | None, status: str | None, values: tuple[Any, ...]) -> None:
        """Whatever is the same in many of them is kept once."""
        self.id, self.name, self.values = id, name, values
        self.project_id, self.status = shared(project_id), shared(status)
        folded = name.casefold()
        #: The name as it is searched and sorted.
        self.folded = name if folded == name else folded

    def same(self, other: Row) -> bool:
        """Whether all that is kept is equal."""
        return (self.id, self.name, self.project_id, self.status, self.values) == (
            other.id,
            other.name,
            other.project_id,
            other.status,
            other.values,
        )

    @property
    def place(self) -> tuple[str, str]:
        """Where it stands in its list."""
        return self.folded, self.id


def shared(value: str | None) -> str | None:
    """The same text, kept once however often it occurs."""
    return sys.intern(value) if type(value) is str else value


#: The pages of a kind in a cloud, or of one project's alone.
Pages = Callable[[Reader, str | None], Iterator[list[Row]]]


@dataclass(frozen=True)
class Kind:
    """A type of resource as it is listed here."""

    type: str
    service: Service
    #: What of it is in its summary.
    columns: tuple[str, ...]
    pages: Pages
    #: The cloud can be asked for those of one project.
    scoped: bool = False
    #: The column that is added up for each project.
    weight: str | None = None

    def summary(self, row: Row) -> Wire:
        """Its columns by name."""
        return dict(zip(self.columns, row.values, strict=True))

    def weigh(self, row: Row) -> int:
        """What it counts besides one."""
        return int(row.values[self.columns.index(self.weight)] or 0) if self.weight else 0
