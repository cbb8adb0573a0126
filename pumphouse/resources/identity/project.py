"""Projects, which operators also call tenants (Identity API v3, ``/v3/projects``)."""

from __future__ import annotations

from collections.abc import Iterator

from pumphouse.clouds.cloud import Cloud
from pumphouse.resources.base import Wire
from pumphouse.resources.fields import Lookup, carry, refer, report
from pumphouse.resources.identity.wire import IdentityType


class Project(IdentityType):
    """A project; one of the same name in the counterpart of its domain is used as it is."""

    type = "project"
    manager = "projects"
    scope = {"domain_id": "domain_id"}
    fields = (
        report("id", "chosen by the destination"),
        carry("name", "unique in its domain", match=True),
        refer("domain_id", "domain", "the domain that owns it", match=True),
        # Of a project at the top the parent is the domain: see ``resolver``.
        refer("parent_id", "project", "the project above it, or its domain"),
        carry("description", "free text"),
        carry("enabled", "nobody can work in a disabled project"),
        carry("tags", "simple labels"),
        carry("options", "resource options such as immutable"),
        report("is_domain", "true only for domains, which are a type of their own"),
        report("links", "addresses in the source's API"),
    )
    # Keystone keeps whatever else was given to a project.
    others = "carry"

    def references(self, resource: Wire) -> Iterator[tuple[str, str]]:
        """A parent that is the domain is no reference to a project."""
        for type_, id_ in super().references(resource):
            if (type_, id_) != ("project", resource.get("domain_id")):
                yield type_, id_

    def resolver(self, resource: Wire, lookup: Lookup) -> Lookup:
        """A parent that is the domain stays the domain."""

        def find(type_: str, id_: str) -> str | None:
            at_top = type_ == "project" and id_ == resource.get("domain_id")
            return lookup("domain" if at_top else type_, id_)

        return find

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """POST /v3/projects."""
        body = self.body(wanted)
        body["domain"] = body.pop("domain_id")
        body["parent"] = body.pop("parent_id", None)
        return dict(cloud.identity.projects.create(**body).to_dict())
