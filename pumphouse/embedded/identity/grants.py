"""Giving roles to users and groups on projects, on domains, on what is below them, and on the system."""

from __future__ import annotations

from pumphouse.embedded.identity.domains import Domains
from pumphouse.embedded.identity.model import SYSTEM, Grant, Json
from pumphouse.embedded.service import RefusedError, route

#: URL's word -> what it is.
KINDS = {"users": "user", "groups": "group", "projects": "project", "domains": "domain"}
DIRECT = "/v3/<any(projects, domains):where>/<target>/<any(users, groups):who>/<actor>/roles"
BELOW = "/v3/OS-INHERIT/<any(projects, domains):where>/<target>/<any(users, groups):who>/<actor>/roles"
WHOLE = "/v3/system/<any(users, groups):who>/<actor>/roles"


class Granting(Domains):
    """Who gets what where."""

    def _grant(self, where: str, target: str, who: str, actor: str, role: str, *, inherited: bool = False) -> Grant:
        """The assignment that a URL names; refuses (404) what of it is not there."""
        self.find_role(role)
        if who == "users":
            self.find_user(actor)
        else:
            self.find_group(actor)
        if where == "projects":
            self.find_project(target)
        elif where == "domains":
            self.find_domain(target)
        return Grant(KINDS[who], actor, KINDS.get(where, where), target, role, inherited)

    def _add(self, grant: Grant) -> None:
        self.allow("create_grant")
        domain = self.state.roles[grant.role]["domain_id"]
        if grant.where == "project" and domain not in (None, self.state.projects[grant.target]["domain_id"]):
            raise RefusedError(
                403,
                f"Project {grant.target} must be in the same domain as the role {grant.role} being assigned.",
            )
        self.state.grants.add(grant)

    def _check(self, grant: Grant) -> None:
        if grant not in self.state.grants:
            raise RefusedError(
                404,
                f"Could not find role assignment with role: {grant.role}, user or group: {grant.actor}, "
                f"project, domain, or system: {'system' if grant.where == 'system' else grant.target}.",
            )

    def _remove(self, grant: Grant) -> None:
        self.allow("revoke_grant")
        self._check(grant)
        self.state.grants.remove(grant)

    def _roles(self, where: str, target: str, who: str, actor: str, *, inherited: bool = False) -> Json:
        kind = KINDS.get(where, where)
        found = self.state.grants.of(KINDS[who], actor)
        chosen = [g.role for g in found if (g.where, g.target, g.inherited) == (kind, target, inherited)]
        return self.listed("roles", (self.show_role_as(self.state.roles[role]) for role in chosen))

    @route("GET", DIRECT)
    def list_grants(self, where: str, target: str, who: str, actor: str) -> Json:
        """The roles that somebody has there."""
        self.allow("list_grants", self.reads_all)
        return self._roles(where, target, who, actor)

    @route("PUT", f"{DIRECT}/<role>")
    def create_grant(self, where: str, target: str, who: str, actor: str, role: str) -> None:
        """Once more does nothing."""
        self._add(self._grant(where, target, who, actor, role))

    @route("GET", f"{DIRECT}/<role>")
    @route("HEAD", f"{DIRECT}/<role>")
    def check_grant(self, where: str, target: str, who: str, actor: str, role: str) -> None:
        """Whether somebody has a role there."""
        self.allow("check_grant", self.reads_all)
        self._check(self._grant(where, target, who, actor, role))

    @route("DELETE", f"{DIRECT}/<role>")
    def revoke_grant(self, where: str, target: str, who: str, actor: str, role: str) -> None:
        """Take it away."""
        self._remove(self._grant(where, target, who, actor, role))

    @route("GET", f"{BELOW}/inherited_to_projects")
    def list_inherited(self, where: str, target: str, who: str, actor: str) -> Json:
        """The roles that somebody has below a domain."""
        self.allow("list_grants", self.reads_all)
        if where == "projects":
            raise RefusedError(404, "The requested URL was not found on the server.")
        return self._roles(where, target, who, actor, inherited=True)

    @route("PUT", f"{BELOW}/<role>/inherited_to_projects")
    def create_inherited(self, where: str, target: str, who: str, actor: str, role: str) -> None:
        """Once more does nothing."""
        self._add(self._grant(where, target, who, actor, role, inherited=True))

    @route("GET", f"{BELOW}/<role>/inherited_to_projects")
    @route("HEAD", f"{BELOW}/<role>/inherited_to_projects")
    def check_inherited(self, where: str, target: str, who: str, actor: str, role: str) -> None:
        """Whether somebody has a role below there."""
        self.allow("check_grant", self.reads_all)
        self._check(self._grant(where, target, who, actor, role, inherited=True))

    @route("DELETE", f"{BELOW}/<role>/inherited_to_projects")
    def revoke_inherited(self, where: str, target: str, who: str, actor: str, role: str) -> None:
        """Take it away."""
        self._remove(self._grant(where, target, who, actor, role, inherited=True))

    @route("GET", WHOLE)
    def list_system_grants(self, who: str, actor: str) -> Json:
        """The roles that somebody has on the system."""
        self.allow(f"list_system_grants_for_{KINDS[who]}", self.reads_all)
        return self._roles("system", SYSTEM, who, actor)

    @route("PUT", f"{WHOLE}/<role>")
    def create_system_grant(self, who: str, actor: str, role: str) -> None:
        """Once more does nothing."""
        self.allow(f"create_system_grant_for_{KINDS[who]}")
        grant = self._grant("system", SYSTEM, who, actor, role)
        if self.state.roles[role]["domain_id"]:
            raise RefusedError(
                400,
                f"Role {role} is a domain-specific role. Unable to use a domain-specific role in a system assignment.",
            )
        self.state.grants.add(grant)

    @route("GET", f"{WHOLE}/<role>")
    @route("HEAD", f"{WHOLE}/<role>")
    def check_system_grant(self, who: str, actor: str, role: str) -> None:
        """Whether somebody has a role on the system."""
        self.allow(f"check_system_grant_for_{KINDS[who]}", self.reads_all)
        self._check(self._grant("system", SYSTEM, who, actor, role))

    @route("DELETE", f"{WHOLE}/<role>")
    def revoke_system_grant(self, who: str, actor: str, role: str) -> None:
        """Take it away."""
        self._remove(self._grant("system", SYSTEM, who, actor, role))
