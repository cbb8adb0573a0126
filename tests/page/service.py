"""The service as tests of the page need it: killed, started again at the same address, asked and waited for."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.page import process
from tests.ports import free_port

PATIENCE = 180


class Service(process.Service):
    """It runs, and lets an administrator in."""

    def __init__(self, config: Path, clouds_file: str) -> None:
        """On a configuration."""
        # The same when it is started again; not the usual one, which another test may ask for.
        super().__init__(config, clouds_file, "--port", str(free_port()))
        self.secret = self.token()
        self.requests = self.with_token(self.secret)
        self.start()

    def kill(self) -> None:
        """It and all that belongs to it, at once: the power fails."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def call(self, path: str, body: Any = None) -> Any:
        """GET, or POST with a body; what it answers."""
        method = "GET" if body is None else "POST"
        answer = self.requests.request(method, f"{self.url}{path}", json=body, timeout=60)
        assert answer.ok, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

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

    def until(self, what: str, look: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """What ``look`` finds, in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := look():
                return found
            time.sleep(0.2)
        raise AssertionError(f"waited for {what}, in vain\n{self.log.read_text()[-3000:]}")
