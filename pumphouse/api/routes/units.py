"""The units of a migration, and what happened in it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from apiflask import APIBlueprint
from flask import Response

from ...store import events, plan_texts, watched
from .. import shown
from ..etags import respond
from ..guard import needs
from ..paging import marker_id, page
from ..problems import not_found
from ..schemas.migrations import EventList, EventQuery, UnitDetails, UnitList, UnitQuery
from ..services import services
from .migrations import refuse_unknown

blueprint = APIBlueprint("units", __name__, url_prefix="/v1", tag="Units")

#: Events of a unit that are shown with it.
LOG = 500


@blueprint.get("/migrations/<int:migration_id>/units")
@needs("viewer")
@blueprint.input(UnitQuery, location="query", arg_name="query")
@blueprint.output(UnitList)
@blueprint.doc(
    summary="List the units of a migration",
    description="In the order of its plan: each with what it needs. It has an ETag.",
    operation_id="listUnits",
    responses={404: "There is no such migration"},
)
def list_(migration_id: int, query: UnitQuery) -> Response:
    """A part of them."""
    refuse_unknown(migration_id)
    store, states = services().store, (query.state,) if query.state else ()
    after = marker_id(query.marker) or 0
    rows = watched.units(store, migration_id, states=states, after=after, limit=query.limit + 1)
    more, rows = len(rows) > query.limit, rows[: query.limit]
    needs_of = shown.needs_of(store, migration_id)
    items = [shown.unit(row, needs_of) for _, row in rows]
    return respond(page(items, rows[-1][0] if more else None, watched.count_units(store, migration_id, states)))


@blueprint.get("/migrations/<int:migration_id>/units/<path:name>")
@needs("viewer")
@blueprint.output(UnitDetails)
@blueprint.doc(
    summary="Read a unit",
    description="With its resources, as planned, and its log. It has an ETag.",
    operation_id="getUnit",
    responses={404: "There is no such migration, or it has no such unit"},
)
def get(migration_id: int, name: str) -> Response:
    """One of them."""
    refuse_unknown(migration_id)
    store = services().store
    rows = store.units(migration_id, name)
    if not rows:
        raise not_found(f"unit {name!r} in migration {migration_id}", f"GET /v1/migrations/{migration_id}/units")
    needs_of = shown.needs_of(store, migration_id)
    place = list(needs_of).index(name) if name in needs_of else None
    planned = None if place is None else plan_texts.part(store, migration_id, "units", place)
    log = [shown.event(event) for event in watched.log(store, migration_id, name, LOG)]
    return respond({**shown.unit(rows[0], needs_of), "items": (planned or {}).get("items", []), "log": log})


@blueprint.get("/migrations/<int:migration_id>/events")
@needs("viewer")
@blueprint.input(EventQuery, location="query", arg_name="query")
@blueprint.output(EventList)
@blueprint.doc(
    summary="List the events of a migration",
    description="The oldest first. As they happen they are told by `GET /v1/events`.",
    operation_id="listEvents",
    responses={404: "There is no such migration"},
)
def list_events(migration_id: int, query: EventQuery) -> dict[str, Any]:
    """A part of them."""
    refuse_unknown(migration_id)
    found = events.after(services().store, query.after, query.limit + 1, migration_ids=(migration_id,), unit=query.unit)
    more, found = len(found) > query.limit, found[: query.limit]
    # Requests are for administrators: GET /v1/audit.
    items = [shown.event(event) for event in found if event.kind != events.AUDIT]
    pairs = {"after": found[-1].id, "limit": query.limit, "unit": query.unit} if more else {}
    told = urlencode({name: value for name, value in pairs.items() if value is not None})
    return {"items": items, "next": f"/v1/migrations/{migration_id}/events?{told}" if more else None, "total": None}
