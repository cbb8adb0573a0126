"""Tasks that give a host away: its power is cut only when nobody is on it, and wherever one stops, the next goes on."""

from __future__ import annotations

import threading

import pytest

from pumphouse.clouds import waiting
from pumphouse.errors import Cancelled, CloudError
from pumphouse.hosts.provisioners.base import Progress
from pumphouse.migrations import reassigned
from pumphouse.migrations.verify import verify_unit
from pumphouse.planning.plan import Plan
from pumphouse.planning.reassigning import make_reassignment
from pumphouse.store import notes
from pumphouse.tasks import installing, machines
from pumphouse.tasks.installing import AwaitService, BootFromNetwork, Deploy, Discover, EnableService, Prepare
from pumphouse.tasks.machines import HOST, INSTALL, POWER
from pumphouse.tasks.reassign import DeleteAgents, DeleteProvider, DeleteService, SwitchOff
from tests.unit import fakes
from tests.unit.fake_clients import HttpError
from tests.unit.fake_machine import NAME, SERVICE, World, away, silent


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setattr(machines, "AGAIN", (0.0, 0.0))
    monkeypatch.setattr(machines, "LOOK", 0.01)
    return World(monkeypatch)


@pytest.fixture
def context(world):
    with fakes.new_store() as store:
        context = fakes.new_context(store)
        context.source, context.destination = world.cloud("source"), world.cloud("destination")
        context.hosts = world.host
        yield context


def steps(context):
    return [event.text for event in context.store.events(context.migration_id) if event.kind == "step"]


def installation(context):
    return notes.find(context.store, INSTALL, HOST, NAME, context.migration_id)


def left(world, context):
    """It has left the source."""
    SwitchOff(NAME, SERVICE).execute(context)
    DeleteService(NAME, SERVICE).execute(context)
    world.did.clear()


def install(context):
    for task in (Prepare, BootFromNetwork, Discover, Deploy):
        task(NAME).execute(context)


# --- off ---


def test_it_is_switched_off_once_and_on_again(world, context):
    SwitchOff(NAME, SERVICE).execute(context)
    SwitchOff(NAME, SERVICE).execute(context)
    assert world.did == ["off"]
    SwitchOff(NAME, SERVICE).undo(context)
    SwitchOff(NAME, SERVICE).undo(context)
    assert world.did == ["off", "on"]


def test_what_was_off_stays_off(world, context):
    world.state = "off"
    SwitchOff(NAME, SERVICE).execute(context)
    SwitchOff(NAME, SERVICE).undo(context)
    assert world.did == []


@pytest.mark.parametrize("why", ["server", "volume", "enabled", "not source", "unknown"])
def test_its_power_is_not_cut(world, context, why):
    if why == "server":
        world.servers = [{"id": "w", "name": "web", "on": ("source", SERVICE)}]
    elif why == "volume":
        world.backends, world.volumes = [{"host": f"{SERVICE}@lvm"}], [{"id": "v", "name": "data"}]
    elif why == "enabled":
        world.services["source"][0]["status"] = "enabled"
    elif why == "not source":
        world.source = False
    else:
        world.nodes["source"].clear()
    with pytest.raises(CloudError, match="it is not switched off"):
        SwitchOff(NAME, SERVICE).execute(context)
    SwitchOff(NAME, SERVICE).undo(context)
    assert world.did == []


def test_it_is_asked_directly_before_the_cut(world, context, monkeypatch):
    """A server comes while the BMC takes its time, and another while its first answer is lost."""
    world.trouble["off"] = [silent()]

    def late():
        world.servers = [{"id": "w", "name": "web", "on": ("source", SERVICE)}]

    monkeypatch.setattr(machines, "pause", lambda *_: late())
    with pytest.raises(CloudError, match=r"1 server of the source lives on c1\.example: web: it is not switched off"):
        SwitchOff(NAME, SERVICE).execute(context)
    assert world.did == []


def test_a_bmc_that_is_silent_is_asked_again_and_then_that_is_said(world, context):
    world.trouble["state"] = [silent(), silent()]
    SwitchOff(NAME, SERVICE).execute(context)
    assert world.did == ["off"]
    world.state, world.trouble["off"] = "on", [silent() for _ in range(3)]
    with pytest.raises(CloudError, match="does not answer"):
        SwitchOff(NAME, SERVICE).execute(context)
    world.trouble["state"] = [silent(passing=False), silent()]
    with pytest.raises(CloudError, match="does not answer"):
        SwitchOff(NAME, SERVICE).execute(context)
    assert len(world.trouble["state"]) == 1, "what does not pass is not tried again"


def test_a_unit_that_is_given_up_waits_no_more(world, context, monkeypatch):
    monkeypatch.setattr(machines, "AGAIN", (60.0,))
    context.abandon.set()
    world.trouble["state"] = [silent()]
    with pytest.raises(Cancelled):
        SwitchOff(NAME, SERVICE).execute(context)


# --- leaving ---


def test_from_its_removal_on_there_is_no_way_back(world, context):
    SwitchOff(NAME, SERVICE).execute(context)
    DeleteService(NAME, SERVICE).execute(context)
    DeleteService(NAME, SERVICE).execute(context)
    SwitchOff(NAME, SERVICE).undo(context)
    assert world.did == ["off", "delete service"]
    plan = Plan({"reassign": NAME}, make_units(world, context))
    assert "there is no way back" in reassigned.no_way_back(context, plan)


def make_units(world, context):
    with fakes.new_store() as store:
        known = world.nodes["source"] or [world.hypervisor(NAME, SERVICE)]
        world.nodes["source"] = known
        return make_reassignment(context.source, context.destination, store, NAME, world.host, lambda _: None).units


def test_what_nova_refuses_leaves_the_way_back(world, context):
    SwitchOff(NAME, SERVICE).execute(context)
    world.trouble["delete service"] = [HttpError(409)]
    with pytest.raises(CloudError):
        DeleteService(NAME, SERVICE).execute(context)
    SwitchOff(NAME, SERVICE).undo(context)
    assert world.did == ["off", "on"]


def test_what_was_switched_on_meanwhile_is_switched_off_before(world, context):
    SwitchOff(NAME, SERVICE).execute(context)
    world.state = "on"
    DeleteService(NAME, SERVICE).execute(context)
    assert world.did == ["off", "off", "delete service"]


def test_what_nova_and_neutron_leave(world, context):
    DeleteProvider(NAME).execute(context)
    DeleteProvider(NAME).execute(context)
    DeleteAgents(NAME, SERVICE).execute(context)
    assert world.did == ["delete provider", "delete a1"]
    world.provider, world.consumers = "rp", ["w1"]
    with pytest.raises(CloudError, match=r"still has 1 allocation on c1\.example, of w1: .*allocation delete"):
        DeleteProvider(NAME).execute(context)


def test_an_agent_that_neutron_keeps_is_told(world, context):
    world.trouble["delete a1"] = [HttpError(400)]
    DeleteAgents(NAME, SERVICE).execute(context)
    assert any(step.startswith("Neutron keeps its Open vSwitch agent") for step in steps(context))
    world.trouble["delete a1"] = [HttpError(500)]
    with pytest.raises(CloudError):
        DeleteAgents(NAME, SERVICE).execute(context)


# --- its installation ---


def test_from_off_to_deployed(world, context):
    left(world, context)
    install(context)
    assert world.did == ["prepare", "network", "on", "deploy node-1"]
    noted = installation(context)
    assert noted["node"] == "node-1" and noted["deployed"] >= noted["since"]


def test_each_task_that_runs_again_does_nothing_more(world, context):
    left(world, context)
    for task in (Prepare, BootFromNetwork, Discover):
        task(NAME).execute(context)
        before = list(world.did)
        task(NAME).execute(context) if task is not Prepare else None
        assert world.did == before
    install(context)
    assert world.did == ["prepare", "network", "on", "deploy node-1"]


def test_what_was_not_discovered_is_switched_off_and_on_again(world, context, monkeypatch):
    left(world, context)
    monkeypatch.setattr(installing, "DISCOVERY", 0.05)
    world.node = None
    with pytest.raises(CloudError, match=r"waited for fake to discover c1\.example by 52:54:00:aa:00:01 .* in vain"):
        install(context)
    with pytest.raises(CloudError):
        install(context)
    assert world.did == ["prepare", "network", "on", "off", "prepare", "network", "on"]


def test_servers_that_it_has_in_the_destination_keep_its_power(world, context):
    left(world, context)
    world.joins()
    world.servers = [{"id": "w", "name": "web", "on": ("destination", NAME)}]
    with pytest.raises(CloudError, match=r"1 server of the destination lives on c1\.example: web: it is not inst"):
        Prepare(NAME).execute(context)
    assert world.did == []


def test_progress_is_told_as_it_changes(world, context):
    left(world, context)
    copying = [Progress("deploying", percent, "copying") for percent in (1, 2, 7)]
    world.seen = [*copying, Progress("deploying", None, "starting"), Progress("done")]
    world.trouble["progress"] = [away()]
    install(context)
    told = [step for step in steps(context) if step.startswith("deploying")]
    assert told == ["deploying: 1 % copying", "deploying: 7 % copying", "deploying: starting"]


def test_a_failed_deployment_is_kept_for_who_looks_and_tried_again(world, context):
    left(world, context)
    world.seen = [Progress("failed", 50, "the disk is too small")]
    with pytest.raises(CloudError, match=r"waited for fake to deploy c1\.example: the disk is too small"):
        install(context)
    Prepare(NAME).revert(context)
    assert installation(context)["node"] == "node-1"
    world.seen = [Progress("done")]
    install(context)
    assert world.did == ["prepare", "network", "on", "deploy node-1", "deploy node-1"]


def test_given_up_or_rolled_back_it_is_forgotten(world, context):
    left(world, context)
    install(context)
    context.abandon = threading.Event()
    context.abandon.set()
    Prepare(NAME).revert(context)
    assert world.did[-1] == "forget node-1"
    assert installation(context) is None
    Prepare(NAME).undo(context)
    assert world.did.count("forget node-1") == 1
    assert world.state == "on"


def test_what_runs_servers_is_not_taken_back(world, context):
    left(world, context)
    install(context)
    world.joins()
    world.servers = [{"id": "w", "name": "web", "on": ("destination", NAME)}]
    with pytest.raises(CloudError, match="its installation is not taken back"):
        Prepare(NAME).undo(context)
    assert "forget node-1" not in world.did


def test_what_the_provisioner_refuses_to_touch_is_not_forgotten(world, context):
    left(world, context)
    world.trouble["prepare"] = [away(passing=False)]
    with pytest.raises(CloudError):
        Prepare(NAME).execute(context)
    Prepare(NAME).undo(context)
    assert world.did == []


def test_forgetting_waits_while_the_provisioner_stops(world, context):
    left(world, context)
    install(context)
    world.trouble["forget node-1"] = [away(), away()]
    Prepare(NAME).undo(context)
    assert world.did[-1] == "forget node-1"


def test_a_provisioner_that_does_not_begin(world, context, monkeypatch):
    monkeypatch.setattr(installing, "IDLE", 0.02)
    left(world, context)
    world.seen = [Progress("waiting", None, "in no environment")]
    with pytest.raises(CloudError, match="it was told to, but does not: in no environment"):
        install(context)


def test_a_provisioner_that_stays_away_ends_the_wait(world, context, monkeypatch):
    monkeypatch.setattr(waiting, "PATIENCE", 0.05)
    left(world, context)
    world.trouble["progress"] = [away() for _ in range(1000)]
    with pytest.raises(CloudError, match=r"waited for fake to deploy c1\.example: fake does not answer"):
        install(context)
    assert world.did.count("deploy node-1") == 1


def test_a_provisioner_that_switches_it_itself(world, context):
    world.owns_power = True
    left(world, context)
    install(context)
    assert world.did == ["prepare", "deploy node-1"]
    world.joins()
    world.servers = [{"id": "w", "name": "web", "on": ("destination", NAME)}]
    with pytest.raises(CloudError, match="it is not installed anew"):
        Deploy(NAME).execute(context)


# --- its place in the destination ---


def join(context, there=()):
    AwaitService(NAME, list(there)).execute(context)
    EnableService(NAME, SERVICE).execute(context)


@pytest.mark.parametrize("name", [NAME, "c1", "C1.new.example", "node-1", "node-1.domain"])
def test_it_is_found_by_the_names_that_it_may_have(world, context, name):
    left(world, context)
    install(context)
    world.joins("c10")
    world.joins(name)
    join(context)
    assert {one["host"] for one in world.services["destination"] if one["status"] == "enabled"} == {name}


def test_one_that_was_there_before_is_not_taken_for_it(world, context, monkeypatch):
    monkeypatch.setattr(installing, "JOINING", 0.05)
    world.joins("c1.elsewhere")
    with pytest.raises(CloudError, match=r"discover_hosts\) for 0.05 s, in vain; last seen: no nova-compute"):
        join(context, ["c1.elsewhere"])


@pytest.mark.parametrize(
    ("state", "cell", "words"), [("down", True, "is down"), ("up", False, "is up, but in no cell yet")]
)
def test_it_is_said_what_lacks(world, context, monkeypatch, state, cell, words):
    monkeypatch.setattr(installing, "JOINING", 0.05)
    world.joins()
    world.services["destination"][0]["state"] = state
    if not cell:
        world.nodes["destination"].clear()
    with pytest.raises(CloudError, match=f"last seen: its nova-compute {words}"):
        join(context)


def test_what_has_come_back_to_the_source_is_removed_again(world, context):
    left(world, context)
    world.joins()
    world.services["source"].append(world.service(SERVICE, "down"))
    join(context)
    assert world.did == ["enable", "delete service"]


# --- afterwards ---


def test_each_part_is_looked_at_again(world, context):
    units = make_units(world, context)
    left(world, context)
    DeleteProvider(NAME).execute(context)
    DeleteAgents(NAME, SERVICE).execute(context)
    install(context)
    world.joins()
    join(context)
    assert all(verify_unit(context, unit) for unit in units)
    world.services["destination"][0]["status"] = "disabled"
    assert not verify_unit(context, units[-1])
    assert verify_unit(context, units[-1], later=True), "who disables it later has reasons"
    world.agents = [world.agent("a1", "Open vSwitch agent")]
    assert not verify_unit(context, units[1])
    assert notes.find(context.store, POWER, HOST, NAME, context.migration_id) == "on"
