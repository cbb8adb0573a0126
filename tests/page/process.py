"""The service as a process, for tests that use it as people do."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import requests
import yaml

PATIENCE = 60.0


class Service:
    """``pumphouse-api serve`` on two clouds."""

    def __init__(self, config: Path, clouds_file: str, *options: str, **api: Any) -> None:
        """``options`` of the command; ``api``: of the configuration. Its log is beside that."""
        self.directory = config.parent
        self.config = config
        if api:
            self.config = self.directory / f"service-{time.monotonic_ns()}.yaml"
            self.config.write_text(yaml.safe_dump({**yaml.safe_load(config.read_text()), "api": api}))
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "PUMPHOUSE_"))}
        self.environment = {
            **plain,
            "OS_CLIENT_CONFIG_FILE": clouds_file,
            "PUMPHOUSE_CONFIG": str(self.config),
        }
        self.options = options
        self.log = self.directory / f"service-{time.monotonic_ns()}.log"
        self.url = ""
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str) -> str:
        """``pumphouse-api`` with these arguments; what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "pumphouse.cli.api", *arguments],
            env=self.environment, capture_output=True, text=True, timeout=PATIENCE, check=True,
        )  # fmt: skip
        return done.stdout

    def token(self, role: str = "admin") -> str:
        """A new one."""
        return self.command("token", "create", "--name", f"test {role}", "--role", role).strip()

    def session(self, role: str = "admin") -> requests.Session:
        """Requests with a new token."""
        return self.with_token(self.token(role))

    def with_token(self, token: str) -> requests.Session:
        """Requests with this one."""
        made = requests.Session()
        made.headers["Authorization"] = f"Bearer {token}"
        return made

    def start(self) -> Service:
        """Start it; it listens when this returns."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pumphouse.cli.api", "serve", "--port", "0", *self.options],
                env=self.environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        found: list[str] = []

        def listens() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()
            found[:] = re.findall(r"listens at (http\S+)/", self.log.read_text())
            return bool(found)

        wait(listens)
        self.url = found[0]
        wait(lambda: requests.get(f"{self.url}/healthz", timeout=10).ok)
        return self

    def children(self) -> list[int]:
        """The processes of its own, the engine's too."""
        assert self.process is not None
        return [
            int(path.parent.name) for path in Path("/proc").glob("[0-9]*/stat") if _parent(path) == self.process.pid
        ]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        if self.process is None:
            return 0
        process, self.process = self.process, None
        process.send_signal(number)
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def __enter__(self) -> Service:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def wait(true: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Until it is."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if true():
                return
        except (requests.ConnectionError, requests.Timeout):
            pass
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _parent(path: Path) -> int:
    try:
        return int(path.read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0
