"""Live events: none is lost, none comes twice, and nobody hears what is not for him."""

from __future__ import annotations

import collections
import contextlib
import json
import threading
import time

import pytest
import sqlalchemy as sa

from pumphouse.api import movement
from pumphouse.api import stream as stream_module
from pumphouse.api.messages import Wanted
from pumphouse.api.stream import Stream, TooManyError
from pumphouse.store import Store, events, models, tail
from tests.unit.fake_api import a_migration
from tests.unit.soon import soon

EVERYTHING = Wanted(audit=True)


@pytest.fixture
def store(tmp_path):
    with Store.open(f"sqlite:///{tmp_path}/pumphouse.sqlite") as store:
        yield store


@pytest.fixture
def stream(store, monkeypatch):
    monkeypatch.setattr(stream_module, "POLL", 0.03)
    stream = Stream(store)
    yield stream
    stream.close()


def insert(store, id_, kind="log", **values):
    """An event with this id, as if its transaction had been committed only now."""
    row = {"id": id_, "time": time.time(), "kind": kind, "text": f"event {id_}", **values}
    store.write(lambda session: session.execute(sa.insert(models.Event), [row]))


class Listener:
    """Reads a stream in a thread, as a browser does: it knows the last id that it was told."""

    def __init__(self, client):
        self.client, self.got, self.last, self.ended = client, [], None, threading.Event()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for chunk in self.client:
            for block in chunk.decode().split("\n\n"):
                fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
                self.last = int(fields["id"]) if "id" in fields else self.last
                if "data" in fields:
                    self.got.append((fields["event"], fields.get("id"), json.loads(fields["data"])))
        self.ended.set()

    def wait(self, number=1, patience=5.0):
        """Until so many came."""
        until = time.monotonic() + patience
        while len(self.got) < number and time.monotonic() < until:
            time.sleep(0.01)
        return list(self.got)

    def leave(self):
        self.client.close()
        self.thread.join(5)


def listen(stream, after=None, wanted=EVERYTHING):
    listener = Listener(stream.open(after, wanted))
    until = time.monotonic() + 5
    while not listener.client.live and listener.last is None and time.monotonic() < until:
        time.sleep(0.01)
    return listener


# -- the order of ids ---------------------------------------------------------------------------------------


def test_what_comes_behind_a_gap_waits_for_it(store):
    now = [100.0]
    follower = tail.Tail(store, lambda: now[0])
    insert(store, 1)
    insert(store, 3)
    assert [event.id for event in follower.look().events] == [1], "somebody may still be writing 2"
    now[0] += tail.PATIENCE / 2
    insert(store, 2)
    assert [event.id for event in follower.look().events] == [2, 3]


def test_a_gap_that_stays_is_passed_and_what_comes_in_it_later_is_given_out_all_the_same(store):
    now = [100.0]
    follower = tail.Tail(store, lambda: now[0])
    for id_ in (1, 3, 7):
        insert(store, id_)
    assert [event.id for event in follower.look().events] == [1]
    now[0] += tail.PATIENCE
    assert [event.id for event in follower.look().events] == [3, 7], "both gaps are as old"
    insert(store, 5)
    found = follower.look()
    assert ([event.id for event in found.events], [event.id for event in found.late]) == ([], [5])
    assert not follower.look().late
    now[0] += tail.DEAD
    insert(store, 2)
    assert not follower.look().late, "its transaction cannot have lasted so long"


def test_a_jump_of_the_ids_is_no_loss_of_millions(store):
    insert(store, 1)
    follower = tail.Tail(store)
    insert(store, 2_000_000, time=time.time() - tail.DEAD - 1)
    assert [event.id for event in follower.look().events] == [1, 2_000_000]
    assert len(follower.skipped) <= tail.GAP


# -- nothing is lost ----------------------------------------------------------------------------------------


def test_who_comes_back_again_and_again_gets_each_event_once_while_several_write(store, stream, monkeypatch):
    monkeypatch.setattr(stream_module, "POLL", 0.02)
    monkeypatch.setattr(stream_module, "PAGE", 7)
    over = threading.Event()

    def write(writer):
        for number in range(60):
            events.add(store, "log", f"{writer}:{number}")
            time.sleep(0.003)

    writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    heard, last = [], 0
    for thread in writers:
        thread.start()
    ender = threading.Thread(target=lambda: ([thread.join() for thread in writers], over.set()))
    ender.start()
    while not over.is_set() or last < events.last_id(store):
        listener = Listener(stream.open(last, EVERYTHING))
        listener.wait(23, 0.2)
        listener.leave()
        heard += listener.got
        last = listener.last or last
    ender.join()
    counts = collections.Counter(data["text"] for _, _, data in heard)
    assert set(counts.values()) == {1}
    assert counts.keys() == {f"{writer}:{number}" for writer in range(4) for number in range(60)}
    ids = [int(id_) for _, id_, _ in heard]
    assert ids == sorted(ids)


def test_a_late_event_comes_once_and_does_not_set_the_listener_back(store, stream, monkeypatch):
    monkeypatch.setattr(tail, "PATIENCE", 0.3)
    listener = listen(stream)
    for id_ in (1, 2, 4):
        insert(store, id_)
    assert [id_ for _, id_, _ in listener.wait(3)] == ["1", "2", "4"]
    behind = Listener(stream.open(0, EVERYTHING))
    assert [data["event"] for _, _, data in behind.wait(3)] == [1, 2, 4]
    insert(store, 3)
    assert listener.wait(4)[3][1:] == (None, listener.got[3][2])
    assert listener.got[3][2]["event"] == 3
    assert listener.last == 4
    assert [data["event"] for _, _, data in behind.wait(4)] == [1, 2, 4, 3]


def test_one_that_breaks_off_before_the_first_event_knows_where_to_go_on(store, stream):
    insert(store, 1)
    listener = listen(stream)
    assert (listener.last, listener.got) == (1, [])
    listener.leave()
    insert(store, 2)
    again = listen(stream, listener.last)
    assert [id_ for _, id_, _ in again.wait()] == ["2"]


def test_who_was_served_by_a_faster_process_hears_nothing_twice(store, stream):
    for id_ in (1, 2, 3):
        insert(store, id_)
    first = listen(stream)
    insert(store, 4)
    ahead = listen(stream, 4)
    insert(store, 5)
    assert [id_ for _, id_, _ in ahead.wait()] == ["5"]
    assert [id_ for _, id_, _ in first.wait(2)] == ["4", "5"]


@pytest.mark.parametrize("after", [2, 999])
def test_who_asks_for_what_is_not_kept_is_told_to_read_everything_anew(store, stream, after):
    for id_ in (10, 11):
        insert(store, id_)
    listener = listen(stream, after)
    assert listener.wait()[0] == ("reset", "11", {"reason": "what happened since is not kept"})
    insert(store, 12)
    assert listener.wait(2)[1][1] == "12"


def test_after_a_failure_of_the_database_the_same_listeners_hear_what_follows(store, stream, monkeypatch):
    listener = listen(stream)
    look = tail.Tail.look
    failures = iter([OSError("broken")] * 3)

    def failing(self):
        with contextlib.suppress(StopIteration):
            raise next(failures)
        return look(self)

    monkeypatch.setattr(tail.Tail, "look", failing)
    insert(store, 1)
    assert [id_ for _, id_, _ in listener.wait()] == ["1"]


# -- who hears what -----------------------------------------------------------------------------------------


def test_types_and_filters(store, stream):
    number, other = a_migration(store), a_migration(store)
    everybody = listen(stream, 0, Wanted())
    admin = listen(stream, 0, EVERYTHING)
    one = listen(stream, 0, Wanted(migrations=frozenset([number])))
    units = listen(stream, 0, Wanted(types=frozenset(["unit"])))
    store.add_event(number, "running", "server web-0", unit="server:s0")
    store.add_event(number, "step", "stopping", unit="server:s0")
    store.add_event(number, "left over", "an image")
    store.set_migration_state(other, "done")
    events.add(store, "audit", "somebody did it", data={"actor": "somebody"})
    events.add(store, "job", "verify is queued", number, data={"id": 7, "kind": "verify", "state": "queued"})
    events.add(store, "plan", "reading servers", data={"id": 3, "state": "making"})
    everybody.wait(8)
    told = [(type_, data) for type_, _, data in admin.wait(9) if type_ != "progress"]
    kinds = ["migration", "migration", "unit", "unit", "log", "migration", "audit", "job", "plan"]
    assert [type_ for type_, _ in told] == kinds
    assert told[2][1].items() >= {"migration_id": number, "unit": "server:s0", "state": "running"}.items()
    assert told[3][1].items() >= {"unit": "server:s0", "step": "stopping", "text": "stopping"}.items()
    assert "state" not in told[3][1]
    assert told[5][1].items() >= {"id": other, "state": "done"}.items()
    assert told[7][1].items() >= {"id": 7, "kind": "verify", "state": "queued", "migration_id": number}.items()
    assert told[8][1].items() >= {"id": 3, "state": "making", "said": "reading servers"}.items()
    soon(lambda: len([t for t, _, _ in everybody.got if t != "progress"]) == len(kinds) - 1)
    soon(lambda: len([t for t, _, _ in one.got if t != "progress"]) == 5)
    assert [t for t, _, _ in everybody.got if t != "progress"] == [kind for kind in kinds if kind != "audit"]
    assert [t for t, _, _ in one.got if t != "progress"] == ["migration", "unit", "unit", "log", "job"]
    assert [t for t, _, _ in units.got] == ["unit", "unit"]


def test_one_that_is_too_slow_is_told_so_and_loses_nothing_when_he_comes_back(store, stream, monkeypatch):
    monkeypatch.setattr(stream_module, "QUEUE", 5)
    client = stream.open(None, EVERYTHING)
    chunks = iter(client)
    assert next(chunks).startswith(b"retry: ")
    assert next(chunks) == b"id: 0\n\n"
    taker = []
    thread = threading.Thread(target=lambda: taker.append(next(chunks)))
    thread.start()
    while not client.live:
        time.sleep(0.01)
    insert(store, 1)
    thread.join(5)
    assert b"id: 1\n" in taker[0]
    for id_ in range(2, 10):
        insert(store, id_)
    soon(lambda: client._slow)
    assert list(chunks) == [b'event: reset\ndata: {"reason":"too slow"}\n\n']
    assert stream.count() == 0
    assert [int(id_) for _, id_, _ in Listener(stream.open(1, EVERYTHING)).wait(8)] == list(range(2, 10))


def test_all_end_at_once_and_nobody_comes_any_more(store):
    stream = Stream(store)
    listeners = [listen(stream) for _ in range(20)]
    before = time.monotonic()
    stream.close()
    stream.close()
    assert all(listener.ended.wait(1) for listener in listeners)
    assert time.monotonic() - before < 1
    with pytest.raises(TooManyError):
        stream.open(None, EVERYTHING)


def test_there_is_room_for_so_many_and_those_who_leave_make_room(store):
    stream = Stream(store, limit=2)
    listeners = [listen(stream) for _ in range(2)]
    with pytest.raises(TooManyError):
        stream.open(None, EVERYTHING)
    listeners[0].leave()
    listen(stream)
    stream.close()


def test_a_line_comes_though_nothing_happens(store, stream, monkeypatch):
    monkeypatch.setattr(stream_module, "PING", 0.2)
    chunks = iter(stream.open(None, EVERYTHING))
    assert b": ping\n\n" in [next(chunks) for _ in range(4)]


def test_nothing_is_asked_of_the_database_while_nobody_listens(store, stream, monkeypatch):
    listener = listen(stream)
    listener.leave()
    time.sleep(0.2)
    asked = []
    monkeypatch.setattr(tail.Tail, "look", lambda self: asked.append(1))
    time.sleep(0.3)
    assert not asked


# -- how far it is ------------------------------------------------------------------------------------------


def test_progress_tells_what_has_changed_at_most_twice_a_second(store, stream):
    number = a_migration(store)
    a_migration(store, state="done")
    listener = listen(stream, None, Wanted(types=frozenset(["progress"])))
    began, done = time.monotonic(), 0
    while time.monotonic() < began + 1.6 or len(listener.got) < 3:
        assert time.monotonic() < began + 30, "nothing is told"
        done += 1
        store.update_unit(number, "server:s1", state="running", step="copying", bytes_done=done)
        time.sleep(0.05)
    store.update_unit(number, "server:s1", state="done", bytes_done=100)
    store.set_migration_state(number, "done")
    soon(lambda: listener.got[-1][2]["migration"]["state"] == "done")
    got = list(listener.got)
    assert len(got) <= 2 * (time.monotonic() - began) + 2
    assert {(type_, id_, data["migration_id"]) for type_, id_, data in got} == {("progress", None, number)}
    assert {unit["name"] for _, _, data in got for unit in data["units"]} == {"server:s1"}
    last = got[-1][2]
    assert (last["migration"]["state"], last["migration"]["units_done"], last["migration"]["bytes_done"]) == (
        "done", 1, 100,
    )  # fmt: skip
    assert last["units"] == [
        {"name": "server:s1", "state": "done", "step": "copying", "bytes_done": 100, "bytes_total": 100}
    ]
    time.sleep(0.8)
    assert len(listener.got) == len(got), "nothing changes any more"


def test_rates_are_of_the_last_seconds_and_unknown_until_something_was_seen():
    now = [0.0]
    rates = movement.Rates(lambda: now[0])
    assert rates.see(1, 0) is None
    for second in range(1, 21):
        now[0] = float(second)
        rate = rates.see(1, second * 100 if second <= 10 else 1000 + (second - 10) * 10)
    assert rate == pytest.approx(10)
    assert rates.see(2, 5) is None
    now[0] += movement.STALE + 1
    assert rates.see(1, 2000) is None, "what happened meanwhile was not seen"


def test_rates_of_one_that_was_begun_anew_do_not_fall_below_zero():
    now = [0.0]
    rates = movement.Rates(lambda: now[0])
    rates.see(1, 1000)
    now[0] = 5.0
    assert rates.see(1, 10) is None
