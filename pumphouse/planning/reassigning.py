"""The plan of a reassignment: an empty host of the source becomes a compute host of the destination.

It is a plan as any other, run and recorded as a migration. All that could be in its way is looked at before anything
is switched: what blocks stands in the findings, each with its remedy. ``Item.move`` of every unit's first item says
which host it is about: ``host``, its name in the inventory, and ``service``, that of its nova-compute's host.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from pumphouse import human
from pumphouse.clouds import hypervisors
from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.hypervisors import Wire
from pumphouse.errors import PumphouseError, Refusal, UsageError
from pumphouse.hosts import guard, power, provisioners
from pumphouse.hosts.inventory import Host
from pumphouse.hosts.provisioners.base import Provisioner
from pumphouse.planning.plan import Finding, Item, Plan, Unit
from pumphouse.store.store import DONE, REVERTED, RUNNING, Store

Say = Callable[[str], None]
#: What Neutron's agents may serve beside the servers of their own host: type of agent -> what it says how many of it.
SERVES = {"DHCP agent": "networks", "L3 agent": "routers"}


def make_reassignment(
    source: Cloud, destination: Cloud, store: Store, name: str, hosts: Callable[[str], Host], say: Say
) -> Plan:
    """What the reassignment of a host would do now. Only reads; ``say`` is told what is being read.

    ``hosts``: finds a host in the inventory by its exact name. Raises UsageError for one that it does not have, or that
    is being emptied or reassigned right now.
    """
    host = hosts(name)
    _refuse_running(store, host.name)
    return _Planner(source, destination, store, host, say).plan()


def earlier(store: Store, host: str) -> tuple[int, str] | None:
    """The newest reassignment of a host that was not undone: its number and state."""
    rows = [row for row in store.history() if row.selection.get("reassign") == host and row.state != REVERTED]
    return (rows[-1].id, rows[-1].state) if rows else None


def _refuse_running(store: Store, host: str) -> None:
    for row in store.history():
        for key, verb in (("reassign", "reassigns"), ("evacuate", "evacuates")):
            if row.state == RUNNING and row.selection.get(key) == host:
                raise Refusal(f"migration {row.id} {verb} {host} already", remedy="goes_on", migration=row.id)


class _Planner:
    """What one plan is made with."""

    def __init__(self, source: Cloud, destination: Cloud, store: Store, host: Host, say: Say) -> None:
        self.source, self.destination, self.store, self.host, self.say = source, destination, store, host, say
        say("reading the source: hypervisors")
        self.known = hypervisors.hypervisors(source)
        named = {hypervisors.host_of(one) for one in self.known if one["hypervisor_hostname"] == host.name}
        #: The host of its nova-compute, as the source's Nova calls it.
        self.service = named.pop() if len(named) == 1 else host.name
        self.provisioner: Provisioner | None = None

    def plan(self) -> Plan:
        """All units, and what is in the way."""
        findings = list(self._findings())
        units = [self._off(), self._leave(), self._install(), self._join()]
        for before, unit in itertools.pairwise(units):
            unit.needs = [before.name]
        return Plan({"reassign": self.host.name}, units, notes=self._notes(), findings=findings)

    # --- what is in the way ---

    def _findings(self) -> Iterator[Finding]:
        yield from self._guard()
        yield from self._source()
        self.say("reading the destination: nova-compute")
        if self._there and (reason := self._arrived()):
            yield self._blocks(reason, "it is where it should be: look at the hosts of the destination")
        yield from self._machine()

    def _guard(self) -> Iterator[Finding]:
        self.say(f"looking whether {self.host.name} may be switched off")
        begun = earlier(self.store, self.host.name)
        for reason in guard.obstacles(self.host, self.source, self.destination):
            if "knows no hypervisor" in reason and begun:
                number, state = begun
                remedy = (f"migration {number} has reassigned it" if state == DONE else
                          f"migration {number} has begun to reassign it: resume that")  # fmt: skip
            elif "not noted as a host of the source" in reason:
                remedy = "if it is one: source: true in the inventory"
            elif "knows no hypervisor" in reason:
                remedy = "call it in the inventory as openstack hypervisor list does"
            else:
                remedy = f"evacuate {self.service} first"
            yield self._blocks(reason, remedy)

    def _source(self) -> Iterator[Finding]:
        """What of the source would be lost or cut off with it."""
        shared = [one["hypervisor_hostname"] for one in self.known if hypervisors.host_of(one) == self.service
                  and one["hypervisor_hostname"] != self.host.name]  # fmt: skip
        if shared:
            yield self._blocks(f"its nova-compute serves {', '.join(shared)}, too, and would be removed with it",
                               "give them a nova-compute of their own first")  # fmt: skip
        yield from self._volumes()
        if self._provider and (takers := hypervisors.consumers(self.source, self._provider)):
            count = human.count(len(takers), "allocation")
            yield self._blocks(f"Placement has {count} on it, of {', '.join(takers[:3])}",
                               "of servers that are not there any more: openstack resource provider allocation delete "
                               "ID; others: move them away")  # fmt: skip
        for agent in self._agents:
            what = SERVES.get(agent["agent_type"], "")
            if number := int((agent.get("configurations") or {}).get(what) or 0):
                yield self._blocks(f"its {agent['agent_type']} serves {human.count(number, what[:-1])}",
                                   "have another agent do that: openstack network agent remove, and add")  # fmt: skip

    def _volumes(self) -> Iterator[Finding]:
        services = [one for one in hypervisors.volume_services(self.source)
                    if hypervisors.machine(one["host"]) == self.service]  # fmt: skip
        if not services:
            return
        if volumes := hypervisors.volumes_on(self.source, self.service):
            names = ", ".join(human.short(one.get("name") or one["id"]) for one in volumes[:3])
            yield self._blocks(f"{human.count(len(volumes), 'volume')} of the source on it: {names}",
                               f"evacuate {self.service} first")  # fmt: skip
        for one in services:
            yield Finding(
                "note", "", "", "", f"cinder-volume {one['host']} stays in the source's list, and is down then",
                f"cinder-manage service remove cinder-volume {one['host']}",
            )  # fmt: skip

    def _machine(self) -> Iterator[Finding]:
        """Its BMC and its provisioner, asked now."""
        try:
            self.provisioner = provisioners.of(self.host)
        except UsageError as error:
            yield self._blocks(str(error), "name one in the inventory (docs/hosts.md)")
        if self.provisioner is None or not self.provisioner.owns_power:
            self.say(f"logging on to the BMC of {self.host.name}")
            try:
                power.of(self.host).check()
            except PumphouseError as error:
                yield self._blocks(str(error), "look at `bmc` in the inventory; asking whether it is on tries it again")
        if self.provisioner is not None:
            self.say(f"asking {self.provisioner.name} about {self.host.name}")
            for reason in self.provisioner.check(self.host):
                yield self._blocks(reason, f"see to it in {self.provisioner.name}, then plan again")

    def _blocks(self, reason: str, remedy: str) -> Finding:
        return Finding("blocks", "host", self.host.name, self.host.name, reason, remedy)

    # --- what is there ---

    @functools.cached_property
    def _provider(self) -> str | None:
        return hypervisors.provider(self.source, self.host.name)

    @functools.cached_property
    def _agents(self) -> list[Wire]:
        names = dict.fromkeys((self.service, self.host.name))
        found = {one["id"]: one for name in names for one in hypervisors.agents(self.source, name)}
        return list(found.values())

    @functools.cached_property
    def _there(self) -> list[str]:
        """Hosts of the destination that have its name, or one that differs from it by the domain alone."""
        short = self.host.name.partition(".")[0].lower()
        return sorted(one["host"] for one in hypervisors.services(self.destination)
                      if one["host"].partition(".")[0].lower() == short)  # fmt: skip

    def _arrived(self) -> str | None:
        if self.host.name in self._there or self.service in self._there:
            return f"the destination has a nova-compute on {self.host.name} already"
        return None

    # --- units ---

    def _move(self, **more: Any) -> dict[str, Any]:
        return {"host": self.host.name, "service": self.service, **more}

    def _item(self, type_: str, reason: str, id_: str = "", name: str = "", **more: Any) -> Item:
        host = self.host.name
        return Item(type_, id_ or host, name or host, "move", reason, move=self._move(**more))

    def _off(self) -> Unit:
        by = self.host.bmc.name
        if self.provisioner is not None and self.provisioner.owns_power:
            by = f"{self.provisioner.name}, when it begins"
        item = self._item("machine", f"is switched off by {by}; whether it is empty is asked again directly before")
        return Unit(f"off:{self.host.name}", "switch_off", f"{self.host.name} is switched off", [item])

    def _leave(self) -> Unit:
        service = self.service
        items = [self._item("nova_compute", "is deleted: from here on there is no way back", service, service)]
        if self._provider:
            items.append(self._item("resource_provider", "goes with it, or is deleted", self._provider))
        items += [self._item("network_agent", "is deleted", one["id"], one["agent_type"]) for one in self._agents]
        return Unit(f"leave:{self.host.name}", "leave", f"{self.host.name} leaves the source", items)

    def _install(self) -> Unit:
        by = self.provisioner.name if self.provisioner else "no provisioner"
        macs = ", ".join(self.host.macs)
        item = self._item("installation", f"boots from the network ({macs}), is discovered and deployed by {by}")
        return Unit(f"install:{self.host.name}", "install", f"{self.host.name} is installed by {by}", [item])

    def _join(self) -> Unit:
        item = self._item("new_compute", "must be up in the destination's Nova, and is enabled", there=self._there)
        return Unit(f"join:{self.host.name}", "join", f"{self.host.name} joins the destination", [item])

    def _notes(self) -> list[str]:
        roles = ", ".join(self.host.roles)
        return [f"All that is on the disks of {self.host.name} will be lost. It becomes: {roles}."]
