"""Servers in every state: each ends as it was, or the plan says why not and what to do."""

from __future__ import annotations

import pytest

from pumphouse.cli import remedies
from pumphouse.cli.migrate import Migrate
from pumphouse.errors import Refusal
from pumphouse.migrations.verify import _powered
from pumphouse.planning import Selection, make_plan
from pumphouse.resources.base import FieldVerdict
from pumphouse.resources.compute.server import HINTS, hints
from pumphouse.resources.registry import TYPES
from tests.unit.fake_clients import HttpError
from tests.unit.test_server_flow import Site


@pytest.fixture
def site(monkeypatch):
    site = Site(monkeypatch, servers=1)
    yield site
    site.store.close()


def planned(site, **chosen):
    selection = Selection(**chosen or {"servers": ["w1"]})
    return make_plan(site.source, site.destination, site.store, selection, lambda _: None)


def server_of(plan):
    return next(item for item in plan.items if item.type == "server")


def make(site, **wire):
    site.source.tables["server"]["w1"].update(wire)


def without_volume(site):
    """The volume of a shelved server belongs to nobody."""
    make(site, **{"os-extended-volumes:volumes_attached": []})
    del site.source.tables["volume"]["v1"]


def shelved(site):
    without_volume(site)
    make(site, status="SHELVED_OFFLOADED")
    return site.source.put(
        "image", "shelf", name="web-1-shelved", instance_uuid="w1", status="active", size=7, owner="p",
        disk_format="qcow2", container_format="bare",
    )  # fmt: skip


# Groups


@pytest.mark.parametrize("shown", [True, False], ids=["shown", "read in bulk"])
def test_a_server_is_booted_into_the_counterpart_of_its_group(site, shown):
    site.source.put(
        "server_group", "sg", name="apart", project_id="p", policy="anti-affinity", rules={}, members=["w1"]
    )
    if shown:
        make(site, server_groups=["sg"])
    assert site.migrate(servers=["w1"]) == "done"
    (group,) = site.there("server_group")
    (project,) = site.there("project")
    assert (group["name"], group["policy"], group["project_id"]) == ("apart", "anti-affinity", project["id"])
    assert group["members"] == [server["id"] for server in site.there("server")]
    site.assert_nothing_is_left_over()


def test_a_group_without_servers_moves_with_its_project(site):
    site.source.put("server_group", "sg", name="apart", project_id="p", policy="affinity", rules={}, members=[])
    site.source.put("server_group", "of another", name="x", project_id="q", policy="affinity", rules={}, members=[])
    assert site.migrate() == "done"
    assert [group["name"] for group in site.there("server_group")] == ["apart"]


def test_of_an_old_group_the_policy_is_the_first_of_its_policies(site):
    site.source.put("server_group", "sg", name="apart", project_id="p", policies=["affinity"], metadata={}, members=[])
    (group,) = TYPES["server_group"].list(site.source, project_id="p")
    assert (group["policy"], group["rules"]) == ("affinity", {})


def test_hints_that_mean_something_there_are_told(site):
    counterparts = {("server", "w2"): "W2", ("server_group", "sg"): "SG"}
    server = {
        "server_groups": ["sg"],
        "scheduler_hints": {
            "group": "sg", "different_host": ["w2", "gone"], "same_host": "gone", "query": "[]", "own": "x",
        },
    }  # fmt: skip
    told = hints(server, lambda kind, id_: counterparts.get((kind, id_)))
    assert told == {"group": "SG", "different_host": ["W2"], "own": "x"}
    lost = {field for field, _, _ in TYPES["server"].losses({**server, "flavor": {}, "id": "w1"})}
    assert lost == {"scheduler_hints.query", "scheduler_hints.same_host", "scheduler_hints.different_host"}


def test_where_hints_cannot_be_read_the_plan_says_so(site):
    assert any("scheduler hints" in note for note in planned(site).notes)
    site.source.newest = HINTS
    assert not any("scheduler hints" in note for note in planned(site, users=["u"]).notes)


# Locks


@pytest.mark.parametrize("by", ["p", "source-admin", None])
def test_a_locked_server_is_locked_again_by_whom_it_was(site, by):
    make(site, locked=True, locked_reason="hands off")
    if by:
        site.source.put("action", server="w1", action="lock", project_id=by, start_time="2020")
    assert site.migrate(servers=["w1"]) == "done"
    (server,) = site.there("server")
    assert (server["locked"], server["locked_reason"]) == (True, "hands off")
    owner = server["locked_from"] != site.destination.project_id
    assert owner == (by != "source-admin")
    assert site.source.tables["server"]["w1"]["locked"] is True


# Memory


@pytest.mark.parametrize("status", ["PAUSED", "SUSPENDED"])
def test_memory_is_given_up_only_by_name(site, status):
    make(site, status=status)
    server = server_of(planned(site))
    assert server.action == "conflict"
    assert server.acceptable == ["server:web-1:memory"]
    assert remedies.accepting(server) == "; to move it so: --accept server:web-1:memory"
    assert server_of(planned(site, servers=["w1"], accepted=["server:web-1:ephemeral"])).action == "conflict"
    assert site.migrate(servers=["w1"], accepted=["server:web-1:memory"]) == "done"
    assert [server["status"] for server in site.there("server")] == [status]
    assert site.power() == "SHUTOFF"
    assert not site.units["server:w1"].downtime


@pytest.mark.parametrize("status", ["PAUSED", "SUSPENDED"])
def test_a_sleeping_server_sleeps_again_after_a_failure(site, status):
    make(site, status=status)
    site.destination.refuse["create", "server"] = HttpError(418, "not today")
    assert site.migrate(servers=["w1"], accepted=["server:w1:memory"]) == "failed"
    assert site.power() == status
    site.assert_nothing_is_left_over()


@pytest.mark.parametrize("text", ["server:nobody:memory", "memory", "server:web-1", "moon:web-1:memory"])
def test_what_is_accepted_must_be_in_the_plan(site, text):
    with pytest.raises(Refusal) as caught:
        planned(site, servers=["w1"], accepted=[text])
    assert remedies.told(caught.value).startswith(f"--accept {text}: ")
    assert caught.value.choice == "selection.accepted"


def test_losses_are_accepted_from_the_command_line():
    parser = Migrate(None, None).get_parser("migrate")
    parsed = parser.parse_args(["--server", "w", "--accept", "server:w:memory", "--accept", "server:w:ephemeral"])
    assert parsed.accepted == ["server:w:memory", "server:w:ephemeral"]


# Disks of the flavor


def test_an_ephemeral_disk_is_given_up_only_by_name(site):
    make(site, flavor={"id": "f", "disk": 1, "ephemeral": 5, "swap": 0})
    assert server_of(planned(site)).acceptable == ["server:web-1:ephemeral"]
    server = server_of(planned(site, servers=["w1"], accepted=["server:w1:ephemeral"]))
    assert (server.action, server.accepted) == ("create", ["ephemeral"])
    assert "ephemeral" in {loss.field for loss in server.losses}


def test_a_swap_disk_is_made_anew_and_that_is_said(site):
    make(site, flavor={"id": "f", "disk": 1, "ephemeral": 0, "swap": 16})
    server = server_of(planned(site))
    assert server.action == "create"
    assert ("swap", "16 MiB") in {(loss.field, loss.value) for loss in server.losses}


def test_disks_of_the_flavor_take_names_before_the_volumes(site):
    make(site, flavor={"id": "f", "disk": 1, "ephemeral": 5, "swap": 16})
    site.source.tables["volume"]["v1"]["attachments"][0]["device"] = "/dev/vdd"
    server = server_of(planned(site, servers=["w1"], accepted=["server:w1:ephemeral"]))
    assert "device" not in {loss.field for loss in server.losses}


# Shelved


def test_a_shelved_server_moves_by_its_image_and_is_shelved_again(site):
    image = shelved(site)
    before = site.source.holdings()
    assert site.migrate(servers=["w1"]) == "done"
    assert [server["status"] for server in site.there("server")] == ["SHELVED_OFFLOADED"]
    assert [name for name, _ in site.moved] == [image["name"]]
    assert site.source.holdings() == before
    assert site.source.changes() == []


def test_a_shelved_server_without_its_image_or_with_volumes_must_be_unshelved(site):
    shelved(site)
    del site.source.tables["image"]["shelf"]
    assert "unshelve" in server_of(planned(site)).reason
    make(site, **{"os-extended-volumes:volumes_attached": [{"id": "v"}]})
    site.source.put("volume", "v", name="data", size=1, status="available", volume_type="lvm", attachments=[],
                    volume_type_id="source-lvm", **{"os-vol-tenant-attr:tenant_id": "p"})  # fmt: skip
    assert "unshelve" in server_of(planned(site)).reason


@pytest.mark.parametrize(
    ("status", "remedy"),
    [("RESCUE", "unrescue"), ("ERROR", "--state active"), ("VERIFY_RESIZE", "confirm"), ("BUILD", "wait")],
)
def test_other_states_are_conflicts_with_a_remedy(site, status, remedy):
    make(site, status=status)
    server = server_of(planned(site))
    assert server.action == "conflict"
    assert status in server.reason
    assert remedy in server.reason


# Zones


@pytest.mark.parametrize(("pinned", "asked"), [(None, None), ("nova", "nova")])
def test_a_server_is_bound_to_a_zone_only_if_it_was(site, pinned, asked):
    make(site, **{"OS-EXT-AZ:availability_zone": "nova", "pinned_availability_zone": pinned})
    assert site.migrate(servers=["w1"]) == "done"
    assert site.destination.booted[0]["availability_zone"] == asked


# Left shut off


def status_in(site, id_="w1"):
    """The verdict on a server's status, in the newest results."""
    (result,) = (one for one in site.store.results(1) if (one.type, one.source_id) == ("server", id_))
    return next((field for field in result.fields if field["field"] == "status"), None)


@pytest.mark.parametrize("status", ["ACTIVE", "PAUSED", "SUSPENDED", "SHUTOFF"])
def test_servers_are_left_shut_off_where_that_was_asked_for(site, status):
    make(site, status=status)
    plan = planned(site, servers=["w1"], accepted=["server:w1:memory"], power="off")
    assert any("left shut off" in note for note in plan.notes)
    assert site.migrate(servers=["w1"], accepted=["server:w1:memory"], power="off") == "done"
    assert [server["status"] for server in site.there("server")] == ["SHUTOFF"]
    assert site.power() == "SHUTOFF"
    found = status_in(site)
    wanted = "equal" if status == "SHUTOFF" else "mapped"
    assert (found["verdict"], found["source"], found["destination"]) == (wanted, status, "SHUTOFF")
    # It was down from its stop until it was up in the destination, though it is off again now.
    assert bool(site.units["server:w1"].downtime) == (status == "ACTIVE")


def test_a_shelved_server_is_shelved_also_where_others_are_left_off(site):
    shelved(site)
    assert site.migrate(servers=["w1"], power="off") == "done"
    assert [server["status"] for server in site.there("server")] == ["SHELVED_OFFLOADED"]


def test_one_that_runs_though_it_was_to_be_left_off_differs():
    ran = _powered(FieldVerdict("status", "equal", "ACTIVE", "ACTIVE"), "off")
    assert (ran.verdict, ran.reason) == ("differs", "it was to be left SHUTOFF")
    assert _powered(FieldVerdict("status", "equal", "ACTIVE", "ACTIVE"), "as_source").verdict == "equal"
