"""Whether what will be made fits into the quotas of the projects in the destination.

A project that is there has limits and things of its own; one that will be made gets the destination's defaults.
Limits that the migration carries along count in both cases.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterator
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.planning.checks.subject import Subject, owner
from pumphouse.planning.plan import Finding
from pumphouse.resources.base import Wire
from pumphouse.resources.quota import DEFAULTS, QuotaType
from pumphouse.resources.registry import TYPES
from pumphouse.resources.volume.quota import TYPES_OF

#: How much of each limit is needed, or is in use: limit -> amount.
Amounts = collections.Counter[str]

COMPUTE_UNITS = {"ram": " MiB"}
VOLUME_UNITS = {"gigabytes": " GiB"}
#: Neutron's limits, by the types that they are of.
NETWORK_LIMITS = {
    kind: kind
    for kind in (
        *("network", "subnet", "port", "router", "security_group", "security_group_rule"),
        *("trunk", "rbac_policy"),
    )
} | {"floating_ip": "floatingip", "subnet_pool": "subnetpool"}


def compute(subject: Subject) -> Iterator[Finding]:
    """Servers, their processors and memory, server groups."""
    needed: dict[str, Amounts] = collections.defaultdict(collections.Counter)
    for _, server in subject.fresh("server"):
        flavor = subject.flavor(server)
        needed[str(owner(server))].update(
            instances=1, cores=int(flavor.get("vcpus") or 0), ram=int(flavor.get("ram") or 0)
        )
    for _, group in subject.fresh("server_group"):
        needed[str(owner(group))]["server_groups"] += 1
    yield from _judge(subject, "compute_quota", needed, _compute_usage, COMPUTE_UNITS)


def volume(subject: Subject) -> Iterator[Finding]:
    """Volumes and snapshots, as a whole and by type."""
    needed: dict[str, Amounts] = collections.defaultdict(collections.Counter)
    for item, wire in subject.fresh("volume", "volume_snapshot"):
        what = "volumes" if item.type == "volume" else "snapshots"
        amounts = needed[str(owner(wire) or wire.get("os-extended-snapshot-attributes:project_id"))]
        amounts.update({what: 1, "gigabytes": int(wire.get("size") or 0)})
        # As Cinder calls the limits of a type; one that will be made has none yet.
        type_ = subject.item("volume_type", str(wire.get("volume_type_id")))
        if type_ and (name := subject.volume_types.get(type_.destination_id or "")):
            amounts.update({f"{what}_{name}": 1, f"gigabytes_{name}": int(wire.get("size") or 0)})
    yield from _judge(subject, "volume_quota", needed, _volume_usage, VOLUME_UNITS)


def network(subject: Subject) -> Iterator[Finding]:
    """Everything that Neutron counts."""
    needed: dict[str, Amounts] = collections.defaultdict(collections.Counter)
    for item, wire in subject.fresh(*NETWORK_LIMITS):
        needed[str(owner(wire))][NETWORK_LIMITS[item.type]] += 1
    yield from _judge(subject, "network_quota", needed, _network_usage, {})


def _judge(
    subject: Subject,
    kind: str,
    needed: dict[str, Amounts],
    usage: Callable[[Cloud, str], Amounts],
    units: dict[str, str],
) -> Iterator[Finding]:
    for project, amounts in needed.items():
        there = _there(subject, project)
        limits = _limits(subject, kind, project, there)
        used = usage(subject.destination, there) if there else collections.Counter()
        for what, amount in amounts.items():
            limit = limits.get(what)
            # -1 is no limit.
            if not isinstance(limit, int) or limit < 0 or used[what] + amount <= limit:
                continue
            unit = units.get(what.partition("_")[0], "")
            taken = f", {used[what]}{unit} are in use" if used[what] else ""
            whose = "its quota" if there else "the quota that it will have"
            yield Finding(
                "blocks",
                "project",
                project,
                subject.project_name(project),
                f"needs {amount}{unit} of {what}: {whose} in the destination is {limit}{unit}{taken}",
                f"raise {what} to at least {used[what] + amount} in the destination"
                + ("" if there else " (the default, or in the source, whose own limits are carried)"),
            )


def _there(subject: Subject, project: str) -> str | None:
    """The project's counterpart, if it exists."""
    item = subject.item("project", project)
    return item.destination_id if item else None


def _limits(subject: Subject, kind: str, project: str, there: str | None) -> Wire:
    type_ = TYPES[kind]
    assert isinstance(type_, QuotaType)  # noqa: S101 (the registry's)
    cloud = subject.destination
    limits = type_.read(cloud, there) if there else type_.read(cloud, cloud.project_id, default=True)
    limits = {name: value for name, value in limits.items() if name not in ("id", DEFAULTS)}
    carried = subject.found.resources.get((kind, project))
    item = subject.item(kind, project)
    if carried and item and item.action == "create":

        def counterpart(of: str, id_: str) -> str | None:
            found = subject.item(of, id_)
            return found.destination_id if found else None

        wanted = type_.translate(carried, counterpart)
        by_type = limits.get(TYPES_OF, []) + (wanted.get(TYPES_OF) or [])
        limits |= {name: value for name, value in wanted.items() if name != "id"} | {TYPES_OF: by_type}
    if entries := limits.pop(TYPES_OF, None):
        names = subject.volume_types
        for entry in entries:
            limits |= {f"{what}_{names.get(entry['id'])}": v for what, v in entry.items() if what != "id"}
    return limits


def _compute_usage(cloud: Cloud, project: str) -> Amounts:
    """GET /os-quota-sets/{project}/detail."""
    return _in_use(cloud.compute.quotas.get(project, detail=True).to_dict(), "in_use")


def _volume_usage(cloud: Cloud, project: str) -> Amounts:
    """GET /os-quota-sets/{project}?usage=true."""
    return _in_use(cloud.volume.quotas.get(project, usage=True).to_dict(), "in_use")


def _network_usage(cloud: Cloud, project: str) -> Amounts:
    """GET /quotas/{project}/details (extension quota_details); an older Neutron's things are counted."""
    if "quota_details" in cloud.network.extensions():
        return _in_use(cloud.network.get("quotas", f"{project}/details") or {}, "used")
    collections_of = {"network": "networks", "subnet": "subnets", "port": "ports", "router": "routers",
                      "security_group": "security-groups", "floatingip": "floatingips"}  # fmt: skip
    return collections.Counter(
        {limit: len(cloud.network.list(path, project_id=project)) for limit, path in collections_of.items()}
    )


def _in_use(answer: dict[str, Any], used: str) -> Amounts:
    """What is in use, and reserved for what is just being made."""
    return collections.Counter(
        {
            name: int(entry.get(used) or 0) + int(entry.get("reserved") or 0)
            for name, entry in answer.items()
            if isinstance(entry, dict)
        }
    )
