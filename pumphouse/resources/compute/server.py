"""Servers (Compute API, ``/servers``). Their disks are moved by ``tasks.servers`` and ``tasks.volumes``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing, or_none
from pumphouse.resources.base import ResourceType, Wire, Wires
from pumphouse.resources.fields import carry, refer, report, some, unordered
from pumphouse.resources.inventory import Inventory

GIB = 1024**3
#: What Nova takes as a hostname (Compute API, microversion 2.90).
HOSTNAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])")
#: States in which a server can be moved; it ends in the same state in the destination.
MOVABLE = ("ACTIVE", "SHUTOFF")


class Server(ResourceType):
    """A server with its ports and volumes."""

    type = "server"
    unit = "server"
    owned = True
    soft = frozenset({"keypair"})
    fields = (
        report("id", "chosen by the destination"),
        carry("name", "not unique"),
        refer("tenant_id", "project", "the project that owns it"),
        refer("flavor", "flavor", "its size", at="id"),
        refer(
            "os-extended-volumes:volumes_attached",
            "volume",
            "its volumes",
            at="*.id",
            post=False,
            normal=unordered,
        ),
        carry("metadata", "keys and values of its owner"),
        carry("tags", "simple labels (from microversion 2.26)", normal=unordered),
        carry("description", "free text (from microversion 2.19)"),
        carry("OS-EXT-SRV-ATTR:user_data", "told to cloud-init", secret=True),
        carry("config_drive", "whether the metadata are on a drive too", normal=bool),
        carry("key_name", "the key pair of its user, if he still has it", loose=True),
        carry("security_groups", "names of what may pass its ports", post=False, normal=unordered),
        carry(
            "OS-EXT-AZ:availability_zone", "kept where the destination has it", loose=True, names="availability_zones"
        ),
        carry("OS-EXT-SRV-ATTR:root_device_name", "the root disk's device", post=False),
        carry(
            "OS-EXT-SRV-ATTR:hostname",
            "what the guest is told to be called (from microversion 2.90)",
            loose=True,
        ),
        carry("OS-DCF:diskConfig", "AUTO or MANUAL"),
        carry("accessIPv4", "an address told to others"),
        carry("accessIPv6", "an address told to others"),
        carry("status", "ACTIVE or SHUTOFF, as it was before the move", post=False, fleeting=True),
        report("image", "the root disk comes from a snapshot of the server, not from its image any more"),
        report("addresses", "follows from its ports, each a resource of its own"),
        report("user_id", "the account that Pumphouse works with"),
        report("locked", "locks are not carried yet", worth=bool),
        report("locked_reason", "locks are not carried yet", worth=some),
        report("trusted_image_certificates", "certificates of the source", worth=some),
        report("server_groups", "server groups are not carried yet", worth=some),
        report("scheduler_hints", "hints are not carried yet", worth=some),
        report("pinned_availability_zone", "follows from its availability zone"),
        report("OS-EXT-SRV-ATTR:host", "where the destination runs it"),
        report("OS-EXT-SRV-ATTR:hypervisor_hostname", "where the destination runs it"),
        report("OS-EXT-SRV-ATTR:instance_name", "where the destination runs it"),
        report("OS-EXT-SRV-ATTR:kernel_id", "kernel images are not carried yet", worth=some),
        report("OS-EXT-SRV-ATTR:ramdisk_id", "kernel images are not carried yet", worth=some),
        report("OS-EXT-SRV-ATTR:launch_index", "of the source's request"),
        report("OS-EXT-SRV-ATTR:reservation_id", "of the source's request"),
        report("OS-EXT-STS:power_state", "follows from its status"),
        report("OS-EXT-STS:task_state", "of the moment"),
        report("OS-EXT-STS:vm_state", "follows from its status"),
        report("OS-SRV-USG:launched_at", "a time in the source"),
        report("OS-SRV-USG:terminated_at", "a time in the source"),
        report("host_status", "of the source's host"),
        report("hostId", "where the destination runs it"),
        report("progress", "of the moment"),
        report("fault", "of the moment"),
        report("created", "a time in the source"),
        report("updated", "a time in the source"),
        report("links", "addresses in the source's API"),
    )

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """All servers, or a project's."""
        search: dict[str, Any] = {"all_tenants": 1}
        if scope.get("project_id"):
            search["project_id"] = scope["project_id"]
        found = cloud.compute.servers.list(detailed=True, search_opts=search, limit=-1)
        return self._with_flavor_ids(cloud, [server.to_dict() for server in found])

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One server."""
        server = or_none(lambda: cloud.compute.servers.get(id_).to_dict())
        return self._with_flavor_ids(cloud, [server])[0] if server else None

    def _with_flavor_ids(self, cloud: Cloud, servers: Wires) -> Wires:
        """From microversion 2.47 a server shows its flavor's values but not its id; the name is unique."""
        if all("id" in server["flavor"] for server in servers):
            return servers
        ids = {f.name: f.id for f in cloud.compute.flavors.list(is_public=None, limit=None)}
        for server in servers:
            server["flavor"]["id"] = ids.get(server["flavor"].get("original_name"))
        return servers

    def references(self, resource: Wire) -> Iterator[tuple[str, str]]:
        """A key pair is found by its user's id and its name."""
        yield from super().references(resource)
        if resource.get("key_name") and resource.get("user_id"):
            yield "keypair", f"{resource['user_id']}/{resource['key_name']}"

    def size(self, resource: Wire) -> int:
        """The root disk, unless it is a volume: the most that can be moved (holes are not)."""
        return int(resource["flavor"].get("disk") or 0) * GIB if resource.get("image") else 0

    def obstacle(self, resource: Wire, source: Inventory, destination: Inventory) -> str | None:
        """States and disks that cannot be moved."""
        if resource["status"] not in MOVABLE:
            return f"the server is {resource['status']}: bring it to {' or '.join(MOVABLE)}"
        if resource.get("OS-EXT-STS:task_state"):
            return f"the server is busy ({resource['OS-EXT-STS:task_state']}): wait until that is done"
        flavor = resource["flavor"]
        if not flavor.get("id"):
            return f"its flavor {flavor.get('original_name')} is gone: resize the server to one that exists"
        if flavor.get("ephemeral") or flavor.get("swap"):
            return "the flavor has an ephemeral or swap disk, which no API can read: resize the server to one without"
        return None

    def losses(self, resource: Wire) -> Iterator[tuple[str, Any, str]]:
        """A hostname that newer releases refuse, too."""
        yield from super().losses(resource)
        field, plain = "OS-EXT-SRV-ATTR:hostname", hostname(resource)
        if resource.get(field) and resource[field] != plain:
            yield field, resource[field], f"newer releases take plain letters only: becomes {plain}"

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """Nothing tells that a server is the same: only a mapping does."""
        return None

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Ask for its removal (Nova does it in the background)."""
        with ignore_missing():
            cloud.compute.servers.delete(id_)


def hostname(server: Wire) -> str:
    """The hostname, without what the API refuses.

    Older releases made hostnames of any letters; newer ones refuse them, and Neutron refuses their ports.
    """
    name = str(server.get("OS-EXT-SRV-ATTR:hostname") or "")
    if HOSTNAME.fullmatch(name):
        return name
    plain = re.sub(r"[^a-zA-Z0-9-]", "", name)[:63].strip("-")
    return plain or f"server-{server['id']}"


def boots_from_volume(server: Wire) -> bool:
    """A server that was not booted from an image shows "" in its place."""
    return not server.get("image")


def device_tags(cloud: Cloud, server_id: str) -> dict[str, str]:
    """Port or volume id -> the tag that tells it to the guest (shown from microversion 2.70 on)."""
    if cloud.microversion("compute") < (2, 70):
        return {}
    nova = cloud.compute
    tags = {nic.port_id: nic.tag for nic in nova.servers.interface_list(server_id)}
    tags |= {disk.volumeId: disk.tag for disk in nova.volumes.get_server_volumes(server_id)}
    return {id_: tag for id_, tag in tags.items() if tag}


def ports_in_order(server: Wire, ports: Wires) -> Wires:
    """A server's ports as its guest sees them: Nova shows their MACs in that order under "addresses"."""
    shown = [ip.get("OS-EXT-IPS-MAC:mac_addr") for ips in server.get("addresses", {}).values() for ip in ips]
    order = {mac: place for place, mac in reversed(list(enumerate(shown)))}
    return sorted(ports, key=lambda port: (order.get(port["mac_address"], len(order)), port["created_at"], port["id"]))
