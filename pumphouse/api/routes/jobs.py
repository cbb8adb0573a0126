"""Jobs: what was asked for and takes long."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from ...store import jobs
from ..guard import needs
from ..paging import marker_id, page
from ..problems import not_found
from ..schemas.jobs import JobAnswer, JobList, JobQuery
from ..services import services

blueprint = APIBlueprint("jobs", __name__, url_prefix="/v1", tag="Jobs")


@blueprint.get("/jobs")
@needs("viewer")
@blueprint.input(JobQuery, location="query", arg_name="query")
@blueprint.output(JobList)
@blueprint.doc(summary="List the jobs", description="The newest first.", operation_id="listJobs")
def list_(query: JobQuery) -> dict[str, Any]:
    """A part of them."""
    rows = jobs.newest(
        services().store,
        before=marker_id(query.marker),
        limit=query.limit + 1,
        migration_id=query.migration,
        states=(query.state,) if query.state else (),
    )
    more, rows = len(rows) > query.limit, rows[: query.limit]
    return page(rows, rows[-1].id if more else None)


@blueprint.get("/jobs/<int:job_id>")
@needs("viewer")
@blueprint.output(JobAnswer)
@blueprint.doc(
    summary="Read a job",
    description="Ask until its state is `done` or `failed`, or listen to the events of type `job`.",
    operation_id="getJob",
    responses={404: "There is no such job"},
)
def get(job_id: int) -> jobs.Job:
    """One of them."""
    found = jobs.get(services().store, job_id)
    if found is None:
        raise not_found(f"job {job_id}", "GET /v1/jobs lists them")
    return found
