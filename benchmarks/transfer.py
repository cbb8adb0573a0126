"""Image bytes from cloud to cloud: ours beside ``curl source | curl destination``, in turns, on the same clouds.

Usage: python -m benchmarks.transfer [--size MIB] [--rounds N]; docs/performance.md says how to read it.
The clouds are those of the configuration that $PUMPHOUSE_CONFIG names, or else of the lab (``make lab``).
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pumphouse import config
from pumphouse.clouds.cloud import Cloud
from pumphouse.transfer.glance import Glance
from pumphouse.transfer.images import copy_image

MIB = 1 << 20
#: How many transfers run at once when memory is measured.
AT_ONCE = 4
#: Every image that this makes is called so, and deleted at the end.
NAME = "bench-transfer"

LAB = Path(os.environ.get("PUMPHOUSE_LAB_DIR", "/var/tmp/pumphouse-testbed"))  # noqa: S108 - where `make lab` puts it


@dataclasses.dataclass
class Run:
    """One copy: how long it took, and the processor time of the process or processes between the clouds."""

    seconds: float
    cpu: float


class Bench:
    """The two clouds, and an image of random bytes in the source."""

    def __init__(self, source: Cloud, destination: Cloud, size: int) -> None:
        """``size`` in bytes."""
        self.source, self.destination = source, destination
        self.size = size
        self.sha512 = hashlib.sha512()
        self.image = ""

    @contextmanager
    def filled(self) -> Iterator[None]:
        """Make the image; delete it after."""
        with new_image(self.source) as image:
            self.image = image
            Glance(self.source).upload(image, self._bytes(), self.size)
            yield

    def _bytes(self) -> Iterator[memoryview]:
        for _ in range(self.size // MIB):
            block = os.urandom(MIB)
            self.sha512.update(block)
            yield memoryview(block)

    def measure(self, copy: Callable[[str], None]) -> Run:
        """One copy into a new image, and whether it arrived."""
        with new_image(self.destination) as there:
            cpu, began = cpu_seconds(), time.monotonic()
            copy(there)
            run = Run(time.monotonic() - began, cpu_seconds() - cpu)
            record = Glance(self.destination).record(there)
            if (record["status"], record["os_hash_value"]) != ("active", self.sha512.hexdigest()):
                raise SystemExit(f"the bytes did not arrive: {record}")
        return run

    def ours(self, there: str) -> None:
        """What a migration does."""
        copy_image(self.source, self.image, self.destination, there, on_bytes=lambda _: None)

    def curl(self, there: str) -> None:
        """The plainest way: two processes and a pipe; nothing is hashed or compared."""
        download = Curl(self.source, Glance(self.source).url(self.image, "file"))
        upload = Curl(
            self.destination,
            Glance(self.destination).url(there, "file"),
            "--request", "PUT", "--upload-file", "-", "--header", "Content-Type: application/octet-stream",
        )  # fmt: skip
        first = download.start(stdout=subprocess.PIPE)
        last = upload.start(stdin=first.stdout)
        if first.stdout:
            first.stdout.close()  # the second has it; this process must not keep it open
        if last.wait() or first.wait():
            raise SystemExit("curl failed")

    def memory(self) -> float:
        """MiB that several copies at once add to the idle process, at most."""
        Path("/proc/self/clear_refs").write_text("5")
        idle = status_mib("VmRSS")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda _: self.measure(self.ours), range(AT_ONCE)))
        return status_mib("VmHWM") - idle


class Curl:
    """A curl that gets its token through a pipe: a command line can be read by everybody."""

    def __init__(self, cloud: Cloud, url: str, *options: str) -> None:
        """A request for ``url``; ``options`` are curl's own."""
        self.options = ["--silent", "--show-error", "--fail", *options, url]
        self.secret = f'header = "X-Auth-Token: {cloud.session.get_token()}"\n'
        verify = cloud.session.verify
        if isinstance(verify, str):
            self.options += ["--cacert", verify]

    def start(self, stdin: IO[bytes] | None = None, stdout: int | None = None) -> subprocess.Popen[bytes]:
        """Run it."""
        read, write = os.pipe()
        os.write(write, self.secret.encode())
        os.close(write)
        command = ["curl", "--config", f"/dev/fd/{read}", *self.options]
        try:
            return subprocess.Popen(command, pass_fds=[read], stdin=stdin, stdout=stdout)  # noqa: S603 - our own words
        finally:
            os.close(read)


@contextmanager
def new_image(cloud: Cloud) -> Iterator[str]:
    """A queued image; deleted after."""
    image = cloud.image.images.create(name=NAME, disk_format="raw", container_format="bare", visibility="private")
    try:
        yield image.id
    finally:
        cloud.image.images.delete(image.id)


def cpu_seconds() -> float:
    """Processor time of this process and of its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def status_mib(field: str) -> float:
    """A figure of /proc/self/status: VmRSS now, VmHWM the highest since it was reset."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:"))


def open_clouds() -> tuple[Cloud, Cloud]:
    """As the configuration says; the lab's if there is none."""
    path = None
    if config.VARIABLE not in os.environ and (LAB / "pumphouse.yaml").exists():
        path = str(LAB / "pumphouse.yaml")
        os.environ.setdefault("OS_CLIENT_CONFIG_FILE", str(LAB / "clouds.yaml"))
    clouds = config.load(path).clouds
    return Cloud.open("source", clouds["source"], AT_ONCE), Cloud.open("destination", clouds["destination"], AT_ONCE)


def report(bench: Bench, runs: dict[str, list[Run]], memory: float) -> None:
    """A table of medians; the ratio is that of copies made one after the other, in the median round."""
    print(f"\n{'':8}{'MB/s, median':>14}{'best':>8}{'CPU s/GB':>10}")
    for name, list_ in runs.items():
        rates = [bench.size / 1e6 / run.seconds for run in list_]
        cpu = statistics.median(run.cpu for run in list_) / (bench.size / 1e9)
        print(f"{name:8}{statistics.median(rates):14.0f}{max(rates):8.0f}{cpu:10.2f}")
    ratios = [theirs.seconds / ours.seconds for ours, theirs in zip(runs["ours"], runs["curl"], strict=True)]
    print(
        f"speed against curl | curl: {statistics.median(ratios):.2f} (rounds: {min(ratios):.2f} to {max(ratios):.2f})"
    )
    print(f"memory of {AT_ONCE} at once: {memory:.0f} MiB above the idle process, at most")


def main() -> None:
    """Measure, in turns; whoever begins changes from round to round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512, help="MiB of the image (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(default: %(default)s)")
    options = parser.parse_args()
    bench = Bench(*open_clouds(), options.size * MIB)
    runs: dict[str, list[Run]] = {"ours": [], "curl": []}
    with bench.filled():
        memory = bench.memory()
        for number in range(options.rounds):
            ways = {"ours": bench.ours, "curl": bench.curl}
            for name in sorted(ways, reverse=bool(number % 2)):
                run = bench.measure(ways[name])
                runs[name].append(run)
                print(
                    f"round {number + 1}: {name:5}{bench.size / 1e6 / run.seconds:6.0f} MB/s"
                    f"{run.cpu / (bench.size / 1e9):6.2f} CPU s/GB",
                    file=sys.stderr,
                )
    report(bench, runs, memory)


if __name__ == "__main__":
    main()
