"""Placement: the hosts, and which of them have how much free."""

from __future__ import annotations

import pytest
import requests

from tests.acceptance.clouds import Account, Json, Service
from tests.contract.ground import Ground
from tests.contract.wording import refused

CLASSES = {"VCPU", "MEMORY_MB", "DISK_GB"}
#: As Pumphouse asks.
CANDIDATES = {"OpenStack-API-Version": "placement 1.10"}


@pytest.fixture(scope="module")
def placement(operator: Account) -> Service:
    """As the administrator."""
    return Service(operator.connection.placement)


@pytest.fixture(scope="module")
def providers(placement: Service) -> list[Json]:
    """The hosts."""
    return placement.list("/resource_providers", "resource_providers")


def candidates(placement: Service, resources: str, version: str = "1.10") -> Json:
    """GET /allocation_candidates."""
    headers = {"OpenStack-API-Version": f"placement {version}"}
    return placement.call("GET", f"/allocation_candidates?resources={resources}", headers=headers).json()


def test_versions(placement: Service, operator: Account) -> None:
    url = operator.connection.placement.get_endpoint()
    answer = requests.get(f"{url.rstrip('/')}/", timeout=60)
    assert answer.status_code == 200
    (version,) = answer.json()["versions"]
    assert version == {
        "id": "v1.0", "min_version": "1.0", "max_version": "1.39", "status": "CURRENT",
        "links": [{"rel": "self", "href": ""}],
    }  # fmt: skip


def test_hosts(placement: Service, providers: list[Json], operator: Account) -> None:
    names = {s["host"] for s in operator.compute.list("/os-services", "services", binary="nova-compute")}
    assert {provider["name"] for provider in providers} == names
    for provider in providers:
        assert set(provider) == {"uuid", "name", "generation", "links"}
        path = f"/resource_providers/{provider['uuid']}"
        links = {link["rel"]: link["href"] for link in provider["links"]}
        assert links == {"self": path, "inventories": f"{path}/inventories", "usages": f"{path}/usages"}
        one = placement.call("GET", path).json()
        assert (one["uuid"], one["name"]) == (provider["uuid"], provider["name"])
    (named,) = placement.list("/resource_providers", "resource_providers", name=providers[0]["name"])
    assert named["uuid"] == providers[0]["uuid"]


def test_what_hosts_have(placement: Service, providers: list[Json]) -> None:
    for provider in providers:
        found = placement.call("GET", f"/resource_providers/{provider['uuid']}/inventories").json()
        assert set(found) == {"resource_provider_generation", "inventories"}
        assert set(found["inventories"]) == CLASSES
        for entry in found["inventories"].values():
            assert set(entry) == {"total", "reserved", "min_unit", "max_unit", "step_size", "allocation_ratio"}
            assert entry["total"] > 0
        usages = placement.call("GET", f"/resource_providers/{provider['uuid']}/usages").json()
        assert set(usages) == {"resource_provider_generation", "usages"}
        assert set(usages["usages"]) == CLASSES


def test_where_there_is_room(placement: Service, providers: list[Json]) -> None:
    found = candidates(placement, "VCPU:1,MEMORY_MB:64")
    assert set(found) == {"allocation_requests", "provider_summaries"}
    ids = {provider["uuid"] for provider in providers}
    assert set(found["provider_summaries"]) == ids
    for summary in found["provider_summaries"].values():
        assert set(summary) == {"resources"}
        assert set(summary["resources"]) == {"VCPU", "MEMORY_MB"}
        for entry in summary["resources"].values():
            assert set(entry) == {"capacity", "used"}
            assert 0 <= entry["used"] < entry["capacity"]
    requests_ = [entry for one in found["allocation_requests"] for entry in one["allocations"]]
    assert {entry["resource_provider"]["uuid"] for entry in requests_} == ids
    assert all(entry["resources"] == {"VCPU": 1, "MEMORY_MB": 64} for entry in requests_)


def test_capacities_are_what_inventories_say(placement: Service, providers: list[Json]) -> None:
    found = candidates(placement, "VCPU:1,MEMORY_MB:1,DISK_GB:1")["provider_summaries"]
    for provider in providers:
        path = f"/resource_providers/{provider['uuid']}/inventories"
        inventories = placement.call("GET", path).json()["inventories"]
        for name, entry in found[provider["uuid"]]["resources"].items():
            have = inventories[name]
            assert entry["capacity"] == int((have["total"] - have["reserved"]) * have["allocation_ratio"])


def test_newer_ones_are_keyed(placement: Service) -> None:
    found = candidates(placement, "VCPU:1", "1.27")
    for request in found["allocation_requests"]:
        assert set(request["allocations"]) <= set(found["provider_summaries"])
    assert all(set(one["resources"]) == CLASSES for one in found["provider_summaries"].values())


def test_no_room(placement: Service) -> None:
    assert candidates(placement, "MEMORY_MB:2000000000") == {"allocation_requests": [], "provider_summaries": {}}


def test_what_it_does_not_understand(placement: Service) -> None:
    for resources in ("VCPU", "VCPU:x", "NOTHING_SUCH:1"):
        with refused(400):
            candidates(placement, resources)
    with refused(404):
        candidates(placement, "VCPU:1", "1.0")
    with refused(406):
        candidates(placement, "VCPU:1", "1.99")
    with refused(404, "No resource provider with uuid"):
        placement.call("GET", "/resource_providers/7be5e2c3-7063-4cb7-a321-000000000000")


def test_what_takes_something_of_a_host(placement: Service, operator: Account, ground: Ground) -> None:
    """By that its provider stays."""
    made = ground.boot()
    try:
        host = ground.show(made["id"], account=operator)["OS-EXT-SRV-ATTR:host"]
        (provider,) = placement.list("/resource_providers", "resource_providers", name=host)
        path = f"/resource_providers/{provider['uuid']}"
        taken = placement.call("GET", f"{path}/allocations").json()["allocations"][made["id"]]["resources"]
        assert (taken["VCPU"], taken["MEMORY_MB"]) == (1, 64)
        with refused(409, "Resource provider has allocations"):
            placement.call("DELETE", path)
    finally:
        ground.delete(made["id"])
    headers = {"OpenStack-API-Version": "placement 1.14"}
    tree = placement.call("GET", f"/resource_providers?in_tree={provider['uuid']}", headers=headers).json()
    assert [one["uuid"] for one in tree["resource_providers"]] == [provider["uuid"]]
    with refused(404, "No resource provider with uuid"):
        placement.call("DELETE", "/resource_providers/7be5e2c3-7063-4cb7-a321-000000000000")


def test_it_is_for_administrators(member: Account) -> None:
    placement = Service(member.connection.placement)
    for path in ("/resource_providers", "/allocation_candidates?resources=VCPU:1"):
        with refused(403):
            placement.call("GET", path, headers=CANDIDATES)


def test_a_token_is_needed(operator: Account) -> None:
    url = operator.connection.placement.get_endpoint().rstrip("/")
    answer = requests.get(f"{url}/resource_providers", timeout=60)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == 401
