"""Neutron by the names of its wire format: nothing renamed, no page forgotten."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from pumphouse.clouds.errors import explain, is_conflict
from tests.unit.cloud_server import CloudServer, entry, open_cloud, write_clouds

PORTS = "/network/v2.0/ports"


@pytest.fixture
def server():
    server = CloudServer()
    yield server
    server.close()


@pytest.fixture
def network(server, tmp_path, monkeypatch):
    write_clouds(tmp_path, monkeypatch, old=entry(server.url))
    cloud = open_cloud()
    yield cloud.network
    cloud.close()


def test_lists_every_page(server, network):
    link = {"ports_links": [{"rel": "next", "href": "http://unreachable.example/?marker=b"}]}
    server.on(
        "GET",
        PORTS,
        (200, {"ports": [{"id": "a"}, {"id": "b"}], **link}),
        (200, {"ports": [{"id": "c"}], "ports_links": [{"rel": "previous", "href": "x"}]}),
    )
    assert [port["id"] for port in network.list("ports", project_id="p")] == ["a", "b", "c"]
    first, second = (parse_qs(request.query) for request in server.requests if request.path == PORTS)
    assert first == {"project_id": ["p"], "limit": ["1000"]}
    assert second == {"project_id": ["p"], "limit": ["1000"], "marker": ["b"]}


def test_a_neutron_that_repeats_its_page_does_not_hold_us_for_ever(server, network):
    server.on("GET", PORTS, (200, {"ports": [{"id": "a"}], "ports_links": [{"rel": "next", "href": "x"}]}))
    assert [port["id"] for port in network.list("ports")] == ["a"]


def test_filters(server, network):
    server.on("GET", PORTS, (200, {"ports": []}))
    network.list("ports", id=["a", "b"], device_id="", name=None)
    query = parse_qs(server.last("GET", PORTS).query, keep_blank_values=True)
    assert query == {"id": ["a", "b"], "device_id": [""], "limit": ["1000"]}


@pytest.mark.parametrize(
    ("collection", "many", "one"),
    [
        ("ports", "ports", "port"),
        ("security-groups", "security_groups", "security_group"),
        ("qos/policies", "policies", "policy"),
        ("rbac-policies", "rbac_policies", "rbac_policy"),
        ("floatingips", "floatingips", "floatingip"),
    ],
)
def test_collections_and_their_keys(server, network, collection, many, one):
    path = f"/network/v2.0/{collection}"
    wire = {"id": "x", "binding:vnic_type": "normal", "port_security_enabled": False, "name": ""}
    server.on("GET", path, (200, {many: [wire]}))
    server.on("GET", f"{path}/x", (200, {one: wire}))
    server.on("POST", path, (201, {one: wire}))
    server.on("PUT", f"{path}/x", (200, {one: wire}))
    assert network.list(collection) == [wire]
    assert network.get(collection, "x") == wire
    assert network.create(collection, {"port_security_enabled": False, "name": ""}) == wire
    assert server.last("POST", path).json == {one: {"port_security_enabled": False, "name": ""}}
    assert network.update(collection, "x", {"name": ""}) == wire
    assert server.last("PUT", f"{path}/x").json == {one: {"name": ""}}


def test_what_is_not_there(server, network):
    assert network.get("ports", "x") is None
    network.delete("ports", "x")
    server.on("DELETE", f"{PORTS}/x", (204, b""))
    network.delete("ports", "x")


def test_refusals_come_in_neutrons_words(server, network):
    message = {"NeutronError": {"type": "PortInUse", "message": "Unable to complete", "detail": ""}}
    server.on("DELETE", f"{PORTS}/x", (409, message))
    with pytest.raises(Exception, match="Unable to complete") as caught:
        network.delete("ports", "x")
    assert is_conflict(caught.value)
    assert explain(caught.value) == f"Unable to complete (HTTP 409) (DELETE {server.url}{PORTS}/x)"


def test_tags_and_extensions(server, network):
    server.on("PUT", f"{PORTS}/x/tags", (200, {"tags": ["a"]}))
    network.set_tags("ports", "x", ["a"])
    assert server.last("PUT", f"{PORTS}/x/tags").json == {"tags": ["a"]}
    server.on("PUT", "/network/v2.0/policies/x/tags", (200, {"tags": ["a"]}))
    network.set_tags("qos/policies", "x", ["a"])
    assert server.last("PUT", "/network/v2.0/policies/x/tags").json == {"tags": ["a"]}
    server.on("GET", "/network/v2.0/extensions", (200, {"extensions": [{"alias": "qos"}, {"alias": "trunk"}]}))
    assert network.extensions() == network.extensions() == {"qos", "trunk"}
    assert server.count()["GET", "/network/v2.0/extensions"] == 1
