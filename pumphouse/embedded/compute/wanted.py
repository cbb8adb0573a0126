"""What ``POST /servers`` may say: the shape of it, its disks, and its networks."""

from __future__ import annotations

import functools
import ipaddress
import json
import re
from typing import Any

from pumphouse.embedded.compute import schemas
from pumphouse.embedded.compute.devices import disk
from pumphouse.embedded.compute.schemas import Schema
from pumphouse.embedded.compute.state import Json
from pumphouse.embedded.compute.versions import Version
from pumphouse.embedded.compute.views import Views
from pumphouse.embedded.service import RefusedError

HINTS: Schema = {
    "type": "object",
    "properties": {
        "group": schemas.UUID,
        "different_host": {"oneOf": [schemas.UUID, {"type": "array", "items": schemas.UUID}]},
        "same_host": {"type": ["string", "array"], "items": schemas.UUID},
        "query": {"type": ["string", "object"]},
        "target_cell": schemas.NAME,
        "build_near_host_ip": schemas.ADDRESS,
        "cidr": {"type": "string", "pattern": "^/[0-9a-f.:]+$"},
    },
}
SIZE: Schema = {
    "type": ["integer", "string"],
    "pattern": "^[0-9]+$",
    "minimum": 1,
    "maximum": schemas.LARGEST,
}
TEXT: Schema = {"type": "string", "maxLength": 255}
CERTIFICATES: Schema = {
    "type": ["array", "null"],
    "minItems": 1,
    "maxItems": 50,
    "uniqueItems": True,
    "items": {"type": "string", "minLength": 1},
}


def names(version: Version) -> dict[str, Schema]:
    """What a hostname may be, in this version."""
    return {"hostname": schemas.HOSTNAME if version < (2, 94) else schemas.FQDN}


@functools.cache
def schema(version: Version) -> Schema:
    """Of the whole body."""
    properties: dict[str, Schema] = {
        "name": schemas.NAME,
        "imageRef": {"oneOf": [schemas.UUID, {"type": "string", "maxLength": 0}]},
        "flavorRef": {"type": ["string", "integer"], "minLength": 1},
        "adminPass": {"type": "string"},
        "metadata": schemas.METADATA,
        "networks": _networks(version),
        "OS-DCF:diskConfig": schemas.DISK_CONFIG,
        "accessIPv4": {"type": "string"},
        "accessIPv6": {"type": "string"},
        "availability_zone": schemas.NAME,
        "block_device_mapping": {"type": "array"},
        "block_device_mapping_v2": {"type": "array", "items": _disks(version)},
        "config_drive": schemas.BOOLEAN,
        "key_name": schemas.NAME,
        "min_count": schemas.POSITIVE,
        "max_count": schemas.POSITIVE,
        "return_reservation_id": schemas.BOOLEAN,
        "security_groups": {"type": "array", "items": schemas.thing((), name=schemas.NAME)},
        "user_data": {"type": "string", "format": "base64", "maxLength": 65535},
    }
    since: list[tuple[int, dict[str, Schema]]] = [
        (19, {"description": schemas.DESCRIPTION}),
        (52, {"tags": {"type": "array", "items": schemas.TAG, "maxItems": 50}}),
        (63, {"trusted_image_certificates": CERTIFICATES}),
        (74, {"host": schemas.HOST, "hypervisor_hostname": schemas.HOST}),
        (90, names(version)),
    ]
    for minor, more in since:
        if version >= (2, minor):
            properties |= more
    if version < (2, 57):
        properties["personality"] = {"type": "array"}
    required = ("name", "flavorRef", *(("networks",) if version >= (2, 37) else ()))
    server = schemas.thing(required, **properties)
    return schemas.thing(
        ("server",), server=server, **{"os:scheduler_hints": HINTS, "OS-SCH-HNT:scheduler_hints": HINTS}
    )


def _networks(version: Version) -> Schema:
    properties: dict[str, Schema] = {
        "fixed_ip": schemas.ADDRESS,
        "port": {"oneOf": [schemas.UUID, {"type": "null"}]},
        "uuid": schemas.UUID if version >= (2, 37) else {"type": "string"},
    }
    if version >= (2, 42) or (2, 32) <= version < (2, 37):
        properties["tag"] = schemas.TAG
    several: Schema = {"type": "array", "items": schemas.thing((), **properties)}
    return {"oneOf": [several, {"type": "string", "enum": ["none", "auto"]}]} if version >= (2, 37) else several


def _disks(version: Version) -> Schema:
    properties: dict[str, Schema] = {
        **dict.fromkeys(("virtual_name", "guest_format", "device_type", "disk_bus", "connection_info"), TEXT),
        **dict.fromkeys(("volume_id", "snapshot_id", "image_id"), schemas.UUID),
        "volume_size": SIZE,
        "device_name": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9._-r/]*$"},
        "delete_on_termination": schemas.BOOLEAN,
        "no_device": {},
        "source_type": {"type": "string", "enum": ["volume", "image", "snapshot", "blank"]},
        "uuid": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9._-]*$"},
        "destination_type": {"type": "string", "enum": ["local", "volume"]},
        "boot_index": {"type": ["integer", "string", "null"], "pattern": "^-?[0-9]+$"},
    }
    if version >= (2, 42) or version == (2, 32):
        properties["tag"] = schemas.TAG
    if version >= (2, 67):
        properties["volume_type"] = {"type": ["string", "null"], "minLength": 0, "maxLength": 255}
    return schemas.thing((), **properties)


class Wanted(Views):
    """Checks of what is asked for."""

    # --- disks ---

    def wanted_disks(self, given: Json, flavor: Json) -> list[Json]:
        """All disks that a server is to have, its root among them. Refuses mappings that make no sense."""
        if given.get("block_device_mapping"):
            raise RefusedError(400, "block_device_mapping (v1) is not offered here: use block_device_mapping_v2")
        image = given.get("imageRef") or None
        asked = [self._mapping(one, image is not None) for one in given.get("block_device_mapping_v2") or ()]
        if not image and not asked:
            raise RefusedError(400, "Missing imageRef attribute")
        if not asked:
            fields: Json = {"source_type": "image", "destination_type": "local", "image_id": image}
            asked = [disk(**fields, boot_index=0, delete_on_termination=True)]
        if own := self._disks_of_image(image):
            asked = own + [one for one in asked if one["boot_index"] != 0 or one["source_type"] != "image"]
        asked += _of_flavor(flavor, asked)
        order = sorted(one["boot_index"] for one in asked if one["boot_index"] not in (None, -1))
        if not order or order != list(range(len(order))):
            message = "Boot sequence for the instance and image/block device mapping combination is not valid."
            raise RefusedError(400, f"Block Device Mapping is Invalid: {message}")
        return asked

    def _disks_of_image(self, id_: str | None) -> list[Json]:
        """Of an image that is a server's snapshots of volumes: volumes made from these."""
        image = self.cloud.image.visible(id_) if id_ else None
        told = json.loads((image or {}).get("block_device_mapping") or "[]")
        known = disk()
        return [disk(**{key: value for key, value in one.items() if key in known}) for one in told]

    def _mapping(self, given: Json, with_image: bool) -> Json:
        """One of block_device_mapping_v2."""
        source, uuid = given.get("source_type"), given.get("uuid")
        destination = given.get("destination_type") or ("local" if source == "blank" else "volume")
        index = given.get("boot_index")
        index = None if index is None else max(int(index), -1)
        problem = None
        if source == "blank" and uuid:
            problem = "Invalid device UUID."
        elif source != "blank" and not uuid:
            problem = "Missing device UUID."
        elif source == "image" and destination == "local" and not (with_image and index == 0):
            problem = "Mapping image to local is not supported."
        elif given.get("volume_type") and destination == "local":
            problem = "Specifying a volume_type with destination_type=local is not supported."
        elif given.get("volume_type") and source == "volume":
            problem = "Specifying volume type to existing volume is not supported."
        if problem:
            raise RefusedError(400, f"Block Device Mapping is Invalid: {problem}")
        size = given.get("volume_size")
        if destination == "volume" and source in ("image", "blank") and not size:
            raise RefusedError(400, _sizeless(str(source)))
        return disk(
            source_type=source,
            destination_type=destination,
            **({f"{source}_id": uuid} if source != "blank" else {}),
            size=int(size) if size else None,
            boot_index=index,
            guest_format=given.get("guest_format"),
            delete_on_termination=schemas.truth(given.get("delete_on_termination", False)),
            tag=given.get("tag"),
            volume_type=given.get("volume_type"),
        )

    # --- networks ---

    def wanted_networks(self, given: Json, count: int) -> list[Json]:
        """What each of the new server's cards is to be: ``port_id`` or ``network_id``, ``fixed_ip``, ``tag``."""
        asked = given.get("networks")
        if asked == "none":
            return []
        if not asked or asked == "auto":
            return self._any_network(asked == "auto")
        found: list[Json] = []
        for one in asked:
            card = self._card(one)
            if card["port_id"] and any(other["port_id"] == card["port_id"] for other in found):
                message = f"Port ID '{card['port_id']}' was specified twice: you cannot attach a port multiple times."
                raise RefusedError(400, message)
            found.append(card)
        if count > 1 and any(card["port_id"] for card in found):
            message = (
                "Unable to launch multiple instances with a single configured port ID. Please launch your instance "
                "one by one with different ports."
            )
            raise RefusedError(400, f"Failed to launch instances: {message}")
        return found

    def _any_network(self, auto: bool) -> list[Json]:
        """The project's only one."""
        found = self.cloud.network.networks_for(self.token.project_id or "")
        if len(found) > 1:
            message = "Multiple possible networks found, use a Network ID to be more specific."
            raise RefusedError(409, message)
        if not found and auto:
            message = f"Unable to automatically allocate a network for project {self.token.project_id}"
            raise RefusedError(400, message)
        return [{"port_id": None, "network_id": one["id"], "fixed_ip": None, "tag": None} for one in found]

    def _card(self, given: Json) -> Json:
        card = {"port_id": given.get("port"), "network_id": given.get("uuid"), "fixed_ip": given.get("fixed_ip"),
                "tag": given.get("tag")}  # fmt: skip
        if card["port_id"]:
            self._check_port(card)
            return card
        if not card["network_id"]:
            raise RefusedError(400, "Bad network format: missing 'uuid'")
        if not re.fullmatch("[0-9a-f-]{36}", card["network_id"]):
            message = f"Bad networks format: network uuid is not in proper format ({card['network_id']})"
            raise RefusedError(400, message)
        self._check_network(card)
        return card

    def _check_port(self, card: Json) -> None:
        id_, ip = card["port_id"], card["fixed_ip"]
        if ip is not None:
            message = (
                f"Specified Fixed IP '{ip}' cannot be used with port '{id_}': the two cannot be specified together."
            )
            raise RefusedError(400, message)
        port = self.cloud.network.find_port(id_)
        if port is None or not (self.token.admin or port["project_id"] == self.token.project_id):
            raise RefusedError(400, f"Port id {id_} could not be found.")
        if port["device_id"]:
            raise RefusedError(409, f"Port {id_} is still in use.")
        if not port["fixed_ips"] and port.get("ip_allocation", "immediate") == "immediate":
            raise RefusedError(400, f"Port {id_} requires a FixedIP in order to be used.")
        card["network_id"] = port["network_id"]

    def _check_network(self, card: Json) -> None:
        """It must be the project's, or shared, and have a subnet."""
        id_ = card["network_id"]
        networks = self.cloud.network.networks
        network = networks.table.get(id_)
        if network is None or not networks.visible(network):
            raise RefusedError(400, f"Network {id_} could not be found.")
        mine = {one["id"] for one in self.cloud.network.networks_for(self.token.project_id or "")}
        if networks.external(network) and id_ not in mine and not self.token.admin:
            raise RefusedError(403, f"It is not allowed to create an interface on external network {id_}")
        subnets = self.cloud.network.subnets.of(id_)
        if not subnets:
            raise RefusedError(400, f"Network {id_} requires a subnet in order to boot instances on.")
        if (ip := card["fixed_ip"]) and (port := self._holder(subnets, ip)):
            raise RefusedError(400, f"Fixed IP address {ip} is already in use on instance {port['device_id']}.")

    def _holder(self, subnets: list[Json], ip: str) -> Json | None:
        """The port that has an address."""
        number = int(ipaddress.ip_address(ip))
        ids = (self.cloud.network.addresses.of(subnet["id"]).get(number) for subnet in subnets)
        return next((self.cloud.network.find_port(id_) for id_ in ids if id_), None)


def _sizeless(source: str) -> str:
    what = {
        "image": "Images with destination_type 'volume' need to have a non-zero size specified",
        "blank": "Blank volumes (source: 'blank', dest: 'volume') need to have non-zero size",
    }
    return what[source]


def _of_flavor(flavor: Json, asked: list[Json]) -> list[Json]:
    """The empty disks that a flavor brings."""
    local = [one for one in asked if one["source_type"] == "blank" and one["destination_type"] == "local"]
    found = []
    if flavor["ephemeral"] and not any(one["guest_format"] != "swap" for one in local):
        found.append(_blank(flavor["ephemeral"], None))
    if flavor["swap"] and not any(one["guest_format"] == "swap" for one in local):
        found.append(_blank(flavor["swap"], "swap"))
    return found


def _blank(size: int, format_: str | None) -> Json:
    fields: dict[str, Any] = {"source_type": "blank", "destination_type": "local", "boot_index": -1}
    return disk(**fields, size=size, guest_format=format_, delete_on_termination=True)
