"""Whether what leaves a host has room on the others: sizes of servers, rooms of hosts, and how they fit together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from pumphouse.clouds.hypervisors import Room
from pumphouse.resources.base import Wire
from pumphouse.resources.compute.server import boots_from_volume

#: How much of each resource a server needs: Placement's name -> vCPUs, MiB, GiB.
Need = dict[str, int]
#: Host -> resource -> its room; a resource that is not told is not judged.
Rooms = Mapping[str, Mapping[str, Room]]

CLASSES = {"VCPU": "vCPUs", "MEMORY_MB": "MiB of memory", "DISK_GB": "GiB of disk"}


def need_of(server: Wire, flavor: Wire | None = None) -> Need:
    """What a server takes of its host. ``flavor``: where the server itself does not tell (before 2.47)."""
    size = flavor or server["flavor"]
    disk = 0 if boots_from_volume(server) else int(size.get("disk") or 0)
    extra = size.get("ephemeral", size.get("OS-FLV-EXT-DATA:ephemeral"))
    disk += int(extra or 0) + math.ceil(int(size.get("swap") or 0) / 1024)
    return {"VCPU": int(size.get("vcpus") or 0), "MEMORY_MB": int(size.get("ram") or 0), "DISK_GB": disk}


class Packing:
    """Servers put on hosts, one after the other: each where most memory is left."""

    def __init__(self, rooms: Rooms) -> None:
        """``rooms``: of the hosts that may be used."""
        self._free = {host: {kind: room.free for kind, room in kinds.items()} for host, kinds in rooms.items()}

    def put(self, need: Need) -> str | None:
        """The host that has room for it now, which is taken; None where none has."""
        fitting = [host for host, free in self._free.items() if fits(need, free)]
        if not fitting:
            return None
        best = max(fitting, key=lambda host: (self._free[host].get("MEMORY_MB", 0), host))
        for kind in self._free[best]:
            self._free[best][kind] -= need.get(kind, 0)
        return best


def fits(need: Need, free: Mapping[str, int]) -> bool:
    """Whether there is so much, of what is told."""
    return all(need.get(kind, 0) <= amount for kind, amount in free.items())


def pack(needs: Mapping[str, Need], rooms: Rooms) -> dict[str, str | None]:
    """Id of a server -> the host that it could go to, or None. The largest are put first."""
    packing = Packing(rooms)
    order = sorted(needs, key=lambda id_: (-needs[id_]["MEMORY_MB"], -needs[id_]["VCPU"], -needs[id_]["DISK_GB"], id_))
    placed = {id_: packing.put(needs[id_]) for id_ in order}
    return {id_: placed[id_] for id_ in needs}


def total(needs: Iterable[Need]) -> Need:
    """All together."""
    found = dict.fromkeys(CLASSES, 0)
    for need in needs:
        for kind, amount in need.items():
            found[kind] += amount
    return found


def words(need: Mapping[str, int]) -> str:
    """``2 vCPUs, 64 MiB of memory``."""
    return ", ".join(f"{amount} {CLASSES[kind]}" for kind, amount in need.items() if amount) or "nothing"
