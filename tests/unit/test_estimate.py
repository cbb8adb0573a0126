"""How long it will take: from what was measured, or what is assumed and said to be."""

from __future__ import annotations

import pytest

from pumphouse.planning.discovery import Found
from pumphouse.planning.estimate import OTHER, RATE, SERVER, estimate
from pumphouse.planning.plan import Item, Plan, Unit
from pumphouse.store import Store

PAIR, MIB = "a -> b", 2**20


@pytest.fixture
def store():
    with Store.open("sqlite://") as store:
        yield store


def ask(store, status="ACTIVE", pair=PAIR):
    found = Found()
    found.resources["server", "s"] = {"status": status}
    server = Unit("server:s", "server", "", [Item("server", "s", "web", "create", "", bytes=200 * MIB)])
    image = Unit("image:i", "image", "", [Item("image", "i", "img", "create", "", bytes=100 * MIB)])
    network = Unit("network:n", "network", "", [Item("network", "n", "net", "create", "")])
    return estimate(Plan({}, [server, image, network]), found, store, pair)


def moved(store, name, kind, seconds, amount, downtime=None, pair=PAIR):
    id_ = store.start_migration(pair, {}, {}, {}, [(name, kind, "", amount)])
    store.update_unit(id_, name, state="done", bytes_done=amount, started=0.0, finished=seconds, downtime=downtime)
    store.save_result(id_, name, "image", name, "", None, "equal", [], {"size": amount, "seconds": seconds / 2})


def test_without_measurements_figures_are_assumed_and_named_so(store):
    told = ask(store)
    assert told["bytes_per_second"] == RATE
    assert told["servers"] == [{"id": "s", "name": "web", "bytes": 200 * MIB, "downtime": SERVER + 10}]
    assert told["seconds"] == SERVER + 10 + OTHER + 5
    assert len(told["basis"]) == 3
    assert all("assumed" in basis for basis in told["basis"])


def test_figures_come_from_what_was_moved_between_these_clouds(store):
    moved(store, "server:x", "server", 100.0, 100 * MIB, downtime=25.0)
    moved(store, "image:y", "image", 20.0, 20 * MIB)
    told = ask(store)
    assert told["bytes_per_second"] == 2 * MIB
    # 25 s of downtime, less 50 s that the bytes would take: nothing beside them.
    assert told["servers"][0]["downtime"] == 100
    assert told["seconds"] == 100 + 10 + 50
    assert told["basis"] == [
        "2.0 MiB/s for each copy: from 2 copies before",
        "0 s for each server beside its bytes: from 1 server moved before",
        "10 s for each unit beside its bytes: from 1 unit moved before",
    ]
    assert ask(store, pair="c -> d")["bytes_per_second"] == RATE


def test_tiny_copies_tell_nothing_of_the_rate(store):
    moved(store, "image:y", "image", 20.0, MIB)
    assert ask(store)["bytes_per_second"] == RATE


def test_a_server_that_is_off_has_no_downtime(store):
    assert ask(store, status="SHUTOFF")["servers"][0]["downtime"] == 0
