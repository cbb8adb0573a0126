"""Migrations over the API."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode

import pytest
import sqlalchemy as sa

from pumphouse.api import movement
from pumphouse.planning.plan import Finding
from pumphouse.store import Store, claims, jobs, plans
from pumphouse.store.watched import Head
from tests.unit.fake_api import PAIR, a_migration, a_plan, a_ready_plan, open_api


@pytest.fixture
def api():
    with Store.open("sqlite://") as store:
        yield open_api(store)


# -- begin --------------------------------------------------------------------------------------------------


def test_one_is_begun_from_a_plan_and_only_once(api):
    plan = a_ready_plan(api.store)
    response = api.post("/v1/migrations", {"plan_id": plan, "concurrency": 7})
    assert response.status_code == 202
    number = response.json["id"]
    assert response.headers["Location"] == f"/v1/migrations/{number}"
    assert response.json["state"] == "queued"
    assert (response.json["units"], response.json["bytes_total"], response.json["concurrency"]) == (3, 200, 7)
    assert (response.json["started_by"], response.json["source"]) == ("some operator", "source (old)")
    job = jobs.newest(api.store)[0]
    assert (job.kind, job.migration_id) == ("migrate", number)
    assert api.get(f"/v1/plans/{plan}").json["migration_id"] == number
    again = api.post("/v1/migrations", {"plan_id": plan})
    assert (again.status_code, again.json["code"]) == (409, "conflict")
    assert f"by migration {number}" in again.json["detail"]
    assert [(one["action"], one["target"]) for one in api.audits()] == [("migration.create", f"migration {number}")]


def test_one_is_begun_from_a_selection_which_is_planned_first(api):
    response = api.post("/v1/migrations", {"selection": {"tenant": "acme"}})
    assert (response.status_code, response.json["state"]) == (202, "planning")
    assert response.json["selection"] == {"tenant": "acme"}
    for path in ("plan", "report", "differences"):
        answer = api.get(f"/v1/migrations/{response.json['id']}/{path}")
        assert (answer.status_code, answer.json["code"]) == (409, "conflict"), path


def test_an_answer_that_was_lost_is_asked_for_again_without_harm(api):
    wanted = {"plan_id": a_ready_plan(api.store)}
    first, again = (api.post("/v1/migrations", wanted, Idempotency_Key="once") for _ in range(2))
    assert first.json["id"] == again.json["id"]
    assert len(api.store.history()) == 1


def test_what_blocks_is_ignored_only_on_demand(api):
    plan = a_ready_plan(api.store, a_plan(Finding("blocks", "server", "s0", "web-0", "no room")))
    refused = api.post("/v1/migrations", {"plan_id": plan})
    assert (refused.status_code, "no room" in refused.json["detail"]) == (409, True)
    assert "ignore_findings" in refused.json["remedy"]
    assert api.post("/v1/migrations", {"plan_id": plan, "ignore_findings": True}).status_code == 202


def test_a_plan_that_is_not_ready_or_of_other_clouds_is_refused(api):
    making = plans.add(api.store, PAIR, {"tenant": "acme"}, "somebody")
    assert api.post("/v1/migrations", {"plan_id": making.id}).json["detail"] == f"plan {making.id} is making"
    other = plans.add(api.store, "elsewhere -> new", {"tenant": "acme"}, "somebody")
    plans.ready(api.store, other.id, a_plan().to_json())
    assert "elsewhere" in api.post("/v1/migrations", {"plan_id": other.id}).json["detail"]
    assert not api.store.history()


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({}, None),
        ({"plan_id": 1, "selection": {"tenant": "acme"}}, None),
        ({"plan_id": 99}, "plan_id"),
        ({"plan_id": 2**31}, "plan_id"),
        ({"plan_id": 0}, "plan_id"),
        ({"plan_id": 1, "concurrency": 0}, "concurrency"),
        ({"plan_id": 1, "concurrency": 65}, "concurrency"),
        ({"plan_id": 1, "concurency": 5}, "concurency"),
        ({"selection": {"all": True, "tenant": "x"}}, "selection"),
    ],
)
def test_what_cannot_be_begun_is_refused_with_the_field(api, wanted, field):
    response = api.post("/v1/migrations", wanted)
    assert (response.status_code, response.json["code"], response.json["field"]) == (422, "invalid", field)


# -- read ---------------------------------------------------------------------------------------------------


def test_how_far_it_is(api):
    number = a_migration(api.store)
    claims.take(api.store, number, "server:s0", "elsewhere/1//x")
    api.store.update_unit(number, "identity:p1", state="done", accepted=True)
    api.store.update_unit(number, "server:s0", state="running", bytes_done=40, step="copying")
    told = api.get(f"/v1/migrations/{number}").json
    expected = {
        "id": number, "state": "running", "units": 3, "units_done": 1, "units_failed": 0, "units_running": 1,
        "bytes_done": 40, "bytes_total": 200, "rate": None, "accepted": 1, "running": True, "error": "", "wish": "",
        "started_by": "root", "source": "old", "destination": "new",
        "can": {"cancel": True, "resume": False, "rollback": False, "accept": False, "verify": False},
    }  # fmt: skip
    assert {name: told[name] for name in expected} == expected
    # 160 bytes at the 10 a second of the estimate, and two of three units of its 40 seconds beside the bytes.
    assert told["seconds_left"] == pytest.approx(16 + 40 * 2 / 3, abs=0.1)
    (listed,) = api.get("/v1/migrations").json["items"]
    assert listed == {**told, "can": listed["can"], "seconds_left": listed["seconds_left"]}
    assert listed["can"] == told["can"]


def test_one_that_has_failed_says_why_and_what_can_be_done(api):
    number = a_migration(api.store, state="failed")
    api.store.update_unit(number, "server:s1", state="failed", error="Nova said no")
    told = api.get(f"/v1/migrations/{number}").json
    assert (told["error"], told["units_failed"]) == ("server web-1: Nova said no", 1)
    assert told["can"] == {"cancel": False, "resume": True, "rollback": True, "accept": True, "verify": True}
    assert api.get("/v1/migrations").json["items"][0]["can"] == told["can"]
    jobs.add(api.store, "verify", "somebody", migration_id=number)
    told = api.get(f"/v1/migrations/{number}").json
    assert not any(told["can"].values())
    assert api.get("/v1/migrations").json["items"][0]["can"] == told["can"]


def test_one_whose_planning_failed_says_why(api):
    number = api.post("/v1/migrations", {"selection": {"tenant": "nobody"}}).json["id"]
    job = jobs.take(api.store, "engine", lambda _: False, ("migrate",))
    api.store.set_migration_state(number, "failed")
    jobs.end(api.store, job, error={"code": "invalid", "detail": "there is no project 'nobody'", "remedy": ""})
    assert api.get(f"/v1/migrations/{number}").json["error"] == "there is no project 'nobody'"


def test_what_has_not_changed_is_not_sent_again(api):
    number = a_migration(api.store, state="done")
    for path in (f"/v1/migrations/{number}", f"/v1/migrations/{number}/units", f"/v1/migrations/{number}/plan"):
        etag = api.get(path).headers["ETag"]
        assert api.get(path, If_None_Match=etag).status_code == 304, path
    etag = api.get(f"/v1/migrations/{number}").headers["ETag"]
    api.store.update_unit(number, "server:s1", state="done")
    assert api.get(f"/v1/migrations/{number}", If_None_Match=etag).status_code == 200


def test_lists_can_be_searched_and_come_in_parts(api):
    acme = [a_migration(api.store, state="done", projects=["p1"]) for _ in range(3)]
    other = a_migration(api.store, a_plan(tenant="Zürich"), state="failed", projects=["p2", "p3"])

    def ids(query):
        found, path = [], f"/v1/migrations?limit=2{query}"
        while path:
            part = api.get(path).json
            found, path = [*found, *(one["id"] for one in part["items"])], part["next"]
        assert part["total"] == len(found)
        return found

    assert ids("") == [other, *acme[::-1]]
    assert ids("&state=done") == acme[::-1]
    assert ids("&state=running") == []
    assert ids("&tenant=p3") == [other]
    assert ids("&tenant=p1&state=done") == acme[::-1]
    assert ids("&search=zÜRICH") == [other]
    assert ids(f"&search={acme[1]}") == [acme[1]]
    assert ids("&search=acme&state=failed") == []


@pytest.mark.parametrize("query", ["state=lost", "limit=0", "limit=201", "marker=x", "color=red"])
def test_filters_that_are_none_are_refused(api, query):
    assert api.get(f"/v1/migrations?{query}").status_code == 422


@pytest.mark.parametrize("path", ["", "/plan", "/units", "/units/x", "/events", "/report", "/differences"])
def test_there_is_no_such_migration(api, path):
    response = api.get(f"/v1/migrations/5{path}")
    assert (response.status_code, response.json["code"]) == (404, "not-found")


def test_lists_never_read_the_plans(api, monkeypatch):
    a_migration(api.store, state="done")
    statements = []
    sa.event.listen(api.store.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert api.get("/v1/migrations").status_code == 200
    assert statements
    assert not any(re.search(r"\bmigrations\.plan\b", text) for text in statements)
    assert len([text for text in statements if " units" in text]) <= 2


# -- afterwards ---------------------------------------------------------------------------------------------


def result(store, number, verdict="equal", field="status"):
    fields = [{"field": field, "verdict": verdict, "source": "ACTIVE", "destination": "ERROR", "reason": "<it broke>"}]
    store.save_result(number, "server:s0", "server", "s0", "web-0", "d0", verdict, fields, None)


def test_the_report_as_json_and_as_a_page_whose_style_the_browser_takes(api):
    number = a_migration(api.store, state="done")
    result(api.store, number, "differs")
    told = api.get(f"/v1/migrations/{number}/report")
    assert told.json["migration"]["id"] == number
    assert told.json["resources"][0]["type"] == "project"
    for path, headers in (("?format=html", {}), ("", {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})):
        page = api.get(f"/v1/migrations/{number}/report{path}", **headers)
        assert page.mimetype == "text/html"
        assert "&lt;it broke&gt;" in page.text
        (style,) = re.findall("<style>(.*?)</style>", page.text, re.DOTALL)
        digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = page.headers["Content-Security-Policy"]
        assert f"style-src 'sha256-{digest}'" in policy
        assert "unsafe" not in policy
        assert ' style="' not in page.text
    assert api.get(f"/v1/migrations/{number}/report?format=json", Accept="text/html").json
    assert api.get(f"/v1/migrations/{number}/report?format=pdf").status_code == 422


def test_the_plan_is_what_was_planned(api):
    number = a_migration(api.store)
    assert api.get(f"/v1/migrations/{number}/plan").json == a_plan().to_json()


def test_differences_are_named_as_they_are_accepted(api):
    number = a_migration(api.store, state="done")
    for name in ("identity:p1", "server:s0"):
        api.store.update_unit(number, name, state="done")
    result(api.store, number, "differs")
    assert api.get(f"/v1/migrations/{number}/differences").json["items"] == [
        {"name": "unit:server:s1", "reason": "server web-1 is pending"},
        {"name": "server:web-0:status", "reason": "<it broke>"},
    ]
    wanted = {"delete_source": False, "confirm": number}
    refused = api.post(f"/v1/migrations/{number}/accept", wanted)
    assert (refused.status_code, "server:web-0:status" in refused.json["detail"]) == (409, True)
    assert "despite" in refused.json["remedy"]
    despite = ["unit:server:s1", "server:web-0:status"]
    accepted = api.post(f"/v1/migrations/{number}/accept", {**wanted, "despite": despite})
    assert (accepted.status_code, accepted.json["kind"]) == (202, "accept")


def test_each_request_becomes_a_job_and_is_written_down(api):
    asked = {
        "cancel": ({}, "running"),
        "resume": ({"concurrency": 9}, "failed"),
        "rollback": ({"servers": ["s1"]}, "done"),
        "verify": ({"bytes": True}, "done"),
    }
    for verb, (wanted, state) in asked.items():
        number = a_migration(api.store, state=state)
        response = api.post(f"/v1/migrations/{number}/{verb}", wanted)
        assert response.status_code == 202, response.text
        job = jobs.get(api.store, response.json["id"])
        assert response.headers["Location"] == f"/v1/jobs/{job.id}"
        assert (job.kind, job.migration_id, job.created_by) == (verb, number, "some operator")
        assert job.arguments == wanted
        entry = api.audits()[-1]
        assert (entry["action"], entry["target"]) == (f"migration.{verb}", f"migration {number}")
        assert entry["data"] == wanted


def test_a_state_that_does_not_allow_it_is_named(api):
    states = {"cancel": "done", "resume": "done", "rollback": "reverted", "verify": "running", "accept": "running"}
    for verb, state in states.items():
        number = a_migration(api.store, state=state)
        wanted = {"delete_source": False, "confirm": number} if verb == "accept" else {}
        response = api.post(f"/v1/migrations/{number}/{verb}", wanted)
        assert (response.status_code, response.json["code"]) == (409, "conflict"), verb
        assert f"migration {number} is {state}" in response.json["detail"]
    assert not jobs.newest(api.store)
    assert not api.audits()


def test_the_source_is_deleted_only_for_administrators_who_name_the_migration_once_more(api):
    number = a_migration(api.store, state="done")
    for name in ("identity:p1", "server:s0", "server:s1"):
        api.store.update_unit(number, name, state="done")
    path, wanted = f"/v1/migrations/{number}/accept", {"delete_source": True, "confirm": number}
    refused = api.post(path, wanted)
    assert (refused.status_code, refused.json["code"], refused.json["field"]) == (403, "forbidden", "delete_source")
    for wrong in ({"confirm": number + 1, "delete_source": True}, {"delete_source": True}, {"confirm": number}):
        assert api.post(path, wrong, "admin").status_code == 422
    assert not jobs.newest(api.store)
    assert api.post(path, wanted, "admin").status_code == 202
    assert jobs.newest(api.store)[0].arguments == {"servers": [], "delete_source": True, "despite": []}


@pytest.mark.parametrize("verb", ["cancel", "resume", "rollback", "verify", "accept"])
def test_viewers_change_nothing_and_unknown_ones_are_unknown(api, verb):
    number = a_migration(api.store, state="done")
    wanted = {"delete_source": False, "confirm": number} if verb == "accept" else {}
    assert api.post(f"/v1/migrations/{number}/{verb}", wanted, "viewer").status_code == 403
    wanted = {"delete_source": False, "confirm": 999} if verb == "accept" else {}
    assert api.post(f"/v1/migrations/999/{verb}", wanted).status_code == 404
    assert api.post(f"/v1/migrations/{number}/{verb}", {**wanted, "more": 1}).status_code == 422


def test_a_request_that_is_sent_twice_is_one_job(api):
    number = a_migration(api.store, state="done")
    first, again = (api.post(f"/v1/migrations/{number}/verify", {}, Idempotency_Key="v") for _ in range(2))
    assert (first.status_code, again.status_code, first.json["id"]) == (202, 202, again.json["id"])
    assert len(jobs.newest(api.store)) == 1


# -- times --------------------------------------------------------------------------------------------------


def a_head(**more):
    zeros = dict.fromkeys(
        ("units_done", "units_failed", "units_running", "units_open", "accepted", "claimed", "bytes_done"), 0
    )
    known = {"id": 1, "pair": PAIR, "selection": {}, "options": {}, "state": "running", "wish": "", "created": 0.0}
    return Head(**{**known, "updated": 0.0, "units": 10, "bytes_total": 1000, "bytes_left": 1000, **zeros, **more})


@pytest.mark.parametrize(
    ("head", "estimate", "rate", "left"),
    [
        # 1,000 bytes as fast as now; and half of the units' share of the estimate.
        (a_head(units_open=5), {"seconds": 300, "bytes": 1000, "bytes_per_second": 10}, 100.0, 10 + 200 / 2),
        # Nothing was measured: by the estimate, two at once.
        (
            a_head(units_open=5, options={"concurrency": 2}),
            {"seconds": 300, "bytes": 1000, "bytes_per_second": 10},
            None,
            50 + 200 / 2 / 2,
        ),
        (a_head(units_open=0, bytes_left=0), {"seconds": 300, "bytes": 1000, "bytes_per_second": 10}, 5.0, 0),
        (a_head(units_open=5), {}, 100.0, 10),
        (a_head(units_open=5), {}, None, None),
        (a_head(units_open=5, bytes_left=0), {}, None, None),
    ],
)
def test_the_time_that_is_left(head, estimate, rate, left):
    assert movement.seconds_left(head, estimate, rate) == left


def test_leases_that_have_run_out_are_of_no_live_process(api):
    number = a_migration(api.store)
    claims.take(api.store, number, "server:s0", "elsewhere/1//x", lease=-5)
    assert api.get(f"/v1/migrations/{number}").json["running"] is False
