"""Tokens over the API, and the record of who did what."""

from __future__ import annotations

import time

import pytest

from pumphouse.store import models

from .api_client import World, world


@pytest.fixture
def here() -> World:
    return world()


def test_a_token_is_shown_once_works_and_can_be_revoked(here):
    admin = here.bearer()
    made = here.client.post("/v1/tokens", json={"name": "ci", "role": "operator"}, headers=admin)
    assert made.status_code == 201
    token = {"Authorization": f"Bearer {made.json['token']}"}
    assert here.client.get("/v1/session", headers=token).json["role"] == "operator"
    listed = here.client.get("/v1/tokens", headers=admin)
    assert made.json["token"].split("_", 2)[2] not in listed.text
    assert [item["name"] for item in listed.json["items"]] == ["a admin", "ci"]
    assert here.client.delete(f"/v1/tokens/{made.json['key']}", headers=admin).status_code == 204
    assert here.client.get("/v1/session", headers=token).status_code == 401
    assert here.client.delete("/v1/tokens/nix", headers=admin).json["code"] == "not-found"


def test_a_token_that_would_be_worth_nothing_is_not_made(here):
    body = {"name": "late", "role": "viewer", "expires": time.time() - 5}
    problem = here.client.post("/v1/tokens", json=body, headers=here.bearer()).json
    assert (problem["code"], problem["field"]) == ("invalid", "expires")


def test_the_record_names_who_from_where_and_what(here):
    admin = here.bearer()
    key = here.client.post("/v1/tokens", json={"name": "ci", "role": "viewer"}, headers=admin).json["key"]
    here.client.delete(f"/v1/tokens/{key}", headers=admin)
    newest, before = here.client.get("/v1/audit", headers=admin).json["items"]
    assert (newest["actor"], newest["role"], newest["address"]) == ("a admin", "admin", "127.0.0.1")
    assert (newest["action"], newest["target"]) == ("token.revoke", f"token {key}")
    assert before["via"].startswith("token:")
    assert before["data"] == {"name": "ci", "granted": "viewer", "expires": None}


def test_the_record_is_filtered_and_read_in_parts(here):
    admin = here.bearer()
    for number in range(5):
        here.client.post("/v1/tokens", json={"name": f"t{number}", "role": "viewer"}, headers=admin)
    here.client.get("/v1/session", headers={"Authorization": "Bearer ph_x_y"})
    path, names = "/v1/audit?limit=2&action=token.", []
    while path:
        part = here.client.get(path, headers=admin).json
        assert len(part["items"]) <= 2
        names += [item["data"]["name"] for item in part["items"]]
        path = part["next"]
    assert names == ["t4", "t3", "t2", "t1", "t0"]
    (failed,) = here.client.get("/v1/audit?action=login.failed", headers=admin).json["items"]
    assert failed["actor"] == ""
    assert here.client.get("/v1/audit?actor=nobody", headers=admin).json["items"] == []


def test_no_secret_is_kept(here):
    token = here.client.post("/v1/tokens", json={"name": "ci", "role": "viewer"}, headers=here.bearer()).json["token"]
    secret = token.split("_", 2)[2]
    here.client.post("/v1/session", json={"token": token})
    for table in models.Base.metadata.sorted_tables:
        rows = here.store.read(lambda session, table=table: [tuple(row) for row in session.execute(table.select())])
        assert secret not in str(rows), table.name
