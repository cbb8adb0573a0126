"""The plan of a reassignment: what it would do, and everything that is in its way, before anything is switched."""

from __future__ import annotations

import pytest

from pumphouse.clouds.hypervisors import VOLUME_HOST
from pumphouse.errors import UsageError
from pumphouse.flows import flow_of, tasks_of
from pumphouse.hosts.power.base import PowerError
from pumphouse.planning.plan import Plan
from pumphouse.planning.reassigning import earlier, make_reassignment
from tests.unit import fakes
from tests.unit.fake_machine import NAME, SERVICE, World


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch)


@pytest.fixture
def store():
    with fakes.new_store() as store:
        yield store


def plan_of(world, store):
    return make_reassignment(
        world.cloud("source"), world.cloud("destination"), store, NAME, world.host, lambda _: None
    )  # fmt: skip


def blocks(world, store):
    return {one.reason: one.remedy for one in plan_of(world, store).findings if one.level == "blocks"}


def test_units_come_one_after_the_other_and_name_what_goes(world, store):
    plan = plan_of(world, store)
    assert plan.findings == []
    assert plan.selection == {"reassign": NAME}
    assert [unit.kind for unit in plan.units] == ["switch_off", "leave", "install", "join"]
    assert [unit.needs for unit in plan.units] == [[], *([unit.name] for unit in plan.units[:-1])]
    assert {unit.action for unit in plan.units} == {"move"}
    leave = plan.units[1]
    assert [(item.type, item.id) for item in leave.items] == [
        ("nova_compute", SERVICE), ("resource_provider", "rp"), ("network_agent", "a1"),
    ]  # fmt: skip
    again = Plan.from_json(plan.to_json())
    names = [[task.name for task in tasks_of(flow_of(unit))] for unit in again.units]
    assert names[0] == [f"SwitchOff:{NAME}"]
    assert [len(set(ones)) for ones in names] == [1, 3, 4, 4]
    assert world.did == []


def test_what_is_in_the_way_has_a_remedy(world, store):
    world.source = False
    found = blocks(world, store)
    assert found == {f"{NAME} is not noted as a host of the source in the inventory (source: true)":
                     "if it is one: source: true in the inventory"}  # fmt: skip
    world.source = True
    world.servers = [{"id": "w", "name": "web", "on": ("source", SERVICE)}]
    world.services["source"][0]["status"] = "enabled"
    found = blocks(world, store)
    assert [reason for reason in found if "1 server of the source lives on c1.example: web" in reason]
    assert set(found.values()) == {f"evacuate {SERVICE} first"}


def test_what_the_machine_and_its_provisioner_say(world, store):
    world.trouble["log on"] = [PowerError("the BMC of c1.example refuses the password")]
    world.ways = ["somebody is about to add node-9"]
    found = blocks(world, store)
    assert set(found) == {"the BMC of c1.example refuses the password", "somebody is about to add node-9"}
    assert all(found.values())
    world.owns_power = True
    assert set(blocks(world, store)) == {"somebody is about to add node-9"}
    world.provisioned = False
    assert f"the inventory has no provisioner for {NAME}: it cannot be reassigned" in blocks(world, store)


def test_volumes_that_would_be_lost(world, store):
    world.backends = [{"host": f"{SERVICE}@lvm", "state": "up", "status": "disabled"}]
    found = plan_of(world, store).findings
    assert [(one.level, one.remedy) for one in found] == [
        ("note", f"cinder-manage service remove cinder-volume {SERVICE}@lvm")
    ]
    world.volumes = [{"id": "v", "name": "data", VOLUME_HOST: f"{SERVICE}@lvm#p"}]
    assert "1 volume of the source on it: data" in blocks(world, store)


def test_what_others_still_have_of_it(world, store):
    world.consumers = ["w1", "w2"]
    world.agents = [world.agent("a1", "L3 agent", routers=2), world.agent("a2", "DHCP agent", networks=0)]
    world.nodes["source"].append(world.hypervisor("other.example", SERVICE))
    found = blocks(world, store)
    assert set(found) == {
        "its nova-compute serves other.example, too, and would be removed with it",
        "Placement has 2 allocations on it, of w1, w2",
        "its L3 agent serves 2 routers",
    }


def test_one_that_has_arrived_already(world, store):
    world.joins()
    assert f"the destination has a nova-compute on {NAME} already" in blocks(world, store)


def test_one_of_a_like_name_is_another(world, store):
    """It is remembered, so that it is not taken for ours later."""
    world.joins("c1.elsewhere")
    plan = plan_of(world, store)
    assert plan.findings == []
    assert plan.units[-1].items[0].move["there"] == ["c1.elsewhere"]


@pytest.mark.parametrize("kind", ["reassign", "evacuate"])
def test_not_two_at_once(world, store, kind):
    store.start_migration("s -> d", {kind: NAME}, {}, {}, [])
    with pytest.raises(UsageError, match=f"migration 1 {kind}"):
        plan_of(world, store)


@pytest.mark.parametrize(
    ("state", "remedy"),
    [("failed", "migration 1 has begun to reassign it: resume that"), ("done", "migration 1 has reassigned it")],
)
def test_one_that_was_begun_before(world, store, state, remedy):
    number = store.start_migration("s -> d", {"reassign": NAME}, {}, {}, [])
    store.set_migration_state(number, state)
    assert earlier(store, NAME) == (1, state)
    assert earlier(store, "c10.example") is None
    world.nodes["source"].clear()
    assert blocks(world, store)[f"the source's Nova knows no hypervisor of exactly the name {NAME}"] == remedy
