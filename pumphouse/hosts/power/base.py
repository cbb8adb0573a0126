"""What every power driver offers: one machine, switched and told what to boot from.

A driver is one class in one file, named by an entry point of the group ``pumphouse.power``. Every call ends within its
deadline, and may be repeated: switching on what is on does nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pumphouse.errors import PumphouseError
from pumphouse.hosts.options import Option

if TYPE_CHECKING:
    from pumphouse.hosts.inventory import Host

State = Literal["on", "off", "unknown"]


class PowerError(PumphouseError):
    """A machine could not be switched or asked: one line in plain words, without credentials."""

    def __init__(self, message: str, *, passing: bool = False) -> None:
        """``passing``: it may be over in a while, the same call may be tried again."""
        super().__init__(message)
        self.passing = passing


class Power(ABC):
    """The switch of one host."""

    #: As in ``bmc.kind`` of the inventory.
    name: ClassVar[str]
    #: The other keys that ``bmc`` may have.
    OPTIONS: ClassVar[Mapping[str, Option]] = {}

    def __init__(self, host: Host) -> None:
        """No request is made here. ``host.bmc.options`` has a value for every key of OPTIONS."""
        self.host = host
        self.options: Mapping[str, Any] = host.bmc.options

    @abstractmethod
    def check(self) -> None:
        """Log on and ask for the state: nothing is changed. Raises PowerError."""

    @abstractmethod
    def state(self) -> State:
        """Whether the machine is on. Raises PowerError when it cannot be asked."""

    @abstractmethod
    def on(self) -> None:
        """Switch on; returns when it is on. Raises PowerError."""

    @abstractmethod
    def off(self, soft: bool = False) -> None:
        """Switch off; returns when it is off. Raises PowerError.

        ``soft``: ask the operating system to shut down, which may take minutes, and which it may ignore.
        Whether a host may be switched off at all is asked before, see ``pumphouse.hosts.guard``.
        """

    @abstractmethod
    def boot_from_network(self, once: bool = True) -> None:
        """Boot from the network at the next start; with ``once`` at that one only. Raises PowerError."""
