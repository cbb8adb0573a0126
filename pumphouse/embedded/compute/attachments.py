"""Volumes and ports of servers that exist: ``os-volume_attachments``, ``os-interface``."""

from __future__ import annotations

import contextlib
import re
from typing import Any

from flask import request

from pumphouse.embedded.compute import schemas
from pumphouse.embedded.compute.base import MAX_LIMIT
from pumphouse.embedded.compute.build import Build
from pumphouse.embedded.compute.devices import disk, next_device
from pumphouse.embedded.compute.state import Json
from pumphouse.embedded.compute.versions import query_int
from pumphouse.embedded.service import RefusedError, body, route

#: In which volumes can be attached and detached, and from microversion 2.20 on also on the shelf.
OPEN = ("active", "paused", "stopped", "resized", "soft-delete")
SHELF = ("shelved", "shelved_offloaded")


class Attachments(Build):
    """What is plugged into servers."""

    # --- volumes ---

    @route("GET", "/v2.1/servers/<id_>/os-volume_attachments")
    def list_attachments(self, id_: str) -> Json:
        """Of a server's volumes."""
        server = self.server_for(id_, "os-volumes-attachments:index")
        offset, limit = query_int("offset") or 0, min(query_int("limit") or MAX_LIMIT, MAX_LIMIT)
        page = server["disks"][offset : offset + limit]
        return {"volumeAttachments": [self._view_attachment(server, one) for one in page if one["volume_id"]]}

    @route("GET", "/v2.1/servers/<id_>/os-volume_attachments/<volume_id>")
    def show_attachment(self, id_: str, volume_id: str) -> Json:
        """One."""
        server = self.server_for(id_, "os-volumes-attachments:show")
        return {"volumeAttachment": self._view_attachment(server, self._attached(server, volume_id))}

    @route("POST", "/v2.1/servers/<id_>/os-volume_attachments")
    def attach_volume(self, id_: str) -> Any:
        """One more, under the next free name."""
        server = self.server_for(id_, "os-volumes-attachments:create")
        given = schemas.checked("volumeAttachment", self._schema_of_attachment())
        states = (*OPEN, *SHELF) if self.since(20) else OPEN
        self.ready(server, "attach_volume", states)
        device = given.get("device")
        if device and not re.fullmatch("(/dev/)?(([sv]d)|xvd|hd|fd)[a-z]+[0-9]*", device):
            raise RefusedError(400, f"The supplied device path ({device}) is invalid.")
        volume_id = given["volumeId"]
        volume = self.check_volume(volume_id, server, many=self.since(60))
        offloaded = server["vm_state"] == "shelved_offloaded"
        if offloaded and given.get("tag"):
            raise RefusedError(400, "Tagged volume attachment is not supported for shelved-offloaded instances.")
        if offloaded and volume["multiattach"]:
            raise RefusedError(400, "Attaching multiattach volumes is not supported for shelved-offloaded instances.")
        one = disk(
            volume_id=volume_id,
            size=volume["size"],
            device=None if offloaded else next_device(server),
            tag=given.get("tag"),
            delete_on_termination=schemas.truth(given.get("delete_on_termination", False)),
        )
        one["attachment_id"] = self._reserve_volume(server, one)
        server["disks"].append(one)
        self.state.of_volume.setdefault(volume_id, []).append(server["id"])
        place = self.note(server, "attach_volume", done=False)
        self._volume_is(volume_id, "reserved" if offloaded else "attaching")
        self.cloud.later("server", self, "attached", id_, place, volume_id)
        if self.since(101):
            return None, 202
        return {"volumeAttachment": self._view_new(server, one)}

    def attached(self, id_: str, place: int, volume_id: str) -> None:
        """The guest has it."""
        server = self.state.servers.get(id_)
        if server and any(one["volume_id"] == volume_id for one in server["disks"]):
            if server["host"]:
                self._volume_is(volume_id, "in-use")
            self.noted(server, place, "compute_attach_volume")

    def _volume_is(self, id_: str, status: str) -> None:
        if volume := self.cloud.volume.find(id_):
            volume["status"] = status

    def _reserve_volume(self, server: Json, one: Json) -> str:
        try:
            return str(self.cloud.volume.attach(one["volume_id"], server["id"], one["device"], server["host"]))
        except RefusedError as error:
            raise RefusedError(400, f"Invalid input received: {error.message}") from None

    @route("PUT", "/v2.1/servers/<id_>/os-volume_attachments/<volume_id>")
    def update_attachment(self, id_: str, volume_id: str) -> tuple[None, int]:
        """Whether the volume goes with the server, from microversion 2.85 on."""
        server = self.visible(id_)
        given = body().get("volumeAttachment") or {}
        if not self.since(85) or given.get("volumeId") != volume_id:
            self.demand("os-volumes-attachments:swap")
            message = f"volume {volume_id} is not migrating; this API should only be called by Cinder"
            raise RefusedError(409, message)
        self.demand("os-volumes-attachments:update", server["project_id"])
        one = self._attached(server, volume_id)
        fixed = {"id": volume_id, "serverId": id_, "device": one["device"], "tag": one["tag"]}
        for name, value in fixed.items():
            if name in given and given[name] != value:
                raise RefusedError(400, f"The {name} property is not mutable")
        if "delete_on_termination" in given:
            one["delete_on_termination"] = schemas.truth(given["delete_on_termination"])
        return None, 202

    @route("DELETE", "/v2.1/servers/<id_>/os-volume_attachments/<volume_id>")
    def detach_volume(self, id_: str, volume_id: str) -> tuple[None, int]:
        """Any but the root disk."""
        server = self.server_for(id_, "os-volumes-attachments:delete")
        if self.cloud.volume.find(volume_id) is None:
            raise RefusedError(404, f"Volume {volume_id} could not be found.")
        one = self._attached(server, volume_id)
        if one["boot_index"] == 0:
            raise RefusedError(400, "Cannot detach a root device volume")
        self.ready(server, "detach_volume", (*OPEN, *SHELF) if self.since(20) else OPEN)
        place = self.note(server, "detach_volume", done=False)
        self._volume_is(volume_id, "detaching")
        self.cloud.later("server", self, "detached", id_, place, volume_id)
        return None, 202

    def detached(self, id_: str, place: int, volume_id: str) -> None:
        """The volume is free."""
        server = self.state.servers.get(id_)
        one = server and next((one for one in server["disks"] if one["volume_id"] == volume_id), None)
        if not server or not one:
            return
        server["disks"].remove(one)
        self.let_go(volume_id, id_)
        self.noted(server, place, "compute_detach_volume")

    def _attached(self, server: Json, volume_id: str) -> Json:
        found = next((one for one in server["disks"] if one["volume_id"] == volume_id), None)
        if found is None:
            message = f"Instance {server['id']} is not attached to volume {volume_id}"
            raise RefusedError(404, message)
        return found

    def _schema_of_attachment(self) -> schemas.Schema:
        properties: dict[str, schemas.Schema] = {
            "volumeId": schemas.UUID,
            "device": {"type": ["string", "null"], "pattern": "(^/dev/x{0,1}[a-z]{0,1}d{0,1})([a-z]+)[0-9]*$"},
        }
        if self.since(49):
            properties["tag"] = schemas.TAG
        if self.since(79):
            properties["delete_on_termination"] = schemas.BOOLEAN
        return schemas.thing(("volumeId",), **properties)

    def _view_new(self, server: Json, one: Json) -> Json:
        view = {"id": one["volume_id"], "serverId": server["id"], "volumeId": one["volume_id"], "device": one["device"]}
        return {**view, **self._view_flags(one)}

    def _view_attachment(self, server: Json, one: Json) -> Json:
        view: Json = {} if self.since(89) else {"id": one["volume_id"]}
        view |= {"volumeId": one["volume_id"], "serverId": server["id"]}
        if one["device"]:
            view["device"] = one["device"]
        view |= self._view_flags(one)
        if self.since(89):
            view |= {"attachment_id": one["attachment_id"], "bdm_uuid": one["bdm_uuid"]}
        return view

    def _view_flags(self, one: Json) -> Json:
        view = {"tag": one["tag"]} if self.since(70) else {}
        return {**view, "delete_on_termination": one["delete_on_termination"]} if self.since(79) else view

    # --- ports ---

    @route("GET", "/v2.1/servers/<id_>/os-interface")
    def list_interfaces(self, id_: str) -> Json:
        """A server's ports."""
        server = self.server_for(id_, "os-attach-interfaces:list")
        ports = self.cloud.network.ports_of(id_)
        return {"interfaceAttachments": [self._view_interface(server, port) for port in ports]}

    @route("GET", "/v2.1/servers/<id_>/os-interface/<port_id>")
    def show_interface(self, id_: str, port_id: str) -> Json:
        """One."""
        server = self.server_for(id_, "os-attach-interfaces:show")
        return {"interfaceAttachment": self._view_interface(server, self._plugged(server, port_id))}

    @route("POST", "/v2.1/servers/<id_>/os-interface")
    def attach_interface(self, id_: str) -> Json:
        """A port that exists, or a new one in a network."""
        server = self.server_for(id_, "os-attach-interfaces:create")
        given = (request.get_json(force=True, silent=True) or {}).get("interfaceAttachment") or {}
        schemas.check(given, self._schema_of_interface())
        network, port = given.get("net_id"), given.get("port_id")
        ip = next((one.get("ip_address") for one in given.get("fixed_ips") or ()), None)
        if network and port:
            raise RefusedError(400, "Must not input both network_id and port_id")
        if ip and not network:
            raise RefusedError(400, "Must input network_id when request IP address")
        self.ready(server, "attach_interface", ("active", "paused", "stopped"))
        made = port is None
        if port is None:
            port = self._port_in(server, network, ip)
        else:
            self._free_port(port, server)
        server["nics"].append({"port_id": port, "tag": given.get("tag"), "made": made})
        self.cloud.network.bind(port, id_, server["host"])
        self.note(server, "attach_interface", "compute_attach_interface")
        return {"interfaceAttachment": self._view_interface(server, self._plugged(server, port))}

    def _port_in(self, server: Json, network: str | None, ip: str | None) -> str:
        """A new port; of the project's only network if none is named."""
        if network is None:
            found = self.cloud.network.networks_for(server["project_id"])
            if len(found) != 1:
                several = "Multiple possible networks found, use a Network ID to be more specific."
                none = f"No specific network was requested and none are available for project '{server['project_id']}'."
                raise RefusedError(400, several if found else none)
            network = found[0]["id"]
        elif self.cloud.network.find_network(network) is None:
            raise RefusedError(404, f"Network {network} could not be found.")
        try:
            return self.new_port({**server, "security_groups": []}, {"network_id": network, "fixed_ip": ip})
        except RefusedError as error:
            raise RefusedError(409 if ip else 400, error.message) from None

    def _free_port(self, port_id: str, server: Json) -> None:
        port = self.cloud.network.find_port(port_id)
        if port is None:
            raise RefusedError(404, f"Port id {port_id} could not be found.")
        if port["project_id"] != server["project_id"]:
            raise RefusedError(400, f"Port {port_id} not usable for instance {server['id']}.")
        if port["device_id"]:
            raise RefusedError(409, f"Port {port_id} is still in use.")

    @route("DELETE", "/v2.1/servers/<id_>/os-interface/<port_id>")
    def detach_interface(self, id_: str, port_id: str) -> tuple[None, int]:
        """One that Nova made is deleted. Whether there is such a port is looked at later."""
        server = self.server_for(id_, "os-attach-interfaces:delete")
        self.ready(server, "detach_interface", ("active", "paused", "stopped"))
        place = self.note(server, "detach_interface", done=False)
        self.cloud.later("server", self, "unplugged", id_, place, port_id)
        return None, 202

    def unplugged(self, id_: str, place: int, port_id: str) -> None:
        """The port is free, or gone."""
        server = self.state.servers.get(id_)
        if server is None:
            return
        nic = next((nic for nic in server["nics"] if nic["port_id"] == port_id), None)
        if nic is None:
            self.noted(server, place, "compute_detach_interface", f"Port id {port_id} could not be found.")
            return
        server["nics"].remove(nic)
        with contextlib.suppress(RefusedError):
            self.release_port(nic)
        self.noted(server, place, "compute_detach_interface")

    def _plugged(self, server: Json, port_id: str) -> Json:
        port = self.cloud.network.find_port(port_id)
        if port is None:
            raise RefusedError(404, f"Port id {port_id} could not be found.")
        if port["device_id"] != server["id"]:
            raise RefusedError(404, f"Instance {server['id']} does not have a port with id {port_id}")
        return dict(port)

    def _schema_of_interface(self) -> schemas.Schema:
        ip: schemas.Schema = {"type": "object", "properties": {"ip_address": schemas.ADDRESS}}
        properties: dict[str, schemas.Schema] = {
            "net_id": schemas.UUID,
            "port_id": schemas.UUID,
            "fixed_ips": {"type": "array", "minItems": 1, "maxItems": 1, "items": ip},
        }
        if self.since(49):
            properties["tag"] = schemas.TAG
        return schemas.thing((), **properties)

    def _view_interface(self, server: Json, port: Json) -> Json:
        view = {
            "net_id": port["network_id"],
            "port_id": port["id"],
            "mac_addr": port["mac_address"],
            "port_state": port["status"],
            "fixed_ips": port["fixed_ips"],
        }
        if self.since(70):
            nic = next((nic for nic in server["nics"] if nic["port_id"] == port["id"]), None)
            view["tag"] = nic["tag"] if nic else None
        return view
