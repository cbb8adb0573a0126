"""Temporary things: found wherever they are, and removed only when they are ours and nobody needs them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pumphouse.migrations import leftovers, process
from pumphouse.planning.plan import Item, Plan, Unit
from pumphouse.store import Store
from tests.unit import fakes
from tests.unit.fake_clients import HttpError

PAIR = "source -> destination"
PLAN = Plan({}, [Unit("server:w", "server", "", [Item("server", "w", "web", "create", "")])]).to_json()


@pytest.fixture
def clouds():
    return fakes.FakeCloud("source"), fakes.FakeCloud("destination")


@pytest.fixture
def store():
    with Store.open("sqlite://") as store:
        yield store


@pytest.fixture
def dead():
    """What a process that was killed had said of itself."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    stamp = {**process.stamp(), "pid": child.pid, "since": process._since(child.pid)}
    assert process.runs(stamp) is True
    child.kill()
    child.communicate()
    return stamp


def find(clouds, store):
    notes = []
    found = leftovers.find(*clouds, store, PAIR, notes.append)
    return {one.id: one for one in found}, notes


def migration(store, state="failed", **options):
    id_ = store.start_migration(PAIR, {}, PLAN, options)
    store.set_migration_state(id_, state)
    return id_


def test_they_are_found_by_name_and_in_the_database(clouds, store):
    number = migration(store)
    clouds[0].put("image", "i", name=f"pumphouse-{number}-root-w", created_at="2026")
    clouds[1].put("volume", "v", name=f"pumphouse-{number}-clone-w")
    clouds[1].put("snapshot", "s", name=f"pumphouse-{number}-snap-w")
    clouds[0].put("image", "mine", name="pumphouse-of-the-village")
    clouds[0].put("image", "nameless", name=None)
    store.add_temporary(number, "server:w", "source", "image", "i", f"pumphouse-{number}-root-w")
    store.add_temporary(number, "", "destination", "assignment", "u/p/r", "admin for Pumphouse's account")
    found, notes = find(clouds, store)
    assert {(one.cloud, one.type, one.id) for one in found.values()} == {
        ("source", "image", "i"),
        ("destination", "volume", "v"),
        ("destination", "volume_snapshot", "s"),
        ("destination", "assignment", "u/p/r"),
    }
    assert (found["i"].since, found["i"].migration, found["i"].keep) == ("2026", number, "")
    assert (len(found["i"].rows), notes) == (1, [])


def test_what_somebody_elses_migration_of_the_same_number_made_is_kept(clouds, store):
    number = migration(store)
    clouds[0].put("image", "i", name=f"pumphouse-{number}-root-of-another-server")
    clouds[0].put("image", "j", name="pumphouse-77-root-w")
    found, _ = find(clouds, store)
    assert {one.keep for one in found.values()} == {"no migration of this database made it"}


def test_what_a_running_migration_needs_is_kept(clouds, store, dead):
    running = {"other": {**process.stamp(), "host": "elsewhere"}, "mine": process.stamp(), "dead": dead}
    numbers = {name: migration(store, "running", process=stamp) for name, stamp in running.items()}
    for name, number in numbers.items():
        clouds[0].put("image", name, name=f"pumphouse-{number}-root-w")
    found, _ = find(clouds, store)
    assert {id_: one.keep for id_, one in found.items()} == {
        "other": "its migration may still be running on elsewhere",
        "mine": "its migration is running",
        "dead": "",
    }


def test_a_number_that_another_process_has_now_is_not_the_migration():
    assert process.runs({**process.stamp(), "since": "1"}) is False
    assert process.runs({**process.stamp(), "pid": 2**22 + 1}) is False
    assert process.runs(None) is None
    assert process.runs(process.stamp()) is True
    assert process.stamp()["pid"] == os.getpid()


def test_they_are_removed_and_forgotten(clouds, store):
    number = migration(store)
    for type_, id_ in (("image", "i"), ("volume", "v"), ("snapshot", "s")):
        wire = clouds[0].put(type_, id_, name=f"pumphouse-{number}-x-w")
        wire["status"] = "available"
    store.add_temporary(number, "server:w", "source", "image", "i", "x")
    found, _ = find(clouds, store)
    assert [leftovers.remove(one, clouds[0], store) for one in found.values()] == ["", "", ""]
    assert find(clouds, store)[0] == {}
    assert store.temporaries() == []


def test_what_cannot_be_removed_stays_noted(clouds, store):
    number = migration(store)
    clouds[0].put("image", "i", name=f"pumphouse-{number}-x-w")
    store.add_temporary(number, "server:w", "source", "image", "i", "x")
    clouds[0].refuse["delete", "image"] = HttpError(403, "you may not")
    found, _ = find(clouds, store)
    assert "you may not" in leftovers.remove(found["i"], clouds[0], store)
    assert len(store.temporaries()) == 1


def test_a_service_that_does_not_answer_is_named(clouds, store):
    clouds[1].refuse["list", "volume"] = HttpError(503, "away")
    _, notes = find(clouds, store)
    assert notes == ["could not look for every volume of the destination: away (HTTP 503)"]
