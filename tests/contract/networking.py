"""What the tests of the Networking API share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.acceptance.clouds import Account, Json, RefusedError

Name = Callable[[str], str]

STANDARD = {
    "id", "name", "project_id", "tenant_id", "description", "tags", "created_at", "updated_at", "revision_number",
}  # fmt: skip
PROVIDER = {"provider:network_type", "provider:physical_network", "provider:segmentation_id"}
BINDING = {"binding:host_id", "binding:profile", "binding:vif_details", "binding:vif_type"}

NETWORK = STANDARD | {
    "admin_state_up", "availability_zone_hints", "availability_zones", "ipv4_address_scope", "ipv6_address_scope",
    "mtu", "port_security_enabled", "qos_policy_id", "router:external", "shared", "status", "subnets",
}  # fmt: skip
SUBNET = STANDARD | {
    "allocation_pools", "cidr", "dns_nameservers", "enable_dhcp", "gateway_ip", "host_routes", "ip_version",
    "ipv6_address_mode", "ipv6_ra_mode", "network_id", "service_types", "subnetpool_id",
}  # fmt: skip
PORT = STANDARD | {
    "admin_state_up", "allowed_address_pairs", "binding:vnic_type", "device_id", "device_owner", "extra_dhcp_opts",
    "fixed_ips", "mac_address", "network_id", "port_security_enabled", "qos_network_policy_id", "qos_policy_id",
    "security_groups", "status",
}  # fmt: skip
ROUTER = STANDARD | {
    "admin_state_up", "availability_zone_hints", "availability_zones", "external_gateway_info", "flavor_id", "routes",
    "status",
}  # fmt: skip
#: What only the newer release tells.
NEWER = {
    "network": {"qinq", "vlan_transparent"},
    "subnet": {"router:external"},
    "router": {"enable_default_route_bfd", "enable_default_route_ecmp", "enable_snat", "external_gateways"},
    "rule": {"belongs_to_default_sg"},
    "floating_ip": {"dns_domain", "dns_name"},
}


def newer(release: str, kind: str) -> set[str]:
    """The fields that a release adds."""
    return NEWER[kind] if release == "2026.1" else set()


@contextlib.contextmanager
def refused(status: int, type_: str, words: str = "") -> Iterator[None]:
    """What is done inside is refused in Neutron's form, with this type of error and these words."""
    with pytest.raises(RefusedError) as caught:
        yield
    assert caught.value.status == status, caught.value
    assert f'"type": "{type_}"' in str(caught.value).replace('":"', '": "'), caught.value
    assert words in str(caught.value)


def send(account: Account, method: str, path: str, **how: Any) -> int:
    """The status of an answer that is no refusal."""
    return account.network.call(method, path, **how).status_code


def network(account: Account, name: str, cidr: str = "", **fields: Any) -> tuple[Json, Json]:
    """A network, with a subnet of this range (or ``{}``)."""
    made = account.network.post("/networks", "network", name=name)
    if not cidr:
        return made, {}
    version = 6 if ":" in cidr else 4
    fields = {"network_id": made["id"], "ip_version": version, "cidr": cidr, **fields}
    return made, account.network.post("/subnets", "subnet", name=name, **fields)


def addresses(port: Json) -> list[str]:
    """Of a port."""
    return [ip["ip_address"] for ip in port["fixed_ips"]]


def outside(operator: Account, name: str, cidr: str) -> tuple[Json, Json]:
    """An external network, with a range without DHCP."""
    made = operator.network.post("/networks", "network", name=name, **{"router:external": True})
    fields = {"network_id": made["id"], "ip_version": 4, "cidr": cidr, "enable_dhcp": False}
    return made, operator.network.post("/subnets", "subnet", name=name, **fields)
