"""What the store gives out: plain frozen rows, free of any session. Times are epoch seconds (UTC)."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Migration:
    """One execution of a plan; see ``models.Migration`` for the columns."""

    id: int
    pair: str
    selection: dict[str, Any]
    plan: dict[str, Any]
    options: dict[str, Any]
    state: str
    wish: str
    created: float
    updated: float


@dataclasses.dataclass(frozen=True)
class MigrationSummary:
    """A migration in a list: without its plan, with its units counted."""

    id: int
    pair: str
    selection: dict[str, Any]
    state: str
    created: float
    updated: float
    units: int
    units_done: int
    #: Failed, or blocked by one that failed.
    units_failed: int
    bytes_done: int


@dataclasses.dataclass(frozen=True)
class UnitRow:
    """A unit of a migration, as it stands."""

    name: str
    kind: str
    title: str
    state: str
    step: str
    bytes_total: int
    bytes_done: int
    started: float | None
    finished: float | None
    #: Seconds; None where no server was stopped.
    downtime: float | None
    error: str
    logbook: str | None
    accepted: bool


@dataclasses.dataclass(frozen=True)
class UnitState:
    """Of a unit, what is looked at again and again."""

    name: str
    state: str
    error: str
    bytes_done: int


@dataclasses.dataclass(frozen=True)
class Mapping:
    """A source resource and its counterpart."""

    type: str
    source_id: str
    destination_id: str
    migration_id: int
    unit: str
    created: bool


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that happened in a migration."""

    id: int
    time: float
    unit: str | None
    kind: str
    text: str
    data: Any | None
    #: None where it is about none.
    migration_id: int | None


@dataclasses.dataclass(frozen=True)
class Result:
    """What became of one resource, field by field."""

    unit: str
    type: str
    source_id: str
    name: str
    destination_id: str | None
    verdict: str
    fields: list[dict[str, Any]]
    bytes: dict[str, Any] | None


@dataclasses.dataclass(frozen=True)
class Temporary:
    """A thing of ours in a cloud that must go away in every outcome."""

    #: Of the row, for ``Store.drop_temporary``.
    id: int
    migration_id: int
    unit: str
    cloud_role: str
    type: str
    #: Its id in the cloud; "" where it is known by its name only.
    resource_id: str
    name: str
