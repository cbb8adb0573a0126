"""Disks that become images: snapshots, and servers on the shelf."""

from __future__ import annotations

import json
from typing import Any

from pumphouse.embedded import qcow2
from pumphouse.embedded.compute import schemas
from pumphouse.embedded.compute.devices import boots_from_volume
from pumphouse.embedded.compute.power import SHUTDOWN, Accepted, Power
from pumphouse.embedded.compute.scheduler import NoValidHostError
from pumphouse.embedded.compute.state import Json, now
from pumphouse.embedded.compute.tasks import GivenUpError, TaskError
from pumphouse.embedded.image import records
from pumphouse.embedded.service import RefusedError
from pumphouse.embedded.volume.state import new_snapshot

STEADY = ("active", "stopped", "paused", "suspended")
#: Properties that snapshots do not inherit.
NOT_INHERITED = ("cache_in_nova", "bittorrent", "cinder_encryption_key_id", "cinder_encryption_key_deletion_policy",
                 "img_signature", "img_signature_hash_method", "img_signature_key_type",
                 "img_signature_certificate_uuid")  # fmt: skip


class Images(Power):
    """createImage, shelve, unshelve."""

    # --- snapshots ---

    def create_image(self, server: Json, given: Any) -> Any:
        """Of its root disk; of one that boots from a volume, of all its volumes. A lock does not keep from it."""
        project = server["project_id"]
        self.demand("servers:create_image", project)
        schemas.check(given, schemas.thing(("name",), name=schemas.NAME, metadata=schemas.METADATA))
        self.ready(server, "createImage", STEADY, lock=False)
        if boots_from_volume(server):
            image = self._snapshot_volumes(server, given)
        else:
            image = self._begin_snapshot(server, given["name"], given.get("metadata") or {})
        if self.since(45):
            return {"image_id": image}, 202
        return None, 202, {"Location": f"{self.cloud.image.url}/images/{image}"}

    def _begin_snapshot(self, server: Json, name: str, extra: Json) -> str:
        image = self._queued(server, name, {"image_type": "snapshot", **extra})
        place = self.note(server, "createImage", done=False)
        self.touch(server, task_state="image_snapshot_pending", turn=server["turn"] + 1)
        half = self.cloud.delays["snapshot"] / 2
        arguments = (server["id"], server["turn"], place, image)
        self.cloud.timers.add(half, self.type, "upload", *arguments)
        self.cloud.timers.add(2 * half, self.type, "uploaded", *arguments)
        # Glance is done a moment earlier than Nova.
        self.cloud.timers.add(2.5 * half, self.type, "snapshot_done", *arguments)
        return image

    def upload(self, id_: str, turn: int, place: int, image: str) -> None:
        """Bytes begin to flow."""
        server = self.state.servers.get(id_)
        if server is not None and server["turn"] == turn:
            self.touch(server, task_state="image_uploading")

    def uploaded(self, id_: str, turn: int, place: int, image: str) -> None:
        """All of them are there, or it went wrong: then there is no image."""
        server = self.state.servers.get(id_)
        if server is None or server["turn"] != turn or self.cloud.faults.fails("snapshot"):
            self.cloud.image.delete(image)
            return
        self._fill(server, image)

    def snapshot_done(self, id_: str, turn: int, place: int, image: str) -> None:
        """The server is free again."""
        server = self.state.servers.get(id_)
        if server is None or server["turn"] != turn:
            return
        self.touch(server, task_state=None)
        found = self.cloud.image.find(image)
        failure = None if found and found["status"] == "active" else f"Image {image} could not be found."
        self.noted(server, place, "compute_snapshot_instance", failure)

    def _queued(self, server: Json, name: str, extra: Json) -> str:
        """An image that waits for the root disk. Those from outside the project show it to the project."""
        outside = server["project_id"] != self.token.project_id
        properties = {
            **self._inherited(server),
            "instance_uuid": server["id"],
            "user_id": self.token.user_id,
            **extra,
            **({"instance_owner": server["project_id"]} if outside else {}),
        }
        own = {"name": name, "visibility": "shared" if outside else "private", **server["image_min"]}
        own["min_disk"] = max(own["min_disk"], server["flavor"]["disk"])
        image = self.cloud.image.create(self.token.project_id or "", {**properties, **own})
        if outside:
            member = records.member(image["id"], server["project_id"])
            self.cloud.image.state.images[image["id"]]["members"][server["project_id"]] = member
        return str(image["id"])

    def _inherited(self, server: Json) -> Json:
        kept = {key: value for key, value in server["image_properties"].items() if key not in NOT_INHERITED}
        kept.setdefault("base_image_ref", server["image_id"])
        told = {key: server[key] for key in ("owner_user_name", "owner_project_name", "boot_roles")}
        reason = {"locked_reason": server["locked_reason"]} if server["locked_reason"] else {}
        return {**kept, **told, **reason}

    def _fill(self, server: Json, image: str) -> None:
        blob = self.blob(server["id"])
        if blob is None:
            raise TaskError(f"Instance {server['id']} has no disk")
        parts = {name: server[name] for name in ("kernel_id", "ramdisk_id") if server[name]}
        properties = {"image_location": "snapshot", "image_state": "available", "owner_id": server["project_id"]}
        record = self.cloud.image.state.images.get(image)
        if record is None:
            return
        record |= {"disk_format": "qcow2", "container_format": "bare"}
        record["properties"] |= {**parts, **properties}
        self.cloud.image.fill(image, qcow2.from_raw(self.cloud.blobs, blob))

    def _snapshot_volumes(self, server: Json, given: Json) -> str:
        """An image without bytes, which names snapshots of the volumes."""
        mapping = []
        for one in server["disks"]:
            if not one["volume_id"]:
                continue
            snapshot = self._snapshot_volume(one["volume_id"], f"snapshot for {given['name']}")
            fields = ("boot_index", "delete_on_termination", "guest_format", "tag", "volume_type")
            told = {"source_type": "snapshot", "destination_type": "volume", "snapshot_id": snapshot["id"],
                    "device_name": one["device"], "volume_size": snapshot["size"]}  # fmt: skip
            mapping.append({**{field: one[field] for field in fields}, **told})
        self.note(server, "createImage", "api_snapshot_instance")
        outside = server["project_id"] != self.token.project_id
        properties = {
            **self._inherited(server),
            **(given.get("metadata") or {}),
            "bdm_v2": "True",
            "root_device_name": server["root_device_name"],
            "block_device_mapping": json.dumps(mapping),
        }
        own = {"name": given["name"], "visibility": "shared" if outside else "private", **server["image_min"]}
        image = self.cloud.image.create(self.token.project_id or "", {**properties, **own})
        self.cloud.image.fill(image["id"], self.cloud.blobs.empty(0))
        return str(image["id"])

    def _snapshot_volume(self, id_: str, name: str) -> Json:
        """By force, as the server may run."""
        cinder, project = self.cloud.volume, self.token.project_id or ""
        volume = cinder.find(id_)
        if volume is None:
            raise RefusedError(400, f"Volume {id_} could not be found.")
        cinder.reserve(project, volume["volume_type_id"], snapshots=1, gigabytes=volume["size"])
        snapshot = new_snapshot(volume, self.token.user_id, project, name=name, description=volume["description"])
        cinder.state.snapshots[snapshot["id"]] = snapshot
        cinder.state.of_volume.setdefault(id_, {})[snapshot["id"]] = None
        self.cloud.later("snapshot", cinder, "taken", snapshot["id"])
        return snapshot

    # --- the shelf ---

    def shelve_server(self, server: Json, given: Any) -> Accepted:
        """Off its host; its root disk becomes an image."""
        self.demand("os-shelve:shelve", server["project_id"])
        self.ready(server, "shelve", STEADY)
        place = self.note(server, "shelve", done=False)
        if boots_from_volume(server):
            self.begin(server, "shelving", place, "compute_shelve_offload_instance", "offloaded")
            return None, 202
        image = self._queued(server, f"{server['name']}-shelved", {"image_type": "snapshot"})
        self.begin(server, "shelving", place, "compute_shelve_instance", "shelved", place, image)
        return None, 202

    def shelved(self, server: Json, place: int, image: str) -> None:
        """Its disk is an image; a moment later its host forgets it."""
        self._fill(server, image)
        self.plugged(server, up=False)
        self.touch(server, vm_state="shelved", power_state=SHUTDOWN, shelved_image=image)
        event = "compute_shelve_offload_instance"
        self.begin(server, "shelving_offloading", place, event, "offloaded")

    def offload_server(self, server: Json, given: Any) -> Accepted:
        """Off its host now."""
        rule = "os-shelve:shelve_offload"
        event = "shelve_offload"
        return self._go(server, rule, "shelveOffload", ("shelved",), "shelving_offloading", event, "offloaded")

    def offloaded(self, server: Json) -> None:
        """Nothing is on a host any more; its volumes and ports are kept for it."""
        self.plugged(server, up=False)
        self.move_out(server)
        self.touch(server, vm_state="shelved_offloaded", power_state=SHUTDOWN, root=None)
        self.place_volumes(server)

    def unshelve_server(self, server: Json, given: Any) -> Accepted:
        """Back to a host."""
        self.demand("os-shelve:unshelve", server["project_id"])
        asked = given if isinstance(given, dict) and self.since(77) else {}
        host = asked.get("host") if self.since(91) else None
        self.ready(server, "unshelve", ("shelved", "shelved_offloaded"))
        if asked and server["vm_state"] != "shelved_offloaded":
            message = (
                f'Specifying an availability zone or a host when unshelving server "{server["id"]}" with status '
                f'"{server["vm_state"]}" is not supported. The server status must be SHELVED_OFFLOADED.'
            )
            raise RefusedError(409, message)
        if host:
            self.demand("os-shelve:unshelve_to_host", server["project_id"])
            if host not in self.state.hosts:
                raise RefusedError(400, f"Compute host {host} could not be found.")
        if asked.get("availability_zone") and asked["availability_zone"] not in self._zones():
            raise RefusedError(400, "The requested availability zone is not available")
        if "availability_zone" in asked:
            server["pinned_zone"] = asked["availability_zone"]
        place = self.note(server, "unshelve", done=False)
        self.begin(server, "unshelving", place, "compute_unshelve_instance", "unshelved", host)
        return None, 202

    def unshelved(self, server: Json, host: str | None) -> None:
        """It boots from its image, which is not needed any more."""
        image = server["shelved_image"]
        if server["vm_state"] == "shelved_offloaded":
            try:
                self.move_in(server, self.choose(server, host))
            except NoValidHostError as error:
                raise GivenUpError(str(error)) from None
            blob = self.cloud.image.blob(image) if image else None
            if blob:
                server["root"] = self.new_root(blob, server["flavor"])
            self.place_volumes(server)
            for nic in server["nics"]:
                self.cloud.network.bind(nic["port_id"], server["id"], server["host"])
        if image:
            self.cloud.image.delete(image)
        self.touch(server, launched_at=now(), shelved_image=None)
        self.started(server)
