"""The stream of events over HTTP."""

from __future__ import annotations

import time

import pytest

from pumphouse.api import login, messages
from pumphouse.api import stream as stream_module
from pumphouse.store import Store, access, events
from tests.unit.fake_api import a_migration, open_api


@pytest.fixture
def api(tmp_path, monkeypatch):
    monkeypatch.setattr(stream_module, "POLL", 0.03)
    with Store.open(f"sqlite:///{tmp_path}/pumphouse.sqlite") as store:
        api = open_api(store)
        yield api
        api.stream.close()


def first(api, path, role="viewer", number=1, **headers):
    """The first events of a stream, as text."""
    response = api.get(path, role, **headers)
    assert response.status_code == 200, response.text
    text = ""
    for chunk in response.response:
        text += chunk.decode()
        if text.count("data: ") >= number:
            break
    response.close()
    return response, text


def test_it_is_an_event_stream_that_nobody_keeps_or_delays(api):
    events.add(api.store, "log", "something")
    response, text = first(api, "/v1/events?after=0")
    assert response.mimetype == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Accel-Buffering"] == "no"
    assert text.startswith("retry: 2000\n\n")
    assert '"text":"something"' in text
    assert api.stream.count() == 0


def test_a_browser_that_comes_back_names_the_newer_place_in_the_header(api):
    for number in range(3):
        events.add(api.store, "log", f"event {number}")
    _, text = first(api, "/v1/events?after=0", **{"Last-Event-ID": "2"})
    assert "event 2" in text
    assert "event 1" not in text


def test_only_administrators_hear_who_did_what(api):
    events.add(api.store, "audit", "hidden")
    events.add(api.store, "log", "seen")
    assert "hidden" not in first(api, "/v1/events?after=0")[1]
    assert "hidden" in first(api, "/v1/events?after=0", "admin", 2)[1]


@pytest.mark.parametrize("query", ["after=x", "after=-1", "type=nothing", "migration=a", "migration=9999999999", "x=1"])
def test_what_cannot_be_filtered_by_is_refused(api, query):
    response = api.get(f"/v1/events?{query}")
    assert response.status_code == 422
    assert response.json["code"] == "invalid"


def test_several_filters_of_one_kind_are_taken(api):
    one, two, three = (a_migration(api.store) for _ in range(3))
    _, text = first(api, f"/v1/events?after=0&migration={one}&migration={three}&type=migration&type=job", number=2)
    assert [f'"id":{number}' in text for number in (one, two, three)] == [True, False, True]


def test_too_many_are_sent_away_for_now(api, monkeypatch):
    monkeypatch.setattr(api.stream, "_limit", 0)
    response = api.get("/v1/events")
    assert (response.status_code, response.json["code"]) == (503, "unavailable")
    assert response.headers["Retry-After"]


def test_a_stream_ends_when_its_token_is_revoked_but_not_when_that_cannot_be_told(api, monkeypatch):
    monkeypatch.setattr(stream_module, "CHECK", 0.2)
    monkeypatch.setattr(stream_module, "PING", 0.1)
    response = api.get("/v1/events")
    chunks = iter(response.response)
    until = time.monotonic() + 0.6
    while time.monotonic() < until:
        next(chunks)
    monkeypatch.setattr(login, "identify", lambda: 1 / 0)
    until = time.monotonic() + 0.4
    while time.monotonic() < until:
        next(chunks)
    monkeypatch.undo()
    monkeypatch.setattr(stream_module, "CHECK", 0.2)
    key = access.tokens(api.store)[0].key
    access.revoke_token(api.store, key)
    events.add(api.store, "log", "something")
    time.sleep(0.5)
    assert b"something" not in b"".join(chunks)
    response.close()


def test_every_type_that_is_sent_can_be_asked_for():
    assert {*messages.OWN.values(), messages.UNIT, messages.LOG, messages.PROGRESS} <= set(messages.TYPES)
