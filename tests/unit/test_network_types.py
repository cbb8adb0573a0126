"""Routers, floating IPs, QoS, trunks and shares: what the plan makes of them, and what is made."""

from __future__ import annotations

import threading

import pytest

from pumphouse.migrations.runner import run
from pumphouse.names import Names
from pumphouse.planning import make_plan
from pumphouse.planning.plan import Selection
from pumphouse.resources.network.qos_policy import rules
from pumphouse.resources.registry import TYPES
from pumphouse.transfer.progress import Progress
from tests.unit import fakes
from tests.unit.fakes import found_cloud, tenant

IP = "203.0.113.7"


@pytest.fixture
def store():
    with fakes.new_store() as store:
        yield store


@pytest.fixture
def clouds():
    """A tenant with a router, a floating IP, a QoS policy and a trunk; external networks of different names."""
    source, destination = found_cloud("source"), found_cloud("destination")
    tenant(source, 0)
    for cloud, name in ((source, "public"), (destination, "outside")):
        owner = {"project_id": f"{cloud.role}-admin"}
        cloud.put("network", "ext", name=name, **{"router:external": True}, tags=[], **owner)
        cloud.put("subnet", "ext4", network_id="ext", cidr="203.0.113.0/24", gateway_ip="203.0.113.1", **owner)
    source.tables["subnet"]["s"]["gateway_ip"] = "10.0.0.1"
    mine = {"project_id": "p", "tags": []}
    said = [{"id": "x", "qos_policy_id": "q", "type": "bandwidth_limit", "max_kbps": 0, "direction": "egress"}]
    source.put("qos_policy", "q", name="slow", shared=False, is_default=False, rules=said, **mine)
    source.tables["network"]["n"]["qos_policy_id"] = "q"
    ips = [{"subnet_id": "ext4", "ip_address": "203.0.113.2"}]
    gateway = {"network_id": "ext", "external_fixed_ips": ips, "enable_snat": False, "qos_policy_id": "q"}
    routes = [{"destination": "192.0.2.0/24", "nexthop": "10.0.0.9"}]
    source.put("router", "r", name="gate", external_gateway_info=gateway, routes=routes, admin_state_up=True, **mine)
    _port(source, "rp", "10.0.0.1", device_id="r", device_owner="network:router_interface")
    _port(source, "web", "10.0.0.5")
    _port(source, "sub", "10.0.0.6", device_id="t", device_owner="trunk:subport")
    inner = [{"port_id": "sub", "segmentation_type": "vlan", "segmentation_id": 7}]
    source.put("trunk", "t", name="t", port_id="web", sub_ports=inner, admin_state_up=True, **mine)
    source.put("floating_ip", "f", floating_ip_address=IP, floating_network_id="ext", port_id="web", router_id="r",
               fixed_ip_address="10.0.0.5", description="é", qos_policy_id=None, **mine)  # fmt: skip
    return source, destination


def _port(cloud, id_, address, **more):
    cloud.put(
        "port", id_, name="", network_id="n", project_id="p", mac_address=f"fa:16:3e:00:01:{len(cloud.tables['port'])}",
        security_groups=[], fixed_ips=[{"subnet_id": "s", "ip_address": address}], tags=[],
        **{"device_id": "", "device_owner": "", **more},
    )  # fmt: skip


def plan_of(clouds, store, mappings=None):
    names = {"networks": {"public": "outside"}} if mappings is None else mappings
    return make_plan(*clouds, store, Selection(tenant="acme"), lambda _: None, names)


def migrate(clouds, store, plan):
    return run(*clouds, store, plan, concurrency=2, progress=Progress(), stop=threading.Event())


def item_of(plan, type_, id_=None):
    return next(item for item in plan.items if item.type == type_ and id_ in (None, item.id))


def one(cloud, type_):
    return next(iter(cloud.tables[type_].values()))


def test_all_of_it_arrives(clouds, store):
    source, destination = clouds
    plan = plan_of(clouds, store)
    assert not plan.count("conflict")
    id_ = migrate(clouds, store, plan)
    wrong = [row for row in store.results(id_) if row.verdict in ("differs", "failed")]
    assert wrong == []
    router, policy, fip = (one(destination, kind) for kind in ("router", "qos_policy", "floating_ip"))
    gateway = router["external_gateway_info"]
    assert (gateway["network_id"], gateway["enable_snat"], gateway["qos_policy_id"]) == ("ext", False, policy["id"])
    assert gateway["external_fixed_ips"] == [{"ip_address": "203.0.113.2"}]
    assert router["routes"] == source.tables["router"]["r"]["routes"]
    assert rules(policy["rules"]) == rules(source.tables["qos_policy"]["q"]["rules"])
    ports = {port["fixed_ips"][0]["ip_address"]: port for port in destination.tables["port"].values()}
    assert ports["10.0.0.1"]["device_id"] == router["id"]
    assert (fip["floating_ip_address"], fip["port_id"]) == (IP, ports["10.0.0.5"]["id"])
    trunk = one(destination, "trunk")
    assert trunk["port_id"] == ports["10.0.0.5"]["id"]
    assert trunk["sub_ports"][0] == {"port_id": ports["10.0.0.6"]["id"], "segmentation_type": "vlan",
                                     "segmentation_id": 7}  # fmt: skip
    assert len(destination.tables["network"]) == 2, "no external network is made"


def test_a_port_that_an_interrupted_attempt_left_becomes_the_interface(clouds):
    destination = clouds[1]
    destination.put("subnet", "S", network_id="N", gateway_ip="10.0.0.1")
    fields = {"network_id": "N", "project_id": "P", "mac_address": "fa:16:3e:00:01:99"}
    ips = [{"subnet_id": "S", "ip_address": "10.0.0.2"}]
    left = destination.put("port", **fields, fixed_ips=ips, device_id="")
    wanted = {**fields, "router_id": "R", "subnet_id": "S", "ip_address": "10.0.0.2", "fixed_ips": ips}
    TYPES["router_interface"].create(destination, wanted)
    assert list(destination.tables["port"].values()) == [left]
    assert left["device_id"] == "R"


def test_routes_come_after_the_interfaces(clouds, store):
    migrate(clouds, store, plan_of(clouds, store))
    asked = clouds[1].requests
    assert asked.index(("add_router_interface", "router")) < asked.index(("update", "router"))


def test_a_second_run_makes_nothing(clouds, store):
    migrate(clouds, store, plan_of(clouds, store))
    assert plan_of(clouds, store).count("create") == 0


def test_a_router_that_fails_half_way_is_gone_again(clouds, store):
    clouds[1].refuse["update", "router"] = RuntimeError("no such nexthop")
    migrate(clouds, store, plan_of(clouds, store))
    assert not clouds[1].tables["router"]
    assert not [port for port in clouds[1].tables["port"].values() if port.get("device_owner")]
    assert not clouds[1].tables["floating_ip"], "it needs the router"


@pytest.mark.parametrize("by", ["floating IP", "gateway"])
def test_a_taken_address_is_a_conflict_and_nothing_else_is(clouds, store, by):
    if by == "floating IP":
        clouds[1].put("floating_ip", floating_ip_address=IP, floating_network_id="ext", project_id="theirs")
    else:
        clouds[1].put("port", network_id="ext", device_owner="network:router_gateway", device_id="theirs",
                      fixed_ips=[{"subnet_id": "ext4", "ip_address": IP}])  # fmt: skip
    plan = plan_of(clouds, store)
    assert [item.type for item in plan.items if item.action == "conflict"] == ["floating_ip"]
    assert f"{IP} is taken in the destination by a" in item_of(plan, "floating_ip").reason.replace("by f", "by a f")


def test_an_address_out_of_range_is_a_conflict(clouds, store):
    clouds[1].tables["subnet"]["ext4"]["cidr"] = "198.51.100.0/24"
    plan = plan_of(clouds, store)
    assert "is in no range" in item_of(plan, "floating_ip").reason
    router = item_of(plan, "router")
    assert router.action == "create"
    assert [loss.value for loss in router.losses] == ["203.0.113.2"]


def test_an_unknown_external_network_is_a_conflict_with_what_there_is(clouds, store):
    plan = plan_of(clouds, store, {})
    reason = item_of(plan, "network", "ext").reason
    assert "mappings.networks" in reason
    assert "outside" in reason
    assert {i.type for i in plan.items if i.action == "conflict"} == {
        "network", "router", "router_interface", "floating_ip"}  # fmt: skip


def test_a_destination_without_trunks_says_so(clouds, store):
    clouds[1].extensions = clouds[1].extensions - {"trunk"}
    assert item_of(plan_of(clouds, store), "trunk").reason.endswith("does not have the extension trunk")


def test_a_source_without_the_extension_has_none(clouds, store):
    clouds[0].extensions = clouds[0].extensions - {"trunk"}
    assert not [item for item in plan_of(clouds, store).items if item.type == "trunk"]


def test_a_share_needs_its_guest(clouds, store):
    clouds[0].put("project", "guest", name="guest", domain_id="source-default", parent_id="source-default")
    for id_, target in (("a", "guest"), ("b", "*")):
        clouds[0].put("rbac_policy", id_, object_type="security_group" if target == "*" else "network",
                      object_id="g1" if target == "*" else "n", action="access_as_shared", target_tenant=target,
                      project_id="p")  # fmt: skip
    plan = plan_of(clouds, store)
    assert {item.id: item.action for item in plan.items if item.type == "rbac_policy"} == {"a": "skip", "b": "create"}
    migrate(clouds, store, plan)
    made = one(clouds[1], "rbac_policy")
    assert (made["target_tenant"], made["object_id"]) == ("*", store.mapped(_pair(clouds), "security_group", "g1")
                                                          .destination_id)  # fmt: skip


def _pair(clouds):
    return f"{clouds[0].key} -> {clouds[1].key}"


def test_what_shared_says_needs_no_policy(clouds):
    clouds[0].put("rbac_policy", "w", object_type="network", object_id="n", action="access_as_shared",
                  target_tenant="*", project_id="p")  # fmt: skip
    assert TYPES["rbac_policy"].list(clouds[0], project_id="p") == []


def test_automatic_addresses_are_not_asked_for(clouds):
    cloud = clouds[0]
    cloud.put("subnet", "s6", network_id="n", cidr="fd00::/64", ipv6_address_mode="slaac", project_id="p")
    four, six = {"subnet_id": "s", "ip_address": "10.0.0.8"}, {"subnet_id": "s6", "ip_address": "fd00::1"}
    made = TYPES["port"].create(cloud, {"network_id": "n", "fixed_ips": [four, six]})
    assert made["fixed_ips"] == [four, {"subnet_id": "s6"}]


def test_a_pool_that_holds_other_ranges_cannot_stand_in():
    pool = TYPES["subnet_pool"]
    wide, narrow = {"prefixes": ["10.0.0.0/8"]}, {"prefixes": ["10.1.0.0/16"]}
    assert pool.clash(wide, narrow, narrow) == []
    assert pool.clash(narrow, wide, wide) == ["prefixes"]


@pytest.mark.parametrize("rule", ["choose", "carry"])
def test_what_a_network_is_underneath_is_carried_by_rule(clouds, rule):
    wire = {"name": "net", "provider:network_type": "vlan", "provider:physical_network": "old",
            "provider:segmentation_id": 105}  # fmt: skip
    names = Names({"physical_networks": {"old": "new"}, "rules": {"networks.provider": rule}})
    wanted = TYPES["network"].adapt({"name": "net"}, wire, names)
    asked = {"provider:network_type": "vlan", "provider:physical_network": "new", "provider:segmentation_id": 105}
    assert wanted == {"name": "net", **(asked if rule == "carry" else {})}
    external = {**wire, "router:external": True}
    assert TYPES["network"].adapt({"name": "net"}, external, names) == {"name": "net"}


def test_several_segments_are_carried_by_the_same_rule():
    segments = [{"provider:network_type": "vlan", "provider:physical_network": "old", "provider:segmentation_id": n}
                for n in (1, 2)]  # fmt: skip
    names = Names({"physical_networks": {"old": "new"}, "rules": {"networks.provider": "carry"}})
    wanted = TYPES["network"].adapt({"name": "net"}, {"segments": segments}, names)
    assert wanted["segments"] == [{**segment, "provider:physical_network": "new"} for segment in segments]


def test_a_disabled_trunk_is_enabled_to_be_removed(clouds):
    """Neutron answers 409, TrunkDisabled, else."""
    clouds[0].tables["trunk"]["t"]["admin_state_up"] = False
    TYPES["trunk"].delete(clouds[0], "t")
    assert clouds[0].changes() == [("update", "trunk"), ("delete", "trunk")]
    TYPES["trunk"].delete(clouds[0], "t")


def test_what_is_shared_with_our_own_project_only_is_not_shared_with_everybody(clouds):
    """Neutron shows ``shared`` as the account that asks sees it."""
    source, _ = clouds
    for name, target in (("ours", "source-admin"), ("all", "*")):
        source.put("network", name, name=name, project_id="p", shared=True, tags=[])
        source.put("rbac_policy", name, object_type="network", object_id=name, action="access_as_shared",
                   target_tenant=target, project_id="p")  # fmt: skip
    seen = {network["name"]: network.get("shared") for network in TYPES["network"].list(source)}
    assert (seen["ours"], seen["all"]) == (False, True)
    assert TYPES["network"].get(source, "ours")["shared"] is False
