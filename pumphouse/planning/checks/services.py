"""Whether the services run that have to do the work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pumphouse.planning.checks.subject import Subject, about, whole
from pumphouse.planning.plan import Finding


def compute(subject: Subject) -> Iterator[Finding]:
    """nova-compute in the destination."""
    if any(subject.fresh("server")):
        yield from _judge(_services(subject.destination.compute, "nova-compute"), "nova-compute", "servers")


def volume(subject: Subject) -> Iterator[Finding]:
    """cinder-volume in the destination."""
    if any(subject.fresh("volume")):
        yield from _judge(_services(subject.destination.volume, "cinder-volume"), "cinder-volume", "volumes")


def network(subject: Subject) -> Iterator[Finding]:
    """Neutron's agents in the destination; where there are none (OVN shows its own, others none) nothing is said."""
    if not any(subject.fresh("port", "network")):
        return
    by_program: dict[str, list[tuple[str, bool]]] = {}
    for agent in subject.destination.network.list("agents"):
        up = bool(agent["alive"]) and bool(agent["admin_state_up"])
        by_program.setdefault(agent["binary"], []).append((agent.get("host") or "?", up))
    for program, rows in sorted(by_program.items()):
        yield from _judge(rows, program, "networks")


def source_compute(subject: Subject) -> Iterator[Finding]:
    """The hosts of the servers in the source: each has to stop its server and to read its disk."""
    fresh = list(subject.fresh("server"))
    down = _down(_services(subject.source.compute, "nova-compute", disabled=True)) if fresh else set()
    for item, server in fresh:
        host = server.get("OS-EXT-SRV-ATTR:host")
        if host in down:
            yield about("blocks", item, f"its host {host} in the source is down", "start nova-compute there")


def source_volume(subject: Subject) -> Iterator[Finding]:
    """The backends of the volumes in the source: each has to read its volumes."""
    fresh = list(subject.fresh("volume"))
    down = _down(_services(subject.source.volume, "cinder-volume", disabled=True)) if fresh else set()
    for item, wire in fresh:
        host = str(wire.get("os-vol-host-attr:host") or "").partition("#")[0]
        if host in down:
            yield about("blocks", item, f"its backend {host} in the source is down", "start cinder-volume there")


def _services(client: object, binary: str, disabled: bool = False) -> list[tuple[str, bool]]:
    """(host, whether it works) of Nova's or Cinder's services; without those that were disabled on purpose."""
    return [
        (service.host, service.state == "up")
        for service in client.services.list(binary=binary)  # type: ignore[attr-defined]
        if service.binary == binary and (disabled or service.status == "enabled")
    ]


def _down(rows: Iterable[tuple[str, bool]]) -> set[str]:
    return {host for host, up in rows if not up}


def _judge(rows: list[tuple[str, bool]], program: str, what: str) -> Iterator[Finding]:
    down = sorted(_down(rows))
    if not rows or len(down) == len({host for host, _ in rows}):
        state = f"is down on {', '.join(down[:5])}" if rows else "is not there, or disabled"
        yield whole("blocks", f"{program} of the destination {state}: no {what} can be made", f"start {program} there")
    elif down:
        yield whole("note", f"{program} of the destination is down on {', '.join(down[:5])}", "the others do its work")
