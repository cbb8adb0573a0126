"""The stream of events as its readers get it: from two processes, while others write, though connections are cut."""

from __future__ import annotations

import collections
import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pumphouse.embedded.process import entry, write_private
from pumphouse.store import Store, access, events
from tests.functional.waiting import PATIENCE, until
from tests.ports import free_port

BIN = Path(sys.executable).parent

#: A process that writes events, some in transactions that last: their ids are not committed in their order then.
WRITER = """
import random, sys, time
from pumphouse.store import Store, events
url, name, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
chance = random.Random(name)

def write(session):
    events.add_in(session, "log", f"{name}:{count}")
    session.flush()
    time.sleep(chance.choice((0, 0, 0, 0.002, 0.03)))

with Store.open(url) as store:
    for count in range(number):
        store.write(write)
        time.sleep(chance.uniform(0, 0.02))
"""


class Service:
    """Two processes that answer; the clouds are named, but not there."""

    def __init__(self, directory: Path, database: str) -> None:
        self.directory, self.port = directory, free_port()
        self.store = Store.open(database)
        _, self.token = access.create_token(self.store, "reader", "admin")
        nowhere = entry("http://127.0.0.1:9/v3", "none")
        clouds = write_private(directory / "clouds.yaml", {"clouds": {"src": nowhere, "dst": nowhere}})
        sides = {"source": {"cloud": "src"}, "destination": {"cloud": "dst"}}
        api = {"port": self.port, "workers": 2, "shutdown_seconds": 40}
        self.config = write_private(directory / "pumphouse.yaml", {"clouds": sides, "database": database, "api": api})
        self.environment = {**os.environ, "OS_CLIENT_CONFIG_FILE": str(clouds)}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = (self.directory / "api.log").open("ab")
        self.process = subprocess.Popen(
            [BIN / "pumphouse-api", "--quiet", "--config", str(self.config), "serve", "--no-engine"],
            stdout=log, stderr=log, env=self.environment, start_new_session=True,
        )  # fmt: skip
        until("the service", lambda: self.get("/healthz") == 200)

    def get(self, path: str) -> int:
        """The status; 0 where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def kill(self) -> None:
        """All of it, at once."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> float:
        """Politely; how long that took."""
        assert self.process is not None
        before = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
        return time.monotonic() - before

    def listen(self, last: int) -> tuple[socket.socket, http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.token}", "Last-Event-ID": str(last)}
        connection.request("GET", "/v1/events", headers=headers)
        # The connection lets go of it when the answer says that it is the last one.
        own = connection.sock
        response = connection.getresponse()
        assert response.status == 200, response.read()
        return own, response


class Reader:
    """Somebody who listens, whatever happens to his connection."""

    def __init__(self, service: Service, seed: int, last: int) -> None:
        self.service, self.chance, self.last = service, random.Random(seed), last
        self.heard: list[tuple[int, str]] = []
        self.cuts = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while not self.over.is_set():
            try:
                own, response = self.service.listen(self.last)
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
                continue
            with contextlib.suppress(OSError, http.client.HTTPException):
                self._read(own, response, time.monotonic() + self.chance.uniform(0.05, 0.8))
            # As a network does that is pulled out: nothing is said.
            with contextlib.suppress(OSError):
                own.shutdown(socket.SHUT_RDWR)
            response.close()
            self.cuts += 1

    def _read(self, own: socket.socket, response: http.client.HTTPResponse, end: float) -> None:
        fields: dict[str, str] = {}
        while (left := end - time.monotonic()) > 0 and not self.over.is_set():
            own.settimeout(left)
            raw = response.readline()
            if not raw:
                return
            line = raw.decode().rstrip("\n")
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
            elif not line:
                self._take(fields)
                fields = {}

    def _take(self, fields: dict[str, str]) -> None:
        """A whole event: only then its id counts."""
        assert fields.get("event") != "reset", fields
        if fields.get("event") == "log":
            data = json.loads(fields["data"])
            self.heard.append((data["event"], data["text"]))
        if "id" in fields:
            self.last = int(fields["id"])


@pytest.fixture(params=["sqlite", "mariadb"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty one; MariaDB, as there transactions run side by side."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/pumphouse.sqlite"
        return
    if shutil.which("mariadbd") is None or shutil.which("mariadb-install-db") is None:
        pytest.skip("LEFT OUT: MariaDB is not installed")
    with mariadb(tmp_path) as url:
        yield url


@contextlib.contextmanager
def mariadb(directory: Path) -> Iterator[str]:
    """A server of its own."""
    (directory / "tmp").mkdir()
    port, own = free_port(), [f"--datadir={directory}/data", f"--tmpdir={directory}/tmp"]
    common = ["--no-defaults", "--user=root", "--innodb-log-file-size=16M", *own]
    made = ["mariadb-install-db", *common, "--skip-test-db", "--auth-root-authentication-method=socket"]
    subprocess.run(made, check=True, capture_output=True, timeout=PATIENCE)
    # The directory's name may be too long for a socket's.
    local = f"/tmp/pumphouse-test-{os.getpid()}.sock"
    options = [f"--port={port}", f"--socket={local}", "--bind-address=127.0.0.1", "--skip-log-bin"]
    options += ["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M", "--skip-name-resolve"]
    client = ["mariadb", "--no-defaults", "-uroot", f"--socket={local}", "-e"]
    with (directory / "mariadb.log").open("wb") as log:
        server = subprocess.Popen(["mariadbd", *common, *options], stdout=log, stderr=log)
    try:
        until(
            "MariaDB", lambda: subprocess.run([*client, "select 1"], capture_output=True, check=False).returncode == 0
        )
        grant = "create database p; create user p@'%' identified by 'p'; grant all on p.* to p@'%'"
        subprocess.run([*client, grant], check=True, capture_output=True, timeout=PATIENCE)
        yield f"mysql+pymysql://p:p@127.0.0.1:{port}/p"
    finally:
        server.terminate()
        server.wait(PATIENCE)


def test_none_is_lost_and_none_comes_twice(database: str, tmp_path: Path) -> None:
    service = Service(tmp_path, database)
    writers, number = [], 120
    service.start()
    try:
        events.add(service.store, "log", "begun")
        begun = events.last_id(service.store)
        readers = [Reader(service, seed, begun) for seed in range(4)]
        for name in ("a", "b", "c"):
            command = [sys.executable, "-c", WRITER, database, name, str(number)]
            writers.append(subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(Path.cwd())}))
        until("half of the events", lambda: events.last_id(service.store) > begun + number)
        service.kill()
        time.sleep(0.5)
        service.start()
        assert [writer.wait(PATIENCE) for writer in writers] == [0, 0, 0]
        expected = {f"{name}:{count}" for name in ("a", "b", "c") for count in range(number)}
        for reader in readers:
            until("all events", lambda reader=reader: {text for _, text in reader.heard} >= expected)
        time.sleep(1)
        for reader in readers:
            reader.over.set()
        for reader in readers:
            times = collections.Counter(text for _, text in reader.heard)
            assert {text for text, count in times.items() if count > 1} == set()
            assert times.keys() == expected
            ids = [id_ for id_, _ in reader.heard]
            assert ids == sorted(ids)
            assert reader.cuts > 3
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
        service.kill()
        service.store.close()


def test_200_listen_while_others_are_answered_and_the_service_ends_in_time(tmp_path: Path) -> None:
    service = Service(tmp_path, f"sqlite:///{tmp_path}/pumphouse.sqlite")
    service.start()
    try:
        streams = [service.listen(0) for _ in range(200)]
        worst = 0.0
        for _ in range(20):
            before = time.monotonic()
            assert service.get("/healthz") == 200
            worst = max(worst, time.monotonic() - before)
        assert worst < 5, "seconds: this machine may be busy"
        events.add(service.store, "log", "for all of you")
        for _, response in streams:
            while b"for all of you" not in response.readline():
                pass
        assert service.stop() < 20, "streams are ended, not waited for"
        assert not any(b"event" in response.read() for _, response in streams)
        assert service.process is not None
        assert service.process.returncode == 0
    finally:
        service.kill()
        service.store.close()
