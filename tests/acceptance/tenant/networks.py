"""Two networks, groups that know each other, and ports."""

from __future__ import annotations

from tests.acceptance.clouds import Json
from tests.acceptance.tenant.model import Tenant

#: What the tests expect of the ports, by short name.
ADDRESSES = {
    "front": ["10.61.0.77", "fd61:0:0:1::77"],
    "back": ["172.31.9.200"],
    "failing": ["10.61.0.99"],
    "spare": ["10.61.0.50"],
}
MACS = {"front": "fa:16:3e:61:00:77", "back": "02:00:00:61:00:c8"}


def build(tenant: Tenant) -> None:
    """Networks first, then groups, then ports."""
    _front(tenant)
    _back(tenant)
    _groups(tenant)
    _ports(tenant)
    router = tenant.owner.network.post("/routers", "router", name=tenant.call("@ router: süd / '1'"))
    tenant.keep("router", "router", router)
    subnet = tenant.id("subnet", "front4")
    tenant.owner.network.put(f"/routers/{router['id']}/add_router_interface", subnet_id=subnet)


def _front(tenant: Tenant) -> None:
    net = _make(tenant, "network", "front", name=tenant.call("@ Netz: \"vorn\" / '前'"), description="línea", mtu=1380)
    _tags(tenant, "networks", net["id"], [tenant.call("@ étage 0"), "b"])
    four = _make(
        tenant,
        "subnet",
        "front4",
        name=tenant.call("-@ v4"),
        network_id=net["id"],
        ip_version=4,
        cidr="10.61.0.0/24",
        gateway_ip="10.61.0.254",
        enable_dhcp=True,
        description="vier",
        dns_nameservers=["10.61.0.53", "9.9.9.9"],
        host_routes=[{"destination": "192.168.77.0/24", "nexthop": "10.61.0.253"}],
        allocation_pools=[
            {"start": "10.61.0.10", "end": "10.61.0.99"},
            {"start": "10.61.0.150", "end": "10.61.0.200"},
        ],
    )
    _tags(tenant, "subnets", four["id"], ["v4"])
    _make(
        tenant,
        "subnet",
        "front6",
        name=tenant.call("@ v6 ☃"),
        network_id=net["id"],
        ip_version=6,
        cidr="fd61:0:0:1::/64",
        enable_dhcp=True,
        ipv6_address_mode="dhcpv6-stateful",
        ipv6_ra_mode="dhcpv6-stateful",
        dns_nameservers=["2620:fe::9"],
    )


def _back(tenant: Tenant) -> None:
    net = _make(tenant, "network", "back", name=tenant.call("@ hinten"), port_security_enabled=False)
    _make(
        tenant,
        "subnet",
        "back4",
        name="",
        network_id=net["id"],
        ip_version=4,
        cidr="172.31.9.128/25",
        gateway_ip=None,
        enable_dhcp=False,
    )


def _groups(tenant: Tenant) -> None:
    network = tenant.owner.network
    web = _make(tenant, "security_group", "web", name=tenant.call("@ web: „Üb“"), description="")
    db = _make(tenant, "security_group", "db", name=tenant.call("-@ db"), description="only from web")
    _rule(tenant, web, protocol="tcp", port_range_min=443, port_range_max=443, remote_ip_prefix="0.0.0.0/0")
    _rule(tenant, web, protocol="tcp", port_range_min=22, port_range_max=22, remote_group_id=db["id"])
    _rule(tenant, db, protocol="tcp", port_range_min=3306, port_range_max=3307, remote_group_id=web["id"])
    _rule(tenant, db, protocol=None, remote_group_id=db["id"], ethertype="IPv6")
    default = network.list("/security-groups", "security_groups", name="default", project_id=tenant.project_id)[0]
    tenant.keep("security_group", "default", default)
    gone = [r for r in default["security_group_rules"] if (r["direction"], r["ethertype"]) == ("ingress", "IPv6")]
    network.delete(f"/security-group-rules/{gone[0]['id']}")
    # echo request: type 8, code 0, where 0 is a value and not "any"
    _rule(tenant, default, protocol="icmp", port_range_min=8, port_range_max=0, description="ping é")


def _ports(tenant: Tenant) -> None:
    front, web, db = (tenant.id("network", "front"), tenant.id("security_group", "web"), None)
    db = tenant.id("security_group", "db")
    port = _make(
        tenant,
        "port",
        "front",
        name=tenant.call("@ Anschluß 'front'"),
        network_id=front,
        mac_address=MACS["front"],
        description="two addresses",
        fixed_ips=[
            {"subnet_id": tenant.id("subnet", "front4"), "ip_address": ADDRESSES["front"][0]},
            {"subnet_id": tenant.id("subnet", "front6"), "ip_address": ADDRESSES["front"][1]},
        ],
        security_groups=[web, db],
        allowed_address_pairs=[{"ip_address": "10.61.0.240", "mac_address": "00:00:5e:00:01:01"}],
        extra_dhcp_opts=[{"opt_name": "bootfile-name", "opt_value": "pxe é.0", "ip_version": 4}],
    )
    _tags(tenant, "ports", port["id"], [tenant.call("@ Anschluß")])
    _make(tenant, "port", "back", name="", network_id=tenant.id("network", "back"), mac_address=MACS["back"],
          fixed_ips=[{"ip_address": ADDRESSES["back"][0]}])  # fmt: skip
    _make(tenant, "port", "failing", name=tenant.call("@ failing"), network_id=front,
          fixed_ips=[{"ip_address": ADDRESSES["failing"][0]}])  # fmt: skip
    _make(tenant, "port", "spare", name=tenant.call("@ spare"), network_id=front, admin_state_up=False,
          security_groups=[], fixed_ips=[{"ip_address": ADDRESSES["spare"][0]}])  # fmt: skip


def _make(tenant: Tenant, kind: str, short: str, **fields: object) -> Json:
    path = "/" + kind.replace("_", "-") + "s"
    return tenant.keep(kind, short, tenant.owner.network.post(path, kind, **fields))


def _rule(tenant: Tenant, group: Json, **fields: object) -> None:
    fields = {"direction": "ingress", "ethertype": "IPv4", "security_group_id": group["id"], **fields}
    tenant.owner.network.post("/security-group-rules", "security_group_rule", **fields)


def _tags(tenant: Tenant, collection: str, id_: str, tags: list[str]) -> None:
    tenant.owner.network.put(f"/{collection}/{id_}/tags", tags=tags)
