"""What comes along with the roots: nothing of the tenant forgotten, nothing of others dragged in, few requests."""

from __future__ import annotations

import collections

import pytest

from pumphouse.planning.discovery import discover
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.registry import TYPES
from tests.unit import fakes


@pytest.fixture
def cloud():
    cloud = fakes.found_cloud("source")
    fakes.tenant(cloud, servers=2)
    return cloud


def walk(cloud, *roots):
    return discover(Inventory(cloud, TYPES), [(type_, cloud.tables[type_][id_]) for type_, id_ in roots])


def test_a_project_brings_what_it_owns_contains_and_needs(cloud):
    found = walk(cloud, ("project", "p"))
    assert set(found.resources) == {
        ("project", "p"),
        ("domain", "source-default"),
        ("user", "u"),
        ("role", "source-member"),
        ("assignment", "u/p/source-member"),
        ("keypair", "u/key"),
        ("flavor", "f"),
        ("network", "n"),
        ("subnet", "s"),
        ("security_group", "g1"),
        ("security_group", "g2"),
        ("security_group_rule", "r-g1"),
        ("security_group_rule", "r-g2"),
        ("volume_type", "source-lvm"),
        *(
            (type_, id_)
            for type_, ids in (("server", "w"), ("port", "o"), ("volume", "v"))
            for id_ in (f"{ids}1", f"{ids}2")
        ),
    }
    assert found.projects == ["p"]
    assert not found.dangling


def test_everything_that_is_referred_to_is_among_the_needs(cloud):
    found = walk(cloud, ("project", "p"))
    for key, resource in found.resources.items():
        assert found.needs[key] == [need for need in dict.fromkeys(TYPES[key[0]].references(resource)) if need != key]


def test_a_single_server_brings_its_own_and_not_its_neighbours(cloud):
    found = walk(cloud, ("server", "w1"))
    assert ("port", "o1") in found.resources
    assert ("volume", "v1") in found.resources
    assert ("project", "p") in found.resources
    for key in (("server", "w2"), ("port", "o2"), ("volume", "v2")):
        assert key not in found.resources


def test_a_project_that_is_only_referred_to_does_not_bring_its_people(cloud):
    found = walk(cloud, ("network", "n"))
    assert set(found.resources) == {("network", "n"), ("subnet", "s"), ("project", "p"), ("domain", "source-default")}
    assert found.projects == []


def test_a_thing_without_project_stays_alone(cloud):
    assert set(walk(cloud, ("flavor", "f")).resources) == {("flavor", "f")}


def test_what_the_source_has_no_more_is_told_and_not_passed_over(cloud):
    del cloud.tables["flavor"]["f"]
    found = walk(cloud, ("server", "w1"))
    assert found.dangling == {("server", "w1"): [("flavor", "f")]}
    assert ("flavor", "f") not in found.needs[("server", "w1")]


def test_a_key_pair_that_its_user_has_deleted_keeps_no_server_back(cloud):
    del cloud.tables["keypair"]["u/key"]
    found = walk(cloud, ("server", "w1"))
    assert not found.dangling
    assert found.gone == {("server", "w1"): [("keypair", "u/key")]}


def test_a_rule_that_refers_to_its_own_group_is_no_circle(cloud):
    cloud.tables["security_group_rule"]["r-g1"]["remote_group_id"] = "g1"
    found = walk(cloud, ("project", "p"))
    assert found.needs[("security_group_rule", "r-g1")] == [("security_group", "g1"), ("project", "p")]


def test_sharing_with_another_project_does_not_bring_that_project(cloud):
    cloud.put("project", "q", name="other", domain_id="source-default", parent_id="source-default")
    cloud.put("image", "i", name="img", owner="p", visibility="shared", status="active", size=1)
    cloud.put("image_member", "i/q", image_id="i", member_id="q", status="accepted")
    cloud.put("flavor", "x", name="private", extra_specs={}, **{"os-flavor-access:is_public": False})
    for project in ("p", "q"):
        cloud.put("flavor_access", f"x/{project}", flavor_id="x", tenant_id=project)
    found = walk(cloud, ("project", "p"))
    assert ("project", "q") not in found.resources
    # The matcher decides about them: that project may be in the destination already.
    assert found.needs[("image_member", "i/q")] == [("image", "i"), ("project", "q")]
    assert found.needs[("flavor_access", "x/q")] == [("flavor", "x"), ("project", "q")]
    assert ("flavor_access", "x/p") in found.resources


def test_ports_of_the_cloud_itself_stay(cloud):
    for id_, owner in (("dhcp", "network:dhcp"), ("gate", "network:router_interface")):
        cloud.put("port", id_, network_id="n", project_id="p", device_owner=owner, mac_address="x", fixed_ips=[])
    cloud.put("port", "spare", network_id="n", project_id="p", device_owner="", mac_address="y", fixed_ips=[])
    found = walk(cloud, ("project", "p"))
    assert {id_ for type_, id_ in found.resources if type_ == "port"} == {"o1", "o2", "spare"}


def many(count):
    """A tenant with that many of everything, each referring to others of its own."""
    cloud = fakes.found_cloud("source")
    fakes.tenant(cloud, servers=count)
    for n in range(1, count + 1):
        cloud.put("network", f"n{n}", name="x", project_id="p")
        cloud.put("subnet", f"s{n}", name="", network_id=f"n{n}", project_id="p", cidr="")
        ips = [{"subnet_id": f"s{n}", "ip_address": "10.0.0.1"}]
        cloud.tables["port"][f"o{n}"].update(network_id=f"n{n}", fixed_ips=ips)
        cloud.put("flavor", f"f{n}", name=f"f{n}", extra_specs={})
        cloud.tables["server"][f"w{n}"]["flavor"]["id"] = f"f{n}"
        cloud.put("user", f"u{n}", name=f"u{n}", domain_id="source-default")
        cloud.put("role", f"r{n}", name=f"r{n}", domain_id=None)
        who = {"user": {"id": f"u{n}"}, "role": {"id": f"r{n}"}, "scope": {"project": {"id": "p"}}}
        cloud.tables["assignment"][f"u{n}/p/r{n}"] = who
        cloud.put("volume_type", f"t{n}", name=f"t{n}")
        cloud.tables["volume"][f"v{n}"]["volume_type_id"] = f"t{n}"
    return cloud


def test_no_request_per_item_where_a_list_exists():
    """A tenant with ten times as many of everything takes as many requests; Nova lists keys by user only."""
    counts = []
    for count in (5, 50):
        cloud = many(count)
        walk(cloud, ("project", "p"))
        requests = collections.Counter(cloud.requests)
        assert requests.pop(("list", "keypair")) == count + 1
        assert requests.pop(("get", "encryption")) == count, "Cinder has no list of them"
        counts.append(requests)
    assert counts[0] == counts[1]


def test_nothing_is_read_twice_one_by_one(cloud):
    for n in range(3, 30):
        fakes.server(cloud, n)
    walk(cloud, *[("server", f"w{n}") for n in range(1, 30)])
    single = collections.Counter(cloud.requests)
    assert single["get", "project"] == single["get", "flavor"] == single["get", "keypair"] == 1
    assert single["list", "port"] == 1


def test_what_was_listed_with_its_parents_is_not_read_again(cloud):
    """The ports refer to a subnet that the network has brought in the same wave."""
    walk(cloud, ("project", "p"))
    assert (cloud.asked("list", "subnet"), cloud.asked("get", "subnet")) == (1, 0)


def test_discovery_only_reads(cloud):
    walk(cloud, ("project", "p"))
    assert cloud.changes() == []
