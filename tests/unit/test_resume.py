"""Going on where a run broke off: nothing is done twice, nothing is forgotten, and nobody is in anybody's way."""

from __future__ import annotations

import concurrent.futures
import contextlib
import threading
import time

import pytest
import sqlalchemy as sa

from pumphouse.errors import CloudError, PumphouseError
from pumphouse.migrations import keeping, runner
from pumphouse.planning import Selection, make_plan
from pumphouse.store import Store, claims, database, logbook, models
from pumphouse.store.transactions import Transactions
from pumphouse.tasks import base, images
from pumphouse.transfer.progress import Progress
from tests.unit import fake_clients as clients
from tests.unit import fakes, test_runner, test_server_flow
from tests.unit.fake_clients import HttpError
from tests.unit.test_runner import LONG, Do, fail


class Killed(BaseException):
    """The end of the process: nothing catches it."""


def die(*_, **__):
    raise Killed


class Deaths:
    """Whether something is done for the first time: then the process dies of it."""

    def __init__(self, deaths=1):
        self.left = deaths

    def __call__(self, *_):
        if self.left:
            self.left -= 1
            raise Killed


class Resumable:
    """What both kinds of site have in common."""

    def killed(self, monkeypatch, run, known=True):
        """Let it run until its process is killed, which tidies nothing up; ``known``: its leases have run out."""
        with monkeypatch.context() as patch:
            patch.setattr(runner._Runner, "close", lambda _: None)
            with pytest.raises(Killed):
                run()
        self.id = self.store.migrations()[-1].id
        if known:
            run_out(self.store)

    def resume(self, store=None, concurrency=1):
        """Go on in a process of its own; returns the units' states."""
        self.resumed = Progress()
        self.store.wish(self.id, "")
        runner.resume(
            self.source,
            self.destination,
            store or self.store,
            self.id,
            concurrency=concurrency,
            progress=self.resumed,
            stop=threading.Event(),
        )
        self.rows = {row.name: row for row in self.store.units(self.id)}
        return {name: row.state for name, row in self.rows.items()}

    def assert_no_flow_is_kept(self):
        with self.store.engine.connect() as connection:
            for table in logbook.METADATA.sorted_tables:
                assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0


def run_out(store):
    """The leases of all processes."""
    store.write(lambda session: session.execute(sa.update(models.Unit).values(lease=1.0)))


def another(store):
    """The same database over connections of its own."""
    return Store(database.make_engine(str(store.engine.url)))


class Site(Resumable, test_runner.Site):
    """Units that each make a network, and what of them was done, in order."""

    def __init__(self, store, monkeypatch):
        super().__init__(store, monkeypatch)
        self.done, self.undone = [], []

    def everything_of_units(self):
        """All that the database holds about them."""
        store, id_ = self.store, self.id
        with store.engine.connect() as connection:
            notes = connection.execute(sa.select(models.Note.__table__)).all()
        return store.units(id_), store.events(id_), store.results(id_), store.mappings(self.pair), notes

    def step(self, name, execute=lambda _: None, undo=lambda _: None):
        """A task that is noted when it is done or undone, and may do something else after that."""

        def note(where, what):
            def call(context):
                where.append(name)
                what(context)

            return call

        return Do(name, note(self.done, execute), note(self.undone, undo))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(runner, "LOOK", 0.02)
    monkeypatch.setattr(runner, "WAIT", 0.01)


@pytest.fixture
def site(tmp_path, monkeypatch):
    site = Site(fakes.new_store(f"sqlite:///{tmp_path}/pumphouse.sqlite"), monkeypatch)
    yield site
    site.store.close()


# A run that was killed


def test_what_was_done_is_not_done_again_and_what_was_interrupted_is(site, monkeypatch):
    site.unit("a", site.step("first"), site.step("second", Deaths()), site.step("third"))
    site.unit("b", site.step("later"), needs=["a"])
    site.killed(monkeypatch, site.run)
    assert [row.state for row in site.store.units(site.id)] == ["running", "pending"]
    assert site.resume() == {"a": "done", "b": "done"}
    assert site.done == ["first", "second", "second", "third", "later"]
    assert site.undone == []
    assert site.there() == ["a", "b"]
    assert site.destination.asked("create", "network") == 2
    assert site.state == "done"
    assert {result.verdict for result in site.store.results(site.id)} == {"equal"}
    site.assert_no_flow_is_kept()


def test_units_that_were_done_stay_as_they_are(site, monkeypatch):
    site.unit("a", site.step("first"))
    site.unit("b", site.step("second", Deaths()), needs=["a"])
    site.killed(monkeypatch, site.run)
    before = site.store.units(site.id)[0]
    site.resume()
    assert site.store.units(site.id)[0] == before
    assert site.done == ["first", "second", "second"]


def test_it_may_be_killed_again_and_again(site, monkeypatch):
    site.unit("a", site.step("first", Deaths(2)), site.step("second", Deaths(2)), site.step("third", Deaths()))
    site.killed(monkeypatch, site.run)
    for _ in range(4):
        site.killed(monkeypatch, site.resume)
    assert site.resume() == {"a": "done"}
    assert site.done == ["first"] * 3 + ["second"] * 3 + ["third"] * 2
    assert site.destination.asked("create", "network") == 1


@pytest.mark.parametrize("moment", ["begin", "find", "end"])
def test_it_may_be_killed_just_as_its_state_is_written(site, monkeypatch, moment):
    """Before the flow is stored, before it is found again, before it is forgotten."""
    site.unit("a", site.step("first", Deaths() if moment == "find" else lambda _: None), site.step("second"))
    if moment == "find":
        site.killed(monkeypatch, site.run)
    with monkeypatch.context() as patch:
        patch.setattr(logbook, moment, die)
        site.killed(monkeypatch, site.resume if moment == "find" else site.run)
    assert site.resume() == {"a": "done"}
    assert site.done[-2:] == ["first", "second"]
    assert site.there() == ["a"]
    assert site.state == "done"


def test_what_was_done_but_not_yet_compared_is_compared(site, monkeypatch):
    site.unit("a", site.step("first"))
    with monkeypatch.context() as patch:
        patch.setattr(runner, "verify_unit", die)
        site.killed(monkeypatch, site.run)
    assert site.store.results(site.id) == []
    assert site.resume() == {"a": "done"}
    assert site.done == ["first"]
    assert [result.verdict for result in site.store.results(site.id)] == ["equal"]


def test_what_could_not_be_compared_is_compared(site):
    site.unit("a", site.step("lose", lambda _: test_runner.away(site)))
    site.run()
    assert site.state == "failed"
    site.destination.refuse.clear()
    assert site.resume() == {"a": "done"}
    assert site.done == ["lose"]
    assert site.state == "done"
    assert [result.verdict for result in site.store.results(site.id)] == ["equal"]


def test_what_a_failed_unit_could_not_remove_is_removed_before_it_is_tried_again(site):
    """A server that was made, failed, and failed to be deleted, is of no use."""
    site.destination.refuse["delete", "network"] = HttpError(500, "cannot be deleted now")
    site.unit("a", site.step("bad", lambda _: fail(_) if len(site.done) == 1 else None))
    assert site.run()["a"].state == "failed"
    (left,) = site.destination.tables["network"]
    assert site.resume() == {"a": "failed"}
    assert "cannot be deleted now" in site.rows["a"].error
    site.destination.refuse.clear()
    assert site.resume() == {"a": "done"}
    assert left not in site.destination.tables["network"]
    assert site.there() == ["a"]


class Writes:
    """The database of a process that is killed before its n-th write."""

    def __init__(self, number):
        self.number, self.made = number, 0

    def install(self, patch):
        write = Transactions.write

        def counted(store, work):
            self.made += 1
            return write(store, work) if self.made < self.number else die()

        patch.setattr(Transactions, "write", counted)


@pytest.mark.parametrize("number", range(1, 30))
def test_it_may_be_killed_before_anything_that_it_writes(site, monkeypatch, number):
    """One unit fails at first; all is written in fewer writes than that."""
    site.unit("a", site.step("first"), site.step("second"))
    bad = site.step("bad", lambda _: fail(_) if site.done.count("bad") == 1 else None)
    site.unit("b", bad)
    with monkeypatch.context() as patch:
        Writes(number).install(patch)
        with contextlib.suppress(Killed):
            site.run()
    if not site.store.migrations():
        return
    site.id = site.store.migrations()[-1].id
    run_out(site.store)
    if site.resume()["b"] == "failed":
        assert site.done.count("bad") == 1
        site.resume()
    assert site.states() == {"a": "done", "b": "done"}
    assert site.there() == ["a", "b"]
    assert site.state == "done"
    assert {result.verdict for result in site.store.results(site.id)} == {"equal"}
    site.assert_no_flow_is_kept()


def test_a_failure_that_could_not_be_told_is_tried_again(site, monkeypatch):
    """All was undone when the process died."""
    site.unit("a", site.step("first"), site.step("bad", lambda _: fail(_) if len(site.done) < 3 else None))
    with monkeypatch.context() as patch:
        patch.setattr(runner, "note_failure", die)
        site.killed(monkeypatch, site.run)
    assert site.there() == []
    assert site.resume() == {"a": "done"}
    assert site.done == ["first", "bad", "first", "bad"]
    assert site.there() == ["a"]


def test_what_was_being_undone_is_undone_to_the_end(site, monkeypatch):
    site.unit(
        "a",
        site.step("first"),
        site.step("second", undo=Deaths()),
        site.step("third"),
        site.step("bad", fail),
    )
    site.killed(monkeypatch, site.run)
    assert site.undone == ["bad", "third", "second"]
    assert site.there() == ["a"]
    assert site.resume() == {"a": "failed"}
    assert site.done == ["first", "second", "third", "bad"]
    assert site.undone == ["bad", "third", "second", "second", "first"]
    assert site.there() == []
    assert site.rows["a"].error == "no valid host was found"
    site.assert_no_flow_is_kept()


def test_temporary_things_of_a_killed_run_go_away(site, monkeypatch):
    site.unit("a", Do("1", test_runner.leave("mine")), Do("2", test_runner.leave_for_all), Do("3", Deaths()))
    site.killed(monkeypatch, site.run)
    assert len(site.destination.tables["image"]) == 2
    site.resume()
    assert site.destination.tables["image"] == {}
    assert site.store.temporaries() == []


def test_what_was_there_before_a_killed_run_is_still_not_ours(site, monkeypatch):
    site.destination.put("network", "N", name="a", project_id=None, tags=[])
    site.unit("a", action="reuse", destination_id="N")
    site.unit("b", Do("die", Deaths()), Do("bad", fail), needs=["a"])
    site.killed(monkeypatch, site.run)
    assert site.resume() == {"a": "done", "b": "failed"}
    assert site.there() == ["a"]
    assert not site.store.mapped(site.pair, "network", "a").created


# A run that ended otherwise


def test_what_failed_is_tried_again_and_so_is_what_needed_it(site):
    site.unit("bad", site.step("bad", lambda _: fail(_) if len(site.done) == 1 else None))
    site.unit("child", needs=["bad"])
    site.unit("fine", site.step("fine"))
    site.run()
    assert site.states() == {"bad": "failed", "child": "blocked", "fine": "done"}
    assert site.resume() == {"bad": "done", "child": "done", "fine": "done"}
    assert site.done == ["bad", "fine", "bad"]
    assert site.there() == ["bad", "child", "fine"]
    assert site.rows["bad"].error == ""
    assert site.state == "done"
    assert {result.verdict for result in site.store.results(site.id)} == {"equal"}


def test_what_was_stopped_goes_on(site):
    site.unit("a", Do("stop", lambda _: site.stop.set()))
    site.unit("b")
    site.run()
    assert site.states() == {"a": "done", "b": "stopped"}
    assert site.resume() == {"a": "done", "b": "done"}
    assert site.state == "done"


def test_what_was_cancelled_is_undone_and_can_go_on(site, monkeypatch):
    monkeypatch.setattr(keeping, "SAVE_EVERY", 0.01)

    def copy(context):
        site.store.wish(context.migration_id, runner.CANCEL)
        until(context.abandon.is_set)
        raise CloudError("given up")

    site.unit("a", site.step("first"), Do("copy", copy))
    site.unit("b", needs=["a"])
    rows = site.run()
    assert (rows["a"].state, rows["a"].error, rows["b"].state) == ("stopped", "cancelled", "stopped")
    assert site.state == "cancelled"
    assert site.there() == []
    assert site.undone == ["first"]
    site.extra["a"] = ()
    assert site.resume() == {"a": "done", "b": "done"}
    assert site.state == "done"


def until(condition):
    """Wait for another thread."""
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


# Several processes at once


@pytest.fixture
def thread():
    """Start a function in a thread, which must have ended without an error when the test has."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        started = []

        def start(work):
            started.append(pool.submit(work))
            return started[-1]

        yield start
        for future in started:
            future.result(LONG)


def test_two_processes_run_each_unit_once(site, thread):
    for number in range(16):
        name, needs = f"n{number:02}", [f"n{number - 4:02}"] if number >= 4 else []
        site.unit(name, site.step(name, lambda _: time.sleep(0.01)), needs=needs)
    both = []
    with another(site.store) as store:

        def second(id_):
            site.id = id_
            both.append(thread(lambda: site.resume(store, concurrency=2)))

        site.run(concurrency=2, on_start=second)
        both[0].result(LONG)
        assert set(site.states().values()) == {"done"}
        assert sorted(site.done) == sorted(site.extra)
        assert site.destination.asked("create", "network") == 16
        assert site.state == "done"


def test_what_the_other_process_does_is_shown_and_waited_for(site, thread):
    begun, go = threading.Event(), threading.Event()

    def work(_):
        begun.set()
        assert go.wait(LONG)

    site.unit("a", Do("work", work))
    site.unit("b", site.step("b"), needs=["a"])
    first = thread(site.run)
    assert begun.wait(LONG)
    site.id = site.store.migrations()[-1].id
    with another(site.store) as store:
        second = thread(lambda: site.resume(store))
        until(lambda: site.resumed.units and site.resumed.units["a"].state == "running")
        assert site.done == []
        go.set()
        assert second.result(LONG) == {"a": "done", "b": "done"}
        first.result(LONG)
    assert site.done == ["b"]


def test_units_of_a_process_that_dies_are_taken_over_by_the_one_that_lives(site, monkeypatch, thread):
    site.unit("a", site.step("a", Deaths()))
    site.killed(monkeypatch, site.run, known=False)
    with another(site.store) as store:
        second = thread(lambda: site.resume(store))
        until(lambda: site.resumed.units)
        time.sleep(5 * runner.LOOK)
        assert site.done == ["a"], "it may still be alive"
        run_out(site.store)
        assert second.result(LONG) == {"a": "done"}
    assert site.done == ["a", "a"]


@pytest.mark.parametrize("then", ["it changes a cloud", "it fails", "it ends"])
def test_a_process_that_was_paused_does_nothing_more_to_a_unit_that_was_taken_over(site, thread, then):
    """Neither are its own things undone: they are the other one's now."""
    paused, wakes = threading.Event(), threading.Event()

    def pause(context):
        if not paused.is_set():
            paused.set()
            assert wakes.wait(LONG)
            if then == "it changes a cloud":
                context.destination.network.create("networks", {"name": "too late"})
            if then == "it fails":
                fail(context)

    site.unit("a", site.step("first"), site.step("pause", pause), site.step("third"))
    site.unit("b", needs=["a"])
    first = thread(site.run)
    assert paused.wait(LONG)
    run_out(site.store)
    site.id = site.store.migrations()[-1].id
    with another(site.store) as store:
        assert site.resume(store) == {"a": "done", "b": "done"}
    before = site.everything_of_units()
    site.destination.requests.clear()
    wakes.set()
    first.result(LONG)
    assert site.everything_of_units() == before
    assert site.destination.changes() == []
    assert site.done == ["first", "pause", "pause", "third"]
    assert site.undone == []
    assert site.there() == ["a", "b"]
    assert site.state == "done"


def test_a_claim_of_a_process_that_was_paused_just_after_the_end_of_its_unit_is_let_go(site, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(runner.claims, "release", lambda *_: None)
        site.unit("a", site.step("first"))
        site.run()
    run_out(site.store)
    assert site.resume() == {"a": "done"}
    with site.store.engine.connect() as connection:
        assert connection.execute(sa.select(models.Unit.owner, models.Unit.lease)).all() == [("", None)]
    assert site.done == ["first"]


def test_a_long_step_keeps_its_claim(site, monkeypatch):
    monkeypatch.setattr(claims, "RENEW", 0.01)

    def lease():
        with site.store.engine.connect() as connection:
            return connection.scalar(sa.select(models.Unit.lease))

    def work(_):
        first = lease()
        until(lambda: lease() > first)

    site.unit("a", Do("work", work))
    assert site.run()["a"].state == "done"
    assert lease() is None


def test_a_copy_for_a_unit_that_was_taken_over_ends_soon(site, monkeypatch):
    monkeypatch.setattr(claims, "RENEW", 0.01)
    taken = {"owner": "another process", "epoch": models.Unit.epoch + 1, "lease": 1.0}

    def copy(context):
        if len(site.done) == 1:
            site.store.write(lambda session: session.execute(sa.update(models.Unit).values(taken)))
            until(context.abandon.is_set)

    site.unit("a", site.step("copy", copy))
    assert site.run()["a"].state == "done"
    assert site.done == ["copy", "copy"], "the other one has died at once, so that it is ours again"


def test_all_is_given_up_when_nothing_can_be_renewed(site, monkeypatch):
    """Others may have the units, and nobody can look."""

    def away(*_):
        raise PumphouseError("the database is away")

    def copy(context):
        monkeypatch.setattr(claims, "renew", away)
        until(context.abandon.is_set)
        fail(context)

    monkeypatch.setattr(claims, "RENEW", 0.01)
    monkeypatch.setattr(claims, "LEASE", 0.05)
    site.unit("a", Do("copy", copy))
    assert site.run()["a"].state == "failed"


# A database that is away for too long


def test_a_unit_whose_state_cannot_be_written_is_as_if_its_process_had_died(site, monkeypatch):
    """It is neither done nor undone: to call it failed would forget what was made."""
    away = []

    def check(_):
        if away:
            raise PumphouseError("the database is away")

    site.unit("a", site.step("first"), site.step("second", away.append), site.step("third"))
    with monkeypatch.context() as patch:
        patch.setattr(logbook.Backend, "check", check)
        with pytest.raises(PumphouseError, match="the database is away"):
            site.run()
    site.id = site.store.migrations()[-1].id
    assert (site.states(), site.state) == ({"a": "running"}, "failed")
    run_out(site.store)
    assert site.resume() == {"a": "done"}
    assert site.done == ["first", "second", "second", "third"]
    assert site.undone == []
    assert site.there() == ["a"]


# A server's cutover


class Cutover(Resumable, test_server_flow.Site):
    """A server with a port, a root disk and a volume."""


@pytest.fixture
def cutover(monkeypatch):
    site = Cutover(monkeypatch, servers=1)
    yield site
    site.store.close()


#: What a cutover changes, in order: (cloud, class of the client's manager, method, type).
CHANGES = [
    ("destination", clients.Network, "create", "port"),
    ("source", clients.Servers, "stop", "server"),
    ("source", clients.Servers, "create_image", "server"),
    ("source", clients.Volumes, "upload_to_image", "volume"),
    ("destination", clients.Images, "create", "image"),
    ("destination", clients.Volumes, "create", "volume"),
    ("destination", clients.Servers, "create", "server"),
]


def interrupt(monkeypatch, role, class_, method, type_, when, what):
    """Have ``what`` happen before or after the first request of this kind takes effect."""
    real = getattr(class_, method)

    def call(self, *args, **more):
        mine = self.cloud.role == role and type_ == (
            self._table(args[0]).type if class_ is clients.Network else self.type
        )
        if mine and when == "before":
            what()
        answer = real(self, *args, **more)
        if mine and when == "after":
            what()
        return answer

    monkeypatch.setattr(class_, method, call)


def counted(cloud):
    return {type_: len(table) for type_, table in cloud.tables.items() if table}


@pytest.fixture(scope="module")
def moved():
    """How many of each type are there when nothing goes wrong."""
    with pytest.MonkeyPatch.context() as patch:
        smooth = Cutover(patch, servers=1)
        assert smooth.migrate(servers=["w1"]) == "done"
        return counted(smooth.destination)


def assert_moved_once(cutover, moved):
    assert counted(cutover.destination) == moved
    assert {result.verdict for result in cutover.store.results(cutover.id)} <= {"equal", "mapped"}
    assert [server["status"] for server in cutover.there("server")] == ["ACTIVE"]
    assert cutover.power() == "SHUTOFF"
    assert not [volume for volume in cutover.there("volume") if "pumphouse" in volume["metadata"]]
    assert cutover.there("server")[0]["tags"] == ["t"]
    assert 0 < cutover.rows["server:w1"].downtime < 60
    cutover.assert_nothing_is_left_over()
    cutover.assert_no_flow_is_kept()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: f"{change[2]} {change[3]}")
def test_wherever_a_cutover_is_killed_it_goes_on_and_all_is_there_once(cutover, moved, monkeypatch, change, when):
    with monkeypatch.context() as patch:
        interrupt(patch, *change, when, Deaths())
        cutover.killed(patch, lambda: cutover.migrate(servers=["w1"]))
    assert set(cutover.resume(concurrency=2).values()) == {"done"}
    assert_moved_once(cutover, moved)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("change", CHANGES[:-1], ids=lambda change: f"{change[2]} {change[3]}")
def test_wherever_a_cutover_is_killed_all_of_it_can_be_undone(cutover, monkeypatch, change, when):
    before = cutover.source.holdings()
    with monkeypatch.context() as patch:
        interrupt(patch, *change, when, Deaths())
        cutover.killed(patch, lambda: cutover.migrate(servers=["w1"]))
    cutover.destination.refuse["create", "server"] = HttpError(418, "not today")
    assert cutover.resume()["server:w1"] == "failed"
    assert "not today" in cutover.rows["server:w1"].error
    assert cutover.source.holdings() == before
    assert not {"server", "port", "volume", "image"} & set(cutover.destination.holdings())
    cutover.assert_nothing_is_left_over()


@pytest.mark.parametrize("change", [c for c in CHANGES if c[0] == "destination"], ids=lambda change: change[3])
def test_a_cutover_whose_answers_are_lost_makes_all_of_it_once(cutover, moved, monkeypatch, change):
    monkeypatch.setattr(base, "PAUSES", (0.0,))
    lost = []

    def lose():
        if not lost:
            lost.append(True)
            raise ConnectionError("connection reset by peer")

    interrupt(monkeypatch, *change, "after", lose)
    assert cutover.migrate(servers=["w1"]) == "done"
    assert lost
    cutover.rows = cutover.units
    assert_moved_once(cutover, moved)


@pytest.mark.parametrize("copied", [False, True], ids=["while bytes are copied", "when they are"])
def test_bytes_that_have_arrived_are_not_copied_again(cutover, moved, monkeypatch, copied):
    """Of the root disk, and of the volume's."""
    real = images.copy_image
    deaths = Deaths()

    def copy(*args, **more):
        if not copied:
            deaths()
        done = real(*args, **more)
        deaths()
        return done

    with monkeypatch.context() as patch:
        patch.setattr(images, "copy_image", copy)
        cutover.killed(patch, lambda: cutover.migrate(servers=["w1"]))
    for cloud in (cutover.source, cutover.destination):
        for image in cloud.tables["image"].values():
            image.update(os_hash_algo="sha512", os_hash_value="ab" * 64, size=image["size"] or 7)
    cutover.resume()
    assert_moved_once(cutover, moved)
    assert len(cutover.moved) == 2
    for result in cutover.store.results(cutover.id):
        if result.type in ("server", "volume"):
            assert result.bytes["source_sha512"] == result.bytes["destination_sha512"] == "ab" * 64


def test_the_downtime_of_a_killed_cutover_counts_from_the_first_stop(cutover, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt(patch, *CHANGES[3], "before", Deaths())
        cutover.killed(patch, lambda: cutover.migrate(servers=["w1"]))
    time.sleep(0.5)
    cutover.resume()
    assert 0.5 < cutover.rows["server:w1"].downtime < 60


def test_a_server_runs_again_though_our_account_cannot_get_back_into_its_project(cutover, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt(patch, *CHANGES[3], "before", Deaths())
        cutover.killed(patch, lambda: cutover.migrate(servers=["w1"]))
    assert cutover.power() == "SHUTOFF"
    cutover.destination.tables["assignment"].clear()
    for type_ in ("assignment", "volume", "server"):
        cutover.destination.refuse["create", type_] = HttpError(403, "not you")
    assert cutover.resume()["server:w1"] == "failed"
    assert cutover.power() == "ACTIVE"
    assert cutover.there("port") == []


def test_a_server_that_an_interrupted_run_has_stopped_is_not_moved_as_if_it_had_been_off(cutover, monkeypatch):
    """A new migration would leave it off in both clouds."""
    with monkeypatch.context() as patch:
        interrupt(patch, *CHANGES[-1], "before", Deaths())
        cutover.killed(patch, lambda: cutover.migrate(servers=["w1"]))
    assert cutover.source.tables["server"]["w1"]["status"] == "SHUTOFF"
    plan = make_plan(cutover.source, cutover.destination, cutover.store, Selection(servers=["w1"]), lambda _: None)
    (found,) = [finding for finding in plan.findings if finding.level == "blocks" and finding.type == "server"]
    assert "it was ACTIVE" in found.reason
    assert found.remedy.startswith("resume migration 1, or cancel it")
    assert set(cutover.resume().values()) == {"done"}
