"""Migrations and their units."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from ..paging import GREATEST, PageQuery
from .base import MOST, Answer, Body, Listed, Name, Names, Query
from .plans import PlannedItem, SelectionMade, SelectionWanted

State = Literal[
    "queued", "planning", "running", "done", "failed", "stopped", "cancelled", "reverting", "reverted"
]  # fmt: skip
UnitState = Literal["pending", "running", "done", "failed", "blocked", "stopped", "reverting", "reverted"]
Concurrency = Annotated[int, Field(ge=1, le=64, description="Units that run at once")]
#: What of the source's servers is meant to be done by whoever accepts.
SourceAfter = Literal["keep", "delete"]


class MigrationWanted(Body):
    """What is to be moved: a plan that is ready, or a selection, which is planned first. One of both."""

    plan_id: int | None = Field(None, ge=1, le=GREATEST, description="A plan that is ready and was not used yet")
    selection: SelectionWanted | None = None
    concurrency: Concurrency | None = Field(
        None, description="Units that run at once; null: 4, or 2 where it is about a host"
    )
    ignore_findings: bool = Field(False, description="Begin although the plan has findings that block")
    source_after: SourceAfter = Field(
        "keep",
        description="What is meant to become of the source's servers once the migration is accepted. It is only noted:"
        " `accept` is asked for each time, and nothing is deleted before",
    )

    @model_validator(mode="after")
    def _has_one(self) -> MigrationWanted:
        if (self.plan_id is None) == (self.selection is None):
            raise ValueError("give plan_id or selection, one of both")
        return self


class Nothing(Body):
    """No choices."""


class ResumeWanted(Body):
    """How to go on."""

    concurrency: Concurrency | None = Field(None, description="Null: as before")


class RollbackWanted(Body):
    """What is to be undone."""

    servers: Names = Field([], description="Only these, by name or id; empty: everything")


class AcceptWanted(Body):
    """What is to be accepted, and what becomes of the source."""

    servers: Names = Field([], description="Only these, by name or id; empty: everything")
    delete_source: bool = Field(
        description="Delete the source's servers, with their volumes and ports (role admin); false: they stay, stopped"
    )
    despite: list[Annotated[str, StringConstraints(min_length=1, max_length=1000)]] = Field(
        [], max_length=MOST, description="Names of differences that are accepted, too"
    )
    confirm: int = Field(ge=1, le=GREATEST, description="The migration's id once more: there is no way back")


class VerifyWanted(Body):
    """What is to be compared."""

    bytes: bool = Field(False, description="Read images and volumes back in both clouds, and compare their bytes")


class Possible(Answer):
    """What can be asked for now."""

    cancel: bool
    resume: bool
    rollback: bool
    accept: bool
    verify: bool


class MigrationAnswer(Answer):
    """A migration."""

    id: int
    state: State
    selection: SelectionMade
    created: float
    updated: float = Field(description="When its state was last set")
    started_by: str
    source: str
    destination: str
    concurrency: int | None = Field(description="Units that run at once")
    source_after: SourceAfter = Field(description="What was meant to become of the source's servers when it began")
    units: int
    units_done: int
    units_failed: int = Field(description="Failed, or blocked by one that failed")
    units_running: int
    bytes_done: int
    bytes_total: int
    rate: float | None = Field(description="Bytes per second, lately; null when it does not run, or nobody knows")
    seconds_left: float | None = Field(description="Estimated; null when it does not run, or nobody knows")
    accepted: int = Field(description="Units that are not rolled back any more")
    wish: str = Field(description="What it was asked for and has not done yet: cancel, or nothing")
    error: str = Field(description="Why it failed, in short; its units have the whole")
    running: bool = Field(description="Whether a live process has it")
    can: Possible


class MigrationList(Listed):
    """The newest first."""

    items: list[MigrationAnswer]


class MigrationQuery(PageQuery):
    """Which migrations."""

    state: State | None = Field(None, description="Only those in this state")
    search: str | None = Field(None, max_length=255, description="Only those whose selection, or id, has this text")
    tenant: Name | None = Field(None, description="Only those that are about this project of the source: its id")


class UnitAnswer(Answer):
    """A part of a migration that succeeds or is undone as a whole."""

    name: str
    kind: str
    title: str
    state: UnitState
    step: str = Field(description="What it does, or did last")
    bytes_done: int
    bytes_total: int
    started: float | None
    finished: float | None
    downtime: float | None = Field(description="Seconds that its server was down; null: it was not stopped")
    error: str = Field(description="Why it failed or could not start")
    accepted: bool
    needs: list[str] = Field(description="Names of the units that must be done before")


class UnitList(Listed):
    """In the order of the plan."""

    items: list[UnitAnswer]


class UnitQuery(PageQuery):
    """Which units."""

    state: UnitState | None = Field(None, description="Only those in this state")


class EventAnswer(Answer):
    """Something that happened."""

    id: int
    time: float
    type: str = Field(description="As in the stream of events")
    migration_id: int | None
    unit: str | None
    kind: str
    text: str
    data: Any | None


class UnitDetails(UnitAnswer):
    """A unit with what is in it, and what happened to it."""

    items: list[PlannedItem] = Field(description="What the plan says of its resources")
    log: list[EventAnswer] = Field(description="The last 500 of its events")


class EventList(Listed):
    """The oldest first."""

    items: list[EventAnswer]


class EventQuery(Query):
    """Which events."""

    after: int = Field(0, ge=0, le=GREATEST, description="Only those that follow the one with this id")
    unit: str | None = Field(None, min_length=1, max_length=400, description="Only those of this unit")
    limit: int = Field(200, ge=1, le=1000, description="How many at most")


class Difference(Answer):
    """What stands in the way of accepting."""

    name: str = Field(description="As `despite` takes it")
    reason: str


class DifferenceList(Answer):
    """All there are."""

    items: list[Difference]


class ReportQuery(Query):
    """In which form."""

    format: Literal["json", "html"] | None = Field(None, description="Else the header Accept decides")
    brief: bool = Field(False, description="Without the fields of resources that arrived as they should")


class ReportedResource(Answer):
    """What became of one resource."""

    model_config = {"extra": "allow"}

    type: str
    name: str
    source_id: str
    destination_id: str | None
    verdict: str
    fields: list[dict[str, Any]]
    bytes: dict[str, Any] | None
    unit: str


class Report(Answer):
    """Everything about one migration."""

    migration: dict[str, Any]
    units: list[dict[str, Any]]
    resources: list[ReportedResource]
    not_carried: list[dict[str, Any]]
    #: Temporary things that could not be removed.
    left_over: list[dict[str, str]]
    notes: list[str]
