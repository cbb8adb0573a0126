"""Tenants of the clouds, with what they have and where they go."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from ..clouds import tenants
from ..guard import needs
from ..paging import page
from ..schemas.clouds import TenantList, TenantQuery
from ..services import services
from .clouds import known
from .reading import answered, asked

blueprint = APIBlueprint("tenants", __name__, url_prefix="/v1", tag="Clouds")


@blueprint.get("/clouds/<role>/tenants")
@needs("viewer")
@blueprint.input(TenantQuery, location="query", arg_name="query")
@blueprint.output(TenantList)
@blueprint.doc(
    summary="The tenants of a cloud",
    description="`role` is source or destination. With their servers, volumes and images counted as far as these were"
    " read, their counterparts in the other cloud, and the newest migrations that have them.",
    operation_id="listTenants",
    responses={304: "It has not changed", 404: "There is no such cloud"},
)
def list_tenants(role: str, query: TenantQuery) -> Response:
    """A part of the list."""
    items, marker, total, top = tenants.page(services().clouds, known(role), asked(query), query.domain, query.state)
    return answered(page(items, marker, total, **top))
