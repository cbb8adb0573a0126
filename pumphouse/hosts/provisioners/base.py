"""What every provisioner offers: a machine that booted from the network becomes a compute host of the destination.

A driver is one class in one file, named by an entry point of the group ``pumphouse.provisioner``. All its methods may
be called again after a crash of ours, by another process: a machine is found by its MACs, never by an id kept from
before. None of them waits longer than a request takes; who calls them polls, with deadlines of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pumphouse.errors import PumphouseError
from pumphouse.hosts.options import Option

if TYPE_CHECKING:
    from pumphouse.hosts.inventory import Host

#: waiting: deploy was not called yet. Both done and failed are ends.
State = Literal["waiting", "deploying", "done", "failed"]


class ProvisionerError(PumphouseError):
    """The provisioner refused, failed or did not answer: one line, without credentials."""

    def __init__(self, message: str, *, passing: bool = False) -> None:
        """``passing``: it may be over in a while, the same call may be tried again."""
        super().__init__(message)
        self.passing = passing


@dataclass(frozen=True)
class Progress:
    """How far a deployment is."""

    state: State
    #: 0 to 100 where it is known; it may fall again.
    percent: int | None = None
    #: What is done now, or why it failed: one line.
    text: str = ""


class Provisioner(ABC):
    """One provisioner as the inventory describes it for one host."""

    #: As in ``provisioner.name`` of the inventory.
    name: ClassVar[str]
    #: The other keys that ``provisioner`` may have.
    OPTIONS: ClassVar[Mapping[str, Option]] = {}
    #: It switches the machine itself; the power driver is not used.
    owns_power: ClassVar[bool] = False

    def __init__(self, options: Mapping[str, Any]) -> None:
        """``options``: a value for every key of OPTIONS; secrets as Secret. No request is made here."""
        self.options = options

    @abstractmethod
    def check(self, host: Host) -> list[str]:
        """Sentences of what is in the way of deploying this host; empty: nothing. Changes nothing, raises nothing.

        For example: it does not answer or refuses the log-in; somebody else's changes are pending; it does not know
        a role.
        """

    @abstractmethod
    def prepare(self, host: Host) -> None:
        """Make ready for the machine, before its power goes on: remove what it still knows of its former life.

        Raises ProvisionerError.
        """

    @abstractmethod
    def discovered(self, host: Host, since: float) -> str | None:
        """The id under which the provisioner knows the machine, if it was seen by one of its MACs after ``since``
        (epoch seconds). None: not yet. Raises ProvisionerError.
        """

    @abstractmethod
    def deploy(self, host: Host, node: str) -> None:
        """Begin to deploy; returns at once. ``node``: from discovered.

        Roles and the layout of disks and NICs are the host's. Called again while it runs or when it is done it changes
        nothing; called again after a failure it begins again. Raises ProvisionerError.
        """

    @abstractmethod
    def progress(self, host: Host, node: str) -> Progress:
        """How far it is. Raises ProvisionerError when that cannot be told now."""

    @abstractmethod
    def forget(self, host: Host, node: str | None) -> None:
        """Undo as far as it goes: stop what runs, take the machine out of the provisioner's books.

        ``node``: None when it was not discovered. What is not there is forgotten already. Raises ProvisionerError.
        """

    def names(self, host: Host, node: str | None) -> list[str]:
        """How the machine may be called when it is installed, each with or without a domain: by these names its
        nova-compute is looked for. ``node``: from discovered.
        """
        return [host.name]
