"""A host of the source on its way to the destination, second half: it is installed anew, and taken in.

The provisioner, the machine and the destination are asked how far it is, and what is missing is done; so each task can
be run again after a crash. Noted is only that it was we who switched the machine on, and when.
"""

from __future__ import annotations

import time
from typing import Any

from pumphouse import human
from pumphouse.clouds import hypervisors
from pumphouse.errors import CloudError
from pumphouse.hosts.provisioners.base import Progress
from pumphouse.store import notes
from pumphouse.tasks.base import Task
from pumphouse.tasks.context import Context
from pumphouse.tasks.machines import HOST, INSTALL, JOINED, Machine, again, keep, noted, watch

#: Seconds until a machine that was switched on has been discovered: firmware may test memory for half an hour.
DISCOVERY = 3600
#: Seconds that a deployment may take; a provisioner may have a shorter deadline of its own.
DEPLOYMENT = 6 * 3600
#: Seconds until the new nova-compute is up, which may need somebody to tell the destination of it.
JOINING = 3600
#: Seconds that a provisioner may take to stop what it does.
FORGETTING = 900
#: Seconds for which a provisioner may say that it does not deploy, though it was told to.
IDLE = 60
#: Percent between two steps that are told.
STRIDE = 5


class Prepare(Task):
    """Make the provisioner ready for a machine, while that is off. Undone, all of its installation is forgotten.

    A failure alone undoes nothing: what has failed is to be looked at, and a resume goes on from there.
    """

    def __init__(self, host: str) -> None:
        """``host``: its name in the inventory."""
        super().__init__(host)
        self.host = host

    def execute(self, context: Context) -> None:
        """Nothing where an earlier attempt has come further, and the provisioner still knows the machine."""
        machine, begun = Machine(context, self.host), installation(context, self.host)
        if "since" in begun and self._known(machine, begun["since"]):
            return
        machine.refuse("it is not installed anew", gone=True)
        machine.off(gone=True)
        context.step(f"preparing {machine.provisioner.name} for it")
        # Noted before: what is half prepared is to be forgotten, too. But not what it refuses to touch.
        keep(context, INSTALL, self.host, {})
        try:
            again(context, lambda: machine.provisioner.prepare(machine.host))
        except CloudError:
            notes.drop(context.store, INSTALL, HOST, self.host)
            raise

    def _known(self, machine: Machine, since: float) -> bool:
        return again(machine.context, lambda: machine.provisioner.discovered(machine.host, since)) is not None

    def revert(self, context: Context, **more: Any) -> None:
        """Undo, but only when the unit was given up."""
        if context.abandon.is_set():
            super().revert(context, **more)

    def undo(self, context: Context) -> None:
        """Raises CloudError where the machine is in use in the destination already."""
        begun = noted(context, INSTALL, self.host)
        if not isinstance(begun, dict):
            return
        machine = Machine(context, self.host)
        machine.refuse("its installation is not taken back", gone=True)
        context.step(f"having {machine.provisioner.name} forget it")
        watch(
            context, lambda: machine.provisioner.forget(machine.host, begun.get("node")) or {"state": "forgotten"},
            done=lambda _: True, what=f"{machine.provisioner.name} to forget {self.host}", timeout=FORGETTING,
        )  # fmt: skip
        notes.drop(context.store, INSTALL, HOST, self.host)
        context.step(f"{self.host} is left as it is, on or off; it is not in the source any more")


class BootFromNetwork(Task):
    """Switch a machine on so that it boots from the network, this once."""

    def __init__(self, host: str) -> None:
        """``host``: its name in the inventory."""
        super().__init__(host)
        self.host = host

    def execute(self, context: Context) -> None:
        """Nothing where that was done: it is on since we noted that we switch it on."""
        machine, begun = Machine(context, self.host), installation(context, self.host)
        if not machine.switched_by_us:
            if "since" not in begun:
                keep(context, INSTALL, self.host, {"since": time.time()})
            return
        if "since" in begun and machine.state() == "on":
            return
        # It was off when all was prepared; whoever has switched it on did not have it boot from the network.
        machine.off(gone=True)
        context.step("setting it to boot from the network")
        again(context, machine.switch.boot_from_network)
        keep(context, INSTALL, self.host, {"since": time.time()})
        context.step("switching it on")
        again(context, machine.switch.on)


class Discover(Task):
    """Wait until the provisioner has seen a machine after we switched it on."""

    def __init__(self, host: str) -> None:
        """``host``: its name in the inventory."""
        super().__init__(host)
        self.host = host

    def execute(self, context: Context) -> None:
        """Raises CloudError at the deadline: a further attempt switches it off and on again."""
        machine, since = Machine(context, self.host), float(installation(context, self.host)["since"])
        name = machine.provisioner.name
        context.step(f"waiting until {name} has discovered it")

        def look() -> dict[str, Any]:
            node = machine.provisioner.discovered(machine.host, since)
            return {"node": node, "state": f"{name} has not seen it since {human.moment(since)}"}

        seen = watch(
            context, look, done=lambda one: one["node"] is not None,
            what=f"{name} to discover {self.host} by {' or '.join(machine.host.macs)} (does it boot from its network?)",
            timeout=DISCOVERY,
        )  # fmt: skip
        keep(context, INSTALL, self.host, {"since": since, "node": seen["node"]})
        context.step(f"{name} has discovered it as {seen['node']}")


class Deploy(Task):
    """Have the provisioner make a compute host of a machine."""

    def __init__(self, host: str) -> None:
        """``host``: its name in the inventory."""
        super().__init__(host)
        self.host = host

    def execute(self, context: Context) -> None:
        """Raises CloudError with the provisioner's words when that fails."""
        machine, node = Machine(context, self.host), str(installation(context, self.host)["node"])
        provisioner = machine.provisioner
        if not machine.switched_by_us:
            # It cuts the power on its own.
            machine.refuse("it is not installed anew", gone=True)
        context.step(f"having {provisioner.name} deploy it")
        again(context, lambda: provisioner.deploy(machine.host, node))
        teller = _Teller(context)
        watch(
            context, lambda: teller.tell(provisioner.progress(machine.host, node)),
            done=lambda seen: seen.state == "done", failed=teller.wrong,
            what=f"{provisioner.name} to deploy {self.host}", timeout=DEPLOYMENT,
        )  # fmt: skip
        keep(context, INSTALL, self.host, {**installation(context, self.host), "deployed": time.time()})
        context.step(f"{provisioner.name} has deployed it")


class _Teller:
    """Tells people how far a deployment is, and not more often than it says something new."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.text, self.percent = "", -STRIDE
        self.idle: float | None = None

    def tell(self, seen: Progress) -> Progress:
        """What was seen, as it is."""
        now = time.monotonic()
        self.idle = None if seen.state != "waiting" else self.idle or now
        percent = self.percent if seen.percent is None else seen.percent
        if seen.state == "deploying" and (seen.text != self.text or abs(percent - self.percent) >= STRIDE):
            self.text, self.percent = seen.text, percent
            done = "" if seen.percent is None else f" {seen.percent} %"
            self.context.step(f"deploying:{done} {human.clean(seen.text)}".rstrip(" :"))
        return seen

    def wrong(self, seen: Progress) -> str | None:
        """Why it will not come to its end."""
        if seen.state == "failed":
            return seen.text or "it failed, and does not say why"
        if self.idle is not None and time.monotonic() - self.idle > IDLE:
            return f"it was told to, but does not: {seen.text or 'it does not say why'}"
        return None


class AwaitService(Task):
    """Wait until a host's nova-compute is up in the destination."""

    def __init__(self, host: str, there: list[str]) -> None:
        """``there``: hosts of a like name that the destination had before."""
        super().__init__(host)
        self.host, self.there = host, there

    def execute(self, context: Context) -> None:
        """Raises CloudError at the deadline."""
        context.step("waiting for its nova-compute in the destination")
        names = called(context, self.host)
        seen = watch(
            context, lambda: arrival(context, names, self.there), done=lambda one: bool(one["ready"]),
            what=f"nova-compute on {self.host} to be up in the destination (a host that it does not find by itself is "
            "made known by: nova-manage cell_v2 discover_hosts)", timeout=JOINING,
        )  # fmt: skip
        keep(context, JOINED, self.host, {"service": seen["service"]})


class EnableService(Task):
    """Let the destination's Nova use a host."""

    def __init__(self, host: str, service: str) -> None:
        """As of SwitchOff: ``service`` is the name that it had in the source."""
        super().__init__(host)
        self.host, self.service = host, service

    def execute(self, context: Context) -> None:
        """And see that it has not come back to the source: it may have told that it lives once more."""
        joined = noted(context, JOINED, self.host)
        name = joined["service"] if isinstance(joined, dict) else self.host
        service = hypervisors.service_of(context.destination, name)
        if service is None:
            raise CloudError(f"the destination has no nova-compute on {name} any more")
        if service["status"] != "enabled":
            context.step("enabling its nova-compute in the destination")
            hypervisors.enable(context.destination, service)
        old = hypervisors.service_of(context.source, self.service)
        if old is not None:
            context.step("removing its nova-compute from the source again: it had come back")
            hypervisors.delete_service(context.source, old)


def installation(context: Context, host: str) -> dict[str, Any]:
    """How far the installation of a host is: ``since`` when it was switched on (epoch seconds), ``node``."""
    begun = noted(context, INSTALL, host)
    return dict(begun) if isinstance(begun, dict) else {}


def called(context: Context, host: str) -> set[str]:
    """How the host may be called in the destination: by its own name, or as its provisioner calls it."""
    machine, node = Machine(context, host), installation(context, host).get("node")
    return {label(name) for name in machine.provisioner.names(machine.host, node)}


def label(name: str) -> str:
    """A name without its domain, which another cloud may choose anew."""
    return name.partition(".")[0].lower()


def arrival(context: Context, labels: set[str], there: list[str]) -> dict[str, Any]:
    """How far a host has come into the destination: ``service``, the name of its nova-compute's host, and ``ready``."""
    known = hypervisors.hypervisors(context.destination)
    named = {hypervisors.host_of(one) for one in known if label(one["hypervisor_hostname"]) in labels}
    for service in hypervisors.services(context.destination):
        name = service["host"]
        if name in there or not (name in named or label(name) in labels):
            continue
        if service["state"] != "up":
            return {"service": name, "ready": False, "state": f"its nova-compute is {service['state']}"}
        if name not in {hypervisors.host_of(one) for one in known}:
            return {"service": name, "ready": False, "state": "its nova-compute is up, but in no cell yet"}
        return {"service": name, "ready": True, "state": "up"}
    return {"service": None, "ready": False, "state": "no nova-compute of that name"}
