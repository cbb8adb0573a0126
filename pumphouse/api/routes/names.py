"""Names of a cloud that can be mapped to others."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from ...names import KINDS
from ..clouds import names
from ..guard import needs
from ..problems import not_found
from ..schemas.clouds import NameList, NameQuery
from ..services import services
from .clouds import known

blueprint = APIBlueprint("names", __name__, url_prefix="/v1", tag="Clouds")


@blueprint.get("/clouds/<role>/names/<kind>")
@needs("viewer")
@blueprint.input(NameQuery, location="query", arg_name="query")
@blueprint.output(NameList)
@blueprint.doc(
    summary="Names that can be mapped",
    description=f"`role` is source or destination; `kind` is one of {', '.join(KINDS)}: what `mappings` of a selection"
    " takes. Of networks only external and shared ones are the cloud's. They are read from the cloud each time.",
    operation_id="listNames",
    responses={404: "There is no such cloud, or no such kind", 502: "The service fails, or does not answer"},
)
def list_names(role: str, kind: str, query: NameQuery) -> dict[str, Any]:
    """The first of them, in the order of the alphabet."""
    cloud = known(role)
    if kind not in KINDS:
        raise not_found(f"kind of names {kind!r}", f"there are {', '.join(KINDS)}")
    text = (query.search or "").casefold()
    found = [name for name in names.names(services().clouds, cloud, kind) if text in name.casefold()]
    return {"items": found[: query.limit], "total": len(found)}
