"""Runs a plan: units in their order, several at once; a failing one takes only its dependants along.

What is to be done, and what was done, is in the database alone. So a run that broke off goes on in another process,
and several processes may run one migration: each claims the units that it runs (``store.claims``).
"""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Iterator

from pumphouse.clouds.cloud import Cloud
from pumphouse.migrations import process
from pumphouse.migrations.beginning import guess, map_what_is_there, operator, projects_of, units_of
from pumphouse.migrations.keeping import Keeper
from pumphouse.migrations.running_unit import Abandon, BrokenOffError, execute, reason
from pumphouse.migrations.verify import NOT_VERIFIED, note_failure, verify_unit
from pumphouse.names import Names
from pumphouse.planning.plan import Plan, Unit
from pumphouse.planning.planner import pair_of
from pumphouse.store import claims, logbook, notes
from pumphouse.store.claims import Claim, ClaimedStore, LostClaimError
from pumphouse.store.store import CANCEL, CANCELLED, Store
from pumphouse.tasks.base import tidy
from pumphouse.tasks.context import WHOLE, Context, Hosts, no_inventory
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
#: Seconds between two looks at what other processes have done.
LOOK = 1.0
#: Seconds until it is looked again whether a unit has ended here.
WAIT = 0.2
#: Actions of units that have something to run.
RUN = ("create", "move")


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
    hosts: Hosts = no_inventory,
) -> int:
    """Do what the plan says; returns the migration's id.

    ``progress`` is filled with the units, then ``on_start`` is told the id. Once ``stop`` is set no more units
    start, and those that run are let to their end. ``hosts``: where machines are found.
    """
    pair = pair_of(source, destination)
    options = {
        "concurrency": concurrency,
        "operator": operator(),
        "source": f"{source.name} ({source.key})",
        "destination": f"{destination.name} ({destination.key})",
        "process": process.stamp(),
        "projects": projects_of(plan),
    }
    migration_id = store.start_migration(pair, plan.selection, plan.to_json(), options, units_of(plan))
    _go(source, destination, store, plan, migration_id, pair, concurrency, progress, stop, on_start, hosts=hosts)
    return migration_id


def resume(
    source: Cloud,
    destination: Cloud,
    store: Store,
    migration_id: int,
    *,
    concurrency: int,
    progress: Progress,
    stop: threading.Event,
    leave: threading.Event | None = None,
    hosts: Hosts = no_inventory,
) -> None:
    """Go on with a migration: with the units that were interrupted, those that never began, and those that failed.

    Where another process runs it, that one's units are left to it for as long as it lives. ``stop`` and ``hosts``:
    as of ``run``. ``leave``: like ``stop``, but the migration stays running, for another process to go on with.
    """
    migration = store.migration(migration_id)
    assert migration is not None  # noqa: S101 (who calls has looked)
    claims.release_dead(store, migration_id, process.is_dead)
    store.try_again(migration_id, (FAILED, BLOCKED, STOPPED))
    store.set_options(migration_id, {**migration.options, "process": process.stamp()})
    store.set_migration_state(migration_id, RUNNING)
    plan = Plan.from_json(migration.plan)
    _go(
        source, destination, store, plan, migration_id, migration.pair, concurrency, progress, stop,
        leave=leave, hosts=hosts,
    )  # fmt: skip


def context_of(
    source: Cloud,
    destination: Cloud,
    store: Store,
    plan: Plan,
    migration_id: int,
    pair: str,
    progress: Progress,
    hosts: Hosts = no_inventory,
) -> Context:
    """What the tasks of a migration work with."""
    return Context(
        source, destination, store, progress, pair, migration_id, WHOLE, threading.Event(), Names(plan.mappings),
        carry_expiry=plan.carry_expiry, power=plan.power, hosts=hosts,
    )  # fmt: skip


def _go(
    source: Cloud,
    destination: Cloud,
    store: Store,
    plan: Plan,
    migration_id: int,
    pair: str,
    concurrency: int,
    progress: Progress,
    stop: threading.Event,
    on_start: Callable[[int], None] = lambda _: None,
    leave: threading.Event | None = None,
    hosts: Hosts = no_inventory,
) -> None:
    for unit in plan.units:
        shown = UnitProgress(unit.name, unit.title, unit.bytes, bytes_guessed=guess(unit))
        progress.units[unit.name] = shown
    map_what_is_there(store, pair, migration_id, plan)
    on_start(migration_id)
    context = context_of(source, destination, store, plan, migration_id, pair, progress, hosts)
    runner = _Runner(context, plan, stop, leave or threading.Event())
    try:
        runner.run(concurrency)
    finally:
        runner.close()


class _Runner:
    """Hands out units whose needs are met."""

    def __init__(self, context: Context, plan: Plan, stop: threading.Event, leave: threading.Event) -> None:
        self.context = context
        self.plan = plan
        self.stop, self.leave = stop, leave
        self.owner = process.owner()
        self.mine: dict[str, Context] = {}
        self.keeper = Keeper(context, self.owner, self.mine)
        self.states = {unit.name: PENDING for unit in plan.units}
        self.titles = {unit.name: unit.title for unit in plan.units}
        #: Those that have not ended, as far as is known; some that have, too.
        self.left = collections.deque(plan.units)
        #: Units that ran elsewhere at the last look: each is tried once then.
        self.elsewhere: set[str] = set()
        self._looked = 0.0
        self._look()

    def run(self, concurrency: int) -> None:
        """Until nothing is left that could start here, and nothing runs elsewhere."""
        with concurrent.futures.ThreadPoolExecutor(concurrency, "unit") as pool, self.keeper:
            running: set[concurrent.futures.Future[None]] = set()
            while True:
                if not self._ending():
                    running |= set(self._start(pool, concurrency - len(running)))
                if not running:
                    if self._ending() or not self._open():
                        break
                    time.sleep(WAIT)
                done, running = concurrent.futures.wait(
                    running, timeout=WAIT, return_when=concurrent.futures.FIRST_COMPLETED
                )
                for future in done:
                    future.result()
                if time.monotonic() - self._looked > LOOK:
                    self._look()

    def _start(
        self, pool: concurrent.futures.ThreadPoolExecutor, room: int
    ) -> Iterator[concurrent.futures.Future[None]]:
        """Start up to ``room`` units."""
        for unit in self._ready() if room > 0 else ():
            if claim := self._claim(unit):
                room -= 1
                yield pool.submit(self._run_unit, unit, claim)
            if room <= 0:
                return

    def close(self) -> None:
        """Remove what belongs to the migration as a whole, and tell its state, unless another process goes on."""
        context = self.context
        if claims.others(context.store, context.migration_id, self.owner) or (self.leave.is_set() and self._open()):
            return
        for unit in self.plan.units:
            if self.states[unit.name] == PENDING:
                self._give_up(unit, STOPPED, "stopped before it began")
        for text in tidy(context):
            context.store.add_event(context.migration_id, "left over", text)
        claims.release_ended(context.store, context.migration_id)
        logbook.sweep(context.store, context.migration_id)
        self._compare_again()
        context.store.set_migration_state(context.migration_id, self._outcome())

    def _compare_again(self) -> None:
        """What was moved, but could not be compared then, because a service did not answer."""
        context = self.context
        doubtful = context.store.units_with(context.migration_id, NOT_VERIFIED)
        for unit in self.plan.units:
            if unit.name in doubtful and self.states[unit.name] == DONE:
                evidence = notes.copies(context.store, context.migration_id, unit.name)
                verify_unit(dataclasses.replace(context, unit=unit.name, evidence=evidence), unit)

    def _outcome(self) -> str:
        """The migration's state after the run."""
        states, context = set(self.states.values()), self.context
        if context.abandon.is_set():
            return CANCELLED
        wrong = context.store.count_results(context.migration_id, ("differs", NOT_VERIFIED))
        if states & {FAILED, BLOCKED, RUNNING} or wrong:
            return "failed"
        return "stopped" if states & {STOPPED, PENDING} else "done"

    def _ending(self) -> bool:
        return self.stop.is_set() or self.leave.is_set() or self.context.abandon.is_set()

    def _open(self) -> bool:
        """Whether any unit is still to come, here or elsewhere."""
        return bool({PENDING, RUNNING} & set(self.states.values()))

    def _look(self) -> None:
        """What the database says of the units that are not ours, and of the migration."""
        self._looked = time.monotonic()
        # Before the rows: one that ends meanwhile is still shown as running by them.
        mine = set(self.mine)
        for row in self.context.store.states(self.context.migration_id):
            if row.name in mine:
                continue
            if row.state == RUNNING:
                self.elsewhere.add(row.name)
            if self.states.get(row.name) != row.state and row.name in self.states:
                self.states[row.name] = row.state
                self.context.progress.seen(row.name, row.state, row.error, row.bytes_done)
        # Another process may try some again.
        self.left = collections.deque(self.plan.units)
        if self.context.store.wished(self.context.migration_id) == CANCEL:
            self.context.abandon.set()

    def _ready(self) -> Iterator[Unit]:
        """Units that can start now, or go on. Those that never can are given up on the way."""
        while self.left and self.states[self.left[0].name] not in (PENDING, RUNNING):
            self.left.popleft()
        for unit in self.left:
            state = self.states[unit.name]
            if unit.name in self.mine or state not in (PENDING, RUNNING):
                continue
            lost = [name for name in unit.needs if self.states[name] in (FAILED, BLOCKED)]
            if state == RUNNING:
                # Another process has it, or had it when it died: the claim will tell.
                if unit.name in self.elsewhere:
                    self.elsewhere.discard(unit.name)
                    yield unit
            elif unit.action == "conflict":
                reasons = [f"{i.type} {i.name}: {i.reason}" for i in unit.items if i.action == "conflict"]
                self._give_up(unit, BLOCKED, "; ".join(reasons))
            elif lost:
                self._give_up(unit, BLOCKED, "needs " + ", ".join(self.titles[name] for name in lost))
            elif all(self.states[name] == DONE for name in unit.needs):
                yield unit

    def _claim(self, unit: Unit) -> Claim | None:
        claim = claims.take(self.context.store, self.context.migration_id, unit.name, self.owner)
        if claim is None:
            return None
        context = dataclasses.replace(
            self.context,
            unit=unit.name,
            store=ClaimedStore(self.context.store, claim),
            abandon=Abandon(self.context.abandon),
            evidence=notes.copies(self.context.store, self.context.migration_id, unit.name),
            before={},
        )
        self.mine[unit.name] = context
        try:
            self._enter(context, RUNNING)
        except LostClaimError as error:
            # This process was paused in between.
            LOG.debug("%s", error)
            del self.mine[unit.name]
            return None
        return claim

    def _run_unit(self, unit: Unit, claim: Claim) -> None:
        context = self.mine[unit.name]
        try:
            self._carry(context, unit)
        except LostClaimError as error:
            LOG.debug("%s", error)
        else:
            claims.release(self.context.store, claim)
        finally:
            del self.mine[unit.name]

    def _carry(self, context: Context, unit: Unit) -> None:
        try:
            if unit.action in RUN:
                execute(context, unit, self._book(unit))
        except (LostClaimError, BrokenOffError):
            raise
        except Exception as error:
            LOG.debug("unit %s failed", unit.name, exc_info=True)
            # Of a unit that was taken away nothing more is said or done.
            context.check()
            self._tidy(context)
            cancelled = self.context.abandon.is_set()
            self._end(context, unit, STOPPED if cancelled else FAILED, "cancelled" if cancelled else reason(error))
            return
        self._tidy(context)
        if unit.action in RUN:
            context.step("comparing both sides" if unit.action == "create" else "looking where it is")
        verify_unit(context, unit)
        self._end(context, unit, DONE)

    def _tidy(self, context: Context) -> None:
        for text in tidy(context):
            context.store.add_event(context.migration_id, "left over", text, unit=context.unit)

    def _end(self, context: Context, unit: Unit, state: str, why: str = "") -> None:
        if state != DONE:
            note_failure(context, unit, why)
        self._enter(context, state, why)
        logbook.end(context.store, context.migration_id, unit.name)

    def _book(self, unit: Unit) -> str | None:
        rows = self.context.store.units(self.context.migration_id, unit.name)
        return rows[0].logbook if rows else None

    def _give_up(self, unit: Unit, state: str, why: str) -> None:
        """Of a unit that has not begun."""
        claim = claims.take(self.context.store, self.context.migration_id, unit.name, self.owner)
        if claim is None:
            return
        context = dataclasses.replace(
            self.context, unit=unit.name, store=ClaimedStore(self.context.store, claim), evidence={}, before={}
        )
        with contextlib.suppress(LostClaimError):
            self._enter(context, state, why)
            note_failure(context, unit, why)
            claims.release(self.context.store, claim)

    def _enter(self, context: Context, state: str, error: str = "") -> None:
        context.progress.state(context.unit, state, error)
        shown = context.progress.units[context.unit]
        context.store.update_unit(
            context.migration_id,
            context.unit,
            state=state,
            error=error,
            step="" if state == DONE else shown.step,
            started=shown.started,
            finished=shown.finished,
            bytes_done=shown.bytes_done,
            bytes_total=shown.bytes_total,
        )
        self.states[context.unit] = state
        context.store.add_event(context.migration_id, state, error or shown.title, unit=context.unit)
