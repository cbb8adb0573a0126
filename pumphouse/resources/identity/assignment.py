"""Role assignments of users and groups on projects and domains (Identity API v3, ``/v3/role_assignments``)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing
from pumphouse.resources.base import Named, Wire, Wires, unnamed
from pumphouse.resources.fields import Lookup, refer, report
from pumphouse.resources.identity.wire import IdentityType
from pumphouse.resources.inventory import Inventory

#: In a scope: that the role holds in the projects below, and not in the project or domain itself.
INHERITED = "OS-INHERIT:inherited_to"


class Assignment(IdentityType):
    """That a user or a group has a role on a project or a domain, or on all projects below it (inherited).

    It has no id of its own: "user/project/role" stands for it; "group:" and "domain:" come before the ids of
    groups and domains, and "/inherited" at the end. Of a tenant come those on the project itself, of whomever;
    then, for the users and groups that have come with these, those on its domain, and the inherited ones on
    the projects above it. Others of the domain or of those projects that apply to the project are only named:
    a tenant does not bring everybody who may do something everywhere.
    """

    type = "assignment"
    again = True
    parent = "project"
    manager = "role_assignments"
    fields = (
        refer("user", "user", "who", at="id", match=True),
        refer("group", "group", "who, where it is a group", at="id", match=True),
        refer("role", "role", "what", at="id", match=True),
        # The reference is to a domain where the scope is one: see ``references``.
        refer("scope", "project", "where: a project or a domain, and whether only below it", at="*.id", match=True),
        report("links", "addresses in the source's API"),
    )

    def id(self, resource: Wire) -> str:
        """user/project/role."""
        scope = resource["scope"]
        who = resource["user"]["id"] if "user" in resource else f"group:{resource['group']['id']}"
        where = scope["project"]["id"] if "project" in scope else f"domain:{scope['domain']['id']}"
        return "/".join((who, where, resource["role"]["id"], *(("inherited",) if INHERITED in scope else ())))

    def name(self, resource: Wire, named: Named = unnamed) -> str:
        """Who is what, and where if that is not just the project."""
        kind = "user" if "user" in resource else "group"
        who = ("group " if kind == "group" else "") + named(kind, resource[kind]["id"])
        scope = resource["scope"]
        where = f" on domain {named('domain', scope['domain']['id'])}" if "domain" in scope else ""
        below = " (inherited)" if INHERITED in scope else ""
        return f"{who} as {named('role', resource['role']['id'])}{where}{below}"

    def references(self, resource: Wire) -> Iterator[tuple[str, str]]:
        """The scope is a project or a domain."""
        for type_, id_ in super().references(resource):
            yield ("domain" if type_ == "project" and "domain" in resource["scope"] else type_), id_

    def resolver(self, resource: Wire, lookup: Lookup) -> Lookup:
        """The same for looking it up."""
        domain = "domain" in resource["scope"]
        return lambda type_, id_: lookup("domain" if domain and type_ == "project" else type_, id_)

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """Those on one project or one domain, inherited ones included; not what follows from them."""
        filters = {"project": scope["project_id"]} if "project_id" in scope else {"domain": scope["domain_id"]}
        return [assignment.to_dict() for assignment in cloud.identity.role_assignments.list(**filters)]

    def list_for(self, cloud: Cloud, parents: Iterable[Wire]) -> Wires:
        """Those on each project."""
        return [entry for parent in parents for entry in self.list(cloud, project_id=parent["id"])]

    def between(self, source: Inventory, found: Mapping[tuple[str, str], Wire], projects: Collection[str]) -> Wires:
        """Of those who have come with the projects: their roles on the domains, and inherited ones from above."""
        come = _come(found, projects)
        return [entry for entry in _from_above(source, found, projects) if _who(entry) in come]

    def staying(self, source: Inventory, found: Mapping[tuple[str, str], Wire], projects: Collection[str]) -> Wires:
        """Inherited ones that apply to the projects, of those who do not come along."""
        above = _from_above(source, found, projects)
        return [entry for entry in above if INHERITED in entry["scope"] and _who(entry) not in _come(found, projects)]

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One of them, found in the list of its project or domain."""
        kind, where = _kind(id_.split("/")[1], "project")
        return next((entry for entry in self.list(cloud, **{f"{kind}_id": where}) if self.id(entry) == id_), None)

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """The same triple."""
        id_ = self.id(wanted)
        kind, where = _kind(id_.split("/")[1], "project")
        found = inventory.list(self.type, **{f"{kind}_id": where})
        return next((entry for entry in found if self.id(entry) == id_), None)

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """PUT /v3/projects/{project}/users/{user}/roles/{role} or the like: harmless when it is there already."""
        role, where = _grant(self.id(wanted))
        cloud.identity.roles.grant(role, **where)
        return wanted

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Take the role away."""
        role, where = _grant(id_)
        with ignore_missing():
            cloud.identity.roles.revoke(role, **where)


def _kind(part: str, usual: str) -> tuple[str, str]:
    """("group", id) for "group:id"; the usual kind for a bare id."""
    kind, colon, id_ = part.partition(":")
    return (kind, id_) if colon else (usual, part)


def _grant(id_: str) -> tuple[str, dict[str, Any]]:
    """The role, and the other arguments of keystoneclient's ``grant`` and ``revoke``."""
    who, where, role, *below = id_.split("/")
    arguments: dict[str, Any] = dict([_kind(who, "user"), _kind(where, "project")])
    if below:
        arguments["os_inherit_extension_inherited"] = True
    return role, arguments


def _who(entry: Wire) -> tuple[str, str]:
    kind = "user" if "user" in entry else "group"
    return kind, entry[kind]["id"]


def _come(found: Mapping[tuple[str, str], Wire], projects: Collection[str]) -> set[tuple[str, str]]:
    """Users and groups with a role on the projects themselves, and the members of these groups."""
    come = {
        _who(entry)
        for (type_, _), entry in found.items()
        if type_ == "assignment" and entry["scope"].get("project", {}).get("id") in projects
    }
    members = (entry for (type_, _), entry in found.items() if type_ == "membership")
    return come | {("user", entry["user_id"]) for entry in members if ("group", entry["group_id"]) in come}


def _from_above(source: Inventory, found: Mapping[tuple[str, str], Wire], projects: Collection[str]) -> Iterator[Wire]:
    """All on the domains of these projects, and the inherited ones on the projects above them."""
    domains: dict[str, None] = {}
    above: dict[str, None] = {}
    for id_ in projects:
        project = found["project", id_]
        domains[project["domain_id"]] = None
        while (parent := project.get("parent_id")) and ("project", parent) in found:
            project = found["project", parent]
            if parent not in projects:
                above[parent] = None
    for domain in domains:
        yield from source.list(Assignment.type, domain_id=domain)
    for parent in above:
        yield from (e for e in source.list(Assignment.type, project_id=parent) if INHERITED in e["scope"])
