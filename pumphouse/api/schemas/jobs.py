"""Jobs and leftovers: what was asked for and takes long; what is to be cleared away."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ..paging import GREATEST, PageQuery
from .base import Answer, Body, Listed
from .plans import Failure

#: Where a job that was asked for is watched.
JOB = {"getJob": {"operationId": "getJob", "parameters": {"job_id": "$response.body#/id"}}}

JobKind = Literal["plan", "migrate", "resume", "cancel", "rollback", "accept", "verify", "leftovers", "power"]
JobState = Literal["queued", "running", "done", "failed"]


class JobAnswer(Answer):
    """Something that was asked for, and is done by an engine."""

    id: int
    kind: JobKind
    state: JobState
    plan_id: int | None
    migration_id: int | None
    said: str = Field(description="What it does just now")
    error: Failure | None = Field(description="Why it failed")
    result: dict[str, Any] | None = Field(
        description="When it is done: `stays` are sentences about what could not be done; `bytes` what was compared;"
        " `power` whether the host is on or off now"
    )
    created: float
    started: float | None
    finished: float | None
    created_by: str


class JobList(Listed):
    """The newest first."""

    items: list[JobAnswer]


class JobQuery(PageQuery):
    """Which jobs."""

    state: JobState | None = Field(None, description="Only those in this state")
    migration: int | None = Field(None, ge=1, le=GREATEST, description="Only those of this migration")


class Leftover(Answer):
    """A temporary thing of ours that ought to be gone."""

    cloud: Literal["source", "destination"]
    type: str
    id: str = Field(description="Empty: it is known by its name only")
    name: str
    since: str = Field(description="When it was made, as its service writes it")
    migration: int | None = Field(description="Which migration made it")
    keep: str = Field(description="Why it is not removed now; empty: nothing is against it")


class LeftoverList(Answer):
    """All there are."""

    items: list[Leftover]
    notes: list[str] = Field(description="What could not be looked at")


class RemovalWanted(Body):
    """What is to be removed."""

    force: bool = Field(
        False, description="Also what may belong to a migration that still runs on another host: see that it does not"
    )
