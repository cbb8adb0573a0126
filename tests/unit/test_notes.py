"""Notes: what a process knew of the source outlives it."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest

from pumphouse.errors import CloudError
from pumphouse.store import notes
from tests.unit import fakes
from tests.unit.fakes import PAIR


@pytest.fixture
def context():
    with fakes.new_store() as store:
        yield fakes.new_context(store)


def later(context, **more):
    """The same unit in another process, which knows nothing but the database."""
    return dataclasses.replace(context, before={}, evidence={}, **more)


def keep(context, kind, data, migration_id=None, unit="unit", id_="w1"):
    notes.keep(context.store, kind, migration_id or context.migration_id, unit, "server", id_, data)


def find(context, kind, migration_id=None, id_="w1"):
    return notes.find(context.store, kind, "server", id_, migration_id)


# In the database


@pytest.mark.parametrize("data", [{"status": "ACTIVE"}, 1732170000.25, 0, "", False, {}, []])
def test_what_was_noted_is_found_as_it_was(context, data):
    keep(context, notes.BEFORE, data)
    assert find(context, notes.BEFORE) == data
    assert find(context, notes.STOPPED) is None
    assert find(context, notes.BEFORE, id_="w2") is None


def test_the_last_word_counts(context):
    keep(context, notes.COPIED, {"size": 1})
    keep(context, notes.COPIED, {"size": 2})
    assert find(context, notes.COPIED) == {"size": 2}


def test_each_migration_has_its_own(context, monkeypatch):
    second = context.store.start_migration(PAIR, {}, {}, {})
    monkeypatch.setattr(notes, "time", SimpleNamespace(time=iter((2.0, 1.0)).__next__))
    keep(context, notes.MAKING, "the newest")
    keep(context, notes.MAKING, "older", second)
    assert find(context, notes.MAKING, second) == "older"
    assert find(context, notes.MAKING) == "the newest"


def test_what_is_so_no_longer_is_forgotten(context):
    keep(context, notes.MAKING, {}, context.store.start_migration(PAIR, {}, {}, {}))
    for kind in (notes.MAKING, notes.BEFORE):
        keep(context, kind, {})
    keep(context, notes.MAKING, {}, id_="w2")
    notes.drop(context.store, notes.MAKING, "server", "w1")
    assert find(context, notes.MAKING) is None
    assert find(context, notes.BEFORE) == find(context, notes.MAKING, id_="w2") == {}


def test_proofs_are_found_by_the_unit_that_they_are_of(context):
    keep(context, notes.COPIED, {"size": 1})
    keep(context, notes.BEFORE, {"status": "ACTIVE"})
    keep(context, notes.COPIED, {"size": 2}, unit="another", id_="w2")
    keep(context, notes.COPIED, {"size": 3}, context.store.start_migration(PAIR, {}, {}, {}), id_="w3")
    assert notes.copies(context.store, context.migration_id, "unit") == {("server", "w1"): {"size": 1}}


@pytest.mark.parametrize(("created", "left"), [(True, None), (False, {})])
def test_what_we_have_made_is_no_longer_being_made(context, created, left):
    keep(context, notes.MAKING, {})
    context.store.map(PAIR, "server", "w1", "W1", migration_id=context.migration_id, unit="unit", created=created)
    assert find(context, notes.MAKING) == left


# In the hands of the tasks


def server(context):
    return context.source.tables["server"]["w1"]


def test_how_a_server_was_is_known_though_the_process_died_that_stopped_it(context):
    assert context.look("server", "w1")["status"] == "ACTIVE"
    server(context)["status"] = "SHUTOFF"
    second = later(context)
    assert second.noted("server", "w1") == {"status": "ACTIVE"}
    for seen in (second.was("server", "w1"), second.look("server", "w1"), later(context).seen("server", "w1")):
        assert (seen["status"], seen["name"]) == ("ACTIVE", "web-1")


def test_only_what_the_move_changes_is_noted(context):
    """User data, for one, may hold secrets."""
    server(context)["OS-EXT-SRV-ATTR:user_data"] = "czNjcmV0"
    context.look("server", "w1")
    assert set(context.noted("server", "w1")) == {"status"}


def test_what_was_changed_by_others_since_is_seen(context):
    context.look("server", "w1")
    server(context).update(name="renamed", status="SHUTOFF")
    assert later(context).was("server", "w1")["name"] == "renamed"


def test_another_migration_looks_for_itself(context):
    context.look("server", "w1")
    server(context)["status"] = "SHUTOFF"
    second = later(context, migration_id=context.store.start_migration(PAIR, {}, {}, {}))
    assert second.noted("server", "w1") is None
    assert second.was("server", "w1")["status"] == "SHUTOFF"


def test_what_is_as_it_was_is_looked_at_anew(context):
    context.look("server", "w1")
    context.once(notes.STOPPED, "server", "w1", 1.0)
    context.forget("server", "w1")
    server(context)["status"] = "PAUSED"
    assert later(context).look("server", "w1")["status"] == "PAUSED"
    assert context.once(notes.STOPPED, "server", "w1", 2.0) == 2.0


def test_the_downtime_counts_from_the_first_stop(context):
    assert context.once(notes.STOPPED, "server", "w1", 1.0) == 1.0
    assert later(context).once(notes.STOPPED, "server", "w1", 99.0) == 1.0


def test_what_has_gone_from_the_source_is_told(context):
    del context.source.tables["server"]["w1"]
    assert context.seen("server", "w1") is None
    with pytest.raises(CloudError, match="has gone from the source"):
        context.was("server", "w1")


def test_types_that_the_move_does_not_change_are_read_as_they_are(context):
    context.source.tables["network"]["n"]["mtu"] = 1500
    assert context.seen("network", "n")["mtu"] == 1500


def test_the_proof_of_a_copy_outlives_its_process(context):
    context.copied("server", "w1", {"size": 7})
    assert context.evidence == notes.copies(context.store, context.migration_id, "unit")
