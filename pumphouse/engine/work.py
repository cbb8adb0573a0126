"""What the jobs do: each kind with the same code as the command of its name."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.config import Config
from pumphouse.engine.requests import refuse_findings
from pumphouse.errors import Refusal
from pumphouse.hosts import inventory, switching
from pumphouse.hosts.inventory import Host
from pumphouse.migrations import accepting, again, leftovers, process, runner, undoing
from pumphouse.migrations.beginning import projects_of, units_of
from pumphouse.planning import wanted
from pumphouse.planning.plan import Plan
from pumphouse.planning.planner import pair_of
from pumphouse.store import Migration, Store, claims, jobs, plans
from pumphouse.store.jobs import Job
from pumphouse.store.store import CANCEL, CANCELLED, FAILED, PLANNING, RUNNING, UNFINISHED
from pumphouse.transfer.progress import Progress

#: Seconds between two lines that a job says; those in between are not kept.
SAY_EVERY = 0.5
#: Seconds between two looks whether a cancelled migration has ended.
LOOK = 0.2
#: Resources that are looked at at once.
WORKERS = 4


class LeftError(Exception):
    """The engine ends: the job is for the next one."""


@dataclasses.dataclass
class Work:
    """One job, and what it is done with."""

    config: Config
    store: Store
    job: Job
    #: The engine ends: nothing more is begun.
    leave: threading.Event
    _said: float = 0.0

    def __call__(self) -> dict[str, Any] | None:
        """Do it; returns its result. Raises LeftError when the engine's end came first."""
        with self._clouds() as (source, destination):
            return KINDS[self.job.kind](self, source, destination)

    # -- plans and migrations -------------------------------------------------------------------------------
    def plan(self, source: Cloud, destination: Cloud) -> None:
        """Make a plan that was asked for."""
        row = plans.get(self.store, self._of(self.job.plan_id))
        assert row is not None  # noqa: S101 (the job refers to it)
        self._refuse_pair(row.pair, source, destination)
        say = functools.partial(plans.say, self.store, row.id)
        plan = self._make(source, destination, row.selection, say)
        plans.ready(self.store, row.id, plan.to_json())

    def migrate(self, source: Cloud, destination: Cloud) -> None:
        """Run a migration: plan it first, where that was not done."""
        migration = self._migration(source, destination)
        if not migration.plan and not self._unwanted(migration):
            self.store.set_migration_state(migration.id, PLANNING)
            try:
                plan = self._make(source, destination, migration.selection, self.say)
                refuse_findings(plan, bool(migration.options.get("ignore_findings")))
            except Exception:
                self.store.set_migration_state(migration.id, FAILED)
                raise
            self.store.set_plan(migration.id, plan.to_json(), units_of(plan))
            options = {**migration.options, "projects": projects_of(plan)}
            self.store.set_options(migration.id, options)
        self.resume(source, destination)

    def resume(self, source: Cloud, destination: Cloud) -> None:
        """Go on with it, or begin."""
        migration = self._migration(source, destination)
        if self._unwanted(migration):
            self.store.set_migration_state(migration.id, CANCELLED)
            return
        concurrency = self.job.arguments.get("concurrency") or migration.options.get("concurrency")
        concurrency = concurrency or wanted.at_once(migration.selection)
        runner.resume(
            source, destination, self.store, migration.id,
            concurrency=concurrency, progress=Progress(), stop=threading.Event(), leave=self.leave,
            hosts=self._host,
        )  # fmt: skip
        after = self.store.migration(migration.id)
        if self.leave.is_set() and after is not None and after.state == RUNNING:
            raise LeftError

    def cancel(self, source: Cloud, destination: Cloud) -> dict[str, Any]:
        """Wait for the processes that run it to end, or do what they cannot do any more."""
        migration = self._migration(source, destination)
        while True:
            claims.release_dead(self.store, migration.id, process.is_dead)
            migration = self._migration(source, destination)
            running = jobs.newest(self.store, migration_id=migration.id, states=(jobs.RUNNING,))
            ours = [job for job in running if job.kind in ("migrate", "resume")]
            if migration.state not in UNFINISHED:
                return {"stays": []}
            if not ours and not claims.others(self.store, migration.id):
                break
            if self.leave.wait(LOOK):
                raise LeftError
        if migration.plan:
            left = undoing.undo_interrupted(source, destination, self.store, migration, self.say, self._host)
            return {"stays": left}
        self.store.set_migration_state(migration.id, CANCELLED)
        return {"stays": []}

    # -- afterwards -----------------------------------------------------------------------------------------
    def rollback(self, source: Cloud, destination: Cloud) -> dict[str, Any]:
        """Undo it, or some of its servers."""
        migration = self._migration(source, destination)
        undoing.refuse_running(self.store, migration)
        servers = self.job.arguments.get("servers")
        units = undoing.server_units(Plan.from_json(migration.plan), servers) if servers else None
        return {"stays": undoing.roll_back(source, destination, self.store, migration, units, self.say, self._host)}

    def accept(self, source: Cloud, destination: Cloud) -> dict[str, Any]:
        """Accept it, or some of its servers, and delete the source's on demand."""
        migration, given = self._migration(source, destination), self.job.arguments
        undoing.refuse_running(self.store, migration)
        plan = Plan.from_json(migration.plan)
        servers = undoing.server_units(plan, given["servers"]) if given.get("servers") else None
        units = accepting.in_scope(plan, servers)
        found = accepting.differences(self.store, migration, units)
        accepting.refuse_differences(migration.id, found, given.get("despite", ()))
        accepting.accept(self.store, migration, units)
        stays: list[str] = []
        if given.get("delete_source"):
            stays = accepting.delete_source(source, destination, self.store, migration, units, self.say)
        return {"stays": stays}

    def verify(self, source: Cloud, destination: Cloud) -> dict[str, Any]:
        """Compare everything again, the bytes too on demand."""
        migration = self._migration(source, destination)
        again.verify(source, destination, self.store, migration, self.say, workers=WORKERS)
        compared: list[again.Compared] = []
        if self.job.arguments.get("bytes"):
            compared = again.verify_bytes(source, destination, self.store, migration, self.say)
        return {"bytes": [dataclasses.asdict(one) for one in compared]}

    def leftovers(self, source: Cloud, destination: Cloud) -> dict[str, Any]:
        """Remove what interrupted migrations left in the clouds."""
        stays: list[str] = []
        found = leftovers.find(source, destination, self.store, pair_of(source, destination), stays.append)
        clouds = {"source": source, "destination": destination}
        for one in found:
            what = f"{one.cloud} {one.type} {one.name} ({one.id})"
            if one.keep and not (self.job.arguments.get("force") and "may still" in one.keep):
                stays.append(f"{what}: {one.keep}")
                continue
            self.say(f"removing {what}")
            if why := leftovers.remove(one, clouds[one.cloud], self.store):
                stays.append(f"{what}: {why}")
        return {"stays": stays}

    # -- machines -------------------------------------------------------------------------------------------
    def power(self, source: Cloud, destination: Cloud) -> dict[str, Any]:
        """Switch a machine; off only where the guard has nothing against it."""
        given = self.job.arguments
        host = self._host(given["host"])
        if given["action"] == "on":
            self.say(f"switching {host.name} on")
            return {"power": switching.switch_on(host, network=given["network"])}
        return {"power": switching.switch_off(host, source, destination, soft=given["soft"], say=self.say)}

    # -- what they share ------------------------------------------------------------------------------------
    def say(self, line: str) -> None:
        """What it does just now."""
        now = time.monotonic()
        if now - self._said >= SAY_EVERY:
            self._said = now
            jobs.say(self.store, self.job, line)

    def _make(self, source: Cloud, destination: Cloud, selection: dict[str, Any], say: Callable[[str], None]) -> Plan:
        def told(line: str) -> None:
            if self.leave.is_set():
                raise LeftError
            now = time.monotonic()
            if now - self._said >= SAY_EVERY:
                self._said = now
                say(line)

        mappings, carry = self.config.mappings, self.config.carry_expiry
        return wanted.plan_of(
            source, destination, self.store, selection, told,
            hosts=self._host, mappings=mappings, carry_expiry=carry,
        )  # fmt: skip

    def _host(self, name: str) -> Host:
        """A host of the inventory, read anew: it may have been corrected since. Raises UsageError, ConfigError."""
        return inventory.load(beside=self.config.path).host(name)

    def _unwanted(self, migration: Migration) -> bool:
        """Whether somebody has cancelled it before anything was begun."""
        return self.store.wished(migration.id) == CANCEL and migration.state != RUNNING

    def _migration(self, source: Cloud, destination: Cloud) -> Migration:
        migration = self.store.migration(self._of(self.job.migration_id))
        assert migration is not None  # noqa: S101 (the job refers to it)
        self._refuse_pair(migration.pair, source, destination)
        return migration

    def _of(self, id_: int | None) -> int:
        assert id_ is not None  # noqa: S101 (each kind of job has its own)
        return id_

    def _refuse_pair(self, pair: str, source: Cloud, destination: Cloud) -> None:
        if pair != pair_of(source, destination):
            named = pair_of(source, destination)
            raise Refusal(f"it was between {pair}, but the configuration names {named}", remedy="pair")

    @contextlib.contextmanager
    def _clouds(self) -> Iterator[tuple[Cloud, Cloud]]:
        """Of its own: closed when it has ended."""
        with contextlib.ExitStack() as stack:
            opened = []
            for role in ("source", "destination"):
                cloud = Cloud.open(role, self.config.clouds[role], 8)
                stack.callback(cloud.close)
                opened.append(cloud)
            yield opened[0], opened[1]


#: What does each kind of job.
KINDS: dict[str, Callable[[Work, Cloud, Cloud], dict[str, Any] | None]] = {
    "plan": Work.plan,
    "migrate": Work.migrate,
    "resume": Work.resume,
    "cancel": Work.cancel,
    "rollback": Work.rollback,
    "accept": Work.accept,
    "verify": Work.verify,
    "leftovers": Work.leftovers,
    "power": Work.power,
}
