"""Domains: projects at the top, as this API shows them (/v3/domains)."""

from __future__ import annotations

from pumphouse.embedded.identity.base import filtered, missing
from pumphouse.embedded.identity.groups import Groups
from pumphouse.embedded.identity.model import Json
from pumphouse.embedded.identity.projects import CHECKS, refuse_immutable
from pumphouse.embedded.identity.roles import Roles
from pumphouse.embedded.identity.wellformed import checked, enough
from pumphouse.embedded.service import RefusedError, body, route

#: What domains do not show of what they are as projects.
HIDDEN = ("domain_id", "parent_id", "is_domain")


class Domains(Groups, Roles):
    """Name spaces of projects, users and groups."""

    def find_domain(self, id_: str) -> Json:
        """Refuses (404) what is no domain."""
        found = self.state.projects.get(id_)
        if found is None or not found["is_domain"]:
            raise missing("domain", id_)
        return found

    def domain_shown(self, domain: Json) -> Json:
        """As it is listed."""
        shown = {key: value for key, value in self.show_project_as(domain).items() if key not in HIDDEN}
        return {**shown, "links": self.link(f"domains/{domain['id']}")}

    @route("POST", "/v3/domains")
    def create_domain(self) -> tuple[Json, int]:
        """A domain."""
        self.allow("create_domain")
        given = checked("domain", body().get("domain", {}), CHECKS, required="name")
        return {"domain": self.domain_shown(self.make_project({**given, "is_domain": True}))}, 201

    @route("GET", "/v3/domains")
    def list_domains(self) -> Json:
        """All, or those of a name."""
        own = self.token.domain_id
        of_domain = self.reads_domain(own) and self.cloud.release.name != "zed"
        self.allow("list_domains", self.reads_all, of_domain)
        found = [project for project in self.state.projects.values() if project["is_domain"]]
        if of_domain and not self.token.admin:
            found = [domain for domain in found if domain["id"] == own]
        return self.paged("domains", filtered(found, "enabled", "name"), self.domain_shown)

    @route("GET", "/v3/domains/<domain_id>")
    def show_domain(self, domain_id: str) -> Json:
        """One: of one's own, everybody may know."""
        own = domain_id in (self.token.domain_id, self.token.project_domain_id)
        self.allow("get_domain", self.reads_all, own)
        return {"domain": self.domain_shown(self.find_domain(domain_id))}

    @route("PATCH", "/v3/domains/<domain_id>")
    def update_domain(self, domain_id: str) -> Json:
        """Change it."""
        self.allow("update_domain")
        change = enough("domain", checked("domain", body().get("domain", {}), CHECKS))
        domain = self.find_domain(domain_id)
        if self.cloud.release.name == "zed":
            # It adds what makes a domain a project, so that it is never the option alone that changes.
            refuse_immutable("domain", domain, {**change, "is_domain": True})
        self.change_project(domain, change)
        return {"domain": self.domain_shown(domain)}

    @route("DELETE", "/v3/domains/<domain_id>")
    def delete_domain(self, domain_id: str) -> None:
        """Remove a disabled domain with all that is in it."""
        self.allow("delete_domain")
        domain = self.find_domain(domain_id)
        refuse_immutable("domain", domain)
        if domain["enabled"]:
            raise RefusedError(403, "Cannot delete a domain that is enabled, please disable it first.")
        for project in reversed(self.subtree(domain_id)):
            self.remove_project(self.state.projects[project])
        for table, remove in ((self.state.users, self.remove_user), (self.state.groups, self.remove_group),
                              (self.state.roles, self.remove_role)):  # fmt: skip
            for one in [one for one in table.values() if one["domain_id"] == domain_id]:
                remove(one)
        self.remove_project(domain)
