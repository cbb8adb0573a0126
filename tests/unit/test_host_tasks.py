"""Tasks that empty a host: run twice they do no harm, undone they leave nothing half done."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest

from pumphouse.clouds import hypervisors, relocation
from pumphouse.clouds.relocation import Move
from pumphouse.errors import CloudError
from pumphouse.migrations.verify import verify_unit
from pumphouse.planning.plan import Item, Unit
from pumphouse.store import notes
from pumphouse.tasks import hosts
from pumphouse.tasks.hosts import ArriveServer, CheckEmpty, DisableHost, DisableVolumes, MoveServer, MoveVolume
from tests.unit import fakes
from tests.unit.fake_clients import HttpError

HOST, TASK = "OS-EXT-SRV-ATTR:host", "OS-EXT-STS:task_state"
MOVE = {"from": "c1", "to": None, "cold": False, "fenced": False, "status": "ACTIVE"}


class World:
    """One server on c1, as Nova tells of it, and what it is asked for."""

    def __init__(self, patch):
        self.service = {"id": "s", "host": "c1", "binary": "nova-compute", "state": "up", "status": "enabled",
                        "disabled_reason": None}  # fmt: skip
        self.backend = {**self.service, "host": "c1@ssd", "binary": "cinder-volume"}
        self.server = {"id": "w", "name": "web", "status": "ACTIVE", HOST: "c1", TASK: None}
        self.stored = {"id": "v", "name": "data", "os-vol-host-attr:host": "c1@ssd#p", "migration_status": None}
        self.record = self.action = None
        self.asked = []
        #: What Nova does when it is asked.
        self.then = self.arrive
        patch.setattr(hypervisors, "service_of", lambda cloud, host: self.service if host == "c1" else None)
        patch.setattr(hypervisors, "disable", lambda cloud, service, reason: service.update(
            status="disabled", disabled_reason=reason))  # fmt: skip
        patch.setattr(hypervisors, "enable", lambda cloud, service: service.update(
            status="enabled", disabled_reason=None))  # fmt: skip
        patch.setattr(hypervisors, "volume_services", lambda cloud: [self.backend])
        patch.setattr(hypervisors, "switch_volumes", lambda cloud, host, on, reason=None: self.backend.update(
            status="enabled" if on else "disabled", disabled_reason=reason))  # fmt: skip
        patch.setattr(hypervisors, "servers_on", lambda cloud, host: [self.server] if self.server[HOST] == host else [])
        patch.setattr(hypervisors, "half_moved", lambda cloud, host: [])
        patch.setattr(hypervisors, "volumes_on", lambda cloud, host: [])
        patch.setattr(hypervisors, "volume", lambda cloud, id_: self.stored)
        patch.setattr(relocation, "last", lambda cloud, id_: ("req-0", 3))
        patch.setattr(relocation, "look", lambda cloud, id_, after: Move(dict(self.server), self.record, self.action))
        patch.setattr(relocation, "ask", self.ask)
        patch.setattr(relocation, "abort", self.abort)
        patch.setattr(relocation, "remaining", lambda *_: None)
        patch.setattr(relocation, "why", lambda *_: "No valid host was found")
        patch.setattr(hosts, "LOOK", 0.01)

    def ask(self, cloud, way, id_, host):
        self.asked.append((way, host))
        self.action = {"request_id": "req-1", "action": "live-migration", "message": None}
        self.then()

    def arrive(self):
        self.server[HOST] = "c2"
        self.record = {"id": 4, "status": "completed", "migration_type": "live-migration"}

    def fail(self):
        self.record = {"id": 4, "status": "failed", "migration_type": "live-migration"}

    def begin(self):
        self.server |= {"status": "MIGRATING", TASK: "migrating"}
        self.record = {"id": 4, "status": "running", "migration_type": "live-migration"}

    def abort(self, cloud, id_, number):
        self.asked.append(("abort", number))
        self.server |= {"status": "ACTIVE", TASK: None}
        self.record["status"] = "cancelled"


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch)


@pytest.fixture
def context():
    with fakes.new_store() as store:
        context = fakes.new_context(store)
        servers = SimpleNamespace(get=None, confirm_resize=None, revert_resize=None)
        context.source = SimpleNamespace(name="source", role="source", compute=SimpleNamespace(servers=servers))
        yield context


def noted(context, kind=hosts.PLACE, type_="server", id_="w"):
    return notes.find(context.store, kind, type_, id_, context.migration_id)


def other(context):
    """Another migration of the same database."""
    id_ = context.store.start_migration(context.pair, {}, {}, {}, [("unit", "host", "host c1", 0)])
    return dataclasses.replace(context, migration_id=id_)


def test_a_service_is_as_it_was_when_two_evacuations_are_undone(world, context):
    DisableHost("c1").execute(context)
    DisableHost("c1").execute(context)
    assert world.service["disabled_reason"] == "pumphouse: evacuated (migration 1)"
    later = other(context)
    DisableHost("c1").execute(later)
    assert world.service["disabled_reason"] == "pumphouse: evacuated (migration 2)"
    DisableHost("c1").undo(context)
    assert world.service["status"] == "disabled", "the later one's"
    DisableHost("c1").undo(later)
    assert world.service["status"] == "enabled"
    DisableHost("c1").undo(later)


def test_the_later_one_knows_how_it_was(world, context):
    DisableHost("c1").execute(context)
    later = other(context)
    DisableHost("c1").execute(later)
    DisableHost("c1").undo(later)
    assert (world.service["status"], world.service["disabled_reason"]) == ("enabled", None)


def test_a_host_that_is_gone_is_an_error_and_no_harm_when_undone(world, context):
    with pytest.raises(CloudError, match="no nova-compute on c9"):
        DisableHost("c9").execute(context)
    DisableHost("c9").undo(context)


def test_a_volume_service_too(world, context):
    DisableVolumes("c1@ssd").execute(context)
    assert world.backend["disabled_reason"] == "pumphouse: evacuated (migration 1)"
    DisableVolumes("c1@ssd").undo(context)
    assert world.backend["status"] == "enabled"


def test_a_server_is_asked_to_move_once(world, context):
    MoveServer("w", MOVE).execute(context)
    MoveServer("w", MOVE).execute(context)
    assert world.asked == [("live", None)]
    assert noted(context)["status"] == "ACTIVE"


def test_interrupted_while_it_moves_it_is_waited_for_and_not_asked_again(world, context):
    noted_then = {"status": "ACTIVE", "way": "live", "action": "req-0", "record": 3}
    notes.keep(context.store, hosts.PLACE, context.migration_id, context.unit, "server", "w", noted_then)
    world.action = {"request_id": "req-1", "action": "live-migration", "message": None}
    world.arrive()
    MoveServer("w", MOVE).execute(context)
    assert world.asked == []


def test_interrupted_before_nova_was_asked_it_is_asked(world, context):
    noted_then = {"status": "ACTIVE", "way": "live", "action": "req-0", "record": 3}
    notes.keep(context.store, hosts.PLACE, context.migration_id, context.unit, "server", "w", noted_then)
    MoveServer("w", {**MOVE, "to": "c2"}).execute(context)
    assert world.asked == [("live", "c2")]


def test_one_that_has_left_by_itself_is_left_alone(world, context):
    world.server |= {HOST: "c2", "status": "SUSPENDED"}
    MoveServer("w", MOVE).execute(context)
    assert world.asked == []


def test_what_cannot_move_any_more_is_refused_before_anything_is_noted(world, context):
    world.server["status"] = "SUSPENDED"
    with pytest.raises(CloudError, match="resume it"):
        MoveServer("w", MOVE).execute(context)
    assert (world.asked, noted(context)) == ([], None)


def test_a_failure_has_nova_s_words_and_can_be_tried_again(world, context):
    world.then = world.fail
    task = MoveServer("w", MOVE)
    with pytest.raises(CloudError, match="its migration ended as failed: No valid host was found"):
        task.execute(context)
    task.undo(context)
    assert noted(context) is None
    world.record = world.action = None
    world.then = world.arrive
    task.execute(context)
    assert world.asked == [("live", None)] * 2


def test_undone_on_its_way_it_is_stopped(world, context):
    world.then = world.begin
    context.abandon.set()
    task = MoveServer("w", MOVE)
    with pytest.raises(CloudError, match="stopped before it came"):
        task.execute(context)
    task.undo(context)
    task.undo(context)
    assert world.asked == [("live", None), ("abort", 4)]
    assert (world.server[HOST], world.server["status"], noted(context)) == ("c1", "ACTIVE", None)


def test_undone_when_it_is_there_it_stays(world, context):
    task = MoveServer("w", MOVE)
    task.execute(context)
    task.undo(context)
    assert (world.server[HOST], world.asked) == ("c2", [("live", None)])


def cold(world):
    world.server |= {HOST: "c2", "status": "VERIFY_RESIZE"}
    world.record = {"id": 4, "status": "finished", "migration_type": "migration"}


def test_a_cold_move_is_confirmed_and_the_server_runs_as_it_ran(world, context, monkeypatch):
    brought = []
    monkeypatch.setattr(hosts, "bring", lambda cloud, id_, status, cancelled: brought.append(status))
    context.source.compute.servers.confirm_resize = lambda id_: (
        world.server.update(status="ACTIVE"), world.record.update(status="confirmed")
    )  # fmt: skip
    world.then = lambda: cold(world)
    MoveServer("w", {**MOVE, "cold": True}).execute(context)
    ArriveServer("w", MOVE).execute(context)
    ArriveServer("w", MOVE).execute(context)
    assert (world.asked, brought, world.record["status"]) == ([("cold", None)], ["ACTIVE"] * 2, "confirmed")


def test_what_its_owner_has_resized_is_not_confirmed_for_him(world, context):
    world.server |= {HOST: "c2", "status": "VERIFY_RESIZE"}
    MoveServer("w", MOVE).execute(context)
    ArriveServer("w", MOVE).execute(context)
    assert (world.asked, world.server["status"]) == ([], "VERIFY_RESIZE")


def test_half_a_cold_move_is_taken_back(world, context):
    was = {"status": "ACTIVE", HOST: "c1"}
    context.source.compute.servers.revert_resize = lambda id_: world.server.update(was)
    world.then = lambda: cold(world)
    task = MoveServer("w", {**MOVE, "cold": True})
    task.execute(context)
    assert world.asked == [("cold", None)]
    task.undo(context)
    assert world.server[HOST] == "c1"


def test_a_volume_is_moved_once_and_waited_for(world, context):
    def migrate(id_, host, force, lock):
        world.asked.append((id_, host))
        world.stored |= {"os-vol-host-attr:host": host, "migration_status": "success"}

    context.source.volume = SimpleNamespace(volumes=SimpleNamespace(migrate_volume=migrate))
    task = MoveVolume("v", {"from": "c1", "to": "c2@ssd#p"})
    task.execute(context)
    task.execute(context)
    assert world.asked == [("v", "c2@ssd#p")]
    task.undo(context)
    assert world.stored["os-vol-host-attr:host"] == "c2@ssd#p"


def test_a_volume_that_cinder_gives_up(world, context):
    def migrate(id_, host, force, lock):
        world.stored["migration_status"] = "error"

    context.source.volume = SimpleNamespace(volumes=SimpleNamespace(migrate_volume=migrate))
    with pytest.raises(CloudError, match="Cinder could not"):
        MoveVolume("v", {"from": "c1", "to": "c2@ssd#p"}).execute(context)


def test_a_host_is_empty_only_when_nothing_is_on_it_and_nothing_new_comes(world, context):
    with pytest.raises(CloudError, match="c1 is not empty: server web"):
        CheckEmpty("c1").execute(context)
    world.server[HOST] = "c2"
    with pytest.raises(CloudError, match="somebody has enabled"):
        CheckEmpty("c1").execute(context)
    world.service["status"] = "disabled"
    CheckEmpty("c1").execute(context)


@pytest.mark.parametrize(
    ("host", "status", "verdict"),
    [("c2", "ACTIVE", "equal"), ("c1", "ACTIVE", "differs"), ("c2", "SHUTOFF", "differs"), (None, None, "differs")],
)
def test_where_it_is_and_how_is_in_the_report(world, context, host, status, verdict):
    wire = {**world.server, HOST: host, "status": status}

    def get(id_):
        if status is None:
            raise HttpError(404, "gone")
        return SimpleNamespace(to_dict=lambda: wire)

    context.source.compute.servers.get = get
    unit = Unit("unit", "move", "server web", [Item("server", "w", "web", "move", "", move=MOVE)])
    # It has a counterpart in the destination, from an earlier migration: that is another one.
    context.store.map(context.pair, "server", "w", "D", migration_id=context.migration_id, unit="u", created=True)
    assert verify_unit(context, unit) is (verdict == "equal")
    (result,) = context.store.results(context.migration_id)
    assert (result.verdict, result.destination_id) == (verdict, "w")
