"""Running a plan: a failure costs its own unit only, and nothing is forgotten on the way out."""

from __future__ import annotations

import threading
import time

import pytest
import sqlalchemy as sa
from taskflow.patterns import linear_flow

from pumphouse.errors import CloudError
from pumphouse.migrations import beginning, keeping, runner, running_unit
from pumphouse.planning.plan import Item, Plan, Unit
from pumphouse.planning.planner import pair_of
from pumphouse.tasks import base
from pumphouse.tasks.base import Task
from pumphouse.tasks.records import MakeResource
from pumphouse.transfer.progress import Progress
from tests.unit import fakes
from tests.unit.fake_clients import HttpError

#: Seconds after which a test that waits for another thread has failed.
LONG = 30


class Do(Task):
    """Call a function with the context."""

    def __init__(self, subject, execute=lambda _: None, undo=lambda _: None):
        super().__init__(subject)
        self.subject, self._do, self._undo = subject, execute, undo

    def fresh(self):
        """The same as another process has it."""
        return Do(self.subject, self._do, self._undo)

    def execute(self, context):
        self._do(context)

    def undo(self, context):
        self._undo(context)


def fail(_):
    raise CloudError("no valid host was found")


class Site:
    """Two clouds, a database, and units that each make a network of their own name."""

    def __init__(self, store, monkeypatch):
        self.source, self.destination = fakes.found_cloud("source"), fakes.found_cloud("destination")
        self.store = store
        self.progress, self.stop = Progress(), threading.Event()
        self.units, self.extra = [], {}
        self.pair = pair_of(self.source, self.destination)
        monkeypatch.setattr(running_unit, "flow_of", self.flow)

    def unit(self, name, *then, needs=(), action="create", reason="", **more):
        """A unit that makes network ``name``, and does the rest ``then``."""
        self.source.put("network", name, name=name, project_id=None, tags=[])
        item = Item("network", name, name, action, reason, bytes=10, **more)
        self.units.append(Unit(name, "network", f"network {name}", [item], list(needs)))
        self.extra[name] = then
        return item

    def flow(self, unit):
        make = [MakeResource("network", item.id, item.name) for item in unit.items]
        return linear_flow.Flow(unit.name).add(*make, *(task.fresh() for task in self.extra[unit.name]))

    def run(self, concurrency=1, on_start=lambda _: None):
        self.id = runner.run(
            self.source,
            self.destination,
            self.store,
            Plan({"tenant": "acme"}, self.units),
            concurrency=concurrency,
            progress=self.progress,
            stop=self.stop,
            on_start=on_start,
        )
        rows = {row.name: row for row in self.store.units(self.id)}
        assert {name: unit.state for name, unit in self.progress.units.items()} == {
            name: row.state for name, row in rows.items()
        }, "what was shown is what was stored"
        return rows

    @property
    def state(self):
        return self.store.migration(self.id).state

    def states(self):
        return {row.name: row.state for row in self.store.units(self.id)}

    def there(self):
        return sorted(network["name"] for network in self.destination.tables["network"].values())

    def events(self, kind):
        return [event.text for event in self.store.events(self.id) if event.kind == kind]

    def everything(self):
        """All that the database holds, as text."""
        with self.store.engine.connect() as connection:
            tables = sa.inspect(connection).get_table_names()
            return repr([connection.exec_driver_sql(f"SELECT * FROM {table}").all() for table in tables])


@pytest.fixture
def site(tmp_path, monkeypatch):
    site = Site(fakes.new_store(f"sqlite:///{tmp_path}/pumphouse.sqlite"), monkeypatch)
    yield site
    site.store.close()


def test_units_run_in_their_order_and_all_is_recorded(site):
    order = []
    site.unit("a", Do("a", lambda _: order.append("a")))
    site.unit("b", Do("b", lambda _: order.append("b")), needs=["a"])
    began = time.time()
    rows = site.run(concurrency=4)
    assert order == ["a", "b"]
    assert site.state == "done"
    assert site.there() == ["a", "b"]
    for row in rows.values():
        assert (row.state, row.error, row.step, row.bytes_total) == ("done", "", "", 10)
        assert began - 1 <= row.started <= row.finished <= time.time() + 1
    assert site.store.mapped(site.pair, "network", "a").created
    results = site.store.results(site.id)
    assert [(one.source_id, one.verdict) for one in results] == [("a", "equal"), ("b", "equal")]
    assert results[0].destination_id in site.destination.tables["network"]


def test_the_units_are_known_before_anything_starts(site):
    site.unit("a")
    seen = []

    def on_start(id_):
        seen.append((id_, list(site.progress.units), [row.state for row in site.store.units(id_)], site.there()))

    site.run(on_start=on_start)
    assert seen == [(site.id, ["a"], ["pending"], [])]


def test_a_failing_unit_is_undone_alone(site):
    site.unit("sibling")
    site.unit("bad", Do("bad", fail))
    site.unit("later")
    rows = site.run(concurrency=2)
    assert site.there() == ["later", "sibling"]
    assert site.states() == {"sibling": "done", "bad": "failed", "later": "done"}
    assert rows["bad"].error == "no valid host was found"
    assert site.state == "failed"
    assert site.store.mapped(site.pair, "network", "bad") is None
    assert site.store.mapped(site.pair, "network", "sibling") is not None
    (result,) = [one for one in site.store.results(site.id) if one.source_id == "bad"]
    assert (result.verdict, result.fields[0]["reason"]) == ("failed", "no valid host was found")


def test_what_depends_on_a_failure_is_blocked_with_the_reason_and_never_begun(site):
    begun = []
    site.unit("bad", Do("bad", fail))
    site.unit("child", Do("child", begun.append), needs=["bad"])
    site.unit("grandchild", Do("grandchild", begun.append), needs=["child"])
    site.unit("free", needs=[])
    rows = site.run()
    assert site.states() == {"bad": "failed", "child": "blocked", "grandchild": "blocked", "free": "done"}
    assert begun == []
    assert rows["child"].error == "needs network bad"
    assert rows["grandchild"].error == "needs network child"
    assert rows["child"].started is None
    assert site.there() == ["free"]
    assert {one.source_id: one.verdict for one in site.store.results(site.id)} == {
        "bad": "failed",
        "child": "failed",
        "grandchild": "failed",
        "free": "equal",
    }


def test_conflicts_are_not_begun_and_hold_back_only_what_needs_them(site):
    site.unit("clash", action="conflict", reason="10.0.0.5 is taken")
    site.unit("child", needs=["clash"])
    site.unit("free")
    rows = site.run()
    assert site.states() == {"clash": "blocked", "child": "blocked", "free": "done"}
    assert rows["clash"].error == "network clash: 10.0.0.5 is taken"
    assert site.there() == ["free"]
    assert site.state == "failed"


def test_what_is_there_already_is_mapped_and_not_ours(site):
    there = site.destination.put("network", "N", name="a", project_id=None, tags=[])
    site.unit("a", Do("never", fail), action="reuse", destination_id="N")
    site.unit("b", needs=["a"])
    site.run()
    assert site.state == "done"
    assert site.destination.tables["network"]["N"] is there
    row = site.store.mapped(site.pair, "network", "a")
    assert (row.destination_id, row.created) == ("N", False)


def test_a_second_run_does_not_forget_who_made_it(site):
    site.unit("a")
    site.run()
    first, made = site.id, site.store.mapped(site.pair, "network", "a")
    site.units[0].items[0].action, site.units[0].items[0].destination_id = "reuse", made.destination_id
    site.destination.requests.clear()
    site.run()
    assert site.state == "done"
    assert site.store.mapped(site.pair, "network", "a") == made
    assert made.migration_id == first != site.id
    assert site.destination.changes() == []


def test_units_run_at_once_but_no_more_than_allowed(site):
    lock, together, now, most = threading.Lock(), threading.Barrier(2), 0, 0

    def meet(_):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        together.wait(LONG)
        with lock:
            now -= 1

    for name in "abcd":
        site.unit(name, Do(name, meet))
    site.run(concurrency=2)
    assert site.state == "done"
    assert most == 2


def test_stopping_lets_running_units_end_and_starts_no_more(site):
    site.unit("a", Do("stop", lambda _: site.stop.set()), Do("goes on"))
    site.unit("b")
    site.unit("c", needs=["b"])
    rows = site.run()
    assert site.states() == {"a": "done", "b": "stopped", "c": "stopped"}
    assert site.there() == ["a"]
    assert site.state == "stopped"
    assert rows["b"].error == "stopped before it began"


def test_stopped_before_it_began_changes_nothing(site):
    site.unit("a")
    site.unit("clash", action="conflict", reason="taken")
    site.stop.set()
    site.run()
    assert site.state == "stopped"
    assert site.destination.changes() == []


def test_a_stop_after_the_last_unit_began_is_no_stop(site):
    site.unit("a", Do("stop", lambda _: site.stop.set()))
    site.run()
    assert site.state == "done"


def test_a_failure_counts_more_than_a_stop(site):
    site.unit("a", Do("stop", lambda _: site.stop.set()), Do("bad", fail))
    site.unit("b")
    site.run()
    assert site.states() == {"a": "failed", "b": "stopped"}
    assert site.state == "failed"


def test_a_unit_that_ends_while_the_database_is_looked_at_is_not_taken_for_running(site, monkeypatch):
    """What was read of it is out of date then."""
    begun, go, real = threading.Event(), threading.Event(), site.store.states

    def work(_):
        begun.set()
        assert go.wait(LONG)

    def states(*args):
        rows = real(*args)
        if begun.is_set() and not go.is_set():
            site.stop.set()
            go.set()
            until = time.monotonic() + LONG
            while real(*args)[0].state != "done" and time.monotonic() < until:
                time.sleep(0.005)
            time.sleep(0.1)
        return rows

    monkeypatch.setattr(runner, "LOOK", 0.01)
    monkeypatch.setattr(site.store, "states", states)
    site.unit("a", Do("work", work))
    site.run()
    assert site.state == "done"


# Undoing


def test_an_undo_that_fails_hides_neither_the_failure_nor_keeps_others_from_being_undone(site):
    undone = []

    def cannot(_):
        raise CloudError("the cloud has gone")

    site.unit("a", Do("first", undo=undone.append), Do("second", undo=cannot), Do("bad", fail))
    rows = site.run()
    assert rows["a"].state == "failed"
    assert rows["a"].error == "no valid host was found"
    assert len(undone) == 1
    assert site.there() == []
    (said,) = site.events("undo failed")
    assert "second" in said
    assert "the cloud has gone" in said


def test_what_was_there_before_is_not_undone(site):
    there = site.destination.put("network", "N", name="a", project_id=None, tags=[])
    earlier = site.store.start_migration(site.pair, {}, {}, {})
    for migration_id, created in ((earlier, True), (earlier, False)):
        site.units.clear()
        site.unit("a", Do(f"bad {created}", fail))
        site.store.map(site.pair, "network", "a", "N", migration_id=migration_id, unit="a", created=created)
        assert site.run()["a"].state == "failed"
        assert site.destination.tables["network"] == {"N": there}


def test_an_error_of_the_program_itself_fails_the_unit_and_not_the_run(site):
    site.unit("a", Do("bug", lambda _: {}["missing"]))
    site.unit("b")
    rows = site.run()
    assert site.states() == {"a": "failed", "b": "done"}
    assert "KeyError" in rows["a"].error


def test_no_secret_of_a_failure_is_kept(site):
    statement = sa.exc.StatementError("bad", "UPDATE password", {"hash": "$2b$12$" + "x" * 53}, Exception("lost"))

    def leak(_):
        raise statement

    def leak_token(_):
        raise HttpError(500, "refused X-Auth-Token gAAAAABm" + "y" * 60)

    site.unit("a", Do("leak", leak, undo=leak))
    site.unit("b", Do("leak", leak_token, undo=leak_token))
    rows = site.run()
    assert rows["a"].state == rows["b"].state == "failed"
    assert "lost" in rows["a"].error
    everything = site.everything()
    assert "x" * 20 not in everything
    assert "y" * 20 not in everything


# Temporary things


def leave(what, role="destination"):
    """Make a temporary image."""

    def make(context):
        images = context.cloud(role).as_project("p").image.images
        context.temporary(role, "image", what, lambda: images.create(name=what)["id"])

    return make


def leave_for_all(context):
    leave("of all")(context.of_migration())


@pytest.mark.parametrize("ending", ["done", "failed", "stopped"])
def test_temporary_things_go_away_in_every_outcome(site, ending):
    end = {"failed": fail, "stopped": lambda _: site.stop.set(), "done": lambda _: None}[ending]
    site.unit("a", Do("1", leave("mine")), Do("2", leave("theirs", "source")), Do("3", leave_for_all), Do("4", end))
    site.unit("b", needs=["a"])
    site.run()
    assert site.state == ending
    assert site.destination.tables["image"] == site.source.tables["image"] == {}
    assert site.store.temporaries() == []
    assert site.events("left over") == []


def test_what_belongs_to_the_whole_migration_stays_until_its_end(site):
    site.unit("a", Do("1", leave_for_all))
    seen = []
    site.unit("b", Do("2", lambda _: seen.extend(site.destination.tables["image"].values())), needs=["a"])
    site.run()
    assert [image["name"] for image in seen] == ["of all"]
    assert site.destination.tables["image"] == {}


def test_a_temporary_thing_that_does_not_go_is_told_and_not_forgotten(site):
    site.destination.refuse["delete", "image"] = HttpError(403, "not yours")
    site.unit("a", Do("1", leave("stays")))
    rows = site.run()
    assert rows["a"].state == "done"
    (kept,) = site.store.temporaries()
    assert kept.name == "stays"
    assert any("stays" in text and kept.resource_id in text for text in site.events("left over"))


@pytest.mark.parametrize("end", [lambda _: None, fail])
def test_a_service_that_is_away_when_temporary_things_go_is_waited_for(site, monkeypatch, end):
    monkeypatch.setattr(base, "pause", lambda *_: site.destination.refuse.clear())
    site.destination.refuse["delete", "image"] = HttpError(503, "not now")
    site.unit("a", Do("1", leave("mine")), Do("2", end))
    site.run()
    assert site.destination.tables["image"] == {}
    assert site.store.temporaries() == []
    assert site.events("left over") == []
    assert any("not now" in text for text in site.events("again"))


# Verification


def test_a_difference_fails_the_migration_though_the_unit_was_moved(site):
    def spoil(_):
        (network,) = site.destination.tables["network"].values()
        network["name"] = "else"

    site.unit("a", Do("spoil", spoil))
    site.run()
    assert site.states() == {"a": "done"}
    assert site.state == "failed"
    (result,) = site.store.results(site.id)
    assert result.verdict == "differs"


def test_a_difference_is_not_forgotten_when_another_unit_is_compared_at_the_same_time(site, monkeypatch):
    comparing, ended, real = threading.Event(), threading.Event(), runner.verify_unit

    def verify(context, unit):
        if unit.name == "right":
            comparing.set()
            assert ended.wait(LONG)
        else:
            assert comparing.wait(LONG)
        return real(context, unit)

    def spoil(context):
        site.destination.tables["network"][context.counterpart("network", "wrong")]["name"] = "else"

    site.progress.listen(lambda unit, _: ended.set() if (unit.name, unit.state) == ("wrong", "done") else None)
    monkeypatch.setattr(runner, "verify_unit", verify)
    site.unit("right")
    site.unit("wrong", Do("spoil", spoil))
    site.run(concurrency=2)
    assert site.state == "failed"


def away(site):
    """The destination does not show its networks any more."""
    site.destination.refuse["get", "network"] = HttpError(500, "the cloud has gone")


def test_what_cannot_be_compared_fails_the_migration(site):
    site.unit("a", Do("lose", lambda _: away(site)))
    assert site.run()["a"].state == "done"
    assert site.state == "failed"
    (result,) = site.store.results(site.id)
    assert (result.verdict, result.fields[0]["reason"]) == ("not verified", "the cloud has gone (HTTP 500)")
    assert site.there() == ["a"]


def test_what_could_not_be_compared_is_compared_again_at_the_end(site):
    site.unit("a", Do("lose", lambda _: away(site)))
    site.unit("b", Do("come back", lambda _: site.destination.refuse.clear()))
    site.run()
    assert site.state == "done"
    assert {result.verdict for result in site.store.results(site.id)} == {"equal"}


# What people see meanwhile


def test_progress_is_written_while_a_unit_runs(site, monkeypatch):
    monkeypatch.setattr(keeping, "SAVE_EVERY", 0.01)
    seen = []

    def copy(context):
        context.step("copying the root disk")
        context.progress.advance(context.unit, 7)
        context.progress.expect(context.unit, 5)
        until = time.monotonic() + LONG
        while time.monotonic() < until:
            (row,) = site.store.units(context.migration_id)
            if row.bytes_done:
                seen.append((row.state, row.step, row.bytes_done, row.bytes_total))
                return
            time.sleep(0.005)

    site.unit("a", Do("copy", copy))
    rows = site.run()
    assert seen == [("running", "copying the root disk", 7, 15)]
    assert (rows["a"].bytes_done, rows["a"].bytes_total) == (7, 15)
    assert "copying the root disk" in site.events("step")


def test_a_failed_unit_keeps_the_step_at_which_it_failed(site):
    def work(context):
        context.step("booting")
        fail(context)

    site.unit("a", Do("work", work))
    assert site.run()["a"].step == "booting"


def test_the_operator_may_have_no_name(site, monkeypatch):
    """A container's user often has none."""

    def nobody():
        raise OSError("No username set in the environment")

    monkeypatch.setattr(beginning.getpass, "getuser", nobody)
    site.unit("a")
    site.run()
    assert site.state == "done"
