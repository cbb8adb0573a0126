"""What runs behind the services, and how much room there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pumphouse.clouds.cloud import Cloud, Service
from pumphouse.clouds.errors import is_missing
from pumphouse.clouds.probes.finding import FAILED, OK, WARNING, Finding

#: Below this part of a pool left free, a warning is given.
NEARLY_FULL = 0.05


def compute(cloud: Cloud) -> Iterator[Finding]:
    """nova-compute and its company, and the hypervisors' resources."""
    services = cloud.compute.services.list()
    yield _alive(
        cloud, "compute services", [(s.binary, s.host, s.state == "up", s.status == "enabled") for s in services]
    )
    hosts = [s for s in services if s.binary == "nova-compute"]
    if not any(s.state == "up" and s.status == "enabled" for s in hosts):
        yield Finding(
            cloud.role,
            "hypervisors",
            FAILED,
            f"none of {len(hosts)} hypervisors is up and enabled",
            "start nova-compute, or enable it (openstack compute service set --enable HOST nova-compute)",
        )
        return
    # Nova stopped telling with microversion 2.88; asked at an older one, it still does.
    numbers = cloud.compute_at("2.87").hypervisor_stats.statistics().to_dict()
    yield Finding(
        cloud.role,
        "hypervisors",
        OK,
        f"{numbers['count']} with {numbers['running_vms']} servers; "
        f"{numbers['vcpus_used']} of {numbers['vcpus']} vCPUs, "
        f"{_gib(numbers['memory_mb_used'] / 1024)} of {_gib(numbers['memory_mb'] / 1024)} memory and "
        f"{_gib(numbers['local_gb_used'])} of {_gib(numbers['local_gb'])} disk given out (overcommitment not counted)",
    )


def network(cloud: Cloud) -> Iterator[Finding]:
    """Neutron's agents."""
    agents = cloud.network.list("agents")
    rows = [(a["binary"], a.get("host") or "?", bool(a["alive"]), bool(a["admin_state_up"])) for a in agents]
    yield _alive(cloud, "network agents", rows)


def volume(cloud: Cloud) -> Iterator[Finding]:
    """cinder-volume and its company, and the pools."""
    services = cloud.volume.services.list()
    yield _alive(
        cloud, "volume services", [(s.binary, s.host, s.state == "up", s.status == "enabled") for s in services]
    )
    try:
        pools = cloud.volume.pools.list(detailed=True)
    except Exception as error:
        if not is_missing(error):
            raise
        return
    if not pools:
        yield Finding(
            cloud.role,
            "volume pools",
            FAILED if cloud.role == "destination" else WARNING,
            "no storage pool reports to the scheduler",
            "start cinder-volume, and look into its log",
        )
    for pool in pools:
        yield _pool(cloud, pool)


def _pool(cloud: Cloud, pool: Any) -> Finding:
    free, total = (getattr(pool, name, None) for name in ("free_capacity_gb", "total_capacity_gb"))
    if not isinstance(free, int | float) or not isinstance(total, int | float) or not total:
        # "infinite" and "unknown" are answers too.
        return Finding(cloud.role, "volume pools", OK, f"{pool.name}: free space {free}")
    detail = f"{pool.name}: {_gib(free)} of {_gib(total)} free"
    if free < total * NEARLY_FULL and cloud.role == "destination":
        return Finding(cloud.role, "volume pools", WARNING, detail, "make room, or add storage")
    return Finding(cloud.role, "volume pools", OK, detail)


def _alive(cloud: Cloud, subject: str, rows: Iterable[tuple[str, str, bool, bool]]) -> Finding:
    """A finding about (program, host, up, enabled): those that are down though they should be up are named."""
    rows = list(rows)
    down = [f"{binary} on {host}" for binary, host, up, enabled in rows if enabled and not up]
    disabled = sum(not enabled for *_, enabled in rows)
    detail = f"{sum(up for _, _, up, _ in rows)} of {len(rows)} up"
    if disabled:
        detail += f", {disabled} disabled"
    if not down:
        return Finding(cloud.role, subject, OK, detail)
    more = f" and {len(down) - 5} more" if len(down) > 5 else ""
    return Finding(
        cloud.role,
        subject,
        WARNING,
        f"{detail}; down: {', '.join(down[:5])}{more}",
        "start them, or disable them if they are gone; what is on their hosts cannot be moved",
    )


def _gib(amount: float) -> str:
    return f"{amount:.0f} GiB" if amount >= 10 else f"{amount:.1f} GiB"


#: By service.
CAPACITY: dict[Service, Callable[[Cloud], Iterator[Finding]]] = {
    "compute": compute,
    "network": network,
    "volume": volume,
}
