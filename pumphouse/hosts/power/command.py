"""The operator's own program: for PDUs, blade centres, virtual machines, whatever has a command of its own.

It gets one JSON text on stdin, ``{"action": "on", "host": {...}}``, and answers by the last line on stdout, ``on`` or
``off``, and by exit code 0. Nothing secret is on its command line.
"""

from __future__ import annotations

import time
from typing import Any, Literal, cast

from pumphouse.hosts import processes
from pumphouse.hosts.inventory import describe
from pumphouse.hosts.options import Option, Secret
from pumphouse.hosts.power.base import Power, PowerError, State

Action = Literal["on", "off", "status", "boot_from_network"]

#: Seconds between two questions for the state.
PAUSE = 2


class Command(Power):
    """A program for each action."""

    name = "command"
    OPTIONS = {
        "command": Option("texts", required=True),
        "address": Option("text"),
        "port": Option("number", least=1, most=65535),
        "username": Option("text"),
        "password": Option("secret"),
        # Handed on as they are.
        "parameters": Option("mapping", default={}),
        "deadline": Option("number", default=60, least=1, most=3600),
        "switch_deadline": Option("number", default=120, least=1, most=3600),
        "shutdown_deadline": Option("number", default=600, least=1, most=7200),
    }

    def check(self) -> None:
        """Ask for the state: the program has to know the host."""
        self.state()

    def state(self) -> State:
        """As the program says."""
        return self._state(self._run("status"))

    def on(self) -> None:
        """On, and wait until the program says so."""
        self._switch("on", self.options["switch_deadline"])

    def off(self, soft: bool = False) -> None:
        """Off, and wait until the program says so; whether it heeds ``soft`` is up to it."""
        self._switch("off", self.options["shutdown_deadline" if soft else "switch_deadline"], soft=soft)

    def boot_from_network(self, once: bool = True) -> None:
        """Its exit code is the answer."""
        self._run("boot_from_network", once=once)

    def _switch(self, wanted: Literal["on", "off"], patience: float, **more: bool) -> None:
        end = time.monotonic() + patience
        state = self._state(self._run(wanted, **more))
        while state != wanted:
            if time.monotonic() > end:
                raise PowerError(f"{self._who} was told {wanted}, but is {state} after {patience:g} s", passing=True)
            time.sleep(PAUSE)
            state = self.state()

    def _run(self, action: Action, **more: bool) -> str:
        """Run the program; its last line."""
        deadline = self.options["deadline"]
        try:
            done = processes.run(self.options["command"], self._given(action, more), deadline)
        except OSError as error:
            raise PowerError(f"{self._who}: {self._program} cannot be started: {error.strerror}") from None
        if done.code is None:
            raise PowerError(f"{self._who}: {self._program} ({action}) took longer than {deadline} s", passing=True)
        if done.code != 0:
            last = self._safe(processes.last_line(done.err) or done.last)
            raise PowerError(
                f"{self._who}: {self._program} ({action}) failed with code {done.code}: {last}", passing=True
            )
        return processes.last_line(done.out)

    def _given(self, action: Action, more: dict[str, bool]) -> dict[str, Any]:
        keys = ("address", "port", "username", "password", "parameters")
        known = {key: value for key in keys if (value := self.options[key])}
        if isinstance(password := known.get("password"), Secret):
            known["password"] = password.reveal()
        return {"action": action, **more, "host": {**describe(self.host), "bmc": known}}

    def _state(self, line: str) -> State:
        state = line.lower()
        if state not in ("on", "off"):
            said = f"said {self._safe(line)!r}" if line else "said nothing"
            raise PowerError(f"{self._who}: {self._program} {said}; its last line must be on or off")
        return cast("State", state)

    def _safe(self, line: str) -> str:
        """What it said, short and without the password."""
        password = self.options["password"]
        return (line.replace(password.reveal(), "***") if password else line)[:200]

    @property
    def _who(self) -> str:
        return self.host.name

    @property
    def _program(self) -> str:
        return str(self.options["command"][0])
