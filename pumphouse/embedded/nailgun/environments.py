"""Releases and environments: made, shown, their settings, roles and networks; and who is in them."""

from __future__ import annotations

import copy
from typing import Any

from flask import request

from pumphouse.embedded.nailgun.flavours import Json
from pumphouse.embedded.nailgun.layout import ADMIN_NETWORK, NETWORKS
from pumphouse.embedded.nailgun.master import Part
from pumphouse.embedded.nailgun.wording import found, sent, sent_list
from pumphouse.embedded.service import RefusedError, route

#: Fields of an environment that all versions show.
SHOWN = ("id", "name", "status", "mode", "net_provider", "release_id", "fuel_version", "is_customized", "changes")
PARAMETERS: Json = {
    "base_mac": "fa:16:3e:00:00:00", "dns_nameservers": ["8.8.4.4", "8.8.8.8"], "gre_id_range": [2, 65535],
    "floating_ranges": [["172.16.0.130", "172.16.0.254"]], "internal_cidr": "192.168.111.0/24",
    "internal_gateway": "192.168.111.1", "net_l23_provider": "ovs", "vlan_range": [1000, 1030],
}  # fmt: skip


class Environments(Part):
    """The calls of releases and clusters, without what is done to their nodes."""

    @route("GET", "/version", open=True)
    def version(self) -> Any:
        """What it is. 6.0 says so to everybody."""
        if not self.flavour.public_version:
            self.master.keystone.validate(request.headers.get("X-Auth-Token"))
        builds = dict.fromkeys(("astute_sha", "fuellib_sha", "nailgun_sha", "ostf_sha"), "Unknown build")
        return {"api": "1", "auth_required": True, "feature_groups": ["experimental"], "release": self.flavour.says,
                "release_versions": {}, **builds}  # fmt: skip

    @route("GET", "/releases")
    def releases(self) -> Any:
        """All."""
        return [self._release(one) for one in self.flavour.releases]

    @route("GET", "/releases/<int:id_>")
    def release(self, id_: int) -> Any:
        """One."""
        return self._release(found(next((one for one in self.flavour.releases if one["id"] == id_), None), "Release"))

    def _release(self, release: Json) -> Json:
        roles = {name: self._role(name)["meta"] for name in self.flavour.roles}
        if self.flavour.later:
            return {**release, "roles_metadata": roles, "description": ""}
        return {**release, "roles": list(roles), "roles_metadata": roles, "can_update_from_versions": []}

    def _role(self, name: str) -> Json:
        role = self.flavour.roles[name]
        meta: Json = {"name": role.title, "description": "", "group": role.group, "weight": role.weight}
        if role.conflicts:
            meta["conflicts"] = list(role.conflicts)
        return {"name": name, "meta": meta, "volumes_roles_mapping": []}

    @route("GET", "/clusters/<int:id_>/roles")
    def roles(self, id_: int) -> Any:
        """What nodes can be there."""
        self._later()
        self.cluster(id_)
        return [self._role(name) for name in self.flavour.roles]

    @route("GET", "/releases/<int:id_>/roles/<name>")
    def role(self, id_: int, name: str) -> Any:
        """One of them."""
        self._later()
        self.release(id_)
        found(self.flavour.roles.get(name), "Role")
        return self._role(name)

    def _later(self) -> None:
        if not self.flavour.later:
            raise RefusedError(404, "not found")

    @route("GET", "/clusters")
    def listed(self) -> Any:
        """All."""
        return [self.view(cluster) for cluster in self.state.clusters.values()]

    @route("GET", "/clusters/<int:id_>")
    def shown(self, id_: int) -> Any:
        """One."""
        return self.view(self.cluster(id_))

    def view(self, cluster: Json) -> Json:
        """As the API shows it."""
        more: Json = {"grouping": "roles", "pending_release_id": None}
        if self.flavour.later:
            more = {"components": [], "is_locked": False, "ui_settings": cluster["ui_settings"]}
        return copy.deepcopy({key: cluster[key] for key in SHOWN} | more)

    @route("POST", "/clusters")
    def made(self) -> Any:
        """A new one."""
        given = sent()
        release = self.release(int(given.get("release") or given.get("release_id") or 0))
        if any(cluster["name"] == given.get("name") for cluster in self.state.clusters.values()):
            raise RefusedError(409, "Environment with this name already exists")
        segment = given.get("net_segment_type") or self.flavour.segments[0]
        if segment not in self.flavour.segments:
            # So the real one, whose database knows the word not.
            raise RefusedError(400 if self.flavour.later else 500, f"invalid input value for enum: {segment!r}")
        id_ = self.master.number("cluster")
        cluster: Json = {
            "id": id_, "name": given["name"], "status": "new", "mode": given.get("mode", "ha_compact"),
            "net_provider": given.get("net_provider", "neutron"), "release_id": release["id"], "segment": segment,
            "fuel_version": self.flavour.says, "is_customized": False,
            "changes": [{"name": name, "node_id": None} for name in self.flavour.changes],
            "networks": [{"id": self.master.number("network") + 1, "name": name} for name in self.flavour.networks],
            "attributes": {"editable": {"common": {"libvirt_type": {"value": "kvm"}}, "storage": {}}},
            "ui_settings": {"view_mode": "standard", "filter": {}, "sort": [{"roles": "asc"}], "search": "",
                            "filter_by_labels": {}, "sort_by_labels": []},
        }  # fmt: skip
        self.state.clusters[id_] = cluster
        return self.view(cluster), 201

    @route("PUT", "/clusters/<int:id_>")
    def changed(self, id_: int) -> Any:
        """Another name."""
        cluster = self.cluster(id_)
        cluster["name"] = sent().get("name", cluster["name"])
        return self.view(cluster)

    @route("DELETE", "/clusters/<int:id_>")
    def removed(self, id_: int) -> Any:
        """Away with it and its nodes, which boot again."""
        cluster, tasks = self.cluster(id_), self.master.tasks
        cluster["status"] = "remove"
        for node in self.members(id_):
            node["pending_deletion"] = True
        task = tasks.made("cluster_deletion", id_, status="running")
        self.master.later(self.master.delays["delete"], "environments", "gone", id_)
        return (tasks.view(task) if self.flavour.later else {}), 202

    def gone(self, id_: int) -> None:
        """It is removed, and all its tasks."""
        for node in self.members(id_):
            self.master.nodes.reborn(node)
        for task in [task for task in self.state.tasks.values() if task["cluster"] == id_]:
            del self.state.tasks[task["id"]]
        del self.state.clusters[id_]

    @route("GET", "/clusters/<int:id_>/attributes")
    def attributes(self, id_: int) -> Any:
        """Its settings."""
        return copy.deepcopy(self.cluster(id_)["attributes"])

    @route("PATCH", "/clusters/<int:id_>/attributes")
    def patch_attributes(self, id_: int) -> Any:
        """Other values for some of them."""
        return self._attributes(id_, merge=True)

    @route("PUT", "/clusters/<int:id_>/attributes")
    def put_attributes(self, id_: int) -> Any:
        """The same; 6.0 takes it for all that there is."""
        return self._attributes(id_, merge=self.flavour.later)

    def _attributes(self, id_: int, merge: bool) -> Json:
        cluster, given = self.cluster(id_), sent()
        editable = given.get("editable") or {}
        kept = cluster["attributes"]["editable"] if merge else {}
        cluster["attributes"]["editable"] = {**kept, **editable}
        self._pending(cluster, "attributes")
        return copy.deepcopy(cluster["attributes"])

    def _pending(self, cluster: Json, what: str) -> None:
        change = {"name": what, "node_id": None}
        if change not in cluster["changes"]:
            cluster["changes"].append(change)

    @route("GET", "/clusters/<int:id_>/network_configuration/neutron")
    def networks(self, id_: int) -> Any:
        """Its networks, and Fuel's own."""
        cluster, networks = self.cluster(id_), []
        for one in [*cluster["networks"], {"id": 1, "name": "fuelweb_admin"}]:
            cidr, vlan = NETWORKS[one["name"]]
            prefix = cidr.removesuffix("0/24")
            gateway = (
                f"{prefix}1" if one["name"] == "public" or (cidr == ADMIN_NETWORK and self.flavour.later) else None
            )
            group = None if cidr == ADMIN_NETWORK else 1
            networks.append(one | {"cidr": cidr, "gateway": gateway, "group_id": group, "vlan_start": vlan,
                                   "ip_ranges": [[f"{prefix}1", f"{prefix}254"]], "meta": {"cidr": cidr}})  # fmt: skip
        more: Json = {"management_vip": "192.168.0.1", "public_vip": "172.16.0.2"}
        if self.flavour.later:
            more |= {"management_vrouter_vip": None, "public_vrouter_vip": None, "vips": {}}
        parameters = PARAMETERS | {"segmentation_type": cluster["segment"]}
        return copy.deepcopy({"networking_parameters": parameters, "networks": networks} | more)

    @route("PUT", "/clusters/<int:id_>/network_configuration/neutron")
    def put_networks(self, id_: int) -> Any:
        """Kept as it was: only that somebody has changed it is noted."""
        self._pending(self.cluster(id_), "networks")
        return self.networks(id_)

    @route("PUT", "/clusters/<int:id_>/network_configuration/neutron/verify")
    def verify_networks(self, id_: int) -> Any:
        """A task, that has failed already where there are not two nodes."""
        self.cluster(id_)
        enough, later = len(self.members(id_)) > 1, self.flavour.later
        message = None if enough else (f"At least two {'online ' if later else ''}nodes are required to be in the "
                                       "environment for network verification.")  # fmt: skip
        status = "ready" if enough else "error"
        task = self.master.tasks.made("check_networks", id_, status=status, progress=100, message=message)
        return self.master.tasks.view(task), 200 if later else 202

    @route("POST", "/clusters/<int:id_>/assignment")
    def assigned(self, id_: int) -> Any:
        """Nodes come into an environment, with roles. Later versions take them out of another one without a word."""
        cluster, given = self.cluster(id_), sent_list()
        self._known([one.get("id") for one in given])
        for one in given:
            self._right_roles(cluster, set(one.get("roles", [])))
            if self.node(one["id"])["cluster"] is not None and not self.flavour.later:
                raise RefusedError(400, f"Nodes with ids {one['id']} already assigned to environments. Nodes must be "
                                   "unassigned before they can be assigned again.")  # fmt: skip
        for one in given:
            node = self.node(one["id"])
            new = node["cluster"] != id_
            node["pending_addition"] = node["pending_addition"] or node["cluster"] is None
            node.update(cluster=id_, group_id=1, pending_roles=list(one["roles"]))
            if new:
                self.master.layout.connect(node)
        return None

    def _known(self, ids: list[Any]) -> None:
        if unknown := [id_ for id_ in ids if id_ not in self.state.nodes]:
            raise RefusedError(400, f"Nodes with ids {','.join(map(str, unknown))} were not found.")

    def _right_roles(self, cluster: Json, roles: set[str]) -> None:
        if unknown := roles - set(self.flavour.roles):
            where = f"environment {cluster['id']}" if self.flavour.later else \
                f"{self.release(cluster['release_id'])['name']} release"  # fmt: skip
            raise RefusedError(400, f"{', '.join(sorted(unknown))} are not valid roles for node in {where}")
        for role in sorted(roles, key=lambda name: self.flavour.roles[name].weight):
            if against := ", ".join(sorted(roles & set(self.flavour.roles[role].conflicts))):
                raise RefusedError(400, f"Role '{role}' in conflict with role '{against}'." if self.flavour.later
                                   else f'Role "{role}" in conflict with role {against}')  # fmt: skip

    @route("POST", "/clusters/<int:id_>/unassignment")
    def unassigned(self, id_: int) -> Any:
        """Out of an environment: at once who was only discovered; with the next deployment who was more."""
        self.cluster(id_)
        ids = [one.get("id") for one in sent_list()]
        self._known(ids)
        if foreign := [str(one) for one in ids if self.node(one)["cluster"] != id_]:
            raise RefusedError(400, f"Nodes [{', '.join(foreign)}] are not members of environment {id_}.")
        for one in ids:
            node = self.node(one)
            if node["status"] == "discover":
                node.update(cluster=None, group_id=None, pending_roles=[], roles=[], pending_addition=False)
                self.master.layout.connect(node)
            else:
                node["pending_deletion"] = True
        return None

    @route("GET", "/notifications")
    def notifications(self) -> Any:
        """All."""
        return copy.deepcopy(self.state.notifications)
