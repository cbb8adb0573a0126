"""What the parts of the service have in common."""

from __future__ import annotations

from typing import Any

from flask import request

from pumphouse.embedded.network.state import NetworkState
from pumphouse.embedded.service import Service


class Neutron(Service):
    """The service as its parts know it: by the names of the others, which ``service.Network`` puts together."""

    state: NetworkState
    #: "linuxbridge" or "ovn".
    backend: str
    #: Aliases of what it has beyond the core.
    extensions: Any
    #: What it calls who owns something: the newer release says "project" where the older one says "tenant".
    owner: str
    #: The parts, each of its own class.
    quotas: Any
    agents: Any
    zones: Any
    addresses: Any
    dhcp: Any
    networks: Any
    subnets: Any
    ports: Any
    subnet_pools: Any
    address_scopes: Any
    security_groups: Any
    security_group_rules: Any
    address_groups: Any
    policies: Any
    rbac: Any
    routers: Any
    floating_ips: Any
    trunks: Any

    def resource(self, collection: str) -> Any:
        """The part that is a collection of this name."""
        raise NotImplementedError

    def asked(self, name: str) -> str | None:
        """A value of the request's query."""
        return request.args.get(name)

    def writer(self) -> bool:
        """Whether who asks may change things in his project: newer releases let readers only read."""
        names = {role["name"] for role in self.token.roles}
        return self.backend == "linuxbridge" or bool(names & {"member", "manager", "admin"})

    def shares(self, object_id: str, action: str = "") -> bool:
        """Whether a thing is shared with who asks."""
        return self.rbac.reaches(object_id, self.token.project_id, action)

    @property
    def hosts(self) -> list[str]:
        """The names of the machines with agents: of the computes, and of some that Nova does not know any more."""
        for host in self.cloud.compute.hosts():
            if host["name"] not in self.state.hosts:
                self.state.hosts.append(str(host["name"]))
        return self.state.hosts

    @property
    def host(self) -> str:
        """Where the agents of DHCP and routers are."""
        return next(iter(self.hosts), "")

    def reports(self, host: str) -> bool:
        """Whether a machine's agents still tell that they live."""
        compute = self.cloud.compute
        return host in compute.state.hosts and bool(compute.service_of(host)["alive"])

    def leave(self, host: str) -> None:
        """Nova has forgotten a host; its agents are not told. Before, Neutron gets to know of it."""
        _ = self.hosts


class Part:
    """One subject of the service. It keeps nothing: all state is the service's."""

    def __init__(self, service: Neutron) -> None:
        """``service``: what it is a part of."""
        self.service = service
