"""Neutron: versions, lists in all their ways, tags, quotas, agents, QoS."""

from __future__ import annotations

import pytest
import requests

from tests.acceptance.clouds import Account, Json
from tests.contract.conftest import Contractor
from tests.contract.networking import STANDARD, Name, network, refused, send

BACKENDS = {"zed": "linuxbridge", "2026.1": "ovn"}
LIMITS = {
    "network": 100, "subnet": 100, "subnetpool": -1, "port": 500, "router": 10, "floatingip": 50, "rbac_policy": 10,
    "security_group": 10, "security_group_rule": 100, "trunk": -1,
}  # fmt: skip


@pytest.fixture(scope="module")
def tenant(contractor: Contractor) -> Account:
    """A member of a project with nothing in it."""
    return contractor.person("lister")


@pytest.fixture(scope="module")
def seven(tenant: Account, name: Name) -> list[Json]:
    """Networks, as they are listed: by their ids."""
    made = [tenant.network.post("/networks", "network", name=name(f"list {n}"), mtu=1300 + n) for n in range(7)]
    return sorted(made, key=lambda one: str(one["id"]))


def base(account: Account) -> str:
    """Where Neutron is."""
    return str(account.connection.network.get_endpoint()).rstrip("/").removesuffix("/v2.0")


def test_the_version(operator: Account) -> None:
    answer = requests.get(f"{base(operator)}/", timeout=60)
    assert answer.status_code == 200
    (version,) = answer.json()["versions"]
    assert (version["id"], version["status"]) == ("v2.0", "CURRENT")
    assert version["links"] == [{"rel": "self", "href": f"{base(operator)}/v2.0/"}]


def test_without_a_token(operator: Account) -> None:
    answer = requests.get(f"{base(operator)}/v2.0/networks", timeout=60)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Keystone uri=")
    message = "The request you have made requires authentication."
    assert answer.json() == {"error": {"code": 401, "title": "Unauthorized", "message": message}}


def test_extensions(operator: Account, release: str) -> None:
    found = operator.network.list("/extensions", "extensions")
    assert all(set(one) == {"name", "alias", "description", "updated", "links"} for one in found)
    have = {one["alias"] for one in found}
    assert {"router", "security-group", "trunk", "qos", "rbac-policies", "standard-attr-tag", "quota_details"} <= have
    only = {"zed": {"dvr", "l3_agent_scheduler"}, "2026.1": {"qinq", "dns-integration", "quota-check-limit-default"}}
    for which, aliases in only.items():
        assert aliases <= have if which == release else not aliases & have
    assert operator.network.get("/extensions/router")["alias"] == "router"


def test_agents_and_zones(operator: Account, tenant: Account, release: str) -> None:
    agents = operator.network.list("/agents", "agents")
    kinds = {one["binary"] for one in agents}
    if release == "zed":
        assert kinds == {"neutron-linuxbridge-agent", "neutron-dhcp-agent", "neutron-l3-agent"}
    else:
        assert kinds == {"ovn-controller"}
    assert all(one["alive"] and one["admin_state_up"] for one in agents)
    assert tenant.network.list("/agents", "agents") == []
    zones = operator.network.list("/availability_zones", "availability_zones")
    expected = {("nova", "network"), ("nova", "router")} if release == "zed" else set()
    assert {(zone["name"], zone["resource"]) for zone in zones} == expected


def test_lists_are_in_pages(tenant: Account, seven: list[Json]) -> None:
    query: Json = {"project_id": tenant.project_id, "limit": 3}
    first = tenant.network.call("GET", "/networks", params=query).json()
    assert [one["id"] for one in first["networks"]] == [one["id"] for one in seven[:3]]
    links = {link["rel"]: link["href"] for link in first["networks_links"]}
    assert set(links) == {"next", "previous"}
    assert f"marker={seven[2]['id']}" in links["next"]
    assert "page_reverse=True" in links["previous"]
    assert [one["id"] for one in tenant.network.list("/networks", "networks", **query)] == [one["id"] for one in seven]
    back = {**query, "marker": seven[4]["id"], "page_reverse": "True"}
    listed = tenant.network.call("GET", "/networks", params=back).json()["networks"]
    assert [one["id"] for one in listed] == [one["id"] for one in seven[1:4]]
    last = tenant.network.call("GET", "/networks", params={**query, "marker": seven[5]["id"]}).json()
    assert [link["rel"] for link in last["networks_links"]] == ["previous"]
    assert "networks_links" not in tenant.network.call("GET", "/networks").json()
    with refused(404, "NetworkNotFound"):
        tenant.network.call("GET", "/networks", params={**query, "marker": "00000000-0000-0000-0000-000000000001"})
    with refused(400, "BadRequest", "Limit must be an integer 0 or greater and not 'x'"):
        tenant.network.call("GET", "/networks", params={"limit": "x"})


def test_lists_are_sorted(tenant: Account, seven: list[Json]) -> None:
    query: Json = {"project_id": tenant.project_id, "sort_key": "mtu", "sort_dir": "desc", "fields": "mtu"}
    listed = tenant.network.list("/networks", "networks", **query)
    assert listed == [{"mtu": mtu} for mtu in range(1306, 1299, -1)]
    with refused(400, "HTTPBadRequest", "is invalid attribute for sort_keys"):
        tenant.network.list("/networks", "networks", sort_key="colour", sort_dir="asc")


def test_lists_are_filtered(tenant: Account, seven: list[Json]) -> None:
    listed = tenant.network.list("/networks", "networks", id=[seven[1]["id"], seven[5]["id"]], fields=["id", "name"])
    assert listed == [{"id": one["id"], "name": one["name"]} for one in (seven[1], seven[5])]
    assert len(tenant.network.list("/networks", "networks", name=seven[0]["name"], tenant_id=tenant.project_id)) == 1
    assert len(tenant.network.list("/networks", "networks", mtu=1303, project_id=tenant.project_id)) == 1
    assert tenant.network.list("/networks", "networks", admin_state_up="false", project_id=tenant.project_id) == []
    with refused(400, "HTTPBadRequest", "is invalid attribute for filtering"):
        tenant.network.list("/networks", "networks", colour="red")


def test_tags(tenant: Account, seven: list[Json]) -> None:
    path = f"/networks/{seven[0]['id']}/tags"
    assert tenant.network.call("PUT", path, json={"tags": ["b", "étage 0"]}).json() == {"tags": ["b", "étage 0"]}
    assert send(tenant, "PUT", f"{path}/c") == 201
    assert sorted(tenant.network.call("GET", path).json()["tags"]) == ["b", "c", "étage 0"]
    assert send(tenant, "GET", f"{path}/c") == 204
    assert send(tenant, "DELETE", f"{path}/c") == 204
    with refused(404, "TagNotFound", "Tag c could not be found."):
        tenant.network.call("GET", f"{path}/c")
    query: Json = {"project_id": tenant.project_id}
    for filters, count in (
        ({"tags": "b,étage 0"}, 1),
        ({"tags": "b,c"}, 0),
        ({"tags-any": "b,c"}, 1),
        ({"not-tags": "b"}, 6),
    ):
        assert len(tenant.network.list("/networks", "networks", **query, **filters)) == count
    assert send(tenant, "DELETE", path) == 204
    assert tenant.network.get(f"/networks/{seven[0]['id']}")["tags"] == []


def test_quotas(contractor: Contractor, operator: Account, name: Name, release: str) -> None:
    person = contractor.person("limited")
    path = f"/quotas/{person.project_id}"
    assert operator.network.get(path) == LIMITS
    assert operator.network.get(f"{path}/default") == LIMITS
    changed = operator.network.put(path, "quota", network=1, trunk=5)
    assert changed == {**LIMITS, "network": 1, "trunk": 5}
    network(person, name("only"))
    with refused(409, "OverQuota", "Quota exceeded for resources: ['network']."):
        network(person, name("too many"))
    assert operator.network.get(f"{path}/details")["network"] == {"limit": 1, "used": 1, "reserved": 0}
    assert person.network.get(path)["network"] == 1
    with refused(403, "PolicyNotAuthorized", "update_quota"):
        person.network.put(path, "quota", network=9)
    if release != "zed":
        with refused(400, "HTTPBadRequest", "must be greater than or equal to already used 1"):
            operator.network.put(path, "quota", network=0)
        assert operator.network.put(path, "quota", network=0, force=True)["network"] == 0
    assert send(operator, "DELETE", path) == 204
    assert operator.network.get(path) == LIMITS


def test_a_qos_policy(operator: Account, tenant: Account, other: Account, name: Name) -> None:
    with refused(403, "PolicyNotAuthorized", "create_policy"):
        tenant.network.post("/qos/policies", "policy", name=name("mine"))
    made = operator.network.post("/qos/policies", "policy", name=name("limits"), project_id=tenant.project_id)
    assert set(made) == STANDARD | {"is_default", "rules", "shared"}
    path = f"/qos/policies/{made['id']}"
    limit = operator.network.post(f"{path}/bandwidth_limit_rules", "bandwidth_limit_rule", max_kbps=9000)
    assert {n: v for n, v in limit.items() if n != "id"} == {
        "max_kbps": 9000,
        "max_burst_kbps": 0,
        "direction": "egress",
    }
    with refused(409, "QoSRulesConflict"):
        operator.network.post(f"{path}/bandwidth_limit_rules", "bandwidth_limit_rule", max_kbps=1)
    operator.network.post(f"{path}/dscp_marking_rules", "dscp_marking_rule", dscp_mark=26)
    rules = tenant.network.get(path)["rules"]
    assert {rule["type"]: rule["qos_policy_id"] for rule in rules} == dict.fromkeys(
        ("bandwidth_limit", "dscp_marking"), made["id"]
    )
    assert other.network.find(path) is None
    net = tenant.network.post("/networks", "network", name=name("slow"), qos_policy_id=made["id"])
    port = tenant.network.post("/ports", "port", network_id=net["id"])
    port = tenant.network.get(f"/ports/{port['id']}")
    assert (port["qos_policy_id"], port["qos_network_policy_id"]) == (None, made["id"])
    with refused(409, "QosPolicyInUse", f"is used by network {net['id']}"):
        operator.network.call("DELETE", path)
    tenant.network.delete(f"/ports/{port['id']}")
    tenant.network.delete(f"/networks/{net['id']}")
    assert send(operator, "DELETE", path) == 204
    with refused(404, "QosPolicyNotFound"):
        tenant.network.post("/networks", "network", name=name("lost"), qos_policy_id=made["id"])
