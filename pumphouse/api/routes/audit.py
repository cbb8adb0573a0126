"""The record of who did what, for administrators."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint

from ...store import events, models
from ..guard import needs
from ..paging import marker_id, page
from ..schemas.access import AuditList, AuditQuery
from ..services import services

blueprint = APIBlueprint("audit", __name__, url_prefix="/v1", tag="Audit")

_SHOWN = ("actor", "role", "via", "address", "action", "target")


@blueprint.get("/audit")
@needs("admin")
@blueprint.input(AuditQuery, location="query", arg_name="query")
@blueprint.output(AuditList)
@blueprint.doc(
    summary="Who did what",
    description="The newest first. Everything that was changed over the API, and tokens that were refused.",
    operation_id="listAudit",
)
def list_(query: AuditQuery) -> dict[str, Any]:
    """A part of it."""
    row = models.Event
    found = sa.select(row).where(row.kind == events.AUDIT).order_by(row.id.desc()).limit(query.limit + 1)
    if (before := marker_id(query.marker)) is not None:
        found = found.where(row.id < before)
    if query.actor is not None:
        found = found.where(row.data["actor"].as_string() == query.actor)
    if query.action is not None:
        action = row.data["action"].as_string()
        found = found.where(
            action.startswith(query.action, autoescape=True) if query.action.endswith(".") else action == query.action
        )
    rows = services().store.read(lambda session: [_shown(event) for event in session.scalars(found)])
    more, rows = len(rows) > query.limit, rows[: query.limit]
    return page(rows, rows[-1]["id"] if more else None)


def _shown(event: models.Event) -> dict[str, Any]:
    data = dict(event.data or {})
    shown = {name: str(data.pop(name, "")) for name in _SHOWN}
    return {"id": event.id, "time": event.time, "text": event.text, **shown, "data": data}
