"""``verify``: everything is read again; bytes are compared only where nobody writes them."""

from __future__ import annotations

import contextlib
import hashlib

import pytest

from pumphouse.migrations import again
from pumphouse.planning.plan import Item, Plan, Unit
from pumphouse.store import Store
from tests.unit import fakes

PAIR = "source -> destination"


@pytest.fixture
def store():
    with Store.open("sqlite://") as store:
        yield store


@pytest.fixture
def clouds(monkeypatch):
    """Two clouds; an image's bytes are its ``data``."""
    both = fakes.FakeCloud("source"), fakes.FakeCloud("destination")

    class Glance:
        def __init__(self, cloud):
            self.cloud = cloud

        @contextlib.contextmanager
        def download(self, id_):
            image = self.cloud.tables["image"][id_]
            yield Download(image.get("data", b"of a volume"))

    class Download:
        def __init__(self, data):
            self.data = [data]

        def read(self, _):
            return self.data.pop() if self.data else b""

    monkeypatch.setattr(again, "Glance", Glance)
    return both


@pytest.fixture
def migration(store):
    """A migration of these (type, source id, destination id), each in a unit of its own."""

    def migration(*resources, state="done"):
        items = [Item(type_, id_, f"the {type_}", "create", "") for type_, id_, _ in resources]
        plan = Plan({}, [Unit(f"{item.type}:{item.id}", item.type, "", [item]) for item in items])
        units = [(unit.name, unit.kind, "", 0) for unit in plan.units]
        number = store.start_migration(PAIR, {}, plan.to_json(), {}, units)
        for unit, (type_, id_, there) in zip(plan.units, resources, strict=True):
            store.update_unit(number, unit.name, state=state)
            store.map(PAIR, type_, id_, there, migration_id=number, unit=unit.name, created=True)
            store.save_result(number, unit.name, type_, id_, "", there, "equal", [], {"size": 7})
        return store.migration(number)

    return migration


def results(store, migration):
    return {result.source_id: result for result in store.results(migration.id)}


def test_results_are_those_of_now_and_the_hashes_of_the_transfer_stay(clouds, store, migration):
    for cloud, id_, up in ((clouds[0], "n", True), (clouds[1], "N", False)):
        cloud.put("network", id_, name="net", admin_state_up=up, tags=[])
    mine = migration(("network", "n", "N"))
    again.verify(*clouds, store, mine, lambda _: None)
    found = results(store, mine)["n"]
    assert (found.verdict, found.bytes) == ("differs", {"size": 7})
    clouds[1].tables["network"]["N"]["admin_state_up"] = True
    again.verify(*clouds, store, mine, lambda _: None)
    assert results(store, mine)["n"].verdict == "equal"
    del clouds[1].tables["network"]["N"]
    again.verify(*clouds, store, mine, lambda _: None)
    assert results(store, mine)["n"].verdict == "differs"


def test_what_is_of_the_moment_of_the_move_is_not_compared(clouds, store, migration):
    for cloud, id_, status in ((clouds[0], "w", "SHUTOFF"), (clouds[1], "W", "ACTIVE")):
        cloud.put("server", id_, name="web", flavor={"id": None}, status=status)
    mine = migration(("server", "w", "W"))
    again.verify(*clouds, store, mine, lambda _: None)
    assert results(store, mine)["w"].verdict == "equal"


def test_what_failed_stays_failed(clouds, store, migration):
    mine = migration(("network", "n", "N"), state="failed")
    store.save_result(mine.id, "network:n", "network", "n", "", None, "failed", [], None)
    again.verify(*clouds, store, mine, lambda _: None)
    assert results(store, mine)["n"].verdict == "failed"
    assert again.verify_bytes(*clouds, store, mine, lambda _: None) == []


@pytest.mark.parametrize(("there", "verdict"), [(b"abc", "equal"), (b"abd", "differs")])
def test_bytes_of_images(clouds, store, migration, there, verdict):
    clouds[0].put("image", "i", name="img", status="active", data=b"abc")
    clouds[1].put("image", "I", name="img", status="active", data=there)
    mine = migration(("image", "i", "I"))
    (found,) = again.verify_bytes(*clouds, store, mine, lambda _: None)
    assert (found.verdict, found.size, found.sha512) == (verdict, 3, hashlib.sha512(b"abc").hexdigest())
    kept = results(store, mine)["i"]
    assert [(field["field"], field["verdict"]) for field in kept.fields] == [("(bytes)", verdict)]
    assert kept.verdict == verdict
    assert ("read_back_sha512" in kept.bytes) == (verdict == "equal")
    assert kept.bytes["size"] == 7


def volume(cloud, id_, status="available", server=None):
    attached = [{"server_id": server, "device": "/dev/vdb"}] if server else []
    cloud.put("volume", id_, name="data", size=1, status=status, attachments=attached)


def test_detached_volumes_are_read_by_a_clone_and_nothing_stays(clouds, store, migration):
    volume(clouds[0], "v")
    volume(clouds[1], "V")
    before = [cloud.holdings() for cloud in clouds]
    mine = migration(("volume", "v", "V"))
    (found,) = again.verify_bytes(*clouds, store, mine, lambda _: None)
    assert found.verdict == "equal", found.reason
    assert all(cloud.asked("create", "volume") == 1 for cloud in clouds)
    assert [cloud.holdings() for cloud in clouds] == before
    assert store.temporaries() == []


@pytest.mark.parametrize(("status", "verdict"), [("ACTIVE", "not comparable"), ("SHUTOFF", "equal")])
def test_attached_volumes_are_read_only_when_their_servers_are_stopped(clouds, store, migration, status, verdict):
    for cloud, id_, server, state in ((clouds[0], "v", "w", "SHUTOFF"), (clouds[1], "V", "W", status)):
        volume(cloud, id_, "in-use", server)
        cloud.put("server", server, name="web", flavor={"id": None}, status=state)
    mine = migration(("volume", "v", "V"))
    (found,) = again.verify_bytes(*clouds, store, mine, lambda _: None)
    assert found.verdict == verdict, found.reason
    if verdict != "equal":
        assert found.reason == "a server that is not stopped may write to it in the destination"
        assert results(store, mine)["v"].verdict == "equal"


def test_a_root_disk_is_not_comparable_and_one_that_is_a_volume_is_no_disk_of_its_own(clouds, store, migration):
    for cloud, ids in ((clouds[0], ("a", "b")), (clouds[1], ("A", "B"))):
        for id_, image in zip(ids, ({"id": "i"}, ""), strict=True):
            cloud.put("server", id_, name="web", flavor={"id": None}, status="SHUTOFF", image=image)
    mine = migration(("server", "a", "A"), ("server", "b", "B"))
    (found,) = again.verify_bytes(*clouds, store, mine, lambda _: None)
    assert (found.id, found.verdict) == ("a", "not comparable")


def test_a_volume_to_which_a_guest_may_have_written_since_is_no_difference(clouds, store, migration):
    for cloud, id_, server in ((clouds[0], "v", "w"), (clouds[1], "V", "W")):
        volume(cloud, id_, "in-use", server)
        cloud.put("server", server, name="web", flavor={"id": None}, status="SHUTOFF")
    clouds[1].tables["volume"]["V"]["data"] = b"written since"
    mine = migration(("volume", "v", "V"))
    (found,) = again.verify_bytes(*clouds, store, mine, lambda _: None)
    assert found.verdict == "not comparable"
    assert "booted in the destination since" in found.reason
