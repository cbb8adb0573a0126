"""The kinds of resources that are listed: how each is asked for, and what of it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pumphouse.api.clouds.reader import Reader, Wire
from pumphouse.api.clouds.rows import Kind, Pages, Row, shared
from pumphouse.clouds.cloud import Version
from pumphouse.clouds.hypervisors import host_of
from pumphouse.planning.selecting import SERVICE_PROJECTS
from pumphouse.resources.network.port import is_tenants

#: The newest microversions whose form is known here. After the second Nova does not tell how full its hosts are.
COMPUTE: Version = (2, 96)
HOSTS: Version = (2, 87)
#: The first in which a server shows what its flavor is, not just which one.
FLAVOR_INSIDE: Version = (2, 47)
VOLUME: Version = (3, 71)

Make = Callable[[Wire], Row]


def _domains(reader: Reader, _project: str | None) -> Iterator[list[Row]]:
    for page in reader.identity("domains"):
        yield [Row(one["id"], one["name"], None, None, ()) for one in page]


def _projects(reader: Reader, _project: str | None) -> Iterator[list[Row]]:
    own = reader.cloud.project_id
    for page in reader.identity("projects"):
        yield [
            Row(one["id"], one["name"], None, None, (shared(one["domain_id"]), one.get("enabled", True),
                one.get("description") or "", one["name"] in SERVICE_PROJECTS or one["id"] == own))
            for one in page
        ]  # fmt: skip


def _user(wire: Wire) -> Row:
    values = (shared(wire.get("domain_id")), wire.get("email"), wire.get("enabled", True))
    return Row(wire["id"], wire.get("name") or wire["id"], None, None, values)


def _users(reader: Reader, project: str | None) -> Iterator[list[Row]]:
    """All, or those who have a role on a project, by a group or not."""
    if project is None:
        for page in reader.identity("users"):
            yield [_user(one) for one in page]
        return
    query = {"scope.project.id": project, "effective": "", "include_names": ""}
    wanted = {one["user"]["id"]: one["user"] for one in reader.get("identity", "/role_assignments", query)[
        "role_assignments"] if "user" in one}  # fmt: skip
    for page in reader.identity("users") if wanted else ():
        yield [_user(one) for one in page if wanted.pop(one["id"], None)]
        if not wanted:
            return
    # Those whom no list shows: of a domain with a directory of its own, or of another identity provider.
    yield [
        Row(id_, user.get("name") or id_, None, None, (shared((user.get("domain") or {}).get("id")), None, None))
        for id_, user in wanted.items()
    ]


def _groups(reader: Reader, _project: str | None) -> Iterator[list[Row]]:
    for page in reader.identity("groups"):
        yield [
            Row(one["id"], one["name"], None, None, (shared(one["domain_id"]), one.get("description") or ""))
            for one in page
        ]


def _flavors(reader: Reader, _project: str | None) -> Iterator[list[Row]]:
    for page in reader.linked("compute", "/flavors/detail", "flavors", {"is_public": "None"}, COMPUTE):
        yield [
            Row(one["id"], one["name"], None, None, (one["vcpus"], one["ram"], one["disk"],
                one.get("os-flavor-access:is_public", True)))
            for one in page
        ]  # fmt: skip


def _servers(reader: Reader, project: str | None) -> Iterator[list[Row]]:
    flavors: dict[str, tuple[Any, ...]] = {}
    if reader.cloud.clamp("compute", COMPUTE) < FLAVOR_INSIDE:
        flavors = {row.id: (row.name, *row.values[:3]) for page in _flavors(reader, None) for row in page}
    query = {"all_tenants": 1, "project_id": project}
    for page in reader.linked("compute", "/servers/detail", "servers", query, COMPUTE):
        yield [_server(one, flavors) for one in page]


def _server(wire: Wire, flavors: dict[str, tuple[Any, ...]]) -> Row:
    flavor = wire.get("flavor") or {}
    if "original_name" in flavor:
        size = (shared(flavor["original_name"]), flavor.get("vcpus"), flavor.get("ram"), flavor.get("disk"))
    else:
        size = flavors.get(flavor.get("id", ""), (flavor.get("id"), None, None, None))
    addresses = tuple(ip["addr"] for ips in (wire.get("addresses") or {}).values() for ip in ips)
    values = (*size, shared(wire.get("OS-EXT-SRV-ATTR:host")), wire.get("created"), addresses)
    return Row(wire["id"], wire.get("name") or "", wire.get("tenant_id"), wire.get("status"), values)


def _volumes(reader: Reader, project: str | None) -> Iterator[list[Row]]:
    query = {"all_tenants": 1, "project_id": project}
    for page in reader.linked("volume", "/volumes/detail", "volumes", query, VOLUME):
        yield [_volume(one) for one in page]


def _volume(wire: Wire) -> Row:
    attached = tuple(one["server_id"] for one in wire.get("attachments") or () if one.get("server_id"))
    values = (wire.get("size"), shared(wire.get("volume_type")), wire.get("bootable") == "true", attached)
    owner = wire.get("os-vol-tenant-attr:tenant_id")
    return Row(wire["id"], wire.get("name") or "", owner, wire.get("status"), values)


def _volume_types(reader: Reader, _project: str | None) -> Iterator[list[Row]]:
    pages = reader.linked("volume", "/types", "volume_types", {"is_public": "None"}, VOLUME, "volume_type_links")
    for page in pages:
        yield [
            Row(one["id"], one["name"], None, None, (one.get("description") or "", one.get("is_public", True)))
            for one in page
        ]


def _images(reader: Reader, project: str | None) -> Iterator[list[Row]]:
    # Without a visibility Glance leaves out the community images of others; hidden ones are a list of their own.
    for hidden in ("false", "true"):
        for page in reader.images({"visibility": "all", "owner": project, "os_hidden": hidden}):
            yield [_image(one) for one in page]


def _image(wire: Wire) -> Row:
    values = (wire.get("size"), shared(wire.get("disk_format")), shared(wire.get("visibility")))
    return Row(wire["id"], wire.get("name") or "", wire.get("owner"), wire.get("status"), values)


def _neutron(collection: str, fields: tuple[str, ...], values: Callable[[Wire], tuple[Any, ...]]) -> Pages:
    """A collection of Neutron. Only these ``fields`` are asked for: groups come with all their rules otherwise."""
    key = collection.replace("-", "_")

    def pages(reader: Reader, project: str | None) -> Iterator[list[Row]]:
        query = {"project_id": project, "fields": ["id", "name", "project_id", "tenant_id", *fields]}
        for page in reader.linked("network", f"/{collection}", key, query):
            yield [
                Row(one["id"], one.get("name") or "", one.get("project_id") or one.get("tenant_id") or None,
                    one.get("status"), values(one))
                for one in page if collection != "ports" or is_tenants(one)
            ]  # fmt: skip

    return pages


def _network(wire: Wire) -> tuple[Any, ...]:
    return bool(wire.get("shared")), bool(wire.get("router:external")), tuple(wire.get("subnets") or ())


def _subnet(wire: Wire) -> tuple[Any, ...]:
    return shared(wire.get("network_id")), wire.get("cidr"), wire.get("gateway_ip"), wire.get("ip_version")


def _router(wire: Wire) -> tuple[Any, ...]:
    gateway = wire.get("external_gateway_info") or {}
    return shared(gateway.get("network_id")), tuple(
        ip["ip_address"] for ip in gateway.get("external_fixed_ips") or () if ip.get("ip_address")
    )


def _floating_ip(wire: Wire) -> tuple[Any, ...]:
    names = ("floating_ip_address", "fixed_ip_address", "port_id")
    return shared(wire.get("floating_network_id")), *(wire.get(name) for name in names)


def _port(wire: Wire) -> tuple[Any, ...]:
    addresses = tuple(ip["ip_address"] for ip in wire.get("fixed_ips") or ())
    return shared(wire.get("network_id")), wire.get("mac_address"), addresses, wire.get("device_id") or None


def _hosts(reader: Reader, _project: str | None) -> Iterator[list[Row]]:
    for page in reader.linked("compute", "/os-hypervisors/detail", "hypervisors", {}, HOSTS):
        yield [_host(one) for one in page]


def _host(wire: Wire) -> Row:
    numbers = ("running_vms", "vcpus", "vcpus_used", "memory_mb", "memory_mb_used", "local_gb", "local_gb_used")
    reason = (wire.get("service") or {}).get("disabled_reason")
    values = (host_of(wire), shared(wire.get("state")), *(wire.get(name) for name in numbers), reason)
    return Row(str(wire["id"]), wire["hypervisor_hostname"], None, wire.get("status"), values)


#: Those that can be asked for by name.
KINDS: dict[str, Kind] = {
    kind.type: kind
    for kind in (
        Kind("project", "identity", ("domain_id", "enabled", "description", "of_the_cloud"), _projects),
        Kind("user", "identity", ("domain_id", "email", "enabled"), _users, scoped=True),
        Kind("group", "identity", ("domain_id", "description"), _groups),
        Kind(
            "server", "compute", ("flavor", "vcpus", "ram_mib", "disk_gib", "host", "created", "addresses"),
            _servers, scoped=True,
        ),
        Kind("flavor", "compute", ("vcpus", "ram_mib", "disk_gib", "public"), _flavors),
        Kind(
            "volume", "volume", ("size_gib", "volume_type", "bootable", "attached_to"),
            _volumes, scoped=True, weight="size_gib",
        ),
        Kind("volume_type", "volume", ("description", "public"), _volume_types),
        Kind("image", "image", ("size", "disk_format", "visibility"), _images, scoped=True),
        Kind(
            "network", "network", ("shared", "external", "subnets"),
            _neutron("networks", ("status", "shared", "router:external", "subnets"), _network), scoped=True,
        ),
        Kind(
            "subnet", "network", ("network_id", "cidr", "gateway_ip", "ip_version"),
            _neutron("subnets", ("network_id", "cidr", "gateway_ip", "ip_version"), _subnet), scoped=True,
        ),
        Kind(
            "router", "network", ("external_network_id", "external_addresses"),
            _neutron("routers", ("status", "external_gateway_info"), _router), scoped=True,
        ),
        Kind(
            "floating_ip", "network", ("network_id", "address", "fixed_address", "port_id"),
            _neutron(
                "floatingips",
                ("status", "floating_network_id", "floating_ip_address", "fixed_ip_address", "port_id"), _floating_ip,
            ), scoped=True,
        ),
        Kind(
            "security_group", "network", ("description",),
            _neutron("security-groups", ("description",), lambda wire: (wire.get("description") or "",)), scoped=True,
        ),
        Kind(
            "port", "network", ("network_id", "mac_address", "addresses", "server_id"),
            _neutron("ports", ("status", "network_id", "mac_address", "fixed_ips", "device_id", "device_owner"), _port),
            scoped=True,
        ),
    )
}  # fmt: skip
#: Those, and what only other answers are made of.
ALL: dict[str, Kind] = {
    **KINDS,
    "domain": Kind("domain", "identity", (), _domains),
    "host": Kind(
        "host",
        "compute",
        ("host", "state", "servers", "vcpus", "vcpus_used", "memory_mb", "memory_mb_used", "local_gb", "local_gb_used",
         "disabled_reason"),
        _hosts,
    ),
}  # fmt: skip
