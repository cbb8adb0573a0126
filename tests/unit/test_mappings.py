"""Names that differ between the clouds: what the plan makes of them, and how the proof judges them."""

from __future__ import annotations

import pytest

from pumphouse.names import Counterparts, Names, suggestion
from pumphouse.planning import Selection, make_plan
from pumphouse.resources.registry import TYPES
from pumphouse.store import Store
from tests.unit import fakes


@pytest.fixture
def clouds():
    source, destination = fakes.found_cloud("source"), fakes.found_cloud("destination")
    fakes.tenant(source)
    return source, destination


def plan(clouds, **mappings):
    with Store.open("sqlite://") as store:
        made = make_plan(*clouds, store, Selection(tenant="acme"), lambda _: None, mappings=mappings)
    return {item.key: item for item in made.items}


def test_a_mapped_name_finds_its_counterpart(clouds):
    clouds[1].put("volume_type", "fast", name="nvme")
    clouds[1].put("flavor", "F", name="tiny", ram=1, vcpus=1, disk=1, swap=0, extra_specs={},
                  **{"OS-FLV-EXT-DATA:ephemeral": 0})  # fmt: skip
    items = plan(clouds, volume_types={"lvm": "nvme"}, flavors={"small": "tiny"}, domains={"Default": "Default"})
    assert (items["volume_type", "source-lvm"].action, items["volume_type", "source-lvm"].destination_id) == (
        "reuse",
        "fast",
    )
    assert items["flavor", "f"].destination_id == "F"
    assert items["volume", "v1"].action == "create"


def test_an_unknown_source_name_is_harmless(clouds):
    assert plan(clouds, volume_types={"nothing": "at all"}) == plan(clouds)


def test_a_mapped_name_that_the_destination_lacks_is_a_conflict_with_a_suggestion(clouds):
    items = plan(clouds, volume_types={"lvm": "lvn"})
    found = items["volume_type", "source-lvm"]
    assert found.action == "conflict"
    assert found.reason == (
        "is mapped to 'lvn' (mappings.volume_types), which the destination does not have; "
        "did you mean 'lvm'? it has: lvm"
    )
    assert items["volume", "v1"].action == items["server", "w1"].action == "conflict"


def share_with_everybody(cloud, network):
    """As Neutron has it: the field is what a policy says."""
    cloud.tables["network"][network]["shared"] = True
    said = {"object_type": "network", "object_id": network, "action": "access_as_shared", "target_tenant": "*"}
    cloud.put("rbac_policy", f"shares {network}", project_id="p", **said)


def test_a_mapped_name_counts_for_more_than_whose_it_is_unless_there_are_two(clouds):
    """External networks belong to projects that differ between the clouds."""
    share_with_everybody(clouds[0], "n")
    clouds[1].put("network", "E", name="ext", project_id="somebody")
    assert plan(clouds, networks={"net": "ext"})["network", "n"].destination_id == "E"
    clouds[1].put("network", "E2", name="ext", project_id="another")
    found = plan(clouds, networks={"net": "ext"})["network", "n"]
    assert (found.action, found.reason) == ("conflict", "is mapped to 'ext', and the destination has 2 of that name")


def test_a_mapped_network_that_leads_elsewhere_is_a_conflict(clouds):
    share_with_everybody(clouds[0], "n")
    clouds[0].tables["network"]["n"]["router:external"] = False
    clouds[1].put("network", "E", name="ext", project_id="somebody", **{"router:external": True})
    assert "router:external" in plan(clouds, networks={"net": "ext"})["network", "n"].reason


def test_a_tenants_own_network_keeps_its_name(clouds):
    clouds[1].put("network", "E", name="ext", project_id="somebody")
    assert plan(clouds, networks={"net": "ext"})["network", "n"].action == "create"


def test_zones(clouds):
    clouds[0].tables["server"]["w1"]["OS-EXT-AZ:availability_zone"] = "rack-1"

    def lost(item):
        return [loss.field for loss in item.losses if "zone" in loss.field]

    assert lost(plan(clouds)["server", "w1"]) == ["OS-EXT-AZ:availability_zone"]
    mapped = plan(clouds, availability_zones={"rack-1": "nova"})["server", "w1"]
    assert (mapped.action, lost(mapped)) == ("create", [])
    wrong = plan(clouds, availability_zones={"rack-1": "noca"})["server", "w1"]
    assert wrong.action == "conflict"
    assert "is mapped to 'noca' (mappings.availability_zones)" in wrong.reason
    assert wrong.reason.endswith("did you mean 'nova'? it has: nova")


@pytest.mark.parametrize(
    ("type_", "field", "kind"),
    [
        ("domain", "name", "domains"),
        ("role", "name", "roles"),
        ("flavor", "name", "flavors"),
        ("volume_type", "name", "volume_types"),
        ("network", "name", "networks"),
        ("volume", "volume_type", "volume_types"),
        ("volume", "availability_zone", "availability_zones"),
        ("server", "OS-EXT-AZ:availability_zone", "availability_zones"),
    ],
)
def test_a_mapped_name_is_judged_mapped(type_, field, kind):
    def judge(source, destination, **mappings):
        here, there = {field: source, "shared": True}, {field: destination, "shared": True}
        found = TYPES[type_].compare(here, there, Counterparts(lambda *_: None, Names({kind: mappings})))
        return next(one.verdict for one in found if one.field == field)

    assert judge("a", "b", a="b") == "mapped"
    assert judge("a", "a", x="b") == "equal"
    assert judge("a", "a", a="b") not in ("mapped", "equal")
    assert judge("a", "c", a="b") not in ("mapped", "equal")
    assert judge(None, None, a="b") == "equal"


def test_lists_of_names_are_mapped_too():
    names = Names({"availability_zones": {"a": "b"}})
    assert names.value("availability_zones", ["a", "c", None]) == ["b", "c", None]
    assert names.value(None, "a") == "a"


def test_a_suggestion_names_what_exists():
    assert suggestion("x", []) == "it has none"
    assert suggestion("zzz", [f"n{number:02}" for number in range(12)]).endswith("n09 and 2 more")
