"""The two clouds, and how their services are."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from ..clouds import ROLES
from ..guard import needs
from ..problems import not_found
from ..schemas.clouds import Cloud, CloudList
from ..services import services

blueprint = APIBlueprint("clouds", __name__, url_prefix="/v1", tag="Clouds")


@blueprint.get("/clouds")
@needs("viewer")
@blueprint.output(CloudList)
@blueprint.doc(
    summary="Both clouds with their health",
    description="All services are asked at once; one that does not answer within 1.5 seconds is named as such. What was"
    " found is kept for 15 seconds.",
    operation_id="listClouds",
)
def list_clouds() -> dict[str, Any]:
    """Within a moment, whatever hangs."""
    all_health = [services().clouds.health(role) for role in ROLES]
    for health in all_health:
        health.ask()
    return {"items": [health.show() for health in all_health]}


@blueprint.get("/clouds/<role>")
@needs("viewer")
@blueprint.output(Cloud)
@blueprint.doc(
    summary="One cloud with its health",
    description="`role` is source or destination.",
    operation_id="getCloud",
    responses={404: "There is no such cloud"},
)
def get_cloud(role: str) -> dict[str, Any]:
    """One of the two."""
    return services().clouds.health(known(role)).show()


def known(role: str) -> Any:
    """The role, if it is one. Raises Problem."""
    if role not in ROLES:
        raise not_found(f"cloud {role!r}", "the clouds are called source and destination")
    return role
