"""Takes jobs and does them, a few at once; ends cleanly; goes on with migrations whose processes have died."""

from __future__ import annotations

import concurrent.futures
import logging
import threading
import time
from typing import Any

from pumphouse.clouds.errors import RemedyError, explain
from pumphouse.config import Config
from pumphouse.engine import wording
from pumphouse.engine.work import LeftError, Work
from pumphouse.errors import PumphouseError, Refusal, UsageError
from pumphouse.hosts.power.base import PowerError
from pumphouse.migrations import process
from pumphouse.store import Store, claims, jobs, plans
from pumphouse.store.jobs import Job
from pumphouse.store.store import RUNNING

LOG = logging.getLogger(__name__)
#: Seconds between two looks for jobs, and for migrations without a process.
LOOK, LOOK_FOR_ORPHANS = 0.3, 15.0
#: Seconds that a migration of another host's process may have no claim before it is taken for dead.
SILENT = 2 * claims.LEASE
#: What is done at once: kinds of jobs, and how many of them (0: as configured).
LANES = (
    (("plan",), 2),
    (("migrate", "resume", "rollback", "accept", "verify", "leftovers"), 0),
    # A BMC that is silent holds up no migration.
    (("power",), 4),
    # They wait for others of the first lanes.
    (("cancel",), 4),
)


class Engine:
    """One process's."""

    def __init__(self, config: Config, store: Store) -> None:
        """Nothing is begun yet."""
        self.config, self.store = config, store
        self.owner = process.owner()
        #: Set when it is to end: what runs goes on to the end of its units, nothing more is begun.
        self.leave = threading.Event()
        self._lanes = [
            (kinds, concurrent.futures.ThreadPoolExecutor(size or config.api.migrations_at_once, "job"), size)
            for kinds, size in LANES
        ]
        self._running: dict[concurrent.futures.Future[None], tuple[str, ...]] = {}
        self._silent: dict[int, float] = {}

    def run(self) -> bool:
        """Until ``leave`` is set, and what runs has ended. False when that took longer than is configured."""
        keeper = threading.Thread(target=self._keep, name="leases", daemon=True)
        keeper.start()
        looked = 0.0
        while not self.leave.is_set():
            try:
                if time.monotonic() - looked > LOOK_FOR_ORPHANS:
                    looked = time.monotonic()
                    self.adopt()
                self._start()
            except PumphouseError as error:
                LOG.error("%s", error)
            self.leave.wait(LOOK)
        left = concurrent.futures.wait(self._running, timeout=self.config.api.shutdown_seconds).not_done
        return not left

    def adopt(self) -> None:
        """Have migrations resumed that no process runs any more: its process was killed, or its host died."""
        for row in self.store.history():
            if row.state != RUNNING:
                self._silent.pop(row.id, None)
            elif self._is_orphan(row.id):
                LOG.warning("migration %s has no process any more: it is resumed", row.id)
                jobs.add(self.store, "resume", "pumphouse", migration_id=row.id)

    def _is_orphan(self, migration_id: int) -> bool:
        if jobs.newest(self.store, migration_id=migration_id, states=(jobs.QUEUED, jobs.RUNNING), limit=1):
            return False
        claims.release_dead(self.store, migration_id, process.is_dead)
        if claims.others(self.store, migration_id):
            self._silent.pop(migration_id, None)
            return False
        runs = process.runs(self.store.options(migration_id).get("process"))
        since = self._silent.setdefault(migration_id, time.monotonic())
        return runs is False or (runs is None and time.monotonic() - since > SILENT)

    def _start(self) -> None:
        """Take as many jobs as there is room for."""
        for future in [one for one in self._running if one.done()]:
            del self._running[future]
        for kinds, pool, size in self._lanes:
            room = (size or self.config.api.migrations_at_once) - list(self._running.values()).count(kinds)
            while room > 0 and (job := jobs.take(self.store, self.owner, process.is_dead, kinds)):
                room -= 1
                self._running[pool.submit(self._do, job)] = kinds

    def _do(self, job: Job) -> None:
        try:
            result = Work(self.config, self.store, job, self.leave)()
        except LeftError:
            jobs.let_go(self.store, job)
        except Exception as error:
            LOG.debug("job %s (%s) failed", job.id, job.kind, exc_info=True)
            self._failed(job, told(error))
        else:
            jobs.end(self.store, job, result=result)

    def _failed(self, job: Job, error: dict[str, Any]) -> None:
        LOG.warning("job %s (%s) failed: %s", job.id, job.kind, error["detail"])
        if job.plan_id is not None and job.kind == "plan":
            plans.failed(self.store, job.plan_id, error)
        if job.migration_id is not None:
            self.store.add_event(job.migration_id, "failed", f"{job.kind}: {error['detail']}")
        jobs.end(self.store, job, error=error)

    def _keep(self) -> None:
        """Renew the leases of what runs here, to the end of the process."""
        while True:
            try:
                jobs.renew(self.store, self.owner)
            except PumphouseError as error:
                LOG.debug("leases of jobs could not be renewed: %s", error)
            time.sleep(jobs.LEASE / 4)


def told(error: BaseException) -> dict[str, Any]:
    """What is kept of a failure: a code, a sentence, and the remedy where it is known."""
    if isinstance(error, RemedyError):
        return {"code": "cloud-failure", "detail": error.what, "remedy": error.remedy}
    if isinstance(error, Refusal):
        found = {"code": "invalid", "detail": error.detail, "remedy": wording.remedy(error)}
        return {**found, "field": error.choice} if error.choice else found
    code = "invalid" if isinstance(error, UsageError) else "cloud-failure"
    if isinstance(error, PowerError):
        code = "host-failure"
    if not isinstance(error, PumphouseError) and type(error).__module__.split(".")[0] in ("builtins", "pumphouse"):
        code = "internal"
    return {"code": code, "detail": explain(error), "remedy": ""}
