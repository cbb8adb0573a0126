"""How servers come to be and go: building in the background, and deletion."""

from __future__ import annotations

import contextlib
import re

from pumphouse.embedded.compute.devices import in_order, name_devices
from pumphouse.embedded.compute.scheduler import NoValidHostError
from pumphouse.embedded.compute.state import Json, long, now
from pumphouse.embedded.compute.tasks import ANY, TaskError, Tasks
from pumphouse.embedded.service import RefusedError, route

#: What a port of OVN can be called.
DNS_LABEL = re.compile(r"[a-zA-Z0-9-]{1,63}(\.[a-zA-Z0-9-]{1,63})*")
ABORTED = "Build of instance {} aborted: {}"
#: When all hosts have tried; the last one's reason stands in the details.
EXHAUSTED = (
    "Exceeded maximum number of retries. Exhausted all hosts available for retrying build failures for instance {}."
)
UNMADE = "Volume {} did not finish being created even after we waited 0 seconds or 1 attempts. And its status is {}."
#: Seconds after which it is looked again whether volumes are there.
POLL = 0.05
#: What the libvirt driver of the lab fills in, of what an image leaves open.
DEFAULTS = {
    "hw_cdrom_bus": "ide",
    "hw_disk_bus": "virtio",
    "hw_input_bus": "usb",
    "hw_machine_type": "pc",
    "hw_pointer_model": "usbtablet",
    "hw_video_model": "virtio",
    "hw_vif_model": "virtio",
}


class Build(Tasks):
    """From a record to a running server, and back to nothing."""

    # --- building ---

    def build(self, id_: str) -> None:
        """All that happens after the request for a new server, until its volumes are there."""
        server = self.state.servers.get(id_)
        if server is None or server["task_state"] != "scheduling":
            return
        try:
            self.move_in(server, self.choose(server, server["forced_host"]))
        except NoValidHostError as error:
            self.break_down(server, str(error))
            self.noted(server, 0, "conductor_schedule_and_build_instances", str(error))
            return
        self.touch(server, task_state="networking")
        try:
            self._connect(server)
        except (TaskError, RefusedError) as error:
            self._abort(server, EXHAUSTED.format(id_), str(error))
            return
        try:
            self._make_volumes(server)
        except RefusedError as error:
            self._abort(server, ABORTED.format(id_, error))
        else:
            self.build_on(id_)

    def build_on(self, id_: str) -> None:
        """The rest, as soon as its volumes can be used."""
        server = self.state.servers.get(id_)
        if server is None or server["vm_state"] != "building" or server["task_state"] == "deleting":
            return
        volumes = [self.cloud.volume.find(one["volume_id"]) for one in server["disks"] if one["volume_id"]]
        if any(volume and volume["status"] in ("creating", "downloading") for volume in volumes):
            self.touch(server, task_state="block_device_mapping")
            self.cloud.timers.add(POLL, self.type, "build_on", id_)
            return
        if broken := next((volume for volume in volumes if volume and volume["status"] == "error"), None):
            self._abort(server, ABORTED.format(id_, UNMADE.format(broken["id"], broken["status"])))
            return
        try:
            self._spawn(server)
        except (TaskError, RefusedError, ValueError) as error:
            self._abort(server, ABORTED.format(id_, error))
        else:
            self.noted(server, 0, "compute__do_build_and_run_instance")

    def _abort(self, server: Json, message: str, reason: str = "") -> None:
        """A server that could not be built has nothing."""
        self.disconnect(server)
        self.detach_all(server, keep=True)
        self.move_out(server)
        self.break_down(server, message, reason)
        self.noted(server, 0, "compute__do_build_and_run_instance", message)

    def _spawn(self, server: Json) -> None:
        self._attach_made(server)
        name_devices(server)
        self.place_volumes(server)
        if self.cloud.faults.fails("server") or self.cloud.faults.fails("build"):
            raise TaskError("a fault that was asked for")
        root = next(one for one in server["disks"] if one["boot_index"] == 0)
        if root["destination_type"] == "local":
            blob = self.cloud.image.blob(root["image_id"])
            if blob is None:
                raise TaskError(f"Image {root['image_id']} is unacceptable: it has no data.")
            server["root"] = self.new_root(blob, server["flavor"])
        server["image_properties"] = {**DEFAULTS, **server["image_properties"]}
        self.boot(server)
        self.touch(server, vm_state="active", task_state=None, power_state=1, launched_at=now())

    def _connect(self, server: Json) -> None:
        """Its ports, in order. Those that are made here are removed with the server."""
        network = self.cloud.network
        if self.cloud.release.network == "ovn" and server["cards"] and not DNS_LABEL.fullmatch(server["hostname"]):
            name = server["hostname"]
            raise TaskError(f"Invalid input for dns_name. Reason: '{name}' not a valid PQDN or FQDN.")
        for card in server["cards"]:
            port, made = card["port_id"], False
            if port is None:
                port, made = self.new_port(server, card), True
            elif (found := network.find_port(port)) is None:
                raise TaskError(f"Port id {port} could not be found.")
            elif found["device_id"]:
                raise TaskError(f"Port {port} is still in use.")
            server["nics"].append({"port_id": port, "tag": card["tag"], "made": made})
            network.bind(port, server["id"], server["host"])

    def new_port(self, server: Json, card: Json) -> str:
        """A port in a network, for a server."""
        fields: Json = {}
        if card["fixed_ip"]:
            fields["fixed_ips"] = [{"ip_address": card["fixed_ip"]}]
        if server["security_groups"]:
            fields["security_groups"] = server["security_groups"]
        port = self.cloud.network.make_port(server["project_id"], card["network_id"], **fields)
        return str(port["id"])

    def _make_volumes(self, server: Json) -> None:
        """Those that are made of images, of snapshots, or of nothing."""
        for one in server["disks"]:
            if one["destination_type"] == "volume" and one["volume_id"] is None:
                fields: Json = {"image_id": one["image_id"], "volume_type": one["volume_type"]}
                if one["snapshot_id"]:
                    fields["snapshot"] = self.cloud.volume.state.snapshots.get(one["snapshot_id"])
                    one["size"] = one["size"] or fields["snapshot"]["size"]
                volume = self.cloud.volume.make(server["project_id"], server["user_id"], one["size"], **fields)
                one["volume_id"] = volume["id"]

    def _attach_made(self, server: Json) -> None:
        for one in server["disks"]:
            if one["volume_id"] and one["attachment_id"] is None:
                one["attachment_id"] = self.cloud.volume.attach(one["volume_id"], server["id"], None, server["host"])
                self.state.of_volume.setdefault(one["volume_id"], []).append(server["id"])

    def place_volumes(self, server: Json) -> None:
        """Tell Cinder where a server's volumes are, and what they are called there; on no host, they are reserved."""
        for one in server["disks"]:
            if not one["volume_id"] or (volume := self.cloud.volume.find(one["volume_id"])) is None:
                continue
            volume["status"] = "in-use" if server["host"] else "reserved"
            for attachment in volume["attachments"]:
                if attachment["server_id"] == server["id"]:
                    attachment |= {"device": one["device"], "host_name": server["host"]}

    # --- volumes and ports, let go ---

    def check_volume(self, id_: str, server: Json, many: bool = True) -> Json:
        """A volume that a server is to have. Refuses one that it cannot have."""
        volume = self.cloud.volume.find(id_)
        if volume is None or not (self.token.admin or volume["project_id"] == self.token.project_id):
            raise RefusedError(404, f"Volume {id_} could not be found.")
        others = self.state.of_volume.get(id_, [])
        if others and not volume["multiattach"]:
            message = f"volume {id_} is already attached to instances: {' '.join(others)}"
            raise RefusedError(400, f"Invalid volume: {message}")
        if server["id"] in others:
            raise RefusedError(400, f"Invalid volume: volume {id_} already attached")
        if volume["multiattach"] and not many:
            message = "Multiattach volumes are only supported starting with compute API version 2.60."
            raise RefusedError(400, message)
        return dict(volume)

    def let_go(self, volume_id: str, server_id: str) -> None:
        """A volume is a server's no more."""
        self.cloud.volume.detach(volume_id, server_id)
        servers = self.state.of_volume.get(volume_id, [])
        if server_id in servers:
            servers.remove(server_id)

    def detach_all(self, server: Json, keep: bool = False) -> None:
        """All volumes are let go, and those are deleted that were to be. ``keep``: it remembers what it had."""
        for one in in_order(server):
            if not (id_ := one["volume_id"]):
                continue
            self.let_go(id_, server["id"])
            if one["delete_on_termination"]:
                with contextlib.suppress(RefusedError):
                    self.cloud.volume.delete(id_)
        if not keep:
            server["disks"] = []

    def disconnect(self, server: Json) -> None:
        """Ports that Nova made are deleted, others are free again."""
        for nic in server["nics"]:
            self.release_port(nic)
        server["nics"] = []

    def release_port(self, nic: Json) -> None:
        """One of them."""
        if self.cloud.network.find_port(nic["port_id"]) is None:
            return
        if nic["made"]:
            self.cloud.network.delete_port(nic["port_id"])
        else:
            self.cloud.network.unbind(nic["port_id"])

    # --- deletion ---

    @route("DELETE", "/v2.1/servers/<id_>")
    def delete_server(self, id_: str) -> None:
        """It is gone after a while."""
        self.destroy(self.server_for(id_, "servers:delete"), "delete")

    def destroy(self, server: Json, action: str) -> None:
        """Begin its deletion, whatever else is going on."""
        self.ready(server, action, ANY, tasks=None, launched=False)
        if server["task_state"] == "deleting":
            return
        place = self.note(server, "delete", done=False)
        self.begin(server, "deleting", place, "compute_terminate_instance", "vanish", delay="delete")

    def vanish(self, server: Json) -> None:
        """Nothing is left but its history."""
        state, id_ = self.state, server["id"]
        self.disconnect(server)
        self.detach_all(server)
        self.leave(server)
        self.move_out(server)
        self.use(server["project_id"], server["flavor"], -1)
        if before := server["before"]:
            self.occupy(before["host"], self.needs(server, before["flavor"]), -1)
        self.touch(server, vm_state="deleted", power_state=0, terminated_at=now(), deleted_at=long(now()))
        server["root"] = None
        del state.servers[id_], state.of_project[server["project_id"]][id_]
        state.deleted[id_] = server
