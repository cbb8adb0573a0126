"""``pumphouse-api serve`` as a process that can be killed and started again, at the same address."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from pumphouse.cli.demo_page import free_port
from pumphouse.config import load
from pumphouse.store import Store, access

PATIENCE = 180


class Service:
    """On a configuration."""

    def __init__(self, config: Path, clouds_file: str, directory: Path) -> None:
        """It runs, and lets an administrator in."""
        self.config, self.log = config, directory / "service.log"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("OS_", "PUMPHOUSE_"))},
            "OS_CLIENT_CONFIG_FILE": clouds_file,
        }
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        with Store.open(load(str(config)).database) as store:
            _, self.token = access.create_token(store, "tester", "admin")
        self.start()

    def start(self) -> None:
        """Until it answers."""
        command = [
            sys.executable, "-m", "pumphouse.cli.api", "--config", str(self.config), "serve", "--port", str(self.port)
        ]  # fmt: skip
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.until("the service", self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5):
                return True
        except OSError:
            return False

    def kill(self) -> None:
        """It and all that belongs to it, at once: the power fails."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        """Politely."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def call(self, path: str, body: Any = None) -> Any:
        """GET, or POST with a body; what it answers."""
        request = urllib.request.Request(
            f"{self.url}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.code} {error.read().decode()}") from None

    def ended(self, number: int) -> dict[str, Any]:
        """A migration, when it has ended."""
        moving = ("queued", "planning", "running", "reverting")

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = self.call(f"/v1/migrations/{number}")
            return None if found["state"] in moving else found

        return self.until(f"migration {number}", look)

    def job(self, path: str, body: Any) -> dict[str, Any]:
        """Ask for a job, and wait for its end."""
        asked = self.call(path, body)

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = self.call(f"/v1/jobs/{asked['id']}")
            return found if found["state"] in ("done", "failed") else None

        return self.until(path, look)

    def until(self, what: str, look: Any, seconds: float = PATIENCE) -> Any:
        """What ``look`` finds, in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := look():
                return found
            time.sleep(0.2)
        raise AssertionError(f"waited for {what}, in vain\n{self.log.read_text()[-3000:]}")
