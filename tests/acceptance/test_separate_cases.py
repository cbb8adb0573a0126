"""What real clouds have and a laboratory seldom: each by itself, in small projects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.acceptance.clouds import Json
from tests.acceptance.command import Done, Pumphouse
from tests.acceptance.everything.cases import GATEWAY, HERE, TAKEN, THERE
from tests.acceptance.lab import Lab
from tests.acceptance.tenant.model import Tenant


@pytest.fixture(scope="module")
def trouble(pumphouse: Pumphouse, cases: Tenant) -> dict[str, Any]:
    """The plan of the project that cannot move as it is."""
    options = ("--tenant", cases.id("project", "troubled"), "--flavor", cases.id("flavor", "troubled"))
    done = pumphouse.run("migrate", *options, "--dry-run", "-f", "json")
    assert done.code in (0, 1), done.said
    return dict(done.json())


def conflicts(plan: dict[str, Any], type_: str) -> dict[str, Json]:
    """By the names of what cannot move."""
    items = [item for unit in plan["units"] for item in unit["items"] if item["type"] == type_]
    return {item["name"]: item for item in items if item["action"] == "conflict"}


def conflict(plan: dict[str, Any], type_: str) -> Json:
    """The only one of a type."""
    (found,) = conflicts(plan, type_).values()
    return found


def test_a_floating_ip_is_taken(trouble: dict[str, Any]) -> None:
    found = conflict(trouble, "floating_ip")
    assert found["name"] == TAKEN
    assert TAKEN in found["reason"] or "taken" in found["reason"], found


def test_a_flavor_of_the_same_name_differs(trouble: dict[str, Any], cases: Tenant) -> None:
    found = conflict(trouble, "flavor")
    assert found["name"] == cases.name("flavor", "troubled")
    assert "ram" in found["reason"], found


def test_the_quota_is_too_small_by_one(trouble: dict[str, Any], cases: Tenant) -> None:
    blocks = [finding for finding in trouble["findings"] if finding["level"] == "blocks"]
    (found,) = [finding for finding in blocks if finding["name"] == cases.name("project", "troubled")]
    assert "2 of network" in found["reason"], found
    assert "is 1" in found["reason"], found
    assert "2" in found["remedy"], found


def test_a_volume_of_two_servers(trouble: dict[str, Any], cases: Tenant) -> None:
    """It does not move, nor do they; and it is said why."""
    found = conflict(trouble, "volume")
    assert found["name"] == cases.name("volume", "shared")
    assert "several servers" in found["reason"], found
    assert set(conflicts(trouble, "server")) == {cases.name("server", short) for short in ("one", "two")}


def test_snapshots_are_named(trouble: dict[str, Any], cases: Tenant) -> None:
    assert cases.name("volume_snapshot", "troubled") in json.dumps(trouble, ensure_ascii=False)


def test_what_blocks_is_not_run(pumphouse: Pumphouse, clouds: Lab, cases: Tenant, trouble: dict[str, Any]) -> None:
    """Not with --yes either."""
    done = pumphouse.run("migrate", "--tenant", cases.id("project", "troubled"), "--yes", "-f", "json")
    assert done.code == 1, done.said
    networks = clouds.destination.network.list("/networks", "networks")
    assert [n["name"] for n in networks if n["name"].startswith(cases.call("@ troubled"))] == []


@pytest.fixture(scope="module")
def mapped(pumphouse: Pumphouse, cases: Tenant) -> Pumphouse:
    """Pumphouse with the name of the external network in the destination."""
    given = json.loads(pumphouse.config.read_text())
    given["mappings"] = {"networks": {cases.call("@ outside old"): cases.call("@ outside new")}}
    config = pumphouse.folder / "mapped.yaml"
    config.write_text(json.dumps(given))
    return pumphouse


@pytest.fixture(scope="module")
def quiet(mapped: Pumphouse, cases: Tenant, unknown_network: Done, given_name: Done) -> Done:
    """The move of the project without servers."""
    config = mapped.folder / "mapped.yaml"
    return mapped.run("migrate", "--tenant", cases.id("project", "quiet"), "--yes", "-f", "json", config=config)


@pytest.fixture(scope="module")
def unknown_network(pumphouse: Pumphouse, cases: Tenant) -> Done:
    """Its plan without the mapping."""
    return pumphouse.run("migrate", "--tenant", cases.id("project", "quiet"), "--dry-run", "-f", "json")


@pytest.fixture(scope="module")
def given_name(pumphouse: Pumphouse, cases: Tenant) -> Done:
    """Its plan with the mapping as an option."""
    named = f"networks:{cases.call('@ outside old')}={cases.call('@ outside new')}"
    return pumphouse.run("migrate", "--tenant", cases.id("project", "quiet"), "--map", named, "--dry-run", "-f", "json")


@pytest.fixture(scope="module")
def arrived(clouds: Lab, cases: Tenant, quiet: Done) -> Json:
    """The project in the destination."""
    name = cases.name("project", "quiet")
    (found,) = clouds.destination.identity.list("/projects", "projects", name=name)
    return found


def test_a_project_without_servers_moves(quiet: Done) -> None:
    assert quiet.code == 0, quiet.said


def test_an_external_network_of_unknown_name_is_a_conflict(unknown_network: Done, cases: Tenant) -> None:
    found = conflict(unknown_network.json(), "network")
    assert found["name"] == cases.call("@ outside old")


def test_its_name_may_be_given_for_one_plan(given_name: Done) -> None:
    assert given_name.code == 0, given_name.said
    assert conflicts(given_name.json(), "network") == {}


def test_an_external_network_of_another_name(clouds: Lab, cases: Tenant, arrived: Json) -> None:
    (router,) = clouds.destination.network.list("/routers", "routers", project_id=arrived["id"])
    gateway = router["external_gateway_info"]
    assert gateway["network_id"] == cases.notes["outside"]["there"]
    assert [ip["ip_address"] for ip in gateway["external_fixed_ips"]] == [GATEWAY]
    names = {net["name"] for net in clouds.destination.network.list("/networks", "networks")}
    assert cases.call("@ outside old") not in names


def test_a_user_who_is_there_is_left_alone(clouds: Lab, cases: Tenant, arrived: Json) -> None:
    """Another id; their password, too, stays what it was in the destination."""
    destination = clouds.destination
    (user,) = destination.identity.list("/users", "users", name=cases.name("user", "both"))
    assert user["id"] == cases.notes["both"] != cases.id("user", "both")
    assert user["description"] == "there"
    assert destination.login(user["id"], THERE) == 201
    assert destination.login(user["id"], HERE) == 401


def test_the_domain_that_is_there_is_left_alone(clouds: Lab, cases: Tenant, arrived: Json) -> None:
    assert arrived["domain_id"] == cases.notes["domain"]
    assert clouds.destination.identity.get(f"/domains/{arrived['domain_id']}")["description"] == "was here before"


def test_an_inherited_role(clouds: Lab, cases: Tenant, arrived: Json) -> None:
    query = {"scope.project.id": arrived["id"], "include_names": "true"}
    found = clouds.destination.identity.list("/role_assignments", "role_assignments", **query)
    here = [a for a in found if "user" in a and a["user"]["id"] == cases.notes["both"]]
    roles = {(a["role"]["name"], a["scope"].get("OS-INHERIT:inherited_to")) for a in here}
    assert roles == {("member", None), ("reader", "projects")}


def test_an_edited_default_group(clouds: Lab, cases: Tenant, arrived: Json) -> None:
    """What Neutron lets in by default is gone, and the one rule is there."""
    kept = ("ethertype", "protocol", "port_range_min", "port_range_max", "remote_ip_prefix", "remote_group_id")
    query = {"name": "default", "project_id": arrived["id"]}
    (group,) = clouds.destination.network.list("/security-groups", "security_groups", **query)
    rules = [rule for rule in group["security_group_rules"] if rule["direction"] == "ingress"]
    assert [[rule[key] for key in kept] for rule in rules] == [["IPv4", "tcp", 22, 22, "192.0.2.0/24", None]]
    assert len([rule for rule in group["security_group_rules"] if rule["direction"] == "egress"]) == 2


def test_what_a_disabled_project_has_moves_and_it_stays_disabled(
    pumphouse: Pumphouse, clouds: Lab, cases: Tenant
) -> None:
    done = pumphouse.run("migrate", "--tenant", cases.id("project", "closed"), "--yes", "-f", "json")
    assert done.code == 0, done.said
    destination = clouds.destination
    (project,) = destination.identity.list("/projects", "projects", name=cases.name("project", "closed"))
    assert project["enabled"] is False
    volumes = destination.volume.list("/volumes/detail", "volumes", all_tenants=1, project_id=project["id"])
    assert [volume["name"] for volume in volumes] == [cases.name("volume", "closed")]
    assert clouds.source.identity.get(f"/projects/{cases.id('project', 'closed')}")["enabled"] is False
