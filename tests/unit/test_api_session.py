"""Logging in, staying in, logging out; and how often one may fail."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from pumphouse.api import limits
from pumphouse.store import access

from .api_client import World, world


@pytest.fixture
def here() -> World:
    return world()


def log_in(here: World, role: str = "admin", **options):
    client = here.app.test_client()
    _, token = access.create_token(here.store, "ann", role)
    return client, client.post("/v1/session", json={"token": token}, **options)


def test_a_token_is_exchanged_for_a_strict_cookie(here):
    client, answer = log_in(here, "operator")
    assert answer.status_code == 201
    assert {**answer.json, "csrf_token": "", "expires": 0} == {
        "name": "ann", "role": "operator", "via": "token", "csrf_token": "", "expires": 0,
    }  # fmt: skip
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    assert client.get("/v1/session").json == answer.json


def test_the_cookie_is_secure_where_the_request_was(here):
    _, answer = log_in(here, base_url="https://pumphouse.example")
    assert "Secure" in answer.headers["Set-Cookie"]


def test_behind_a_proxy_its_word_on_https_counts():
    _, answer = log_in(world(trust_proxy=1), headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in answer.headers["Set-Cookie"]


def test_changes_with_the_cookie_need_the_csrf_token(here):
    client, answer = log_in(here)
    wanted = {"name": "new", "role": "viewer"}
    other = log_in(here)[1].json["csrf_token"]
    for sent in ({}, {"X-CSRF-Token": "wrong"}, {"X-CSRF-Token": other}, {"X-CSRF-Token": "ü"}):
        refused = client.post("/v1/tokens", json=wanted, headers=sent)
        assert (refused.status_code, refused.json["code"]) == (403, "csrf")
    made = client.post("/v1/tokens", json=wanted, headers={"X-CSRF-Token": answer.json["csrf_token"]})
    assert made.status_code == 201


def test_logging_out_ends_it_for_who_has_kept_the_cookie(here):
    client, answer = log_in(here)
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    assert client.delete("/v1/session", headers={"X-CSRF-Token": answer.json["csrf_token"]}).status_code == 204
    again = here.client.get("/v1/session", headers={"Cookie": cookie})
    assert (again.status_code, again.json["code"]) == (401, "not-logged-in")
    assert [event["action"] for event in here.audit()] == ["session.begin", "session.end"]


def test_revoking_a_token_ends_its_sessions(here):
    client, _ = log_in(here)
    (token,) = access.tokens(here.store)
    access.revoke_token(here.store, token.key)
    assert client.get("/v1/session").status_code == 401


def test_a_session_does_not_outlive_its_token(here):
    ends = time.time() + 600
    _, token = access.create_token(here.store, "short", "viewer", ends)
    assert here.client.post("/v1/session", json={"token": token}).json["expires"] == pytest.approx(ends)


def test_too_many_failures_are_refused_for_a_while_even_with_a_valid_token(here):
    for _ in range(limits.MOST):
        assert here.client.post("/v1/session", json={"token": "ph_a_b"}).status_code == 401
    for token in ("ph_a_b", here.bearer()["Authorization"].removeprefix("Bearer ")):
        answer = here.client.post("/v1/session", json={"token": token})
        assert (answer.status_code, answer.json["code"]) == (429, "too-many-attempts")
        assert 0 < int(answer.headers["Retry-After"]) <= limits.WINDOW + 1
    # From elsewhere, and for who needs no log-in, all is as before.
    other = {"REMOTE_ADDR": "198.51.100.9"}
    assert here.client.post("/v1/session", json={"token": "ph_a_b"}, environ_overrides=other).status_code == 401
    assert here.client.get("/v1/session", headers=here.bearer()).status_code == 200


def test_failures_do_not_fill_the_record(here):
    for _ in range(3 * limits.MOST):
        here.client.get("/v1/session", headers={"Authorization": "Bearer ph_a_b"})
    assert len(here.audit()) == limits.MOST


def test_a_failure_counts_until_its_time_is_over(here, monkeypatch):
    for _ in range(limits.MOST):
        here.client.post("/v1/session", json={"token": "ph_a_b"})
    later = time.time() + limits.WINDOW + 1
    monkeypatch.setattr(limits, "time", SimpleNamespace(time=lambda: later))
    assert here.client.post("/v1/session", json={"token": "ph_a_b"}).status_code == 401


def test_the_token_is_in_no_answer_and_no_record(here, caplog):
    caplog.set_level("DEBUG")
    for sent in (
        {"token": 5},
        {"token": "", "t": "ph_x_hidden"},
        {"token": "ph_x_hidden"},
        {"token": "ph_x_hidden", "a": 1},
    ):
        answer = here.client.post("/v1/session?token=ph_x_hidden", json=sent)
        assert answer.status_code in (401, 422)
        assert "hidden" not in answer.text
    assert "hidden" not in str(here.audit()) + caplog.text
