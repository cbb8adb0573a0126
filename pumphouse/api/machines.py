"""The machines as the service knows them: the inventory, and whether each is on, asked of its BMC."""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from typing import TYPE_CHECKING

from ..clouds.errors import explain
from ..errors import ConfigError
from ..hosts import inventory, power
from ..hosts.inventory import Host, Inventory
from .clouds.crew import Crew

if TYPE_CHECKING:
    from ..config import Config

#: BMCs that are asked at once: one that is silent takes a thread until its deadline.
THREADS = 8
#: Seconds that an answer waits for a BMC, and for which one's word is kept.
PATIENCE, KEPT = 10.0, 3.0
#: Seconds after which the inventory is read again, though its file is the same: passwords are in others.
READ_AGAIN = 60.0


@dataclasses.dataclass
class PowerState:
    """What a BMC said; or why it said nothing."""

    #: on, off, or unknown.
    state: str
    error: str = ""
    #: Epoch seconds.
    asked: float = dataclasses.field(default_factory=time.time)


class _Asking:
    """One question to one BMC: whoever asks meanwhile gets the same answer."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.answer: PowerState | None = None

    def ask(self, host: Host) -> None:
        try:
            self.answer = PowerState(power.of(host).state())
        except Exception as error:
            self.answer = PowerState("unknown", explain(error))
        self.done.set()

    @property
    def old(self) -> bool:
        return self.answer is not None and time.time() - self.answer.asked > KEPT


class Machines:
    """Those of a process. Threads share it; nothing is read before it is asked for."""

    def __init__(self, config: Config) -> None:
        """The inventory is found as the commands find it: by $PUMPHOUSE_INVENTORY, or beside the configuration."""
        self._config = config
        self._lock = threading.Lock()
        self._crew = Crew("power", THREADS)
        self._read: tuple[tuple[object, ...], float, Inventory] | None = None
        self._asked: dict[str, _Asking] = {}

    def inventory(self) -> Inventory | None:
        """As its file is now; None where there is none. Raises ConfigError for one that cannot be used."""
        beside = self._config.path
        if not os.environ.get(inventory.VARIABLE) and not (beside.parent / inventory.NAME).exists():
            return None
        file = inventory.find(beside=beside)
        found = file.stat()
        mark = (file, found.st_mtime_ns, found.st_size, found.st_ino)
        with self._lock:
            if self._read and self._read[0] == mark and time.monotonic() - self._read[1] < READ_AGAIN:
                return self._read[2]
        read = inventory.load(beside=beside)
        with self._lock:
            self._read = (mark, time.monotonic(), read)
        return read

    def host(self, name: str) -> Host | None:
        """One machine, by its exact name; None where the inventory does not have it. Raises ConfigError."""
        found = self.inventory()
        return found.hosts.get(name) if found else None

    def notes(self) -> tuple[Inventory | None, str]:
        """The inventory, and why it cannot be used: for who shows more than that."""
        try:
            return self.inventory(), ""
        except ConfigError as error:
            return None, str(error)

    def power(self, host: Host, *, renew: bool = False) -> PowerState:
        """Whether it is on, within a moment: a BMC that takes longer is said to be silent, and asked on.

        ``renew``: what it has said already does not count.
        """
        with self._lock:
            asking = self._asked.get(host.name)
            if asking is None or asking.old or (renew and asking.answer is not None):
                asking = self._asked[host.name] = _Asking()
                self._crew.do(lambda: asking.ask(host))
        if asking.done.wait(PATIENCE) and asking.answer:
            return asking.answer
        return PowerState("unknown", f"the BMC of {host.name} has not answered for {PATIENCE:.0f} s")

    def close(self) -> None:
        """Ask nobody any more."""
        self._crew.close()
