"""What a Nova knows: plain data, saved and restored as a whole."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from typing import Any

from pumphouse.embedded.releases import Release

Json = dict[str, Any]

#: Of each host; so large that ten thousand servers fit. Overcommitment is counted in.
HOST = {"vcpus": 65_536, "memory_mb": 64 << 20, "disk_gb": 1_000_000}
#: Release -> the hosts of the lab's cloud.
HOSTS = {"zed": ("src-c1", "src-c2"), "2026.1": ("dst-c1",)}
#: Where the control services run.
CONTROLLER = "vm"

#: A project's limits of whom nothing was said; the last four are of nova-network.
QUOTAS = {
    "cores": 20,
    "injected_file_content_bytes": 10240,
    "injected_file_path_bytes": 255,
    "injected_files": 5,
    "instances": 10,
    "key_pairs": 100,
    "metadata_items": 128,
    "ram": 51200,
    "server_group_members": 10,
    "server_groups": 10,
    "fixed_ips": -1,
    "floating_ips": -1,
    "security_group_rules": -1,
    "security_groups": -1,
}


def now() -> str:
    """As Nova writes most times: "2026-11-25T21:00:01Z"."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def long(time: str | None) -> str | None:
    """As Nova writes the other times: "2026-11-25T21:00:01.000000"."""
    return time and f"{time.removesuffix('Z')}.000000"


@dataclasses.dataclass
class State:
    """Everything of one Nova."""

    hosts: dict[str, Json] = dataclasses.field(default_factory=dict)
    #: By id; nova-compute's among them.
    services: dict[str, Json] = dataclasses.field(default_factory=dict)
    aggregates: dict[int, Json] = dataclasses.field(default_factory=dict)
    #: By id, in the order in which they were made.
    servers: dict[str, Json] = dataclasses.field(default_factory=dict)
    deleted: dict[str, Json] = dataclasses.field(default_factory=dict)
    #: Project -> ids of its servers, in the same order; the values mean nothing.
    of_project: dict[str, dict[str, None]] = dataclasses.field(default_factory=dict)
    #: Volume -> servers that have it.
    of_volume: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    #: Project -> instances, cores and ram in use.
    used: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)
    #: Server -> what was done to it, in order.
    actions: dict[str, list[Json]] = dataclasses.field(default_factory=dict)
    migrations: dict[int, Json] = dataclasses.field(default_factory=dict)
    flavors: dict[str, Json] = dataclasses.field(default_factory=dict)
    #: User -> name -> key pair.
    keypairs: dict[str, dict[str, Json]] = dataclasses.field(default_factory=dict)
    groups: dict[str, Json] = dataclasses.field(default_factory=dict)
    #: Project -> limits that differ.
    quotas: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)
    #: What rows are numbered by.
    counts: dict[str, int] = dataclasses.field(default_factory=dict)

    def number(self, kind: str) -> int:
        """The next row number of a table."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return self.counts[kind]


def fresh(release: Release) -> State:
    """A cloud with its hosts and services, and nothing on them."""
    state = State()
    for binary in ("nova-scheduler", "nova-conductor"):
        add_service(state, binary, CONTROLLER)
    for name in HOSTS[release.name]:
        add_host(state, name)
    return state


def add_host(state: State, name: str, **totals: int) -> Json:
    """One more host, empty. ``totals``: other than those of HOST."""
    service = add_service(state, "nova-compute", name)
    host: Json = {
        "id": str(uuid.uuid4()),
        "number": state.number("compute_nodes"),
        "name": name,
        "service": service["id"],
        **HOST,
        **totals,
        **{f"{kind}_used": 0 for kind in HOST},
        #: Ids of what is on it; the values mean nothing.
        "servers": {},
    }
    state.hosts[name] = host
    return host


def add_service(state: State, binary: str, host: str) -> Json:
    """One more service, up and enabled."""
    service: Json = {
        "id": str(uuid.uuid4()),
        "number": state.number("services"),
        "binary": binary,
        "host": host,
        "disabled": False,
        "disabled_reason": None,
        "forced_down": False,
        #: Whether it still tells that it lives.
        "alive": True,
        "heartbeat": None,
    }
    state.services[service["id"]] = service
    return service
