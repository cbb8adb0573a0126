"""Machines that are switched and installed by programs of ours, and the inventory that describes them.

They belong to embedded clouds: one that is switched off stops in the source, one that was installed is a compute host
of the destination.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from pumphouse.embedded.process import Pair

#: A text that must never be seen anywhere.
PASSWORD = "outlet-p4ss"

#: Each machine is a file with its state; whatever it is told is a line of the log. A silent one is not answered for.
POWER = """\
import json, pathlib, sys, time, urllib.request
given = json.load(sys.stdin)
name, parameters = given["host"]["name"], given["host"]["bmc"]["parameters"]
room = pathlib.Path(parameters["room"])
state, log = room / name, room / "told"
if state.read_text() == "silent":
    time.sleep(60)
action = given["action"]
if action != "status":
    with log.open("a") as lines:
        lines.write(json.dumps([name, action, given.get("soft", False)]) + "\\n")
if action == "off":
    urllib.request.urlopen(urllib.request.Request(
        f"{parameters['source']}/_control/hosts/{name}", b'{"alive": false}', {"Content-Type": "application/json"}))
if action in ("on", "off"):
    state.write_text(action)
print(state.read_text())
"""
#: Installs a machine in two seconds, or says that it cannot where the file "broken" is in the room.
INSTALL = """\
import json, pathlib, sys, time, urllib.request
given = json.load(sys.stdin)
name, parameters = given["host"]["name"], given["parameters"]
print("progress 30 installing packages", flush=True)
time.sleep(1)
if (pathlib.Path(parameters["room"]) / "broken").exists():
    print("failed the disk is too small", flush=True)
    sys.exit(1)
print("progress 80 configuring services", flush=True)
time.sleep(1)
urllib.request.urlopen(urllib.request.Request(
    f"{parameters['destination']}/_control/hosts/{name}", b'{"alive": true}', {"Content-Type": "application/json"}))
print("done", flush=True)
"""


class MachineRoom:
    """The machines of some hosts, all on, and the inventory that describes them."""

    def __init__(self, pair: Pair, directory: Path, hosts: dict[str, dict[str, Any]]) -> None:
        """``hosts``: what the inventory says of each beside its MAC, its switch and its provisioner.

        The room is within ``directory``, the inventory beside the configuration of the clouds.
        """
        self.directory = directory / "room"
        self.directory.mkdir()
        (self.directory / "told").touch()
        given = {"room": str(self.directory), "source": pair.source.url, "destination": pair.destination.url}
        power = {
            "kind": "command", "command": self._program("power", POWER), "password": PASSWORD, "parameters": given,
        }  # fmt: skip
        installs = {
            "name": "command", "command": self._program("install", INSTALL), "parameters": given,
            "state_directory": str(self.directory / "installed"),
        }  # fmt: skip
        described = {
            name: {"macs": [f"52:54:00:cc:00:{number:02x}"], "bmc": power, "provisioner": installs, **more}
            for number, (name, more) in enumerate(hosts.items())
        }
        for name in hosts:
            self.be(name, "on")
        self.inventory = pair.config.parent / "inventory.yaml"
        self.inventory.touch(mode=0o600)
        self.inventory.write_text(yaml.safe_dump({"hosts": described}))

    def _program(self, name: str, text: str) -> list[str]:
        path = self.directory / f"{name}.py"
        path.write_text(text)
        return [sys.executable, str(path)]

    def be(self, name: str, state: str) -> None:
        """A machine is on, off, or silent."""
        (self.directory / name).write_text(state)

    def breaks(self, broken: bool) -> None:
        """Whether machines can be installed."""
        mark = self.directory / "broken"
        mark.touch() if broken else mark.unlink(missing_ok=True)

    def told(self) -> list[list[Any]]:
        """[host, action, whether softly] of all that was switched."""
        return [json.loads(line) for line in (self.directory / "told").read_text().splitlines()]

    def forget(self) -> None:
        """As if nothing had been told; all are on."""
        (self.directory / "told").write_text("")
        self.breaks(False)
        for name in yaml.safe_load(self.inventory.read_text())["hosts"]:
            self.be(name, "on")
