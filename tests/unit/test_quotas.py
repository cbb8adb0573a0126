"""Quotas: a project's own limits arrive before what counts; everybody's defaults are left alone."""

from __future__ import annotations

import threading

import pytest

from pumphouse.migrations import runner
from pumphouse.planning import Selection, make_plan
from pumphouse.planning.discovery import discover
from pumphouse.planning.units import make_units
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.registry import TYPES
from pumphouse.store import Store
from pumphouse.transfer.progress import Progress
from tests.unit import fakes
from tests.unit.fake_clients import HttpError

COMPUTE, VOLUME, NETWORK = (TYPES[f"{service}_quota"] for service in ("compute", "volume", "network"))


@pytest.fixture
def clouds():
    source, destination = fakes.found_cloud("source"), fakes.found_cloud("destination")
    fakes.tenant(source, servers=0)
    return source, destination


@pytest.fixture
def store():
    store = Store.open("sqlite://")
    yield store
    store.close()


def limit(cloud, project="p", **types):
    for service, limits in types.items():
        cloud.tables[f"{service}_quota"][project] = limits


def planned(clouds, store):
    return make_plan(*clouds, store, Selection(tenant="acme"), lambda _: None)


def quotas(plan):
    return {item.type: item for item in plan.items if item.type.endswith("quota")}


def migrate(clouds, store, plan):
    id_ = runner.run(*clouds, store, plan, concurrency=1, progress=Progress(), stop=threading.Event())
    return store.migration(id_).state, {
        (row.type, field["field"]): field for row in store.results(id_) for field in row.fields
    }


def there(clouds, type_):
    """The limits that were set in the destination."""
    rows = clouds[1].tables[type_]
    return next(iter(rows.values())) if rows else None


def test_defaults_are_no_quota(clouds, store):
    clouds[1].limits["compute_quota"]["instances"] = 3
    assert quotas(planned(clouds, store)) == {}


def test_limits_of_its_own_are_set_and_no_others(clouds, store):
    limit(clouds[0], compute={"instances": 11}, volume={"volumes": -1, "gigabytes_lvm": 7}, network={"port": 0})
    clouds[1].limits["compute_quota"]["cores"] = 4
    plan = planned(clouds, store)
    assert {item.action for item in quotas(plan).values()} == {"create"}
    state, fields = migrate(clouds, store, plan)
    assert state == "done"
    assert there(clouds, "compute_quota") == {"instances": 11}
    assert there(clouds, "volume_quota") == {"volumes": -1, "gigabytes_lvm": 7}
    assert there(clouds, "network_quota") == {"port": 0}
    assert fields["compute_quota", "instances"]["verdict"] == "equal"
    assert fields["volume_quota", "volume_types"]["verdict"] == "mapped"
    assert fields["compute_quota", "cores"]["verdict"] == "not carried"
    assert not fields["compute_quota", "cores"]["worth"]
    assert {item.action for item in quotas(planned(clouds, store)).values()} == {"reuse"}


def test_a_limit_that_the_destination_has_anyway_is_not_set(clouds, store):
    limit(clouds[0], compute={"instances": 11, "cores": 21})
    clouds[1].limits["compute_quota"]["cores"] = 21
    assert migrate(clouds, store, planned(clouds, store))[0] == "done"
    assert there(clouds, "compute_quota") == {"instances": 11}


def test_limits_that_somebody_set_in_the_destination_stay(clouds, store):
    project = clouds[1].put("project", "q", name="acme", domain_id="destination-default", parent_id=None, tags=[])
    limit(clouds[0], compute={"instances": 11})
    limit(clouds[1], project["id"], compute={"cores": 99})
    assert quotas(planned(clouds, store))["compute_quota"].action == "reuse"
    assert migrate(clouds, store, planned(clouds, store))[0] == "done"
    assert there(clouds, "compute_quota") == {"cores": 99}


def test_a_limit_that_the_destination_does_not_know_is_told_before_and_after(clouds, store):
    limit(clouds[0], compute={"instances": 11, "injected_files": 9})
    plan = planned(clouds, store)
    assert [(loss.field, loss.value) for loss in quotas(plan)["compute_quota"].losses] == [("injected_files", 9)]
    state, fields = migrate(clouds, store, plan)
    assert state == "done"
    assert there(clouds, "compute_quota") == {"instances": 11}
    assert fields["compute_quota", "injected_files"]["reason"] == "the destination has no such limit"


def test_what_counts_comes_after_the_limits_and_they_after_the_people(clouds, store):
    limit(clouds[0], volume={"gigabytes_lvm": 7})
    fakes.server(clouds[0], 1)
    units = {unit.name: unit for unit in planned(clouds, store).units}
    assert set(units["quotas:p"].needs) == {"identity:p", "volume_type:source-lvm"}
    assert units["quotas:p"].title == "quotas of acme"
    assert {"server:w1", "network:n", "security_groups:p"} <= {n for n in units if "quotas:p" in units[n].needs}
    assert "quotas:p" not in units["flavor:f"].needs + units["keypairs:u"].needs


def test_limits_by_a_type_that_is_not_there_hold_nothing_up(clouds, store):
    clouds[0].limits["volume_quota"]["volumes_gold"] = -1
    clouds[0].put("volume_type", "gold", name="gold")
    limit(clouds[0], volume={"volumes_gold": 7})
    plan = planned(clouds, store)
    assert ("volume_type", "gold") in quotas(plan)["volume_quota"].needs
    found = discover(Inventory(clouds[0], TYPES), [("project", clouds[0].tables["project"]["p"])])
    quotas(plan)["volume_quota"].action = "conflict"
    assert not [unit.name for unit in make_units(plan.items, found) if "quotas:p" in unit.needs]


def test_limits_are_undone_with_their_unit(clouds, store):
    limit(clouds[0], compute={"instances": 11}, volume={"volumes": 12})
    clouds[1].refuse["update", "volume_quota"] = HttpError(403, "not today")
    assert migrate(clouds, store, planned(clouds, store))[0] == "failed"
    assert there(clouds, "compute_quota") is None


@pytest.mark.parametrize("type_", [COMPUTE, VOLUME, NETWORK], ids=lambda type_: type_.type)
def test_a_project_that_is_gone_has_no_quota(clouds, type_):
    assert type_.get(clouds[0], "p") is not None
    assert type_.get(clouds[0], "gone") is None
