"""The operator's commands on hosts, and what the source's Nova says of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.acceptance.clouds import Json, wait
from tests.acceptance.command import Done, Pumphouse
from tests.acceptance.lab import Lab
from tests.lab.guest import GREETING

PLACE, TASK = "OS-EXT-SRV-ATTR:host", "OS-EXT-STS:task_state"


class Racks(Pumphouse):
    """The commands, and the source's Nova."""

    clouds: Lab
    domain: str
    #: The tenant's id.
    project: str
    #: What is emptied first, and where everything goes then.
    host: str
    other: str

    @property
    def nova(self) -> Any:
        return self.clouds.source.compute

    def command(self, *arguments: str) -> list[str]:
        near = Path(sys.executable).with_name("pumphouse-bm")
        found = str(near) if near.exists() else shutil.which("pumphouse-bm")
        program = [found] if found else [sys.executable, "-m", "pumphouse.cli.hosts"]
        return [*program, "--config", str(self.config), *arguments]

    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PUMPHOUSE_", "OS_"))}
        return {**kept, "OS_CLIENT_CONFIG_FILE": self.clouds_file, "COLUMNS": "200"}

    def evacuate(self, *arguments: str) -> Done:
        return self.bm("evacuate", *arguments)

    def bm(self, *arguments: str) -> Done:
        """``pumphouse-bm``, to its end."""
        began = time.monotonic()
        done = subprocess.run(
            self.command(*arguments), env=self.environment(), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=900, check=False,
        )  # fmt: skip
        print(done.stdout, done.stderr)
        return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    def servers(self) -> list[Json]:
        """Of the tenant."""
        return list(self.nova.list("/servers/detail", "servers", all_tenants=1, project_id=self.project))

    def server(self, name: str) -> Json:
        (found,) = [one for one in self.servers() if one["name"] == name]
        return found

    def places(self) -> dict[str, tuple[str, str, str]]:
        """Name -> id, status, host."""
        return {one["name"]: (one["id"], one["status"], one[PLACE]) for one in self.servers()}

    def service(self, host: str) -> Json:
        (found,) = self.nova.list("/os-services", "services", binary="nova-compute", host=host)
        return found

    def action(self, name: str, **action: Any) -> None:
        self.nova.post(f"/servers/{self.server(name)['id']}/action", **action)

    def settled(self, name: str, *statuses: str) -> Json:
        return wait(lambda: self.server(name), lambda s: s["status"] in statuses and not s[TASK], f"{name} {statuses}")

    def boots(self, name: str) -> int:
        """How often its guest has said that it has booted, since the console's log was begun."""
        path = f"/servers/{self.server(name)['id']}/action"
        answer = self.nova.call("POST", path, json={"os-getConsoleOutput": {}}).json()
        return str(answer["output"]).count(GREETING)

    def migrations(self, name: str) -> list[Json]:
        return self.nova.list("/os-migrations", "migrations", instance_uuid=self.server(name)["id"])
