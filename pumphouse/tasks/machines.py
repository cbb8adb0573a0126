"""One machine that is given away: what switches it, what installs it, and what must be so before its power is cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pumphouse.clouds import hypervisors
from pumphouse.clouds.errors import AwayError
from pumphouse.clouds.waiting import wait_for
from pumphouse.errors import CloudError
from pumphouse.hosts import guard, power, provisioners
from pumphouse.hosts.power.base import Power, PowerError
from pumphouse.hosts.provisioners.base import Provisioner, ProvisionerError
from pumphouse.store import notes
from pumphouse.tasks.context import Context, pause
from pumphouse.tasks.hosts import what_is_left

T = TypeVar("T")
#: Notes are kept of the type "host": how its power was before, that it is being removed from the source, how far its
#: installation is, and as which service it has come to the destination.
HOST = "host"
POWER, LEAVING, INSTALL, JOINED = "power", "leaving", "install", "joined"
#: Seconds before each further attempt of what a BMC or a provisioner says may pass.
AGAIN = (2.0, 10.0)
#: Seconds between two looks at what is waited for.
LOOK = 2.0


class Machine:
    """A host of the inventory as it is now, in one unit."""

    def __init__(self, context: Context, name: str) -> None:
        """Nothing is asked yet but the inventory. Raises UsageError, ConfigError."""
        self.context = context
        self.host = context.hosts(name)
        self.provisioner: Provisioner = provisioners.of(self.host)

    @property
    def switch(self) -> Power:
        """Its BMC, or whatever switches it. Not to be used where the provisioner does that."""
        return power.of(self.host)

    @property
    def switched_by_us(self) -> bool:
        """Whether its power is ours to switch."""
        return not self.provisioner.owns_power

    def refuse(self, what: str, *, gone: bool) -> None:
        """Raises CloudError with why its power must not be cut. ``what`` is then not done: "it is not switched off".

        ``gone``: the source's Nova need not know it any more.
        """
        context = self.context
        found = guard.obstacles(self.host, context.source, context.destination, gone=gone)
        if not found:
            known = hypervisors.hypervisors(context.source)
            names = {hypervisors.host_of(one) for one in known if one["hypervisor_hostname"] == self.host.name}
            found = [f"{left} is on {self.host.name}" for name in sorted(names) for left in
                     what_is_left(context.source, name)]  # fmt: skip
        if found:
            raise CloudError(f"{found[0]}: {what}")

    def off(self, *, gone: bool) -> None:
        """Switch it off, if it is on and is ours to switch; whether that may be is asked directly before."""
        if not self.switched_by_us or self.state() == "off":
            return

        def cut() -> None:
            self.refuse("it is not switched off", gone=gone)
            self.context.step("switching it off")
            self.switch.off()

        again(self.context, cut)

    def state(self) -> str:
        """on, off or unknown."""
        return again(self.context, lambda: self.switch.state())


def again(context: Context, do: Callable[[], T]) -> T:
    """What a BMC or a provisioner answers; asked again when it says that its trouble may pass.

    Raises CloudError with its words, Cancelled when the unit is given up meanwhile.
    """
    for seconds in (*AGAIN, None):
        context.check()
        try:
            return do()
        except (PowerError, ProvisionerError) as error:
            if seconds is None or not error.passing:
                raise CloudError(str(error)) from None
            context.store.add_event(
                context.migration_id, "again", f"{error}; tried again in {seconds:.0f} s", unit=context.unit
            )
        pause(context, seconds)
    raise AssertionError


def watch(
    context: Context,
    look: Callable[[], T],
    *,
    done: Callable[[T], bool],
    failed: Callable[[T], str | None] = lambda _: None,
    what: str,
    timeout: float,
) -> T:
    """Like ``wait_for``, for what a provisioner says; ends within a second when the unit is given up."""

    def asked() -> T:
        try:
            return look()
        except (PowerError, ProvisionerError) as error:
            raise (AwayError if error.passing else CloudError)(str(error)) from None

    try:
        return wait_for(
            asked, done=done, failed=failed, what=what, timeout=timeout, interval=LOOK,
            cancelled=context.abandon.is_set,
        )  # fmt: skip
    except AwayError as error:
        # It was away for as long as is waited for it: not to be begun anew as if that were nothing.
        raise CloudError(f"waited for {what}: {error}") from None


def noted(context: Context, kind: str, host: str) -> object:
    """What this migration has noted of a host; None: nothing."""
    return notes.find(context.store, kind, HOST, host, context.migration_id)


def keep(context: Context, kind: str, host: str, data: object) -> None:
    """Note it."""
    notes.keep(context.store, kind, context.migration_id, context.unit, HOST, host, data)


def has_left(context: Context, host: str, service: str) -> bool:
    """Whether this migration has removed a host from the source's Nova: from then on there is no way back.

    ``service``: the name of its nova-compute's host. Raises what Nova does not answer with.
    """
    return noted(context, LEAVING, host) is not None and hypervisors.service_of(context.source, service) is None
