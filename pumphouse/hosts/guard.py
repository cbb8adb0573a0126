"""What must be so before a host is switched off: nobody's servers go down with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pumphouse import human
from pumphouse.clouds import hypervisors
from pumphouse.hosts.power.base import PowerError

if TYPE_CHECKING:
    from pumphouse.clouds.cloud import Cloud
    from pumphouse.hosts.inventory import Host

#: As many servers are named; the others are counted.
NAMED = 3


def obstacles(host: Host, source: Cloud, destination: Cloud, *, gone: bool = False) -> list[str]:
    """Why the host must not be switched off, one sentence each; empty: it may.

    ``gone``: the caller itself has removed it from the source's Nova, where it need not be known any more.
    Raises CloudError where a cloud does not answer: who cannot be asked has not agreed.
    """
    if not host.source:
        return [f"{host.name} is not noted as a host of the source in the inventory (source: true)"]
    found = _in_source(host, source, gone)
    # The name may be in use again, on the other side: a host that was reassigned already.
    for name in _nova_names(host, destination):
        found += _servers(host, hypervisors.servers_on(destination, name), "live", destination.role)
    return found


def refuse(host: Host, source: Cloud, destination: Cloud, *, gone: bool = False) -> None:
    """Raises PowerError with the first of the obstacles."""
    if found := obstacles(host, source, destination, gone=gone):
        raise PowerError(f"{found[0]}: it is not switched off")


def _in_source(host: Host, source: Cloud, gone: bool) -> list[str]:
    names = _nova_names(host, source)
    if not names:
        if gone:
            return []
        # A name that is wrong by a domain would otherwise switch off a machine that is full.
        return [f"the source's Nova knows no hypervisor of exactly the name {host.name}"]
    found: list[str] = []
    for name in names:
        found += _servers(host, hypervisors.servers_on(source, name), "live", source.role)
        found += _servers(host, hypervisors.half_moved(source, name), "may still come back", source.role)
        service = hypervisors.service_of(source, name)
        if service is not None and service["status"] != "disabled":
            found.append(f"nova-compute on {host.name} is enabled, so that new servers may come (evacuate it first)")
    return found


def _nova_names(host: Host, cloud: Cloud) -> list[str]:
    """By which names of its services Nova knows servers of this hypervisor."""
    known = [one for one in hypervisors.hypervisors(cloud) if one["hypervisor_hostname"] == host.name]
    return sorted({hypervisors.host_of(one) for one in known})


def _servers(host: Host, servers: list[hypervisors.Wire], what: str, role: str) -> list[str]:
    if not servers:
        return []
    names = ", ".join(human.short(server.get("name") or server["id"]) for server in servers[:NAMED])
    more = f" and {len(servers) - NAMED} more" if len(servers) > NAMED else ""
    verb = f"{what}s" if what == "live" and len(servers) == 1 else what
    return [f"{human.count(len(servers), 'server')} of the {role} {verb} on {host.name}: {names}{more}"]
