"""What the clouds hold: resources by type, from lists that are kept for a while, and single ones as they are."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from ..clouds import shown, single
from ..clouds.kinds import KINDS
from ..guard import needs
from ..problems import not_found
from ..schemas.clouds import ResourceList, ResourceQuery, WholeResource
from ..services import services
from .clouds import known
from .reading import asked, listed

blueprint = APIBlueprint("resources", __name__, url_prefix="/v1", tag="Clouds")


@blueprint.get("/clouds/<role>/resources/<type>")
@needs("viewer")
@blueprint.input(ResourceQuery, location="query", arg_name="query")
@blueprint.output(ResourceList)
@blueprint.doc(
    summary="The resources of one type",
    description=f"`role` is source or destination; `type` is one of {', '.join(KINDS)}."
    " They are read in the background: an answer waits for a moment at most, then shows what there is. What is older"
    " than 30 seconds is read anew while the older list is shown.",
    operation_id="listResources",
    responses={304: "It has not changed", 404: "There is no such cloud, or no such type"},
)
def list_resources(role: str, type: str, query: ResourceQuery) -> Response:
    """A part of a list."""
    cloud = known(role)
    if type not in KINDS:
        raise not_found(f"list of {type!r}", f"there are {', '.join(KINDS)}")
    kind = KINDS[type]
    part = shown.part(services().clouds, cloud, type, asked(query, project_id=query.project_id, status=query.status))
    return listed(part, [shown.row_to_json(kind, row) for row in part.rows], kind.service)


@blueprint.get("/clouds/<role>/resources/<type>/<path:id>")
@needs("viewer")
@blueprint.output(WholeResource)
@blueprint.doc(
    summary="One resource as its service shows it",
    description=f"`role` is source or destination; `type` is one of {', '.join(single.READABLE)}."
    " The id of a keypair is its user's id, a slash, and its name. It is read from the cloud each time. Secrets are"
    " left out.",
    operation_id="getResource",
    responses={404: "There is no such resource", 502: "The service fails, or does not answer"},
)
def get_resource(role: str, type: str, id: str) -> dict[str, Any]:
    """Read now."""
    cloud = known(role)
    if type not in single.READABLE:
        raise not_found(f"type {type!r}", f"there are {', '.join(single.READABLE)}")
    found = single.read(services().clouds, cloud, type, id)
    if found is None:
        raise not_found(f"{type} {id!r} in the {cloud}")
    name = found.get("name") or id
    return {"type": type, "id": id, "name": str(name), "resource": found}
