"""Migrations: begun from plans, watched, and everything that can be asked of them."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request

from ... import human
from ...engine import requests
from ...errors import ConfigError, Refusal, UsageError
from ...migrations import accepting, report
from ...planning.plan import Plan
from ...planning.wanted import at_once
from ...store import Migration, plan_texts, plans, watched
from ...store.jobs import Job
from .. import choices, headers, shown, texts
from ..etags import respond
from ..guard import audit, needs, who
from ..idempotency import idempotent
from ..paging import marker_id, page
from ..problems import Problem, conflict, invalid, not_found, refused
from ..schemas.jobs import JOB, JobAnswer
from ..schemas.migrations import (
    AcceptWanted,
    DifferenceList,
    MigrationAnswer,
    MigrationList,
    MigrationQuery,
    MigrationWanted,
    Nothing,
    Report,
    ReportQuery,
    ResumeWanted,
    RollbackWanted,
    VerifyWanted,
)
from ..schemas.plans import PlanItself
from ..services import services

blueprint = APIBlueprint("migrations", __name__, url_prefix="/v1", tag="Migrations")

_UNKNOWN = "There is no such migration"
_STATE = "Its state does not allow this; the state is named"
_UNPLANNED = "It was not planned yet"
_WATCH = " Watch the job at its URL (`Location`)."

_REPORT: dict[int | str, dict[str, str | dict[str, dict[str, Any]]]] = {
    200: {
        "description": "The report",
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/Report"}},
            "text/html": {"schema": {"type": "string"}},
        },
    },
    404: {"description": _UNKNOWN},
    409: {"description": _UNPLANNED},
}
_LINKS = {"getMigration": {"operationId": "getMigration", "parameters": {"migration_id": "$response.body#/id"}}}

Made = tuple[dict[str, Any] | Job, int, dict[str, str]]


# -- begin, list, read --------------------------------------------------------------------------------------


@blueprint.post("/migrations")
@needs("operator")
@idempotent
@blueprint.input(MigrationWanted, arg_name="wanted")
@blueprint.output(MigrationAnswer, status_code=202, links=_LINKS)
@blueprint.doc(
    summary="Begin a migration",
    description="Of a plan that is ready, or of a selection, which is planned first. Ask its URL (`Location`), or"
    " listen to the events, until its state is `done`, `failed`, `stopped` or `cancelled`.",
    operation_id="createMigration",
    responses={409: "The plan is not ready, was used already, or has findings that block"},
)
def create(wanted: MigrationWanted) -> Made:
    """Begin it."""
    store, clouds = services().store, services().clouds
    plan = None
    if wanted.plan_id is not None and (plan := plans.get(store, wanted.plan_id)) is None:
        raise invalid("plan_id", f"plan_id: there is no plan {wanted.plan_id}", "GET /v1/plans lists them")
    selection = wanted.selection.wanted() if wanted.selection else None
    about = selection.to_json() if selection else plan.selection if plan else {}
    options: dict[str, Any] = {
        "concurrency": wanted.concurrency or at_once(about), "ignore_findings": wanted.ignore_findings,
        "source_after": wanted.source_after,
    }  # fmt: skip
    for cloud in (clouds.cloud("source"), clouds.cloud("destination")):
        options[cloud.role] = f"{cloud.name} ({cloud.key})"
    if plan is not None and plan.pair != clouds.pair:
        raise conflict(f"plan {plan.id} is for {plan.pair}, but the configuration names {clouds.pair}", "plan again")
    if plan is not None and plan.state != plans.READY:
        raise conflict(f"plan {plan.id} is {plan.state}", f"wait until it is ready: GET /v1/plans/{plan.id}")
    if plan is not None and plan.migration_id is not None:
        raise conflict(f"plan {plan.id} was used already, by migration {plan.migration_id}", "plan again")
    choices.refuse_unknown(about)
    with _refused("mend what blocks and plan again, or give ignore_findings"):
        number = requests.begin(store, clouds.pair, plan=plan, selection=selection, options=options, by=who().name)
    audit("migration.create", f"migration {number}", **wanted.model_dump(exclude_defaults=True))
    return _shown(number), 202, {"Location": f"/v1/migrations/{number}"}


@blueprint.get("/migrations")
@needs("viewer")
@blueprint.input(MigrationQuery, location="query", arg_name="query")
@blueprint.output(MigrationList)
@blueprint.doc(summary="List the migrations", description="The newest first.", operation_id="listMigrations")
def list_(query: MigrationQuery) -> dict[str, Any]:
    """A part of them."""
    store, states = services().store, (query.state,) if query.state else ()
    before = marker_id(query.marker)
    if query.search or query.tenant:
        briefs = watched.briefs(store, states)
        fitting = [id_ for id_, selection, options in briefs if _fits(query, id_, selection, options)]
        left = [id_ for id_ in fitting if before is None or id_ < before]
        heads, more, total = watched.heads(store, ids=left[: query.limit]), len(left) > query.limit, len(fitting)
    else:
        heads = watched.heads(store, states=states, before=before, limit=query.limit + 1)
        heads, more, total = heads[: query.limit], len(heads) > query.limit, watched.count(store, states)
    items = shown.migrations(store, services().stream.speeds, heads)
    return page(items, heads[-1].id if more else None, total)


@blueprint.get("/migrations/<int:migration_id>")
@needs("viewer")
@blueprint.output(MigrationAnswer)
@blueprint.doc(
    summary="Read a migration",
    description="How far it is, and what can be asked of it. It has an ETag.",
    operation_id="getMigration",
    responses={404: _UNKNOWN},
)
def get(migration_id: int) -> Response:
    """One of them."""
    return respond(_shown(migration_id))


@blueprint.get("/migrations/<int:migration_id>/plan")
@needs("viewer")
@blueprint.output(PlanItself)
@blueprint.doc(
    summary="Read the plan of a migration",
    description="As it was when it began.",
    operation_id="getMigrationPlan",
    responses={404: _UNKNOWN, 409: _UNPLANNED},
)
def plan(migration_id: int) -> Response:
    """What it does."""
    refuse_unplanned(migration_id)
    # Once there is one it stays as it is.
    return texts.respond(lambda: plan_texts.of_migration(services().store, migration_id) or "null", migration_id)


# -- afterwards ---------------------------------------------------------------------------------------------


@blueprint.get("/migrations/<int:migration_id>/differences")
@needs("viewer")
@blueprint.output(DifferenceList)
@blueprint.doc(
    summary="What stands in the way of accepting",
    description="What was not moved, or differs, by the newest comparison. Each is mended and verified again, or named"
    " in `despite`.",
    operation_id="listDifferences",
    responses={404: _UNKNOWN, 409: _UNPLANNED},
)
def differences(migration_id: int) -> dict[str, Any]:
    """All there are."""
    refuse_unplanned(migration_id)
    migration = _migration(migration_id)
    found = accepting.differences(services().store, migration, Plan.from_json(migration.plan).units)
    return {"items": [dataclasses.asdict(one) for one in found]}


@blueprint.get("/migrations/<int:migration_id>/report")
@needs("viewer")
@blueprint.input(ReportQuery, location="query", arg_name="query")
@blueprint.output(Report)
@blueprint.doc(
    summary="The report of a migration",
    description="What became of every field of every resource, with checksums of the bytes; as JSON, or as a page that"
    " needs nothing else (`format=html`, or `Accept: text/html`).",
    operation_id="getReport",
    responses=_REPORT,
)
def report_(migration_id: int, query: ReportQuery) -> Response:
    """In one of two forms."""
    refuse_unplanned(migration_id)
    built = report.build(services().store, migration_id, brief=query.brief)
    kinds = ("application/json", "text/html")
    if (query.format or "") != "html" and (query.format or request.accept_mimetypes.best_match(kinds) != kinds[1]):
        response = respond(built)
    else:
        text = report.render_html(built)
        response = Response(text, mimetype=kinds[1])
        style = re.search("<style>(.*?)</style>", text, re.DOTALL)
        response.headers["Content-Security-Policy"] = headers.policy(
            style=headers.style_hash(style[1]) if style else "'none'"
        )
    response.vary.add("Accept")
    return response


# -- what can be asked --------------------------------------------------------------------------------------


@blueprint.post("/migrations/<int:migration_id>/cancel")
@needs("operator")
@idempotent
@blueprint.input(Nothing, arg_name="wanted")
@blueprint.output(JobAnswer, status_code=202, links=JOB)
@blueprint.doc(
    summary="Cancel a migration",
    description="It stops at the next safe point; what is half made is undone, what is done stays." + _WATCH,
    operation_id="cancelMigration",
    responses={404: _UNKNOWN, 409: _STATE},
)
def cancel(migration_id: int, wanted: Nothing) -> Made:
    """Ask it to end."""
    del wanted
    return _ask(migration_id, "cancel", requests.cancel)


@blueprint.post("/migrations/<int:migration_id>/resume")
@needs("operator")
@idempotent
@blueprint.input(ResumeWanted, arg_name="wanted")
@blueprint.output(JobAnswer, status_code=202, links=JOB)
@blueprint.doc(
    summary="Go on with a migration",
    description="With what was interrupted, stopped, cancelled, or failed." + _WATCH,
    operation_id="resumeMigration",
    responses={404: _UNKNOWN, 409: _STATE},
)
def resume(migration_id: int, wanted: ResumeWanted) -> Made:
    """Go on."""
    return _ask(migration_id, "resume", requests.resume, **wanted.model_dump())


@blueprint.post("/migrations/<int:migration_id>/rollback")
@needs("operator")
@idempotent
@blueprint.input(RollbackWanted, arg_name="wanted")
@blueprint.output(JobAnswer, status_code=202, links=JOB)
@blueprint.doc(
    summary="Roll a migration back",
    description="What it made in the destination is removed, with what was written there since; the source's servers"
    " run again as they ran. What was accepted stays." + _WATCH,
    operation_id="rollBackMigration",
    responses={404: _UNKNOWN, 409: _STATE},
)
def rollback(migration_id: int, wanted: RollbackWanted) -> Made:
    """Undo it."""
    return _ask(migration_id, "rollback", requests.roll_back, **wanted.model_dump())


@blueprint.post("/migrations/<int:migration_id>/accept")
@needs("operator")
@idempotent
@blueprint.input(AcceptWanted, arg_name="wanted")
@blueprint.output(JobAnswer, status_code=202, links=JOB)
@blueprint.doc(
    summary="Accept a migration",
    description="The point of no return: it cannot be rolled back any more. With `delete_source` (role admin) the"
    " source's servers are deleted, each only while its counterpart is in the destination." + _WATCH,
    operation_id="acceptMigration",
    responses={404: _UNKNOWN, 409: _STATE + "; or there are differences that `despite` does not name"},
)
def accept(migration_id: int, wanted: AcceptWanted) -> Made:
    """Accept it."""
    if wanted.delete_source and not who().may("admin"):
        raise Problem(
            403, "forbidden", f"delete_source needs the role admin; yours is {who().role}",
            "ask an administrator, or keep the source", "delete_source",
        )  # fmt: skip
    if wanted.confirm != migration_id:
        raise invalid("confirm", f"confirm: {wanted.confirm} is not the id of this migration", f"send {migration_id}")
    options = wanted.model_dump(exclude={"confirm"})
    return _ask(migration_id, "accept", requests.accept, **options)


@blueprint.post("/migrations/<int:migration_id>/verify")
@needs("operator")
@idempotent
@blueprint.input(VerifyWanted, arg_name="wanted")
@blueprint.output(JobAnswer, status_code=202, links=JOB)
@blueprint.doc(
    summary="Compare again",
    description="Everything is read from both clouds again and compared, on demand the bytes, too; the report has the"
    " result." + _WATCH,
    operation_id="verifyMigration",
    responses={404: _UNKNOWN, 409: _STATE},
)
def verify(migration_id: int, wanted: VerifyWanted) -> Made:
    """Compare it."""
    return _ask(migration_id, "verify", requests.verify, **wanted.model_dump())


# -- what they share ----------------------------------------------------------------------------------------


def refuse_unknown(migration_id: int) -> None:
    """Raises Problem (404) for a migration that is not known."""
    if not watched.heads(services().store, ids=[migration_id], counted=False):
        raise _no(migration_id)


def refuse_unplanned(migration_id: int) -> None:
    """Raises Problem (404, 409) for a migration that has no plan (yet)."""
    refuse_unknown(migration_id)
    if plan_texts.part(services().store, migration_id, "selection") is None:
        raise conflict(f"migration {migration_id} was not planned yet", "wait until it is running")


def _ask(migration_id: int, verb: str, ask: Callable[..., Job], **options: Any) -> Made:
    migration = _migration(migration_id)
    with _refused(f"GET /v1/migrations/{migration_id} says in `can` what it allows"):
        job = ask(services().store, migration, who().name, **options)
    audit(f"migration.{verb}", f"migration {migration_id}", **options)
    return job, 202, {"Location": f"/v1/jobs/{job.id}"}


@contextlib.contextmanager
def _refused(remedy: str = "") -> Iterator[None]:
    """What is refused for the state of something is a conflict."""
    try:
        yield
    except ConfigError:
        raise
    except Refusal as error:
        raise refused(409, error, remedy) from None
    except UsageError as error:
        raise conflict(str(error), remedy) from None


def _migration(migration_id: int) -> Migration:
    found = services().store.migration(migration_id)
    if found is None:
        raise _no(migration_id)
    return found


def _shown(migration_id: int) -> dict[str, Any]:
    found = shown.migration(services().store, services().stream.speeds, migration_id)
    if found is None:
        raise _no(migration_id)
    return found


def _no(migration_id: int) -> Problem:
    return not_found(f"migration {migration_id}", "GET /v1/migrations lists them")


def _fits(query: MigrationQuery, id_: int, selection: dict[str, Any], options: dict[str, Any]) -> bool:
    if query.tenant and query.tenant not in (*options.get("projects", ()), selection.get("tenant")):
        return False
    wanted = (query.search or "").strip().casefold()
    return not wanted or wanted in human.chosen(selection).casefold() or wanted == str(id_)
