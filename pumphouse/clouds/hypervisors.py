"""The hypervisors of a cloud: the services on them, what lives on them, how much room they have.

Hosts are known by their exact names. Nova has two for each: its own (``host`` of the service, and of each server on
it), and that of the hypervisor, which may be longer by a domain; here a host is called by the first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import RemedyError, ignore_missing, is_missing, or_none

Wire = dict[str, Any]

COMPUTE, VOLUME = "nova-compute", "cinder-volume"
#: The field in which Nova tells administrators where a server lives; of a volume: ``HOST@BACKEND#POOL``.
HOST, VOLUME_HOST = "OS-EXT-SRV-ATTR:host", "os-vol-host-attr:host"
#: Nova's microversion from which services are changed by their UUID, and the last in which hypervisors tell how full
#: they are.
BY_UUID, FULLNESS = "2.53", "2.87"
#: Placement's microversion from which providers tell of which others they are a part.
TREE = {"OpenStack-API-Version": "placement 1.14"}
#: Placement's name of a resource -> what hypervisors call all of it, and what of it is taken.
CLASSES = {
    "VCPU": ("vcpus", "vcpus_used"),
    "MEMORY_MB": ("memory_mb", "memory_mb_used"),
    "DISK_GB": ("local_gb", "local_gb_used"),
}


@dataclasses.dataclass
class Room:
    """How much of a resource a host has for servers, and how much is taken: vCPUs, MiB or GiB."""

    capacity: int
    used: int

    @property
    def free(self) -> int:
        """What can still be given out."""
        return max(0, self.capacity - self.used)


def services(cloud: Cloud) -> list[Wire]:
    """Every nova-compute: id, host, state (up, down), status (enabled, disabled), disabled_reason, forced_down."""
    return [service.to_dict() for service in cloud.compute_at(BY_UUID).services.list(binary=COMPUTE)]


def service_of(cloud: Cloud, host: str) -> Wire | None:
    """The nova-compute of this host."""
    return next((service for service in services(cloud) if service["host"] == host), None)


def disable(cloud: Cloud, service: Wire, reason: str | None) -> None:
    """Let Nova put no more servers on its host."""
    manager = cloud.compute_at(BY_UUID).services
    whom = (service["id"],) if _by_uuid(cloud) else (service["host"], service["binary"])
    if reason:
        manager.disable_log_reason(*whom, reason)
    else:
        manager.disable(*whom)


def enable(cloud: Cloud, service: Wire) -> None:
    """Let Nova put servers on its host again."""
    manager = cloud.compute_at(BY_UUID).services
    if _by_uuid(cloud):
        manager.enable(service["id"])
    else:
        manager.enable(service["host"], service["binary"])


def _by_uuid(cloud: Cloud) -> bool:
    return cloud.microversion("compute") >= (2, 53)


def hypervisors(cloud: Cloud) -> list[Wire]:
    """All, with the hosts of their services; how full they are as far as Nova tells."""
    return [one.to_dict() for one in cloud.compute_at(FULLNESS).hypervisors.list(detailed=True)]


def host_of(hypervisor: Wire) -> str:
    """The host that a hypervisor is on."""
    return str((hypervisor.get("service") or {}).get("host") or hypervisor["hypervisor_hostname"])


def servers_on(cloud: Cloud, host: str) -> list[Wire]:
    """The servers that live on a host, of all projects. Whatever the filter lets through, only this name counts."""
    search = {"all_tenants": 1, "host": host}
    found = [server.to_dict() for server in cloud.compute.servers.list(detailed=True, search_opts=search, limit=-1)]
    return [server for server in found if server.get(HOST) == host]


def half_moved(cloud: Cloud, host: str) -> list[Wire]:
    """Servers that were resized or migrated away from a host, which they still can come back to, and so occupy."""
    found: list[Wire] = []
    search = {"all_tenants": 1, "status": "VERIFY_RESIZE"}
    for server in cloud.compute.servers.list(detailed=True, search_opts=search, limit=-1):
        wire: Wire = server.to_dict()
        if wire.get(HOST) != host and _came_from(cloud, wire["id"], host):
            found.append(wire)
    return found


def _came_from(cloud: Cloud, server_id: str, host: str) -> bool:
    moves = cloud.compute.migrations.list(instance_uuid=server_id)
    return any(move.status == "finished" and move.source_compute == host for move in moves)


def rooms(cloud: Cloud, hosts: Collection[str] | None = None) -> dict[str, dict[str, Room]]:
    """Host -> resource -> its room, of these hosts (None: all): as Placement counts, with ratios and reservations.

    Where there is no Placement, memory alone, as the hypervisors tell it: for the others the ratios are not known.
    """
    found: dict[str, dict[str, Room]] = {}
    for hypervisor in hypervisors(cloud):
        if hosts is not None and host_of(hypervisor) not in hosts:
            continue
        room = _by_placement(cloud, hypervisor["hypervisor_hostname"])
        if room is None:
            room = {
                name: Room(int(hypervisor[total]), int(hypervisor.get(used) or 0))
                for name, (total, used) in CLASSES.items()
                if name == "MEMORY_MB" and hypervisor.get(total) is not None
            }
        found[host_of(hypervisor)] = room
    return found


def _by_placement(cloud: Cloud, name: str) -> dict[str, Room] | None:
    """What Placement says of the provider of exactly this name; None where it does not know it, or is not there."""
    id_ = provider(cloud, name)
    if id_ is None:
        return None
    placement = cloud.adapter("placement")
    try:
        inventories = placement.get(f"/resource_providers/{id_}/inventories").json()["inventories"]
        usages = placement.get(f"/resource_providers/{id_}/usages").json()["usages"]
    except Exception as error:
        if is_missing(error):
            return None
        raise
    return {
        kind: Room(int((has["total"] - has["reserved"]) * has["allocation_ratio"]), int(usages.get(kind, 0)))
        for kind, has in inventories.items()
        if kind in CLASSES
    }


# --- removing a host ---


def delete_service(cloud: Cloud, service: Wire) -> None:
    """Remove a nova-compute, and with it its hypervisor: Nova refuses (409) while it has servers.

    A nova-compute that still runs registers itself again when it is started the next time. Nova removes the resource
    provider and the host from its aggregates, too; some of its versions leave the provider behind.
    """
    with ignore_missing():
        cloud.compute_at(BY_UUID).services.delete(service["id"])


def provider(cloud: Cloud, name: str) -> str | None:
    """The id of Placement's resource provider of exactly this name; None: it has none, or there is no Placement."""
    from keystoneauth1.exceptions import EndpointNotFound

    try:
        answer = cloud.adapter("placement").get("/resource_providers", params={"name": name}).json()
    except EndpointNotFound:
        return None
    except Exception as error:
        if is_missing(error):
            return None
        raise
    return next((str(one["uuid"]) for one in answer["resource_providers"] if one["name"] == name), None)


def consumers(cloud: Cloud, provider_id: str) -> list[str]:
    """The ids of what takes something of a provider: servers, and migrations that were not ended."""
    answer = or_none(lambda: cloud.adapter("placement").get(f"/resource_providers/{provider_id}/allocations"))
    return [] if answer is None else list(answer.json()["allocations"])


def delete_provider(cloud: Cloud, provider_id: str) -> None:
    """Remove a provider and those that are parts of it. Placement refuses (409) while something is taken of one."""
    placement = cloud.adapter("placement")
    found = placement.get("/resource_providers", params={"in_tree": provider_id}, headers=TREE)
    parents = {str(one["uuid"]): one.get("parent_provider_uuid") for one in found.json()["resource_providers"]}
    while parents:
        # One that is nobody's parent: Placement does not remove others.
        leaf = next(id_ for id_ in parents if id_ not in parents.values())
        del parents[leaf]
        with ignore_missing():
            placement.delete(f"/resource_providers/{leaf}")


def agents(cloud: Cloud, host: str) -> list[Wire]:
    """Neutron's agents on a host: id, agent_type, binary, alive, configurations."""
    return [agent for agent in cloud.network.list("agents", host=host) if agent["host"] == host]


# --- volumes ---


def volume_services(cloud: Cloud) -> list[Wire]:
    """Every cinder-volume: host (``HOST@BACKEND``), state, status; none where there is no Cinder."""
    try:
        cloud.url("volume")
    except RemedyError:
        return []
    return [service.to_dict() for service in cloud.volume.services.list(binary=VOLUME)]


def machine(host: str) -> str:
    """The machine in ``HOST@BACKEND#POOL``."""
    return host.partition("@")[0]


def volumes_on(cloud: Cloud, host: str) -> list[Wire]:
    """The volumes of a machine's backends, of all projects."""
    found = [volume.to_dict() for volume in cloud.volume.volumes.list(detailed=True, search_opts={"all_tenants": 1})]
    return [volume for volume in found if machine(str(volume.get(VOLUME_HOST) or "")) == host]


def volume(cloud: Cloud, id_: str) -> Wire | None:
    """One volume."""
    found = or_none(lambda: cloud.volume.volumes.get(id_))
    return found.to_dict() if found is not None else None


def pools(cloud: Cloud) -> list[Wire]:
    """Where volumes can be: ``name`` (``HOST@BACKEND#POOL``) and what each tells of itself."""
    return [pool.to_dict() for pool in cloud.volume.pools.list(detailed=True)]


def switch_volumes(cloud: Cloud, service_host: str, on: bool, reason: str | None = None) -> None:
    """Let Cinder put volumes on a backend, or no more."""
    manager = cloud.volume.services
    if on:
        manager.enable(service_host, VOLUME)
    elif reason:
        manager.disable_log_reason(service_host, VOLUME, reason)
    else:
        manager.disable(service_host, VOLUME)
