"""The report names everything, and what it says is so."""

from __future__ import annotations

import hashlib

import pytest

from tests.acceptance.command import Pumphouse
from tests.acceptance.conftest import Moment, Moved
from tests.acceptance.counterparts import Sides
from tests.acceptance.tenant.model import Tenant
from tests.acceptance.test_dry_run import NAMED


def test_every_resource_is_named(moved: Moved, before: Moment, built: Tenant) -> None:
    report = moved.report
    named = {one["source_id"] for one in report["resources"]} | {one["id"] for one in report["not_carried"]}
    unnamed = {
        f"{kind} {thing.get('name')}"
        for kind in NAMED
        for id_, thing in before.source[kind].items()
        if id_ not in named and id_ != built.id("project", "neighbour")
        and thing.get("device_owner") != "network:router_interface"
    }  # fmt: skip
    assert unnamed == set()


@pytest.mark.parametrize(
    ("kind", "shorts"),
    [
        ("project", ["tenant"]),
        ("user", ["owner", "leaver", "guest"]),
        ("role", ["custom"]),
        ("flavor", ["small", "pinned"]),
        ("image", ["queued", "rich", "protected"]),
        ("network", ["front", "back"]),
        ("subnet", ["front4", "front6", "back4"]),
        ("security_group", ["web", "db", "default"]),
        ("port", ["front", "back", "spare"]),
        ("volume", ["detached", "web", "bfv", "root"]),
        ("server", ["web", "off", "bfv"]),
    ],
)
def test_both_ids_and_a_good_verdict(moved: Moved, sides: Sides, kind: str, shorts: list[str]) -> None:
    found = {one["source_id"]: one for one in moved.report["resources"] if one["type"] == kind}
    for short in shorts:
        one = found[sides.here(kind, short)["id"]]
        assert one["destination_id"] == sides.there(kind, short)["id"], short
        assert one["verdict"] in ("equal", "mapped"), (
            short,
            [f for f in one["fields"] if f["verdict"] == "differs"],
        )


def test_keys_and_roles_are_named(moved: Moved, built: Tenant) -> None:
    """They have no ids of their own."""
    names = {kind: {one["name"] for one in moved.report["resources"] if one["type"] == kind}
             for kind in ("keypair", "assignment")}  # fmt: skip
    assert names["keypair"] == set(built.names["keypair"].values())
    assert len(names["assignment"]) == 5


def test_each_field_has_a_verdict(moved: Moved) -> None:
    for one in moved.report["resources"]:
        if one["verdict"] == "failed":
            continue
        assert one["fields"], (one["type"], one["name"])
        for field in one["fields"]:
            assert field["verdict"] in ("equal", "mapped", "differs", "not carried")
            assert field["reason"] or field["verdict"] in ("equal", "mapped"), (one["type"], field)


def test_checksums(moved: Moved, built: Tenant) -> None:
    found = {one["source_id"]: one["bytes"] for one in moved.report["resources"] if one["type"] == "image"}
    for short in ("rich", "protected"):
        sha512 = hashlib.sha512(built.uploaded[short]).hexdigest()
        copied = found[built.id("image", short)]
        assert (copied["source_sha512"], copied["destination_sha512"]) == (sha512, sha512), short
        assert copied["size"] == len(built.uploaded[short])


def test_times(moved: Moved, built: Tenant) -> None:
    """Downtime of what was running; within the time that its unit took."""
    units = {unit["name"]: unit for unit in moved.report["units"]}
    for short in ("web", "bfv"):
        unit = units[f"server:{built.id('server', short)}"]
        assert 0 < unit["downtime"] <= unit["seconds"] <= moved.report["migration"]["seconds"]
    assert moved.report["migration"]["seconds"] <= moved.done.seconds
    assert moved.report["migration"]["bytes"] > 0


@pytest.mark.parametrize("format", ["table", "html"])
def test_for_people(pumphouse: Pumphouse, moved: Moved, built: Tenant, format: str) -> None:
    done = pumphouse.run("report", moved.id, "-f", format)
    assert done.code == 0, done.said
    assert built.prefix in done.out
    if format == "html":
        assert done.out.lstrip().lower().startswith("<!doctype html")
        assert "<b>\\" not in done.out, "the tenant's own text is not escaped"


def test_list_and_show(pumphouse: Pumphouse, moved: Moved, built: Tenant) -> None:
    assert moved.id in pumphouse.run("list").out
    shown = pumphouse.run("show", moved.id)
    assert shown.code == 0, shown.said
    assert built.name("server", "failing") in shown.out


def test_no_secrets_anywhere(pumphouse: Pumphouse, moved: Moved, built: Tenant) -> None:
    """Neither the passwords nor their hashes: not in what is printed, not in the database."""
    kept = b"".join(path.read_bytes() for path in sorted(pumphouse.folder.glob("*.sqlite*")))
    said = (moved.done.out + moved.done.err).encode() + kept
    assert b"$2b$" not in said
    for password in built.passwords.values():
        for spelling in (password, password.encode("unicode_escape").decode()):
            if len(password) > 10:  # "hunter2 " and its like may stand in other words
                assert spelling.encode() not in said
