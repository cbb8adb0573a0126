"""In which order tenants leave, so that whole hosts of the source fall empty soon and can become the destination's.

A host is free when every tenant with a server on it has left. So the host that takes the least to empty comes first,
with all tenants on it; then the next, in the light of what has left already. What a freed host gives to the
destination is taken to be what it has in the source: the machine stays the same, allocation ratios may differ.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pumphouse.clouds import hypervisors
from pumphouse.clouds.hypervisors import HOST
from pumphouse.planning.capacity import CLASSES, Need, Rooms, need_of, total
from pumphouse.resources.base import Wire

if TYPE_CHECKING:
    from pumphouse.clouds.cloud import Cloud


@dataclasses.dataclass
class Tenant:
    """A project with servers."""

    id: str
    name: str
    servers: int
    needs: Need
    hosts: list[str]


@dataclasses.dataclass
class Step:
    """Some tenants leave, and then some hosts are free."""

    tenants: list[Tenant]
    #: Hosts of the source that are empty then.
    hosts: list[str]
    #: What these add to the destination.
    gives: Need
    #: What is missing in the destination before they leave; empty: there is room.
    short: Need
    #: What the destination has free in the end, of what it tells.
    free: Need

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return dataclasses.asdict(self)


def read_order(source: Cloud, destination: Cloud) -> list[Step]:
    """The steps, as both clouds are now: they are read, nothing is changed."""
    servers = [
        server.to_dict()
        for server in source.compute.servers.list(detailed=True, search_opts={"all_tenants": 1}, limit=-1)
    ]
    flavors = {}
    if any("vcpus" not in server["flavor"] for server in servers):
        flavors = {one.id: one.to_dict() for one in source.compute.flavors.list(is_public=None)}
    names = {project.id: project.name for project in source.identity.projects.list()}
    return host_order(servers, names, hypervisors.rooms(source), hypervisors.rooms(destination), flavors)


def host_order(
    servers: Iterable[Wire], names: Mapping[str, str], here: Rooms, there: Rooms, flavors: Mapping[str, Wire]
) -> list[Step]:
    """The steps until all have left; hosts that are empty already are the first, without tenants.

    ``names``: of projects by id. ``here``, ``there``: rooms of the hosts of source and destination. ``flavors``: of the
    source by id, for servers that do not show their size.
    """
    tenants = _tenants([one for one in servers if one.get(HOST)], names, flavors)
    free = {kind: sum(room[kind].free for room in there.values() if kind in room) for kind in CLASSES}
    told = {kind for room in there.values() for kind in room}
    left = {host: {tenant.id for tenant in tenants.values() if host in tenant.hosts} for host in here}
    steps = []
    empty = sorted(host for host, ids in left.items() if not ids)
    if empty:
        steps.append(_step([], empty, here, free, told))
    while remaining := {host: ids for host, ids in left.items() if ids}:
        going = min(remaining, key=lambda host: (_weight(remaining[host], tenants), host))
        leaving = sorted(remaining[going], key=lambda id_: (tenants[id_].needs["MEMORY_MB"], tenants[id_].name))
        for ids in left.values():
            ids -= set(leaving)
        emptied = sorted(host for host in remaining if not left[host])
        steps.append(_step([tenants[id_] for id_ in leaving], emptied, here, free, told))
    return steps


def _tenants(servers: list[Wire], names: Mapping[str, str], flavors: Mapping[str, Wire]) -> dict[str, Tenant]:
    found: dict[str, list[Wire]] = {}
    for server in servers:
        found.setdefault(server["tenant_id"], []).append(server)
    return {
        id_: Tenant(
            id_,
            names.get(id_, id_),
            len(own),
            total(need_of(one, None if "vcpus" in one["flavor"] else flavors.get(one["flavor"]["id"])) for one in own),
            sorted({one[HOST] for one in own}),
        )
        for id_, own in found.items()
    }


def _weight(ids: Iterable[str], tenants: Mapping[str, Tenant]) -> tuple[int, int]:
    """How much must leave: memory, then servers."""
    going = [tenants[id_] for id_ in ids]
    return sum(one.needs["MEMORY_MB"] for one in going), sum(one.servers for one in going)


def _step(tenants: list[Tenant], hosts: list[str], here: Rooms, free: dict[str, int], told: set[str]) -> Step:
    """``free`` is changed to what it is afterwards."""
    needs = total(tenant.needs for tenant in tenants)
    short = {kind: needs[kind] - free[kind] for kind in CLASSES if kind in told and needs[kind] > free[kind]}
    gives = {kind: sum(here[host][kind].capacity for host in hosts if kind in here[host]) for kind in CLASSES}
    for kind in CLASSES:
        free[kind] += gives[kind] - needs[kind]
    return Step(tenants, hosts, gives, short, {kind: free[kind] for kind in CLASSES if kind in told})
