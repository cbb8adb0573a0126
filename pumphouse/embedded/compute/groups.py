"""Server groups: which servers belong together or apart."""

from __future__ import annotations

import uuid

from flask import request

from pumphouse.embedded.compute import schemas
from pumphouse.embedded.compute.base import MAX_LIMIT
from pumphouse.embedded.compute.quotas import Quotas
from pumphouse.embedded.compute.schemas import Schema
from pumphouse.embedded.compute.state import Json
from pumphouse.embedded.compute.versions import query_int
from pumphouse.embedded.service import RefusedError, route

HARD, SOFT = ("anti-affinity", "affinity"), ("soft-anti-affinity", "soft-affinity")


class Groups(Quotas):
    """``/os-server-groups``."""

    @route("GET", "/v2.1/os-server-groups")
    def list_groups(self) -> Json:
        """A project's, or all for administrators who want that."""
        self.demand("os-server-groups:index", self.token.project_id)
        every = "all_projects" in request.args and self.token.admin
        found = [g for g in self.state.groups.values() if every or g["project_id"] == self.token.project_id]
        offset, limit = query_int("offset") or 0, min(query_int("limit") or MAX_LIMIT, MAX_LIMIT)
        return {"server_groups": [self._view_group(group) for group in found[offset : offset + limit]]}

    @route("GET", "/v2.1/os-server-groups/<id_>")
    def show_group(self, id_: str) -> Json:
        """One."""
        return {"server_group": self._view_group(self._group(id_, "show"))}

    @route("POST", "/v2.1/os-server-groups")
    def create_group(self) -> Json:
        """In the token's project."""
        project = self.token.project_id
        self.demand("os-server-groups:create", project)
        given = schemas.checked("server_group", self._schema_of_group())
        limit = self.quotas_of(project)["server_groups"]
        if 0 <= limit <= sum(group["project_id"] == project for group in self.state.groups.values()):
            raise RefusedError(403, "Quota exceeded, too many server groups.")
        policy, rules = given.get("policy") or given["policies"][0], given.get("rules") or {}
        if rules and policy != "anti-affinity":
            raise RefusedError(400, "Only anti-affinity policy supports rules.")
        group = {
            "id": str(uuid.uuid4()),
            "name": given["name"],
            "policy": policy,
            "rules": {name: int(number) for name, number in rules.items()},
            "members": {},
            "project_id": project,
            "user_id": self.token.user_id,
        }
        self.state.groups[group["id"]] = group
        return {"server_group": self._view_group(group)}

    @route("DELETE", "/v2.1/os-server-groups/<id_>")
    def delete_group(self, id_: str) -> None:
        """Its members stay as they are."""
        del self.state.groups[self._group(id_, "delete")["id"]]

    def groups_of(self, server_id: str) -> list[str]:
        """Ids of the groups of which a server is."""
        hints = self.state.servers[server_id]["groups"]
        return [id_ for id_ in hints if id_ in self.state.groups and server_id in self.state.groups[id_]["members"]]

    def join(self, server: Json, group: Json) -> None:
        """Make a server a member. Refuses one too many."""
        limit = self.quotas_of(group["project_id"])["server_group_members"]
        theirs = sum(self.state.servers[id_]["user_id"] == server["user_id"] for id_ in group["members"])
        if 0 <= limit <= theirs:
            raise RefusedError(403, "Quota exceeded, too many servers in group")
        group["members"][server["id"]] = None
        server["groups"].append(group["id"])

    def leave(self, server: Json) -> None:
        """A server that is no more."""
        for id_ in server["groups"]:
            if group := self.state.groups.get(id_):
                group["members"].pop(server["id"], None)

    def _group(self, id_: str, verb: str) -> Json:
        group = self.state.groups.get(id_)
        if group is None or not (self.token.admin or group["project_id"] == self.token.project_id):
            raise RefusedError(404, f"Instance group {id_} could not be found.")
        self.demand(f"os-server-groups:{verb}", group["project_id"])
        return group

    def _schema_of_group(self) -> Schema:
        policies = (*HARD, *SOFT) if self.since(15) else HARD
        policy: Schema = {"type": "string", "enum": list(policies)}
        if not self.since(64):
            several: Schema = {"type": "array", "items": policy, "uniqueItems": True, "minItems": 1, "maxItems": 1}
            return schemas.thing(("name", "policies"), name=schemas.NAME, policies=several)
        rules = schemas.thing((), max_server_per_host=schemas.POSITIVE)
        return schemas.thing(("name", "policy"), name=schemas.NAME, policy=policy, rules=rules)

    def _view_group(self, group: Json) -> Json:
        view = {"id": group["id"], "name": group["name"]}
        if self.since(64):
            view |= {"policy": group["policy"], "rules": group["rules"]}
        else:
            view |= {"policies": [group["policy"]], "metadata": {}}
        view["members"] = list(group["members"])
        if self.since(13):
            view |= {"project_id": group["project_id"], "user_id": group["user_id"]}
        return view
