"""Choices of one plan: names that are mapped, on the command line, over the API, and in the plan."""

from __future__ import annotations

import json

import pytest

from pumphouse.api.clouds import names
from pumphouse.cli import remedies
from pumphouse.cli.migrate import Migrate, _selection
from pumphouse.errors import CloudError, Refusal
from pumphouse.planning import Selection, make_plan, mapping
from pumphouse.planning.plan import Item, Plan, Unit
from pumphouse.planning.planner import pair_of
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.registry import TYPES
from pumphouse.store import Store, plans
from tests.unit import fakes
from tests.unit.fake_api import open_api


@pytest.fixture
def clouds():
    source, destination = fakes.found_cloud("source"), fakes.found_cloud("destination")
    fakes.tenant(source)
    return source, destination


def plan(clouds, configured=None, **chosen):
    selection = Selection(tenant="acme", **chosen)
    with Store.open("sqlite://") as store:
        return make_plan(*clouds, store, selection, lambda _: None, mappings=configured)


def typed(*options):
    parsed = Migrate(None, None).get_parser("migrate").parse_args(["--tenant", "acme", *options])
    return _selection(parsed)


def told(*options):
    with pytest.raises(Refusal) as caught:
        typed(*options)
    assert caught.value.exit_code == 2
    return remedies.told(caught.value)


# The command line


def test_names_and_power_are_typed():
    selection = typed(
        "--map", "flavors:m1.small=s2", "--map", "flavors:a:b=c=d", "--map", "roles:x=y", "--power", "off"
    )
    assert selection.mappings == {"flavors": {"m1.small": "s2", "a:b": "c=d"}, "roles": {"x": "y"}}
    assert selection.to_json()["power"] == "off"
    assert typed().to_json() == {"tenant": "acme"}


@pytest.mark.parametrize("text", ["flavors", "flavors:small", "flavors:=x", "flavors:x=", "x=y", ""])
def test_what_is_no_pair_of_names_is_told_as_it_should_be(text):
    assert "write KIND:SOURCE=DESTINATION, as in flavors:m1.small=s2.small" in told("--map", text)


def test_an_unknown_kind_is_told_with_those_that_there_are():
    said = told("--map", "flavor:a=b")
    assert said.startswith("--map flavor:a=b: 'flavor' is no kind of names; did you mean flavors? there are domains, ")


def test_a_name_has_one_counterpart():
    assert "'a' is mapped to 'b', too" in told("--map", "flavors:a=b", "--map", "flavors:a=c")
    assert typed("--map", "flavors:a=b", "--map", "flavors:a=b").mappings == {"flavors": {"a": "b"}}


# The plan


def test_they_are_laid_over_the_configured_ones_for_this_plan_alone(clouds):
    clouds[1].put("volume_type", "fast", name="nvme")
    configured = {"volume_types": {"lvm": "gone", "other": "x"}, "rules": {"networks.provider": "carry"}}
    made = plan(clouds, configured, mappings={"volume_types": {"lvm": "nvme"}})
    (found,) = [item for item in made.items if item.type == "volume_type"]
    assert (found.action, found.destination_id, found.mapping) == ("reuse", "fast", ["volume_types", "lvm"])
    assert made.mappings == {"volume_types": {"lvm": "nvme", "other": "x"}, "rules": {"networks.provider": "carry"}}
    assert made.selection == {"tenant": "acme", "mappings": {"volume_types": {"lvm": "nvme"}}}
    assert configured["volume_types"] == {"lvm": "gone", "other": "x"}


@pytest.mark.parametrize("created", [False, True], ids=["found before", "made before"])
def test_a_name_that_is_mapped_now_counts_for_more_than_what_was_found_before(clouds, created):
    """What was made before is what its migration can undo: that stays its counterpart."""
    clouds[1].put("volume_type", "fast", name="nvme")
    with Store.open("sqlite://") as store:
        migration = store.start_migration(pair_of(*clouds), {}, {}, {})
        there = clouds[1].tables["volume_type"]
        (old,) = [id_ for id_, one in there.items() if one["name"] == "lvm"]
        store.map(pair_of(*clouds), "volume_type", "source-lvm", old, migration_id=migration, unit="u", created=created)
        chosen = Selection(tenant="acme", mappings={"volume_types": {"lvm": "nvme"}})
        items = make_plan(*clouds, store, chosen, lambda _: None).items
    (found,) = [item for item in items if item.type == "volume_type"]
    assert found.destination_id == (old if created else "fast")
    assert ("which counts for more than that it is mapped to 'nvme'" in found.reason) == created


@pytest.mark.parametrize(
    ("pair", "words"),
    [({"lvn": "lvm"}, "the source has no volume type 'lvn'; did you mean 'lvm'? it has: lvm"),
     ({"lvm": "lvn"}, "the destination has no volume type 'lvn'; did you mean 'lvm'? it has: lvm")],
)  # fmt: skip
def test_an_unknown_name_is_refused_with_what_may_have_been_meant(clouds, pair, words):
    with pytest.raises(Refusal) as caught:
        plan(clouds, mappings={"volume_types": pair})
    error = caught.value
    assert error.choice == "selection.mappings.volume_types"
    ((name, other),) = pair.items()
    assert remedies.told(error) == f"--map volume_types:{name}={other}: {words}"


def test_what_can_be_mapped_is_said_of_each_item_and_kept(clouds):
    made = plan(clouds)
    said = {item.type: item.mapping for item in made.items if item.mapping}
    assert said["flavor"] == ["flavors", "small"]
    assert said["volume_type"] == ["volume_types", "lvm"]
    # A tenant's own network keeps its name.
    assert "network" not in said
    again = Plan.from_json(json.loads(json.dumps(made.to_json())))
    assert {item.type: item.mapping for item in again.items if item.mapping} == said
    unmapped = next(item for unit in made.to_json()["units"] for item in unit["items"] if item["type"] == "project")
    assert "mapping" not in unmapped
    assert "acceptable" not in unmapped


def test_a_zone_that_the_destination_does_not_have_can_be_mapped(clouds):
    clouds[0].tables["server"]["w1"]["OS-EXT-AZ:availability_zone"] = "rack-1"
    (server,) = [item for item in plan(clouds).items if item.type == "server"]
    assert server.mapping == ["availability_zones", "rack-1"]


def test_networks_that_are_the_clouds_own_can_be_mapped(clouds):
    cloud = clouds[1]
    cloud.put("network", "E", name="ext", project_id="x", **{"router:external": True})
    cloud.put("network", "P", name="private", project_id="x")
    inventory = Inventory(cloud, TYPES)
    assert "ext" in mapping.names_of(inventory, "networks")
    assert "private" not in mapping.names_of(inventory, "networks")


def test_every_kind_of_names_has_somebody_who_reads_it():
    assert {*mapping.TYPE_OF, *mapping._READ} == set(mapping.KINDS) == set(names.SERVICE)


def test_what_nobody_can_know_is_not_refused():
    mapping.refuse_unknown({"physical_networks": {"physnet1": "dc1"}}, lambda *_: ["physnet1"])
    with pytest.raises(Refusal, match="the source has no physical network 'physnet1'"):
        mapping.refuse_unknown({"physical_networks": {"physnet1": "dc1"}}, lambda *_: ["other"])


# The API


@pytest.fixture
def api(monkeypatch):
    there = {"source": ["m1.small"], "destination": ["s2.small", "s2.large"]}
    monkeypatch.setattr(names, "names", lambda _clouds, role, _kind: there[role])
    with Store.open("sqlite://") as store:
        yield open_api(store)


@pytest.mark.parametrize("path", ["/v1/plans", "/v1/migrations"])
def test_the_choices_are_kept_with_what_was_asked_for(api, path):
    chosen = {"tenant": "acme", "mappings": {"flavors": {"m1.small": "s2.small"}}, "power": "off"}
    made = api.post(path, {"selection": chosen})
    assert made.status_code == 202
    assert made.json["selection"] == chosen
    usual = api.post(path, {"selection": {"tenant": "acme", "mappings": {"flavors": {}}, "power": "as_source"}})
    assert usual.json["selection"] == {"tenant": "acme"}


@pytest.mark.parametrize("path", ["/v1/plans", "/v1/migrations"])
@pytest.mark.parametrize(
    ("mappings", "field", "remedy"),
    [
        ({"flavor": {"a": "b"}}, "selection.mappings", "did you mean flavors?"),
        ({"flavors": {"m1.smal": "s2.small"}}, "selection.mappings.flavors", "did you mean 'm1.small'?"),
        ({"flavors": {"m1.small": "s2.smal"}}, "selection.mappings.flavors", "did you mean 's2.small'?"),
    ],
)
def test_what_is_not_there_is_refused_with_the_field_and_the_remedy(api, path, mappings, field, remedy):
    answer = api.post(path, {"selection": {"tenant": "acme", "mappings": mappings}})
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert answer.json["field"] == field
    assert answer.json["remedy"].startswith(remedy)
    assert plans.newest(api.store) == api.store.migrations() == api.audits() == []


@pytest.mark.parametrize("wrong", [{"power": "on"}, {"mappings": {"flavors": {"": "x"}}}, {"mappings": ["flavors"]}])
def test_choices_of_another_form_are_refused(api, wrong):
    answer = api.post("/v1/plans", {"selection": {"tenant": "acme", **wrong}})
    assert answer.status_code == 422
    assert answer.json["field"].startswith(f"selection.{next(iter(wrong))}")


def test_choices_alone_choose_nothing(api):
    assert api.post("/v1/plans", {"selection": {"power": "off"}}).json["field"] == "selection"
    assert api.post("/v1/plans", {"selection": {"all": True, "power": "off"}}).status_code == 202


def test_where_a_cloud_does_not_answer_the_plan_tells(api, monkeypatch):
    def silent(*_):
        raise CloudError("no answer")

    monkeypatch.setattr(names, "names", silent)
    chosen = {"tenant": "acme", "mappings": {"flavors": {"m1.small": "s2.smal"}}}
    assert api.post("/v1/plans", {"selection": chosen}).status_code == 202


def test_what_is_meant_for_the_source_is_noted_only(api):
    assert api.post("/v1/migrations", {"selection": {"tenant": "acme"}}).json["source_after"] == "keep"
    made = api.post("/v1/migrations", {"selection": {"tenant": "acme"}, "source_after": "delete"})
    assert api.get(f"/v1/migrations/{made.json['id']}").json["source_after"] == "delete"
    assert api.post("/v1/migrations", {"selection": {"tenant": "a"}, "source_after": "burn"}).status_code == 422


def test_what_can_be_accepted_is_in_the_plan_as_data():
    item = Item("server", "s1", "web 1", "conflict", "the server is PAUSED", acceptable=["server:web 1:memory"])
    made = Plan({"tenant": "acme"}, [Unit("server:s1", "server", "server web 1", [item])])
    (shown,) = made.to_json()["units"][0]["items"]
    assert shown["acceptable"] == ["server:web 1:memory"]
    assert remedies.accepting(item) == "; to move it so: --accept 'server:web 1:memory'"
