"""What can be asked of an engine: checked at once, written down as a job, done as soon as an engine is free.

All raise Refusal, with the state that is in the way, for what cannot be done now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pumphouse.errors import Refusal
from pumphouse.migrations import accepting, process, undoing
from pumphouse.migrations.beginning import projects_of, units_of
from pumphouse.planning.plan import Plan
from pumphouse.planning.wanted import REASSIGN, Wanted
from pumphouse.store import Migration, Store, claims, jobs, models, plans
from pumphouse.store.jobs import Job
from pumphouse.store.plans import PlanRow
from pumphouse.store.store import (
    CANCEL,
    CANCELLED,
    DONE,
    FAILED,
    PLANNING,
    QUEUED,
    REVERTING,
    RUNNING,
    STOPPED,
    NewUnit,
)

#: In which states of a migration something can be asked for.
STATES = {
    "cancel": (QUEUED, PLANNING, RUNNING),
    "resume": (RUNNING, FAILED, STOPPED, CANCELLED),
    "rollback": (RUNNING, DONE, FAILED, STOPPED, CANCELLED, REVERTING),
    "accept": (DONE, FAILED, STOPPED, CANCELLED),
    "verify": (DONE, FAILED, STOPPED, CANCELLED),
}


def ask_plan(store: Store, pair: str, selection: Wanted, by: str) -> PlanRow:
    """A plan, to be made."""
    return plans.add(store, pair, selection.to_json(), by)


def begin(
    store: Store, pair: str, *, plan: PlanRow | None, selection: Wanted | None, options: dict[str, Any], by: str
) -> int:
    """A migration of what was planned, or of a selection that is planned first; returns its id.

    ``options``: concurrency, ignore_findings, source and destination (what people call the two clouds).
    """
    options = {**options, "operator": by}
    if plan is None:
        assert selection is not None  # noqa: S101 (one of both)
        return store.write(
            lambda session: _begin(store, session, by, pair, selection.to_json(), {}, options, (), PLANNING)
        )
    if plan.state != plans.READY or plan.plan is None:
        raise Refusal(f"plan {plan.id} is {plan.state}, and a migration needs one that is ready", remedy="ready",
                      plan=plan.id)  # fmt: skip
    made = Plan.from_json(plan.plan)
    refuse_findings(made, bool(options.get("ignore_findings")))
    options["projects"] = projects_of(made)
    use = sa.update(models.PlanRow).where(models.PlanRow.id == plan.id, models.PlanRow.migration_id.is_(None))

    def work(session: Session) -> int:
        number = _begin(store, session, by, pair, made.selection, plan.plan or {}, options, units_of(made), QUEUED)
        if session.execute(use.values(migration_id=number)).rowcount != 1:  # type: ignore[attr-defined]
            raise Refusal(f"plan {plan.id} was used already", remedy="plan")
        return number

    return store.write(work)


def _begin(
    store: Store,
    session: Session,
    by: str,
    pair: str,
    selection: dict[str, Any],
    plan: dict[str, Any],
    options: dict[str, Any],
    units: Iterable[NewUnit],
    state: str,
) -> int:
    """The migration, and the job that runs it: neither without the other."""
    number = store.start_in(session, pair, selection, plan, options, units, state)
    jobs.add_in(session, "migrate", by, migration_id=number)
    return number


def refuse_findings(plan: Plan, ignore: bool) -> None:
    """Raises Refusal for what blocks, unless it is to be ignored. Of a host that is handed over nothing is: it would be
    cut off while it is in use, or stay half-way.
    """
    final = REASSIGN in plan.selection
    blocking = [finding for finding in plan.findings if finding.level == "blocks"]
    if blocking and (final or not ignore):
        told = "; ".join(f"{one.type} {one.name or one.id}: {one.reason}".strip(": ") for one in blocking[:3])
        more = f" and {len(blocking) - 3} more" if len(blocking) > 3 else ""
        why = f"the plan has {len(blocking)} findings that block ({told}{more})"
        raise Refusal(why, "mend them and plan again") if final else Refusal(why, remedy="findings")


def cancel(store: Store, migration: Migration, by: str) -> Job:
    """Stop at the next safe point, and undo what is half made."""
    _refuse_state(migration, "cancel")
    return _ask(store, migration, "cancel", by, wish=CANCEL)


def resume(store: Store, migration: Migration, by: str, concurrency: int | None = None) -> Job:
    """Go on with what was interrupted, stopped or failed."""
    _refuse_state(migration, "resume")
    _refuse_busy(store, migration)
    arguments = {} if concurrency is None else {"concurrency": concurrency}
    return _ask(store, migration, "resume" if migration.plan else "migrate", by, wish="", **arguments)


def roll_back(store: Store, migration: Migration, by: str, servers: Collection[str] = ()) -> Job:
    """Remove what it made, and let the source's servers run again."""
    _refuse_state(migration, "rollback")
    _refuse_busy(store, migration)
    if servers:
        undoing.server_units(Plan.from_json(migration.plan), servers)
    return _ask(store, migration, "rollback", by, servers=list(servers))


def accept(
    store: Store,
    migration: Migration,
    by: str,
    *,
    servers: Collection[str] = (),
    delete_source: bool = False,
    despite: Collection[str] = (),
) -> Job:
    """Never roll it back any more."""
    _refuse_state(migration, "accept")
    _refuse_busy(store, migration)
    plan = Plan.from_json(migration.plan)
    units = accepting.in_scope(plan, undoing.server_units(plan, servers) if servers else None)
    accepting.refuse_differences(migration.id, accepting.differences(store, migration, units), despite)
    return _ask(
        store, migration, "accept", by, servers=list(servers), delete_source=delete_source, despite=list(despite)
    )


def verify(store: Store, migration: Migration, by: str, bytes: bool = False) -> Job:
    """Compare everything again."""
    _refuse_state(migration, "verify")
    _refuse_busy(store, migration)
    return _ask(store, migration, "verify", by, bytes=bytes)


def remove_leftovers(store: Store, by: str, force: bool = False) -> Job:
    """Remove temporary things of ours that interrupted migrations left."""
    return jobs.add(store, "leftovers", by, arguments={"force": force})


def switch(store: Store, by: str, host: str, action: str, *, soft: bool = False, network: bool = False) -> Job:
    """Switch a machine on or off, by its name in the inventory. Whether it may be is asked when that is done."""
    return jobs.add(store, "power", by, arguments={"host": host, "action": action, "soft": soft, "network": network})


def possible(store: Store, migration: Migration) -> dict[str, bool]:
    """What can be asked for now; ``migration``'s plan is not looked at."""
    busy = bool(_busy(store, migration))
    return {verb: migration.state in states and (verb == "cancel" or not busy) for verb, states in STATES.items()}


def _refuse_state(migration: Migration, verb: str) -> None:
    if migration.state not in STATES[verb]:
        needs = " or ".join(STATES[verb])
        raise Refusal(
            f"migration {migration.id} is {migration.state}: {verb} needs {needs}",
            remedy="state", migration=migration.id,
        )  # fmt: skip
    if verb not in ("cancel", "resume") and not migration.plan:
        raise Refusal(
            f"migration {migration.id} was never planned: there is nothing to {verb}",
            remedy="state", migration=migration.id,
        )  # fmt: skip


def _ask(store: Store, migration: Migration, kind: str, by: str, wish: str | None = None, **arguments: Any) -> Job:
    """Write the job down. Of two who ask at once for what must not be done at once, one is refused."""
    row = models.Migration

    def work(session: Session) -> Job:
        # Locked until the end of the transaction, where the database locks rows: whoever asks next sees our job.
        session.execute(sa.select(row.id).where(row.id == migration.id).with_for_update())
        if kind != "cancel" and (why := jobs.open_in(session, migration.id)):
            raise _is_busy(migration, why)
        if wish is not None:
            session.execute(sa.update(row).where(row.id == migration.id).values(wish=wish))
        return jobs.add_in(session, kind, by, migration_id=migration.id, **arguments)

    return store.write(work)


def _is_busy(migration: Migration, why: str) -> Refusal:
    return Refusal(f"migration {migration.id} is busy ({why})", remedy="busy", migration=migration.id)


def _refuse_busy(store: Store, migration: Migration) -> None:
    if why := _busy(store, migration):
        raise _is_busy(migration, why)


def _busy(store: Store, migration: Migration) -> str:
    """What keeps others from it; empty when nothing does."""
    if why := store.read(lambda session: jobs.open_in(session, migration.id)):
        return why
    claims.release_dead(store, migration.id, process.is_dead)
    owners = claims.others(store, migration.id)
    return f"process {owners[0].split('/')[1]} on {owners[0].split('/')[0]} runs it" if owners else ""
