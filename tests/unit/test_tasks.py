"""Tasks: running one twice does no harm, and undoing takes back its own things only."""

from __future__ import annotations

import dataclasses
import datetime
import threading

import pytest

from pumphouse.clouds.passwords import PasswordRow
from pumphouse.errors import CloudError
from pumphouse.resources.compute.server import HOSTNAME, hostname, ports_in_order
from pumphouse.tasks.access import EnterProject
from pumphouse.tasks.passwords import CarryPassword
from pumphouse.tasks.records import MakeResource
from pumphouse.tasks.servers import NoteServer, StopServer, borrowed_key, in_device_order
from tests.unit import fakes
from tests.unit.fake_clients import HttpError
from tests.unit.fakes import PAIR


@pytest.fixture
def context():
    with fakes.new_store() as store:
        yield fakes.new_context(store)


def stand_in(context, type_, source_id, destination_id, created=False, unit="earlier"):
    """A counterpart that is there already."""
    id_ = context.migration_id
    context.store.map(PAIR, type_, source_id, destination_id, migration_id=id_, unit=unit, created=created)


def revert(task, context):
    """As TaskFlow does it."""
    task.revert(context, result=None, flow_failures={})


@pytest.fixture
def network(context):
    stand_in(context, "project", "p", "P")
    return MakeResource("network", "n", "net")


# Records


def test_a_record_is_made_with_its_references_replaced_and_noted(context, network):
    there = network.execute(context)
    made = context.destination.tables["network"][there]
    assert (made["project_id"], made["admin_state_up"]) == ("P", False)
    row = context.store.mapped(PAIR, "network", "n")
    assert (row.destination_id, row.created, row.unit) == (there, True, "unit")
    assert context.progress.units["unit"].step == "making network net"


def test_running_it_again_makes_nothing(context, network):
    first = network.execute(context)
    context.destination.requests.clear()
    assert network.execute(context) == first
    assert context.destination.changes() == []


def test_what_was_removed_since_is_made_again(context, network):
    first = network.execute(context)
    del context.destination.tables["network"][first]
    second = network.execute(context)
    assert second != first
    assert context.lookup("network", "n") == second


def test_what_has_gone_from_the_source_says_so(context, network):
    del context.source.tables["network"]["n"]
    with pytest.raises(CloudError, match="network n has gone from the source since the plan was made"):
        network.execute(context)
    assert context.destination.changes() == []


def test_undoing_removes_and_forgets_it(context, network):
    network.execute(context)
    revert(network, context)
    assert context.destination.tables["network"] == {}
    assert context.lookup("network", "n") is None
    revert(network, context)


def test_undoing_before_it_was_made_does_nothing(context, network):
    revert(network, context)
    assert context.destination.changes() == []


@pytest.mark.parametrize(
    "change",
    [{"created": False}, {"unit": "another"}, {"migration_id": 99}],
    ids=["there before", "of another unit", "of an earlier migration"],
)
def test_undoing_leaves_what_is_not_its_own(context, network, change):
    there = network.execute(context)
    row = dataclasses.asdict(context.store.mapped(PAIR, "network", "n")) | change
    if "migration_id" in change:
        row["migration_id"] = context.store.start_migration(PAIR, {}, {}, {})
    context.store.map(PAIR, **{key: row[key] for key in ("type", "source_id", "destination_id")}, **{
        key: row[key] for key in ("migration_id", "unit", "created")
    })  # fmt: skip
    revert(network, context)
    assert there in context.destination.tables["network"]
    assert context.lookup("network", "n") == there


def test_an_undo_that_fails_is_told_and_does_not_raise(context, network):
    there = network.execute(context)
    context.destination.refuse["delete", "network"] = HttpError(409, "ports are still in use")
    revert(network, context)
    (said,) = [event.text for event in context.store.events(context.migration_id) if event.kind == "undo failed"]
    assert "ports are still in use" in said
    assert context.lookup("network", "n") == there, "it is still there, so it is still known"


@pytest.mark.parametrize(
    ("type_", "id_", "verb", "refused", "field", "value"),
    [
        ("network", "n", "update", "network", "tags", ["a"]),
        ("flavor", "f", "update", "flavor", "extra_specs", {"hw:cpu_policy": "dedicated"}),
        ("security_group", "g1", "list", "security_group_rule", "tags", []),
        ("image_member", "i/p", "update", "image_member", "status", "accepted"),
    ],
)
def test_what_could_not_be_completed_does_not_stay(context, network, type_, id_, verb, refused, field, value):
    """It takes several requests; nobody would know of what the first one made."""
    context.source.put("image_member", "i/p", image_id="i", member_id="p", status="pending")
    stand_in(context, "image", "i", "I")
    context.source.tables[type_][id_][field] = value
    context.destination.refuse[verb, refused] = HttpError(400, "not this one")
    with pytest.raises(CloudError, match="not this one"):
        MakeResource(type_, id_, "thing").execute(context)
    assert context.destination.tables[type_] == {}
    assert context.lookup(type_, id_) is None


def test_a_default_group_is_taken_and_emptied(context, network):
    context.source.put("security_group", "g", name="default", project_id="p", description="ours", tags=["a"])
    there = context.destination.put("security_group", "G", name="default", project_id="P", description="theirs")
    for number, group in enumerate(("G", "other")):
        context.destination.put("security_group_rule", f"r{number}", security_group_id=group)
    assert MakeResource("security_group", "g", "default").execute(context) == "G"
    assert (there["description"], there["tags"]) == ("ours", ["a"])
    assert list(context.destination.tables["security_group_rule"]) == ["r1"]


def test_a_reference_that_has_no_counterpart_yet_is_an_error_with_its_name(context):
    with pytest.raises(CloudError, match="network n has no counterpart"):
        context.counterpart("network", "n")


# Our account in a project


def project_of_the_destination(context):
    """ "p" is "P" there, enabled, at the top of its domain."""
    context.destination.put("domain", "D", name="d", enabled=True)
    context.destination.put("project", "P", name="p", domain_id="D", parent_id="D", enabled=True)
    stand_in(context, "project", "p", "P")


def test_our_account_enters_a_project_for_a_while(context):
    project_of_the_destination(context)
    EnterProject("p").execute(context)
    EnterProject("p").execute(context)
    role = "destination-me/P/destination-admin-role"
    assert list(context.destination.tables["assignment"]) == [role]
    assert context.store.temporaries(unit="unit") == []
    assert context.of_migration().remove_temporaries() == {}
    assert context.destination.tables["assignment"] == {}


def test_a_role_that_our_account_had_before_is_left_to_it(context):
    project_of_the_destination(context)
    context.destination.identity.roles.grant("destination-admin-role", user="destination-me", project="P")
    EnterProject("p").execute(context)
    assert context.store.temporaries() == []


def test_a_disabled_project_is_open_for_the_time_of_the_migration_only(context):
    project_of_the_destination(context)
    context.destination.put("project", "top", name="top", domain_id="D", parent_id="D", enabled=False)
    context.destination.tables["project"]["P"].update(parent_id="top", enabled=False)
    EnterProject("p").execute(context)
    projects = context.destination.tables["project"]
    assert projects["P"]["enabled"] and projects["top"]["enabled"]
    assert context.of_migration().remove_temporaries() == {}
    assert not projects["P"]["enabled"] and not projects["top"]["enabled"]


# Temporary things


def make_image(context, name, role="source", **more):
    """Make a temporary image; returns its id."""
    images = context.cloud(role).image.images
    return context.temporary(role, "image", name, lambda: images.create(name=name)["id"], **more)


def test_the_name_of_a_temporary_thing_tells_whose_it_is_and_its_mark_too(context):
    name = context.temporary_name("root", "w1")
    assert name == f"pumphouse-{context.migration_id}-root-w1"
    image = context.source.tables["image"][make_image(context, name)]
    assert (image["name"], image["tags"]) == (name, ["pumphouse"])


def test_what_an_interrupted_run_left_under_the_same_name_is_used(context):
    left = make_image(context, "mine")
    assert make_image(context, "mine") == left
    assert list(context.source.tables["image"]) == [left]
    assert context.remove_temporaries() == {}
    assert context.source.tables["image"] == {}
    assert context.store.temporaries() == []


def test_what_it_left_in_pieces_is_removed_and_made_again(context):
    left = make_image(context, "mine")
    again = make_image(context, "mine", usable=lambda image: image["id"] != left)
    assert list(context.source.tables["image"]) == [again] != [left]


def test_what_was_made_though_no_answer_came_goes_away_too(context):
    def make():
        context.source.put("image", name="mine", status="queued")
        raise CloudError("the connection was lost")

    with pytest.raises(CloudError):
        context.temporary("source", "image", "mine", make)
    assert context.remove_temporaries() == {}
    assert context.source.tables["image"] == {}
    assert context.store.temporaries() == []


def test_what_was_refused_is_not_looked_for(context):
    context.source.refuse["create", "image"] = HttpError(403, "no")
    with pytest.raises(HttpError):
        make_image(context, "mine")
    assert context.store.temporaries() == []


def test_temporary_things_of_other_units_are_left_alone(context):
    mine, other = (make_image(dataclasses.replace(context, unit=unit), "same") for unit in ("unit", "other"))
    assert mine != other
    assert context.remove_temporaries() == {}
    assert list(context.source.tables["image"]) == [other]


def test_one_that_cannot_be_removed_does_not_keep_the_others(context):
    for type_ in ("image", "network", "volume"):
        thing = context.destination.put(type_, name=type_, status="available", attachments=[])
        context.note_temporary("destination", type_, thing["id"], type_)
    context.destination.refuse["delete", "network"] = HttpError(409, "in use")
    (left,) = context.remove_temporaries()
    assert "network network" in left
    assert [row.type for row in context.store.temporaries()] == ["network"]


# Passwords


HASH = "$2b$12$" + "s" * 53
RANDOM = "$2b$of-the-random-password"


@pytest.fixture
def user(context):
    """A user whom this unit made."""
    context.source.passwords = fakes.FakePasswords(u=HASH)
    context.destination.passwords = fakes.FakePasswords(U=RANDOM)
    stand_in(context, "user", "u", "U", created=True, unit="unit")
    return CarryPassword("u")


def there(context):
    return context.destination.passwords.rows["U"].hash


def test_the_old_password_replaces_the_random_one(context, user):
    assert user.execute(context) is True
    assert there(context) == HASH
    assert user.execute(context) is True


def test_the_date_on_which_a_password_expires_comes_only_if_wanted(context, user):
    moment = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    context.source.passwords.rows["u"] = PasswordRow(1, HASH, moment)
    user.execute(context)
    assert context.destination.passwords.rows["U"].expires_at is None
    context.destination.passwords.rows["U"] = PasswordRow(1, RANDOM)
    context.carry_expiry = True
    user.execute(context)
    assert context.destination.passwords.rows["U"] == PasswordRow(1, HASH, moment)


def test_a_random_password_that_stays_expires_at_once(context, user):
    context.source.passwords.rows["u"] = PasswordRow(1, "$6$x")
    assert user.execute(context) is False
    row = context.destination.passwords.rows["U"]
    assert row.hash == RANDOM
    assert row.expires_at <= datetime.datetime.now(datetime.UTC)
    context.destination.passwords.broken = CloudError("no right")
    assert user.execute(context) is False
    assert "password not expired" in [event.kind for event in context.store.events(context.migration_id)]


@pytest.mark.parametrize("change", [{"created": False}, {"unit": "another"}])
def test_the_password_of_somebody_elses_user_is_never_touched(context, user, change):
    stand_in(context, "user", "u", "U", **{"created": True, "unit": "unit"} | change)
    assert user.execute(context) is False
    assert there(context) == RANDOM


def test_a_password_that_was_set_meanwhile_stays(context, user):
    passwords = context.destination.passwords
    read = passwords.read

    def read_and_be_overtaken(user_id):
        row = read(user_id)
        passwords.rows[user_id] = PasswordRow(2, "$2b$of-the-user")
        return row

    passwords.read = read_and_be_overtaken
    with pytest.raises(CloudError, match="was changed in the destination meanwhile"):
        user.execute(context)
    assert there(context) == "$2b$of-the-user"


@pytest.mark.parametrize("hash_", [None, "", "$6$" + "s" * 80])
def test_a_password_that_cannot_move_leaves_the_random_one(context, user, hash_):
    context.source.passwords = fakes.FakePasswords(u=hash_)
    assert user.execute(context) is False
    assert there(context) == RANDOM


def test_without_a_row_or_a_database_nothing_happens(context, user):
    context.source.passwords = fakes.FakePasswords()
    assert user.execute(context) is False
    context.source.passwords = None
    assert user.execute(context) is False
    assert there(context) == RANDOM


def test_a_database_of_another_cloud_is_noticed(context, user):
    context.destination.passwords = fakes.FakePasswords()
    with pytest.raises(CloudError, match="is identity_database the database of that cloud"):
        user.execute(context)


def test_no_hash_leaves_the_task(context, user, caplog):
    caplog.set_level("DEBUG")
    told = [user.execute(context)]
    context.destination.passwords = fakes.FakePasswords(U=RANDOM)
    context.destination.passwords.replace = lambda *_: False
    with pytest.raises(CloudError) as caught:
        user.execute(context)
    revert(user, context)
    told += [caught.value, caught.value.__dict__, context.store.events(context.migration_id), caplog.text]
    assert HASH not in repr(told)
    assert RANDOM not in repr(told)


# Servers


@pytest.fixture
def stop(context):
    NoteServer("w1").execute(context)
    return StopServer("w1")


def power(context):
    return context.source.tables["server"]["w1"]["status"]


def test_a_running_server_is_stopped_and_runs_again_when_that_is_undone(context, stop):
    assert stop.execute(context) > 0
    assert power(context) == "SHUTOFF"
    revert(stop, context)
    assert power(context) == "ACTIVE"


def test_a_server_that_was_off_stays_off(context):
    context.source.tables["server"]["w1"]["status"] = "SHUTOFF"
    NoteServer("w1").execute(context)
    stop = StopServer("w1")
    assert stop.execute(context) == 0
    revert(stop, context)
    assert power(context) == "SHUTOFF"
    assert context.source.changes() == []


def test_undoing_a_stop_that_was_refused_does_not_start_what_runs(context, stop):
    context.source.refuse["stop", "server"] = HttpError(403, "locked")
    with pytest.raises(CloudError, match="locked"):
        stop.execute(context)
    revert(stop, context)
    assert context.source.asked("start") == 0
    assert power(context) == "ACTIVE"


def test_a_server_is_known_to_run_from_before_we_came(context, stop):
    """Running the task again after it stopped the server must not make it forget that."""
    stop.execute(context)
    stop.execute(context)
    revert(stop, context)
    assert power(context) == "ACTIVE"


@pytest.mark.parametrize("change", [{"status": "ERROR"}, {"OS-EXT-STS:task_state": "rebuilding"}])
def test_a_server_that_has_changed_since_the_plan_is_left_alone(context, change):
    context.source.tables["server"]["w1"].update(change)
    with pytest.raises(CloudError, match=f"server web-1 has become {next(iter(change.values()))} since the plan"):
        NoteServer("w1").execute(context)
    assert context.source.changes() == []


# The key pair of another user


@pytest.fixture
def key(context):
    stand_in(context, "keypair", "u/key", "U/key")
    context.destination.compute.keypairs.create("key", "ssh-rsa A", user_id="U")
    context.destination.requests.clear()
    return context.source.tables["server"]["w1"]


def ours(context):
    return [row for row in context.destination.tables["keypair"].values() if row["user_id"] == "destination-me"]


def test_a_key_is_ours_for_as_long_as_the_request_takes(context, key):
    with borrowed_key(context, context.destination, key) as name:
        assert name == "key"
        assert [row["public_key"] for row in ours(context)] == ["ssh-rsa A"]
    assert ours(context) == []
    assert "U/key" in context.destination.tables["keypair"]


def test_a_borrowed_key_is_given_back_when_the_request_fails(context, key):
    with pytest.raises(HttpError), borrowed_key(context, context.destination, key):
        raise HttpError(400)
    assert ours(context) == []


def test_the_same_key_of_our_own_stays_ours(context, key):
    context.destination.compute.keypairs.create("key", "ssh-rsa A")
    with borrowed_key(context, context.destination, key) as name:
        assert name == "key"
    assert len(ours(context)) == 1


def test_another_key_of_our_own_is_neither_used_nor_overwritten(context, key):
    context.destination.compute.keypairs.create("key", "ssh-rsa OURS")
    with pytest.raises(CloudError, match="rename it"), borrowed_key(context, context.destination, key):
        pass
    assert [row["public_key"] for row in ours(context)] == ["ssh-rsa OURS"]


def test_our_own_servers_use_our_own_key(context, key):
    stand_in(context, "keypair", "u/key", "destination-me/key")
    with borrowed_key(context, context.destination, key) as name:
        assert name == "key"
    assert context.destination.changes() == []


def test_a_key_that_was_not_carried_is_left_out(context, key):
    context.store.unmap(PAIR, "keypair", "u/key")
    with borrowed_key(context, context.destination, key) as name:
        assert name is None
    with borrowed_key(context, context.destination, {**key, "key_name": None}) as name:
        assert name is None


def test_one_server_at_a_time_borrows(context, key):
    """Else one would give back what the other one is about to use."""
    inside, order = threading.Event(), []

    def other():
        inside.wait(5)
        with borrowed_key(context, context.destination, key):
            order.append("second")

    thread = threading.Thread(target=other)
    thread.start()
    with borrowed_key(context, context.destination, key):
        inside.set()
        thread.join(0.1)
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]
    assert ours(context) == []


# What a guest sees


def port(id_, mac, created="2020"):
    return {"id": id_, "mac_address": mac, "created_at": created}


def test_ports_in_the_order_of_their_addresses():
    shown = {"z": [{"OS-EXT-IPS-MAC:mac_addr": "m3"}, {"OS-EXT-IPS-MAC:mac_addr": "m3"}],
             "a": [{"OS-EXT-IPS-MAC:mac_addr": "m1"}]}  # fmt: skip
    ports = [port("1", "m1"), port("4", "m4", "2022"), port("2", "m2", "2021"), port("3", "m3")]
    assert [one["id"] for one in ports_in_order({"addresses": shown}, ports)] == ["3", "1", "2", "4"]
    assert [one["id"] for one in ports_in_order({}, ports)] == ["1", "3", "2", "4"]


def test_volumes_in_the_order_of_their_devices(context):
    server = {"id": "w", "OS-EXT-SRV-ATTR:root_device_name": "/dev/vdc", "os-extended-volumes:volumes_attached": []}
    for id_, device in (("v1", "/dev/vdaa"), ("v2", "/dev/vdb"), ("v3", "/dev/vdc"), ("v4", "/dev/vdz")):
        elsewhere = {"server_id": "other", "device": "/dev/sda"}
        attachments = [elsewhere, {"server_id": "w", "device": device}]
        context.before["volume", id_] = {"id": id_, "attachments": attachments}
        server["os-extended-volumes:volumes_attached"].append({"id": id_, "delete_on_termination": id_ == "v2"})
    ordered = in_device_order(context, server)
    assert [volume["id"] for volume, _ in ordered] == ["v3", "v2", "v4", "v1"], "the root first, vdz before vdaa"
    assert [flags["delete_on_termination"] for _, flags in ordered] == [False, True, False, False]


@pytest.mark.parametrize(
    ("name", "becomes"),
    [
        ("web-1", "web-1"),
        ("a", "a"),
        ("web.example.org", "webexampleorg"),
        ("wéb_1", "wb1"),
        ("-web-", "web"),
        ("x" * 80, "x" * 63),
        ("x" * 62 + "-y", "x" * 62),
        ("日本", "server-w1"),
        ("", "server-w1"),
        (None, "server-w1"),
    ],
)
def test_hostnames_that_the_api_takes(name, becomes):
    found = hostname({"id": "w1", "OS-EXT-SRV-ATTR:hostname": name})
    assert found == becomes
    assert len(found) == 1 or HOSTNAME.fullmatch(found)
