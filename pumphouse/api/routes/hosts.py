"""The machines of a cloud that servers run on."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from ..clouds import shown
from ..clouds.kinds import ALL
from ..guard import needs
from ..schemas.clouds import HostList, HostQuery
from ..services import services
from .clouds import known
from .reading import asked, listed

blueprint = APIBlueprint("hosts", __name__, url_prefix="/v1", tag="Clouds")


@blueprint.get("/clouds/<role>/hosts")
@needs("viewer")
@blueprint.input(HostQuery, location="query", arg_name="query")
@blueprint.output(HostList)
@blueprint.doc(
    summary="The hosts of a cloud",
    description="`role` is source or destination. With how full they are, as Nova tells it.",
    operation_id="listHosts",
    responses={304: "It has not changed", 404: "There is no such cloud"},
)
def list_hosts(role: str, query: HostQuery) -> Response:
    """A part of the list."""
    part = shown.part(services().clouds, known(role), "host", asked(query, status=query.status))
    kind = ALL["host"]
    items = [{"id": row.id, "name": row.name, "status": row.status, **kind.summary(row)} for row in part.rows]
    return listed(part, items, kind.service)
