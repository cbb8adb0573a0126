"""Whether the destination has room: hosts for each server and for all of them, pools for the volumes."""

from __future__ import annotations

import collections
import math
from collections.abc import Iterator
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import is_missing
from pumphouse.planning.checks.subject import Subject, about, whole
from pumphouse.planning.plan import Finding, Item
from pumphouse.resources.base import Wire
from pumphouse.resources.compute.server import boots_from_volume

#: What Placement calls it -> what people call it.
CLASSES = {"VCPU": "vCPUs", "MEMORY_MB": "MiB of memory", "DISK_GB": "GiB of disk"}
#: Placement's microversion from which allocation candidates can be asked for (Pike).
CANDIDATES = "1.10"


def servers(subject: Subject) -> Iterator[Finding]:
    """By Placement, allocation ratios and reservations included; what a flavor wants beyond its size is not judged."""
    fresh = list(subject.fresh("server"))
    if not fresh:
        return
    by_size: dict[tuple[int, ...], list[Item]] = collections.defaultdict(list)
    total: collections.Counter[str] = collections.Counter()
    for item, server in fresh:
        need = _need(subject, server)
        total.update(need)
        by_size[tuple(need[name] for name in CLASSES)].append(item)
    homeless = 0
    for size, items in by_size.items():
        wanted = {name: amount for name, amount in zip(CLASSES, size, strict=True) if amount}
        if wanted and not _candidates(subject.destination, wanted)["allocation_requests"]:
            for item in items:
                homeless += 1
                yield about("blocks", item, f"no host of the destination has {_words(wanted)} free", "make room there")
    # The answer shows only the classes that were asked for (before microversion 1.27).
    asked = {name: 1 for name in total if total[name]}
    free = _free(_candidates(subject.destination, asked)["provider_summaries"]) if asked else total
    short = {name: amount for name, amount in total.items() if amount > free[name]}
    if short and not homeless:
        have = {name: free[name] for name in short}
        yield whole(
            "blocks",
            f"the servers need {_words(short)}: all hosts of the destination together have {_words(have)} free",
            "make room there, or move fewer at once",
        )


def volumes(subject: Subject) -> Iterator[Finding]:
    """The pools that tell how much is free; which of them a volume's type leads to is not judged."""
    need = sum(int(volume.get("size") or 0) for _, volume in subject.fresh("volume"))
    if not need:
        return
    try:
        pools = subject.destination.volume.pools.list(detailed=True)
    except Exception as error:
        if is_missing(error):
            return
        raise
    rooms = [_room(pool.to_dict()) for pool in pools]
    if not pools:
        yield whole(
            "blocks", "no storage pool of the destination reports to its scheduler", "start cinder-volume there"
        )
    elif (room := sum(rooms)) < need:
        yield whole(
            "blocks",
            f"the volumes need {need} GiB: all storage pools of the destination together have {int(room)} GiB free",
            "add storage there, or move fewer at once",
        )
    elif rooms and (largest := max(rooms)) < need:
        item, volume = max(subject.fresh("volume"), key=lambda pair: int(pair[1].get("size") or 0))
        if int(volume["size"]) > largest:
            yield about(
                "blocks",
                item,
                f"has {volume['size']} GiB: no storage pool of the destination has that free",
                "add storage",
            )


def _need(subject: Subject, server: Wire) -> collections.Counter[str]:
    flavor = subject.flavor(server)
    disk = 0 if boots_from_volume(server) else int(flavor.get("disk") or 0)
    disk += int(flavor.get("OS-FLV-EXT-DATA:ephemeral") or 0) + math.ceil(int(flavor.get("swap") or 0) / 1024)
    return collections.Counter(
        {"VCPU": int(flavor.get("vcpus") or 0), "MEMORY_MB": int(flavor.get("ram") or 0), "DISK_GB": disk}
    )


def _candidates(cloud: Cloud, wanted: dict[str, int]) -> dict[str, Any]:
    """GET /allocation_candidates: the hosts that have so much free now."""
    resources = ",".join(f"{name}:{amount}" for name, amount in wanted.items())
    answer = cloud.adapter("placement").get(
        f"/allocation_candidates?resources={resources}",
        headers={"OpenStack-API-Version": f"placement {CANDIDATES}"},
    )
    return dict(answer.json())


def _free(providers: dict[str, Any]) -> collections.Counter[str]:
    """What is free on all hosts together."""
    free: collections.Counter[str] = collections.Counter()
    for provider in providers.values():
        for name, entry in provider["resources"].items():
            free[name] += max(0, int(entry["capacity"]) - int(entry["used"]))
    return free


def _room(pool: dict[str, Any]) -> float:
    """GiB that a pool will still give out; without end where it does not tell ("infinite", "unknown")."""
    found = pool.get("capabilities", pool)
    free, total = found.get("free_capacity_gb"), found.get("total_capacity_gb")
    if not isinstance(free, int | float) or not isinstance(total, int | float):
        return math.inf
    reserved = total * float(found.get("reserved_percentage") or 0) / 100
    if found.get("thin_provisioning_support") in (True, "True"):
        ratio = found.get("max_over_subscription_ratio")
        if ratio == "auto":
            return math.inf
        provisioned = float(found.get("provisioned_capacity_gb") or 0)
        return max(0.0, (total - reserved) * float(ratio or 1) - provisioned)
    return max(0.0, free - reserved)


def _words(amounts: dict[str, int]) -> str:
    return ", ".join(f"{amount} {CLASSES[name]}" for name, amount in amounts.items())
