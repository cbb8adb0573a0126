"""Servers on their way to other hosts and other sizes, and the records of it (``os-migrations``)."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request

from pumphouse.embedded.compute import schemas
from pumphouse.embedded.compute.devices import boots_from_volume
from pumphouse.embedded.compute.flavors import EPHEMERAL, Flavors
from pumphouse.embedded.compute.images import Images
from pumphouse.embedded.compute.power import Accepted
from pumphouse.embedded.compute.scheduler import NoValidHostError
from pumphouse.embedded.compute.state import Json, long, now
from pumphouse.embedded.compute.tasks import GivenUpError, TaskError
from pumphouse.embedded.service import RefusedError, paged, route

HOST_OR_NULL = {**schemas.HOST, "type": ["string", "null"]}
#: Of a live migration that has not ended.
GOING_ON = ("queued", "preparing", "running", "post-migrating")
#: How the record of each kind begins.
FIRST = {"live-migration": "queued", "evacuation": "accepted", "migration": "pre-migrating", "resize": "pre-migrating"}


class Moving(Flavors, Images):
    """resize, migrate, os-migrateLive, evacuate."""

    # --- resize, and migration of a server that is off meanwhile ---

    def resize_server(self, server: Json, given: Any) -> Accepted:
        """To another flavor, on another host."""
        reference = {"type": ["string", "integer"], "minLength": 1}
        properties = {"flavorRef": reference, "OS-DCF:diskConfig": schemas.DISK_CONFIG}
        schemas.check(given, schemas.thing(("flavorRef",), **properties))
        project = server["project_id"]
        self.demand("servers:resize", project)
        self.ready(server, "resize", ("active", "stopped"))
        flavor = self._other_flavor(server, str(given["flavorRef"]))
        self.room_to_grow(project, server["flavor"], flavor)
        place = self.note(server, "resize", done=False)
        record = self._record_move(server, "resize", server["flavor"], flavor)
        self.begin(server, "resize_prep", place, "compute_finish_resize", "resized", flavor, None, record["id"])
        return None, 202

    def _other_flavor(self, server: Json, id_: str) -> Json:
        try:
            found = self.flavor(id_)
        except RefusedError as error:
            raise RefusedError(400, error.message) from None
        if found["id"] == server["flavor"]["id"]:
            raise RefusedError(400, "When resizing, instances must change flavor!")
        if not found["disk"] and server["flavor"]["disk"] and not boots_from_volume(server):
            reason = "Resize to zero disk flavor is not allowed."
            raise RefusedError(400, f"Server disk was unable to be resized because: {reason}")
        kept = {name: found[name] for name in ("id", "name", "ram", "vcpus", "disk", "swap")}
        return {**kept, "ephemeral": found[EPHEMERAL], "extra_specs": dict(found["extra_specs"])}

    def migrate_server(self, server: Json, given: Any) -> Accepted:
        """To another host, switched off meanwhile."""
        host = None
        if self.since(56):
            schemas.check(given, {**schemas.thing((), host=HOST_OR_NULL), "type": ["object", "null"]})
            host = (given or {}).get("host")
        rule = "os-migrate-server:migrate:host" if host else "os-migrate-server:migrate"
        self.demand(rule, server["project_id"])
        self.ready(server, "migrate", ("active", "stopped"))
        if host is not None and host not in self.state.hosts:
            raise RefusedError(400, f"Compute host {host} could not be found.")
        if host is not None and host == server["host"]:
            raise RefusedError(400, "Cannot migrate to the host where the server exists.")
        place = self.note(server, "migrate", done=False)
        flavor = dict(server["flavor"])
        record = self._record_move(server, "migration", flavor, flavor)
        self.begin(server, "resize_prep", place, "compute_finish_resize", "resized", flavor, host, record["id"])
        return None, 202

    def resized(self, server: Json, flavor: Json, host: str | None, record_id: int) -> None:
        """It is on the other host, with the other flavor; both places are its own until somebody says which."""
        record = self.state.migrations[record_id]
        before = {"host": server["host"], "flavor": server["flavor"], "vm_state": server["vm_state"],
                  "root": dict(server["root"]) if server["root"] else None}  # fmt: skip
        server["flavor"] = flavor
        try:
            chosen = self.choose(server, host, avoid=(server["host"],))
        except NoValidHostError as error:
            server["flavor"] = before["flavor"]
            self._moved(record, "error")
            raise GivenUpError(str(error)) from None
        self.use(server["project_id"], before["flavor"], -1)
        self.use(server["project_id"], flavor)
        self._go_to(server, chosen, keep=True)
        if server["root"] is not None and flavor["disk"]:
            server["root"]["size"] = max(server["root"]["size"], flavor["disk"] << 30)
        self._moved(record, "finished", chosen)
        self.touch(server, vm_state="resized", before=before, launched_at=now())
        if before["vm_state"] == "active":
            self.boot(server)

    def confirm_resize(self, server: Json, given: Any) -> Accepted:
        """It stays there."""
        self.demand("servers:confirm_resize", server["project_id"])
        self.ready(server, "confirmResize", ("resized",))
        self.note(server, "confirmResize", "compute_confirm_resize")
        before = server["before"]
        self.occupy(before["host"], self.needs(server, before["flavor"]), -1)
        self._moved(self._last_move(server), "confirmed")
        self.touch(server, vm_state=before["vm_state"], before=None)
        return None, 204

    def revert_resize(self, server: Json, given: Any) -> Accepted:
        """It goes back."""
        self.demand("servers:revert_resize", server["project_id"])
        self.ready(server, "revertResize", ("resized",))
        place = self.note(server, "revertResize", done=False)
        self.begin(server, "resize_reverting", place, "compute_finish_revert_resize", "reverted")
        return None, 202

    def reverted(self, server: Json) -> None:
        """It is where it was, with the disk that it had."""
        before = server["before"]
        self.use(server["project_id"], server["flavor"], -1)
        self.use(server["project_id"], before["flavor"])
        self.move_out(server)
        server["flavor"], server["host"], server["root"] = before["flavor"], before["host"], before["root"]
        self.state.hosts[before["host"]]["servers"][server["id"]] = None
        self.place_volumes(server)
        self._rebind(server)
        self._moved(self._last_move(server), "reverted")
        self.touch(server, vm_state=before["vm_state"], before=None)
        if before["vm_state"] == "active":
            self.started(server)

    # --- while it runs, and from a host that is lost ---

    def migrate_live(self, server: Json, given: Any) -> Accepted:
        """To another host, without a pause."""
        self._check_live(given)
        host = given["host"]
        rule = "os-migrate-server:migrate_live:host" if host else "os-migrate-server:migrate_live"
        self.demand(rule, server["project_id"])
        self.ready(server, "os-migrateLive", ("active", "paused"))
        if host and host not in self.state.hosts:
            raise RefusedError(400, f"Compute host {host} could not be found.")
        place = self.note(server, "live-migration", done=False)
        event = "compute_live_migration"
        record = self._record_move(server, "live-migration", server["flavor"], server["flavor"])
        self.begin(server, "migrating", place, event, "live_migrated", host, record["id"])
        return None, 202

    def _check_live(self, given: Any) -> None:
        block = schemas.BOOLEAN
        if self.since(25):
            block = {**block, "enum": [*block["enum"], "auto"]}
        properties: dict[str, Any] = {"block_migration": block, "host": HOST_OR_NULL}
        if not self.since(25):
            properties["disk_over_commit"] = schemas.BOOLEAN
        required = tuple(properties)
        if self.since(30) and not self.since(68):
            properties["force"] = schemas.BOOLEAN
        schemas.check(given, schemas.thing(required, **properties))
        if schemas.truth(given.get("force", False)) and not given["host"]:
            raise RefusedError(400, "Can't force to a non-provided destination")

    def live_migrated(self, server: Json, host: str | None, record_id: int) -> None:
        """It runs on the other host."""
        record = self.state.migrations[record_id]
        try:
            chosen = self.choose(server, host, avoid=(server["host"],))
        except NoValidHostError as error:
            self._moved(record, "error")
            raise GivenUpError(str(error)) from None
        if self.cloud.faults.fails("migration"):
            # As when libvirt gives up: the server runs on, and no event tells why.
            self._moved(record, "failed", chosen)
            return
        self._go_to(server, chosen)
        # The server is there a moment before its record says so.
        self._moved(record, "running", chosen)
        self.cloud.later("server", self, "live_ended", record_id)

    def live_ended(self, record_id: int) -> None:
        """The record says so, too."""
        self._moved(self.state.migrations[record_id], "completed")

    def evacuate_server(self, server: Json, given: Any) -> Any:
        """To another host, as its own is down."""
        properties: dict[str, Any] = {"host": schemas.HOST, "adminPass": {"type": "string"}}
        if not self.since(14):
            properties["onSharedStorage"] = schemas.BOOLEAN
        if self.since(29) and not self.since(68):
            properties["force"] = schemas.BOOLEAN
        schemas.check(given, schemas.thing((), **properties))
        self.demand("os-evacuate", server["project_id"])
        host = given.get("host")
        if host is not None and host not in self.state.hosts:
            raise RefusedError(404, f"Compute host {host} not found.")
        if host is not None and host == server["host"]:
            raise RefusedError(400, "The target host can't be the same one.")
        self.ready(server, "evacuate", ("active", "stopped", "error"), tasks=None, lock=False)
        if server["host"] and self.is_up(server["host"]):
            raise RefusedError(400, f"Compute service of {server['host']} is still in use.")
        place = self.note(server, "evacuate", done=False)
        record = self._record_move(server, "evacuation", server["flavor"], server["flavor"])
        stay_off = self.since(95) or server["vm_state"] == "stopped"
        self.begin(server, "rebuilding", place, "compute_rebuild_instance", "evacuated", host, record["id"], stay_off)
        return ({"adminPass": server["id"][:12]}, 200) if not self.since(14) else (None, 200)

    def evacuated(self, server: Json, host: str | None, record_id: int, stay_off: bool) -> None:
        """Its disk is shared storage's: it is as it was."""
        record = self.state.migrations[record_id]
        try:
            chosen = self.choose(server, host, avoid=(server["host"],))
        except NoValidHostError as error:
            self._moved(record, "error")
            raise TaskError(str(error)) from None
        self._go_to(server, chosen)
        self._moved(record, "done", chosen)
        if stay_off:
            self.stopped(server)
        else:
            self.started(server)

    # --- rebuild ---

    def rebuild_server(self, server: Json, given: Any) -> Any:
        """A new root disk, of an image."""
        properties: dict[str, Any] = {
            "imageRef": schemas.UUID, "name": schemas.NAME, "metadata": schemas.METADATA,
            "adminPass": {"type": "string"}, "preserve_ephemeral": schemas.BOOLEAN,
            "OS-DCF:diskConfig": schemas.DISK_CONFIG, "accessIPv4": {"type": "string"},
            "accessIPv6": {"type": "string"}, "description": schemas.DESCRIPTION, "key_name": schemas.NAME_OR_NULL,
            "user_data": {"type": ["string", "null"]}, "hostname": schemas.HOSTNAME,
        }  # fmt: skip
        schemas.check(given, schemas.thing(("imageRef",), **properties))
        self.demand("servers:rebuild", server["project_id"])
        self.ready(server, "rebuild", ("active", "stopped", "error"))
        image = self.cloud.image.visible(given["imageRef"])
        if image is None:
            raise RefusedError(400, "Cannot find image for rebuild")
        if boots_from_volume(server):
            raise RefusedError(400, "Unable to rebuild with a different image for a volume-backed server.")
        place = self.note(server, "rebuild", done=False)
        names = ("name", "metadata", "description", "accessIPv4", "accessIPv6", "user_data", "hostname")
        changes = {name: given[name] for name in names if name in given}
        self.touch(server, **changes, image_id=image["id"])
        off = server["vm_state"] == "stopped"
        self.begin(server, "rebuilding", place, "compute_rebuild_instance", "rebuilt", image["id"], off)
        view = {**self.changed(server, key_name=self.since(54)), "adminPass": given.get("adminPass", server["id"][:12])}
        if self.since(57):
            view["user_data"] = server["user_data"]
        return {"server": view}, 202, {"Location": self.links("servers", server["id"])[0]["href"]}

    def rebuilt(self, server: Json, image: str, off: bool) -> None:
        """It boots the new disk."""
        blob = self.cloud.image.blob(image)
        if blob is None:
            raise TaskError(f"Image {image} is unacceptable: it has no data.")
        try:
            server["root"] = self.new_root(blob, server["flavor"])
        except ValueError as error:
            raise TaskError(str(error)) from None
        root = next(one for one in server["disks"] if one["boot_index"] == 0)
        root["image_id"] = image
        self.touch(server, launched_at=now())
        self.started(server)
        if off:
            self.stopped(server)

    # --- the way, and its record ---

    def _go_to(self, server: Json, host: str, keep: bool = False) -> None:
        """Change the host. ``keep``: the place on the old one is still taken."""
        old = server["host"]
        if keep:
            self.state.hosts[old]["servers"].pop(server["id"], None)
        else:
            self.move_out(server)
        self.move_in(server, host)
        self.place_volumes(server)
        self._rebind(server)

    def _rebind(self, server: Json) -> None:
        for nic in server["nics"]:
            self.cloud.network.bind(nic["port_id"], server["id"], server["host"])

    def _record_move(self, server: Json, kind: str, old: Json, new: Json) -> Json:
        """The actor is the one of the last action: this can be written down later than he asked."""
        actor = self.state.actions[server["id"]][-1]
        number = self.state.number("migrations")
        self.state.migrations[number] = {
            "id": number,
            "uuid": str(uuid.uuid4()),
            "instance_uuid": server["id"],
            "migration_type": kind,
            "status": FIRST[kind],
            "source_compute": server["host"],
            "source_node": server["host"],
            "dest_compute": None,
            "dest_node": None,
            "dest_host": None,
            "old_instance_type_id": self._row(old),
            "new_instance_type_id": self._row(new),
            "created_at": long(now()),
            "updated_at": None,
            "user_id": actor["user_id"],
            "project_id": actor["project_id"],
        }
        return self.state.migrations[number]

    def _row(self, flavor: Json) -> int:
        """Flavors have no numbers here: their place stands for it."""
        return 1 + next((n for n, id_ in enumerate(self.state.flavors) if id_ == flavor["id"]), 0)

    def _moved(self, record: Json, status: str, host: str | None = None) -> None:
        record |= {"status": status, "updated_at": long(now())}
        if host:
            record |= {"dest_compute": host, "dest_node": host}
        if host and record["migration_type"] != "live-migration":
            record["dest_host"] = "127.0.0.1"

    def _last_move(self, server: Json) -> Json:
        return next(one for one in reversed(self.state.migrations.values()) if one["instance_uuid"] == server["id"])

    @route("GET", "/v2.1/servers/<id_>/migrations")
    def list_live(self, id_: str) -> Json:
        """Live ones that have not ended."""
        self.demand("servers:migrations:index", self.visible(id_)["project_id"])
        return {"migrations": [self._view_live(one) for one in self._going_on(id_)]}

    @route("DELETE", "/v2.1/servers/<id_>/migrations/<number>")
    def abort_live(self, id_: str, number: str) -> tuple[None, int]:
        """Stop one: the server stays where it runs."""
        server = self.visible(id_)
        self.demand("servers:migrations:delete", server["project_id"])
        record = next((one for one in self._going_on(id_) if str(one["id"]) == number), None)
        if record is None:
            raise RefusedError(404, f"Migration {number} not found for instance {id_}.")
        if server["task_state"] != "migrating":
            raise RefusedError(400, f"Migration {number} state of instance {id_} is {record['status']}.")
        self.note(server, "live_migration_cancel", "compute_live_migration_abort")
        self._moved(record, "cancelled")
        self.touch(server, task_state=None, turn=server["turn"] + 1)
        return None, 202

    def _going_on(self, server_id: str) -> list[Json]:
        live = (one for one in self.state.migrations.values() if one["migration_type"] == "live-migration")
        return [one for one in live if one["instance_uuid"] == server_id and one["status"] in GOING_ON]

    def _view_live(self, one: Json) -> Json:
        names = ("id", "status", "source_compute", "source_node", "dest_compute", "dest_node", "dest_host",
                 "created_at", "updated_at", *(("uuid",) if self.since(59) else ()))  # fmt: skip
        sizes = {f"{what}_{how}_bytes": 0 for what in ("memory", "disk") for how in ("total", "processed", "remaining")}
        who = {name: one[name] for name in ("user_id", "project_id")} if self.since(80) else {}
        return {**{name: one[name] for name in names}, "server_uuid": one["instance_uuid"], **sizes, **who}

    @route("GET", "/v2.1/os-migrations")
    def list_migrations(self) -> Json:
        """The newest first."""
        self.demand("os-migrations:index", self.token.project_id)
        if request.args.get("project_id") != self.token.project_id and self.cloud.release.name != "zed":
            self.demand("os-migrations:index:all_projects", self.token.project_id)
        asked = {name: value for name, value in request.args.items() if name not in ("limit", "marker")}
        found = [one for one in self.state.migrations.values() if self._wanted_move(one, asked)]
        if not self.since(59):
            return {"migrations": [self._view_move(one) for one in found]}
        limit, marker = self.limits()
        page, _ = paged(reversed(found), limit, marker, "uuid")
        told: Json = {"migrations": [self._view_move(one) for one in page]}
        if links := self.next_links("os-migrations", page, limit, "uuid"):
            told["migrations_links"] = links
        return told

    def _wanted_move(self, one: Json, asked: dict[str, str]) -> bool:
        for name, value in asked.items():
            if name == "host" and value not in (one["source_compute"], one["dest_compute"]):
                return False
            if name == "changes-since" and (one["updated_at"] or one["created_at"]) < value:
                return False
            if name in one and str(one[name]) != value:
                return False
        return True

    def _view_move(self, one: Json) -> Json:
        hidden = {
            *(() if self.since(59) else ("uuid",)),
            *(() if self.since(80) else ("user_id", "project_id")),
            *(() if self.since(23) else ("migration_type",)),
        }
        view = {name: value for name, value in one.items() if name not in hidden}
        if self.since(23) and one["migration_type"] == "live-migration" and one["status"] in GOING_ON:
            view["links"] = self.links("servers", one["instance_uuid"], "migrations", str(one["id"]))
        return view
