"""The store: what would be lost or doubled if it failed."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import multiprocessing
import sqlite3
import stat
import threading
import time
import uuid

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import OperationalError
from taskflow.exceptions import StorageFailure
from taskflow.persistence.backends import impl_sqlalchemy

from pumphouse.errors import ConfigError, PumphouseError, UsageError
from pumphouse.store import Store, database, logbook, models, transactions

PAIR = "http://old/v3 > http://new/v3"


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/state/pumphouse.sqlite"


@pytest.fixture
def store(url):
    with Store.open(url) as store:
        yield store


@pytest.fixture
def migration(store):
    return store.start_migration(PAIR, {"tenant": "Ünï"}, {"units": []}, {"concurrency": 4})


def test_models_and_migrations_make_the_same_tables(store):
    theirs = logbook.METADATA.tables

    def is_ours(_object, name, type_, _reflected, _compare_to):
        return type_ != "table" or name not in theirs

    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": is_ours})
        assert compare_metadata(context, models.Base.metadata) == []
        assert context.get_current_heads() == (database.HEAD,)
        tables = sa.inspect(connection)
        assert {name: {column["name"] for column in tables.get_columns(name)} for name in theirs} == {
            name: set(table.columns.keys()) for name, table in theirs.items()
        }, "those in which TaskFlow keeps its flows"


def test_file_is_private_and_can_be_opened_again(url, tmp_path):
    Store.open(url).close()
    Store.open(url).close()
    path = tmp_path / "state" / "pumphouse.sqlite"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_sqlite_is_set_up_for_several_writers(store):
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() >= 10_000


def test_a_newer_database_is_left_alone(url, tmp_path):
    Store.open(url).close()
    with sqlite3.connect(tmp_path / "state" / "pumphouse.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(UsageError, match=r"newer Pumphouse.*9999") as caught:
        Store.open(url)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "not a database URL"),
        ("oracle9://x", "not a database URL"),
        ("sqlite:////proc/none/db", "cannot be created"),
    ],
)
def test_a_wrong_url_is_told_in_one_line(url, words):
    with pytest.raises(ConfigError, match=words) as caught:
        Store.open(url)
    assert "\n" not in str(caught.value)


def test_an_unreachable_server_is_told_without_the_password():
    with pytest.raises(PumphouseError) as caught:
        Store.open("mysql://user:s3cret@127.0.0.1:1/pumphouse?ssl_key=s3cret")
    assert "127.0.0.1:1" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_database_is_told(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database, " * 100)
    with pytest.raises(PumphouseError, match=r"notes.txt.*not a database"):
        Store.open(f"sqlite:///{path}")
    assert path.read_text().startswith("not a database")


def test_migration_comes_back_as_given(store, migration):
    row = store.migration(migration)
    assert (row.id, row.pair, row.selection, row.plan) == (migration, PAIR, {"tenant": "Ünï"}, {"units": []})
    assert row.options == {"concurrency": 4}
    assert row.state == "running"
    store.set_migration_state(migration, "done")
    after = store.migration(migration)
    assert after.state == "done"
    assert after.updated >= after.created == row.created
    assert [row.id for row in store.migrations()] == [migration]
    assert store.migration(99) is None


def test_rows_are_frozen(store, migration):
    with pytest.raises(dataclasses.FrozenInstanceError):
        store.migration(migration).state = "done"


def test_units_keep_their_order_and_falsy_values(store):
    units = [("z", "image", "image z", 10), ("a", "server", "server a", 2**40)]
    migration = store.start_migration(PAIR, {}, {}, {}, units)
    assert [unit.name for unit in store.units(migration)] == ["z", "a"]
    store.update_unit(migration, "a", state="running", started=1.5, bytes_done=2**40, step="copying")
    store.update_unit(migration, "a", state="done", finished=1732170000.123456, downtime=0.0)
    z, a = store.units(migration)
    assert (z.state, z.started, z.downtime, z.error) == ("pending", None, None, "")
    assert (a.state, a.downtime, a.bytes_done, a.step) == ("done", 0.0, 2**40, "copying")
    assert a.finished == 1732170000.123456
    with pytest.raises(TypeError, match="colour"):
        store.update_unit(migration, "a", colour="red")


def test_history_counts(store):
    migration = store.start_migration(PAIR, {}, {}, {}, [(name, "image", name, 10) for name in "abcd"])
    empty = store.start_migration(PAIR, {"all": True}, {}, {})
    for name, state in zip("abc", ("done", "failed", "blocked"), strict=True):
        store.update_unit(migration, name, state=state, bytes_done=7)
    first, second = store.history()
    assert (first.units, first.units_done, first.units_failed, first.bytes_done) == (4, 1, 2, 21)
    assert (second.id, second.units, second.bytes_done) == (empty, 0, 0)


def test_mappings_are_kept_once_per_source_resource(store, migration):
    def say(destination, created):
        store.map(PAIR, "image", "s1", destination, migration_id=migration, unit="u", created=created)

    say("d1", True)
    say("d2", False)
    store.map("other", "image", "s1", "d9", migration_id=migration, unit="u", created=True)
    store.map(PAIR, "image", "S1", "d3", migration_id=migration, unit="u", created=True)
    found = store.mapped(PAIR, "image", "s1")
    assert (found.destination_id, found.created, found.migration_id, found.unit) == (
        "d2",
        False,
        migration,
        "u",
    )
    assert [row.destination_id for row in store.mappings(PAIR)] == ["d2", "d3"]
    store.unmap(PAIR, "image", "s1")
    store.unmap(PAIR, "image", "s1")
    assert store.mapped(PAIR, "image", "s1") is None
    assert store.mapped("other", "image", "s1").destination_id == "d9"


def notes(store, migration):
    """How many events that we wrote."""
    return sum(event.kind == "note" for event in store.events(migration))


def test_events_can_be_followed(store, migration):
    store.add_event(migration, "note", "one")
    store.add_event(migration, "step", "two", unit="u", data={"n": [0, False, None]})
    begun, one, two = store.events(migration)
    assert (begun.kind, begun.text) == ("migration", "running")
    assert (one.unit, one.data, two.unit, two.data) == (None, None, "u", {"n": [0, False, None]})
    assert one.time > 1e9
    assert store.events(migration, after=one.id) == [two]


def test_results_are_replaced(store, migration):
    fields = [{"field": "name", "verdict": "equal", "source": "", "destination": "", "reason": ""}]
    store.save_result(migration, "u", "image", "s1", "i", None, "failed", [], None)
    store.save_result(migration, "u", "image", "s1", "i", "d1", "equal", fields, {"size": 0})
    (row,) = store.results(migration)
    assert (row.destination_id, row.verdict, row.fields, row.bytes) == ("d1", "equal", fields, {"size": 0})


def test_temporaries_until_they_are_gone(store, migration):
    one = store.add_temporary(migration, "a", "source", "image", "i1", "pumphouse-1")
    two = store.add_temporary(migration, "b", "destination", "volume", "v1", "pumphouse-2")
    assert [(row.id, row.resource_id, row.cloud_role) for row in store.temporaries()] == [
        (one, "i1", "source"),
        (two, "v1", "destination"),
    ]
    assert [row.id for row in store.temporaries(migration, "b")] == [two]
    store.drop_temporary(one)
    assert [row.id for row in store.temporaries(migration)] == [two]


def test_long_texts_are_cut_not_refused(store):
    migration = store.start_migration(PAIR, {}, {}, {}, [("a", "image", "a", 0)])
    store.update_unit(migration, "a", error="x" * 100_000)
    assert 1_000 < len(store.units(migration)[0].error) < 65_535 / 4


def test_a_broken_reference_is_an_error_of_ours(store):
    with pytest.raises(PumphouseError, match="FOREIGN KEY"):
        store.add_event(77, "note", "of no migration")


# A database that is away


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.now, self.time = 0.0, time.time

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(transactions, "time", clock)
    return clock


def lost_connection(*args, invalidated=True, sqlstate=None, module=__name__):
    """As SQLAlchemy raises it."""
    origin = type("OperationalError", (Exception,), {"__module__": module, "sqlstate": sqlstate})(*args)
    return OperationalError("SELECT 1", {}, origin, connection_invalidated=invalidated)


class Away:
    """Raises each error in turn; then the database is there."""

    def __init__(self, *errors):
        self.errors = list(errors)

    def __call__(self):
        if self.errors:
            raise self.errors.pop(0)


@pytest.mark.parametrize(
    "error",
    [
        lost_connection("server closed the connection unexpectedly"),
        lost_connection(2013, "Lost connection to MySQL server during query", invalidated=False),
        lost_connection(2003, "Can't connect to MySQL server", invalidated=False),
        lost_connection("terminating connection", sqlstate="57P01", invalidated=False),
        lost_connection("connection refused", module="psycopg", invalidated=False),
    ],
    ids=["invalidated", "lost", "no server", "shutting down", "psycopg"],
)
def test_a_database_that_is_away_for_a_moment_is_waited_for(store, migration, clock, error):
    for do in (store.read, store.write):
        away = Away(error, error)

        def work(session, away=away):
            session.add(models.Event(migration_id=migration, time=1.0, kind="note", text="once"))
            away()
            return "found"

        assert do(work) == "found"
    assert 0 < clock.now < transactions.PATIENCE
    assert notes(store, migration) == 1, "reading writes nothing, and a lost transaction did not happen"


def test_a_database_that_stays_away_is_an_error_of_ours(store, clock):
    def work(_):
        raise lost_connection(2013, "Lost connection")

    with pytest.raises(PumphouseError, match="Lost connection"):
        store.read(work)
    assert transactions.PATIENCE <= clock.now <= transactions.PATIENCE + 1


@pytest.mark.parametrize(
    "error",
    [
        lost_connection(1045, "Access denied", invalidated=False),
        lost_connection("no such table", invalidated=False),
        lost_connection("permission denied", sqlstate="42501", module="psycopg", invalidated=False),
    ],
    ids=["no right", "no table", "psycopg"],
)
def test_what_does_not_pass_is_not_waited_for(store, clock, error):
    with pytest.raises(PumphouseError):
        store.read(lambda _: Away(error)())
    assert clock.now == 0


def test_the_state_of_a_flow_waits_for_the_database_too(store, clock, monkeypatch):
    away, theirs = Away(lost_connection("gone"), lost_connection("gone")), impl_sqlalchemy.Connection
    real = theirs.update_flow_details

    def update(self, detail):
        try:
            away()
        except OperationalError as error:
            raise StorageFailure("failed updating flow details") from error
        return real(self, detail)

    id_ = str(uuid.uuid4())
    backend, _, flow = logbook.begin(store, "a", id_)
    monkeypatch.setattr(theirs, "update_flow_details", update)
    flow.state = "RUNNING"
    backend.get_connection().update_flow_details(flow)
    assert away.errors == []
    _, _, found = logbook.find(store, id_)
    assert found.state == "RUNNING"


def _hammer(url: str, migration: int, count: int) -> None:
    with Store.open(url) as store:
        for number in range(count):
            store.map(PAIR, "image", f"s{number}", "d", migration_id=migration, unit="u", created=True)
            store.add_event(migration, "note", str(number))


def test_threads_and_processes_write_at_once(store, migration, url):
    """Nothing is lost or refused ("database is locked") however many write."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_hammer, args=(url, migration, 20)) for _ in range(2)]
    for process in processes:
        process.start()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(_hammer, url, migration, 20) for _ in range(8)]
        for job in jobs:
            job.result()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert len(store.mappings(PAIR)) == 20
    assert notes(store, migration) == 200


def test_a_new_database_may_be_opened_by_many_at_once(url):
    barrier = threading.Barrier(8)

    def work(_number):
        barrier.wait()
        Store.open(url).close()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))


def test_memory_serves_threads():
    with Store.open("sqlite://") as store:
        migration = store.start_migration(PAIR, {}, {}, {})
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: store.add_event(migration, "note", str(n)), range(100)))
        assert notes(store, migration) == 100


def test_drivers_we_depend_on_are_the_default(monkeypatch):
    made = []
    monkeypatch.setattr(sa, "create_engine", lambda url, **_: made.append(url.drivername))
    for name in ("mysql", "mariadb", "postgresql", "postgresql+asyncpg"):
        database.make_engine(f"{name}://host/db")
    assert made == ["mysql+pymysql", "mariadb+pymysql", "postgresql+psycopg", "postgresql+asyncpg"]
