"""Neutron: networks, subnets, the pools that these are cut from, and who sees them."""

from __future__ import annotations

import pytest

from tests.acceptance.clouds import Account, Json, RefusedError, wait
from tests.contract.conftest import Contractor
from tests.contract.networking import NETWORK, PROVIDER, STANDARD, SUBNET, Name, network, newer, refused, send


@pytest.fixture(scope="module")
def tenant(contractor: Contractor) -> Account:
    """A member of a project with nothing in it."""
    return contractor.person("network owner")


def test_a_network_of_a_member(tenant: Account, name: Name, release: str) -> None:
    called = name("plain")
    made = tenant.network.post("/networks", "network", name=called)
    shown = NETWORK | newer(release, "network")
    assert set(made) == shown | {"is_default"}, "the kind of network is not shown to members"
    seen = tenant.network.get(f"/networks/{made['id']}")
    assert set(seen) == shown
    assert seen["project_id"] == seen["tenant_id"] == tenant.project_id
    assert {n: seen[n] for n in ("name", "status", "admin_state_up", "shared", "router:external")} == {
        "name": called,
        "status": "ACTIVE",
        "admin_state_up": True,
        "shared": False,
        "router:external": False,
    }
    assert seen["mtu"] == (1450 if release == "zed" else 1442)
    assert (seen["subnets"], seen["tags"], seen["description"]) == ([], [], "")
    assert (seen["port_security_enabled"], seen["qos_policy_id"]) == (True, None)


def test_the_operator_sees_what_a_network_is(operator: Account, tenant: Account, name: Name, release: str) -> None:
    made, _ = network(tenant, name("kind"))
    seen = operator.network.get(f"/networks/{made['id']}")
    assert set(seen) == NETWORK | PROVIDER | newer(release, "network")
    assert seen["provider:network_type"] == ("vxlan" if release == "zed" else "geneve")
    assert seen["provider:physical_network"] is None
    assert seen["provider:segmentation_id"] > 0


def test_the_operator_chooses_the_kind(operator: Account, name: Name) -> None:
    kind = {"provider:network_type": "vlan", "provider:physical_network": "physnet1", "provider:segmentation_id": 166}
    made = operator.network.post("/networks", "network", name=name("vlan"), mtu=1290, **kind)
    assert {field: made[field] for field in kind} == kind
    assert made["mtu"] == 1290
    with refused(409, "VlanIdInUse", "The VLAN 166 on physical network physnet1 is in use."):
        operator.network.post("/networks", "network", name=name("twin"), **kind)
    assert send(operator, "DELETE", f"/networks/{made['id']}") == 204
    with refused(400, "InvalidInput", "network_type value 'odd' not supported"):
        operator.network.post("/networks", "network", name=name("odd"), **{"provider:network_type": "odd"})


def test_what_members_may_not_say(tenant: Account, name: Name) -> None:
    for field, value in {"shared": True, "router:external": True, "provider:network_type": "vlan"}.items():
        with refused(403, "PolicyNotAuthorized", f"rule:create_network:{field}"):
            tenant.network.post("/networks", "network", name=name("mine"), **{field: value})


def test_what_a_network_cannot_be(tenant: Account, name: Name, release: str) -> None:
    largest = 1450 if release == "zed" else 1442
    with refused(400, "InvalidInput", f"Requested MTU is too big, maximum is {largest}."):
        tenant.network.post("/networks", "network", name=name("big"), mtu=9000)
    with refused(400, "HTTPBadRequest", "Unrecognized attribute(s) 'colour'"):
        tenant.network.post("/networks", "network", name=name("red"), colour="red")
    with refused(400, "HTTPBadRequest", "Invalid input for name."):
        tenant.network.post("/networks", "network", name=7)
    with refused(400, "HTTPBadRequest", "Attribute 'status' not allowed in POST"):
        tenant.network.post("/networks", "network", name=name("status"), status="DOWN")
    with refused(404, "NetworkNotFound", "Network nowhere could not be found."):
        tenant.network.get("/networks/nowhere")


def test_a_network_is_changed_and_removed(tenant: Account, name: Name) -> None:
    made, subnet = network(tenant, name("short"), "10.90.0.0/24")
    changed = tenant.network.put(f"/networks/{made['id']}", "network", description="línea", admin_state_up=False)
    assert (changed["description"], changed["admin_state_up"]) == ("línea", False)
    assert changed["subnets"] == [subnet["id"]]
    port = tenant.network.post("/ports", "port", network_id=made["id"])
    with refused(409, "NetworkInUse", "There are one or more ports still in use on the network"):
        tenant.network.call("DELETE", f"/networks/{made['id']}")
    tenant.network.delete(f"/ports/{port['id']}")
    assert send(tenant, "DELETE", f"/networks/{made['id']}") == 204
    assert tenant.network.find(f"/subnets/{subnet['id']}") is None


def test_others_see_nothing(tenant: Account, other: Account, operator: Account, name: Name) -> None:
    made, subnet = network(tenant, name("private"), "10.91.0.0/24")
    assert other.network.list("/networks", "networks", id=made["id"]) == []
    for collection, id_, type_ in (
        ("networks", made["id"], "NetworkNotFound"),
        ("subnets", subnet["id"], "SubnetNotFound"),
    ):
        with refused(404, type_):
            other.network.get(f"/{collection}/{id_}")
        assert operator.network.get(f"/{collection}/{id_}")["id"] == id_
    with refused(400, "HTTPBadRequest", "other than the authenticated project"):
        other.network.post("/networks", "network", name=name("theirs"), project_id=tenant.project_id)


def test_a_network_is_shared_with_one_project(tenant: Account, other: Account, name: Name, release: str) -> None:
    owner = "tenant" if release == "zed" else "project"
    made, subnet = network(tenant, name("shared"), "10.92.0.0/24")
    given = {"object_type": "network", "object_id": made["id"], "target_tenant": other.project_id}
    policy = tenant.network.post("/rbac-policies", "rbac_policy", action="access_as_shared", **given)
    assert set(policy) == {*given, "id", "action", "project_id", "tenant_id"}
    with refused(409, "DuplicateRbacPolicy"):
        tenant.network.post("/rbac-policies", "rbac_policy", action="access_as_shared", **given)
    assert other.network.get(f"/networks/{made['id']}")["shared"] is True
    assert tenant.network.get(f"/networks/{made['id']}")["shared"] is False
    assert other.network.get(f"/subnets/{subnet['id']}")["id"] == subnet["id"]
    with refused(403, "PolicyNotAuthorized", "rule:update_network is disallowed by policy"):
        other.network.put(f"/networks/{made['id']}", "network", name="mine")
    port = other.network.post("/ports", "port", network_id=made["id"], name=name("guest"))
    assert port["project_id"] == other.project_id
    with refused(409, "RbacPolicyInUse", f"Multiple {owner}s are using it"):
        tenant.network.call("DELETE", f"/rbac-policies/{policy['id']}")
    other.network.delete(f"/ports/{port['id']}")
    assert send(tenant, "DELETE", f"/rbac-policies/{policy['id']}") == 204
    assert other.network.find(f"/networks/{made['id']}") is None


def test_a_network_for_everybody_has_a_policy(operator: Account, other: Account, name: Name) -> None:
    made = operator.network.post("/networks", "network", name=name("all"), shared=True)
    policies = operator.network.list("/rbac-policies", "rbac_policies", object_id=made["id"])
    assert [(p["action"], p["target_tenant"]) for p in policies] == [("access_as_shared", "*")]
    assert other.network.get(f"/networks/{made['id']}")["shared"] is True
    operator.network.put(f"/networks/{made['id']}", "network", shared=False)
    assert other.network.find(f"/networks/{made['id']}") is None
    operator.network.delete(f"/networks/{made['id']}")


def test_only_owners_share(tenant: Account, other: Account, name: Name) -> None:
    made, _ = network(tenant, name("not theirs"))
    given = {"object_type": "network", "object_id": made["id"], "action": "access_as_shared"}
    with pytest.raises(RefusedError) as caught:
        other.network.post("/rbac-policies", "rbac_policy", target_tenant=other.project_id, **given)
    assert caught.value.status in (400, 404)
    with refused(403, "PolicyNotAuthorized", "create_rbac_policy:target_tenant"):
        tenant.network.post("/rbac-policies", "rbac_policy", target_tenant="*", **given)


def test_an_external_network_is_seen_by_all(operator: Account, other: Account, name: Name) -> None:
    made = operator.network.post("/networks", "network", name=name("outside"), **{"router:external": True})
    seen = other.network.get(f"/networks/{made['id']}")
    assert (seen["router:external"], seen["shared"], seen["is_default"]) == (True, False, False)
    operator.network.delete(f"/networks/{made['id']}")


def test_a_subnet(tenant: Account, name: Name, release: str) -> None:
    made, _ = network(tenant, name("ranges"))
    subnet = tenant.network.post("/subnets", "subnet", network_id=made["id"], ip_version=4, cidr="10.93.0.0/24")
    assert set(subnet) == SUBNET | newer(release, "subnet")
    assert (subnet["name"], subnet["enable_dhcp"], subnet["gateway_ip"]) == ("", True, "10.93.0.1")
    assert subnet["allocation_pools"] == [{"start": "10.93.0.2", "end": "10.93.0.254"}]
    assert (subnet["dns_nameservers"], subnet["host_routes"], subnet["service_types"]) == ([], [], [])
    assert (subnet["ipv6_ra_mode"], subnet["ipv6_address_mode"], subnet["subnetpool_id"]) == (None, None, None)
    changed = tenant.network.put(
        f"/subnets/{subnet['id']}",
        "subnet",
        name="n",
        dns_nameservers=["10.93.0.9", "9.9.9.9"],
        host_routes=[{"destination": "192.168.1.0/24", "nexthop": "10.93.0.7"}],
        allocation_pools=[{"start": "10.93.0.20", "end": "10.93.0.30"}],
        gateway_ip=None,
    )
    assert (changed["name"], changed["gateway_ip"]) == ("n", None)
    assert changed["dns_nameservers"] == ["10.93.0.9", "9.9.9.9"]
    assert changed["host_routes"] == [{"destination": "192.168.1.0/24", "nexthop": "10.93.0.7"}]
    assert changed["allocation_pools"] == [{"start": "10.93.0.20", "end": "10.93.0.30"}]


SIX = {
    "dhcpv6-stateful": ("fd93:1::", [{"start": "fd93:1::1", "end": "fd93:1::ffff:ffff:ffff:ffff"}]),
    "slaac": ("fd93:1::", [{"start": "fd93:1::1", "end": "fd93:1::ffff:ffff:ffff:ffff"}]),
}


@pytest.mark.parametrize("mode", SIX)
def test_a_subnet_of_ipv6(tenant: Account, name: Name, mode: str) -> None:
    gateway, pools = SIX[mode]
    _, subnet = network(tenant, name("six"), "fd93:1::/64", ipv6_ra_mode=mode, ipv6_address_mode=mode)
    assert (subnet["gateway_ip"], subnet["allocation_pools"]) == (gateway, pools)
    assert (subnet["ipv6_ra_mode"], subnet["ipv6_address_mode"]) == (mode, mode)


def test_what_a_subnet_cannot_be(tenant: Account, name: Name) -> None:
    made, _ = network(tenant, name("strict"), "10.94.0.0/24")
    base: Json = {"network_id": made["id"], "ip_version": 4}
    for type_, words, fields in (
        ("InvalidInput", "overlaps with another subnet", {"cidr": "10.94.0.128/25"}),
        ("InvalidInput", "cidr 'fd94::/64' does not match the ip_version '4'", {"cidr": "fd94::/64"}),
        ("InvalidInput", "Gateway is not valid on subnet", {"cidr": "10.95.0.0/24", "gateway_ip": "10.95.0.255"}),
        ("BadRequest", "a subnetpool must be specified in the absence of a cidr", {}),
        ("OutOfBoundsAllocationPool", "spans beyond the subnet cidr",
         {"cidr": "10.95.0.0/24", "allocation_pools": [{"start": "10.96.0.2", "end": "10.96.0.3"}]}),
        ("InvalidInput", "ipv6_ra_mode is not valid when ip_version is 4",
         {"cidr": "10.95.0.0/24", "ipv6_ra_mode": "slaac"}),
        ("InvalidInput", "incompatible with DHCP service enabled", {"cidr": "10.95.0.0/31"}),
    ):  # fmt: skip
        with refused(400, type_, words):
            tenant.network.post("/subnets", "subnet", **base, **fields)
    with refused(409, "GatewayConflictWithAllocationPools"):
        pool = [{"start": "10.95.0.1", "end": "10.95.0.9"}]
        tenant.network.post(
            "/subnets", "subnet", cidr="10.95.0.0/24", gateway_ip="10.95.0.5", allocation_pools=pool, **base
        )
    with refused(404, "NetworkNotFound"):
        tenant.network.post("/subnets", "subnet", **{**base, "network_id": "0" * 32, "cidr": "10.95.0.0/24"})


def test_a_subnet_in_use_stays(tenant: Account, name: Name) -> None:
    made, subnet = network(tenant, name("busy"), "10.97.0.0/24")
    port = tenant.network.post("/ports", "port", network_id=made["id"])
    with refused(409, "SubnetInUse", "One or more ports have an IP allocation from this subnet"):
        tenant.network.call("DELETE", f"/subnets/{subnet['id']}")
    tenant.network.delete(f"/ports/{port['id']}")
    assert send(tenant, "DELETE", f"/subnets/{subnet['id']}") == 204


def test_who_serves_dhcp(operator: Account, tenant: Account, name: Name, release: str) -> None:
    """Agents do it through ports of their own; OVN through none."""
    made, _ = network(tenant, name("served"), "10.98.0.0/24")
    network(tenant, name("unserved"), "10.98.0.0/24", enable_dhcp=False)

    def ports() -> list[Json]:
        found = operator.network.list("/ports", "ports", project_id=tenant.project_id, device_owner="network:dhcp")
        return [port for port in found if port["network_id"] == made["id"] and port["status"] == "ACTIVE"]

    if release != "zed":
        assert ports() == []
        return
    (port,) = wait(ports, bool, "a port for DHCP", 60)
    assert port["device_id"].endswith(f"-{made['id']}")
    assert (port["binding:vif_type"], port["port_security_enabled"], port["security_groups"]) == ("bridge", False, [])
    assert len(port["fixed_ips"]) == 1


def test_subnets_from_a_pool(tenant: Account, name: Name) -> None:
    pool = tenant.network.post("/subnetpools", "subnetpool", name=name("pool"), prefixes=["10.99.0.0/16"])
    assert set(pool) == STANDARD | {
        "address_scope_id", "default_prefixlen", "default_quota", "ip_version", "is_default", "max_prefixlen",
        "min_prefixlen", "prefixes", "shared",
    }  # fmt: skip
    lengths = [pool[f"{which}_prefixlen"] for which in ("default", "min", "max")]
    assert lengths == ["8", "8", "32"]
    made, _ = network(tenant, name("cut"))
    base: Json = {"network_id": made["id"], "ip_version": 4, "subnetpool_id": pool["id"]}
    first = tenant.network.post("/subnets", "subnet", prefixlen=26, **base)
    assert (first["subnetpool_id"], first["cidr"].partition("/")[2]) == (pool["id"], "26")
    given = tenant.network.post("/subnets", "subnet", cidr="10.99.7.0/24", **base)
    assert given["cidr"] == "10.99.7.0/24"
    again, _ = network(tenant, name("cut again"))
    with refused(500, "SubnetAllocationError", "Cannot allocate requested subnet from the available set of prefixes"):
        tenant.network.post("/subnets", "subnet", cidr="10.99.7.0/25", **{**base, "network_id": again["id"]})
    with refused(400, "SubnetPoolDeleteError", "Subnet pool has existing allocations"):
        tenant.network.call("DELETE", f"/subnetpools/{pool['id']}")


def test_a_pool_of_ipv6_in_a_scope(tenant: Account, name: Name) -> None:
    scope = tenant.network.post("/address-scopes", "address_scope", name=name("scope"), ip_version=6)
    assert set(scope) == {"id", "name", "ip_version", "shared", "project_id", "tenant_id"}
    fields: Json = {"prefixes": ["fd99:0:0::/48"], "default_prefixlen": 64, "address_scope_id": scope["id"]}
    pool = tenant.network.post("/subnetpools", "subnetpool", name=name("six"), **fields)
    assert (pool["prefixes"], pool["ip_version"]) == (["fd99::/48"], 6)
    assert (pool["min_prefixlen"], pool["max_prefixlen"], pool["default_prefixlen"]) == ("64", "128", "64")
    made, _ = network(tenant, name("scoped"))
    subnet = tenant.network.post("/subnets", "subnet", network_id=made["id"], ip_version=6, subnetpool_id=pool["id"])
    assert (subnet["cidr"], subnet["gateway_ip"]) == ("fd99::/64", "fd99::1")
    assert tenant.network.get(f"/networks/{made['id']}")["ipv6_address_scope"] == scope["id"]
    with refused(409, "AddressScopeInUse"):
        tenant.network.call("DELETE", f"/address-scopes/{scope['id']}")
    with refused(400, "PrefixVersionMismatch"):
        tenant.network.post("/subnetpools", "subnetpool", name=name("mix"), prefixes=["10.0.0.0/8", "fd00::/8"])
