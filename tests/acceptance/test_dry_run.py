"""The plan names all of the tenant, and looking at it changes nothing."""

from __future__ import annotations

from tests.acceptance.command import Done
from tests.acceptance.conftest import Moment
from tests.acceptance.photograph import differences
from tests.acceptance.tenant.model import Tenant

#: Kinds of a photograph whose ids a plan must name. (Nova knows keypairs by name, assignments have no id.)
NAMED = (
    "project",
    "user",
    "role",
    "flavor",
    "image",
    "network",
    "subnet",
    "port",
    "security_group",
    "volume",
    "server",
)


def test_it_succeeds(dry_run: Done) -> None:
    assert dry_run.code == 0, dry_run.said


def test_nothing_changes(before: Moment, planned: Moment) -> None:
    assert differences(before.source, planned.source, lambda *_: False) == []
    assert differences(before.destination, planned.destination, lambda *_: False) == []
    assert differences(before.source_all, planned.source_all, lambda *_: False) == []
    assert differences(before.destination_all, planned.destination_all, lambda *_: False) == []


def test_every_resource_is_in_the_plan(dry_run: Done, before: Moment, built: Tenant) -> None:
    plan = dry_run.json()
    items = [item for unit in plan["units"] for item in unit["items"]]
    named = {item["id"] for item in [*items, *plan["not_carried"]]}
    unnamed = {
        f"{kind} {thing.get('name')}"
        for kind in NAMED
        for id_, thing in before.source[kind].items()
        if id_ not in named and id_ != built.id("project", "neighbour")
        and thing.get("device_owner") != "network:router_interface"
    }  # fmt: skip
    assert unnamed == set()


def test_what_does_not_move_is_said(dry_run: Done, built: Tenant) -> None:
    left = {item["id"]: item["reason"] for item in dry_run.json()["not_carried"]}
    assert left.get(built.id("application_credential", "robot")), left


def test_new_things_are_made_and_old_ones_are_used(dry_run: Done, built: Tenant) -> None:
    actions = {(item["type"], item["id"]): item["action"] for unit in dry_run.json()["units"] for item in unit["items"]}
    assert actions["domain", built.id("domain", "guests")] == "reuse"
    assert actions["domain", built.id("domain", "own")] == "create"
    for kind in ("user", "server", "image", "network", "flavor"):
        for short, id_ in built.ids[kind].items():
            if short != "short-lived":
                assert actions[kind, id_] == "create", (kind, short)


def test_bytes_are_estimated(dry_run: Done, built: Tenant) -> None:
    sizes = {item["id"]: item["bytes"] for unit in dry_run.json()["units"] for item in unit["items"]}
    for short in ("rich", "protected"):
        assert sizes[built.id("image", short)] == len(built.uploaded[short])
    assert sizes[built.id("volume", "detached")] > 0
