"""Runs one unit's flow, from its beginning or from where another process has left it."""

from __future__ import annotations

import functools
import logging
import threading
import uuid
from typing import Any

from taskflow import engines, exceptions, states
from taskflow.flow import Flow

from pumphouse.clouds.errors import explain
from pumphouse.errors import PumphouseError
from pumphouse.flows import flow_of, tasks_of
from pumphouse.planning.plan import Unit
from pumphouse.store import logbook
from pumphouse.store.claims import LostClaimError
from pumphouse.tasks.access import EnterProject
from pumphouse.tasks.base import patiently
from pumphouse.tasks.context import Context

LOG = logging.getLogger(__name__)
#: Disks of one server that are copied side by side.
DISKS_AT_ONCE = 4


class BrokenOffError(PumphouseError):
    """A flow could not go on, nor be undone, as the database was away: the unit is as if its process had died."""


class Abandon(threading.Event):
    """Set for one unit, or for all at once."""

    def __init__(self, all_of_them: threading.Event) -> None:
        """``all_of_them``: gives up every unit."""
        super().__init__()
        self._all = all_of_them

    def is_set(self) -> bool:
        """Whether the unit is to be given up."""
        return super().is_set() or self._all.is_set()


def execute(context: Context, unit: Unit, book: str | None) -> None:
    """Run the unit's flow; ``book``: its logbook, if it has begun. When it fails all is undone, and that is raised."""
    flow = flow_of(unit)
    found = logbook.find(context.store, book) if book else None
    if found is None:
        book = str(uuid.uuid4())
        context.store.update_unit(context.migration_id, context.unit, logbook=book)
        found = logbook.begin(context.store, unit.name, book)
    else:
        enter_again(context, flow)
    backend, shelf, detail = found
    kind: dict[str, Any] = {"engine": "serial"}
    if unit.kind == "server":
        kind = {"engine": "parallel", "executor": "threads", "max_workers": DISKS_AT_ONCE}
    engine = engines.load(flow, flow_detail=detail, book=shelf, backend=backend, **kind)
    # Transient: clouds and sessions are given to the tasks, and never stored.
    engine.storage.inject({"context": context}, transient=True)
    if engine.storage.get_flow_state() in (states.PENDING, states.REVERTED):
        clear(context, flow)
    try:
        engine.run()
    except Exception as error:
        context.check()
        if engine.storage.get_flow_state() not in (states.PENDING, states.REVERTED):
            raise BrokenOffError(reason(error)) from error
        raise


def clear(context: Context, flow: Flow) -> None:
    """Before a unit is begun again: remove what could not be removed when it failed before."""
    for task in reversed(list(tasks_of(flow))):
        if task.makes and context.mine(*task.makes):
            patiently(context, task.name, functools.partial(task.undo, context))


def enter_again(context: Context, flow: Flow) -> None:
    """What our account may do in the projects may have been taken away when the run broke off."""
    for task in tasks_of(flow):
        if isinstance(task, EnterProject):
            try:
                task.execute(context)
            except LostClaimError:
                raise
            except PumphouseError as error:
                # The flow will not get far, and must be undone.
                LOG.debug("%s: %s", task.name, error)


def reason(error: BaseException) -> str:
    """In the service's own words; of several failures, each once."""
    if isinstance(error, exceptions.WrappedFailure):
        return "; ".join(dict.fromkeys(reason(f.exception) if f.exception else f.exception_str for f in error))
    return explain(error)
