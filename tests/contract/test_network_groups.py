"""Neutron: security groups, their rules, and address groups."""

from __future__ import annotations

import pytest

from tests.acceptance.clouds import Account, Json, RefusedError
from tests.contract.conftest import Contractor
from tests.contract.networking import STANDARD, Name, network, newer, refused, send

GROUP = STANDARD | {"security_group_rules", "shared", "stateful"}
RULE = {
    "created_at", "description", "direction", "ethertype", "id", "normalized_cidr", "port_range_max", "port_range_min",
    "project_id", "protocol", "remote_address_group_id", "remote_group_id", "remote_ip_prefix", "revision_number",
    "security_group_id", "tenant_id", "updated_at",
}  # fmt: skip


@pytest.fixture(scope="module")
def tenant(contractor: Contractor) -> Account:
    """A member of a project with nothing in it."""
    return contractor.person("group owner")


@pytest.fixture(scope="module")
def group(tenant: Account, name: Name) -> Json:
    """One for rules."""
    return tenant.network.post("/security-groups", "security_group", name=name("rules"))


def rule(tenant: Account, group: Json, **fields: object) -> Json:
    fields = {"security_group_id": group["id"], "direction": "ingress", **fields}
    return tenant.network.post("/security-group-rules", "security_group_rule", **fields)


def said(one: Json) -> tuple[object, ...]:
    return one["direction"], one["ethertype"], one["protocol"], one["remote_group_id"]


def test_a_project_has_a_default_group(contractor: Contractor, operator: Account) -> None:
    """It is there as soon as anybody looks for it."""
    person = contractor.person("newcomer")
    found = operator.network.list("/security-groups", "security_groups", project_id=person.project_id)
    (group,) = found
    assert (group["name"], group["description"], group["stateful"]) == ("default", "Default security group", True)
    assert sorted(map(said, group["security_group_rules"]), key=str) == sorted(
        [
            ("egress", "IPv4", None, None),
            ("egress", "IPv6", None, None),
            ("ingress", "IPv4", None, group["id"]),
            ("ingress", "IPv6", None, group["id"]),
        ],
        key=str,
    )
    with refused(409, "SecurityGroupCannotRemoveDefault"):
        person.network.call("DELETE", f"/security-groups/{group['id']}")
    with refused(409, "SecurityGroupCannotUpdateDefault"):
        person.network.put(f"/security-groups/{group['id']}", "security_group", name="mine")


def test_a_group(tenant: Account, name: Name, release: str) -> None:
    made = tenant.network.post("/security-groups", "security_group", name=name("web"), description="línea")
    assert set(made) == GROUP
    assert (made["stateful"], made["shared"], made["tags"]) == (True, False, [])
    assert [said(one) for one in sorted(made["security_group_rules"], key=said)] == [
        ("egress", "IPv4", None, None),
        ("egress", "IPv6", None, None),
    ]
    inner = RULE | newer(release, "rule") | {"standard_attr_id", "tags"}
    assert all(set(one) == inner for one in made["security_group_rules"])
    again = tenant.network.post("/security-groups", "security_group", name=made["name"])
    assert again["id"] != made["id"], "names need not be unique"
    with refused(409, "SecurityGroupDefaultAlreadyExists"):
        tenant.network.post("/security-groups", "security_group", name="default")
    changed = tenant.network.put(f"/security-groups/{made['id']}", "security_group", stateful=False, name="")
    assert (changed["stateful"], changed["name"]) == (False, "")
    for one in (made, again):
        assert send(tenant, "DELETE", f"/security-groups/{one['id']}") == 204
    with refused(404, "SecurityGroupNotFound", f"Security group {made['id']} does not exist"):
        tenant.network.get(f"/security-groups/{made['id']}")


def test_a_group_in_use_stays(tenant: Account, name: Name) -> None:
    made = tenant.network.post("/security-groups", "security_group", name=name("used"))
    net, _ = network(tenant, name("net"))
    port = tenant.network.post("/ports", "port", network_id=net["id"], security_groups=[made["id"]])
    assert port["security_groups"] == [made["id"]]
    with refused(409, "SecurityGroupInUse", f"Security Group {made['id']} in use."):
        tenant.network.call("DELETE", f"/security-groups/{made['id']}")
    tenant.network.delete(f"/ports/{port['id']}")
    assert send(tenant, "DELETE", f"/security-groups/{made['id']}") == 204


def test_a_rule(tenant: Account, group: Json, release: str) -> None:
    made = rule(tenant, group, protocol="TCP", port_range_min=22, port_range_max=443, remote_ip_prefix="10.0.0.7/8")
    assert set(made) == RULE | newer(release, "rule")
    assert (made["protocol"], made["port_range_min"], made["port_range_max"]) == ("tcp", 22, 443)
    assert (made["ethertype"], made["remote_ip_prefix"], made["normalized_cidr"]) == (
        "IPv4",
        "10.0.0.7/8",
        "10.0.0.0/8",
    )
    assert (made["description"], made["remote_group_id"], made["remote_address_group_id"]) == ("", None, None)
    with refused(409, "SecurityGroupRuleExists", f"Security group rule already exists. Rule id is {made['id']}."):
        rule(tenant, group, protocol="6", port_range_min=22, port_range_max=443, remote_ip_prefix="10.0.0.7/8")
    listed = tenant.network.list("/security-group-rules", "security_group_rules", security_group_id=group["id"])
    assert made["id"] in {one["id"] for one in listed}
    assert send(tenant, "DELETE", f"/security-group-rules/{made['id']}") == 204
    with refused(404, "SecurityGroupRuleNotFound", f"Security group rule {made['id']} does not exist"):
        tenant.network.get(f"/security-group-rules/{made['id']}")


def test_rules_of_every_kind(tenant: Account, group: Json, name: Name) -> None:
    ping = rule(tenant, group, protocol="icmp", port_range_min=8, port_range_max=0)
    assert (ping["port_range_min"], ping["port_range_max"]) == (8, 0)
    six = rule(tenant, group, protocol="icmpv6", ethertype="IPv6")
    assert six["protocol"] == "ipv6-icmp"
    assert rule(tenant, group, protocol=50)["protocol"] == "50"
    assert rule(tenant, group, protocol="udp", remote_group_id=group["id"])["remote_group_id"] == group["id"]
    every = rule(tenant, group, protocol="tcp", port_range_min=1, port_range_max=65535)
    assert (every["port_range_min"], every["port_range_max"]) == (None, None)
    addresses = tenant.network.post("/address-groups", "address_group", name=name("named"), addresses=["192.0.2.0/25"])
    named = rule(tenant, group, protocol="tcp", remote_address_group_id=addresses["id"])
    assert named["remote_address_group_id"] == addresses["id"]
    with refused(409, "AddressGroupInUse"):
        tenant.network.call("DELETE", f"/address-groups/{addresses['id']}")


def test_what_a_rule_cannot_be(tenant: Account, group: Json) -> None:
    for type_, fields in (
        ("SecurityGroupProtocolRequiredWithPorts", {"port_range_min": 22, "port_range_max": 22}),
        ("SecurityGroupInvalidPortRange", {"protocol": "tcp", "port_range_min": 23, "port_range_max": 22}),
        ("SecurityGroupRuleInvalidProtocol", {"protocol": "carrier pigeon"}),
        ("SecurityGroupRuleParameterConflict", {"remote_ip_prefix": "fd00::/8"}),
        ("SecurityGroupInvalidIcmpValue", {"protocol": "icmp", "port_range_min": 999, "port_range_max": 0}),
        ("SecurityGroupMultipleRemoteEntites", {"remote_ip_prefix": "10.0.0.0/8", "remote_group_id": group["id"]}),
        ("HTTPBadRequest", {"direction": "sideways"}),
    ):
        with refused(400, type_):
            rule(tenant, group, **fields)


def test_others_groups_are_not_there(tenant: Account, other: Account, group: Json) -> None:
    with refused(404, "SecurityGroupNotFound"):
        other.network.get(f"/security-groups/{group['id']}")
    with pytest.raises(RefusedError) as caught:
        rule(other, group, protocol="tcp")
    assert caught.value.status in (403, 404)


def test_an_address_group(tenant: Account, name: Name, release: str) -> None:
    made = tenant.network.post("/address-groups", "address_group", name=name("addresses"), addresses=["198.18.79.0/24"])
    fields = {"id", "name", "project_id", "tenant_id", "addresses", "description"}
    assert set(made) == fields | (set() if release == "zed" else {"created_at", "updated_at", "revision_number"})
    path = f"/address-groups/{made['id']}"
    added = tenant.network.put(f"{path}/add_addresses", addresses=["fd73::/64"])
    assert sorted(added["addresses"]) == ["198.18.79.0/24", "fd73::/64"]
    removed = tenant.network.put(f"{path}/remove_addresses", addresses=["198.18.79.0/24"])
    assert removed["addresses"] == ["fd73::/64"]
    empty = tenant.network.post("/address-groups", "address_group", name=name("empty"))
    assert empty["addresses"] == []
    for one in (made, empty):
        assert send(tenant, "DELETE", f"/address-groups/{one['id']}") == 204
