"""Roll a migration back: remove what it made in the destination, and let the source's servers run again as they ran.

Units are undone in the opposite of their order, each by the ``undo`` of its flow's tasks, which go by what the mapping
and the notes say: so it does not matter whether a unit was finished, interrupted or undone in part before.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
from collections.abc import Callable, Collection

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import explain
from pumphouse.errors import Refusal
from pumphouse.flows import STAYING, flow_of, tasks_of
from pumphouse.migrations import process, reassigned
from pumphouse.migrations.keeping import Keeper
from pumphouse.migrations.runner import RUN, context_of
from pumphouse.migrations.verify import note_failure
from pumphouse.planning.plan import Plan, Unit
from pumphouse.resources.registry import TYPES
from pumphouse.store import Migration, Store, claims, logbook
from pumphouse.store.claims import ClaimedStore, LostClaimError
from pumphouse.store.store import CANCELLED, REVERTED, REVERTING
from pumphouse.tasks.base import patiently, tidy
from pumphouse.tasks.context import Context, Hosts, no_inventory
from pumphouse.transfer.progress import BLOCKED, DONE, FAILED, PENDING, RUNNING, STOPPED, Progress, UnitProgress

#: States of units that may have made something.
UNDOABLE = (DONE, FAILED, RUNNING, PENDING, STOPPED, BLOCKED, REVERTING)
Say = Callable[[str], None]
Key = tuple[str, str]


def refuse_running(store: Store, migration: Migration) -> None:
    """Raises Refusal while a process runs the migration."""
    claims.release_dead(store, migration.id, process.is_dead)
    if owners := claims.others(store, migration.id):
        host, pid, *_ = owners[0].split("/")
        raise Refusal(
            f"migration {migration.id} is running (process {pid} on {host})", remedy="stop", migration=migration.id
        )


def server_units(plan: Plan, names: Collection[str]) -> list[Unit]:
    """The units of servers, by their ids or names. Raises Refusal for one that is not in the plan."""
    found = []
    for name in names:
        units = [u for u in plan.units if any(i.type == "server" and name in (i.id, i.name) for i in u.items)]
        if len(units) != 1:
            have = ", ".join(sorted(i.name for i in plan.items if i.type == "server")) or "none"
            problem = "several servers are called" if units else "no server of this migration is called"
            raise Refusal(f"{problem} {name!r}", f"there are: {have}", choice="servers")
        found += units
    return found


def roll_back(
    source: Cloud,
    destination: Cloud,
    store: Store,
    migration: Migration,
    units: Collection[Unit] | None,
    say: Say,
    hosts: Hosts = no_inventory,
) -> list[str]:
    """Undo these units (None: all); those that were accepted are left. Returns a sentence for whatever stays.

    It can be repeated: what is undone stays so, and what could not be removed is tried again. ``hosts``: where machines
    are found. Raises Refusal for a host that has arrived in the destination.
    """
    plan = Plan.from_json(migration.plan)
    reassigned.refuse_arrived(store, migration, plan)
    chosen = {unit.name for unit in (plan.units if units is None else units)}
    undo = _Undo(source, destination, store, migration, plan, say, hosts)
    stranded = reassigned.no_way_back(undo.whole, plan)
    if stranded:
        # What is undone now is for a resume to begin again.
        chosen -= {unit.name for unit in plan.units if unit.kind in reassigned.BEFORE}
        undo.left.append(stranded)
    if units is None:
        store.set_migration_state(migration.id, REVERTING)
    with undo.keeper:
        for unit in reversed(plan.units):
            if unit.name in chosen:
                undo.unit(unit, STOPPED if stranded else REVERTED)
    undo.left += tidy(undo.whole)
    logbook.sweep(store, migration.id)
    if units is None:
        store.set_migration_state(migration.id, REVERTED if not undo.left else FAILED)
    return undo.left


def undo_interrupted(
    source: Cloud, destination: Cloud, store: Store, migration: Migration, say: Say, hosts: Hosts = no_inventory
) -> list[str]:
    """Undo the units that were half made when their process died; finished ones stay. As above."""
    plan = Plan.from_json(migration.plan)
    undo = _Undo(source, destination, store, migration, plan, say, hosts)
    states = {row.name: row.state for row in store.units(migration.id)}
    with undo.keeper:
        for unit in reversed(plan.units):
            if states.get(unit.name) == RUNNING:
                undo.unit(unit, STOPPED, "cancelled")
    undo.left += tidy(undo.whole)
    logbook.sweep(store, migration.id)
    store.set_migration_state(migration.id, CANCELLED)
    return undo.left


class _Undo:
    """What the undoing of one migration works with."""

    def __init__(
        self, source: Cloud, destination: Cloud, store: Store, migration: Migration, plan: Plan, say: Say, hosts: Hosts
    ) -> None:
        shown = Progress([UnitProgress(unit.name, unit.title, 0) for unit in plan.units])
        self.whole = context_of(source, destination, store, plan, migration.id, migration.pair, shown, hosts)
        self.store, self.say = store, say
        self.owner = process.owner()
        self.mine: dict[str, Context] = {}
        self.keeper = Keeper(self.whole, self.owner, self.mine)
        self.rows = {row.name: row for row in store.units(migration.id)}
        self.used = _used_by_others(store, migration)
        accepted = {name for name, row in self.rows.items() if row.accepted}
        #: Units that accepted ones are built upon.
        self.below = _needed(plan, accepted) - accepted
        #: What stays, and why.
        self.left: list[str] = []

    def unit(self, unit: Unit, state: str = REVERTED, why: str = "rolled back") -> None:
        """Undo one, unless it was accepted, or has nothing."""
        row = self.rows[unit.name]
        if row.accepted:
            self.left.append(f"{unit.title} stays: it was accepted")
            return
        if unit.action not in RUN or row.state == REVERTED:
            return
        if unit.kind in STAYING and row.state == DONE:
            self.say(f"{unit.title} stays where it is now")
            return
        if unit.name in self.below:
            self.left.append(f"{unit.title} stays: what was accepted needs it")
            return
        claim = claims.take(self.store, self.whole.migration_id, unit.name, self.owner, UNDOABLE)
        if claim is None:
            self.left.append(f"{unit.title} stays: another process has it")
            return
        self.say(f"undoing {unit.title}")
        context = dataclasses.replace(
            self.whole, unit=unit.name, store=ClaimedStore(self.store, claim), evidence={}, before={}
        )
        self.mine[unit.name] = context
        try:
            self._undo(context, unit, state, why)
        except LostClaimError as error:
            self.left.append(str(error))
        else:
            claims.release(self.store, claim)
        finally:
            del self.mine[unit.name]

    def _undo(self, context: Context, unit: Unit, state: str, why: str) -> None:
        problems = []
        for task in reversed(list(tasks_of(flow_of(unit)))):
            keep = self._keep(context, task.makes)
            if keep:
                problems.append(f"{unit.title}: {keep}")
                continue
            try:
                patiently(context, task.name, functools.partial(task.undo, context))
            except LostClaimError:
                raise
            except Exception as error:
                problems.append(f"{unit.title}: {task.name} could not be undone: {explain(error)}")
        problems += tidy(context)
        for text in problems:
            context.store.add_event(context.migration_id, "undo failed", text, unit=unit.name)
        self.left += problems
        if not problems:
            note_failure(context, unit, why, "not carried")
        context.store.update_unit(
            context.migration_id, unit.name, state=state if not problems else FAILED,
            error=why if not problems else "; ".join(problems), downtime=None,
        )  # fmt: skip
        context.store.add_event(context.migration_id, state, why, unit=unit.name)
        logbook.end(context.store, context.migration_id, unit.name)

    def _keep(self, context: Context, made: Key | None) -> str | None:
        """Why what a task has made is not removed, or None."""
        if made is None or not (there := context.mine(*made)):
            return None
        type_ = TYPES[made[0]]
        if users := self.used.get(made):
            which = ", ".join(str(number) for number in sorted(users))
            return f"{made[0]} {there} stays: it is used by migration {which}"
        if why := type_.occupied(context.destination, there):
            return f"{made[0]} {there} stays: it {why}"
        return None


def _needed(plan: Plan, names: Collection[str]) -> set[str]:
    """These units, and all that they need."""
    needs = {unit.name: unit.needs for unit in plan.units}
    found: set[str] = set()
    wave = set(names)
    while wave:
        found |= wave
        wave = {need for name in wave for need in needs[name]} - found
    return found


def _used_by_others(store: Store, migration: Migration) -> dict[Key, set[int]]:
    """What other migrations between these clouds have found there and built upon: key -> their numbers."""
    used: dict[Key, set[int]] = collections.defaultdict(set)
    for other in store.migrations():
        if other.id == migration.id or other.pair != migration.pair or other.state == REVERTED:
            continue
        gone = {row.name for row in store.units(other.id) if row.state == REVERTED}
        plan = Plan.from_json(other.plan)
        made = {item.key for unit in plan.units if unit.name not in gone for item in unit.items
                if item.action == "create"}  # fmt: skip
        needed = {need for item in plan.items if item.key in made for need in item.needs}
        for item in plan.items:
            if item.action == "reuse" and item.key in needed:
                used[item.key].add(other.id)
    return used
