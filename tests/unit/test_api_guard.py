"""Who is let in, and to what."""

from __future__ import annotations

import time

import pytest
from apiflask import APIBlueprint

from pumphouse.api import app as application
from pumphouse.api import guard
from pumphouse.api.identity import Identity, network
from pumphouse.api.routes import BLUEPRINTS
from pumphouse.store import access

from .api_client import World, world

#: All that may be had without a log-in.
ANYBODY = {
    "GET /", "GET /ui/<path:path>", "GET /healthz", "GET /readyz", "GET /v1/version", "GET /v1/openapi.json",
    "GET /v1/docs", "POST /v1/session",
}  # fmt: skip


@pytest.fixture
def here() -> World:
    return world()


def test_nothing_else_is_open_to_anybody():
    app = world(BLUEPRINTS).app
    open_ = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if guard.role_of(app.view_functions[rule.endpoint]) == ""
    }
    assert open_ == ANYBODY


def test_every_other_address_asks_for_a_log_in_whatever_is_sent():
    app = world(BLUEPRINTS).app
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        path = rule.build(dict.fromkeys(rule.arguments, 1), append_unknown=False)[1]
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            if f"{method} {rule.rule}" not in ANYBODY:
                answer = client.open(path, method=method, json={"surely": "wrong"})
                assert (answer.status_code, answer.json["code"]) == (401, "not-logged-in"), (method, path)


def test_a_view_that_does_not_say_who_may_use_it_stops_the_start(monkeypatch):
    blueprint = APIBlueprint("forgotten", __name__)
    blueprint.get("/forgotten")(lambda: "secrets")
    monkeypatch.setattr(application, "blueprints", lambda _: [blueprint])
    with pytest.raises(RuntimeError, match="forgotten"):
        world()


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("operator", 403), ("admin", 200)])
def test_each_role_includes_those_below_it_only(here, role, status):
    assert here.client.get("/v1/tokens", headers=here.bearer(role)).status_code == status
    assert here.client.get("/metrics", headers=here.bearer(role)).status_code == 200


def test_who_may_not_is_told_what_is_needed(here):
    problem = here.client.get("/v1/audit", headers=here.bearer("operator")).json
    assert problem["code"] == "forbidden"
    assert "admin" in problem["detail"]
    assert "operator" in problem["detail"]


def test_tokens_that_are_wrong_expired_or_revoked_are_refused(here):
    token, proof = access.create_token(here.store, "gone", "admin")
    access.revoke_token(here.store, token.key)
    wrong = [
        {"Authorization": f"Bearer {proof}"},
        here.bearer(expires=time.time() - 1),
        {"Authorization": f"Bearer ph_{token.key}_wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic cGg6eA=="},
        {"X-Auth-Token": "gAAAAA" + "x" * 100},
    ]
    for headers in wrong:
        answer = here.client.get("/v1/session", headers=headers)
        assert (answer.status_code, answer.json["code"]) == (401, "bad-credentials"), headers
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert proof not in answer.text


def test_a_refused_token_is_recorded_without_itself(here):
    here.client.get("/v1/session", headers={"Authorization": "Bearer ph_abc_topsecret"})
    (event,) = here.audit()
    assert (event["action"], event["address"]) == ("login.failed", "127.0.0.1")
    assert "topsecret" not in str(event)


def test_where_a_request_comes_from_is_believed_of_configured_proxies_only():
    said = {"X-Forwarded-For": "198.51.100.7", "Authorization": "Bearer ph_x_y"}
    for hops, address in ((0, "127.0.0.1"), (1, "198.51.100.7")):
        there = world(trust_proxy=hops)
        there.client.get("/v1/session", headers=said)
        assert there.audit()[0]["address"] == address


def test_callers_of_one_ipv6_network_are_one():
    assert network("2001:db8::1") == network("2001:db8::ffff:1") != network("2001:db8:0:1::1")
    assert network("::ffff:192.0.2.1") == network("192.0.2.1")


def test_who_shows_no_secret():
    assert "cookie" not in repr(Identity("n", "admin", "token:k", "a", session="the cookie"))
