"""The service: its collections, and what other services ask of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify

from pumphouse.embedded.network import bindings
from pumphouse.embedded.network.address_groups import AddressGroups
from pumphouse.embedded.network.addresses import Addresses
from pumphouse.embedded.network.agents import Agents, Zones
from pumphouse.embedded.network.dhcp import Dhcp
from pumphouse.embedded.network.errors import missing
from pumphouse.embedded.network.extensions import extensions
from pumphouse.embedded.network.floating_ips import FloatingIPs
from pumphouse.embedded.network.networks import Networks
from pumphouse.embedded.network.part import Neutron
from pumphouse.embedded.network.ports import Ports
from pumphouse.embedded.network.qos import QosPolicies
from pumphouse.embedded.network.quotas import Quotas
from pumphouse.embedded.network.rbac import RbacPolicies
from pumphouse.embedded.network.resource import Resource
from pumphouse.embedded.network.routers import Routers
from pumphouse.embedded.network.security_groups import SecurityGroupRules, SecurityGroups
from pumphouse.embedded.network.state import NetworkState
from pumphouse.embedded.network.subnet_pools import AddressScopes, SubnetPools
from pumphouse.embedded.network.subnets import Subnets
from pumphouse.embedded.network.trunks import Trunks
from pumphouse.embedded.service import Json, RefusedError, route

if TYPE_CHECKING:
    from pumphouse.embedded.ground import Ground


class Network(Neutron):
    """Neutron, whole."""

    type = "network"
    root = "/network"

    def __init__(self, cloud: Ground) -> None:
        """Of a cloud, whose release tells the backend."""
        super().__init__(cloud)
        self.backend = cloud.release.network
        self.extensions = extensions(self.backend)
        self.owner = "tenant" if self.backend == "linuxbridge" else "project"
        self.quotas, self.agents, self.zones = Quotas(self), Agents(self), Zones(self)
        self.addresses, self.dhcp = Addresses(self), Dhcp(self)
        self.networks, self.subnets, self.ports = Networks(self), Subnets(self), Ports(self)
        self.subnet_pools, self.address_scopes = SubnetPools(self), AddressScopes(self)
        self.security_groups, self.security_group_rules = SecurityGroups(self), SecurityGroupRules(self)
        self.address_groups, self.policies, self.rbac = AddressGroups(self), QosPolicies(self), RbacPolicies(self)
        self.routers, self.floating_ips, self.trunks = Routers(self), FloatingIPs(self), Trunks(self)

    def fresh(self) -> NetworkState:
        """Nothing is there."""
        return NetworkState()

    @property
    def resources(self) -> list[Resource]:
        """All collections."""
        return [one for one in vars(self).values() if isinstance(one, Resource)]

    def resource(self, collection: str) -> Resource:
        """One of them."""
        return next(one for one in self.resources if one.collection == collection)

    def blueprint(self) -> Blueprint:
        """The routes of all collections, too."""
        blueprint = super().blueprint()
        for one in self.resources:
            for call, function in one.calls():
                name = f"{one.collection} {function.__name__} {call.method} {call.path}".replace(".", "_")
                blueprint.add_url_rule(
                    call.path, name, self._handler(function, call), methods=[call.method], strict_slashes=False
                )
        return blueprint

    def refusal(self, error: RefusedError) -> Response:
        """As Neutron words it; a missing token is Keystone's middleware's to refuse."""
        if error.status == 401:
            words = {"code": 401, "title": "Unauthorized", "message": error.message}
            response = jsonify({"error": words})
            response.headers["WWW-Authenticate"] = f'Keystone uri="{self.cloud.identity.url}/v3"'
        else:
            kind = error.type or "HTTPBadRequest"
            response = jsonify({"NeutronError": {"type": kind, "message": error.message, "detail": ""}})
        response.status_code = error.status
        return response

    # --- what is of no collection

    @route("GET", "/", open=True)
    def versions(self) -> Json:
        """The one version that there is."""
        links = [{"rel": "self", "href": f"{self.url}/v2.0/"}]
        return {"versions": [{"id": "v2.0", "status": "CURRENT", "links": links}]}

    @route("GET", "/v2.0")
    def collections(self) -> Json:
        """What can be asked for."""
        base = f"{self.url}/v2.0/"
        return {
            "resources": [
                {
                    "links": [{"rel": "self", "href": base + one.path}],
                    "name": one.singular,
                    "collection": one.collection,
                }
                for one in self.resources
            ]
        }

    @route("GET", "/v2.0/extensions")
    def list_extensions(self) -> Json:
        """All that this cloud has."""
        return {"extensions": list(self.extensions.values())}

    @route("GET", "/v2.0/extensions/<alias>")
    def show_extension(self, alias: str) -> Json:
        """One of them."""
        if alias not in self.extensions:
            raise missing("HTTPNotFound", f"Extension with alias {alias} does not exist")
        return {"extension": self.extensions[alias]}

    @route("GET", "/v2.0/agents")
    def list_agents(self) -> Json:
        """What runs on the hosts."""
        return self.agents.index()

    @route("GET", "/v2.0/agents/<id_>")
    def show_agent(self, id_: str) -> Json:
        """One of them."""
        return self.agents.show(id_)

    @route("DELETE", "/v2.0/agents/<id_>")
    def delete_agent(self, id_: str) -> None:
        """One that does not report any more."""
        self.agents.delete(id_)

    @route("GET", "/v2.0/availability_zones")
    def list_zones(self) -> Json:
        """Where agents are."""
        return self.zones.index()

    @route("GET", "/v2.0/quotas")
    def list_quotas(self) -> Json:
        """Of projects with limits of their own."""
        return self.quotas.index()

    @route("GET", "/v2.0/quotas/<id_>")
    def show_quota(self, id_: str) -> Json:
        """A project's."""
        return self.quotas.show(id_)

    @route("GET", "/v2.0/quotas/<id_>/default")
    def default_quota(self, id_: str) -> Json:
        """Everybody's."""
        return self.quotas.default(id_)

    @route("GET", "/v2.0/quotas/<id_>/details")
    @route("GET", "/v2.0/quotas/<id_>/details.json")
    def quota_details(self, id_: str) -> Json:
        """With what is used."""
        return self.quotas.details(id_)

    @route("PUT", "/v2.0/quotas/<id_>")
    def update_quota(self, id_: str) -> Json:
        """Set some."""
        return self.quotas.update(id_)

    @route("DELETE", "/v2.0/quotas/<id_>")
    def delete_quota(self, id_: str) -> None:
        """The defaults hold again."""
        self.quotas.delete(id_)

    @route("GET", "/v2.0/service-providers")
    def service_providers(self) -> Json:
        """Of routers: the kinds that the backend has."""
        names = ("dvrha", "dvr", "ha", "single_node") if self.backend == "linuxbridge" else ("ovn",)
        default = self.backend == "ovn"
        return {"service_providers": [{"service_type": "L3_ROUTER_NAT", "name": n, "default": default} for n in names]}

    @route("GET", "/v2.0/flavors")
    def flavors(self) -> Json:
        """Of routers: none."""
        return {"flavors": []}

    @route("GET", "/v2.0/floatingips/<id_>/port_forwardings")
    def port_forwardings(self, id_: str) -> Json:
        """None are made here."""
        self.floating_ips.seen(id_)
        return {"port_forwardings": []}

    @route("GET", "/v2.0/<path:rest>")
    @route("POST", "/v2.0/<path:rest>")
    @route("PUT", "/v2.0/<path:rest>")
    @route("DELETE", "/v2.0/<path:rest>")
    def unknown(self, rest: str) -> Any:
        """What is no collection."""
        raise missing("HTTPNotFound", "The resource could not be found.")

    # --- what other services ask

    def find_port(self, id_: str) -> Json | None:
        """A port: all that Neutron keeps of it. Not to be changed."""
        return self.ports.table.get(id_)

    def find_network(self, id_: str) -> Json | None:
        """A network: all that Neutron keeps of it. Not to be changed."""
        return self.networks.table.get(id_)

    def find_group(self, project_id: str, name_or_id: str) -> Json | None:
        """A security group that a project may use. Refuses (409) a name that several have."""
        return self.security_groups.find(project_id, name_or_id)

    def networks_for(self, project_id: str) -> list[Json]:
        """The networks that a project's servers can be plugged into: its own, and shared ones."""
        mine = self.networks.table.where("project_id", project_id)
        shared = [
            row
            for policy in self.state.tables["rbac_policies"].where("target_tenant", "*", project_id)
            if policy["action"] == "access_as_shared" and (row := self.networks.table.get(policy["object_id"]))
        ]
        return list({row["id"]: row for row in [*mine, *shared]}.values())  # fmt: skip

    def make_port(self, project_id: str, network_id: str, **fields: Any) -> Json:
        """A port for a server; ``fields`` are the wire's. Refuses as the API does."""
        return self.ports.make_internal(project_id, network_id, **fields)

    def bind(self, port_id: str, server_id: str, host: str) -> None:
        """Plug a server's port in on its host."""
        row = self.ports.table.rows[port_id]
        self.ports.table.change(row, device_id=server_id, device_owner="compute:nova")
        self.ports.plug(row, host)
        self.ports.touch(row)

    def unbind(self, port_id: str) -> None:
        """A server lets go of a port, which stays."""
        row = self.ports.table.get(port_id)
        if row:
            self.ports.table.change(row, device_id="", device_owner="", **bindings.UNBOUND)
            self.ports.unplug(row)
            self.ports.touch(row)

    def set_port_status(self, port_id: str, status: str) -> None:
        """ACTIVE while the server of a bound port runs, DOWN while it is off."""
        row = self.ports.table.get(port_id)
        if row and row["status"] != status:
            row["status"] = status
            self.trunks.follow(row)
            self.ports.touch(row)

    def delete_port(self, port_id: str) -> None:
        """Remove a port, with what leads to it; it may be gone already."""
        row = self.ports.table.get(port_id)
        if row:
            self.floating_ips.detach(port_id)
            self.ports.drop(row)

    def ports_of(self, server_id: str) -> list[Json]:
        """The ports of a server, in the order in which they were made."""
        return self.ports.table.where("device_id", server_id)
