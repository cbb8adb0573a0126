"""The list of who has which role where (/v3/role_assignments)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from flask import request

from pumphouse.embedded.identity.grants import Granting
from pumphouse.embedded.identity.model import SYSTEM, Grant, Json
from pumphouse.embedded.service import RefusedError, route


class Effect(NamedTuple):
    """An assignment, or what follows from one."""

    grant: Grant
    #: The user who has it, where it is a group's and the group is looked into.
    user: str = ""
    #: The project below, where it is inherited and looked for there.
    project: str = ""
    role: str = ""
    #: The role that it follows from.
    prior: str = ""


class Assignments(Granting):
    """The list."""

    @route("GET", "/v3/role_assignments")
    def list_assignments(self) -> Json:
        """Those that the query asks for: as they were given, or what comes of them (``effective``)."""
        below = "_for_tree" if _flag("include_subtree") else ""
        self.allow(f"list_role_assignments{below}", self.reads_all, self.reads_domain(self.token.domain_id))
        asked = request.args
        effective = _flag("effective")
        if "user.id" in asked and "group.id" in asked:
            raise RefusedError(400, "Specify a user or group, not both")
        if "scope.project.id" in asked and "scope.domain.id" in asked:
            raise RefusedError(400, "Specify a domain or project, not both")
        if effective and "group.id" in asked:
            raise RefusedError(400, "Combining effective and group filter will always result in an empty list.")
        found = self._effects() if effective else [Effect(grant) for grant in self._direct()]
        show = self._named_assignment if _flag("include_names") else self._assignment
        return self.listed("role_assignments", map(show, self._visible(found)))

    def _visible(self, found: Iterable[Effect]) -> Iterator[Effect]:
        """With a token of a domain, what is in it."""
        for effect in found:
            if self.token.domain_id and not self.token.admin:
                target = effect.project or effect.grant.target
                if self.token.domain_id not in (target, self.state.projects.get(target, {}).get("domain_id")):
                    continue
            yield effect

    def _direct(self) -> list[Grant]:
        asked = request.args
        keys = (("user.id", "user"), ("group.id", "group"), ("scope.project.id", "project"),
                ("scope.domain.id", "domain"), ("role.id", "role"))  # fmt: skip
        sets = [self.state.grants.of(kind, asked[name]) for name, kind in keys if name in asked]
        if "scope.system" in asked:
            sets.append(self.state.grants.of("system", SYSTEM))
        if _flag("include_subtree") and (project := asked.get("scope.project.id")):
            branch = [project, *self.subtree(project)]
            sets = [{grant: None for id_ in branch for grant in self.state.grants.of("project", id_)}]
        smallest = min(sets, key=len) if sets else None
        found = self.state.grants.all() if smallest is None else list(smallest)
        chosen = [grant for grant in found if all(grant in one for one in sets)]
        if "scope.OS-INHERIT:inherited_to" in asked:
            # Keystone gives those on the system whatever is asked.
            chosen = [grant for grant in chosen if grant.inherited or grant.where == "system"]
        return chosen

    def _effects(self) -> list[Effect]:
        """What comes of all assignments, of those that the query asks for."""
        asked = request.args
        user, role = asked.get("user.id"), asked.get("role.id")
        project, domain = asked.get("scope.project.id"), asked.get("scope.domain.id")
        found = []
        for grant in self._relevant(user, project):
            for effect in self._expanded(grant, project):
                target = effect.project or grant.target
                if user not in (None, effect.user) or role not in (None, effect.role):
                    continue
                if project is not None and (target != project or (not effect.project and grant.where != "project")):
                    continue
                if domain is not None and (effect.project or (grant.where, grant.target) != ("domain", domain)):
                    continue
                if ("scope.system" in asked) != (grant.where == "system"):
                    continue
                found.append(effect)
        return found

    def _relevant(self, user: str | None, project: str | None) -> list[Grant]:
        """Assignments of which something may come that is asked for."""
        if user is not None:
            actors = [("user", user), *(("group", group) for group in self.state.groups_of.get(user, ()))]
            return [grant for actor in actors for grant in self.state.grants.of(*actor)]
        if project is not None:
            above = [id_ for id_ in self.above(project) if id_]
            around = [("project", project), *((kind, id_) for id_ in above for kind in ("project", "domain"))]
            found = [grant for place in around for grant in self.state.grants.of(*place)]
            return [grant for grant in found if grant.inherited or grant.target == project]
        return self.state.grants.all()

    def _expanded(self, grant: Grant, project: str | None) -> Iterator[Effect]:
        """Members in the place of groups, projects below in that of what is inherited, and implied roles, too."""
        users = [grant.actor] if grant.kind == "user" else list(self.state.members.get(grant.actor, ()))
        projects = [""]
        if grant.inherited:
            below = self.subtree(grant.target)
            projects = [project] if project in below else below if project is None else []
        for user in users:
            for target in projects:
                for role in self.implied_by([grant.role]):
                    if self.state.roles[role]["domain_id"] is None:
                        prior = "" if role == grant.role else self._prior(grant.role, role)
                        yield Effect(grant, user, target or "", role, prior)

    def _prior(self, given: str, implied: str) -> str:
        """From which of the roles that a given one brings another follows directly."""
        return next(id_ for id_ in self.implied_by([given]) if implied in self.state.implied.get(id_, ()))

    def _assignment(self, effect: Effect) -> Json:
        grant = effect.grant
        links: Json = {}
        if effect.user and grant.kind == "group":
            links["membership"] = self.link(f"groups/{grant.actor}/users/{effect.user}")["self"]
        links["assignment"] = self.link(_path(grant))["self"]
        role = effect.role or grant.role
        if effect.prior:
            links["prior_role"] = self.link(f"prior_role/{role}/implies/{effect.prior}")["self"]
        scope: Json = {(effect.project and "project") or grant.where: {"id": effect.project or grant.target}}
        if grant.where == "system":
            scope = {"system": {"all": True}}
        if grant.inherited:
            scope["OS-INHERIT:inherited_to"] = "projects"
        kind, actor = ("user", effect.user) if effect.user else (grant.kind, grant.actor)
        return {"links": links, "scope": scope, kind: {"id": actor}, "role": {"id": role}}

    def _named_assignment(self, effect: Effect) -> Json:
        """With the names of everything."""
        shown = self._assignment(effect)
        for kind, table in (("user", self.state.users), ("group", self.state.groups)):
            if kind in shown:
                found = table[shown[kind]["id"]]
                shown[kind] |= {"name": found["name"], "domain": self._domain_named(found["domain_id"])}
        role = self.state.roles[shown["role"]["id"]]
        shown["role"]["name"] = role["name"]
        if role["domain_id"]:
            shown["role"]["domain"] = self._domain_named(role["domain_id"])
        for kind in ("project", "domain"):
            if kind in shown["scope"]:
                found = self.state.projects[shown["scope"][kind]["id"]]
                shown["scope"][kind]["name"] = found["name"]
                if kind == "project":
                    shown["scope"][kind]["domain"] = self._domain_named(found["domain_id"])
        return shown

    def _domain_named(self, id_: str) -> Json:
        return {"id": id_, "name": self.state.projects[id_]["name"]}


def _flag(name: str) -> bool:
    """Whether the query says yes, if only by naming it."""
    return name in request.args and request.args[name].lower() not in ("0", "false", "no", "off")


def _path(grant: Grant) -> str:
    where = "system" if grant.where == "system" else f"{grant.where}s/{grant.target}"
    path = f"{where}/{grant.kind}s/{grant.actor}/roles/{grant.role}"
    return f"OS-INHERIT/{path}/inherited_to_projects" if grant.inherited else path
