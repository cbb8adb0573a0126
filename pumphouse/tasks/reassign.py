"""A host of the source on its way to the destination, first half: it is switched off, and removed from the source.

Each task asks the machine, the clouds and the provisioner how it is now, and does what is missing; so it can be run
again after a crash. What nobody can be asked for is noted before.
"""

from __future__ import annotations

from pumphouse import human
from pumphouse.clouds import hypervisors
from pumphouse.clouds.errors import explain
from pumphouse.clouds.hypervisors import Wire
from pumphouse.errors import CloudError
from pumphouse.hosts import power
from pumphouse.store import notes
from pumphouse.tasks.base import Task
from pumphouse.tasks.context import Context, refused
from pumphouse.tasks.machines import HOST, LEAVING, POWER, Machine, again, has_left, keep, noted


class SwitchOff(Task):
    """Switch an empty host off. Undone, it is on again if it was, unless it is not in the source any more."""

    def __init__(self, host: str, service: str) -> None:
        """``host``: its name in the inventory; ``service``: that of its nova-compute's host."""
        super().__init__(host)
        self.host, self.service = host, service

    def execute(self, context: Context) -> None:
        """Raises CloudError with what is in the way."""
        machine = Machine(context, self.host)
        machine.refuse("it is not switched off", gone=False)
        if not machine.switched_by_us:
            context.step(f"{machine.provisioner.name} switches it off itself when it begins")
            return
        context.once(POWER, HOST, self.host, machine.state())
        machine.off(gone=False)

    def undo(self, context: Context) -> None:
        """Where nobody has switched it off, nothing."""
        was = noted(context, POWER, self.host)
        if was is None or has_left(context, self.host, self.service):
            return
        if was == "on":
            switch = power.of(context.hosts(self.host))
            if again(context, switch.state) != "on":
                context.step("switching it on again")
                again(context, switch.on)
        notes.drop(context.store, POWER, HOST, self.host)


class DeleteService(Task):
    """Remove a host's nova-compute from the source. There is no way back from here."""

    def __init__(self, host: str, service: str) -> None:
        """As of SwitchOff."""
        super().__init__(host)
        self.host, self.service = host, service

    def execute(self, context: Context) -> None:
        """Raises CloudError while it is not empty or not off."""
        service = hypervisors.service_of(context.source, self.service)
        if service is not None:
            machine = Machine(context, self.host)
            machine.refuse("it is not removed from the source", gone=True)
            # Somebody may have switched it on again: what runs registers itself anew.
            machine.off(gone=True)
        keep(context, LEAVING, self.host, True)
        if service is not None:
            context.step("removing its nova-compute from the source")
            hypervisors.delete_service(context.source, service)


class DeleteProvider(Task):
    """Remove a host's resource provider from the source's Placement, where Nova has left it."""

    def __init__(self, host: str) -> None:
        """``host``: the hypervisor's name."""
        super().__init__(host)
        self.host = host

    def execute(self, context: Context) -> None:
        """Raises CloudError where something is still taken of it."""
        found = hypervisors.provider(context.source, self.host)
        if found is None:
            return
        if takers := hypervisors.consumers(context.source, found):
            raise CloudError(takes(self.host, takers))
        context.step("removing its resource provider, which Nova has left")
        hypervisors.delete_provider(context.source, found)


class DeleteAgents(Task):
    """Remove Neutron's agents of a host from the source. One that Neutron wants to keep stays, which is told."""

    def __init__(self, host: str, service: str) -> None:
        """As of SwitchOff."""
        super().__init__(host)
        self.names = (service, host)

    def execute(self, context: Context) -> None:
        """All that there are."""
        for agent in agents_of(context, self.names):
            context.step(f"removing its {agent['agent_type']} from the source")
            try:
                context.source.network.delete("agents", agent["id"])
            except Exception as error:
                if not refused(error):
                    raise
                # Of OVN, older releases do not let go; it harms nothing.
                context.step(f"Neutron keeps its {agent['agent_type']}: {explain(error)}")


def takes(host: str, takers: list[str]) -> str:
    """That Placement keeps room for what is not there, and what helps."""
    named = ", ".join(takers[:3]) + (f" and {len(takers) - 3} more" if len(takers) > 3 else "")
    return (
        f"the source's Placement still has {human.count(len(takers), 'allocation')} on {host}, of {named}: find out "
        "what they were (openstack server show), then openstack resource provider allocation delete ID"
    )


def agents_of(context: Context, names: tuple[str, ...]) -> list[Wire]:
    """Neutron's agents in the source on a host of one of these names."""
    found = {agent["id"]: agent for name in dict.fromkeys(names) for agent in hypervisors.agents(context.source, name)}
    return list(found.values())
