"""The machines that servers run on: in the clouds, in the inventory, and at their BMCs."""

from __future__ import annotations

import dataclasses
from typing import Any

from apiflask import APIBlueprint
from flask import Response

from ...engine import requests
from ...hosts.inventory import Host
from ...planning.wanted import EVACUATE, REASSIGN
from ...store.jobs import Job
from .. import host_details, host_order
from ..clouds import shown
from ..clouds.kinds import ALL
from ..etags import respond
from ..guard import audit, needs, who
from ..idempotency import idempotent
from ..paging import page
from ..problems import Problem, conflict, not_found
from ..schemas.hosts import HostList, HostOrder, HostQuery, HostWhole, PowerAnswer, PowerQuery, PowerWanted
from ..schemas.jobs import JOB, JobAnswer
from ..services import services
from .clouds import known
from .reading import answered, asked, top_of

blueprint = APIBlueprint("hosts", __name__, url_prefix="/v1", tag="Hosts")

_UNKNOWN = "The inventory has no such host"


@blueprint.get("/clouds/<role>/hosts")
@needs("viewer")
@blueprint.input(HostQuery, location="query", arg_name="query")
@blueprint.output(HostList)
@blueprint.doc(
    summary="The hosts of a cloud",
    description="`role` is source or destination. With how full they are, as Nova tells it, what the inventory notes of"
    " them, and the newest migrations that empty them or hand them over. BMCs are not asked.",
    operation_id="listHosts",
    responses={304: "It has not changed", 404: "There is no such cloud"},
)
def list_hosts(role: str, query: HostQuery) -> Response:
    """A part of the list."""
    cloud, with_ = known(role), services()
    part = shown.part(with_.clouds, cloud, "host", asked(query, status=query.status))
    inventory, error = with_.machines.notes()
    hosts, ties, kind = inventory.hosts if inventory else {}, host_details.Ties(with_.clouds), ALL["host"]
    items = []
    for row in part.rows:
        item: dict[str, Any] = {"id": row.id, "name": row.name, "status": row.status, **kind.summary(row)}
        item["inventory"] = host_details.noted(hosts.get(row.name))
        item["evacuation"] = ties.of(EVACUATE, item["host"], row.name) if cloud == "source" else None
        item["reassignment"] = ties.of(REASSIGN, item["host"], row.name)
        items.append(item)
    top = top_of(part, kind.service)
    if error:
        top["failures"].append({"service": "inventory", "error": error})
    return answered(page(items, part.marker, part.total, **top))


@blueprint.get("/hosts/<host>")
@needs("viewer")
@blueprint.output(HostWhole)
@blueprint.doc(
    summary="Read a host",
    description="In both clouds, which are asked now: its services, its servers, how full it is; what the inventory"
    " says of it; the newest migrations that empty it (`evacuation`) or hand it over (`reassignment`). What a cloud"
    " does not tell is in its `failures`. It has an ETag.",
    operation_id="getHost",
    responses={304: "It has not changed", 404: "Neither a cloud nor the inventory has such a host"},
)
def get_host(host: str) -> Response:
    """One of them."""
    found = host_details.whole(services().clouds, services().machines, host)
    if not found["inventory"] and all(cloud["known"] is False for cloud in found["clouds"]):
        raise not_found(f"host {host!r}", "GET /v1/clouds/source/hosts lists those of the source")
    return respond(found)


@blueprint.get("/hosts/<host>/power")
@needs("viewer")
@blueprint.input(PowerQuery, location="query", arg_name="query")
@blueprint.output(PowerAnswer)
@blueprint.doc(
    summary="Ask whether a host is on",
    description="Its BMC is asked now, for 10 seconds at most; why it does not tell is in `error`. Nothing else waits"
    " for that.",
    operation_id="getHostPower",
    responses={404: _UNKNOWN},
)
def get_power(host: str, query: PowerQuery) -> dict[str, Any]:
    """As the BMC says."""
    machine = _machine(host)
    told = services().machines.power(machine, renew=query.refresh)
    return {"name": host, "kind": machine.bmc.name, **dataclasses.asdict(told), "error": told.error or None}


@blueprint.post("/hosts/<host>/power")
@needs("admin")
@idempotent
@blueprint.input(PowerWanted, arg_name="wanted")
@blueprint.output(JobAnswer, status_code=202, links=JOB)
@blueprint.doc(
    summary="Switch a host on or off",
    description="Off: only a host that the inventory notes as one of the source, that is disabled in the source's Nova,"
    " and has no servers there or in the destination; both clouds are asked right before, and the job fails with what"
    " is in the way. From the network: only a host of the source that is off. Watch the job at its URL (`Location`).",
    operation_id="switchHost",
    responses={404: _UNKNOWN, 409: "The host is not one of the source"},
)
def switch_power(host: str, wanted: PowerWanted) -> tuple[Job, int, dict[str, str]]:
    """Ask for it."""
    machine = _machine(host)
    if not machine.source and (wanted.action == "off" or wanted.network):
        raise conflict(
            f"{host} is not noted as a host of the source in the inventory",
            "note it there (source: true) if it is one",
        )
    job = requests.switch(services().store, who().name, host, **wanted.model_dump())
    audit(f"host.{wanted.action}", f"host {host}", job=job.id, soft=wanted.soft, network=wanted.network)
    return job, 202, {"Location": f"/v1/jobs/{job.id}"}


@blueprint.get("/host-order")
@needs("viewer")
@blueprint.output(HostOrder)
@blueprint.doc(
    summary="In which order hosts fall empty",
    description="Which tenants to move first, which hosts of the source are empty then, what these give to the"
    " destination, and what it lacks. Both clouds are read now: it can take a while.",
    operation_id="getHostOrder",
    responses={502: "The clouds did not answer in time"},
)
def get_order() -> dict[str, Any]:
    """The steps until all have left."""
    try:
        return {"items": host_order.read(services())}
    except TimeoutError:
        raise Problem(
            502,
            "cloud-failure",
            f"the clouds have not told all in {host_order.DEADLINE:.0f} s",
            "try again in a minute",
        ) from None


def _machine(name: str) -> Host:
    """A host of the inventory. Raises Problem where there is none, or no inventory."""
    found = services().machines.host(name)
    if found is None:
        raise not_found(f"host {name!r} in the inventory", "describe it in inventory.yaml (docs/hosts.md)")
    return found
