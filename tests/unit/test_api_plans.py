"""Plans over the API."""

from __future__ import annotations

import pytest

from pumphouse.api import summaries
from pumphouse.planning.plan import Finding
from pumphouse.store import Store, jobs, plans
from tests.unit.fake_api import PAIR, a_plan, a_ready_plan, open_api


@pytest.fixture
def api():
    with Store.open("sqlite://") as store:
        yield open_api(store)


def test_asking_for_one_makes_a_job_and_says_where_to_watch(api):
    response = api.post("/v1/plans", {"selection": {"tenant": "acme", "accepted": ["server:web-1:memory"]}})
    assert response.status_code == 202
    assert response.headers["Location"] == f"/v1/plans/{response.json['id']}"
    assert response.json["selection"] == {"tenant": "acme", "accepted": ["server:web-1:memory"]}
    assert (response.json["state"], response.json["created_by"], response.json["plan"]) == (
        "making", "some operator", None,
    )  # fmt: skip
    (job,) = jobs.newest(api.store)
    assert (job.kind, job.plan_id) == ("plan", response.json["id"])
    (row,) = plans.newest(api.store)
    assert (row.pair, row.selection) == (PAIR, {"tenant": "acme", "accepted": ["server:web-1:memory"]})
    assert [(one["actor"], one["action"], one["target"]) for one in api.audits()] == [
        ("some operator", "plan.create", f"plan {row.id}")
    ]


def test_asking_twice_with_one_key_makes_one(api):
    wanted = {"selection": {"servers": ["web-1"]}}
    first = api.post("/v1/plans", wanted, Idempotency_Key="k1")
    again = api.post("/v1/plans", wanted, Idempotency_Key="k1")
    assert (first.json["id"], first.headers["Location"]) == (again.json["id"], again.headers["Location"])
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(plans.newest(api.store)) == len(api.audits()) == 1
    assert api.post("/v1/plans", {"selection": {"all": True}}, Idempotency_Key="k1").status_code == 422


@pytest.mark.parametrize(
    ("selection", "field"),
    [
        ({}, "selection"),
        ({"domain": "default"}, "selection"),
        ({"accepted": ["server:a:memory"]}, "selection"),
        ({"all": True, "servers": ["web-1"]}, "selection"),
        ({"all": True, "tenant": "acme"}, "selection"),
        ({"tenant": ""}, "selection.tenant"),
        ({"tenant": "x" * 256}, "selection.tenant"),
        ({"server": ["web-1"]}, "selection.server"),
        ({"servers": "web-1"}, "selection.servers"),
        ({"servers": [""]}, "selection.servers.0"),
        ({"servers": ["x"] * 1001}, "selection.servers"),
        ({"tenant": 7}, "selection.tenant"),
        (None, "selection"),
    ],
)
def test_a_selection_that_says_nothing_or_two_things_is_refused(api, selection, field):
    response = api.post("/v1/plans", {"selection": selection})
    assert response.status_code == 422
    assert (response.json["code"], response.json["field"]) == ("invalid", field)
    assert not plans.newest(api.store)


def test_viewers_only_read(api):
    number = a_ready_plan(api.store)
    assert api.post("/v1/plans", {"selection": {"tenant": "acme"}}, role="viewer").status_code == 403
    assert api.get(f"/v1/plans/{number}").status_code == 200


def test_a_ready_plan_is_what_was_planned_and_summed_up(api):
    findings = [Finding("blocks", "server", "s0", "web-0", "no room"), Finding("loses", "", "", "", "no Octavia")]
    plan = a_plan(*findings)
    number = a_ready_plan(api.store, plan)
    told = api.get(f"/v1/plans/{number}").json
    assert told["plan"] == plan.to_json()
    assert told["summary"] == {
        "create": 3, "move": 0, "reuse": 0, "conflict": 0, "skip": 0, "units": 3, "not_carried": 1, "bytes": 200,
        "seconds": 60, "downtime": 21, "servers": 2, "blocks": 1, "loses": 3, "notes": 1, "ignorable": True,
    }  # fmt: skip


def test_what_has_not_changed_is_not_sent_again(api):
    row = plans.add(api.store, PAIR, {"tenant": "acme"}, "somebody")
    etag = api.get(f"/v1/plans/{row.id}").headers["ETag"]
    assert api.get(f"/v1/plans/{row.id}", If_None_Match=etag).status_code == 304
    plans.say(api.store, row.id, "reading servers")
    said = api.get(f"/v1/plans/{row.id}", If_None_Match=etag)
    assert (said.status_code, said.json["said"]) == (200, "reading servers")
    plans.ready(api.store, row.id, a_plan().to_json())
    ready = api.get(f"/v1/plans/{row.id}", If_None_Match=said.headers["ETag"])
    assert (ready.status_code, ready.json["state"]) == (200, "ready")
    unchanged = api.get(f"/v1/plans/{row.id}", If_None_Match=ready.headers["ETag"])
    assert (unchanged.status_code, unchanged.data) == (304, b"")


def test_one_that_failed_says_why(api):
    row = plans.add(api.store, PAIR, {"tenant": "nobody"}, "somebody")
    error = {"code": "invalid", "detail": "there is no project 'nobody'", "remedy": "see the list"}
    plans.failed(api.store, row.id, error)
    told = api.get(f"/v1/plans/{row.id}").json
    assert (told["state"], told["error"], told["summary"], told["plan"]) == ("failed", error, None, None)


def test_lists_come_in_parts_and_do_not_read_the_plans_twice(api, monkeypatch):
    numbers = [a_ready_plan(api.store) for _ in range(5)]
    path, found = "/v1/plans?limit=2", []
    while path:
        part = api.get(path).json
        assert len(part["items"]) <= 2
        assert all("plan" not in one and one["summary"]["create"] == 3 for one in part["items"])
        found += [one["id"] for one in part["items"]]
        path = part["next"]
    assert found == numbers[::-1]
    monkeypatch.setattr(summaries, "summarize", None)
    assert len(api.get("/v1/plans").json["items"]) == 5


@pytest.mark.parametrize("path", ["/v1/plans/99", "/v1/plans/99999999999999999999"])
def test_there_is_no_such_plan(api, path):
    a_ready_plan(api.store)
    response = api.get(path)
    assert (response.status_code, response.json["code"]) == (404, "not-found")
