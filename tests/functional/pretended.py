"""A machine that is pretended: the program that switches it, and the one that installs it.

As a program, ``pretended.py power DIRECTORY`` and ``pretended.py install DIRECTORY``: what the inventory's ``command``
drivers run. The directory holds how the machine is, what was done to it, and what shall go wrong.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

#: What goes wrong where a file of this name is in the directory.
FAULTS = ("does not boot", "cannot be deployed", "does not join", "cannot be switched")


class Pretended:
    """One machine, on two embedded clouds. ``alive`` tells each whether it runs there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.settings = json.loads((directory / "settings.json").read_text())

    @classmethod
    def make(cls, directory: Path, name: str, source: str, destination: str, **more: Any) -> Pretended:
        """A machine of the source that runs. ``more``: pace (seconds of each step), mac, nailgun (its URL)."""
        directory.mkdir(parents=True)
        settings = {"name": name, "source": source, "destination": destination, "pace": 0.0, **more}
        (directory / "settings.json").write_text(json.dumps(settings))
        machine = cls(directory)
        machine.put("power", "on")
        machine.put("boot", "disk")
        return machine

    def set(self, **more: Any) -> None:
        self.settings |= more
        (self.directory / "settings.json").write_text(json.dumps(self.settings))

    def get(self, what: str) -> str:
        file = self.directory / what
        return file.read_text() if file.exists() else ""

    def put(self, what: str, value: str) -> None:
        (self.directory / what).write_text(value)

    def fault(self, which: str, there: bool = True) -> None:
        assert which in FAULTS
        file = self.directory / which
        file.touch() if there else file.unlink(missing_ok=True)

    def told(self) -> list[str]:
        """What was done to it, in this order."""
        return self.get("log").splitlines()

    def note(self, line: str) -> None:
        with (self.directory / "log").open("a") as log:
            log.write(f"{line}\n")

    def alive(self, cloud: str, alive: bool) -> None:
        body = json.dumps({"alive": alive}).encode()
        name = self.settings.get("joins_as") if cloud == "destination" else None
        url = f"{self.settings[cloud]}/_control/hosts/{name or self.settings['name']}"
        headers = {"Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(url, body, headers, method="POST"), timeout=30).close()

    # --- the power program ---

    def power(self, asked: dict[str, Any]) -> str:
        action = asked["action"]
        if action != "status":
            if (self.directory / "cannot be switched").exists():
                sys.exit("the PDU does not answer")
            time.sleep(self.settings["pace"])
        if action == "off" and self.get("power") == "on":
            self.note("off")
            self.put("power", "off")
            self.alive("source", False)
        elif action == "boot_from_network":
            self.note("boot from network")
            self.put("boot", "network")
        elif action == "on" and self.get("power") == "off":
            self.note(f"on, from {self.get('boot')}")
            self.put("power", "on")
            self.start()
        return self.get("power")

    def start(self) -> None:
        if self.get("boot") == "disk":
            self.alive("source", True)
        elif not (self.directory / "does not boot").exists():
            self.put("booted", str(time.time()))
        self.put("boot", "disk")

    # --- the provisioner ---

    def install(self, asked: dict[str, Any]) -> None:
        pace = self.settings["pace"]
        if asked["action"] == "prepare":
            assert self.get("power") == "off", "it must be off"
            time.sleep(pace)
            self.put("booted", "")
            self.note("prepare")
        elif asked["action"] == "discovered":
            if (booted := self.get("booted")) and float(booted) >= asked["since"] + pace:
                print("node-of-mine")
        elif asked["action"] == "forget":
            self.note("forget")
        else:
            self.deploy(pace)

    def deploy(self, pace: float) -> None:
        self.note("deploy")
        for percent in (10, 50, 90):
            print(f"progress {percent} copying what is needed", flush=True)
            time.sleep(pace)
            if percent == 50 and (self.directory / "cannot be deployed").exists():
                print("failed the disk is too small", flush=True)
                return
        time.sleep(pace)
        if not (self.directory / "does not join").exists():
            self.alive("destination", True)
        print("done", flush=True)


def main() -> None:
    machine = Pretended(Path(sys.argv[2]))
    asked = json.load(sys.stdin)
    if sys.argv[1] == "power":
        print(machine.power(asked))
    else:
        machine.install(asked)


if __name__ == "__main__":
    main()
