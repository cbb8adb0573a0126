"""What becomes of each resource: nobody's things are taken over, and nothing is made twice."""

from __future__ import annotations

import pytest

from pumphouse.errors import UsageError
from pumphouse.planning import Selection, make_plan
from pumphouse.planning.discovery import discover
from pumphouse.planning.matching import Matcher
from pumphouse.planning.planner import pair_of
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.registry import TYPES
from tests.unit import fakes


@pytest.fixture
def source():
    cloud = fakes.found_cloud("source")
    fakes.tenant(cloud)
    return cloud


@pytest.fixture
def destination():
    return fakes.found_cloud("destination")


@pytest.fixture
def store():
    with fakes.new_store() as store:
        yield store


@pytest.fixture
def match(source, destination, store):
    def match(*roots):
        here, there = Inventory(source, TYPES), Inventory(destination, TYPES)
        found = discover(here, [(type_, source.tables[type_][id_]) for type_, id_ in roots or (("project", "p"),)])
        items = Matcher(here, there, store, pair_of(source, destination)).match(found)
        assert source.changes() == destination.changes() == []
        return {item.key: item for item in items}

    return match


@pytest.fixture
def known(store, source, destination):
    """What an earlier migration made."""
    id_ = store.start_migration("pair", {}, {}, {})

    def known(type_, source_id, destination_id, created=True):
        pair = pair_of(source, destination)
        store.map(pair, type_, source_id, destination_id, migration_id=id_, unit="u", created=created)

    return known


def test_in_an_empty_cloud_everything_is_made_but_what_every_cloud_has(match):
    items = match()
    reused = {item.key: item.destination_id for item in items.values() if item.action == "reuse"}
    assert reused == {
        ("domain", "source-default"): "destination-default",
        ("role", "source-member"): "destination-member",
        ("volume_type", "source-lvm"): "destination-lvm",
    }
    assert {item.action for item in items.values()} == {"create", "reuse"}
    assert items["volume", "v1"].bytes == items["server", "w1"].bytes == fakes.GIB


def test_needs_come_first(match):
    items = match()
    order = list(items)
    for key, item in items.items():
        assert all(order.index(need) < order.index(key) for need in item.needs)


def test_a_namesake_in_another_domain_is_another_project(match, destination):
    destination.put("project", "other", name="acme", domain_id="elsewhere")
    assert match()["project", "p"].action == "create"


def test_the_same_things_are_used_as_they_are(match, destination):
    destination.put("project", "P", name="acme", domain_id="destination-default", enabled=True)
    destination.put("user", "U", name="Zoë", domain_id="destination-default", enabled=False)
    destination.put("network", "N", name="net", project_id="P")
    destination.put("subnet", "S", name="renamed", network_id="N", cidr="10.0.0.0/24", gateway_ip=None)
    items = match()
    for key, there in ((("project", "p"), "P"), (("user", "u"), "U"), (("network", "n"), "N"), (("subnet", "s"), "S")):
        assert (items[key].action, items[key].destination_id) == ("reuse", there)
        assert items[key].reason == "is there already"
    # The role, though: that user did not have it there.
    assert items["assignment", "u/p/source-member"].action == "create"


def test_a_flavor_of_that_name_but_another_size_stands_in_the_way_of_its_servers(match, destination):
    destination.put("flavor", "F", name="small", ram=2, vcpus=1, disk=1, extra_specs={})
    items = match()
    assert items["flavor", "f"].action == "conflict"
    assert "ram is 2 there, 1 here" in items["flavor", "f"].reason
    assert items["server", "w1"].action == "conflict"
    assert items["server", "w1"].reason == "needs flavor small"
    assert items["port", "o1"].action == items["volume", "v1"].action == "create"


def test_an_address_that_is_taken_is_a_conflict(match, destination):
    destination.put("project", "P", name="acme", domain_id="destination-default")
    destination.put("network", "N", name="net", project_id="P")
    destination.put("subnet", "S", name="sub", network_id="N", cidr="10.0.0.0/24", gateway_ip=None)
    destination.put("security_group", "G1", name="g1", project_id="P")
    taken = [{"subnet_id": "S", "ip_address": "10.0.0.1"}]
    destination.put("port", "O", network_id="N", mac_address="fa:16:3e:ff:ff:ff", device_id="x", fixed_ips=taken)
    assert match()["port", "o1"].action == "conflict"


def test_servers_are_never_taken_for_others_of_their_name(match, destination):
    destination.put("server", "W", name="web-1", tenant_id="P", flavor={"id": "f"})
    assert match()["server", "w1"].action == "create"


def test_what_an_earlier_run_made_is_found_by_the_mapping(match, destination, known):
    destination.put("server", "W", name="renamed since", flavor={"id": "f"})
    known("server", "w1", "W")
    item = match()["server", "w1"]
    assert (item.action, item.destination_id, item.reason) == ("reuse", "W", "moved by migration 1")
    assert item.bytes == 0


def test_what_was_there_before_is_never_said_to_be_ours(match, destination, known):
    destination.put("project", "P", name="acme", domain_id="destination-default")
    known("project", "p", "P", created=False)
    assert match()["project", "p"].reason == "is there already"


def test_what_an_earlier_run_made_and_somebody_deleted_is_made_again(match, known):
    known("server", "w1", "W")
    item = match()["server", "w1"]
    assert (item.action, item.destination_id) == ("create", None)
    assert "made by migration 1 but gone since" in item.reason


def test_what_refers_to_nothing_any_more_is_a_conflict_that_says_so(match, source):
    source.tables["server"]["w1"]["flavor"]["id"] = "deleted"
    item = match()["server", "w1"]
    assert item.action == "conflict"
    assert "flavor deleted" in item.reason


def test_a_key_pair_that_is_gone_is_named_as_a_loss(match, source):
    del source.tables["keypair"]["u/key"]
    item = match()["server", "w1"]
    assert item.action == "create"
    assert ("keypair", "u/key") in [(loss.field, loss.value) for loss in item.losses]


def test_states_that_cannot_be_moved_are_conflicts_before_anything_starts(match, source):
    source.tables["server"]["w1"]["status"] = "ERROR"
    item = match()["server", "w1"]
    assert (item.action, "is ERROR" in item.reason) == ("conflict", True)
    source.tables["server"]["w1"]["status"] = "ACTIVE"
    source.tables["volume"]["v1"]["status"] = "error_deleting"
    items = match()
    assert "error_deleting" in items["volume", "v1"].reason
    assert items["server", "w1"].reason == "needs volume data"


def test_a_volume_type_that_is_missing_keeps_its_volumes_back_and_says_what_there_is(match, source, destination):
    del destination.tables["volume_type"]["destination-lvm"]
    source.tables["volume_type"]["source-lvm"]["extra_specs"] = {"volume_backend_name": "lvm-1"}
    destination.put("volume_type", "ceph", name="ceph")
    items = match()
    assert "it has: ceph" in items["volume_type", "source-lvm"].reason
    assert items["volume", "v1"].action == "conflict"


def test_unknown_fields_are_named_in_the_plan(match, source):
    source.tables["network"]["n"]["brand_new"] = "x"
    losses = match()["network", "n"].losses
    assert ("brand_new", "x") in [(loss.field, loss.value) for loss in losses]


@pytest.fixture
def shared(source):
    source.put("project", "q", name="other", domain_id="source-default", parent_id="source-default")
    source.put("image", "i", name="img", owner="p", visibility="shared", status="active", size=3)
    source.put("image_member", "i/q", image_id="i", member_id="q", status="accepted")
    return ("image_member", "i/q")


def test_a_share_with_a_project_that_stays_is_left_out_and_said(match, shared):
    item = match()[shared]
    assert item.action == "skip"
    assert "its project is not in the destination" in item.reason
    assert match()["image", "i"].action == "create"


def test_a_share_with_a_project_that_is_there_already_is_carried(match, shared, destination):
    destination.put("project", "Q", name="other", domain_id="destination-default")
    items = match()
    assert items[shared].action == "create"
    # The share refers to it, so it must be mapped.
    assert (items["project", "q"].action, items["project", "q"].destination_id) == ("reuse", "Q")
    assert ("project", "q") in items[shared].needs
    assert list(items).index(("project", "q")) < list(items).index(shared)


def test_a_share_with_a_project_that_moves_too_is_carried(match, shared):
    items = match(("project", "p"), ("project", "q"))
    assert items[shared].action == "create"
    assert items["project", "q"].action == "create"


# The plan as a whole


def plan(source, destination, store, **selection):
    return make_plan(source, destination, store, Selection(**selection), lambda _: None)


def test_a_cloud_is_not_moved_into_itself(source, store):
    with pytest.raises(UsageError, match="same cloud"):
        plan(source, source, store, tenant="acme")


def test_a_plan_changes_nothing(source, destination, store):
    assert plan(source, destination, store, tenant="acme").count("create") > 10
    assert source.changes() == destination.changes() == []
    assert store.migrations() == []


def test_a_disk_is_not_taken_from_under_a_server_that_stays(source, destination, store):
    made = plan(source, destination, store, volumes=["v1"])
    item = next(item for item in made.items if item.type == "volume")
    assert item.action == "conflict"
    assert "server w1, which stays: move that server, too" in item.reason
    assert plan(source, destination, store, servers=["w1"]).count("conflict") == 0


def test_users_who_need_a_new_password_are_named(source, destination, store):
    def loss():
        made = plan(source, destination, store, users=["u"])
        losses = next(item for item in made.items if item.type == "user").losses
        return made.notes, [one.reason for one in losses if one.field == "password"]

    notes, reasons = loss()
    assert "no identity_database for the source" in notes[0]
    assert "set a new one" in reasons[0]
    source.passwords, destination.passwords = fakes.FakePasswords(u="$6$old-hash"), fakes.FakePasswords()
    notes, reasons = loss()
    assert "set a new one" in reasons[0]
    assert "old-hash" not in repr((notes, reasons))
    source.passwords = fakes.FakePasswords(u="$2b$good")
    assert loss() == ([], [])
    source.passwords = fakes.FakePasswords()
    assert "no password" in loss()[1][0]
