"""Where a server goes: the filters of Nova's scheduler, and the room on hosts."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

from pumphouse.embedded.compute.devices import boots_from_volume
from pumphouse.embedded.compute.state import HOST, Json
from pumphouse.embedded.compute.views import Views

#: What a flavor may say of a capability: operator -> whether (what the host has, what is wanted) is right.
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda has, wants: float(has) >= float(wants),
    "==": lambda has, wants: float(has) == float(wants),
    "!=": lambda has, wants: float(has) != float(wants),
    ">=": lambda has, wants: float(has) >= float(wants),
    "<=": lambda has, wants: float(has) <= float(wants),
    "<in>": lambda has, wants: wants in has,
    "s==": operator.eq,
    "s!=": operator.ne,
    "s<": operator.lt,
    "s<=": operator.le,
    "s>": operator.gt,
    "s>=": operator.ge,
}


class NoValidHostError(Exception):
    """In Nova's words."""

    def __init__(self, reason: str = "") -> None:
        """``reason``: a sentence."""
        super().__init__(f"No valid host was found. {reason}")


def matches(has: str, wants: str) -> bool:
    """Whether a host's capability is what an extra spec asks for."""
    word, _, rest = wants.strip().partition(" ")
    if word == "<or>":
        return has in [part.strip() for part in f" {wants}".split(" <or> ")[1:]]
    if word not in OPERATORS:
        return has == wants
    return bool(rest) and OPERATORS[word](has, rest.split()[0])


class Scheduler(Views):
    """Choosing hosts, and counting what is on them."""

    def choose(self, server: Json, forced: str | None = None, avoid: Iterable[str] = ()) -> str:
        """A host for a server. Raises NoValidHostError."""
        needs = self.needs(server)
        hosts = [host for host in self.state.hosts.values() if self._works(host["name"])]
        hosts = [host for host in hosts if forced in (None, host["name"]) and host["name"] not in avoid]
        zone = server["pinned_zone"]
        hosts = [host for host in hosts if zone in (None, self.zone_of(host["name"]))]
        fitting = [host for host in hosts if all(host[k] - host[f"{k}_used"] >= needs[k] for k in HOST)]
        if not fitting:
            raise NoValidHostError
        passing = [host for host in fitting if self._capable(host, server["flavor"]) and self._grouped(host, server)]
        if not passing:
            raise NoValidHostError("There are not enough hosts available.")
        best = min(passing, key=lambda host: (self._softly(host, server), host["memory_mb_used"], host["name"]))
        return str(best["name"])

    def needs(self, server: Json, flavor: Json | None = None) -> dict[str, int]:
        """What a server takes of its host, with another flavor if one is given."""
        flavor = flavor or server["flavor"]
        disk = (0 if boots_from_volume(server) else flavor["disk"]) + flavor["ephemeral"] + -(-flavor["swap"] // 1024)
        return {"vcpus": flavor["vcpus"], "memory_mb": flavor["ram"], "disk_gb": disk}

    def move_in(self, server: Json, host: str) -> None:
        """A server takes its place on a host."""
        self.occupy(host, self.needs(server))
        self.state.hosts[host]["servers"][server["id"]] = None
        server["host"] = host

    def move_out(self, server: Json) -> None:
        """It leaves its host, if it has one."""
        if host := server["host"]:
            self.occupy(host, self.needs(server), -1)
            self.state.hosts[host]["servers"].pop(server["id"], None)
            server["host"] = None

    def occupy(self, host: str, needs: dict[str, int], sign: int = 1) -> None:
        """Count what is taken on a host; ``sign`` -1: no more."""
        for kind, amount in needs.items():
            self.state.hosts[host][f"{kind}_used"] += sign * amount

    def _works(self, name: str) -> bool:
        return self.is_up(name) and not self.service_of(name)["disabled"]

    def _capable(self, host: Json, flavor: Json) -> bool:
        """Extra specs in the scope "capabilities", and those without a scope that hosts know."""
        has = {"hypervisor_hostname": host["name"], "hypervisor_type": "QEMU", "host": host["name"],
               "vcpus_total": host["vcpus"], "total_usable_ram_mb": host["memory_mb"]}  # fmt: skip
        for key, wants in flavor["extra_specs"].items():
            scope, _, name = key.rpartition(":")
            if scope not in ("", "capabilities") or (not scope and name not in has):
                continue
            if name not in has or not matches(str(has[name]), str(wants)):
                return False
        return True

    def _groups(self, server: Json) -> list[Json]:
        return [self.state.groups[id_] for id_ in server["groups"] if id_ in self.state.groups]

    def _together(self, group: Json, server: Json) -> list[str]:
        """The hosts of the other members."""
        others = (self.state.servers.get(id_) for id_ in group["members"] if id_ != server["id"])
        return [other["host"] for other in others if other and other["host"]]

    def _grouped(self, host: Json, server: Json) -> bool:
        for group in self._groups(server):
            hosts = self._together(group, server)
            if group["policy"] == "affinity" and hosts and host["name"] not in hosts:
                return False
            most = group["rules"].get("max_server_per_host", 1)
            if group["policy"] == "anti-affinity" and hosts.count(host["name"]) >= most:
                return False
        return True

    def _softly(self, host: Json, server: Json) -> int:
        """The smaller the better, by soft policies."""
        weight = 0
        for group in self._groups(server):
            count = self._together(group, server).count(host["name"])
            weight += {"soft-affinity": -count, "soft-anti-affinity": count}.get(group["policy"], 0)
        return weight
