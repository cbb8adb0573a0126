"""Plans: what a migration would do, made by an engine; nothing is changed by them."""

from __future__ import annotations

import dataclasses
from typing import Any

from apiflask import APIBlueprint
from flask import Response

from ...engine import requests
from ...store import plan_texts, plans
from ...store.plans import PlanRow
from .. import choices, summaries, texts
from ..guard import audit, needs, who
from ..idempotency import idempotent
from ..paging import PageQuery, marker_id, page
from ..problems import not_found
from ..schemas.plans import PlanAnswer, PlanList, PlanWanted
from ..services import services

blueprint = APIBlueprint("plans", __name__, url_prefix="/v1", tag="Plans")

_LINKS = {"getPlan": {"operationId": "getPlan", "parameters": {"plan_id": "$response.body#/id"}}}
_SHOWN = ("id", "state", "selection", "said", "error", "created", "created_by", "migration_id")


@blueprint.post("/plans")
@needs("operator")
@idempotent
@blueprint.input(PlanWanted, arg_name="wanted")
@blueprint.output(PlanAnswer, status_code=202, links=_LINKS)
@blueprint.doc(
    summary="Make a plan",
    description="Of things that are to be moved, or of a host that is to be emptied (`evacuate`) or handed over"
    " (`reassign`). It is made in the background: ask its URL (`Location`), or listen to the events of type `plan`,"
    " until its state is `ready` or `failed`. Both clouds are only read.",
    operation_id="createPlan",
)
def create(wanted: PlanWanted) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Ask for one."""
    asked = wanted.selection.wanted()
    choices.refuse_unknown(asked.to_json())
    row = requests.ask_plan(services().store, services().clouds.pair, asked, who().name)
    audit("plan.create", f"plan {row.id}", selection=row.selection)
    return {**_head(row), "plan": None}, 202, {"Location": f"/v1/plans/{row.id}"}


@blueprint.get("/plans")
@needs("viewer")
@blueprint.input(PageQuery, location="query", arg_name="query")
@blueprint.output(PlanList)
@blueprint.doc(
    summary="List the plans", description="The newest first; each without its `plan`.", operation_id="listPlans"
)
def list_(query: PageQuery) -> dict[str, Any]:
    """A part of them."""
    rows = plans.newest(services().store, before=marker_id(query.marker), limit=query.limit + 1)
    more, rows = len(rows) > query.limit, rows[: query.limit]
    return page([_head(row) for row in rows], rows[-1].id if more else None)


@blueprint.get("/plans/<int:plan_id>")
@needs("viewer")
@blueprint.output(PlanAnswer)
@blueprint.doc(
    summary="Read a plan",
    description="With everything that would be done, and why. It has an ETag.",
    operation_id="getPlan",
    responses={404: "There is no such plan"},
)
def get(plan_id: int) -> Response:
    """One of them."""
    store = services().store
    # Only this one, and without what was planned: that may be large.
    found = plans.newest(store, before=plan_id + 1, limit=1)
    if not found or found[0].id != plan_id:
        raise not_found(f"plan {plan_id}", "GET /v1/plans lists them")
    row = found[0]
    ready = row.state == plans.READY
    changing = [row.state, row.said, row.updated, row.migration_id]
    return texts.respond(
        lambda: texts.joined(_head(row), "plan", plan_texts.of_plan(store, plan_id) if ready else None), changing
    )


def _head(row: PlanRow) -> dict[str, Any]:
    shown = {name: value for name, value in dataclasses.asdict(row).items() if name in _SHOWN}
    return {**shown, "summary": summaries.of_plan(services().store, row.id) if row.state == plans.READY else None}
