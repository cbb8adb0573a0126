"""Volume types: those of the destination stand in as they are; a new one comes with all that belongs to it."""

from __future__ import annotations

import pytest

from pumphouse.errors import CloudError
from pumphouse.planning import Selection, make_plan
from pumphouse.resources.registry import TYPES
from pumphouse.resources.volume.volume_type import VolumeType
from tests.unit.test_server_flow import Site

FAST = ("volume_type", "fast")


@pytest.fixture
def site(monkeypatch):
    """The tenant may use a private type with limits and encryption settings; a data disk is of it."""
    site = Site(monkeypatch, 1)
    source = site.source
    source.put("qos_spec", "q", name="limits", consumer="front-end", specs={"total_iops_sec": "100"})
    source.put(
        "volume_type", "fast", name="fast", description=None, qos_specs_id="q",
        extra_specs={"volume_backend_name": "nfs1", "x": ""}, **{"os-volume-type-access:is_public": False},
    )  # fmt: skip
    source.tables["encryption"]["fast"] = {
        "volume_type_id": "fast", "encryption_id": "e", "provider": "luks", "cipher": None, "key_size": 256,
        "control_location": "front-end",
    }  # fmt: skip
    source.put("volume_type_access", "fast/p", volume_type_id="fast", project_id="p")
    source.tables["volume"]["v1"].update(volume_type="fast", volume_type_id="fast")
    site.destination.put("pool", capabilities={"volume_backend_name": "nfs1"})
    yield site
    site.store.close()


def plan(site, **mappings):
    made = make_plan(site.source, site.destination, site.store, Selection(tenant="acme"), lambda _: None, mappings)
    return {item.key: item for item in made.items}


def test_a_type_is_made_with_its_extra_specs_limits_encryption_and_access(site):
    assert site.migrate() == "done", [(row.name, row.error) for row in site.units.values()]
    there = site.destination.tables
    (type_,) = [one for one in there["volume_type"].values() if one["name"] == "fast"]
    (limits,) = there["qos_spec"].values()
    (project,) = site.there("project")
    assert type_["extra_specs"] == {"volume_backend_name": "nfs1", "x": ""}
    assert type_["os-volume-type-access:is_public"] is False
    assert (limits["consumer"], limits["specs"]) == ("front-end", {"total_iops_sec": "100"})
    assert type_["qos_specs_id"] == limits["id"]
    settings = {"provider": "luks", "key_size": 256, "control_location": "front-end", "volume_type_id": type_["id"]}
    assert there["encryption"] == {type_["id"]: settings}
    assert list(there["volume_type_access"]) == [f"{type_['id']}/{project['id']}"]
    assert [volume["volume_type_id"] for volume in site.there("volume")] == [type_["id"]]
    kinds = {"volume_type", "qos_spec", "volume_type_qos", "volume_type_encryption", "volume_type_access"}
    verdicts = {row.type: row.verdict for row in site.store.results(site.id) if row.type in kinds}
    assert set(verdicts) == kinds
    assert set(verdicts.values()) <= {"equal", "mapped"}
    site.destination.requests.clear()
    assert site.migrate() == "done"
    assert site.destination.changes() == []


def test_a_type_that_is_there_keeps_its_own_limits_and_encryption(site):
    site.destination.put("volume_type", "F", name="fast", extra_specs={"volume_backend_name": "ceph"},
                         **{"os-volume-type-access:is_public": False})  # fmt: skip
    items = plan(site)
    assert items[FAST].action == "reuse"
    for key in (("qos_spec", "q"), ("volume_type_qos", "fast/q"), ("volume_type_encryption", "fast")):
        assert items[key].action == "skip"
        assert "the destination's keeps its own" in items[key].reason
    assert items["volume_type_access", "fast/p"].action == "create"
    assert site.migrate() == "done"
    there = site.destination.tables
    assert there["volume_type"]["F"]["extra_specs"] == {"volume_backend_name": "ceph"}
    assert not there["qos_spec"]
    assert not there["encryption"]
    assert [key.partition("/")[0] for key in there["volume_type_access"]] == ["F"]


def test_limits_in_the_way_are_no_matter_where_the_type_is_there(site):
    site.destination.put("volume_type", "F", name="fast", extra_specs={})
    site.destination.put("qos_spec", "Q", name="limits", consumer="both", specs={})
    items = plan(site)
    assert (items[FAST].action, items["qos_spec", "q"].action) == ("reuse", "skip")
    assert items["volume", "v1"].action == "create"


def test_limits_in_the_way_of_a_new_type_hold_it_back(site):
    site.destination.put("qos_spec", "Q", name="limits", consumer="both", specs={})
    items = plan(site)
    assert items["qos_spec", "q"].action == "conflict"
    assert "consumer is 'both' there, 'front-end' here" in items["qos_spec", "q"].reason
    assert items["volume_type_qos", "fast/q"].action == "conflict"


def test_a_public_type_is_open_to_every_project(site):
    site.destination.put("volume_type", "F", name="fast", extra_specs={}, **{"os-volume-type-access:is_public": True})
    assert site.migrate() == "done"
    assert not site.destination.tables["volume_type_access"]


@pytest.mark.parametrize(
    ("specs", "capabilities", "why"),
    [
        ({"volume_backend_name": "ssd"}, {}, "no backend is called 'ssd' (there is: nfs1)"),
        ({"multiattach": "<is> True"}, {}, "no backend for it has the ability multiattach"),
        ({"multiattach": "<is> True"}, {"multiattach": False}, "no backend for it has the ability multiattach"),
        ({"multiattach": "<is> True", "volume_backend_name": "nfs1"}, {"multiattach": True}, None),
        ({"volume_backend_name": "nfs1"}, {}, None),
        ({"anything": "else"}, {}, None),
        ({}, {}, None),
    ],
)
def test_a_type_is_made_only_where_a_backend_can_serve_it(site, specs, capabilities, why):
    site.source.tables["volume_type"]["fast"]["extra_specs"] = specs
    for pool in site.destination.tables["pool"].values():
        pool["capabilities"].update(capabilities)
    items = plan(site)
    if why is None:
        assert items[FAST].action == "create"
        return
    assert items[FAST].action == items["volume", "v1"].action == "conflict"
    assert why in items[FAST].reason
    assert "it has: lvm" in items[FAST].reason
    assert items["qos_spec", "q"].action == "skip"


def test_a_mapped_type_stands_in(site):
    items = plan(site, volume_types={"fast": "lvm"})
    assert (items[FAST].action, items[FAST].destination_id) == ("reuse", "destination-lvm")
    assert items["volume_type_encryption", "fast"].action == "skip"


def test_a_type_whose_extra_specs_are_refused_does_not_stay(site):
    site.destination.refuse["update", "volume_type"] = CloudError("no")
    wanted = {"name": "new", "extra_specs": {"a": "b"}}
    with pytest.raises(CloudError):
        VolumeType().create(site.destination, wanted)
    assert "new" not in [one["name"] for one in site.there("volume_type")]


def test_all_of_it_can_be_undone(site):
    site.migrate()
    left = ("volume_type_access", "volume_type_encryption", "volume_type_qos", "volume_type", "qos_spec")
    made = [row for row in site.store.results(site.id) if row.type in left and row.source_id != "source-lvm"]
    for row in sorted(made, key=lambda row: left.index(row.type)):
        TYPES[row.type].delete(site.destination, row.destination_id)
    assert list(site.destination.tables["volume_type"]) == ["destination-lvm"]
    for table in ("qos_spec", "encryption", "volume_type_access"):
        assert not site.destination.tables[table]
