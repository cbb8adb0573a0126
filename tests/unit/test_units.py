"""Units: what succeeds or is undone together, and what must have succeeded before."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumphouse.planning.discovery import Found, discover
from pumphouse.planning.order import in_order
from pumphouse.planning.plan import Item
from pumphouse.planning.units import make_units
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.registry import TYPES
from tests.unit import fakes


@pytest.fixture
def cloud():
    cloud = fakes.found_cloud("source")
    fakes.tenant(cloud, servers=2)
    return cloud


def cut(cloud, *roots):
    """Units by name, all of them to be made."""
    named = roots or (("project", "p"),)
    found = discover(Inventory(cloud, TYPES), [(type_, cloud.tables[type_][id_]) for type_, id_ in named])
    return {unit.name: unit for unit in units_of(found)}


def units_of(found):
    items = []
    for key in in_order(found.needs):
        needs = [need for need in found.needs[key] if need in found.resources]
        items.append(Item(*key, f"name of {key[1]}", "create", "", needs=needs))
    units = make_units(items, found)
    check(units, items)
    return units


def check(units, items):
    """What holds for any plan: nothing lost, nothing doubled, needs met before."""
    assert sorted(item.key for unit in units for item in unit.items) == sorted(item.key for item in items)
    names = [unit.name for unit in units]
    assert len(set(names)) == len(names)
    home = {item.key: unit.name for unit in units for item in unit.items}
    for place, unit in enumerate(units):
        assert set(unit.needs) <= set(names[:place]), f"{unit.name} would run before what it needs"
        inside = [item.key for item in unit.items]
        for item in unit.items:
            for need in item.needs:
                assert home[need] == unit.name or home[need] in unit.needs
                if home[need] == unit.name and unit.kind not in ("server", "volume"):
                    assert inside.index(need) < inside.index(item.key), "made in this order"


def keys(unit):
    return {item.key for item in unit.items}


def test_a_tenant_in_units(cloud):
    units = cut(cloud)
    assert {name: unit.kind for name, unit in units.items()} == {
        "identity:p": "identity",
        "flavor:f": "flavor",
        "keypairs:u": "keypairs",
        "network:n": "network",
        "security_groups:p": "security_groups",
        "volume_type:source-lvm": "volume_type",
        "server:w1": "server",
        "server:w2": "server",
    }
    assert keys(units["server:w1"]) == {("server", "w1"), ("port", "o1"), ("volume", "v1")}
    assert keys(units["network:n"]) == {("network", "n"), ("subnet", "s")}
    assert {type_ for type_, _ in keys(units["identity:p"])} == {"domain", "project", "role", "user", "assignment"}


def test_a_server_waits_for_all_that_it_is_made_of_and_not_for_its_neighbour(cloud):
    assert set(cut(cloud)["server:w2"].needs) == {
        "identity:p",
        "flavor:f",
        "keypairs:u",
        "network:n",
        "security_groups:p",
        "volume_type:source-lvm",
    }


def test_groups_that_refer_to_each_other_are_one_unit_with_groups_before_rules(cloud):
    unit = cut(cloud)["security_groups:p"]
    assert [item.type for item in unit.items] == ["security_group"] * 2 + ["security_group_rule"] * 2


def test_a_detached_volume_and_a_free_port_are_units_of_their_own(cloud):
    cloud.tables["volume"]["v1"].update(attachments=[])
    cloud.tables["server"]["w1"]["os-extended-volumes:volumes_attached"] = []
    cloud.tables["port"]["o1"].update(device_id="", device_owner="")
    units = cut(cloud)
    assert (units["volume:v1"].kind, keys(units["volume:v1"])) == ("volume", {("volume", "v1")})
    assert keys(units["port:o1"]) == {("port", "o1")}


def test_what_hangs_on_a_server_that_stays_is_not_in_a_servers_unit(cloud):
    units = cut(cloud, ("volume", "v1"), ("port", "o1"))
    assert {"volume:v1", "port:o1"} <= set(units)
    assert not any(unit.kind == "server" for unit in units.values())


def test_units_are_called_what_people_call_them(cloud):
    titles = {name: unit.title for name, unit in cut(cloud).items()}
    assert titles["server:w1"] == "server name of w1"
    assert titles["network:n"] == "network name of n"
    assert titles["security_groups:p"] == "security groups of acme"
    assert titles["keypairs:u"] == "key pairs of Zoë"
    assert titles["identity:p"] == "identity of name of p"


def test_names_of_units_are_the_same_in_every_plan(cloud):
    """The state of an earlier run is found by them."""
    assert {name for name in cut(cloud, ("server", "w1")) if name.startswith("server")} == {"server:w1"}
    assert list(cut(cloud)) == list(cut(cloud))


def test_ports_keep_the_order_in_which_the_guest_sees_them(cloud):
    """Else eth0 and eth1 change places."""
    server = cloud.tables["server"]["w1"]
    macs = {"o1": "fa:16:3e:00:00:01", "oz": "fa:16:3e:00:00:bb", "oa": "fa:16:3e:00:00:aa"}
    for id_ in ("oa", "oz"):
        cloud.put("port", id_, **{**cloud.tables["port"]["o1"], "mac_address": macs[id_], "fixed_ips": [], "id": id_})
    server["addresses"] = {
        "net-b": [{"OS-EXT-IPS-MAC:mac_addr": macs["oz"]}, {"OS-EXT-IPS-MAC:mac_addr": macs["oz"]}],
        "net-a": [{"OS-EXT-IPS-MAC:mac_addr": macs["o1"]}, {"OS-EXT-IPS-MAC:mac_addr": macs["oa"]}],
    }
    ports = [item.id for item in cut(cloud)["server:w1"].items if item.type == "port"]
    assert ports == ["oz", "o1", "oa"]


def test_a_volume_of_two_servers_is_in_neither_of_them(cloud):
    """Whichever had it, the other one would wait for it: with two such volumes, each for the other."""
    both = [{"server_id": "w1", "device": "/dev/vdb"}, {"server_id": "w2", "device": "/dev/vdb"}]
    cloud.tables["volume"]["v1"]["attachments"] = both
    cloud.tables["volume"]["v2"]["attachments"] = both[::-1]
    for id_ in ("w1", "w2"):
        cloud.tables["server"][id_]["os-extended-volumes:volumes_attached"] = [{"id": "v1"}, {"id": "v2"}]
    units = cut(cloud)
    assert {"volume:v1", "volume:v2"} <= set(units["server:w1"].needs) & set(units["server:w2"].needs)


def test_groups_of_two_projects_that_refer_to_each_other_are_one_unit(cloud):
    cloud.put("project", "q", name="other", domain_id="source-default", parent_id="source-default")
    cloud.put("security_group", "h", name="h", project_id="q")
    rule = {**cloud.tables["security_group_rule"]["r-g1"], "project_id": "q"}
    cloud.put("security_group_rule", "r-h", **{**rule, "id": "r-h", "security_group_id": "h", "remote_group_id": "g1"})
    cloud.tables["security_group_rule"]["r-g1"]["remote_group_id"] = "h"
    units = cut(cloud)
    (both,) = [unit for unit in units.values() if unit.kind == "security_groups"]
    assert {("security_group", "h"), ("security_group", "g1")} <= keys(both)


def test_a_rule_that_an_administrator_made_stays_with_its_group(cloud):
    cloud.put("project", "admin", name="admin", domain_id="source-default", parent_id="source-default")
    cloud.tables["security_group_rule"]["r-g1"]["project_id"] = "admin"
    assert ("security_group_rule", "r-g1") in keys(cut(cloud)["security_groups:p"])


# People on many projects


@st.composite
def people(draw):
    """Projects, some below others, with users on any of them, in an order of no meaning."""
    found = Found()
    domains = [("domain", f"d{n}") for n in range(draw(st.integers(1, 2)))]
    users = [("user", f"u{n}") for n in range(draw(st.integers(1, 4)))]
    roles = [("role", f"r{n}") for n in range(draw(st.integers(1, 2)))]
    projects = [("project", f"p{n}") for n in range(draw(st.integers(1, 5)))]
    for key in domains:
        found.needs[key] = []
    for key in roles:
        found.needs[key] = [draw(st.sampled_from(domains))] if draw(st.booleans()) else []
    for key in users:
        found.needs[key] = [draw(st.sampled_from(domains))]
    for place, key in enumerate(projects):
        above = draw(st.sampled_from([None, *projects[:place]]))
        found.needs[key] = [draw(st.sampled_from(domains)), *([above] if above else [])]
    for user, project, role in draw(
        st.sets(st.tuples(st.sampled_from(users), st.sampled_from(projects), st.sampled_from(roles)), max_size=8)
    ):
        found.needs["assignment", f"{user[1]}/{project[1]}/{role[1]}"] = [user, role, project]
    found.needs = {key: found.needs[key] for key in draw(st.permutations(list(found.needs)))}
    found.resources = {key: {"id": key[1], "name": key[1]} for key in found.needs}
    return found


@settings(max_examples=150, deadline=None)
@given(people())
def test_people_on_several_projects_make_no_circles(found):
    for unit in units_of(found):
        assert unit.kind == "identity"
        for item in unit.items:
            if item.type == "project" and unit.name != f"identity:{item.id}":
                assert any(item.key in other.needs for other in unit.items), "nobody here asked for it"


def test_a_user_of_two_projects_comes_with_the_first_and_the_second_waits(cloud):
    cloud.put("project", "q", name="other", domain_id="source-default", parent_id="source-default")
    who = {"user": {"id": "u"}, "role": {"id": "source-reader"}, "scope": {"project": {"id": "q"}}}
    cloud.tables["assignment"]["u/q/source-reader"] = who
    units = cut(cloud, ("project", "p"), ("project", "q"))
    assert ("user", "u") in keys(units["identity:p"])
    assert ("assignment", "u/q/source-reader") in keys(units["identity:q"])
    assert units["identity:q"].needs == ["identity:p"]


def test_the_unit_of_a_project_that_fails_holds_back_as_few_as_may_be(cloud):
    """A project without common users or parents waits for no other."""
    cloud.put("project", "q", name="other", domain_id="alone", parent_id="alone")
    cloud.put("domain", "alone", name="Alone")
    assert cut(cloud, ("project", "p"), ("project", "q"))["identity:q"].needs == []
