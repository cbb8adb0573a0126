"""The plan of an evacuation: everything on one host of the source goes to other hosts of the source.

It is a plan as any other, run and recorded as a migration. What moves has the action "move", and ``Item.move`` says
from where, to where (None: Nova chooses), and how.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
from collections.abc import Callable
from shlex import quote
from typing import Any

from pumphouse.clouds import hypervisors, relocation
from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.hypervisors import VOLUME_HOST, Wire
from pumphouse.errors import Refusal
from pumphouse.planning import capacity
from pumphouse.planning.plan import Action, Finding, Item, Plan, Unit
from pumphouse.store.store import RUNNING, Store

Say = Callable[[str], None]
#: Where the choice of hosts to go to stands, for complaints.
TO = "selection.to"
#: States of a volume that Cinder moves.
MOVABLE = ("available", "in-use")


@dataclasses.dataclass
class Wish:
    """What the operator asked for."""

    #: The host's exact name.
    host: str
    #: Where to; none: Nova chooses.
    to: list[str] = dataclasses.field(default_factory=list)
    #: Running servers are switched off on the way.
    cold: bool = False
    #: The machine is surely off, though Nova knows only that its service is down.
    fenced: bool = False

    def to_json(self) -> dict[str, Any]:
        """As the selection of a migration."""
        chosen = {"evacuate": self.host, "to": self.to, "cold": self.cold, "fenced": self.fenced}
        return {key: value for key, value in chosen.items() if value}


def make_evacuation(source: Cloud, store: Store, wish: Wish, say: Say) -> Plan:
    """What the evacuation of a host would do now. Only reads; ``say`` is told what is being read.

    Raises Refusal for hosts that are not there, or cannot be used so.
    """
    say("reading the source: compute services")
    services = {service["host"]: service for service in hypervisors.services(source)}
    wish = dataclasses.replace(wish, host=_exact(source, services, wish.host))
    _refuse_running(store, wish.host)
    return _Planner(source, store, wish, say, services).plan()


def _exact(source: Cloud, services: dict[str, Wire], name: str) -> str:
    """The host of this name, or of the hypervisor of this name. Never one whose name only contains it."""
    if name in services:
        return name
    known = hypervisors.hypervisors(source)
    longer = {hypervisors.host_of(one) for one in known if one["hypervisor_hostname"] == name}
    if len(longer) == 1:
        return longer.pop()
    names = sorted({*services, *(str(one["hypervisor_hostname"]) for one in known)})
    near = sorted(difflib.get_close_matches(name, names, n=5, cutoff=0.5))
    hint = f"did you mean {' or '.join(map(quote, near))}" if near else f"it has {', '.join(map(quote, names[:10]))}"
    raise Refusal(f"{quote(name)}: the source has no compute host of exactly this name", hint)


def _refuse_running(store: Store, host: str) -> None:
    for row in store.history():
        if row.state == RUNNING and row.selection.get("evacuate") == host:
            raise Refusal(f"migration {row.id} evacuates {host} already", remedy="goes_on", migration=row.id)


class _Planner:
    """What one plan is made with."""

    def __init__(self, source: Cloud, store: Store, wish: Wish, say: Say, services: dict[str, Wire]) -> None:
        self.source, self.store, self.wish, self.say = source, store, wish, say
        self.services = services
        self.down = services[wish.host]["state"] == "down"
        self.findings: list[Finding] = []
        if wish.fenced and not self.down:
            raise Refusal(
                f"nova-compute on {wish.host} is up, so the machine runs",
                "leave it out, and servers are moved without being rebuilt",
                choice="selection.fenced",
                value="",
            )
        self.targets = self._targets()

    def plan(self) -> Plan:
        """All units, and what is in the way."""
        host = self.wish.host
        first = self._host_unit()
        units = [first, *self._servers(), *self._volumes()]
        for unit in units[1:]:
            unit.needs = [first.name]
        last = Item("host", host, host, "move", "must be empty and disabled in the end", move={"from": host})
        units.append(Unit(f"empty:{host}", "empty", f"{host} is empty", [last], [unit.name for unit in units]))
        plan = Plan(self.wish.to_json(), units, findings=self.findings)
        if self.down:
            plan.notes.append(f"nova-compute on {host} is down.")
        return plan

    def _targets(self) -> list[str]:
        """The hosts that servers can go to. Raises Refusal for one that was named and cannot be used."""
        usable = {
            name for name, one in self.services.items()
            if name != self.wish.host and (one["state"], one["status"]) == ("up", "enabled")
        }  # fmt: skip
        for name in self.wish.to:
            if name == self.wish.host:
                raise Refusal("that is the host which is to be emptied", choice=TO, value=name)
            if name not in self.services:
                _exact(self.source, self.services, name)
                raise Refusal("give the name of the host, not of its hypervisor", choice=TO, value=name, remedy="hosts")
            if name not in usable:
                one = self.services[name]
                raise Refusal(f"its nova-compute is {one['state']} and {one['status']}", choice=TO, value=name)
        return list(self.wish.to) or sorted(usable)

    def _host_unit(self) -> Unit:
        host = self.wish.host
        compute = Item("compute_service", host, host, "move", self._now(self.services[host]), move={"from": host})
        items = [compute]
        for one in self._backends():
            items.append(Item("volume_service", one["host"], one["host"], "move", self._now(one), move={"from": host}))
        return Unit(f"host:{host}", "host", f"host {host}", items)

    def _now(self, service: Wire) -> str:
        if service["status"] == "disabled":
            return f"to be disabled by us; is disabled already ({service.get('disabled_reason') or 'no reason given'})"
        return "to be disabled: nothing new comes"

    # --- servers ---

    def _servers(self) -> list[Unit]:
        self.say(f"reading the source: servers on {self.wish.host}")
        servers = hypervisors.servers_on(self.source, self.wish.host)
        busy = self._in_migrations()
        ways = {
            one["id"]: relocation.way(one, cold=self.wish.cold, down=self.down, fenced=self.wish.fenced)
            for one in servers
        }
        homes = self._homes({one["id"]: one for one in servers if ways[one["id"]][0] not in (None, "offload")})
        units = [self._server(one, *ways[one["id"]], busy.get(one["id"]), homes.get(one["id"])) for one in servers]
        for one in hypervisors.half_moved(self.source, self.wish.host):
            reason = "has left, but can still come back, and so has a place here: confirm or revert its resize first"
            units.append(self._unit(one, "conflict", reason, None))
        return units

    def _server(
        self, server: Wire, way: relocation.Way | None, reason: str, migration: int | None, home: str | None
    ) -> Unit:
        if way is None:
            return self._unit(server, "conflict", reason, None)
        if migration is not None:
            return self._unit(server, "conflict", f"migration {migration} is moving it to the destination", None)
        if way == "cold" and home and self.source.microversion("compute") < relocation.TOLD:
            return self._unit(
                server,
                "conflict",
                "this Nova cannot be told where a switched-off server goes: name no host to go to",
                None,
            )
        to = f" to {home}" if home else ""
        return self._unit(server, "move", f"{server['status']}: is {reason}{to}", home)

    def _unit(self, server: Wire, action: Action, reason: str, home: str | None) -> Unit:
        id_, name = server["id"], server["name"]
        move = {"from": self.wish.host, "to": home, "cold": self.wish.cold, "fenced": self.wish.fenced,
                "status": server["status"]}  # fmt: skip
        return Unit(f"move:{id_}", "move", f"server {name}", [Item("server", id_, name, action, reason, move=move)])

    def _in_migrations(self) -> dict[str, int]:
        """Servers that a migration to the destination is moving now: id -> its number."""
        found: dict[str, int] = {}
        for row in self.store.history():
            if row.state == RUNNING:
                names = (unit.name for unit in self.store.states(row.id) if unit.state in ("running", "pending"))
                found |= {name.removeprefix("server:"): row.id for name in names if name.startswith("server:")}
        return found

    def _homes(self, servers: dict[str, Wire]) -> dict[str, str | None]:
        """Where each goes: chosen among those that were named, else left to Nova. Findings where there is no room."""
        if not servers:
            return {}
        if not self.targets:
            self._block("no other host of the source is up and enabled", "enable one, or move the servers of this host"
                        " to the destination")  # fmt: skip
            return {}
        self.say("reading the source: how full its hosts are")
        rooms = hypervisors.rooms(self.source, self.targets)
        needs = {id_: capacity.need_of(server, self._flavor(server)) for id_, server in servers.items()}
        placed = capacity.pack(needs, rooms)
        homeless = [id_ for id_, host in placed.items() if host is None]
        for id_ in homeless:
            self.findings.append(
                Finding("blocks", "server", id_, servers[id_]["name"],
                        f"needs {capacity.words(needs[id_])}: none of {', '.join(self.targets)} has that free beside "
                        "what else is moved there", "make room there")
            )  # fmt: skip
        return placed if self.wish.to else {}

    def _flavor(self, server: Wire) -> Wire | None:
        """Where the server does not show its size (before microversion 2.47)."""
        if "vcpus" in server["flavor"]:
            return None
        flavor: Wire = self.source.compute.flavors.get(server["flavor"]["id"]).to_dict()
        return flavor

    def _block(self, reason: str, remedy: str) -> None:
        self.findings.append(Finding("blocks", "", "", "", reason, remedy))

    # --- volumes ---

    @functools.cached_property
    def _stores(self) -> list[Wire]:
        return hypervisors.volume_services(self.source)

    def _backends(self) -> list[Wire]:
        return [one for one in self._stores if hypervisors.machine(one["host"]) == self.wish.host]

    def _volumes(self) -> list[Unit]:
        if not self._backends():
            return []
        self.say(f"reading the source: volumes on {self.wish.host}")
        up = {one["host"] for one in self._stores if (one["state"], one["status"]) == ("up", "enabled")}
        pools = [
            pool["name"] for pool in hypervisors.pools(self.source)
            if pool["name"].partition("#")[0] in up and hypervisors.machine(pool["name"]) != self.wish.host
        ]  # fmt: skip
        return [self._volume(one, pools) for one in hypervisors.volumes_on(self.source, self.wish.host)]

    def _volume(self, volume: Wire, pools: list[str]) -> Unit:
        id_, name = volume["id"], volume.get("name") or volume["id"]
        backend = str(volume[VOLUME_HOST]).partition("@")[2]
        # The same backend on another host first: its type leads there, too.
        alike = [pool for pool in pools if pool.partition("@")[2] == backend]
        named = [pool for pool in alike if hypervisors.machine(pool) in self.wish.to]
        to = next(iter(named or alike), None)
        move = {"from": self.wish.host, "to": to}
        action, reason = self._verdict(volume, to)
        return Unit(f"move:volume:{id_}", "move_volume", f"volume {name}",
                    [Item("volume", id_, name, action, reason, move=move)])  # fmt: skip

    def _verdict(self, volume: Wire, to: str | None) -> tuple[Action, str]:
        status = volume["status"]
        if to is None:
            return "conflict", "no other host has the same backend, up and enabled: move its data, or the whole tenant"
        if status not in MOVABLE:
            return "conflict", f"the volume is {status}: Cinder moves only what is {' or '.join(MOVABLE)}"
        snapshots = self.source.volume.volume_snapshots.list(search_opts={"all_tenants": 1, "volume_id": volume["id"]})
        if any(snapshot.volume_id == volume["id"] for snapshot in snapshots):
            return "conflict", "the volume has snapshots, and Cinder moves none that has: delete them first"
        return "move", f"{volume.get('size')} GiB: is copied by Cinder to {to}"
