"""What will be otherwise in the destination though nothing is lost: zones and device names; said beforehand."""

from __future__ import annotations

import string

from pumphouse.clouds.cloud import Cloud
from pumphouse.names import Names, suggestion
from pumphouse.planning.discovery import Found
from pumphouse.planning.plan import Item, Loss
from pumphouse.resources.base import Wire
from pumphouse.resources.compute.server import boots_from_volume
from pumphouse.resources.compute.zones import zones
from pumphouse.resources.quota import QuotaType
from pumphouse.resources.registry import TYPES
from pumphouse.resources.volume.volume import devices

#: Where a type shows its availability zone, and whose zones these are.
ZONE_OF = {"server": ("OS-EXT-AZ:availability_zone", "compute"), "volume": ("availability_zone", "volume")}


def name_changes(items: list[Item], found: Found, destination: Cloud, names: Names) -> None:
    """Add to each item that will be made what the destination cannot do in the same way."""
    fresh = [item for item in items if item.action == "create"]
    for type_, (field, service) in ZONE_OF.items():
        concerned = [item for item in fresh if item.type == type_]
        known = zones(destination, service) if concerned else set()
        for item in concerned:
            zone = found.resources[item.key].get(field)
            other = names.mapped("availability_zones", zone)
            if zone and (other or zone not in known):
                item.mapping = ["availability_zones", zone]
            if other and other not in known:
                item.action = "conflict"
                item.reason = (
                    f"its zone {zone} is mapped to {other!r} (mappings.availability_zones), which the destination "
                    f"does not have; {suggestion(other, known)}"
                )
            elif zone and not other and zone not in known:
                reason = f"the destination has no such zone and chooses (it has: {', '.join(sorted(known))})"
                item.losses.append(Loss(field, zone, reason))
    for item in fresh:
        if item.type == "server":
            _name_devices(item, found)
        quota = TYPES[item.type]
        if isinstance(quota, QuotaType):
            unknown = quota.unknown(destination, found.resources[item.key])
            item.losses += [Loss(*limit, "the destination has no such limit") for limit in unknown.items()]


def _name_devices(item: Item, found: Found) -> None:
    """libvirt names disks by their order: a gap between the source's names closes."""
    server = found.resources[item.key]
    names = sorted(device for volume in _volumes(server, found) for device in devices(volume["attachments"]))
    if not boots_from_volume(server):
        names.insert(0, server.get("OS-EXT-SRV-ATTR:root_device_name") or "/dev/vda")
    # An ephemeral and a swap disk have the first names behind the root disk's, on both sides.
    of_the_flavor = [disk for disk in ("ephemeral", "swap") if server["flavor"].get(disk)]
    free = (f"/dev/vd{letter}" for letter in string.ascii_lowercase[1:] if f"/dev/vd{letter}" not in names)
    names += [next(free) for _ in of_the_flavor]
    for place, name in enumerate(sorted(names, key=lambda name: (len(name), name))):
        becomes = f"{name[:-1]}{chr(ord('a') + place)}"
        if name != becomes and place < 26:
            item.losses.append(Loss("device", name, f"becomes {becomes}: the destination names disks by their order"))


def _volumes(server: Wire, found: Found) -> list[Wire]:
    attached = server.get("os-extended-volumes:volumes_attached") or ()
    volumes = (found.resources.get(("volume", entry["id"])) for entry in attached)
    return [volume for volume in volumes if volume is not None]
