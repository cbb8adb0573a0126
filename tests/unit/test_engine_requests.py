"""What is asked of an engine is written down whole, and once."""

from __future__ import annotations

import concurrent.futures

import pytest

from pumphouse.engine import requests
from pumphouse.errors import UsageError
from pumphouse.planning import Selection
from pumphouse.planning.plan import Finding, Plan
from pumphouse.store import jobs, plans
from pumphouse.store.transactions import Transactions
from tests.unit import fakes

OPTIONS = {"concurrency": 4, "source": "old", "destination": "new"}


@pytest.fixture
def store(tmp_path):
    with fakes.new_store(f"sqlite:///{tmp_path}/pumphouse.sqlite") as store:
        yield store


def begun(store, state="done"):
    number = store.start_migration(fakes.PAIR, {}, Plan({}).to_json(), {}, state=state)
    return store.migration(number)


def ready(store, **fields):
    row = plans.add(store, fakes.PAIR, {"tenant": "acme"}, "alice")
    plans.ready(store, row.id, Plan({"tenant": "acme"}, **fields).to_json())
    return plans.get(store, row.id)


def test_a_migration_is_never_without_the_job_that_runs_it(store, monkeypatch):
    """Whatever is killed in between: both are written at once."""
    written, write = [], Transactions.write
    monkeypatch.setattr(Transactions, "write", lambda *args: written.append(1) or write(*args))
    number = requests.begin(
        store, fakes.PAIR, plan=None, selection=Selection(tenant="acme"), options=OPTIONS, by="alice"
    )
    assert len(written) == 1
    (job,) = jobs.newest(store)
    assert (job.kind, job.migration_id, store.migration(number).state) == ("migrate", number, "planning")


def test_of_two_who_ask_at_once_one_is_refused(store):
    migration = begun(store)

    def ask(by):
        try:
            return requests.roll_back(store, migration, by).id
        except UsageError as error:
            return str(error)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, map(str, range(8))))
    assert sum(isinstance(answer, int) for answer in answers) == 1
    assert all("is busy (job 1, rollback, is queued)" in answer for answer in answers if isinstance(answer, str))
    assert len(jobs.newest(store)) == 1


def test_a_cancellation_is_wished_and_resuming_takes_it_back(store):
    migration = begun(store, "running")
    requests.cancel(store, migration, "alice")
    assert store.wished(migration.id) == "cancel"
    store.set_migration_state(migration.id, "cancelled")
    with pytest.raises(UsageError, match="is busy"):
        requests.resume(store, store.migration(migration.id), "alice")
    (job,) = jobs.newest(store)
    taken = jobs.take(store, "host/1//x", lambda _: False, ("cancel",))
    assert taken.id == job.id
    jobs.end(store, taken)
    requests.resume(store, store.migration(migration.id), "alice", concurrency=2)
    assert store.wished(migration.id) == ""
    assert jobs.newest(store)[0].arguments == {"concurrency": 2}


def test_what_blocks_is_refused_unless_it_is_ignored(store):
    row = ready(store, findings=[Finding("blocks", "project", "p", "acme", "its quota is too small")])
    with pytest.raises(UsageError, match=r"1 findings that block \(project acme: its quota"):
        requests.begin(store, fakes.PAIR, plan=row, selection=None, options=OPTIONS, by="alice")
    requests.begin(
        store, fakes.PAIR, plan=row, selection=None, options={**OPTIONS, "ignore_findings": True}, by="alice"
    )


def test_a_plan_is_used_once(store):
    row = ready(store)
    number = requests.begin(store, fakes.PAIR, plan=row, selection=None, options=OPTIONS, by="alice")
    assert plans.get(store, row.id).migration_id == number
    with pytest.raises(UsageError, match="was used already"):
        requests.begin(store, fakes.PAIR, plan=row, selection=None, options=OPTIONS, by="alice")
    assert [migration.id for migration in store.migrations()] == [number], "the second left nothing"
    assert len(jobs.newest(store)) == 2


@pytest.mark.parametrize(("verb", "states"), [(verb, states) for verb, states in requests.STATES.items()])
def test_what_a_state_does_not_allow(store, verb, states):
    call = {"rollback": requests.roll_back}.get(verb) or getattr(requests, verb)
    for state in ("queued", "running", "done", "failed", "cancelled", "reverted"):
        migration = begun(store, state)
        assert requests.possible(store, migration)[verb] is (state in states)
        if state not in states:
            with pytest.raises(UsageError, match=f"is {state}: {verb} needs"):
                call(store, migration, "alice")
