"""Runs a plan: units in their order, several at once; a failing one takes only its dependants along."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import getpass
import logging
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

from taskflow import engines, exceptions

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import explain
from pumphouse.flows import flow_of
from pumphouse.migrations import process
from pumphouse.migrations.verify import note_failure, verify_unit
from pumphouse.names import Names
from pumphouse.planning.plan import Plan, Unit
from pumphouse.planning.planner import pair_of
from pumphouse.store.store import Store
from pumphouse.tasks.context import WHOLE, Context
from pumphouse.transfer.progress import (
    BLOCKED,
    DONE,
    FAILED,
    PENDING,
    RUNNING,
    STOPPED,
    Progress,
    UnitProgress,
)

LOG = logging.getLogger(__name__)
#: Disks of one server that are copied side by side.
DISKS_AT_ONCE = 4
#: Seconds between two writes of the progress to the database.
SAVE_EVERY = 1.0


def run(
    source: Cloud,
    destination: Cloud,
    store: Store,
    plan: Plan,
    *,
    concurrency: int,
    progress: Progress,
    stop: threading.Event,
    on_start: Callable[[int], None] = lambda _: None,
) -> int:
    """Do what the plan says; returns the migration's id.

    ``progress`` is filled with the units, then ``on_start`` is told the id. Once ``stop`` is set no more units
    start, and those that run are let to their end.
    """
    pair = pair_of(source, destination)
    options = {
        "concurrency": concurrency,
        "operator": _operator(),
        "source": f"{source.name} ({source.key})",
        "destination": f"{destination.name} ({destination.key})",
        "process": process.stamp(),
    }
    migration_id = store.start_migration(pair, plan.selection, plan.to_json(), options)
    store.add_units(migration_id, [(unit.name, unit.kind, unit.title, unit.bytes) for unit in plan.units])
    progress.units.update({u.name: UnitProgress(u.name, u.title, u.bytes, bytes_guessed=_guess(u)) for u in plan.units})
    _map_what_is_there(store, pair, migration_id, plan)
    on_start(migration_id)
    context = Context(
        source,
        destination,
        store,
        progress,
        pair,
        migration_id,
        WHOLE,
        threading.Event(),
        Names(plan.mappings),
        carry_expiry=plan.carry_expiry,
    )
    runner = _Runner(context, plan, stop)
    try:
        with _saving(context):
            runner.run(concurrency)
    finally:
        for text in context.remove_temporaries():
            store.add_event(migration_id, "left over", text)
        store.set_migration_state(migration_id, runner.outcome())
    return migration_id


def _guess(unit: Unit) -> int:
    """Bytes of a unit that are an upper bound: what is stored of a disk is known when it is an image."""
    return sum(item.bytes for item in unit.items if item.action == "create" and item.type != "image")


def _operator() -> str:
    """Who runs this; a container's user may have no name."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return str(os.getuid())


def _map_what_is_there(store: Store, pair: str, migration_id: int, plan: Plan) -> None:
    """What the plan found in the destination stands in for the source's, but is not ours to undo."""
    known = {(row.type, row.source_id): row.destination_id for row in store.mappings(pair)}
    for unit in plan.units:
        for item in unit.items:
            if item.action == "reuse" and item.destination_id and known.get(item.key) != item.destination_id:
                store.map(
                    pair,
                    item.type,
                    item.id,
                    item.destination_id,
                    migration_id=migration_id,
                    unit=unit.name,
                    created=False,
                )


class _Runner:
    """Hands out units whose needs are met."""

    def __init__(self, context: Context, plan: Plan, stop: threading.Event) -> None:
        self.context = context
        self.plan = plan
        self.stop = stop
        self.states = {unit.name: PENDING for unit in plan.units}
        self.right = True

    def run(self, concurrency: int) -> None:
        """Until nothing is left that could start."""
        with concurrent.futures.ThreadPoolExecutor(concurrency, "unit") as pool:
            running: dict[concurrent.futures.Future[None], Unit] = {}
            while True:
                if not self.stop.is_set():
                    for unit in self._ready(concurrency - len(running)):
                        self._enter(unit, RUNNING)
                        running[pool.submit(self._run_unit, unit)] = unit
                if not running:
                    break
                done, _ = concurrent.futures.wait(running, timeout=0.2, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    future.result()
                    del running[future]
        for unit in self.plan.units:
            if self.states[unit.name] == PENDING:
                self._give_up(unit, STOPPED, "stopped before it began")

    def outcome(self) -> str:
        """The migration's state after the run."""
        states = set(self.states.values())
        if states & {FAILED, BLOCKED, RUNNING} or not self.right:
            return "failed"
        return "stopped" if states & {STOPPED, PENDING} else "done"

    def _ready(self, room: int) -> Iterator[Unit]:
        """Up to ``room`` units that can start now. Those that never can are given up on the way."""
        for unit in self.plan.units:
            if self.states[unit.name] != PENDING or room <= 0:
                continue
            lost = [name for name in unit.needs if self.states[name] in (FAILED, BLOCKED)]
            if unit.action == "conflict":
                reasons = [f"{i.type} {i.name}: {i.reason}" for i in unit.items if i.action == "conflict"]
                self._give_up(unit, BLOCKED, "; ".join(reasons))
            elif lost:
                titles = [u.title for u in self.plan.units if u.name in lost]
                self._give_up(unit, BLOCKED, "needs " + ", ".join(titles))
            elif all(self.states[name] == DONE for name in unit.needs):
                room -= 1
                yield unit

    def _run_unit(self, unit: Unit) -> None:
        context = _for_unit(self.context, unit)
        try:
            if unit.action == "create":
                _execute(context, unit)
        except Exception as error:
            LOG.debug("unit %s failed", unit.name, exc_info=True)
            self._tidy(context)
            self._give_up(unit, FAILED, _reason(error))
            return
        self._tidy(context)
        if unit.action == "create":
            context.step("comparing both sides")
        try:
            if not verify_unit(context, unit):
                self.right = False
        except Exception as error:
            self.right = False
            context.store.add_event(context.migration_id, "not verified", explain(error), unit=unit.name)
        self._enter(unit, DONE)

    def _tidy(self, context: Context) -> None:
        for text in context.remove_temporaries():
            context.store.add_event(context.migration_id, "left over", text, unit=context.unit)

    def _give_up(self, unit: Unit, state: str, reason: str) -> None:
        self._enter(unit, state, reason)
        note_failure(_for_unit(self.context, unit), unit, reason)

    def _enter(self, unit: Unit, state: str, error: str = "") -> None:
        context = self.context
        self.states[unit.name] = state
        context.progress.state(unit.name, state, error)
        shown = context.progress.units[unit.name]
        context.store.update_unit(
            context.migration_id,
            unit.name,
            state=state,
            error=error,
            step="" if state == DONE else shown.step,
            started=shown.started,
            finished=shown.finished,
            bytes_done=shown.bytes_done,
            bytes_total=shown.bytes_total,
        )
        context.store.add_event(context.migration_id, state, error or unit.title, unit=unit.name)


def _for_unit(context: Context, unit: Unit) -> Context:
    return dataclasses.replace(context, unit=unit.name, evidence={}, before={})


def _execute(context: Context, unit: Unit) -> None:
    """Run the unit's flow. When it fails everything is undone, and the failure is raised."""
    kind: dict[str, Any] = {"engine": "serial"}
    if unit.kind == "server":
        kind = {"engine": "parallel", "executor": "threads", "max_workers": DISKS_AT_ONCE}
    engine = engines.load(flow_of(unit), **kind)
    # Transient: clouds and sessions are given to the tasks, and never stored.
    engine.storage.inject({"context": context}, transient=True)
    engine.run()


def _reason(error: BaseException) -> str:
    """In the service's own words; of several failures, each once."""
    if isinstance(error, exceptions.WrappedFailure):
        return "; ".join(dict.fromkeys(_reason(f.exception or Exception(str(f))) for f in error))
    return explain(error)


@contextlib.contextmanager
def _saving(context: Context) -> Iterator[None]:
    """Write the progress of running units to the database, now and then."""
    over = threading.Event()

    def save() -> None:
        while not over.wait(SAVE_EVERY):
            for unit in list(context.progress.units.values()):
                if unit.state == RUNNING:
                    context.store.update_unit(
                        context.migration_id,
                        unit.name,
                        step=unit.step,
                        bytes_done=unit.bytes_done,
                        bytes_total=unit.bytes_total,
                    )

    thread = threading.Thread(target=save, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
