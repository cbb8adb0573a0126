"""Projects, their tags, and the rules of their tree (/v3/projects). Domains are projects, too: see ``domains``."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request

from pumphouse.embedded.identity.base import before, conflict, filtered, forbidden, missing, since
from pumphouse.embedded.identity.model import Json
from pumphouse.embedded.identity.sessions import Sessions
from pumphouse.embedded.identity.wellformed import Check, checked, enough, nullable, options, tags, text
from pumphouse.embedded.service import RefusedError, body, route

#: Fields that every project has; all others are its own ("extra").
FIELDS = ("id", "name", "domain_id", "description", "enabled", "parent_id", "is_domain", "tags", "options")
#: How deep projects can lie, the domain counted.
DEEPEST = 6
CHECKS: dict[str, Check] = {
    "name": text(64),
    "description": nullable(str),
    "tags": tags,
    "enabled": bool,
    "is_domain": bool,
    "options": options("immutable"),
}


def refuse_immutable(kind: str, resource: Json, change: Json | None = None) -> None:
    """Refuse what must not be done to a resource with that option. ``change``: None for its end."""
    if not resource["options"].get("immutable"):
        return
    opened = change and len(change) == 1 and change.get("options", {}).get("immutable", True) in (False, None)
    if not opened:
        what = f"{'delete' if change is None else 'update'} immutable {kind} resource: `{resource['id']}"
        raise RefusedError(403, f'Unable to {what}. Set resource option "immutable" to false first.')


def with_options(old: Json, new: Json) -> Json:
    """Options after a change: those set to null are gone."""
    return {name: value for name, value in {**old, **new}.items() if value is not None}


class Projects(Sessions):
    """Projects, and what domains share with them."""

    def make_project(self, given: Json, id_: str = "") -> Json:
        """A project or a domain, where the rules of the tree allow it. ``id_``: of the first domain."""
        name = given.pop("name").strip()
        is_domain = bool(given.pop("is_domain", False))
        domain = None if is_domain else given.pop("domain_id", None)
        parent = None if is_domain else given.pop("parent_id", None) or domain
        if not is_domain:
            self._check_place(domain or "", parent or "")
        project = {
            **{key: value for key, value in given.items() if key not in FIELDS},
            "id": id_ or uuid.uuid4().hex,
            "name": name,
            "domain_id": domain,
            "description": given.get("description", ""),
            "enabled": given.get("enabled") is not False,
            "parent_id": parent,
            "is_domain": is_domain,
            "tags": [tag.strip() for tag in given.get("tags", ())],
            "options": with_options({}, given.get("options", {})),
        }
        self._take_name(project, name)
        self.state.projects[project["id"]] = project
        if parent:
            self.state.below.setdefault(parent, {})[project["id"]] = None
        return project

    def _check_place(self, domain: str, parent: str) -> None:
        projects = self.state.projects
        if not projects.get(domain, {}).get("is_domain"):
            raise RefusedError(400, f"Could not find domain: {domain}.")
        if parent not in projects:
            raise RefusedError(400, f"Could not find project: {parent}.")
        above = projects[parent]
        if above["is_domain"] and parent != domain:
            raise RefusedError(
                400,
                f"Cannot create project, the parent ({parent}) is acting as a domain, but this project's domain id "
                f"({domain}) does not match the parent's id.",
            )
        if not above["is_domain"] and above["domain_id"] != domain:
            raise RefusedError(
                400,
                f"Cannot create project, since it specifies its domain_id {domain}, but specifies a parent in a "
                f"different domain ({above['domain_id']}).",
            )
        branch = [*reversed(list(self.above(parent))), parent]
        for id_ in branch:
            if not projects[id_]["enabled"]:
                raise RefusedError(400, f"cannot create a project in a branch containing a disabled project: {id_}")
        if len(branch) >= DEEPEST:
            raise RefusedError(403, f"Max hierarchy depth reached for {parent} branch.")

    def _take_name(self, project: Json, name: str) -> None:
        """Refuse a name that is taken where the project is; keep it for this one."""
        kind = "domain" if project["is_domain"] else "project"
        owner = self.state.names.find(kind, project["domain_id"], name)
        if owner not in (None, project["id"]):
            if project["is_domain"]:
                detail = f"it is not permitted to have two projects acting as domains with the same name: {name}"
            else:
                detail = (
                    "it is not permitted to have two projects with either the same name or same id in the same "
                    f"domain: name is {name}, project id {project['id']}"
                )
            raise conflict("project", detail)
        self.state.names.drop(kind, project["domain_id"], project["name"])
        self.state.names.put(kind, project["domain_id"], name, project["id"])

    def change_project(self, project: Json, change: Json) -> None:
        """Change a project or domain, where its state allows it."""
        kind = "domain" if project["is_domain"] else "project"
        if "domain_id" in change and change["domain_id"] != project["domain_id"]:
            raise RefusedError(400, "Cannot change Domain ID")
        refuse_immutable(kind, project, change)
        if "parent_id" in change and change["parent_id"] != project["parent_id"]:
            raise RefusedError(403, "Update of `parent_id` is not allowed.")
        if "is_domain" in change and change["is_domain"] != project["is_domain"]:
            raise RefusedError(400, "Update of `is_domain` is not allowed.")
        self._check_enabling(project, change.get("enabled", True))
        if "name" in change:
            change["name"] = change["name"].strip()
            self._take_name(project, change["name"])
        if "options" in change:
            change["options"] = with_options(project["options"], change["options"])
        if "tags" in change:
            change["tags"] = [tag.strip() for tag in change["tags"]]
        project.update(change)

    def _check_enabling(self, project: Json, enabled: bool) -> None:
        """Above an enabled project all are enabled. Whatever does not say that it stays disabled enables it."""
        id_ = project["id"]
        if project["enabled"] == enabled:
            return
        if enabled and not all(self.state.projects[above]["enabled"] for above in self.above(id_)):
            raise RefusedError(403, f"Cannot enable project {id_} since it has disabled parents")
        if enabled or project["is_domain"]:
            return
        if any(self.state.projects[below]["enabled"] for below in self.subtree(id_)):
            raise RefusedError(403, f"Cannot disable project {id_} since its subtree contains enabled projects.")

    def remove_project(self, project: Json) -> None:
        """Forget a project or domain, and all that hangs on it alone."""
        id_ = project["id"]
        kind = "domain" if project["is_domain"] else "project"
        refuse_immutable(kind, project)
        del self.state.projects[id_]
        self.state.names.drop(kind, project["domain_id"], project["name"])
        if project["parent_id"]:
            self.state.below[project["parent_id"]].pop(id_)
        self.state.below.pop(id_, None)
        self.state.grants.forget(kind, id_)
        for table in (self.state.credentials, self.state.application_credentials, self.state.trusts):
            for one in [key for key, value in table.items() if value.get("project_id") == id_]:
                del table[one]

    def find_project(self, id_: str) -> Json:
        """Refuses (404) what is not there."""
        if id_ not in self.state.projects:
            raise missing("project", id_)
        return self.state.projects[id_]

    def show_project_as(self, project: Json) -> Json:
        """As it is listed."""
        own = {key: value for key, value in project.items() if key not in FIELDS}
        shown = {**own, **{key: project[key] for key in FIELDS}, "tags": sorted(project["tags"])}
        return {**shown, "links": self.link(f"projects/{project['id']}")}

    @route("POST", "/v3/projects")
    def create_project(self) -> tuple[Json, int]:
        """A project, of the asker's domain unless told."""
        self.allow("create_project")
        given = checked("project", body().get("project", {}), CHECKS, required="name")
        if not given.get("is_domain") and not given.get("domain_id"):
            given["domain_id"] = self.token.domain_id or self.token.project_domain_id or "default"
        made = self.make_project(given)
        return {"project": {**self.show_project_as(made), "tags": made["tags"]}}, 201

    @route("GET", "/v3/projects")
    def list_projects(self) -> Json:
        """All that are no domains, or those that the query asks for."""
        self.allow("list_projects", self.reads_all, self.reads_domain(self.token.domain_id))
        below = request.args.get("parent_id") or request.args.get("domain_id")
        if below in self.state.below:
            found = [self.state.projects[id_] for id_ in self.subtree(below)]
        else:
            found = list(self.state.projects.values())
        if self.token.domain_id:
            found = [project for project in found if project["domain_id"] == self.token.domain_id]
        if "is_domain" not in request.args:
            found = [project for project in found if not project["is_domain"]]
        found = filtered(found, "domain_id", "enabled", "name", "parent_id", "is_domain")
        return self.paged("projects", _tagged(found), self.show_project_as)

    @route("GET", "/v3/projects/<project_id>")
    def show_project(self, project_id: str) -> Json:
        """One; with what is above or below it, where the query asks for that."""
        project = self.state.projects.get(project_id)
        mine = bool(project) and project_id == self.token.project_id
        self.allow("get_project", self.reads_all, mine, self.reads_domain((project or {}).get("domain_id")))
        shown = self.show_project_as(self.find_project(project_id))
        return {"project": {**shown, **self._around(project_id)}}

    def _around(self, id_: str) -> Json:
        around: Json = {}
        mine = set(self.projects_of(self.token.user_id))
        above, below = list(self.above(id_)), self.subtree(id_)
        for name, ids in (("parents", above), ("subtree", below)):
            if f"{name}_as_list" in request.args:
                shown = [self.show_project_as(self.state.projects[one]) for one in ids if one in mine]
                around[name] = [{"project": one} for one in shown]
        if "parents_as_ids" in request.args:
            around["parents"] = None
            for one in reversed(above):
                around["parents"] = {one: around["parents"]}
        if "subtree_as_ids" in request.args:
            around["subtree"] = self._tree(id_)
        return around

    def _tree(self, id_: str) -> Json | None:
        return {one: self._tree(one) for one in self.state.below.get(id_, ())} or None

    @route("PATCH", "/v3/projects/<project_id>")
    def update_project(self, project_id: str) -> Json:
        """Change a project, or what is only a domain's in the eyes of others."""
        self.allow("update_project")
        change = checked("project", body().get("project", {}), CHECKS)
        if self.cloud.release.name == "zed":
            enough("project", change)
        project = self.find_project(project_id)
        self.change_project(project, change)
        shown = self.show_project_as(project)
        own = {key: value for key, value in project.items() if key not in FIELDS}
        return {"project": {**before(shown, "options"), "extra": own, **since(shown, "options")}}

    @route("DELETE", "/v3/projects/<project_id>")
    def delete_project(self, project_id: str) -> None:
        """Remove a project below which there is none."""
        self.allow("delete_project")
        project = self.find_project(project_id)
        if project["is_domain"]:
            raise forbidden("delete_project")
        refuse_immutable("project", project)
        if self.state.below.get(project_id):
            raise RefusedError(
                403,
                f"Cannot delete the project {project_id} since it is not a leaf in the hierarchy. "
                "Use the cascade option if you want to delete a whole subtree.",
            )
        self.remove_project(project)

    @route("GET", "/v3/projects/<project_id>/tags")
    def list_tags(self, project_id: str) -> Json:
        """In order."""
        domain = self.state.projects.get(project_id, {}).get("domain_id")
        mine = project_id == self.token.project_id
        self.allow("list_project_tags", self.reads_all, mine, self.reads_domain(domain))
        return {"links": {"self": f"{self.url}/v3"}, "tags": sorted(self.find_project(project_id)["tags"])}

    @route("PUT", "/v3/projects/<project_id>/tags")
    def replace_tags(self, project_id: str) -> Json:
        """Set them all."""
        self.allow("update_project_tags")
        given = checked("tags", body(), {"tags": tags}, required="tags")["tags"]
        stripped = [tag.strip() for tag in given]
        self._set_tags(project_id, stripped)
        return {"links": {"self": f"{self.url}/v3"}, "tags": stripped}

    @route("DELETE", "/v3/projects/<project_id>/tags")
    def delete_tags(self, project_id: str) -> None:
        """Take them all away."""
        self.allow("delete_project_tags")
        self._set_tags(project_id, [])

    @route("GET", "/v3/projects/<project_id>/tags/<tag>")
    @route("HEAD", "/v3/projects/<project_id>/tags/<tag>")
    def check_tag(self, project_id: str, tag: str) -> None:
        """Whether it is there."""
        self.allow("get_project_tag", self.reads_all, project_id == self.token.project_id)
        self._tag(project_id, tag)

    @route("PUT", "/v3/projects/<project_id>/tags/<tag>")
    def add_tag(self, project_id: str, tag: str) -> tuple[None, int]:
        """One more."""
        self.allow("create_project_tag")
        given = [*self.find_project(project_id)["tags"], tag]
        checked("tags", {"tags": given}, {"tags": tags})
        self._set_tags(project_id, [one.strip() for one in given])
        return None, 201

    @route("DELETE", "/v3/projects/<project_id>/tags/<tag>")
    def delete_tag(self, project_id: str, tag: str) -> None:
        """One less."""
        self.allow("delete_project_tag")
        self._set_tags(project_id, [one for one in self._tag(project_id, tag)["tags"] if one != tag])

    def _tag(self, project_id: str, tag: str) -> Json:
        project = self.find_project(project_id)
        if tag not in project["tags"]:
            raise missing("project tag", tag)
        return project

    def _set_tags(self, project_id: str, given: list[str]) -> None:
        project = self.find_project(project_id)
        if project["options"].get("immutable"):
            raise RefusedError(
                403,
                f"Cannot update project tags for {project_id}, project is immutable. "  # noqa: S608 (no SQL)
                'Set "immutable" option to false before creating project tags.',
            )
        project["tags"] = given


def _tagged(found: list[Json]) -> list[Json]:
    """Those with the tags that the query asks for, in each of the four ways."""
    ways: dict[str, Any] = {
        "tags": lambda wanted, tags: wanted <= tags,
        "tags-any": lambda wanted, tags: bool(wanted & tags),
        "not-tags": lambda wanted, tags: not wanted <= tags,
        "not-tags-any": lambda wanted, tags: not wanted & tags,
    }
    for name, test in ways.items():
        if name in request.args:
            wanted = set(request.args[name].split(","))
            found = [project for project in found if test(wanted, set(project["tags"]))]
    return found
