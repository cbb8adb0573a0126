"""The plan of an evacuation: exact names, ways, room, volumes; and what is in the way, said beforehand."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pumphouse.clouds import hypervisors
from pumphouse.clouds.hypervisors import Room
from pumphouse.errors import UsageError
from pumphouse.planning.evacuating import Wish, make_evacuation
from tests.unit import fakes

HOST = "OS-EXT-SRV-ATTR:host"


class Source:
    """What Nova and Cinder would say."""

    def __init__(self, patch):
        self.newest = (2, 93)
        self.services = [self.service(name) for name in ("c1", "c10", "c2")]
        self.nodes = [{"hypervisor_hostname": f"{one['host']}.example", "service": one} for one in self.services]
        self.servers, self.half, self.backends, self.stored, self.pools = [], [], [], [], []
        self.snapshots = []
        self.rooms = {name: {"MEMORY_MB": Room(1000, 0)} for name in ("c1", "c10", "c2")}
        self.volume = SimpleNamespace(volume_snapshots=SimpleNamespace(list=lambda search_opts: self.snapshots))
        for name, found in (
            ("services", lambda cloud: self.services),
            ("hypervisors", lambda cloud: self.nodes),
            ("servers_on", lambda cloud, host: [one for one in self.servers if one[HOST] == host]),
            ("half_moved", lambda cloud, host: self.half),
            ("rooms", lambda cloud, hosts: {host: self.rooms[host] for host in hosts}),
            ("volume_services", lambda cloud: self.backends),
            ("volumes_on", lambda cloud, host: self.stored),
            ("pools", lambda cloud: self.pools),
        ):
            patch.setattr(hypervisors, name, found)

    def microversion(self, service):
        return self.newest

    @staticmethod
    def service(host, state="up", status="enabled", **more):
        return {"host": host, "state": state, "status": status, "disabled_reason": None, **more}

    def server(self, id_, status="ACTIVE", host="c1", ram=100):
        flavor = {"vcpus": 1, "ram": ram, "disk": 1}
        self.servers.append({"id": id_, "name": f"name {id_}", "status": status, HOST: host, "flavor": flavor,
                             "image": {"id": "i"}})  # fmt: skip


@pytest.fixture
def source(monkeypatch):
    return Source(monkeypatch)


@pytest.fixture
def store():
    with fakes.new_store() as store:
        yield store


def plan_of(source, store, host="c1", **more):
    return make_evacuation(source, store, Wish(host, **more), lambda _: None)


def by_id(plan):
    return {item.id: item for item in plan.items if item.type in ("server", "volume")}


def test_units_come_in_their_order_and_each_server_is_its_own(source, store):
    for number in range(2):
        source.server(f"w{number}")
    source.server("elsewhere", host="c10")
    plan = plan_of(source, store)
    assert [unit.name for unit in plan.units] == ["host:c1", "move:w0", "move:w1", "empty:c1"]
    assert [unit.needs for unit in plan.units] == [[], ["host:c1"], ["host:c1"], ["host:c1", "move:w0", "move:w1"]]
    assert {unit.action for unit in plan.units} == {"move"}
    assert by_id(plan)["w0"].move == {"from": "c1", "to": None, "cold": False, "fenced": False, "status": "ACTIVE"}
    assert plan.selection == {"evacuate": "c1"}
    assert plan.findings == []


@pytest.mark.parametrize("name", ["c", "c1.", "C1", "example", ""])
def test_a_name_that_is_only_like_it_is_refused(source, store, name):
    with pytest.raises(UsageError, match="no compute host of exactly this name"):
        plan_of(source, store, name)


def test_the_hypervisor_s_name_means_its_host(source, store):
    assert plan_of(source, store, "c10.example").selection == {"evacuate": "c10"}


@pytest.mark.parametrize(
    ("to", "words"),
    [("c1", "is to be emptied"), ("c3", "of exactly this name"), ("c2.example", "not of its hypervisor"),
     ("c2", "is up and disabled")],
)  # fmt: skip
def test_where_to_is_looked_at(source, store, to, words):
    source.services[2]["status"] = "disabled"
    with pytest.raises(UsageError, match=words):
        plan_of(source, store, to=[to])


def test_named_hosts_are_filled_by_their_room(source, store):
    source.rooms["c2"]["MEMORY_MB"] = Room(150, 0)
    for id_ in ("w0", "w1"):
        source.server(id_)
    source.rooms["c10"]["MEMORY_MB"] = Room(120, 0)
    plan = plan_of(source, store, to=["c2", "c10"])
    assert {item.move["to"] for item in by_id(plan).values()} == {"c2", "c10"}


def test_no_room_blocks_and_names_the_server(source, store):
    source.rooms |= {"c2": {"MEMORY_MB": Room(150, 0)}, "c10": {"MEMORY_MB": Room(50, 0)}}
    for id_ in ("w0", "w1"):
        source.server(id_)
    (finding,) = plan_of(source, store).findings
    assert (finding.level, finding.id) == ("blocks", "w1")
    assert "100 MiB of memory" in finding.reason
    assert "c10, c2" in finding.reason


def test_no_other_host_blocks(source, store):
    source.server("w0")
    source.services[1]["state"], source.services[2]["status"] = "down", "disabled"
    (finding,) = plan_of(source, store).findings
    assert (finding.level, finding.reason) == ("blocks", "no other host of the source is up and enabled")


def test_what_nova_does_not_move_is_in_conflict(source, store):
    source.server("w0", "SUSPENDED")
    source.half = [{"id": "w9", "name": "half", "status": "VERIFY_RESIZE"}]
    items = by_id(plan_of(source, store))
    assert "resume it" in items["w0"].reason
    assert "can still come back" in items["w9"].reason
    assert {item.action for item in items.values()} == {"conflict"}


def test_what_another_migration_is_moving_is_left_to_it(source, store):
    source.server("w0")
    number = store.start_migration("a -> b", {}, {}, {}, [("server:w0", "server", "server w0", 0)])
    assert f"migration {number} is moving it" in by_id(plan_of(source, store))["w0"].reason
    store.set_migration_state(number, "done")
    assert by_id(plan_of(source, store))["w0"].action == "move"


def test_one_at_a_time(source, store):
    store.start_migration("a -> b", {"evacuate": "c1"}, {}, {}, [])
    assert plan_of(source, store, "c10").units
    with pytest.raises(UsageError, match="migration 1 evacuates c1 already"):
        plan_of(source, store)


def test_an_old_nova_cannot_be_told_where_a_stopped_server_goes(source, store):
    source.server("w0", "SHUTOFF")
    source.newest = (2, 38)
    assert "name no host to go to" in by_id(plan_of(source, store, to=["c2"]))["w0"].reason
    assert by_id(plan_of(source, store))["w0"].action == "move"


def test_a_fenced_host_must_be_down(source, store):
    with pytest.raises(UsageError, match="nova-compute on c1 is up"):
        plan_of(source, store, fenced=True)
    source.services[0]["state"] = "down"
    source.server("w0")
    assert by_id(plan_of(source, store))["w0"].action == "conflict"
    plan = plan_of(source, store, fenced=True)
    assert by_id(plan)["w0"].move["fenced"]
    assert plan.selection == {"evacuate": "c1", "fenced": True}


def volumes(source):
    source.backends = [source.service(host) for host in ("c1@ssd", "c2@ssd", "c2@hdd", "c10@ssd", "c@ssd")]
    source.pools = [{"name": f"{one['host']}#pool"} for one in source.backends]
    source.stored = [
        {"id": "v0", "name": "data", "size": 3, "status": "in-use", "os-vol-host-attr:host": "c1@ssd#pool"}
    ]


def test_volumes_go_to_the_same_backend_elsewhere_and_their_service_is_disabled(source, store):
    volumes(source)
    plan = plan_of(source, store)
    assert [item.id for item in plan.units[0].items] == ["c1", "c1@ssd"]
    assert by_id(plan)["v0"].move == {"from": "c1", "to": "c2@ssd#pool"}
    assert by_id(plan_of(source, store, to=["c10"]))["v0"].move["to"] == "c10@ssd#pool"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda source: source.stored[0].update(status="backing-up"), "is backing-up"),
        (lambda source: source.snapshots.append(SimpleNamespace(volume_id="v0")), "has snapshots"),
        (lambda source: [one.update(state="down") for one in source.backends], "no other host has the same backend"),
    ],
)
def test_a_volume_that_cinder_does_not_move_is_in_conflict(source, store, change, words):
    volumes(source)
    change(source)
    item = by_id(plan_of(source, store))["v0"]
    assert item.action == "conflict"
    assert words in item.reason
