"""One host, as both clouds, the inventory and the database know it. Whatever does not answer is named in its place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from ..clouds import hypervisors
from ..clouds.cloud import Cloud
from ..clouds.errors import explain
from ..config import Role
from ..hosts.inventory import Host, describe
from ..planning.wanted import EVACUATE, REASSIGN
from ..store import tenancy
from .clouds import ROLES, Clouds
from .machines import Machines

#: Seconds that a cloud has to tell all of its part.
PATIENCE = 10.0

Json = dict[str, Any]


def noted(host: Host | None) -> Json | None:
    """What of the inventory stands in lists."""
    if host is None:
        return None
    provisioner = host.provisioner.name if host.provisioner else None
    return {"source": host.source, "bmc": host.bmc.name, "provisioner": provisioner}


class Ties:
    """The newest migrations that are about hosts."""

    def __init__(self, clouds: Clouds) -> None:
        """As the database has them now."""
        self._found = {
            key: tenancy.newest_of_hosts(clouds.store, clouds.pair, key) for key in (EVACUATE, REASSIGN)
        }  # fmt: skip

    def of(self, key: str, *names: str | None) -> Json | None:
        """That of a host, by any of its names."""
        found = [self._found[key][name] for name in names if name in self._found[key]]
        return {"id": max(found)[0], "state": max(found)[1]} if found else None


def whole(clouds: Clouds, machines: Machines, name: str) -> Json:
    """All that is known of the host of this name; what a cloud does not tell in time is missing, and named."""
    inventory, error = machines.notes()
    looks = [_Look(clouds, role, name) for role in ROLES]
    told = [look.result() for look in looks]
    host = inventory.hosts.get(name) if inventory else None
    ties, names = Ties(clouds), (name, *(one["host"] for one in told))
    return {
        "name": name,
        "clouds": told,
        "inventory": None if host is None else {**describe(host), **(noted(host) or {})},
        "inventory_error": error or None,
        "evacuation": ties.of(EVACUATE, *names),
        "reassignment": ties.of(REASSIGN, *names),
    }


class _Look:
    """What one cloud tells, asked beside the other."""

    def __init__(self, clouds: Clouds, role: Role, name: str) -> None:
        self.role, self.name = role, name
        self._done, self._told = threading.Event(), blank(role)
        # Not within the thread: a clouds.yaml that cannot be used is told as such.
        cloud = clouds.cloud(role)
        clouds.crew(role, "compute", "single").do(lambda: self._ask(cloud))

    def _ask(self, cloud: Cloud) -> None:
        try:
            self._told = in_cloud(cloud, self.role, self.name)
        finally:
            self._done.set()

    def result(self) -> Json:
        if not self._done.wait(PATIENCE):
            return {**blank(self.role), "failures": [_failure("compute", f"no answer for {PATIENCE:.0f} s")]}
        return self._told


def blank(role: Role) -> Json:
    """Nothing is known."""
    return {"role": role, "known": None, "host": None, "services": [], "servers": None, "room": {}, "failures": []}


def in_cloud(cloud: Cloud, role: Role, name: str) -> Json:
    """What a cloud knows of a host. Raises nothing: what fails is among the failures."""
    told = blank(role)

    def part(service: str, look: Callable[[], Any]) -> Any:
        try:
            return look()
        except Exception as error:
            told["failures"].append(_failure(service, explain(error)))
            return None

    computes = part("compute", lambda: hypervisors.services(cloud))
    known = part("compute", lambda: hypervisors.hypervisors(cloud))
    if computes is None or known is None:
        return told
    host = host_name(name, known, computes)
    told["known"] = host is not None
    if host is None:
        return told
    told["host"] = host
    stores = part("volume", lambda: hypervisors.volume_services(cloud)) or []
    services = [one for one in computes if one["host"] == host]
    services += [one for one in stores if hypervisors.machine(one["host"]) == host]
    told["services"] = [_service(one) for one in services]
    told["servers"] = part("compute", lambda: len(hypervisors.servers_on(cloud, host)))
    rooms = part("placement", lambda: hypervisors.rooms(cloud, [host])) or {}
    told["room"] = {
        kind: {"capacity": room.capacity, "used": room.used} for kind, room in rooms.get(host, {}).items()
    }  # fmt: skip
    return told


def host_name(name: str, known: list[hypervisors.Wire], services: list[hypervisors.Wire]) -> str | None:
    """The name of the services of the host that is called exactly so, there or as a hypervisor; None: there is none."""
    for one in known:
        if name in (one["hypervisor_hostname"], hypervisors.host_of(one)):
            return hypervisors.host_of(one)
    return name if any(service["host"] == name for service in services) else None


def _service(one: Mapping[str, Any]) -> Json:
    return {key: one.get(key) for key in ("binary", "host", "state", "status", "disabled_reason")}


def _failure(service: str, error: str) -> Json:
    return {"service": service, "error": error}
