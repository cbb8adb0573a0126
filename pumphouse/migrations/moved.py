"""What was moved within its cloud has no counterpart: it is looked at again, whether it is where it should be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pumphouse.clouds import hypervisors
from pumphouse.clouds.errors import or_none
from pumphouse.migrations import reassigned
from pumphouse.planning.plan import Item
from pumphouse.resources.base import FieldVerdict
from pumphouse.store import notes
from pumphouse.tasks.context import Context
from pumphouse.tasks.hosts import PLACE, what_is_left

#: Each of these stands for the other: Nova takes a shelved server off its host in its own time.
SHELVED = ("SHELVED", "SHELVED_OFFLOADED")


def look(context: Context, item: Item, later: bool = False) -> list[FieldVerdict]:
    """What of it is as it should be. ``later``: some time after the move, when its state may be another."""
    if item.type not in LOOKS:
        return [FieldVerdict("(resource)", "differs", None, None, f"a {item.type} does not move within a cloud")]
    return list(LOOKS[item.type](context, item, later))


def _server(context: Context, item: Item, later: bool) -> Iterator[FieldVerdict]:
    """On another host, with the id and the status that it had."""
    found = or_none(lambda: context.source.compute.servers.get(item.id))
    if found is None:
        yield _gone()
        return
    server = found.to_dict()
    yield FieldVerdict("id", "equal", item.id, server["id"], "")
    yield _place("OS-EXT-SRV-ATTR:host", item.move["from"], server.get(hypervisors.HOST))
    noted = notes.find(context.store, PLACE, "server", item.id, context.migration_id) or {}
    was, now = noted.get("status") or item.move.get("status"), server["status"]
    right = was == now or {was, now} <= set(SHELVED)
    if right or not later:
        # What was broken as its host was down is rebuilt whole.
        better = was == "ERROR" and item.move.get("fenced")
        yield FieldVerdict("status", "equal" if right or better else "differs", was, now, "")


def _volume(context: Context, item: Item, later: bool) -> Iterator[FieldVerdict]:
    """On another machine, with the id and the size that it had."""
    del later
    volume = hypervisors.volume(context.source, item.id)
    if volume is None:
        yield _gone()
        return
    yield FieldVerdict("id", "equal", item.id, volume["id"], "")
    host = str(volume.get(hypervisors.VOLUME_HOST) or "")
    yield _place(hypervisors.VOLUME_HOST, item.move["from"], host, hypervisors.machine(host))


def _compute_service(context: Context, item: Item, later: bool) -> Iterator[FieldVerdict]:
    service = hypervisors.service_of(context.source, item.id)
    yield _disabled(context, item, service) if service else _gone()


def _volume_service(context: Context, item: Item, later: bool) -> Iterator[FieldVerdict]:
    service = next((one for one in hypervisors.volume_services(context.source) if one["host"] == item.id), None)
    yield _disabled(context, item, service) if service else _gone()


def _host(context: Context, item: Item, later: bool) -> Iterator[FieldVerdict]:
    left = what_is_left(context.source, item.id)
    yield FieldVerdict("what is on it", "differs" if left else "equal", [], left, "")


def _disabled(context: Context, item: Item, service: dict[str, Any]) -> FieldVerdict:
    noted = notes.find(context.store, notes.BEFORE, item.type, item.id, context.migration_id) or {}
    right = service["status"] == "disabled"
    verdict, reason = ("mapped", "so that nothing new comes") if right else ("differs", "somebody has enabled it")
    return FieldVerdict("status", verdict, noted.get("status"), service["status"], reason)


def _place(field: str, origin: str, place: str | None, machine: str | None = None) -> FieldVerdict:
    away = (machine or place) != origin
    return FieldVerdict(field, "mapped" if away else "differs", origin, place, "" if away else "it is still there")


def _gone() -> FieldVerdict:
    return FieldVerdict("(resource)", "differs", None, None, "is not in the source any more")


LOOKS: dict[str, Callable[[Context, Item, bool], Iterator[FieldVerdict]]] = {
    "server": _server,
    "volume": _volume,
    "compute_service": _compute_service,
    "volume_service": _volume_service,
    "host": _host,
    **reassigned.LOOKS,
}
