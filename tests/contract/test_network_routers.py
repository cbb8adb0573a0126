"""Neutron: routers, their interfaces and ways out, and floating IPs."""

from __future__ import annotations

import pytest

from tests.acceptance.clouds import Account, Json
from tests.contract.conftest import Contractor
from tests.contract.networking import ROUTER, STANDARD, Name, addresses, network, newer, outside, refused, send


@pytest.fixture(scope="module")
def tenant(contractor: Contractor) -> Account:
    """A member of a project with nothing in it."""
    return contractor.person("router owner")


@pytest.fixture(scope="module")
def out(operator: Account, name: Name) -> Json:
    """An external network."""
    return outside(operator, name("out"), "198.51.100.0/25")[0]


def interface(account: Account, router: Json, what: str = "add", **which: str) -> Json:
    return account.network.put(f"/routers/{router['id']}/{what}_router_interface", **which)


def router(account: Account, name: str, **fields: object) -> Json:
    return account.network.post("/routers", "router", name=name, **fields)


def test_a_router_of_a_member(tenant: Account, operator: Account, name: Name, release: str) -> None:
    made = router(tenant, name("plain"))
    assert set(made) == ROUTER | newer(release, "router")
    assert (made["status"], made["external_gateway_info"], made["routes"]) == ("ACTIVE", None, [])
    seen = operator.network.get(f"/routers/{made['id']}")
    more = {"distributed", "ha"} if release == "zed" else {"ha"}
    assert set(seen) == ROUTER | newer(release, "router") | more
    assert seen["ha"] is (release != "zed")
    with refused(403, "PolicyNotAuthorized", "create_router:ha"):
        router(tenant, name("ha"), ha=True)
    assert send(tenant, "DELETE", f"/routers/{made['id']}") == 204
    with refused(404, "RouterNotFound", f"Router {made['id']} could not be found"):
        tenant.network.get(f"/routers/{made['id']}")


def test_kinds_of_routers(operator: Account, name: Name, release: str) -> None:
    """OVN's are always highly available, and it does not know distributed ones."""
    if release == "zed":
        made = router(operator, name("kind"), ha=False, distributed=False)
        assert (made["ha"], made["distributed"]) == (False, False)
        return
    with refused(400, "InvalidInput", "Provider ovn does not support ha=False."):
        router(operator, name("kind"), ha=False)
    with refused(400, "HTTPBadRequest", "Unrecognized attribute(s) 'distributed'"):
        router(operator, name("kind"), distributed=False)


def test_interfaces(tenant: Account, operator: Account, name: Name, release: str) -> None:
    net, subnet = network(tenant, name("inside"), "10.86.0.0/24")
    made = router(tenant, name("gate"))
    added = interface(tenant, made, subnet_id=subnet["id"])
    owner = "tenant_id" if release == "zed" else "project_id"
    assert set(added) == {"id", owner, "port_id", "network_id", "subnet_id", "subnet_ids"}
    assert (added["id"], added["network_id"], added["subnet_ids"]) == (made["id"], net["id"], [subnet["id"]])
    port = operator.network.get(f"/ports/{added['port_id']}")
    assert (port["device_owner"], port["device_id"]) == ("network:router_interface", made["id"])
    assert (addresses(port), port["security_groups"], port["port_security_enabled"]) == (["10.86.0.1"], [], False)
    again = "Router already has a port on subnet" if release == "zed" else "overlaps with cidr 10.86.0.0/24 of subnet"
    with refused(400, "BadRequest", f"{again} {subnet['id']}"):
        interface(tenant, made, subnet_id=subnet["id"])
    with refused(409, "ServicePortInUse", "has device owner network:router_interface"):
        tenant.network.call("DELETE", f"/ports/{port['id']}")
    with refused(409, "RouterInUse", f"has ports still attached: {port['id']}"):
        tenant.network.call("DELETE", f"/routers/{made['id']}")
    removed = interface(tenant, made, "remove", subnet_id=subnet["id"])
    assert removed["port_id"] == port["id"]
    assert operator.network.find(f"/ports/{port['id']}") is None
    with refused(404, "RouterInterfaceNotFoundForSubnet", f"has no interface on subnet {subnet['id']}"):
        interface(tenant, made, "remove", subnet_id=subnet["id"])
    with refused(404, "RouterInterfaceNotFound", "does not have an interface with id"):
        interface(tenant, made, "remove", port_id=port["id"])


def test_an_interface_with_another_address(tenant: Account, name: Name) -> None:
    net, subnet = network(tenant, name("second gate"), "10.87.0.0/24")
    first, second = router(tenant, name("first")), router(tenant, name("second"))
    interface(tenant, first, subnet_id=subnet["id"])
    with refused(409, "IpAddressAlreadyAllocated"):
        interface(tenant, second, subnet_id=subnet["id"])
    port = tenant.network.post("/ports", "port", network_id=net["id"], fixed_ips=[{"ip_address": "10.87.0.9"}])
    interface(tenant, second, port_id=port["id"])
    seen = tenant.network.get(f"/ports/{port['id']}")
    assert (seen["device_id"], seen["device_owner"]) == (second["id"], "network:router_interface")
    with refused(409, "PortInUse", f"Port already has an attached device {second['id']}."):
        interface(tenant, first, port_id=port["id"])
    overlapping = network(tenant, name("same range"), "10.87.0.0/25")[1]
    with refused(400, "BadRequest", "overlaps with cidr 10.87.0.0/24"):
        interface(tenant, first, subnet_id=overlapping["id"])
    headless = network(tenant, name("no gateway"), "10.88.0.0/25", gateway_ip=None)[1]
    with refused(400, "BadRequest", "Subnet for router interface must have a gateway IP"):
        interface(tenant, first, subnet_id=headless["id"])


def test_further_routes(tenant: Account, name: Name) -> None:
    _, subnet = network(tenant, name("routed"), "10.89.0.0/24")
    made = router(tenant, name("routes"))
    path = f"/routers/{made['id']}"
    route = {"destination": "192.168.79.0/24", "nexthop": "10.89.0.70"}
    with refused(400, "InvalidRoutes", "the nexthop is not connected with router"):
        tenant.network.put(path, "router", routes=[route])
    interface(tenant, made, subnet_id=subnet["id"])
    assert tenant.network.put(path, "router", routes=[route])["routes"] == [route]
    with refused(400, "InvalidRoutes", "the nexthop is used by router"):
        tenant.network.put(path, "router", routes=[{**route, "nexthop": "10.89.0.1"}])
    with refused(409, "RouterInterfaceInUseByRoute", "as it is required by one or more routes"):
        interface(tenant, made, "remove", subnet_id=subnet["id"])
    assert tenant.network.put(path, "router", routes=[])["routes"] == []
    interface(tenant, made, "remove", subnet_id=subnet["id"])


def test_a_way_out(tenant: Account, operator: Account, out: Json, name: Name, release: str) -> None:
    made = router(tenant, name("out"), external_gateway_info={"network_id": out["id"]})
    gateway = made["external_gateway_info"]
    assert set(gateway) == {"network_id", "external_fixed_ips", "enable_snat"}
    assert (gateway["network_id"], gateway["enable_snat"]) == (out["id"], True)
    (ip,) = gateway["external_fixed_ips"]
    assert set(ip) == {"subnet_id", "ip_address"}
    (port,) = operator.network.list("/ports", "ports", device_id=made["id"])
    assert (port["device_owner"], port["project_id"]) == ("network:router_gateway", "")
    assert addresses(port) == [ip["ip_address"]]
    if release != "zed":
        assert made["external_gateways"] == [{"network_id": out["id"], "external_fixed_ips": [ip]}]
    cleared = tenant.network.put(f"/routers/{made['id']}", "router", external_gateway_info=None)
    assert cleared["external_gateway_info"] is None
    assert operator.network.list("/ports", "ports", device_id=made["id"]) == []


def test_who_chooses_the_way_out(tenant: Account, operator: Account, out: Json, name: Name) -> None:
    asked = {"network_id": out["id"], "enable_snat": False, "external_fixed_ips": [{"ip_address": "198.51.100.71"}]}
    with refused(403, "PolicyNotAuthorized", "create_router:external_gateway_info:"):
        router(tenant, name("mine"), external_gateway_info=asked)
    made = router(operator, name("theirs"), external_gateway_info=asked, project_id=tenant.project_id)
    gateway = made["external_gateway_info"]
    assert gateway["enable_snat"] is False
    assert [ip["ip_address"] for ip in gateway["external_fixed_ips"]] == ["198.51.100.71"]
    with refused(409, "IpAddressAlreadyAllocated"):
        router(operator, name("again"), external_gateway_info=asked)
    inside, _ = network(tenant, name("no way out"), "10.79.0.0/24")
    with refused(400, "BadRequest", f"Network {inside['id']} is not an external network"):
        router(tenant, name("inside"), external_gateway_info={"network_id": inside["id"]})


FLOATING = (STANDARD - {"name"}) | {
    "fixed_ip_address", "floating_ip_address", "floating_network_id", "port_details", "port_id", "qos_policy_id",
    "router_id", "status",
}  # fmt: skip


def test_a_floating_ip(tenant: Account, operator: Account, out: Json, name: Name, release: str) -> None:
    made = tenant.network.post("/floatingips", "floatingip", floating_network_id=out["id"])
    assert set(made) == FLOATING | newer(release, "floating_ip")
    assert (made["status"], made["port_id"], made["router_id"], made["fixed_ip_address"]) == ("DOWN", None, None, None)
    (port,) = operator.network.list("/ports", "ports", device_id=made["id"])
    assert (port["device_owner"], port["project_id"], port["status"]) == ("network:floatingip", "", "N/A")
    assert addresses(port) == [made["floating_ip_address"]]
    with refused(409, "ServicePortInUse", "has device owner network:floatingip"):
        operator.network.call("DELETE", f"/ports/{port['id']}")
    with refused(403, "PolicyNotAuthorized", "create_floatingip:floating_ip_address"):
        given = {"floating_network_id": out["id"], "floating_ip_address": "198.51.100.72"}
        tenant.network.post("/floatingips", "floatingip", **given)
    assert send(tenant, "DELETE", f"/floatingips/{made['id']}") == 204
    assert operator.network.find(f"/ports/{port['id']}") is None


def test_a_floating_ip_that_is_asked_for(tenant: Account, operator: Account, out: Json, name: Name) -> None:
    asked = {"floating_network_id": out["id"], "project_id": tenant.project_id}
    made = operator.network.post("/floatingips", "floatingip", floating_ip_address="198.51.100.73", **asked)
    assert (made["floating_ip_address"], made["project_id"]) == ("198.51.100.73", tenant.project_id)
    with refused(409, "IpAddressAlreadyAllocated", "IP address 198.51.100.73 already allocated in subnet"):
        operator.network.post("/floatingips", "floatingip", floating_ip_address="198.51.100.73", **asked)
    with refused(400, "InvalidIpForNetwork"):
        operator.network.post("/floatingips", "floatingip", floating_ip_address="192.0.2.1", **asked)
    inside, _ = network(tenant, name("not outside"), "10.78.0.0/24")
    with refused(400, "BadRequest", f"Network {inside['id']} is not a valid external network"):
        tenant.network.post("/floatingips", "floatingip", floating_network_id=inside["id"])
    tenant.network.delete(f"/floatingips/{made['id']}")


def test_floating_ips_that_lead_nowhere_go_with_their_network(tenant: Account, operator: Account, name: Name) -> None:
    away, _ = outside(operator, name("away"), "198.51.100.128/25")
    made = tenant.network.post("/floatingips", "floatingip", floating_network_id=away["id"])
    assert send(operator, "DELETE", f"/networks/{away['id']}") == 204
    assert tenant.network.find(f"/floatingips/{made['id']}") is None


def test_where_a_floating_ip_leads(tenant: Account, out: Json, name: Name) -> None:
    net, subnet = network(tenant, name("led to"), "10.77.0.0/24")
    port = tenant.network.post("/ports", "port", network_id=net["id"], fixed_ips=[{"ip_address": "10.77.0.7"}])
    made = tenant.network.post("/floatingips", "floatingip", floating_network_id=out["id"])
    path = f"/floatingips/{made['id']}"
    with refused(404, "ExternalGatewayForFloatingIPNotFound", f"is not reachable from subnet {subnet['id']}"):
        tenant.network.put(path, "floatingip", port_id=port["id"])
    way = router(tenant, name("way"), external_gateway_info={"network_id": out["id"]})
    interface(tenant, way, subnet_id=subnet["id"])
    led = tenant.network.put(path, "floatingip", port_id=port["id"])
    assert (led["port_id"], led["fixed_ip_address"], led["router_id"]) == (port["id"], "10.77.0.7", way["id"])
    assert led["port_details"] == {
        "name": "",
        "network_id": net["id"],
        "mac_address": port["mac_address"],
        "admin_state_up": True,
        "status": "DOWN",
        "device_id": "",
        "device_owner": "",
    }
    assert [ip["id"] for ip in tenant.network.list("/floatingips", "floatingips", port_id=port["id"])] == [made["id"]]
    with refused(409, "FloatingIPPortAlreadyAssociated", "as that fixed IP already has a floating IP"):
        tenant.network.post("/floatingips", "floatingip", floating_network_id=out["id"], port_id=port["id"])
    with refused(409, "RouterInterfaceInUseByFloatingIP"):
        interface(tenant, way, "remove", subnet_id=subnet["id"])
    with refused(409, "RouterExternalGatewayInUseByFloatingIp"):
        tenant.network.put(f"/routers/{way['id']}", "router", external_gateway_info=None)
    free = tenant.network.put(path, "floatingip", port_id=None)
    assert (free["port_id"], free["fixed_ip_address"], free["router_id"]) == (None, None, None)
    tenant.network.put(path, "floatingip", port_id=port["id"])
    tenant.network.delete(f"/ports/{port['id']}")
    assert tenant.network.get(path)["port_id"] is None, "it stays when its port goes"
    tenant.network.delete(path)
