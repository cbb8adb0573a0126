"""Servers (Compute API, ``/servers``). Their disks are moved by ``tasks.servers`` and ``tasks.volumes``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing, or_none
from pumphouse.resources.base import ResourceType, Wire, Wires
from pumphouse.resources.compute.server_group import groups_of
from pumphouse.resources.fields import Lookup, carry, refer, report, some, text, unordered
from pumphouse.resources.inventory import Inventory

GIB = 1024**3
#: What Nova takes as a hostname (Compute API, microversion 2.90).
HOSTNAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])")
#: States in which a server holds memory that no API can read.
ASLEEP = ("PAUSED", "SUSPENDED")
#: States in which the root disk is an image.
SHELVED = ("SHELVED", "SHELVED_OFFLOADED")
#: States in which a server can be moved; it ends in the same state in the destination.
MOVABLE = ("ACTIVE", "SHUTOFF", *ASLEEP, *SHELVED)
#: State -> what to do about it; for all others: wait.
REMEDIES = {
    "ERROR": "repair it, or reset its state if it is sound (openstack server set --state active)",
    "RESCUE": "end the rescue (openstack server unrescue)",
    "VERIFY_RESIZE": "confirm or revert the resize",
    "SOFT_DELETED": "restore it, or delete it for good",
    "DELETED": "it is being deleted",
    "UNKNOWN": "bring its host up",
}
#: From here on a server tells its scheduler hints; newer than the client libraries know.
HINTS = (2, 100)
#: Hints that name servers, and those that name hosts, cells or addresses of the source.
HINTS_OF_SERVERS = ("same_host", "different_host")
HINTS_OF_HOSTS = ("build_near_host_ip", "cidr", "target_cell", "query")


#: Marks a server that is being made with the id of the source's: a tag, which guests do not see, or metadata.
MARK = "pumphouse"
MARKED_BY_TAG = (2, 52)
#: Nova's limit of a server's tags.
MOST_TAGS = 50


def mark_of(source_id: str) -> str:
    """The tag."""
    return f"{MARK}:{source_id}"


def plain_hints(value: Any) -> Any:
    """Scheduler hints without ids, which differ between the clouds."""
    return {name: hint for name, hint in (value or {}).items() if name not in ("group", *HINTS_OF_SERVERS)}


def groups(value: Any) -> Any:
    """No group, whether the release tells of groups or not."""
    return unordered(value or [])


def shelf(value: Any) -> Any:
    """Whether a shelved server is on its host still is the cloud's setting."""
    return "SHELVED" if value in SHELVED else value


class Server(ResourceType):
    """A server with its ports and volumes."""

    type = "server"
    adoptable = True
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
        carry("status", "as it was before the move", post=False, fleeting=True, normal=shelf),
        refer("server_groups", "server_group", "its group", at="*", post=False, normal=groups),
        carry("locked", "whether its owner can change it", post=False, normal=bool, fleeting=True),
        carry("locked_reason", "why (from microversion 2.73)", post=False, normal=text, fleeting=True),
        carry(
            "scheduler_hints",
            "what the scheduler was told (readable from microversion 2.100)",
            post=False,
            loose=True,
            normal=plain_hints,
        ),
        report("image", "the root disk comes from a snapshot of the server, not from its image any more"),
        report("addresses", "follows from its ports, each a resource of its own"),
        report("user_id", "the account that Pumphouse works with"),
        report("trusted_image_certificates", "certificates of the source", worth=some),
        report("pinned_availability_zone", "follows from its availability zone"),
        report("OS-EXT-SRV-ATTR:host", "where the destination runs it"),
        report("OS-EXT-SRV-ATTR:hypervisor_hostname", "where the destination runs it"),
        report("OS-EXT-SRV-ATTR:instance_name", "where the destination runs it"),
        refer("OS-EXT-SRV-ATTR:kernel_id", "image", "the kernel that boots it", post=False),
        refer("OS-EXT-SRV-ATTR:ramdisk_id", "image", "the ramdisk that its kernel needs", post=False),
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
        servers = self._whole(cloud, [server.to_dict() for server in found])
        if servers and cloud.microversion("compute") >= HINTS:
            hints = _all_hints(cloud, search)
            servers = [{**server, "scheduler_hints": hints.get(server["id"])} for server in servers]
        return servers

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One server."""
        return or_none(lambda: self._whole(cloud, [self._read(cloud, id_)])[0])

    def _read(self, cloud: Cloud, id_: str) -> Wire:
        server: Wire = cloud.compute.servers.get(id_).to_dict()
        if cloud.microversion("compute") >= HINTS:
            answer = cloud.adapter("compute").get(f"/servers/{id_}", microversion="{}.{}".format(*HINTS))
            server["scheduler_hints"] = answer.json()["server"].get("scheduler_hints")
        return server

    def _whole(self, cloud: Cloud, servers: Wires) -> Wires:
        """With what Nova tells elsewhere.

        Lists, and releases before microversion 2.71, do not show groups. From microversion 2.47 a server shows its
        flavor's values but not its id; the name is unique.
        """
        if any("server_groups" not in server for server in servers):
            groups = groups_of(cloud)
            for server in servers:
                server.setdefault("server_groups", groups.get(server["id"], []))
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
        status = resource["status"]
        if status not in MOVABLE:
            return f"the server is {status}: {REMEDIES.get(status, 'wait until that is done')}"
        if resource.get("OS-EXT-STS:task_state"):
            return f"the server is busy ({resource['OS-EXT-STS:task_state']}): wait until that is done"
        flavor = resource["flavor"]
        if not flavor.get("id"):
            return f"its flavor {flavor.get('original_name')} is gone: resize the server to one that exists"
        if status in SHELVED:
            return self._unshelvable(resource, source)
        return None

    def _unshelvable(self, resource: Wire, source: Inventory) -> str | None:
        if boots_from_volume(resource) or resource.get("os-extended-volumes:volumes_attached"):
            return "the server is shelved and has volumes, which Cinder lends to nobody meanwhile: unshelve it first"
        if shelved_image(source.cloud, resource["id"]) is None:
            return "the server is shelved, but the image of its disk cannot be found: unshelve it first"
        return None

    def hazards(self, resource: Wire) -> Iterator[tuple[str, str]]:
        """Memory, and disks that are in no image."""
        if resource["status"] in ASLEEP:
            yield (
                "memory",
                f"the server is {resource['status']}: what is in its memory cannot be moved (it is woken, "
                "shut down, and booted anew)",
            )
        if resource["flavor"].get("ephemeral"):
            yield "ephemeral", "its flavor has an ephemeral disk, which no API can read: the new server's is empty"

    def losses(self, resource: Wire) -> Iterator[tuple[str, Any, str]]:
        """A hostname that newer releases refuse, too."""
        yield from super().losses(resource)
        field, plain = "OS-EXT-SRV-ATTR:hostname", hostname(resource)
        if resource.get(field) and resource[field] != plain:
            yield field, resource[field], f"newer releases take plain letters only: becomes {plain}"
        if swap := resource["flavor"].get("swap"):
            yield "swap", f"{swap} MiB", "the swap disk is made anew: what it holds stays behind"
        for name in HINTS_OF_HOSTS:
            if hint := (resource.get("scheduler_hints") or {}).get(name):
                yield f"scheduler_hints.{name}", hint, "speaks of the source's hosts"
        for name in HINTS_OF_SERVERS:
            if hint := (resource.get("scheduler_hints") or {}).get(name):
                yield f"scheduler_hints.{name}", hint, "told of those servers only that were moved before"

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """Nothing tells that a server is the same: only a mapping does."""
        return None

    def orphans(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wires:
        """What is marked as the counterpart of the source's server."""
        cloud, mark = inventory.cloud, mark_of(source["id"])
        if cloud.microversion("compute") >= MARKED_BY_TAG:
            found = cloud.compute.servers.list(search_opts={"all_tenants": 1, "tags": mark})
            return [server.to_dict() for server in found]
        listed = cloud.compute.servers.list(search_opts={"all_tenants": 1, "project_id": wanted["tenant_id"]})
        return [s.to_dict() for s in listed if s.metadata.get(MARK) == source["id"]]

    def marks(self, newest: tuple[int, int], source: Wire) -> dict[str, Any]:
        """``tags`` and ``metadata`` that mark a new server as the counterpart of ``source``: see ``orphans``."""
        if newest < MARKED_BY_TAG:
            return {"tags": [], "metadata": {MARK: source["id"]}}
        return {"tags": [mark_of(source["id"])] if len(source.get("tags") or ()) < MOST_TAGS else [], "metadata": {}}

    def unmark(self, cloud: Cloud, id_: str, source_id: str) -> None:
        """It is known by its id now."""
        if cloud.microversion("compute") >= MARKED_BY_TAG:
            with ignore_missing():
                cloud.compute.servers.delete_tag(id_, mark_of(source_id))
        elif MARK in cloud.compute.servers.get(id_).metadata:
            cloud.compute.servers.delete_meta(id_, [MARK])

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Ask for its removal (Nova does it in the background)."""
        with ignore_missing():
            cloud.compute.servers.delete(id_)


def settled(status: str, power: str) -> str:
    """In which state a server is left in the destination. ``power``: "off": none runs, or holds memory."""
    return "SHUTOFF" if power == "off" and status not in SHELVED else status


def hostname(server: Wire) -> str:
    """The hostname, without what the API refuses.

    Older releases made hostnames of any letters; newer ones refuse them, and Neutron refuses their ports.
    """
    name = str(server.get("OS-EXT-SRV-ATTR:hostname") or "")
    if HOSTNAME.fullmatch(name):
        return name
    plain = re.sub(r"[^a-zA-Z0-9-]", "", name)[:63].strip("-")
    return plain or f"server-{server['id']}"


def hints(server: Wire, lookup: Lookup) -> Wire:
    """What to tell the destination's scheduler: its group, and hints that mean something there."""
    told = {
        name: hint for name, hint in plain_hints(server.get("scheduler_hints")).items() if name not in HINTS_OF_HOSTS
    }
    for name in HINTS_OF_SERVERS:
        listed = (server.get("scheduler_hints") or {}).get(name) or []
        others = [lookup("server", id_) for id_ in ([listed] if isinstance(listed, str) else listed)]
        if there := [id_ for id_ in others if id_]:
            told[name] = there
    for group in server.get("server_groups") or ():
        told["group"] = lookup("server_group", group)
    return told


def shelved_image(cloud: Cloud, server_id: str) -> str | None:
    """Id of the image that Nova made of a server's root disk when it shelved it: the newest of that kind."""
    found = [
        image
        for image in cloud.image.images.list(filters={"instance_uuid": server_id, "os_hidden": False})
        if image.get("instance_uuid") == server_id
        and str(image.get("name")).endswith("-shelved")
        and image["status"] == "active"
    ]
    return str(max(found, key=lambda image: str(image.get("created_at")))["id"]) if found else None


def locked_by_its_owner(cloud: Cloud, server: Wire) -> bool:
    """Whether its owner may unlock it: a lock that somebody set from another project is the administrator's."""
    locks = [action for action in cloud.compute.instance_action.list(server["id"]) if action.action == "lock"]
    return not locks or max(locks, key=lambda action: str(action.start_time)).project_id == server["tenant_id"]


def _all_hints(cloud: Cloud, search: dict[str, Any]) -> dict[str, Any]:
    """Server id -> scheduler hints."""
    found: dict[str, Any] = {}
    marker: dict[str, str] = {}
    while True:
        answer = cloud.adapter("compute").get(
            "/servers/detail", params={**search, **marker}, microversion="{}.{}".format(*HINTS)
        )
        page = answer.json()["servers"]
        if not page:
            return found
        found |= {server["id"]: server.get("scheduler_hints") for server in page}
        marker = {"marker": page[-1]["id"]}


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
