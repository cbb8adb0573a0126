"""Starting processes of one cloud and waiting for what they bring up; a death ends every wait."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from .processes import Processes
from .waiting import LabError, run, say, tail, wait_for

T = TypeVar("T")


def listening(port: int) -> bool:
    """Whether something accepts connections on this port of the loopback."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Services:
    """The processes of one cloud (or of the broker), with their logs."""

    def __init__(self, label: str, records: Path, log: Path, environment: Mapping[str, str]) -> None:
        self.label = label
        self.log = log
        self.environment = environment
        self.processes = Processes(records)

    def start(self, name: str, command: Sequence[str | Path]) -> bool:
        """Start a process unless it runs; say whether it was started.  Its log is NAME.log."""
        return self.processes.start(name, command, self.environment, self.log / f"{name}.log")

    def running(self, name: str) -> bool:
        """Whether this process runs."""
        return self.processes.running(name) is not None

    def call(self, command: Sequence[str | Path], *, check: bool = True) -> str:
        """Run a command to its end in the services' environment; its output goes to commands.log too."""
        return run(command, environment=self.environment, log=self.log / "commands.log", check=check)

    def wait(self, look: Callable[[], T], what: str, *, seconds: float = 300, interval: float = 0.1) -> T:
        """Wait for something these processes do.  LabError names the one that died, or all that run."""
        label = f"{self.label}: {what}"
        return wait_for(look, label, seconds=seconds, interval=interval, trouble=self.trouble)

    def trouble(self) -> str | None:
        """The first process that was started and has died, with the end of its log."""
        for name in self.processes.dead():
            return f"{self.label}: {name} died\n{tail(self.log / f'{name}.log')}"
        return None

    def wait_for_port(self, name: str, port: int, *, seconds: float = 300) -> None:
        """Wait until the port of this process accepts connections."""
        try:
            self.wait(lambda: listening(port), f"{name} on port {port}", seconds=seconds)
        except LabError as error:
            log = self.log / f"{name}.log"
            raise LabError(str(error) if str(log) in str(error) else f"{error}\n{tail(log)}") from None

    def say(self, text: str) -> None:
        """Print one line of progress."""
        say(f"{self.label:<6} {text}")
