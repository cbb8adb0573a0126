"""What is left over, over the API."""

from __future__ import annotations

import threading
import time

import pytest

from pumphouse.api.routes import leftovers as routes
from pumphouse.errors import CloudError
from pumphouse.migrations.leftovers import Leftover
from pumphouse.store import Store, jobs
from tests.unit.fake_api import open_api


@pytest.fixture
def api():
    with Store.open("sqlite://") as store:
        yield open_api(store)


def test_what_was_found_and_what_could_not_be_looked_at(api, monkeypatch):
    asked = []

    def find(source, destination, store, pair, note):
        asked.append((source.role, destination.role, pair))
        note("could not look for every image of the source: it is down")
        return [Leftover("source", "image", "i1", "pumphouse-3-root-s1", "2026", 3, "its migration is running", [7])]

    monkeypatch.setattr(routes.leftovers, "find", find)
    assert api.get("/v1/leftovers").json == {
        "items": [{
            "cloud": "source", "type": "image", "id": "i1", "name": "pumphouse-3-root-s1", "since": "2026",
            "migration": 3, "keep": "its migration is running",
        }],
        "notes": ["could not look for every image of the source: it is down"],
    }  # fmt: skip
    assert asked == [("source", "destination", "old -> new")]


def test_clouds_that_hang_are_not_waited_for_and_not_asked_twice(api, monkeypatch):
    asked, answer = [], threading.Event()

    def find(*_):
        asked.append(1)
        answer.wait(10)
        return []

    monkeypatch.setattr(routes.leftovers, "find", find)
    monkeypatch.setattr(routes, "DEADLINE", 0.2)
    for _ in range(2):
        before = time.monotonic()
        response = api.get("/v1/leftovers")
        assert (response.status_code, response.json["code"]) == (502, "cloud-failure")
        assert time.monotonic() - before < 5
    assert len(asked) == 1
    answer.set()
    time.sleep(0.1)
    assert api.get("/v1/leftovers").json == {"items": [], "notes": []}
    assert len(asked) == 2, "what was found before is not what is there now"


def test_a_cloud_that_says_no_is_quoted(api, monkeypatch):
    def find(*_):
        raise CloudError("Keystone said no")

    monkeypatch.setattr(routes.leftovers, "find", find)
    response = api.get("/v1/leftovers")
    assert (response.status_code, response.json["detail"]) == (502, "Keystone said no")


def test_only_administrators_have_them_removed(api):
    assert api.post("/v1/leftovers/removal", {}).status_code == 403
    assert not jobs.newest(api.store)
    response = api.post("/v1/leftovers/removal", {"force": True}, "admin")
    assert response.status_code == 202
    (job,) = jobs.newest(api.store)
    assert response.headers["Location"] == f"/v1/jobs/{job.id}"
    assert (job.kind, job.arguments, job.created_by) == ("leftovers", {"force": True}, "some admin")
    assert [(one["action"], one["data"]) for one in api.audits()] == [("leftovers.remove", {"force": True})]
    assert api.post("/v1/leftovers/removal", {"force": "perhaps"}, "admin").status_code == 422
