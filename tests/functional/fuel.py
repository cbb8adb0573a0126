"""A Fuel with one environment for the tests of its driver: an embedded Nailgun, a controller, a compute node."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import requests

from pumphouse.embedded.nailgun.agent import Machine
from pumphouse.embedded.nailgun.process import NailgunProcess
from pumphouse.hosts.inventory import Driver, Host, Layout
from pumphouse.hosts.options import Secret
from pumphouse.hosts.provisioners.base import Progress
from pumphouse.hosts.provisioners.fuel import Fuel

Json = dict[str, Any]

ENVIRONMENT = "destination"
CONTROLLER = Machine("52:54:00:aa:00:01", "10.20.0.131")
COMPUTE = Machine("52:54:00:aa:00:02", "10.20.0.132")
#: The one that is to come.
NEW = Machine("52:54:00:aa:00:03", "10.20.0.133")


@dataclasses.dataclass
class Master:
    """The process, and another operator's account on it."""

    process: NailgunProcess
    token: str = ""

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """As somebody else. Raises for a refusal."""
        who = {"username": "admin", "password": self.process.password}
        if not self.token:
            sent = {"auth": {"tenantName": "admin", "passwordCredentials": who}}
            answer = requests.post(f"{self.process.url}/keystone/v2.0/tokens", json=sent, timeout=30)
            self.token = answer.json()["access"]["token"]["id"]
        answer = requests.request(method, f"{self.process.url}/api/{path}", json=body, timeout=30,
                                  headers={"X-Auth-Token": self.token})  # fmt: skip
        assert answer.ok, answer.text
        return answer.json() if answer.text not in ("", "None") else None

    def faults(self, *entries: Json) -> None:
        """What goes wrong from now on."""
        self.process.control("POST", "faults", list(entries))

    def delays(self, **seconds: float) -> None:
        """How long things take."""
        self.process.control("POST", "delays", seconds)

    def node(self, machine: Machine) -> Json:
        """The one node that is this machine."""
        (found,) = [node for node in self.call("GET", "nodes/") if node["mac"] == machine.mac]
        return found

    def environment(self, name: str = ENVIRONMENT) -> Json:
        """By its name."""
        (found,) = [one for one in self.call("GET", "clusters/") if one["name"] == name]
        return found

    def settle(self, cluster: int) -> None:
        """Until nothing runs."""
        until(lambda: all(t["status"] in ("ready", "error") for t in self.call("GET", f"tasks/?cluster_id={cluster}")))

    def add(self, cluster: int, machine: Machine, *roles: str, deploy: bool = True) -> int:
        """A machine comes into an environment."""
        node = machine.boots(self.process.url)
        self.call("POST", f"clusters/{cluster}/assignment/", [{"id": node, "roles": list(roles)}])
        if deploy:
            self.call("PUT", f"clusters/{cluster}/changes/", {})
            self.settle(cluster)
        return node

    def populate(self) -> None:
        """An environment that runs, and one beside it."""
        release = next(r["id"] for r in self.call("GET", "releases/") if r["state"] == "available")
        for name in (ENVIRONMENT, "other"):
            body = {"name": name, "release": release, "mode": "ha_compact", "net_provider": "neutron"}
            self.call("POST", "clusters/", body)
        cluster = self.environment()["id"]
        self.add(cluster, CONTROLLER, "controller")
        node = self.add(cluster, COMPUTE, "compute", deploy=False)
        nics = self.call("GET", f"nodes/{node}/interfaces/")
        # Storage is on the third interface there: what is copied differs from the defaults.
        storage = next(one for one in nics[0]["assigned_networks"] if one["name"] == "storage")
        nics[0]["assigned_networks"].remove(storage)
        nics[2]["assigned_networks"].append(storage)
        self.call("PUT", f"nodes/{node}/interfaces/", nics)
        disks = self.call("GET", f"nodes/{node}/disks/")
        disks[1]["volumes"] = [{**v, "size": 50000 if v["name"] == "vm" else 0} for v in disks[1]["volumes"]]
        self.call("PUT", f"nodes/{node}/disks/", disks)
        self.call("PUT", f"clusters/{cluster}/changes/", {})
        self.settle(cluster)

    def driver(self, **options: Any) -> Fuel:
        """A driver that remembers nothing, as of a new process of ours."""
        given = {name: option.default for name, option in Fuel.OPTIONS.items()}
        password = Secret(options.pop("password", self.process.password))
        return Fuel({**given, "url": self.process.url, "password": password, "environment": ENVIRONMENT, **options})


def host(machine: Machine = NEW, roles: tuple[str, ...] = ("compute",), disks: Layout | None = None,
         nics: Layout | None = None, **how: Any) -> Host:  # fmt: skip
    """As the inventory has it."""
    return Host("hv3.example.com", (machine.mac,), Driver("none"), source=True, roles=roles, disks=disks or Layout(),
                nics=nics or Layout(), **how)  # fmt: skip


def until(true: Callable[[], Any], seconds: float = 20) -> Any:
    """What it gives as soon as that is something."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.02)
    return found


def follow(fuel: Fuel, one: Host, node: str, seconds: float = 20) -> Progress:
    """To its end."""

    def ended() -> Progress | None:
        progress = fuel.progress(one, node)
        return progress if progress.state in ("done", "failed") else None

    return until(ended, seconds)
