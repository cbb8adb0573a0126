"""From names to roots: never another tenant than the one that was meant."""

from __future__ import annotations

import pytest

from pumphouse.cli import remedies
from pumphouse.engine import wording
from pumphouse.errors import Refusal
from pumphouse.planning.plan import Selection
from pumphouse.planning.selecting import roots
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.registry import TYPES
from tests.unit import fakes


@pytest.fixture
def cloud():
    cloud = fakes.found_cloud("source")
    cloud.put("domain", "d2", name="Wörk")
    for id_, name, domain in (
        ("p1", "acme", "source-default"),
        ("p2", "acme", "d2"),
        ("p3", "single", "d2"),
        ("p4", "service", "source-default"),
        (cloud.project_id, "admin", "source-default"),
    ):
        cloud.put("project", id_, name=name, domain_id=domain)
    for id_, project in (("w1", "p1"), ("w2", "p3")):
        cloud.put("server", id_, name="web", tenant_id=project, flavor={"id": "f"})
    cloud.put("image", "i1", name=None, owner="p1")
    cloud.put("user", "u1", name="zoe", domain_id="d2")
    cloud.put("user", "u2", name="zoe", domain_id="source-default")
    return cloud


def select(cloud, **chosen):
    return [(type_, thing["id"]) for type_, thing in roots(Selection(**chosen), Inventory(cloud, TYPES))]


def refuse(cloud, **chosen):
    with pytest.raises(Refusal) as caught:
        select(cloud, **chosen)
    assert caught.value.exit_code == 2
    told = remedies.told(caught.value)
    assert "\n" not in told
    return told


def test_a_tenant_by_name_or_id(cloud):
    assert select(cloud, tenant="single") == [("project", "p3")]
    assert select(cloud, tenant="p1") == [("project", "p1")]


def test_an_ambiguous_name_is_refused_with_all_candidates_and_where_they_are(cloud):
    said = refuse(cloud, tenant="acme")
    for word in ("p1", "p2", "Default", "Wörk", "--domain"):
        assert word in said


def test_the_service_says_it_in_its_own_words(cloud):
    with pytest.raises(Refusal) as caught:
        select(cloud, tenant="acme")
    error = caught.value
    assert (error.choice, error.detail.partition(":")[0]) == ("selection.tenant", "tenant 'acme'")
    assert wording.remedy(error) == "give the id, or name the `domain`"
    assert "--" not in f"{error} {wording.remedy(error)}"


@pytest.mark.parametrize("domain", ["Wörk", "d2"])
def test_the_domain_decides_between_names(cloud, domain):
    assert select(cloud, tenant="acme", domain=domain) == [("project", "p2")]
    assert select(cloud, users=["zoe"], domain=domain) == [("user", "u1")]


def test_a_name_that_only_another_domain_has_is_unknown(cloud):
    assert "no such project" in refuse(cloud, tenant="single", domain="Default")


def test_an_id_comes_before_a_name(cloud):
    """Somebody may call a project by another one's id."""
    cloud.put("project", "p5", name="p1", domain_id="d2")
    assert select(cloud, tenant="p1") == [("project", "p1")]


def test_names_are_not_guessed(cloud):
    assert "did you mean single" in refuse(cloud, tenant="Single")
    assert "did you mean single" in refuse(cloud, tenant="singl")


def test_an_unknown_name_with_nothing_alike_shows_what_there_is(cloud):
    said = refuse(cloud, tenant="zzzz")
    assert "acme" in said
    assert "single" in said


def test_of_many_only_some_are_shown(cloud):
    for number in range(50):
        cloud.put("flavor", name=f"f{number:02}", extra_specs={})
    said = refuse(cloud, flavors=["zzzz"])
    assert "f09 and 40 more" in said


def test_a_cloud_without_any(cloud):
    assert "it has none at all" in refuse(cloud, volumes=["v"])


def test_an_unknown_domain_is_refused_and_does_not_mean_every_domain(cloud):
    assert "--domain Work" in refuse(cloud, tenant="single", domain="Work")


def test_servers_of_one_name_are_told_apart_by_their_projects(cloud):
    said = refuse(cloud, servers=["web"])
    assert "w1 of acme; w2 of single" in said
    assert "--domain" not in said


def test_a_thing_without_name_is_found_by_its_id(cloud):
    assert select(cloud, images=["i1"]) == [("image", "i1")]
    assert "i1" in refuse(cloud, images=["zzzz"])


def test_all_leaves_out_the_clouds_own_projects(cloud):
    assert select(cloud, all=True) == [("project", "p1"), ("project", "p2"), ("project", "p3")]


def test_everything_that_was_named_is_a_root(cloud):
    assert select(cloud, tenant="single", servers=["w1", "w2"], users=["u1"]) == [
        ("project", "p3"),
        ("server", "w1"),
        ("server", "w2"),
        ("user", "u1"),
    ]


def test_servers_of_a_host_by_its_exact_name(cloud):
    cloud.tables["server"]["w1"]["OS-EXT-SRV-ATTR:host"] = "c1"
    cloud.tables["server"]["w2"]["OS-EXT-SRV-ATTR:host"] = "c10"
    assert select(cloud, hosts=["c1"]) == [("server", "w1")]
    assert select(cloud, hosts=["c10", "c1"]) == [("server", "w2"), ("server", "w1")]
    said = refuse(cloud, hosts=["c"])
    assert "--host c: no server of the source lives there; servers live on c1" in said
