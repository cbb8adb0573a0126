"""Networks, addresses and who may talk to whom."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.counterparts import Sides, unlike
from tests.acceptance.tenant.networks import ADDRESSES, MACS

#: Of the service's own making.
ITS_OWN = (
    "id", "created_at", "updated_at", "revision_number", "status", "subnets", "availability_zones",
    "provider:network_type", "provider:physical_network", "provider:segmentation_id",
    "binding:host_id", "binding:vif_type", "binding:vif_details", "binding:profile",
)  # fmt: skip


@pytest.fixture
def project(sides: Sides) -> dict[str, str]:
    """The fields by which a thing belongs to the tenant."""
    id_ = sides.there("project", "tenant")["id"]
    return {"project_id": id_, "tenant_id": id_}


@pytest.mark.parametrize("short", ["front", "back"])
def test_network(sides: Sides, project: dict[str, str], short: str) -> None:
    here, there = sides.here("network", short), sides.there("network", short)
    assert unlike(here, there, [*ITS_OWN, "mtu"], **project) == []


def test_mtu_that_was_asked_for(sides: Sides) -> None:
    """The other network's is what the source's overlay leaves, and the destination's may leave less."""
    assert sides.there("network", "front")["mtu"] == sides.here("network", "front")["mtu"]
    assert sides.there("network", "back")["mtu"] > 1400


def test_port_security_stays_off(sides: Sides) -> None:
    assert sides.there("network", "back")["port_security_enabled"] is False
    assert sides.there("port", "back")["port_security_enabled"] is False


@pytest.mark.parametrize(("short", "network"), [("front4", "front"), ("front6", "front"), ("back4", "back")])
def test_subnet(sides: Sides, project: dict[str, str], short: str, network: str) -> None:
    here, there = sides.here("subnet", short), sides.there("subnet", short)
    assert unlike(here, there, ITS_OWN, network_id=sides.there("network", network)["id"], **project) == []


def test_subnet_order_of_name_servers(sides: Sides) -> None:
    assert sides.there("subnet", "front4")["dns_nameservers"] == ["10.61.0.53", "9.9.9.9"]


@pytest.mark.parametrize("short", ["web", "db", "default"])
def test_group(sides: Sides, project: dict[str, str], short: str) -> None:
    """Also rules that name other groups; and the default group's, one removed and one added."""
    here, there = sides.here("security_group", short), sides.there("security_group", short)
    assert unlike(here, there, [*ITS_OWN, "security_group_rules"], **project) == []
    assert rules(sides.destination, there) == rules(sides.source, here)


def rules(photograph: dict[str, Any], group: dict[str, Any]) -> list[list[tuple[str, Any]]]:
    """A group's rules, with names in place of ids."""
    names = {id_: found["name"] for id_, found in photograph["security_group"].items()}
    kept = (
        "direction",
        "ethertype",
        "protocol",
        "port_range_min",
        "port_range_max",
        "remote_ip_prefix",
        "description",
    )
    found = []
    for rule in group["security_group_rules"].values():
        # a rule that Neutron made by itself has no description at all in one release, an empty one in another
        plain = [(key, rule[key] or "" if key == "description" else rule[key]) for key in kept]
        found.append([*plain, ("remote group", names.get(rule["remote_group_id"], rule["remote_group_id"]))])
    return sorted(found, key=str)


@pytest.mark.parametrize(("short", "server"), [("front", "web"), ("back", "web")])
def test_port(sides: Sides, project: dict[str, str], short: str, server: str) -> None:
    here, there = sides.here("port", short), sides.there("port", short)
    wanted = {
        "network_id": sides.mapped("network", here["network_id"]),
        "security_groups": sorted(str(sides.mapped("security_group", id_)) for id_ in here["security_groups"]),
        "fixed_ips": addresses(sides, here),
        "device_id": sides.there("server", server)["id"],
    }
    assert unlike(here, there, ITS_OWN, **wanted, **project) == []
    assert {ip["ip_address"] for ip in there["fixed_ips"]} == set(ADDRESSES[short])
    assert there["mac_address"] == MACS[short]


@pytest.mark.parametrize("server", ["off", "bfv"])
def test_ports_that_nova_had_made(sides: Sides, server: str) -> None:
    """Same address and MAC, the groups that the server had."""
    id_ = sides.tenant.id("server", server)
    (here,) = [port for port in sides.source["port"].values() if port["device_id"] == id_]
    there = sides.only("port", lambda port: port["mac_address"] == here["mac_address"])
    assert there["fixed_ips"] == addresses(sides, here)
    assert there["device_id"] == sides.there("server", server)["id"]
    groups = sorted(str(sides.mapped("security_group", group)) for group in here["security_groups"])
    assert there["security_groups"] == groups


def test_the_port_that_nothing_uses(sides: Sides) -> None:
    """Someone wanted that address kept."""
    here, there = sides.here("port", "spare"), sides.there("port", "spare")
    assert there["fixed_ips"] == addresses(sides, here)
    assert (there["admin_state_up"], there["security_groups"], there["device_id"]) == (False, [], "")


def test_no_other_ports(sides: Sides) -> None:
    """None of the failed server, none that were made on the way."""
    here, there = (
        {port["mac_address"] for port in side["port"].values() if port["device_owner"] != "network:router_interface"}
        for side in (sides.source, sides.destination)
    )
    assert there == here - {sides.here("port", "failing")["mac_address"]}


def addresses(sides: Sides, port: dict[str, Any]) -> list[dict[str, str]]:
    """A port's addresses, in the destination's subnets."""
    found = [
        {"subnet_id": str(sides.mapped("subnet", ip["subnet_id"])), "ip_address": ip["ip_address"]}
        for ip in port["fixed_ips"]
    ]
    return sorted(found, key=str)
