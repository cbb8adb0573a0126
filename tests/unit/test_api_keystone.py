"""Keystone tokens of either cloud."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from keystoneauth1.exceptions import ConnectFailure, NotFound

from pumphouse.api import keystone

from .api_client import World, world

ROLES = {"pumphouse_operator": "operator", "reader": "viewer"}


class Keystone:
    """A cloud that knows some tokens."""

    def __init__(self, **tokens: Any) -> None:
        self.known, self.asked = tokens, 0
        self.identity = SimpleNamespace(tokens=self)

    def validate(self, token: str, include_catalog: bool = True) -> Any:
        self.asked += 1
        assert not include_catalog
        found = self.known.get(token)
        if isinstance(found, Exception):
            raise found
        if found is None:
            raise NotFound("Could not find token", http_status=404)
        return found


def person(*roles: str, name: str = "ann", domain: str = "default", seconds: float = 3600) -> Any:
    now = datetime.datetime.now(datetime.UTC)
    return SimpleNamespace(
        username=name, user_domain_id=domain, user_domain_name=domain.title(), role_names=list(roles),
        expires=now + datetime.timedelta(seconds=seconds),
    )  # fmt: skip


def make(source: Keystone, destination: Keystone | None = None, roles: dict[str, str] = ROLES) -> World:
    both = {"source": source, "destination": destination or Keystone()}
    return world(clouds=SimpleNamespace(cloud=both.__getitem__), keystone_roles=roles)


def session(here: World, token: str = "t"):
    return here.client.get("/v1/session", headers={"X-Auth-Token": token})


def test_the_best_of_somebodys_roles_counts():
    here = make(Keystone(t=person("reader", "pumphouse_operator", "admin")))
    assert session(here).json | {"expires": 0} == {
        "name": "ann", "role": "operator", "via": "keystone:source", "expires": 0, "csrf_token": None,
    }  # fmt: skip


def test_the_other_cloud_is_asked_too_and_people_of_other_domains_are_told_apart():
    here = make(Keystone(), Keystone(t=person("reader", domain="acme")))
    answer = session(here).json
    assert (answer["name"], answer["via"]) == ("ann@Acme", "keystone:destination")


@pytest.mark.parametrize("roles", [ROLES, {}])
def test_who_has_no_role_that_is_configured_is_refused(roles):
    source = Keystone(t=person("member", "admin"))
    here = make(source, roles=roles)
    answer = session(here)
    assert (answer.status_code, answer.json["code"]) == (401, "bad-credentials")
    assert source.asked == (1 if roles else 0)


def test_the_page_logs_in_with_one_no_longer_than_it_is_valid():
    here = make(Keystone(t=person("reader", seconds=300)))
    answer = here.client.post("/v1/session", json={"token": "t"})
    assert answer.status_code == 201
    assert answer.json["via"] == "keystone:source"
    assert answer.json["expires"] - datetime.datetime.now().timestamp() <= 300


def test_a_token_is_asked_for_once_a_minute(monkeypatch):
    source = Keystone(t=person("reader"))
    here = make(source)
    for _ in range(3):
        assert session(here).status_code == 200
        assert session(here, "no").status_code == 401
    assert source.asked == 2
    source.known.clear()
    now = datetime.datetime.now().timestamp() + keystone.KEPT + 1
    monkeypatch.setattr(keystone, "time", SimpleNamespace(time=lambda: now))
    assert session(here).status_code == 401


def test_a_cloud_that_is_down_is_named_unless_the_other_one_knows_the_token():
    down = Keystone(t=ConnectFailure("Unable to establish connection to http://old/v3"))
    answer = session(make(down))
    assert (answer.status_code, answer.json["code"]) == (502, "cloud-failure")
    assert "http://old/v3" in answer.json["detail"]
    assert session(make(down, Keystone(t=person("reader")))).status_code == 200
