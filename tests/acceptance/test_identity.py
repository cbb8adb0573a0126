"""People arrive with their passwords, roles and standing."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Moved
from tests.acceptance.counterparts import Sides, unlike
from tests.acceptance.lab import Lab
from tests.acceptance.tenant.model import Tenant


def test_domain(sides: Sides) -> None:
    assert unlike(sides.here("domain", "own"), sides.there("domain", "own"), ["id"]) == []


def test_a_domain_that_was_there_is_left_alone(sides: Sides, built: Tenant) -> None:
    there = sides.there("domain", "guests")
    assert there["id"] == built.notes["destination"]["domain"]
    assert there["description"] == "was here before"


def test_project(sides: Sides) -> None:
    domain = sides.there("domain", "own")["id"]
    here, there = sides.here("project", "tenant"), sides.there("project", "tenant")
    assert unlike(here, there, ["id"], domain_id=domain, parent_id=domain) == []


@pytest.mark.parametrize(("short", "domain"), [("owner", "own"), ("leaver", "own"), ("guest", "guests")])
def test_user(sides: Sides, short: str, domain: str) -> None:
    here, there = sides.here("user", short), sides.there("user", short)
    project = sides.there("project", "tenant")["id"] if here.get("default_project_id") else None
    wanted = {"domain_id": sides.there("domain", domain)["id"]}
    if "default_project_id" in here:
        wanted["default_project_id"] = project
    assert unlike(here, there, ["id", "password_expires_at", "password rows"], **wanted) == []


def test_the_disabled_one_stays_disabled(sides: Sides) -> None:
    assert sides.there("user", "leaver")["enabled"] is False


@pytest.mark.parametrize("short", ["owner", "guest"])
def test_the_old_password_logs_in(clouds: Lab, built: Tenant, sides: Sides, short: str) -> None:
    there = sides.there("user", short)["id"]
    password = built.passwords[built.id("user", short)]
    assert clouds.destination.login(there, password) == 201
    assert clouds.destination.login(there, password + "x") == 401


def test_the_disabled_one_is_not_let_in(clouds: Lab, built: Tenant, sides: Sides) -> None:
    there = sides.there("user", "leaver")["id"]
    password = built.passwords[built.id("user", "leaver")]
    assert clouds.destination.login(there, password) == 401


def test_the_disabled_ones_password_came_along(clouds: Lab, built: Tenant, sides: Sides) -> None:
    """On the day they are let in again, it works: shown with the rows of both databases."""
    for short in ("owner", "leaver", "guest"):
        here, there = sides.here("user", short), sides.there("user", short)
        assert there["password rows"][-1].split()[0] == here["password rows"][-1].split()[0], short


def test_people_work_in_their_project(clouds: Lab, built: Tenant, sides: Sides) -> None:
    """A token for the project is given, and opens what is in it."""
    project = sides.there("project", "tenant")["id"]
    owner = clouds.destination.as_user(
        sides.there("user", "owner")["id"], built.passwords[built.id("user", "owner")], project
    )
    names = {server["name"] for server in owner.compute.list("/servers/detail", "servers")}
    assert names == {built.name("server", short) for short in ("web", "off", "bfv")}
    assert {v["id"] for v in owner.volume.list("/volumes/detail", "volumes")} == {
        sides.there("volume", short)["id"] for short in ("detached", "web", "bfv", "root")
    }


def test_roles(sides: Sides, moved: Moved) -> None:
    assert sides.there("role", "custom")["name"] == sides.here("role", "custom")["name"]
    here = sorted(assignment["name"] for assignment in sides.source["assignment"].values())
    there = sorted(assignment["name"] for assignment in sides.destination["assignment"].values())
    assert there == here
