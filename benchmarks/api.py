"""How quick the HTTP API is beside two embedded clouds with 10,000 servers each.

Usage: python -m benchmarks.api [--servers N] [--streams N]; docs/performance.md says how to read it.
Cold: the first answer of a process that has just begun, with nothing in its cache. Warm: once all was read. Both beside
what the cloud itself takes for a page of as many servers. Streams: /healthz alone, and beside so many event streams
that get 20 events a second each.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import http.client
import os
import re
import selectors
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from pumphouse.clouds.cloud import Cloud
from pumphouse.config import load
from pumphouse.embedded.demo import acme
from pumphouse.embedded.demo.account import Account, operator
from pumphouse.embedded.process import CloudProcess, Pair, start_pair
from pumphouse.store import Store, access, events

SERVERS, STREAMS = 10_000, 200
#: Projects among which they are spread, servers of a page, processes that begin cold, requests that are timed.
PROJECTS, PAGE, COLD, TIMES = 20, 50, 5, 400
EVENTS_A_SECOND = 20
PATIENCE = 120.0
PAGES = {
    "servers": f"/v1/clouds/source/resources/server?limit={PAGE}",
    "tenants": f"/v1/clouds/source/tenants?limit={PAGE}",
}


def fill(process: CloudProcess, account: Account, servers: int) -> None:
    """So many tiny servers in some projects; every fifth with a volume."""
    for number in range(PROJECTS):
        tenant = acme.add_domain(account, f"bench-{number}")
        acme.add_person(tenant, "alice", ["member"])
        for service, path, limits in (
            (account.compute, f"/os-quota-sets/{tenant.project_id}", ("instances", "cores", "ram")),
            (account.volume, f"/os-quota-sets/{tenant.project_id}", ("volumes", "gigabytes")),
            (account.network, f"/v2.0/quotas/{tenant.project_id}", ("port",)),
        ):
            envelope = "quota" if service is account.network else "quota_set"
            service.call("PUT", path, json={envelope: dict.fromkeys(limits, -1)})
        acme.add_network(tenant, "net", "10.64.0.0/16", "10.64.0.1")
        acme.add_flavor(tenant)
        acme.upload(tenant, "base", os.urandom(1 << 12))
        fields: dict[str, Any] = {"imageRef": tenant.ids["base"], "networks": [{"uuid": tenant.ids["net"]}]}
        plain, stored = (acme.boot(tenant, name=f"{name}-{number}", **fields) for name in ("plain", "stored"))
        acme.attach(tenant, stored, acme.add_volume(tenant, "data", "base"))
        for server, count in ((plain, servers // PROJECTS * 4 // 5 - 1), (stored, servers // PROJECTS // 5 - 1)):
            process.control("POST", "populate", {"server": server, "count": count})


@dataclasses.dataclass
class Api:
    """One that runs."""

    url: str
    process: subprocess.Popen[str]
    session: requests.Session

    def timed(self, path: str) -> tuple[float, Any]:
        """Milliseconds until all of the answer is here, and the answer."""
        began = time.monotonic()
        answer = self.session.get(self.url + path, timeout=PATIENCE)
        took = 1000 * (time.monotonic() - began)
        answer.raise_for_status()
        return took, answer.json()

    def complete(self, path: str) -> Any:
        """Once all was read; what is not read by then is said."""
        until = time.monotonic() + PATIENCE
        while not (found := self.timed(path)[1])["complete"]:
            if time.monotonic() > until:
                raise SystemExit(f"{path} is not complete: {found['failures']}")
            time.sleep(0.2)
        return found

    def memory(self) -> tuple[float, float]:
        """MiB that the process that answers has just now, and the most that it had."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        found = []
        for child in children:
            # The engine is another program; what answers is a fork of its parent.
            if b"pumphouse.engine" not in Path(f"/proc/{child}/cmdline").read_bytes():
                status = Path(f"/proc/{child}/status").read_text()
                found.append(tuple(int(re.findall(rf"{key}:\s+(\d+)", status)[0]) / 1024 for key in ("VmRSS", "VmHWM")))
        return found[0][0], found[0][1]


@contextlib.contextmanager
def api(pair: Pair, token: str) -> Iterator[Api]:
    """As operators run it, on a port that is free. It has answered once."""
    command = [str(Path(sys.executable).with_name("pumphouse-api")), "--quiet", "--config", str(pair.config),
               "serve", "--port", str(port())]  # fmt: skip
    url = f"http://127.0.0.1:{command[-1]}"
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    with (pair.config.parent / "api.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, text=True)  # noqa: S603 (our own words)
        try:
            until = time.monotonic() + PATIENCE
            while not _answers(session, url):
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"it does not answer: {Path(log.name).read_text()[-2000:]}")
                time.sleep(0.02)
            yield Api(url, process, session)
        finally:
            process.terminate()
            process.wait(60)


def _answers(session: requests.Session, url: str) -> bool:
    try:
        return session.get(f"{url}/healthz", timeout=5).ok
    except (requests.ConnectionError, requests.Timeout):
        return False


def port() -> int:
    """One that is free just now."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def times(do: Callable[[], Any], count: int = TIMES) -> list[float]:
    """Milliseconds of each."""
    found = []
    for _ in range(count):
        began = time.monotonic()
        do()
        found.append(1000 * (time.monotonic() - began))
    return found


def quantile(found: Sequence[float], part: float) -> float:
    """That which so large a part does not exceed."""
    return sorted(found)[min(len(found) - 1, round(part * (len(found) - 1)))]


def cloud_itself(pair: Pair) -> float:
    """Median milliseconds that the source takes for a page of servers."""
    cloud = Cloud.open("source", load(str(pair.config)).clouds["source"])
    ask = {"all_tenants": 1, "limit": PAGE}
    newest = "{}.{}".format(*cloud.clamp("compute", (2, 96)))

    def get() -> None:
        cloud.adapter("compute").get("/servers/detail", params=ask, microversion=newest).json()

    return statistics.median(times(get, 50))


def cold(pair: Pair, token: str, own: float) -> None:
    """New processes, each asked once."""
    for name, path in PAGES.items():
        found, shown = [], []
        for _ in range(COLD):
            with api(pair, token) as one:
                took, answer = one.timed(path)
            found.append(took)
            shown.append(len(answer["items"]))
        print(
            f"{name}, first page, cold: median {statistics.median(found):.0f} ms, worst of {COLD} {max(found):.0f} ms"
            f" ({min(shown)} shown), x{statistics.median(found) / own:.1f}",
            flush=True,
        )


def warm(one: Api, own: float) -> None:
    """The same pages once all was read, and what that costs in memory."""
    before = one.memory()[0]
    began = time.monotonic()
    for role in ("source", "destination"):
        one.complete(f"/v1/clouds/{role}/tenants")
        total = one.complete(f"/v1/clouds/{role}/resources/server?limit=1")["total"]
        print(f"{role}: {total} servers read {time.monotonic() - began:.1f} s after the start", flush=True)
    for name, path in PAGES.items():
        found = times(lambda path=path: one.timed(path))  # type: ignore[misc]
        p50, p95 = quantile(found, 0.5), quantile(found, 0.95)
        print(f"{name}, first page, warm: p50 {p50:.1f} ms, p95 {p95:.1f} ms, x{p50 / own:.2f}", flush=True)
    now, most = one.memory()
    print(f"memory of the process that answers: {before:.0f} MiB before, {now:.0f} with all lists, {most:.0f} at most")


class Streams:
    """Many clients that listen."""

    def __init__(self, one: Api, count: int) -> None:
        """All have got the head of their answer."""
        self.taken = 0
        self._selector = selectors.DefaultSelector()
        self._connections = []
        self._leave = threading.Event()
        for _ in range(count):
            connection = http.client.HTTPConnection(urlsplit(one.url).netloc, timeout=PATIENCE)
            connection.request("GET", "/v1/events", headers={"Authorization": one.session.headers["Authorization"]})
            answer = connection.getresponse()
            if answer.status != 200:
                raise SystemExit(f"an event stream was refused: {answer.status} {answer.read()!r}")
            self._selector.register(answer.fileno(), selectors.EVENT_READ)
            self._connections.append((connection, answer))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while not self._leave.is_set():
            for key, _ in self._selector.select(0.2):
                self.taken += os.read(key.fd, 1 << 16).count(b"\nid:")

    def close(self) -> None:
        """Hang up."""
        self._leave.set()
        self._reader.join()
        for connection, answer in self._connections:
            answer.close()
            connection.close()


def streams(one: Api, store: Store, count: int) -> None:
    """/healthz alone, and beside streams that are busy."""

    def health() -> list[float]:
        return times(lambda: one.timed("/healthz"), 1000)

    alone = health()
    listening = Streams(one, count)
    leave, told = threading.Event(), [0]

    def tell() -> None:
        while not leave.wait(1 / EVENTS_A_SECOND):
            events.add(store, "log", "something happened", data={"number": told[0]})
            told[0] += 1

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    time.sleep(2)
    beside = health()
    leave.set()
    teller.join()
    time.sleep(1)
    listening.close()
    for name, found in (("alone", alone), (f"beside {count} streams", beside)):
        p50, p99 = quantile(found, 0.5), quantile(found, 0.99)
        ratio = "" if found is alone else f", x{p50 / quantile(alone, 0.5):.1f} and x{p99 / quantile(alone, 0.99):.1f}"
        print(f"/healthz {name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms{ratio}", flush=True)
    print(f"of {told[0]} events the streams got {listening.taken / count:.0f} each; memory {one.memory()[0]:.0f} MiB")


def main(arguments: Sequence[str]) -> int:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", type=int, default=SERVERS, help="in each cloud (default: %(default)s)")
    parser.add_argument("--streams", type=int, default=STREAMS, help="at once (default: %(default)s)")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="pumphouse-bench-") as folder, start_pair(Path(folder)) as pair:
        os.environ["OS_CLIENT_CONFIG_FILE"] = str(pair.clouds_file)
        for process in (pair.source, pair.destination):
            fill(process, operator(process.name), asked.servers)
        with Store.open(load(str(pair.config)).database) as store:
            _, token = access.create_token(store, "bench", "viewer")
            own = cloud_itself(pair)
            print(
                f"two clouds of {asked.servers} servers; the source itself takes {own:.1f} ms for {PAGE} of them (x1)"
            )
            cold(pair, token, own)
            with api(pair, token) as one:
                warm(one, own)
                streams(one, store, asked.streams)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
