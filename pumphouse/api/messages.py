"""Events as they are sent to those who listen: each becomes one server-sent event of one of a few types."""

from __future__ import annotations

import dataclasses
import functools
import json
from typing import Any

from ..store import events
from ..store.rows import Event

MIGRATION, UNIT, LOG, JOB, PLAN, AUDIT = "migration", "unit", "log", "job", "plan", "audit"
#: Those that are not kept: without an id, and not given again.
PROGRESS, CLOUDS, RESET = "progress", "clouds", "reset"

#: What can be asked for.
TYPES = (MIGRATION, UNIT, LOG, JOB, PLAN, AUDIT, PROGRESS, CLOUDS)
#: Kinds of events that are a type of their own.
OWN = {events.MIGRATION: MIGRATION, events.JOB: JOB, events.PLAN: PLAN, events.AUDIT: AUDIT}
#: What a unit's event says, when it is one of these: its state. (See ``transfer.progress``, and undoing.)
STATES = frozenset(("pending", "running", "done", "failed", "blocked", "stopped", "reverting", "reverted"))
STEP = "step"


@dataclasses.dataclass(frozen=True)
class Message:
    """One that is sent."""

    type: str
    data: dict[str, Any]
    #: Of the event; None for what is not kept.
    id: int | None = None
    #: The migration that it is about.
    migration_id: int | None = None

    @functools.cached_property
    def frame(self) -> bytes:
        """As it is written to a stream."""
        head = f"id: {self.id}\n" if self.id is not None else ""
        return f"{head}event: {self.type}\ndata: {json.dumps(self.data, separators=(',', ':'))}\n\n".encode()

    def without_id(self) -> Message:
        """The same, so that who reads it does not take it for his place in the order."""
        return dataclasses.replace(self, id=None)


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What somebody listens for."""

    #: Only what is about these migrations; empty: everything.
    migrations: frozenset[int] = frozenset()
    #: Only these types; empty: all.
    types: frozenset[str] = frozenset()
    #: Whether he may see who did what.
    audit: bool = False

    def __contains__(self, message: Message) -> bool:
        """Whether it is to be sent to him."""
        if message.type == AUDIT and not self.audit:
            return False
        if self.types and message.type not in self.types:
            return False
        return not self.migrations or message.migration_id in self.migrations


def of_event(event: Event) -> Message:
    """The message that tells of an event."""
    type_, data = type_of(event), event.data if isinstance(event.data, dict) else {}
    about = {"event": event.id, "kind": event.kind, "text": event.text, "time": event.time}
    if type_ == MIGRATION:
        data = {"id": event.migration_id, **about, "state": event.text}
    elif type_ == UNIT:
        what = {"step": event.text} if event.kind == STEP else {"state": event.kind}
        data = {"migration_id": event.migration_id, "unit": event.unit, **what, **about}
    elif type_ in (JOB, PLAN):
        data = {"migration_id": event.migration_id, "time": event.time, "said": event.text, **data}
    elif type_ == AUDIT:
        data = {**data, **about, "migration_id": event.migration_id}
    else:
        data = {"migration_id": event.migration_id, "unit": event.unit, **about, "data": event.data}
    return Message(type_, data, event.id, event.migration_id)


def type_of(event: Event) -> str:
    """The type of the message that tells of an event."""
    if event.kind in OWN:
        return OWN[event.kind]
    return UNIT if event.unit and (event.kind in STATES or event.kind == STEP) else LOG
