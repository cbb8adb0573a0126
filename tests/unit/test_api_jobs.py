"""Jobs over the API."""

from __future__ import annotations

import pytest

from pumphouse.store import Store, jobs
from tests.unit.fake_api import a_migration, open_api


@pytest.fixture
def api():
    with Store.open("sqlite://") as store:
        yield open_api(store)


def test_a_job_from_its_beginning_to_its_end(api):
    number = a_migration(api.store, state="done")
    job = jobs.add(api.store, "rollback", "somebody", migration_id=number, arguments={"servers": ["web-1"]})
    told = api.get(f"/v1/jobs/{job.id}").json
    assert (told["kind"], told["state"], told["migration_id"], told["created_by"]) == (
        "rollback", "queued", number, "somebody",
    )  # fmt: skip
    assert told["error"] is told["result"] is told["started"] is told["finished"] is None
    taken = jobs.take(api.store, "engine", lambda _: False, ("rollback",))
    jobs.say(api.store, taken, "undoing server web-1")
    told = api.get(f"/v1/jobs/{job.id}").json
    assert (told["state"], told["said"], told["started"] is None) == ("running", "undoing server web-1", False)
    jobs.end(api.store, taken, result={"stays": ["server web-1 stays: it was accepted"]})
    told = api.get(f"/v1/jobs/{job.id}").json
    assert (told["state"], told["result"]) == ("done", {"stays": ["server web-1 stays: it was accepted"]})
    assert "owner" not in told
    assert "lease" not in told


def test_one_that_failed_says_why(api):
    jobs.add(api.store, "leftovers", "somebody")
    job = jobs.take(api.store, "engine", lambda _: False, ("leftovers",))
    error = {"code": "cloud-failure", "detail": "Nova said no", "remedy": "look into its log"}
    jobs.end(api.store, job, error=error)
    told = api.get(f"/v1/jobs/{job.id}").json
    assert (told["state"], told["error"]) == ("failed", {**error, "field": None})


def test_they_are_listed_the_newest_first_in_parts(api):
    numbers = [a_migration(api.store) for _ in range(2)]
    made = [jobs.add(api.store, "verify", "somebody", migration_id=numbers[n % 2]).id for n in range(5)]
    found, path = [], "/v1/jobs?limit=2"
    while path:
        part = api.get(path).json
        found, path = [*found, *(one["id"] for one in part["items"])], part["next"]
    assert found == made[::-1]
    assert [one["id"] for one in api.get(f"/v1/jobs?migration={numbers[1]}").json["items"]] == [made[3], made[1]]
    assert api.get("/v1/jobs?state=running").json["items"] == []
    assert api.get("/v1/jobs?state=odd").status_code == 422


def test_there_is_no_such_job(api):
    response = api.get("/v1/jobs/7")
    assert (response.status_code, response.json["code"]) == (404, "not-found")
