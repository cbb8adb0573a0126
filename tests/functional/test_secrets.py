"""No secret is kept or told: not in our database, in an event, a log of everything, or what a failure says."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.injections import Injection
from tests.chaos.world import PREFIX, World

#: As Keystone's tokens look.
TOKEN = re.compile(r"gAAAAA[\w-]{40,}")
#: Things fail, and their errors hold what was asked for.
FAULTS = (
    ("destination", {"kind": "status", "status": 500, "method": "POST", "path": "/identity/v3/users", "count": 2}),
    ("destination", {"kind": "status", "status": 400, "method": "POST", "path": "/compute/v2.1/servers", "count": 2}),
    ("destination", {"kind": "status", "status": 500, "method": "POST", "path": "/identity/v3/credentials"}),
    ("destination", {"kind": "lost", "method": "POST", "path": "/identity/v3/users", "after": 2}),
    ("source", {"kind": "revoke", "after": 150}),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("secrets")) as world:
        yield world


@pytest.fixture(scope="module")
def said(world: World) -> str:
    """All that is written in a run that fails, is resumed, reported, verified and rolled back.

    Every request is in its log; and our database is in it, before and after.
    """
    world.restore()
    for role, cloud in world.clouds.items():
        cloud.control("POST", "faults", [fault for where, fault in FAULTS if where == role])
    first = world.start(Injection(), "--debug", *world.options).wait()
    for cloud in world.clouds.values():
        cloud.control("POST", "faults", [])
    # In the middle, too: later TaskFlow's tables are emptied.
    kept = dump(world.database)
    second = world.start(Injection(), "--debug", "resume", str(world.number)).wait()
    assert (first.code, second.code) == (1, 0)
    kept += dump(world.database)
    number, html = str(world.number), world.directory / "report.html"
    for command in (
        ("show", number, "-f", "json"),
        ("report", number, "-f", "json"),
        ("report", number, "-f", "html", "-o", str(html)),
        ("verify", number, "--bytes"),
        ("rollback", number, "--yes"),
    ):
        assert world.start(Injection(), "--debug", *command).wait().code == 0, world.log.read_text()[-3000:]
    text = kept + dump(world.database) + world.log.read_text() + html.read_text()
    assert "failed" in text
    assert PREFIX in text
    return text


def dump(database: Path) -> str:
    """Every row of every table."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return "\n".join(connection.iterdump())


def hashes(world: World) -> set[str]:
    """Of all passwords, in both Keystones."""
    found = set()
    for cloud in world.clouds.values():
        with contextlib.closing(sqlite3.connect(cloud.database.removeprefix("sqlite:///"))) as connection:
            found |= {row[0] for row in connection.execute("SELECT password_hash FROM password") if row[0]}
    return found


def test_no_password(world: World, said: str) -> None:
    passwords = [world.pair.source.password, world.pair.destination.password, *world.tenant.passwords.values()]
    assert len(passwords) > 3
    # As it is, and as JSON writes it.
    forms = [{password, json.dumps(password)[1:-1]} for password in passwords]
    assert [number for number, form in enumerate(forms) if any(one in said for one in form)] == []


def test_no_hash_of_a_password(world: World, said: str) -> None:
    found = hashes(world)
    assert len(found) > 5
    assert [hash_[:7] for hash_ in found if hash_ in said] == []


def test_no_token(said: str) -> None:
    assert TOKEN.findall(said) == []


def test_no_secret_of_a_credential(world: World, said: str) -> None:
    user = world.tenant.id("user", "plain")
    found = world.accounts["source"].identity.list(f"/users/{user}/credentials/OS-EC2", "credentials")
    secrets = [one["secret"] for one in found]
    assert len(secrets) == 1
    assert [secret[:4] for secret in secrets if secret in said] == []
