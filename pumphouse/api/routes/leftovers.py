"""Temporary things of ours that interrupted migrations left in the clouds."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import threading
import weakref
from typing import Any

from apiflask import APIBlueprint

from ...engine import requests
from ...migrations import leftovers
from ...store import Store
from ...store.jobs import Job
from ..guard import audit, needs, who
from ..idempotency import idempotent
from ..problems import Problem
from ..schemas.jobs import JOB, JobAnswer, LeftoverList, RemovalWanted
from ..services import Services, services

blueprint = APIBlueprint("leftovers", __name__, url_prefix="/v1", tag="Leftovers")

#: Seconds that both clouds have to tell their lists.
DEADLINE = 60.0

_LOCK = threading.Lock()
#: What is being looked for just now, for each database: who asks meanwhile gets the same.
_LOOKING: weakref.WeakKeyDictionary[Store, concurrent.futures.Future[dict[str, Any]]] = weakref.WeakKeyDictionary()


@blueprint.get("/leftovers")
@needs("viewer")
@blueprint.output(LeftoverList)
@blueprint.doc(
    summary="List what is left over",
    description="Snapshots, clones and images of interrupted migrations that are still in the clouds. Both are read"
    " now: it can take a while.",
    operation_id="listLeftovers",
    responses={502: "The clouds did not answer in time"},
)
def list_() -> dict[str, Any]:
    """All there are."""
    try:
        return _look(services()).result(DEADLINE)
    except TimeoutError:
        raise Problem(
            502, "cloud-failure", f"the clouds have not told all in {DEADLINE:.0f} s", "try again in a minute"
        ) from None


@blueprint.post("/leftovers/removal")
@needs("admin")
@idempotent
@blueprint.input(RemovalWanted, arg_name="wanted")
@blueprint.output(JobAnswer, status_code=202, links=JOB)
@blueprint.doc(
    summary="Remove what is left over",
    description="All that nothing is against. Watch the job at its URL (`Location`); its result says what stays.",
    operation_id="removeLeftovers",
)
def remove(wanted: RemovalWanted) -> tuple[Job, int, dict[str, str]]:
    """Ask for it."""
    job = requests.remove_leftovers(services().store, who().name, wanted.force)
    audit("leftovers.remove", f"job {job.id}", force=wanted.force)
    return job, 202, {"Location": f"/v1/jobs/{job.id}"}


def _look(with_: Services) -> concurrent.futures.Future[dict[str, Any]]:
    with _LOCK:
        running = _LOOKING.get(with_.store)
        if running is None or running.done():
            running = _LOOKING[with_.store] = concurrent.futures.Future()
            threading.Thread(target=_find, args=(with_, running), name="leftovers", daemon=True).start()
        return running


def _find(with_: Services, future: concurrent.futures.Future[dict[str, Any]]) -> None:
    notes: list[str] = []
    try:
        clouds = with_.clouds
        found = leftovers.find(
            clouds.cloud("source"), clouds.cloud("destination"), with_.store, clouds.pair, notes.append
        )
        items = [{k: v for k, v in dataclasses.asdict(one).items() if k != "rows"} for one in found]
        future.set_result({"items": items, "notes": notes})
    except Exception as error:
        future.set_exception(error)
