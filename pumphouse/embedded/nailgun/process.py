"""An embedded Nailgun as a process of its own, started and ended by who needs it."""

from __future__ import annotations

from pathlib import Path

from pumphouse.embedded.nailgun.agent import Machine
from pumphouse.embedded.process import CloudProcess


class NailgunProcess(CloudProcess):
    """One of them. Its account is ``admin`` with ``password``."""

    def __init__(self, version: str, directory: Path, port: int = 0) -> None:
        """``version``: one of FLAVOURS. The rest as of CloudProcess."""
        super().__init__("nailgun", version, directory, port)

    def _module(self) -> list[str]:
        return ["pumphouse.embedded.nailgun", "serve", "--version", self.release]

    def _described(self, described: dict[str, str]) -> None:
        self.url = described["url"]

    def boots(self, machine: Machine) -> int:
        """A machine has booted from the network. Gives the id of its node."""
        return machine.boots(self.url)
