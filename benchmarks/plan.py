"""What planning costs as tenants grow, and what a migration costs beside its bytes, on two embedded clouds.

Usage: python -m benchmarks.plan [plan] [servers] [units]; docs/performance.md says how to read it.
``plan``: one project with 100, 1,000 and 10,000 servers; ``servers``: 200 tiny ones are moved; ``units``: 10,000
networks are.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from pumphouse.embedded.demo import acme
from pumphouse.embedded.demo.account import operator
from pumphouse.embedded.process import Pair, start_pair

SIZES = (100, 1_000, 10_000)
SERVERS, UNITS = 200, 10_000
SERVICES = ("identity", "image", "compute", "network", "volume", "placement")
PUMPHOUSE = str(Path(sys.executable).with_name("pumphouse"))


@dataclasses.dataclass
class Cost:
    """Of one process."""

    seconds: float
    #: Processor time, its own alone.
    cpu: float
    #: The most memory that it had, MiB.
    memory: float
    #: Requests to both clouds, by service.
    requests: collections.Counter[str]


class Ground:
    """Two clouds, and in the old one a tenant of whose kind there can be any number of things."""

    def __init__(self, pair: Pair) -> None:
        """Without servers."""
        self.pair = pair
        os.environ["OS_CLIENT_CONFIG_FILE"] = str(pair.clouds_file)
        os.environ["PUMPHOUSE_CONFIG"] = str(pair.config)
        source = operator("src")
        self.tenant = tenant = acme.add_domain(source, "bench")
        acme.add_person(tenant, "alice", ["member"])
        for service, path, limits in (
            (source.compute, f"/os-quota-sets/{tenant.project_id}", ("instances", "cores", "ram")),
            (source.volume, f"/os-quota-sets/{tenant.project_id}", ("volumes", "gigabytes")),
            (source.network, f"/v2.0/quotas/{tenant.project_id}", ("port", "network")),
        ):
            envelope = "quota" if service is source.network else "quota_set"
            service.call("PUT", path, json={envelope: dict.fromkeys(limits, -1)})
        acme.add_network(tenant, "net", "10.64.0.0/16", "10.64.0.1")

    def add_servers(self, count: int) -> None:
        """Each with a port; every fifth with a volume."""
        tenant, fields = self.tenant, {"networks": [{"uuid": self.tenant.ids["net"]}]}
        acme.add_flavor(tenant)
        acme.upload(tenant, "base", os.urandom(1 << 16))
        plain = acme.boot(tenant, name="plain", imageRef=tenant.ids["base"], **fields)
        stored = acme.boot(tenant, name="stored", imageRef=tenant.ids["base"], **fields)
        acme.attach(tenant, stored, acme.add_volume(tenant, "data", "base"))
        for server, more in ((plain, count * 4 // 5 - 1), (stored, count // 5 - 1)):
            self.pair.source.control("POST", "populate", {"server": server, "count": more})

    def add_networks(self, count: int) -> None:
        """Without subnets: records, and nothing else."""
        self.pair.source.control("POST", "populate", {"network": self.tenant.ids["net"], "count": count})

    def run(self, *arguments: str) -> Cost:
        """What the command costs. Its output goes to a file, as it would be long."""
        before, began = self._requests(), time.monotonic()
        with Path(self.pair.config.parent, "said").open("w") as said:
            process = subprocess.Popen([PUMPHOUSE, *arguments], stdout=said, stderr=said)  # noqa: S603 (our own words)
            _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"pumphouse {' '.join(arguments)}: {Path(said.name).read_text()[-2000:]}")
        return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, self._requests() - before)

    def _requests(self) -> collections.Counter[str]:
        """So far, by service."""
        found: collections.Counter[str] = collections.Counter()
        for cloud in (self.pair.source, self.pair.destination):
            for call, number in cloud.control("GET", "requests").items():
                found[call.split("/")[1]] += number
        return found


@contextlib.contextmanager
def new_ground() -> Iterator[Ground]:
    """Two clouds for a while."""
    with tempfile.TemporaryDirectory(prefix="pumphouse-bench-") as folder, start_pair(Path(folder)) as pair:
        yield Ground(pair)


def plan() -> None:
    """Requests, seconds and memory as the tenant grows, and how much more each is than for a tenth of it."""
    print("planning one project of N servers, N ports and N/5 volumes: pumphouse migrate --dry-run")
    print(_row("N", *SERVICES, "seconds", "CPU s", "MiB"))
    costs = []
    for size in SIZES:
        with new_ground() as ground:
            ground.add_servers(size)
            cost = ground.run("migrate", "--tenant", "acme", "--dry-run")
        costs.append(cost)
        requests = [cost.requests[service] for service in SERVICES]
        print(_row(size, *requests, f"{cost.seconds:.1f}", f"{cost.cpu:.1f}", f"{cost.memory:.0f}"), flush=True)
    for smaller, larger, size in zip(costs, costs[1:], SIZES[1:], strict=False):
        ratios = [_ratio(larger.requests[service], smaller.requests[service]) for service in SERVICES]
        more = (_ratio(larger.seconds, smaller.seconds), _ratio(larger.cpu, smaller.cpu))
        print(_row(f"to {size}", *ratios, *more, _ratio(larger.memory, smaller.memory)))


def servers() -> None:
    """What moving a server costs that has next to no bytes."""
    with new_ground() as ground:
        ground.add_servers(SERVERS)
        cost = ground.run("--quiet", "migrate", "--tenant", "acme", "--yes")
    requests = sum(cost.requests.values())
    print(f"moving {SERVERS} servers of 64 KiB: {cost.seconds:.0f} s, {cost.cpu:.0f} s of CPU, {cost.memory:.0f} MiB")
    print(f"per server: {cost.seconds / SERVERS:.2f} s, {cost.cpu / SERVERS:.2f} s of CPU, "
          f"{requests / SERVERS:.0f} requests")  # fmt: skip


def units() -> None:
    """What many units cost that have no bytes at all."""
    with new_ground() as ground:
        ground.add_networks(UNITS)
        cost = ground.run("--quiet", "migrate", "--tenant", "acme", "--yes")
        again = ground.run("--quiet", "migrate", "--tenant", "acme", "--yes")
    print(f"moving {UNITS} networks: {cost.seconds:.0f} s, {cost.cpu:.0f} s of CPU "
          f"({1000 * cost.cpu / UNITS:.0f} ms each), {cost.memory:.0f} MiB")  # fmt: skip
    print(f"the same again, when all is there: {again.seconds:.0f} s, {again.cpu:.0f} s of CPU, "
          f"{again.memory:.0f} MiB")  # fmt: skip


def _row(*cells: object) -> str:
    return "".join(f"{cell!s:>10}" for cell in cells)


def _ratio(larger: float, smaller: float) -> str:
    return f"x{larger / smaller:.1f}" if smaller else ""


PARTS = {"plan": plan, "servers": servers, "units": units}


def main(arguments: Sequence[str]) -> int:
    """Measure what is named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART", help="of plan, servers, units")
    for part in parser.parse_args(arguments).parts or PARTS:
        PARTS[part]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
