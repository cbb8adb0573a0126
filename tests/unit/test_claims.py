"""Claims: one process at a time has a unit, and who has lost it does nothing more to it."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import subprocess
import sys
import threading
import time
import uuid

import pytest
import sqlalchemy as sa

from pumphouse.migrations import process
from pumphouse.store import Store, claims, database, logbook, models
from pumphouse.store.claims import ClaimedStore, LostClaimError
from tests.unit import fakes

LEASE = claims.LEASE


def holds(store, claim):
    """Whether who has it may go on."""
    try:
        ClaimedStore(store, claim).check()
    except LostClaimError:
        return False
    return True


@pytest.fixture
def store(tmp_path):
    with fakes.new_store(f"sqlite:///{tmp_path}/pumphouse.sqlite") as store:
        yield store


@pytest.fixture
def migration(store):
    return store.start_migration(fakes.PAIR, {}, {}, {}, [(name, "network", name, 0) for name in ("a", "b")])


class Clock:
    """The database's, which stands still unless told to go."""

    def __init__(self, monkeypatch):
        self._monkeypatch, self._now = monkeypatch, 1_000_000.0
        self.goes(0)

    def goes(self, seconds):
        self._now += seconds
        self._monkeypatch.setitem(database.CLOCKS, "sqlite", repr(self._now))


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.fixture
def taken_over(store, migration, clock):
    """(the claim of who was paused for too long, that of who has the unit now)."""
    old = claims.take(store, migration, "a", "paused")
    clock.goes(LEASE + 1)
    return old, claims.take(store, migration, "a", "lively")


def test_a_unit_that_somebody_has_is_given_to_nobody_else(store, migration, clock):
    assert claims.take(store, migration, "a", "first")
    clock.goes(LEASE - 1)
    assert claims.take(store, migration, "a", "second") is None
    assert claims.take(store, migration, "a", "first") is None
    assert claims.take(store, migration, "b", "second")


def test_a_unit_whose_process_has_died_is_taken_over(taken_over):
    old, new = taken_over
    assert (new.owner, new.epoch) == ("lively", old.epoch + 1)


def test_a_lease_is_counted_by_the_databases_own_clock(store, migration):
    """Those of several machines differ."""
    began = time.time()
    claims.take(store, migration, "a", "first", lease=0.05)
    with store.engine.connect() as connection:
        assert abs(connection.scalar(sa.select(models.Unit.lease)) - began) < 5
    while claims.take(store, migration, "a", "second") is None:
        assert time.time() < began + 10
        time.sleep(0.01)
    assert time.time() > began + 0.04


@pytest.mark.parametrize("state", ["done", "failed", "blocked", "stopped", "reverted"])
def test_a_unit_that_has_ended_is_given_to_nobody(store, migration, state):
    store.update_unit(migration, "a", state=state)
    assert claims.take(store, migration, "a", "first") is None


def test_a_unit_that_is_given_up_can_be_had_at_once(store, migration, clock):
    first = claims.take(store, migration, "a", "first")
    claims.release(store, first)
    second = claims.take(store, migration, "a", "second")
    assert second.epoch > first.epoch
    assert not holds(store, first)
    assert holds(store, second)


def test_who_renews_in_time_keeps_it(store, migration, clock):
    claim = claims.take(store, migration, "a", "first")
    for _ in range(5):
        clock.goes(LEASE - 1)
        assert claims.renew(store, migration, "first") == {"a"}
    assert claims.take(store, migration, "a", "second") is None
    assert holds(store, claim)


def test_a_late_renewal_that_nobody_has_forestalled_is_in_time(store, migration, clock):
    claim = claims.take(store, migration, "a", "first")
    clock.goes(LEASE + 1)
    assert holds(store, claim)
    assert claims.renew(store, migration, "first") == {"a"}
    assert claims.take(store, migration, "a", "second") is None


def test_renewing_tells_what_was_lost_and_takes_nothing_back(store, migration, taken_over):
    old, new = taken_over
    claims.take(store, migration, "b", "paused")
    assert claims.renew(store, migration, "paused") == {"b"}
    assert claims.renew(store, migration, "lively") == {"a"}
    assert (holds(store, old), holds(store, new)) == (False, True)


def test_who_has_lost_a_unit_cannot_give_it_up_for_its_new_owner(store, taken_over):
    old, new = taken_over
    claims.release(store, old)
    assert holds(store, new)


def test_an_owner_who_takes_it_again_does_not_get_his_old_claim_back(store, migration, clock):
    """Threads of before may still be at work for it."""
    first = claims.take(store, migration, "a", "me")
    clock.goes(LEASE + 1)
    again = claims.take(store, migration, "a", "me")
    assert (holds(store, first), holds(store, again)) == (False, True)


def test_others_are_those_who_are_alive(store, migration, clock):
    claims.take(store, migration, "a", "first")
    clock.goes(LEASE - 1)
    claims.take(store, migration, "b", "second")
    assert sorted(claims.others(store, migration)) == ["first", "second"]
    assert claims.others(store, migration, "second") == ["first"]
    clock.goes(2)
    assert claims.others(store, migration, "first") == ["second"]
    assert claims.others(store, migration, "second") == []


def test_of_many_who_want_it_at_once_one_gets_it(store):
    units = [(f"unit {number}", "network", "", 0) for number in range(20)]
    migration = store.start_migration(fakes.PAIR, {}, {}, {}, units)
    barrier = threading.Barrier(8)

    def take(owner):
        with another(store) as mine:
            barrier.wait()
            return [claims.take(mine, migration, f"unit {number}", owner) for number in range(20)]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = list(pool.map(take, [f"owner {number}" for number in range(8)]))
    for wanted in zip(*got, strict=True):
        assert len([claim for claim in wanted if claim]) == 1


def another(store):
    """The same database over connections of its own."""
    return Store(database.make_engine(str(store.engine.url)))


# What who has lost it may do


@pytest.mark.parametrize(
    "write",
    [
        lambda store, id_: store.update_unit(id_, "a", state="failed"),
        lambda store, id_: store.add_event(id_, "note", "I was here"),
        lambda store, id_: store.map(fakes.PAIR, "network", "n", "N", migration_id=id_, unit="a", created=True),
        lambda store, id_: store.unmap(fakes.PAIR, "network", "m"),
        lambda store, id_: store.save_result(id_, "a", "network", "n", "n", None, "failed", [], None),
        lambda store, id_: store.add_temporary(id_, "a", "source", "image", "i", "mine"),
        lambda store, _: logbook.begin(store, "a", str(uuid.uuid4())),
    ],
    ids=["state", "event", "mapping", "no mapping", "result", "temporary", "flow"],
)
def test_who_has_lost_a_unit_writes_nothing_about_it(store, migration, taken_over, write):
    store.map(fakes.PAIR, "network", "m", "M", migration_id=migration, unit="a", created=True)
    old, new = taken_over
    before = everything(store)
    with pytest.raises(LostClaimError, match=f"another process has taken over a of migration {migration}"):
        write(ClaimedStore(store, old), migration)
    assert everything(store) == before
    write(ClaimedStore(store, new), migration)
    assert everything(store) != before


def everything(store):
    """All that the database holds."""
    with store.engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        return [connection.exec_driver_sql(f"SELECT * FROM {table}").all() for table in tables]


def test_a_task_that_began_before_it_was_lost_does_not_end(store, migration, taken_over):
    """TaskFlow has read its state, and would write the next one."""
    old, new = taken_over
    id_ = str(uuid.uuid4())
    backend, _, flow = logbook.begin(ClaimedStore(store, new), "a", id_)
    flow.state = "RUNNING"
    backend.get_connection().update_flow_details(flow)
    flow.state = "SUCCESS"
    with pytest.raises(LostClaimError):
        logbook.Backend(ClaimedStore(store, old)).get_connection().update_flow_details(flow)
    _, _, found = logbook.find(store, id_)
    assert found.state == "RUNNING"


def test_who_has_lost_a_unit_still_reads(store, migration, taken_over):
    old, _ = taken_over
    assert [row.name for row in ClaimedStore(store, old).units(migration)] == ["a", "b"]


def test_nothing_is_changed_in_a_cloud_for_a_unit_that_was_lost(store, clock):
    context = fakes.new_context(store)
    claim = claims.take(store, context.migration_id, "unit", "me")
    mine = dataclasses.replace(context, store=ClaimedStore(store, claim))
    mine.check()
    clock.goes(LEASE + 1)
    mine.check()
    claims.take(store, context.migration_id, "unit", "another")
    with pytest.raises(LostClaimError):
        mine.check()


# Dead processes


def test_what_a_dead_process_had_can_be_had_before_its_lease_runs_out(store, migration, clock):
    claims.take(store, migration, "a", "dead")
    claims.take(store, migration, "b", "alive")
    claims.release_dead(store, migration, lambda owner: owner == "dead")
    assert claims.take(store, migration, "a", "me")
    assert claims.take(store, migration, "b", "me") is None


@pytest.mark.parametrize("system_tells", [True, False])
def test_a_living_process_is_not_taken_for_dead(monkeypatch, system_tells):
    """Not even where nothing tells when it was started, as on macOS."""
    if not system_tells:
        monkeypatch.setattr(process, "_since", lambda _: None)
    assert not process.is_dead(process.owner())
    assert process.owner() != process.owner()


def test_a_process_that_has_ended_is_known_to_be_dead():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    host, _, _, number = process.owner().split("/")
    owner = f"{host}/{child.pid}/{process._since(child.pid)}/{number}"
    assert not process.is_dead(owner)
    child.communicate()
    assert process.is_dead(owner)
    assert not process.is_dead(f"elsewhere{owner}"), "nobody here can tell"
