"""Units and the events of a migration over the API."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from pumphouse.api.routes import units as routes
from pumphouse.planning.plan import Unit
from pumphouse.store import Store, events
from tests.unit.fake_api import a_migration, a_plan, open_api


@pytest.fixture
def api():
    with Store.open("sqlite://") as store:
        yield open_api(store)


def test_units_are_in_the_order_of_the_plan_with_what_they_need(api):
    number = a_migration(api.store)
    api.store.update_unit(number, "server:s0", state="failed", error="Nova said no", bytes_done=7, downtime=3.5)
    told = api.get(f"/v1/migrations/{number}/units").json
    assert (told["total"], told["next"]) == (3, None)
    assert [(one["name"], one["needs"]) for one in told["items"]] == [
        ("identity:p1", []), ("server:s0", ["identity:p1"]), ("server:s1", ["identity:p1"]),
    ]  # fmt: skip
    assert told["items"][1] == {
        "name": "server:s0", "kind": "server", "title": "server web-0", "state": "failed", "step": "", "bytes_done": 7,
        "bytes_total": 100, "started": None, "finished": None, "downtime": 3.5, "error": "Nova said no",
        "accepted": False, "needs": ["identity:p1"],
    }  # fmt: skip


def test_they_come_in_parts_and_by_state(api):
    plan = a_plan(servers=9)
    numbers = [a_migration(api.store, plan) for _ in range(2)]
    for name in ("server:s1", "server:s4", "server:s8"):
        api.store.update_unit(numbers[1], name, state="failed")
    for query, expected in (
        ("?limit=4", [unit.name for unit in plan.units]),
        ("?limit=2&state=failed", ["server:s1", "server:s4", "server:s8"]),
    ):
        found, path = [], f"/v1/migrations/{numbers[1]}/units{query}"
        while path:
            part = api.get(path).json
            found, path = [*found, *(one["name"] for one in part["items"])], part["next"]
            assert part["total"] == len(expected)
        assert found == expected
    assert api.get(f"/v1/migrations/{numbers[1]}/units?state=lost").status_code == 422


def test_a_unit_has_its_resources_and_the_end_of_its_log(api, monkeypatch):
    monkeypatch.setattr(routes, "LOG", 3)
    number = a_migration(api.store)
    for step in range(5):
        api.store.add_event(number, "step", f"step {step}", unit="server:s1")
        api.store.add_event(number, "step", "of another", unit="server:s0")
    told = api.get(f"/v1/migrations/{number}/units/server:s1").json
    assert told["items"] == [a_plan().to_json()["units"][2]["items"][0]]
    assert [one["text"] for one in told["log"]] == ["step 2", "step 3", "step 4"]
    assert {one["type"] for one in told["log"]} == {"unit"}


@pytest.mark.parametrize("name", ["volume:a/b", "credentials:ümläut %2F", "keypairs:x y", "a//b"])
def test_names_may_hold_anything(api, name):
    plan = a_plan()
    plan.units.append(Unit(name, "volume", "odd"))
    number = a_migration(api.store, plan)
    response = api.get(f"/v1/migrations/{number}/units/{quote(name, safe='')}")
    assert (response.status_code, response.json["title"]) == (200, "odd")


def test_there_is_no_such_unit(api):
    response = api.get(f"/v1/migrations/{a_migration(api.store)}/units/server:none")
    assert (response.status_code, response.json["code"]) == (404, "not-found")


def test_events_follow_one_another_in_parts(api):
    number, other = a_migration(api.store), a_migration(api.store)
    for step in range(5):
        api.store.add_event(number, "step", f"step {step}", unit="server:s1")
        api.store.add_event(other, "step", "of another", unit="server:s1")
    events.add(api.store, events.AUDIT, "somebody did something", number)
    found, path = [], f"/v1/migrations/{number}/events?limit=2"
    while path:
        part = api.get(path).json
        found, path = [*found, *part["items"]], part["next"]
    assert [one["text"] for one in found] == ["running", *(f"step {step}" for step in range(5))]
    late = api.get(f"/v1/migrations/{number}/events?after={found[3]['id']}&unit=server:s1").json["items"]
    assert [one["text"] for one in late] == ["step 3", "step 4"]
    assert api.get(f"/v1/migrations/{number}/events?limit=1001").status_code == 422


def test_a_plan_that_comes_later_is_seen(api):
    number = api.store.start_migration("old -> new", {"tenant": "acme"}, {}, {}, (), "planning")
    assert api.get(f"/v1/migrations/{number}/units").json["items"] == []
    plan = a_plan()
    api.store.set_plan(number, plan.to_json(), [(unit.name, unit.kind, unit.title, 0) for unit in plan.units])
    told = api.get(f"/v1/migrations/{number}/units").json["items"]
    assert [one["needs"] for one in told] == [[], ["identity:p1"], ["identity:p1"]]
