"""The cutover of a server: stop, snapshot, boot, settle. Its volumes and ports are moved by other tasks."""

from __future__ import annotations

import base64
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.errors import CloudError
from pumphouse.resources.base import Wire
from pumphouse.resources.compute.server import (
    ASLEEP,
    MOVABLE,
    SHELVED,
    Server,
    boots_from_volume,
    device_tags,
    hints,
    hostname,
    locked_by_its_owner,
    settled,
    shelved_image,
)
from pumphouse.store import notes
from pumphouse.tasks import making
from pumphouse.tasks.base import Task, anew
from pumphouse.tasks.context import Context, delete_and_wait
from pumphouse.tasks.server_states import bring, wait_idle, wait_server
from pumphouse.tasks.volumes import wait_image

SERVER = Server()
#: Seconds before a source server is started again whose start has failed.
RESTART_PAUSES = (2.0, 10.0, 30.0)


class NoteServer(Task):
    """Remember how the server is before anything is done to it."""

    def __init__(self, server_id: str, accepted: Collection[str] = ()) -> None:
        """``server_id`` in the source; ``accepted``: what of it may be lost."""
        super().__init__(server_id)
        self.id = server_id
        self.accepted = accepted

    def execute(self, context: Context) -> None:
        """Raises CloudError if it can no longer be moved."""
        server = context.look("server", self.id)
        states = [state for state in MOVABLE if state not in ASLEEP or "memory" in self.accepted]
        if server["status"] not in states or server.get("OS-EXT-STS:task_state"):
            state = server.get("OS-EXT-STS:task_state") or server["status"]
            raise CloudError(f"server {server['name']} has become {state} since the plan was made")

    def undo(self, context: Context) -> None:
        """It is as it was, so there is nothing to remember."""
        noted, now = context.noted("server", self.id), SERVER.get(context.source, self.id)
        if noted and now and now["status"] == noted["status"]:
            context.forget("server", self.id)


class StopServer(Task):
    """Stop the source server, so that its disks stand still. Undone: it runs again, if it ran before."""

    def __init__(self, server_id: str) -> None:
        """``server_id`` in the source."""
        super().__init__(server_id, provides="stopped_at")
        self.id = server_id

    def execute(self, context: Context) -> float:
        """Returns when (seconds since the epoch) its downtime began; 0 for one that was off already."""
        server = context.was("server", self.id)
        if server["status"] in ("SHUTOFF", *SHELVED):
            return 0.0
        context.step(f"stopping server {server['name']}")
        began = float(context.once(notes.STOPPED, "server", self.id, time.time()))
        bring(context.source, self.id, "SHUTOFF", context.abandon.is_set)
        return began if server["status"] == "ACTIVE" else 0.0

    def undo(self, context: Context) -> None:
        """Start it again, if it ran before we came."""
        before = context.noted("server", self.id)
        if before is None or before["status"] not in ("ACTIVE", *ASLEEP):
            return
        now = SERVER.get(context.source, self.id)
        if now is None or now["status"] == before["status"]:
            return
        context.step(f"starting server {now['name']} of the source again")
        for seconds in (*RESTART_PAUSES, None):
            try:
                bring(context.source, self.id, before["status"])
                break
            except CloudError:
                # Its host may not have let go of the disks yet.
                if seconds is None:
                    raise
                time.sleep(seconds)


class SnapshotServer(Task):
    """Have the source's Nova write the root disk into an image; a root disk that is a volume needs none."""

    def __init__(self, server_id: str, provides: str) -> None:
        """``provides``: the name under which the image's id is given on."""
        super().__init__(server_id, provides=provides)
        self.id = server_id

    def execute(self, context: Context) -> str:
        """Returns the image's id in the source, or "" if there is nothing to take."""
        server = context.was("server", self.id)
        if boots_from_volume(server) or context.lookup("server", self.id):
            return ""
        if server["status"] in SHELVED:
            if image := shelved_image(context.source, self.id):
                return image
            raise CloudError(f"the image of the shelved server {self.id} has gone from the source")
        context.step("taking a snapshot of the root disk")
        return anew(context, lambda: self._snapshot(context))

    def _snapshot(self, context: Context) -> str:
        name = context.temporary_name("root", self.id)
        image_id = context.temporary(
            "source",
            "image",
            name,
            lambda: str(context.source.compute.servers.create_image(self.id, name)),
            usable=lambda image: self._comes(context, image),
        )
        wait_image(context, context.source, image_id, lambda image: self._comes(context, image))
        wait_idle(context.source, self.id)
        return image_id

    def undo(self, context: Context) -> None:
        """Nova must be done with the disk before the server runs again."""
        if SERVER.get(context.source, self.id):
            wait_idle(context.source, self.id)

    def _comes(self, context: Context, image: Wire) -> bool:
        """Whether a snapshot that an interrupted run began has its bytes, or Nova is still at it."""
        if image["status"] in ("queued", "saving"):
            server = SERVER.get(context.source, self.id) or {}
            return bool(server.get("OS-EXT-STS:task_state"))
        return bool(image["status"] == "active")


class BootServer(Task):
    """Make the server in the destination, from its disks and ports, and see it ACTIVE."""

    def __init__(self, server_id: str, ports: list[str], root_image: str) -> None:
        """``ports``: ids in the source, in order; ``root_image``: the name under which the image's id is given."""
        super().__init__(server_id, rebind={"root_image_id": root_image})
        self.id = server_id
        self.makes = ("server", server_id)
        self.ports = ports

    def execute(self, context: Context, stopped_at: float, root_image_id: str) -> str:
        """Returns its id in the destination; its downtime, if it had one, ends here."""
        there = anew(context, lambda: self._boot(context, root_image_id), lambda: self.undo(context))
        downtime = time.time() - stopped_at if stopped_at else 0.0
        context.store.update_unit(context.migration_id, context.unit, downtime=downtime)
        return there

    def _boot(self, context: Context, root_image_id: str) -> str:
        source = context.was("server", self.id)
        cloud = self._project(context)
        there = context.lookup("server", self.id)
        if not there:
            context.step(f"booting server {source['name']}")
            wanted = SERVER.translate(source, context.lookup)
            there = making.make(
                context, SERVER, context.destination, source, wanted,
                lambda: self._create(context, cloud, source, wanted, root_image_id),
            )  # fmt: skip
        wait_server(cloud, there, "ACTIVE", context.abandon.is_set)
        SERVER.unmark(cloud, there, self.id)
        return there

    def undo(self, context: Context) -> None:
        """Remove it, and wait until it is gone: it holds the ports and volumes that are undone next."""
        if there := context.mine("server", self.id):
            delete_and_wait(SERVER, context.destination, there)
            context.store.unmap(context.pair, "server", self.id)
        elif source := SERVER.get(context.source, self.id):
            making.clear(context, SERVER, context.destination, source, lambda: SERVER.translate(source, context.lookup))

    def _project(self, context: Context) -> Cloud:
        project = context.was("server", self.id)["tenant_id"]
        return context.destination.as_project(context.counterpart("project", project))

    def _create(self, context: Context, cloud: Cloud, source: Wire, wanted: Wire, root_image_id: str) -> Wire:
        newest = context.destination.microversion("compute")
        marks = SERVER.marks(newest, source)
        tags = device_tags(context.source, self.id) if newest >= (2, 42) else {}
        options: dict[str, Any] = {
            "meta": {**(wanted.get("metadata") or {}), **marks["metadata"]},
            "block_device_mapping_v2": self._disks(context, source, tags) or None,
            "nics": [self._nic(context, port, tags) for port in self.ports] or "none",
            "config_drive": bool(wanted.get("config_drive")),
            "disk_config": wanted.get("OS-DCF:diskConfig"),
            "access_ip_v4": wanted.get("accessIPv4") or None,
            "access_ip_v6": wanted.get("accessIPv6") or None,
            "availability_zone": context.zone("compute", _zone(wanted, source)),
        }
        if told := hints(source, context.lookup):
            options["scheduler_hints"] = told
        if user_data := wanted.get("OS-EXT-SRV-ATTR:user_data"):
            options["userdata"] = base64.b64decode(user_data)
        for option, value, since in (
            ("description", wanted.get("description"), (2, 19)),
            ("tags", [*(wanted.get("tags") or ()), *marks["tags"]], (2, 52)),
            ("hostname", hostname(source), (2, 90)),
        ):
            if newest >= since and value:
                options[option] = value
        with borrowed_key(context, cloud, source) as key_name:
            made = cloud.compute.servers.create(
                wanted["name"],
                image=root_image_id or None,
                flavor=wanted["flavor"]["id"],
                key_name=key_name,
                **options,
            )
        return {"id": made.id}

    def _nic(self, context: Context, port: str, tags: dict[str, str]) -> Wire:
        nic = {"port-id": context.counterpart("port", port)}
        return {**nic, "tag": tags[port]} if port in tags else nic

    def _disks(self, context: Context, source: Wire, tags: dict[str, str]) -> list[Wire]:
        """block_device_mapping_v2: the volumes in the order of their devices (novaclient adds the image)."""
        disks: list[Wire] = []
        for volume, flags in in_device_order(context, source):
            root = boots_from_volume(source) and not disks
            disks.append(
                {
                    "boot_index": "0" if root else "-1",
                    "uuid": context.counterpart("volume", volume["id"]),
                    "source_type": "volume",
                    "destination_type": "volume",
                    "device_name": _device(volume, source["id"]),
                    "delete_on_termination": bool(flags.get("delete_on_termination")),
                    **({"tag": tags[volume["id"]]} if volume["id"] in tags else {}),
                }
            )
        return disks


class SettleServer(Task):
    """Nova boots every new server; this one is brought to the state that it is to have, and locked."""

    def __init__(self, server_id: str) -> None:
        """``server_id`` in the source."""
        super().__init__(server_id)
        self.id = server_id

    def execute(self, context: Context) -> None:
        """Off, paused, suspended, shelved; then the lock, as its owner's or as the administrator's."""
        server = context.was("server", self.id)
        there = context.counterpart("server", self.id)
        # What it is shelved in belongs to the project from which that is done.
        inside = context.destination.as_project(context.counterpart("project", server["tenant_id"]))
        wanted = settled(server["status"], context.power)
        if wanted != "ACTIVE":
            why = "as it was" if wanted == server["status"] else "as was asked for"
            context.step(f"bringing server {server['name']} to {wanted}, {why}")
            bring(inside, there, wanted, context.abandon.is_set)
        if server.get("locked"):
            context.step(f"locking server {server['name']}, as it was")
            by = inside if locked_by_its_owner(context.source, server) else context.destination
            reason = {"reason": server["locked_reason"]} if server.get("locked_reason") else {}
            by.compute.servers.lock(there, **reason)


def _zone(wanted: Wire, source: Wire) -> str | None:
    """The zone to ask for: none for a server that was bound to none (which is told from microversion 2.96 on)."""
    if source.get("pinned_availability_zone", ...) is None:
        return None
    zone: str | None = wanted.get("OS-EXT-AZ:availability_zone")
    return zone


def in_device_order(context: Context, server: Wire) -> list[tuple[Wire, Wire]]:
    """(volume, its entry in volumes_attached) of a server; the root volume first, then by device name."""
    root = server.get("OS-EXT-SRV-ATTR:root_device_name")
    attached = []
    for entry in server.get("os-extended-volumes:volumes_attached") or ():
        attached.append((context.was("volume", entry["id"]), entry))

    def place(pair: tuple[Wire, Wire]) -> tuple[bool, int, str]:
        device = _device(pair[0], server["id"]) or ""
        return device != root, len(device), device

    return sorted(attached, key=place)


def _device(volume: Wire, server_id: str) -> str | None:
    for attachment in volume.get("attachments") or ():
        if attachment["server_id"] == server_id:
            return str(attachment["device"])
    return None


#: Key pairs are looked up for the account that makes the request: one at a time may be ours under a name.
_KEYS = Lock()


@contextmanager
def borrowed_key(context: Context, cloud: Cloud, server: Wire) -> Iterator[str | None]:
    """Let a server be made with the key pair of another user.

    Nova looks a key pair up among those of the user who asks, which is our account. The owner's key is ours,
    under its name, for as long as the request takes; the server keeps a copy. Raises CloudError if our account
    has another key of that name.
    """
    name = server.get("key_name")
    owner = context.lookup("keypair", f"{server.get('user_id')}/{name}") if name else None
    if not (name and owner):
        yield None
        return
    keypairs = cloud.compute.keypairs
    with _KEYS:
        user, _, _ = owner.partition("/")
        if user == cloud.user_id:
            yield name
            return
        theirs = keypairs.get(name, user_id=user)
        ours = next((key for key in keypairs.list() if key.name == name), None)
        if ours is not None and ours.fingerprint != theirs.fingerprint:
            raise CloudError(
                f"the account {cloud.user_id} of the destination has a key pair {name!r} of its own: rename it"
            )
        if ours is not None:
            yield name
            return
        whole, id_ = context.of_migration(), f"{cloud.user_id}/{name}"
        whole.note_temporary("destination", "keypair", id_, name)
        try:
            keypairs.create(name, theirs.public_key, key_type=getattr(theirs, "type", "ssh"))
            yield name
        finally:
            whole.remove_temporaries(id_)
