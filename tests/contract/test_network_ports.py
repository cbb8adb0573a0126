"""Neutron: ports, their addresses, and the trunks that they are part of."""

from __future__ import annotations

import ipaddress

import pytest

from tests.acceptance.clouds import Account, Json
from tests.contract.conftest import Contractor
from tests.contract.networking import BINDING, PORT, Name, addresses, network, refused, send


@pytest.fixture(scope="module")
def tenant(contractor: Contractor) -> Account:
    """A member of a project with nothing in it."""
    return contractor.person("port owner")


@pytest.fixture(scope="module")
def home(tenant: Account, name: Name) -> tuple[Json, Json]:
    """A network with one range."""
    return network(tenant, name("home"), "10.81.0.0/24")


def test_a_port_of_a_member(tenant: Account, home: tuple[Json, Json], name: Name) -> None:
    net, subnet = home
    made = tenant.network.post("/ports", "port", network_id=net["id"], name=name("plain"))
    assert set(made) == PORT, "bindings are not shown to members"
    assert (made["status"], made["device_id"], made["device_owner"]) == ("DOWN", "", "")
    assert made["mac_address"].startswith("fa:16:3e:")
    (ip,) = made["fixed_ips"]
    assert ip["subnet_id"] == subnet["id"]
    assert ipaddress.ip_address(ip["ip_address"]) in ipaddress.ip_network("10.81.0.0/24")
    (group,) = made["security_groups"]
    assert tenant.network.get(f"/security-groups/{group}")["name"] == "default"
    assert made["port_security_enabled"] is True
    assert (made["allowed_address_pairs"], made["extra_dhcp_opts"], made["tags"]) == ([], [], [])


def test_the_operator_sees_where_it_is_plugged_in(operator: Account, tenant: Account, home: tuple[Json, Json]) -> None:
    made = tenant.network.post("/ports", "port", network_id=home[0]["id"])
    seen = operator.network.get(f"/ports/{made['id']}")
    assert set(seen) == PORT | BINDING | {"resource_request"}
    assert (seen["binding:vif_type"], seen["binding:host_id"]) == ("unbound", "")
    assert (seen["binding:profile"], seen["binding:vif_details"], seen["resource_request"]) == ({}, {}, None)


def test_a_port_as_it_is_asked_for(tenant: Account, home: tuple[Json, Json], name: Name) -> None:
    net, subnet = home
    made = tenant.network.post(
        "/ports",
        "port",
        network_id=net["id"],
        name=name("exact"),
        mac_address="02:00:00:81:00:07",
        fixed_ips=[{"ip_address": "10.81.0.70"}, {"subnet_id": subnet["id"], "ip_address": "10.81.0.7"}],
        allowed_address_pairs=[
            {"ip_address": "10.81.0.240/30", "mac_address": "00:00:5e:00:01:07"},
            {"ip_address": "10.81.1.1"},
        ],
        extra_dhcp_opts=[{"opt_name": "bootfile-name", "opt_value": "é.0", "ip_version": 4}],
        admin_state_up=False,
        description="línea",
    )
    assert made["mac_address"] == "02:00:00:81:00:07"
    assert sorted(addresses(made)) == ["10.81.0.7", "10.81.0.70"]
    assert sorted(pair["mac_address"] for pair in made["allowed_address_pairs"]) == [
        "00:00:5e:00:01:07",
        "02:00:00:81:00:07",
    ]
    assert made["extra_dhcp_opts"] == [{"opt_name": "bootfile-name", "opt_value": "é.0", "ip_version": 4}]
    assert (made["admin_state_up"], made["description"]) == (False, "línea")


def test_what_is_taken_cannot_be_had(tenant: Account, home: tuple[Json, Json]) -> None:
    net, subnet = home
    tenant.network.post(
        "/ports",
        "port",
        network_id=net["id"],
        mac_address="02:00:00:81:01:01",
        fixed_ips=[{"ip_address": "10.81.0.99"}],
    )
    with refused(409, "IpAddressAlreadyAllocated", f"IP address 10.81.0.99 already allocated in subnet {subnet['id']}"):
        tenant.network.post("/ports", "port", network_id=net["id"], fixed_ips=[{"ip_address": "10.81.0.99"}])
    with refused(409, "MacAddressInUse", "The mac address 02:00:00:81:01:01 is in use."):
        tenant.network.post("/ports", "port", network_id=net["id"], mac_address="02:00:00:81:01:01")
    with refused(400, "InvalidIpForNetwork", "IP address 10.82.0.1 is not a valid IP for any of the subnets"):
        tenant.network.post("/ports", "port", network_id=net["id"], fixed_ips=[{"ip_address": "10.82.0.1"}])
    with refused(400, "HTTPBadRequest", "Invalid input for mac_address."):
        tenant.network.post("/ports", "port", network_id=net["id"], mac_address="no mac")
    with refused(404, "SecurityGroupNotFound"):
        groups = ["00000000-0000-0000-0000-000000000001"]
        tenant.network.post("/ports", "port", network_id=net["id"], security_groups=groups)


def test_a_small_range_runs_out(tenant: Account, name: Name) -> None:
    pool = [{"start": "10.82.0.10", "end": "10.82.0.11"}]
    net, _ = network(tenant, name("small"), "10.82.0.0/24", allocation_pools=pool, enable_dhcp=False)
    made = [tenant.network.post("/ports", "port", network_id=net["id"]) for _ in range(2)]
    assert sorted(ip for port in made for ip in addresses(port)) == ["10.82.0.10", "10.82.0.11"]
    with refused(409, "IpAddressGenerationFailure", "No more IP addresses available on network"):
        tenant.network.post("/ports", "port", network_id=net["id"])
    outside_the_pool = tenant.network.post(
        "/ports", "port", network_id=net["id"], fixed_ips=[{"ip_address": "10.82.0.5"}]
    )
    assert addresses(outside_the_pool) == ["10.82.0.5"]
    tenant.network.delete(f"/ports/{made[0]['id']}")
    assert addresses(tenant.network.post("/ports", "port", network_id=net["id"])) == addresses(made[0])


def test_automatic_addresses_follow_from_the_mac(tenant: Account, name: Name) -> None:
    modes = {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}
    net, subnet = network(tenant, name("auto"), "fd81::/64", **modes)
    made = tenant.network.post("/ports", "port", network_id=net["id"], mac_address="fa:16:3e:00:00:81")
    assert addresses(made) == ["fd81::f816:3eff:fe00:81"]
    with refused(400, "AllocationOnAutoAddressSubnet", "as the subnet is configured for automatic addresses"):
        asked = [{"subnet_id": subnet["id"], "ip_address": "fd81::5"}]
        tenant.network.post("/ports", "port", network_id=net["id"], fixed_ips=asked)
    by_subnet = tenant.network.post(
        "/ports", "port", network_id=net["id"], mac_address="fa:16:3e:00:00:82", fixed_ips=[{"subnet_id": subnet["id"]}]
    )
    assert addresses(by_subnet) == ["fd81::f816:3eff:fe00:82"]


def test_an_address_of_each_version(tenant: Account, name: Name) -> None:
    net, four = network(tenant, name("dual"), "10.83.0.0/24")
    modes = {"ipv6_ra_mode": "dhcpv6-stateful", "ipv6_address_mode": "dhcpv6-stateful"}
    six = tenant.network.post("/subnets", "subnet", network_id=net["id"], ip_version=6, cidr="fd83::/64", **modes)
    made = tenant.network.post("/ports", "port", network_id=net["id"])
    assert [ip["subnet_id"] for ip in made["fixed_ips"]] == [four["id"], six["id"]]
    bare, _ = network(tenant, name("bare"))
    assert tenant.network.post("/ports", "port", network_id=bare["id"])["fixed_ips"] == []


def test_a_port_is_changed(tenant: Account, home: tuple[Json, Json], name: Name) -> None:
    net, subnet = home
    made = tenant.network.post("/ports", "port", network_id=net["id"])
    path = f"/ports/{made['id']}"
    wanted = [{"subnet_id": subnet["id"], "ip_address": "10.81.0.123"}]
    changed = tenant.network.put(path, "port", name=name("new"), fixed_ips=wanted, security_groups=[])
    assert (changed["fixed_ips"], changed["security_groups"]) == (wanted, [])
    changed = tenant.network.put(path, "port", port_security_enabled=False)
    assert changed["port_security_enabled"] is False
    with refused(403, "PolicyNotAuthorized", "update_port:mac_address"):
        tenant.network.put(path, "port", mac_address="02:00:00:81:02:02")
    with refused(400, "HTTPBadRequest", "Cannot update read-only attribute network_id"):
        tenant.network.put(path, "port", network_id=net["id"])
    assert send(tenant, "DELETE", path) == 204
    with refused(404, "PortNotFound", f"Port {made['id']} could not be found."):
        tenant.network.get(path)


def test_security_needs_its_groups_gone(tenant: Account, home: tuple[Json, Json]) -> None:
    made = tenant.network.post("/ports", "port", network_id=home[0]["id"])
    with refused(409, "PortSecurityPortHasSecurityGroup"):
        tenant.network.put(f"/ports/{made['id']}", "port", port_security_enabled=False)
    open_one = tenant.network.post("/ports", "port", network_id=home[0]["id"], port_security_enabled=False)
    assert open_one["security_groups"] == []
    with refused(409, "AddressPairAndPortSecurityRequired"):
        pairs = [{"ip_address": "10.81.0.250"}]
        tenant.network.put(f"/ports/{open_one['id']}", "port", allowed_address_pairs=pairs)


def test_a_network_without_security(tenant: Account, name: Name) -> None:
    net = tenant.network.post("/networks", "network", name=name("open"), port_security_enabled=False)
    made = tenant.network.post("/ports", "port", network_id=net["id"])
    assert (made["port_security_enabled"], made["security_groups"]) == (False, [])


def test_of_others_networks_only_some_may_be_said(tenant: Account, other: Account, home: tuple[Json, Json]) -> None:
    net, subnet = home
    share = {"object_type": "network", "object_id": net["id"], "target_tenant": other.project_id}
    policy = tenant.network.post("/rbac-policies", "rbac_policy", action="access_as_shared", **share)
    for field, value in (
        ("mac_address", "02:00:00:81:03:03"),
        ("fixed_ips", [{"ip_address": "10.81.0.33"}]),
        ("port_security_enabled", False),
    ):
        with refused(403, "PolicyNotAuthorized", f"create_port:{field}"):
            other.network.post("/ports", "port", network_id=net["id"], **{field: value})
    made = other.network.post("/ports", "port", network_id=net["id"])
    assert [ip["subnet_id"] for ip in made["fixed_ips"]] == [subnet["id"]]
    assert tenant.network.get(f"/ports/{made['id']}")["project_id"] == other.project_id, "seen by the network's owner"
    other.network.delete(f"/ports/{made['id']}")
    tenant.network.delete(f"/rbac-policies/{policy['id']}")


def test_ports_are_found_by_address(tenant: Account, home: tuple[Json, Json]) -> None:
    net, subnet = home
    made = tenant.network.post("/ports", "port", network_id=net["id"], fixed_ips=[{"ip_address": "10.81.0.44"}])
    query = {"network_id": net["id"], "fixed_ips": "ip_address=10.81.0.44"}
    assert [port["id"] for port in tenant.network.list("/ports", "ports", **query)] == [made["id"]]
    query = {"fixed_ips": [f"subnet_id={subnet['id']}", "ip_address=10.81.0.44"]}
    assert [port["id"] for port in tenant.network.list("/ports", "ports", **query)] == [made["id"]]
    assert tenant.network.list("/ports", "ports", mac_address=made["mac_address"])[0]["id"] == made["id"]


TRUNK = {
    "id", "name", "project_id", "tenant_id", "description", "tags", "created_at", "updated_at", "revision_number",
    "admin_state_up", "port_id", "status", "sub_ports",
}  # fmt: skip


def test_a_trunk(tenant: Account, operator: Account, name: Name, release: str) -> None:
    main, _ = network(tenant, name("main"), "10.84.0.0/24")
    tagged, _ = network(tenant, name("tagged"), "10.85.0.0/24")
    parent, sub, more = (tenant.network.post("/ports", "port", network_id=net["id"]) for net in (main, tagged, tagged))
    trunk = tenant.network.post("/trunks", "trunk", name=name("trunk"), port_id=parent["id"])
    assert set(trunk) == TRUNK
    assert trunk["status"] == ("DOWN" if release == "zed" else "ACTIVE")
    with refused(409, "ParentPortInUse", "is currently in use and is not eligible for use as a parent port"):
        tenant.network.post("/trunks", "trunk", port_id=parent["id"])
    asked = {"port_id": sub["id"], "segmentation_type": "vlan", "segmentation_id": 71}
    answer = tenant.network.put(f"/trunks/{trunk['id']}/add_subports", sub_ports=[asked])
    assert answer["sub_ports"] == [asked]
    with refused(409, "DuplicateSubPort", "segmentation_type vlan and segmentation_id 71 already in use on trunk"):
        tenant.network.put(f"/trunks/{trunk['id']}/add_subports", sub_ports=[{**asked, "port_id": more["id"]}])
    details = operator.network.get(f"/ports/{parent['id']}")["trunk_details"]
    assert details == {"trunk_id": trunk["id"], "sub_ports": [{**asked, "mac_address": sub["mac_address"]}]}
    with refused(409, "PortInUseAsSubPort", f"is currently a subport for trunk {trunk['id']}"):
        tenant.network.call("DELETE", f"/ports/{sub['id']}")
    with refused(409, "PortInUseAsTrunkParent", f"is currently a parent port for trunk {trunk['id']}"):
        tenant.network.call("DELETE", f"/ports/{parent['id']}")
    disabled = tenant.network.put(f"/trunks/{trunk['id']}", "trunk", admin_state_up=False)
    assert disabled["admin_state_up"] is False
    with refused(409, "TrunkDisabled"):
        tenant.network.call("DELETE", f"/trunks/{trunk['id']}")
    tenant.network.put(f"/trunks/{trunk['id']}", "trunk", admin_state_up=True)
    answer = tenant.network.put(f"/trunks/{trunk['id']}/remove_subports", sub_ports=[{"port_id": sub["id"]}])
    assert answer["sub_ports"] == []
    assert send(tenant, "DELETE", f"/trunks/{trunk['id']}") == 204
