"""Roles, global and of domains, and which follow from which (/v3/roles, /v3/role_inferences)."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request

from pumphouse.embedded.identity.base import conflict, filtered, missing
from pumphouse.embedded.identity.model import Json
from pumphouse.embedded.identity.projects import Projects, refuse_immutable, with_options
from pumphouse.embedded.identity.wellformed import Check, checked, enough, nullable, options, text
from pumphouse.embedded.service import RefusedError, body, route

FIELDS = ("id", "name", "domain_id", "description", "options")
CHECKS: dict[str, Check] = {"name": text(255), "description": str, "options": options("immutable")}
#: What no role may bring along.
PROHIBITED = ("admin",)


class Roles(Projects):
    """What somebody may be."""

    def find_role(self, id_: str) -> Json:
        """Refuses (404) what is not there."""
        if id_ not in self.state.roles:
            raise missing("role", id_)
        return self.state.roles[id_]

    def show_role_as(self, role: Json) -> Json:
        """As it is listed."""
        own = {key: value for key, value in role.items() if key not in FIELDS}
        return {**own, **{key: role[key] for key in FIELDS}, "links": self.link(f"roles/{role['id']}")}

    def make_role(self, given: Json) -> Json:
        """A role, where the name is free."""
        role = {**given, "id": uuid.uuid4().hex}
        role |= {"domain_id": given.get("domain_id"), "description": given.get("description")}
        role["options"] = with_options({}, given.get("options", {}))
        self._take_role_name(role, role["name"])
        self.state.roles[role["id"]] = role
        return role

    def _take_role_name(self, role: Json, name: str) -> None:
        domain = role["domain_id"]
        if self.state.names.find("role", domain, name) not in (None, role["id"]):
            where = f" at domain ID {domain}" if domain else ""
            raise conflict("role", f"Duplicate entry found with name {name}{where}")
        self.state.names.drop("role", domain, role["name"])
        self.state.names.put("role", domain, name, role["id"])

    def remove_role(self, role: Json) -> None:
        """Forget a role: nobody has it any more."""
        id_ = role["id"]
        refuse_immutable("role", role)
        del self.state.roles[id_]
        self.state.names.drop("role", role["domain_id"], role["name"])
        self.state.grants.forget("role", id_)
        self.state.implied.pop(id_, None)
        for implied in self.state.implied.values():
            implied.pop(id_, None)

    @property
    def _role_checks(self) -> dict[str, Check]:
        if self.cloud.release.name == "zed":
            return CHECKS
        return {**CHECKS, "description": nullable(str), "domain_id": lambda value: value is None or bool(value)}

    @route("POST", "/v3/roles")
    def create_role(self) -> tuple[Json, int]:
        """A role: global, or of a domain."""
        self.allow("create_role")
        given = checked("role", body().get("role", {}), self._role_checks, required="name")
        return {"role": self.show_role_as(self.make_role(given))}, 201

    @route("GET", "/v3/roles")
    def list_roles(self) -> Json:
        """The global ones, or those of a domain: never both."""
        self.allow("list_roles", self.reads_all)
        domain = request.args.get("domain_id")
        found = [role for role in self.state.roles.values() if role["domain_id"] == domain]
        return self.paged("roles", filtered(found, "name"), self.show_role_as, marked=False)

    @route("GET", "/v3/roles/<role_id>")
    def show_role(self, role_id: str) -> Json:
        """One."""
        role = self.find_role(role_id)
        self.allow("get_role", self.reads_all)
        return {"role": self.show_role_as(role)}

    @route("PATCH", "/v3/roles/<role_id>")
    def update_role(self, role_id: str) -> Json:
        """Change it."""
        self.allow("update_role")
        change = enough("role", checked("role", body().get("role", {}), self._role_checks))
        role = self.find_role(role_id)
        refuse_immutable("role", role, change)
        if change.get("domain_id", role["domain_id"]) != role["domain_id"]:
            raise RefusedError(400, "Update of `domain_id` is not allowed.")
        if "name" in change:
            self._take_role_name(role, change["name"])
        if "options" in change:
            change["options"] = with_options(role["options"], change["options"])
        role.update(change)
        return {"role": self.show_role_as(role)}

    @route("DELETE", "/v3/roles/<role_id>")
    def delete_role(self, role_id: str) -> None:
        """Remove it."""
        self.allow("delete_role")
        self.remove_role(self.find_role(role_id))

    def _inference(self, prior: str, implied: Any) -> Json:
        return {"role_inference": {"prior_role": self._brief(prior), "implies": implied}}

    def _brief(self, id_: str) -> Json:
        return {"id": id_, "links": self.link(f"roles/{id_}"), "name": self.state.roles[id_]["name"]}

    @route("GET", "/v3/role_inferences")
    def list_inferences(self) -> Json:
        """All rules."""
        self.allow("list_role_inference_rules", self.reads_all)
        rules = [
            {"prior_role": self._brief(prior), "implies": [self._brief(id_) for id_ in implied]}
            for prior, implied in self.state.implied.items()
            if implied
        ]
        return {"role_inferences": rules}

    @route("GET", "/v3/roles/<prior>/implies")
    def list_implied(self, prior: str) -> Json:
        """What follows from a role."""
        self.allow("list_implied_roles", self.reads_all)
        self.find_role(prior)
        implied = [self._brief(id_) for id_ in self.state.implied.get(prior, ())]
        return {**self._inference(prior, implied), "links": self.link(f"roles/{prior}/implies")}

    @route("PUT", "/v3/roles/<prior>/implies/<implied>")
    def imply(self, prior: str, implied: str) -> tuple[Json, int]:
        """One more rule."""
        self.allow("create_implied_role")
        self.find_role(prior)
        role = self.find_role(implied)
        if role["domain_id"] or role["name"] in PROHIBITED or prior in self.implied_by([implied]):
            raise RefusedError(403, f"{implied} cannot be an implied roles.")
        if implied in self.state.implied.get(prior, ()):
            raise conflict("implied_role", "Duplicate entry")
        self.state.implied.setdefault(prior, {})[implied] = None
        return self._rule(prior, implied), 201

    def _rule(self, prior: str, implied: str) -> Json:
        links = self.link(f"roles/{prior}/implies/{implied}")
        return {**self._inference(prior, self._brief(implied)), "links": links}

    @route("GET", "/v3/roles/<prior>/implies/<implied>")
    def show_implied(self, prior: str, implied: str) -> Json:
        """One rule."""
        self.allow("get_implied_role", self.reads_all)
        self._check_rule(prior, implied)
        return self._rule(prior, implied)

    @route("HEAD", "/v3/roles/<prior>/implies/<implied>")
    def check_implied(self, prior: str, implied: str) -> None:
        """Whether there is such a rule."""
        self.allow("check_implied_role", self.reads_all)
        self._check_rule(prior, implied)

    @route("DELETE", "/v3/roles/<prior>/implies/<implied>")
    def no_longer_imply(self, prior: str, implied: str) -> None:
        """A rule less."""
        self.allow("delete_implied_role")
        self._check_rule(prior, implied)
        del self.state.implied[prior][implied]

    def _check_rule(self, prior: str, implied: str) -> None:
        self.find_role(prior)
        self.find_role(implied)
        if implied not in self.state.implied.get(prior, ()):
            raise RefusedError(404, f"{prior} does not imply {implied}.")
