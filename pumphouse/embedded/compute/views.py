"""How servers are shown: by microversion, and by who looks."""

from __future__ import annotations

import hashlib
import ipaddress
import json
from typing import Any

from pumphouse.embedded.compute.devices import Devices
from pumphouse.embedded.compute.groups import Groups
from pumphouse.embedded.compute.hosts import Hosts
from pumphouse.embedded.compute.state import Json, long

#: vm_state -> status, and by task where it differs.
RESIZING = dict.fromkeys(("resize_prep", "resize_migrating", "resize_migrated", "resize_finish"), "RESIZE")
REBUILDING = dict.fromkeys(("rebuilding", "rebuild_block_device_mapping", "rebuild_spawning"), "REBUILD")
SOFT = dict.fromkeys(("rebooting", "reboot_pending", "reboot_started"), "REBOOT")
HARD = dict.fromkeys(("rebooting_hard", "reboot_pending_hard", "reboot_started_hard"), "HARD_REBOOT")
STATUSES: dict[str, tuple[str, dict[str, str]]] = {
    "active": ("ACTIVE", {**SOFT, **HARD, **REBUILDING, **RESIZING, "updating_password": "PASSWORD",
                          "migrating": "MIGRATING"}),
    "building": ("BUILD", {}),
    "stopped": ("SHUTOFF", {**RESIZING, **REBUILDING}),
    "resized": ("VERIFY_RESIZE", {"resize_reverting": "REVERT_RESIZE"}),
    "paused": ("PAUSED", {"migrating": "MIGRATING"}),
    "suspended": ("SUSPENDED", {}),
    "rescued": ("RESCUE", {}),
    "error": ("ERROR", REBUILDING),
    "deleted": ("DELETED", {}),
    "soft-delete": ("SOFT_DELETED", {}),
    "shelved": ("SHELVED", {}),
    "shelved_offloaded": ("SHELVED_OFFLOADED", {}),
}  # fmt: skip
#: In which a server tells its fault, and in which how far it is.
FAULTY = ("ERROR", "DELETED")
PROGRESSING = ("ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "REVERT_RESIZE", "MIGRATING")
#: Properties of images that Nova knows begin with these, or are these.
KNOWN = ("hw_", "img_", "os_require_", "os_secure_", "os_shutdown_", "os_skip_")
KNOWN_TOO = ("os_admin_user", "os_command_line", "os_distro", "os_type", "traits_required")


def status(server: Json) -> str:
    """What users see of a server's state."""
    default, by_task = STATUSES[server["vm_state"]]
    return by_task.get(server["task_state"] or "", default)


def host_id(host: str | None, project_id: str) -> str:
    """A host as its project may know it."""
    return hashlib.sha224(f"{project_id}{host}".encode()).hexdigest() if host else ""


class Views(Devices, Groups, Hosts):
    """Servers as JSON."""

    def brief(self, server: Json) -> Json:
        """In lists without details."""
        return {"id": server["id"], "name": server["name"], "links": self.links("servers", server["id"])}

    def whole(self, server: Json, single: bool = True) -> Json:
        """All that the request may see. ``single``: not in a list, where less is told."""
        project = server["project_id"]
        view = {**self._always(server), **self._states(server)}
        view |= {
            "OS-EXT-AZ:availability_zone": self._zone(server),
            "config_drive": server["config_drive"],
            "key_name": server["key_name"],
            "OS-SRV-USG:launched_at": long(server["launched_at"]),
            "OS-SRV-USG:terminated_at": long(server["terminated_at"]),
        }
        if groups := self.security_groups_of(server):
            view["security_groups"] = groups
        if self.can("os-extended-server-attributes", project):
            view |= self._attributes(server)
        elif self.since(90):
            view["OS-EXT-SRV-ATTR:hostname"] = server["hostname"]
        view["os-extended-volumes:volumes_attached"] = self._volumes(server)
        if self.since(16) and self.can("servers:show:host_status", project):
            view["host_status"] = self._host_status(server)
        return {**view, **self._later(server, single)}

    def changed(self, server: Json, key_name: bool = False) -> Json:
        """What an update answers: all from microversion 2.75 on, before that the core of it."""
        if self.since(75):
            return self.whole(server)
        view = {**self._always(server, types=False), **self._later(server, single=True)}
        return {**view, "key_name": server["key_name"]} if key_name else view

    def _always(self, server: Json, types: bool = True) -> Json:
        shown = status(server)
        view = {
            **{field: server[field] for field in ("id", "name")},
            "status": shown,
            "tenant_id": server["project_id"],
            "user_id": server["user_id"],
            "metadata": server["metadata"],
            "hostId": host_id(server["host"], server["project_id"]),
            "image": self._image(server),
            "flavor": self._flavor(server),
            "created": server["created"],
            "updated": server["updated"],
            "addresses": self.addresses_of(server, types),
            "accessIPv4": server["accessIPv4"],
            "accessIPv6": server["accessIPv6"],
            "links": self.links("servers", server["id"]),
            "OS-DCF:diskConfig": server["disk_config"],
        }
        if shown in FAULTY and server["fault"]:
            hidden = () if self.token.admin or server["fault"]["code"] != 500 else ("details",)
            view["fault"] = {key: value for key, value in server["fault"].items() if key not in hidden}
        if shown in PROGRESSING:
            view["progress"] = 0
        return view

    def _states(self, server: Json) -> Json:
        return {f"OS-EXT-STS:{name}": server[name] for name in ("task_state", "vm_state", "power_state")}

    def _attributes(self, server: Json) -> Json:
        told: dict[str, Any] = {
            "host": server["host"],
            "instance_name": self.instance_name(server),
            "hypervisor_hostname": server["host"],
        }
        if self.since(3):
            told |= {name: server[name] for name in (
                "reservation_id", "launch_index", "hostname", "kernel_id", "ramdisk_id", "root_device_name",
                "user_data")}  # fmt: skip
        return {f"OS-EXT-SRV-ATTR:{name}": value for name, value in told.items()}

    def _volumes(self, server: Json) -> list[Json]:
        fields = ("id", "delete_on_termination") if self.since(3) else ("id",)
        told = [{**disk, "id": disk["volume_id"]} for disk in server["disks"] if disk["volume_id"]]
        return [{field: disk[field] for field in fields} for disk in told]

    def _later(self, server: Json, single: bool) -> Json:
        """Fields that came with microversions."""
        told: list[tuple[int, str, Any]] = [
            (9, "locked", bool(server["locked_by"])),
            (73, "locked_reason", server["locked_reason"]),
            (19, "description", server["description"]),
            (26, "tags", server["tags"]),
            (63, "trusted_image_certificates", None),
            (96, "pinned_availability_zone", server["pinned_zone"]),
            (100, "scheduler_hints", server["hints"]),
        ]
        if single:
            told.append((71, "server_groups", self.groups_of(server["id"]) if self.since(71) else []))
        return {name: value for minor, name, value in told if self.since(minor)}

    def _zone(self, server: Json) -> str:
        if server["host"]:
            return self.zone_of(server["host"])
        return str(server["pinned_zone"] or "")

    def _host_status(self, server: Json) -> str:
        if not server["host"]:
            return ""
        service = self.service_of(server["host"])
        if service["forced_down"] or not service["alive"]:
            return "DOWN" if service["forced_down"] else "UNKNOWN"
        return "MAINTENANCE" if service["disabled"] else "UP"

    def _image(self, server: Json) -> Any:
        if not server["image_id"]:
            return ""
        view: Json = {"id": server["image_id"], "links": [self.links("images", server["image_id"])[1]]}
        if self.since(98):
            view["properties"] = {
                key: value
                for key, value in server["image_properties"].items()
                if key.startswith(KNOWN) or key in KNOWN_TOO
            }
        return view

    def _flavor(self, server: Json) -> Json:
        flavor = server["flavor"]
        if not self.since(47):
            return {"id": flavor["id"], "links": [self.links("flavors", flavor["id"])[1]]}
        view = {name: flavor[name] for name in ("vcpus", "ram", "disk", "ephemeral", "swap")}
        view["original_name"] = flavor["name"]
        if self.can("servers:show:flavor-extra-specs", server["project_id"]):
            view["extra_specs"] = flavor["extra_specs"]
        return view

    # --- of its ports ---

    def addresses_of(self, server: Json, types: bool = True) -> Json:
        """Network's name -> addresses, in the order of the ports; none while it is built."""
        found: dict[str, list[Json]] = {}
        if server["vm_state"] == "building":
            return found
        for port in self.ports_in_order(server):
            network = self.cloud.network.find_network(port["network_id"])
            told = found.setdefault(str(network["name"]) if network else "", [])
            told += [_address(ip, kind, port, types) for ip, kind in self._ips(port)]
        return found

    def _ips(self, port: Json) -> list[tuple[str, str]]:
        fixed = [(ip["ip_address"], "fixed") for ip in port["fixed_ips"]]
        return fixed + [(ip, "floating") for ip in self.floating_ips_of(port["id"])]

    def floating_ips_of(self, port_id: str) -> list[str]:
        """Addresses by which a port is reached from outside."""
        floating = self.cloud.network.floating_ips.table.where("port_id", port_id)
        return [str(ip["floating_ip_address"]) for ip in floating]

    def ports_in_order(self, server: Json) -> list[Json]:
        """Those that it was given, and is still attached to."""
        found = (self.cloud.network.find_port(nic["port_id"]) for nic in server["nics"])
        return [port for port in found if port is not None]

    def security_groups_of(self, server: Json) -> list[Json]:
        """The names of those of its ports, each once."""
        ids = {id_: None for port in self.ports_in_order(server) for id_ in port["security_groups"]}
        groups = (self.cloud.network.find_group(server["project_id"], id_) for id_ in ids)
        names = {group["name"]: None for group in groups if group}
        return [{"name": name} for name in names]


def _address(ip: str, kind: str, port: Json, types: bool) -> Json:
    told: Json = {"version": ipaddress.ip_address(ip).version, "addr": ip}
    return {**told, "OS-EXT-IPS:type": kind, "OS-EXT-IPS-MAC:mac_addr": port["mac_address"]} if types else told


def plain(value: Any) -> str:
    """A value as the database keeps it, for comparing with what is asked for."""
    return value if isinstance(value, str) else json.dumps(value)
