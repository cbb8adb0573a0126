"""``POST /servers``: what is refused at once, and the records of what will be built."""

from __future__ import annotations

import re
import secrets
import string
import uuid
from collections.abc import Iterable
from typing import Any

from pumphouse.embedded.compute import schemas, wanted
from pumphouse.embedded.compute.build import Build
from pumphouse.embedded.compute.devices import GIB
from pumphouse.embedded.compute.flavors import EPHEMERAL, Flavors
from pumphouse.embedded.compute.keypairs import Keypairs
from pumphouse.embedded.compute.state import Json, now
from pumphouse.embedded.compute.wanted import Wanted
from pumphouse.embedded.service import RefusedError, body, route

#: Of images, what is no property.
OWN = frozenset(
    {"name", "disk_format", "container_format", "visibility", "size", "virtual_size", "status", "checksum", "protected",
     "min_ram", "min_disk", "owner", "os_hidden", "os_hash_algo", "os_hash_value", "id", "created_at", "updated_at",
     "tags", "self", "file", "schema", "stores"}
)  # fmt: skip
#: What Nova does not keep of an image.
SKIPPED = ("mappings", "block_device_mapping", "img_mappings", "img_block_device_mapping")
NO_BLANK = "Only volume-backed servers are allowed for flavors with zero disk."


class Create(Flavors, Keypairs, Wanted, Build):
    """Making servers."""

    @route("POST", "/v2.1/servers")
    def create_server(self) -> Any:
        """One, or several at once. They are built afterwards."""
        whole = body()
        schemas.check(whole, wanted.schema(self.microversion))
        given = whole["server"]
        hints = whole.get("os:scheduler_hints") or whole.get("OS-SCH-HNT:scheduler_hints") or {}
        project = self.token.project_id or ""
        self.demand("servers:create", project)
        fields = self._fields(given, hints)
        least = int(given.get("min_count", 1))
        most = int(given.get("max_count", least))
        if least > most:
            raise RefusedError(400, "min_count must be <= max_count")
        count = self.room_for(project, fields["flavor"], least, most)
        group = self._group_hint(hints)
        cards = self.wanted_networks(given, most)
        fields["security_groups"] = self._wanted_groups(given)
        several = [self._record(fields, cards, number, most) for number in range(count)]
        self._reserve(several, group)
        if schemas.truth(given.get("return_reservation_id", False)):
            return {"reservation_id": several[0]["reservation_id"]}, 202
        return self._answer_created(given, several[0])

    def _answer_created(self, given: Json, server: Json) -> tuple[Json, int, dict[str, str]]:
        links = self.links("servers", server["id"])
        view = {
            "id": server["id"],
            "links": links,
            "OS-DCF:diskConfig": server["disk_config"],
            "security_groups": given.get("security_groups", [{"name": "default"}]),
            "adminPass": given.get("adminPass") or _random(12, f"{string.ascii_letters}{string.digits}"),
        }
        return {"server": view}, 202, {"Location": links[0]["href"]}

    # --- what is asked for, checked ---

    def _fields(self, given: Json, hints: Json) -> Json:
        """Of a record, all that is the same for several servers."""
        zone, host = self._zone_and_host(given)
        flavor = self._wanted_flavor(given)
        if given.get("trusted_image_certificates"):
            raise RefusedError(400, "Image signature verification is not offered here: no trusted_image_certificates")
        disks = self.wanted_disks(given, flavor)
        image = self._boot_image(given, disks, flavor)
        self._check_metadata(given.get("metadata", {}))
        return {
            "name": given["name"],
            "hostname": given.get("hostname"),
            "description": given.get("description") if self.since(19) else given["name"],
            "metadata": given.get("metadata", {}),
            "tags": sorted(set(given.get("tags") or ())),
            "hints": {name: _texts(value) for name, value in hints.items()},
            "pinned_zone": zone,
            "forced_host": host,
            "flavor": flavor,
            "image_id": given.get("imageRef") or "",
            "image_properties": {key: str(value)[:255] for key, value in image["properties"].items()},
            "image_min": {"min_ram": image["min_ram"], "min_disk": image["min_disk"]},
            "kernel_id": image["properties"].get("kernel_id") or "",
            "ramdisk_id": image["properties"].get("ramdisk_id") or "",
            "disks": disks,
            "disk_config": given.get("OS-DCF:diskConfig") or _disk_config(image),
            "accessIPv4": given.get("accessIPv4", ""),
            "accessIPv6": given.get("accessIPv6", ""),
            "config_drive": "True" if schemas.truth(given.get("config_drive", False)) else "",
            "user_data": given.get("user_data"),
            **self._wanted_key(given),
            "boot_roles": ",".join(role["name"] for role in self.token.roles),
            "reservation_id": f"r-{_random(8, f'{string.ascii_lowercase}{string.digits}')}",
            "owner_user_name": self.token.user_name,
            "owner_project_name": self.token.project_name,
        }

    def _zone_and_host(self, given: Json) -> tuple[str | None, str | None]:
        """The zone that is asked for, and the host that is forced ("zone:host") or asked for."""
        zone, _, host = (given.get("availability_zone") or "").partition(":")
        host = host.strip(":").partition(":")[0]
        if host:
            self.demand("servers:create:forced_host")
        if zone and zone not in self._zones():
            raise RefusedError(400, "The requested availability zone is not available")
        asked = given.get("host") or given.get("hypervisor_hostname")
        if asked:
            self.demand("compute:servers:create:requested_destination")
            if asked not in self.state.hosts:
                raise RefusedError(400, f"Compute host {asked} could not be found.")
        return zone or None, host or asked or None

    def _wanted_flavor(self, given: Json) -> Json:
        """A copy of it as it is now."""
        id_ = str(given["flavorRef"]).rpartition("/")[2]
        try:
            flavor = self.flavor(id_)
        except RefusedError as error:
            raise RefusedError(400, error.message) from None
        kept = {name: flavor[name] for name in ("id", "name", "ram", "vcpus", "disk", "swap")}
        return {**kept, "ephemeral": flavor[EPHEMERAL], "extra_specs": dict(flavor["extra_specs"])}

    def _wanted_key(self, given: Json) -> Json:
        """The key pair of whoever asks."""
        name = given.get("key_name")
        if name is None:
            return {"key_name": None, "key": None}
        pair = self.state.keypairs.get(self.token.user_id, {}).get(name)
        if pair is None:
            raise RefusedError(400, "Invalid key_name provided.")
        return {"key_name": name, "key": {field: pair[field] for field in ("type", "public_key")}}

    def _wanted_groups(self, given: Json) -> list[str]:
        """Ids of security groups; none where only the default one is wanted."""
        names = dict.fromkeys(one["name"] for one in given.get("security_groups") or () if one.get("name"))
        found = []
        for name in names:
            group = self.cloud.network.find_group(self.token.project_id or "", name)
            if group is None and name == "default":
                continue
            if group is None:
                raise RefusedError(400, f"Unable to find security_group with name or id '{name}'")
            found.append(group["id"])
        return [] if list(names) == ["default"] else found

    def _group_hint(self, hints: Json) -> Json | None:
        id_ = hints.get("group")
        if not id_:
            return None
        if id_ not in self.state.groups:
            raise RefusedError(400, f"Instance group {id_} could not be found.")
        return self.state.groups[id_]

    def _check_metadata(self, metadata: Json) -> None:
        limit = self.quotas_of(self.token.project_id)["metadata_items"]
        if 0 <= limit < len(metadata):
            raise RefusedError(403, f"Maximum number of metadata items exceeds {limit}")

    # --- the image ---

    def _boot_image(self, given: Json, disks: list[Json], flavor: Json) -> Json:
        """What is booted: ``properties``, ``min_ram``, ``min_disk``, of an image or of a volume."""
        root = next(one for one in disks if one["boot_index"] == 0)
        if id_ := given.get("imageRef") or root["image_id"]:
            try:
                image = self._image_found(id_)
            except RefusedError:
                if given.get("imageRef"):
                    raise
                raise RefusedError(400, f"Block Device Mapping is Invalid: failed to get image {id_}.") from None
        else:
            image = self._volume_image(root)
        self._check_size(image, flavor, root)
        return image

    def _image_found(self, id_: str) -> Json:
        found = self.cloud.image.visible(id_)
        if found is None:
            raise RefusedError(400, "Can not find requested image")
        if found["status"] != "active":
            raise RefusedError(400, f"Image {id_} is not active.")
        properties = {key: value for key, value in found.items() if key not in OWN and key not in SKIPPED}
        return {**{key: found[key] for key in ("min_ram", "min_disk", "size")}, "properties": properties}

    def _volume_image(self, root: Json) -> Json:
        """What a volume remembers of its image."""
        image: Json = {"min_ram": 0, "min_disk": 0, "size": 0, "properties": {}}
        if id_ := root["volume_id"]:
            volume = self.cloud.volume.find(id_)
            if volume is None or volume["project_id"] != self.token.project_id:
                raise RefusedError(400, f"Block Device Mapping is Invalid: failed to get volume {id_}.")
            if str(volume["bootable"]).lower() != "true":
                raise RefusedError(400, f"Block Device {id_} is not bootable.")
            kept = volume.get("volume_image_metadata") or {}
            image |= {key: int(kept.get(key) or 0) for key in ("min_ram", "min_disk")}
            own = {*OWN, "image_id", "image_name"}
            image["properties"] = {key: value for key, value in kept.items() if key not in own and key not in SKIPPED}
        return image

    def _check_size(self, image: Json, flavor: Json, root: Json) -> None:
        if flavor["ram"] < image["min_ram"]:
            raise RefusedError(400, "Flavor's memory is too small for requested image.")
        on_volume = root["destination_type"] == "volume"
        size = ((root["size"] or 0) if on_volume else flavor["disk"]) * GIB
        least, given = image["min_disk"] * GIB, image["size"] or 0
        if on_volume and size and least > size:
            message = (
                "Volume is smaller than the minimum size specified in image metadata. "
                f"Volume size is {size} bytes, minimum size is {least} bytes."
            )
        elif on_volume or (not size and self.can("servers:create:zero_disk_flavor")):
            return
        elif not size:
            raise RefusedError(403, NO_BLANK)
        elif given > size:
            message = (
                f"Flavor's disk is too small for requested image. Flavor disk is {size} bytes, image is {given} bytes."
            )
        elif least > size:
            message = (
                "Flavor's disk is smaller than the minimum size specified in image metadata. "
                f"Flavor disk is {size} bytes, minimum size is {least} bytes."
            )
        else:
            return
        raise RefusedError(400, message)

    # --- the records ---

    def _record(self, fields: Json, cards: Iterable[Json], index: int, count: int) -> Json:
        """A new server, of which nothing exists yet."""
        id_, moment = str(uuid.uuid4()), now()
        hostname = fields["hostname"] or host_name(fields["name"]) or f"Server-{id_}"
        suffix = f"-{index + 1}" if count > 1 else ""
        return {
            **{key: _copied(value) for key, value in fields.items()},
            "id": id_,
            "name": f"{fields['name']}{suffix}",
            "hostname": hostname if fields["hostname"] else f"{hostname}{suffix}",
            "project_id": self.token.project_id,
            "user_id": self.token.user_id,
            "number": 0,
            "vm_state": "building",
            "task_state": "scheduling",
            "power_state": 0,
            "host": None,
            "created": moment,
            "updated": moment,
            "launched_at": None,
            "terminated_at": None,
            "launch_index": index,
            "root_device_name": None,
            "locked_by": None,
            "locked_reason": None,
            "fault": None,
            "groups": [],
            "cards": [dict(card) for card in cards],
            "nics": [],
            "root": None,
            "console": "",
            "shelved_image": None,
            # While it is resized: the host and the flavor to go back to, and whether it ran.
            "before": None,
            # Of the task that is going on: one that was overtaken finds another number.
            "turn": 0,
        }

    def _reserve(self, several: list[Json], group: Json | None) -> None:
        """Take the volumes and places in the group, and let the building begin."""
        for server in several:
            if group:
                self.join(server, group)
            try:
                self._take_volumes(server)
            except RefusedError:
                self.leave(server)
                raise
            server["number"] = self.state.number("instances")
            self.state.servers[server["id"]] = server
            self.state.of_project.setdefault(server["project_id"], {})[server["id"]] = None
            self.use(server["project_id"], server["flavor"])
            self.note(server, "create", done=False)
            self.cloud.later("server", self, "build", server["id"])

    def _take_volumes(self, server: Json) -> None:
        """Nobody else may have them from now on."""
        taken: list[str] = []
        for one in server["disks"]:
            if not (id_ := one["volume_id"]):
                continue
            try:
                self.check_volume(id_, server, many=self.since(60))
                one["attachment_id"] = self.cloud.volume.attach(id_, server["id"], None, None)
            except RefusedError as error:
                for other in taken:
                    self.let_go(other, server["id"])
                raise RefusedError(400, error.message) from None
            taken.append(id_)
            self.state.of_volume.setdefault(id_, []).append(server["id"])
        self.place_volumes(server)


def host_name(name: str) -> str:
    """What a server is called inside, from its name: letters beyond ASCII stay, those beyond Latin-1 do not."""
    latin = name.encode("latin-1", "ignore").decode("latin-1")[:63]
    return re.sub(r"[^\w.-]+", "", re.sub(r"[ _.]", "-", latin)).lower().strip(".-")


def _texts(value: Any) -> list[str]:
    """A scheduler hint, as it is kept."""
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _disk_config(image: Json) -> str:
    wanted = str(image["properties"].get("auto_disk_config", "")).lower() in ("true", "1", "yes", "on")
    return "AUTO" if wanted else "MANUAL"


def _copied(value: Any) -> Any:
    """Not shared between servers."""
    if isinstance(value, list):
        return [_copied(one) for one in value]
    return dict(value) if isinstance(value, dict) else value


def _random(length: int, among: str) -> str:
    return "".join(secrets.choice(among) for _ in range(length))
