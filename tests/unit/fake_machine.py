"""A machine, its provisioner and the two Novas that know it, in memory."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pumphouse.clouds import hypervisors
from pumphouse.hosts import power, provisioners
from pumphouse.hosts.inventory import Driver, Host
from pumphouse.hosts.power.base import PowerError
from pumphouse.hosts.provisioners.base import Progress, ProvisionerError

NAME, SERVICE = "c1.example", "c1"


class World:
    """All that a reassignment asks: how it is, and what was done to it, in order, in ``did``."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.did: list[str] = []
        self.state = "on"
        self.source = True
        self.owns_power = False
        self.node: str | None = "node-1"
        self.seen = [Progress("done", 100)]
        self.services = {"source": [self.service(SERVICE, status="disabled")], "destination": []}
        self.nodes = {"source": [self.hypervisor(NAME, SERVICE)], "destination": []}
        self.servers: list[dict[str, Any]] = []
        self.backends: list[dict[str, Any]] = []
        self.volumes: list[dict[str, Any]] = []
        self.provider: str | None = "rp"
        self.consumers: list[str] = []
        self.agents = [self.agent("a1", "Open vSwitch agent")]
        self.ways: list[str] = []
        #: Name of what is called -> what it raises, the first first.
        self.trouble: dict[str, list[Exception]] = {}
        self.provisioned = True
        patch.setattr(power, "of", lambda host: Switch(self))
        patch.setattr(provisioners, "of", self._provisioner)
        self._patch(patch)

    def _patch(self, patch: pytest.MonkeyPatch) -> None:
        for name, found in (
            ("services", lambda cloud: self.services[cloud.role]),
            ("service_of", self.service_of),
            ("hypervisors", lambda cloud: self.nodes[cloud.role]),
            ("servers_on", lambda cloud, host: [one for one in self.servers if one["on"] == (cloud.role, host)]),
            ("half_moved", lambda cloud, host: []),
            ("volume_services", lambda cloud: self.backends),
            ("volumes_on", lambda cloud, host: self.volumes),
            ("provider", lambda cloud, name: self.provider),
            ("consumers", lambda cloud, id_: self.consumers),
            ("agents", lambda cloud, host: self.agents if host == SERVICE else []),
            ("delete_service", self.delete_service),
            ("delete_provider", lambda cloud, id_: self.do("delete provider") or setattr(self, "provider", None)),
            ("enable", lambda cloud, service: self.do("enable") or service.update(status="enabled")),
        ):
            patch.setattr(hypervisors, name, found)

    @staticmethod
    def service(host: str, state: str = "up", status: str = "enabled") -> dict[str, Any]:
        return {"id": f"s-{host}", "host": host, "binary": "nova-compute", "state": state, "status": status,
                "disabled_reason": None}  # fmt: skip

    @staticmethod
    def hypervisor(name: str, service: str) -> dict[str, Any]:
        return {"hypervisor_hostname": name, "service": {"host": service}}

    @staticmethod
    def agent(id_: str, type_: str, **configurations: Any) -> dict[str, Any]:
        return {"id": id_, "agent_type": type_, "host": SERVICE, "alive": True, "configurations": configurations}

    def cloud(self, role: str) -> Any:
        return SimpleNamespace(role=role, name=role, network=SimpleNamespace(delete=self.delete_agent))

    def host(self, name: str = NAME) -> Host:
        driver = Driver("fake") if self.provisioned else None
        return Host(name, ("52:54:00:aa:00:01",), Driver("fake"), self.source, driver)

    def _provisioner(self, host: Host) -> World:
        if not self.provisioned:
            from pumphouse.errors import UsageError

            raise UsageError(f"the inventory has no provisioner for {host.name}: it cannot be reassigned")
        return self

    def do(self, what: str) -> None:
        if trouble := self.trouble.get(what):
            raise trouble.pop(0)
        self.did.append(what)

    def service_of(self, cloud: Any, host: str) -> dict[str, Any] | None:
        return next((one for one in self.services[cloud.role] if one["host"] == host), None)

    def delete_service(self, cloud: Any, service: dict[str, Any]) -> None:
        self.do("delete service")
        self.services["source"].remove(service)
        self.nodes["source"].clear()

    def delete_agent(self, collection: str, id_: str) -> None:
        self.do(f"delete {id_}")
        self.agents = [one for one in self.agents if one["id"] != id_]

    def joins(self, name: str = NAME) -> None:
        self.services["destination"].append(self.service(name, status="disabled"))
        self.nodes["destination"].append(self.hypervisor(name, name))

    # --- power ---

    name = "fake"

    def on(self) -> None:
        self.do("on")
        self.state = "on"

    def off(self, soft: bool = False) -> None:
        self.do("off")
        self.state = "off"

    def boot_from_network(self, once: bool = True) -> None:
        self.do("network")

    # --- both ---

    def check(self, host: Host | None = None) -> list[str]:
        """Of the provisioner with a host, of the BMC without."""
        if host is None and (trouble := self.trouble.get("log on")):
            raise trouble[0]
        return self.ways

    # --- the provisioner ---

    def prepare(self, host: Host) -> None:
        self.do("prepare")

    def discovered(self, host: Host, since: float) -> str | None:
        return self.node

    def deploy(self, host: Host, node: str) -> None:
        self.do(f"deploy {node}")

    def progress(self, host: Host, node: str) -> Progress:
        if trouble := self.trouble.get("progress"):
            raise trouble.pop(0)
        return self.seen.pop(0) if len(self.seen) > 1 else self.seen[0]

    def forget(self, host: Host, node: str | None) -> None:
        self.do(f"forget {node}")

    def names(self, host: Host, node: str | None) -> list[str]:
        return [host.name, *([node] if node else [])]


class Switch:
    """What ``power.of`` gives: the World's, with ``state`` as a call."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.on, self.off, self.check = world.on, world.off, world.check
        self.boot_from_network = world.boot_from_network

    def state(self) -> str:
        if trouble := self.world.trouble.get("state"):
            raise trouble.pop(0)
        return self.world.state


def silent(passing: bool = True) -> PowerError:
    return PowerError("the BMC of c1.example does not answer", passing=passing)


def away(passing: bool = True) -> ProvisionerError:
    return ProvisionerError("fake does not answer", passing=passing)
