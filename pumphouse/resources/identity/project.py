"""Projects, which operators also call tenants (Identity API v3, ``/v3/projects``)."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import or_none
from pumphouse.resources.base import Wire
from pumphouse.resources.fields import Lookup, carry, refer, report
from pumphouse.resources.identity.wire import IdentityType

#: Held while what is above a new project is enabled for a moment.
_ABOVE = threading.Lock()


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
        with _ABOVE, opened(cloud, body["parent"] or body["domain"]):
            return dict(cloud.identity.projects.create(**body).to_dict())

    def occupied(self, cloud: Cloud, id_: str) -> str | None:
        """Other services keep what a project had, without an owner, when Keystone has removed it."""
        search = {"all_tenants": 1, "project_id": id_}
        holdings: dict[str, Callable[[], Iterable[Any]]] = {
            "projects below it": lambda: cloud.identity.projects.list(parent=id_),
            "servers": lambda: cloud.compute.servers.list(search_opts=search, limit=1),
            "volumes": lambda: cloud.volume.volumes.list(search_opts=search, limit=1),
            "images": lambda: cloud.image.images.list(filters={"owner": id_}, limit=1),
            "networks": lambda: cloud.network.list("networks", project_id=id_),
        }
        for what, look in holdings.items():
            if any(True for _ in look()):
                return f"has {what} that Pumphouse did not make"
        return None


@contextlib.contextmanager
def opened(cloud: Cloud, id_: str) -> Iterator[None]:
    """Enable a project or domain and all above it for a moment: Keystone makes nothing below disabled ones."""
    closed = disabled_above(cloud, id_)
    with contextlib.ExitStack() as stack:
        for type_, where in closed:
            manager = getattr(cloud.identity, type_)
            stack.callback(manager.update, where, enabled=False)
            manager.update(where, enabled=True)
        yield


def disabled_above(cloud: Cloud, id_: str) -> list[tuple[str, str]]:
    """("domains" or "projects", id) of this one and those above it that are disabled, the topmost first.

    The id of a domain is that of a project too, in the eyes of other projects.
    """
    found: list[tuple[str, str]] = []
    where: str | None = id_
    while where:
        project = or_none(lambda at=where: cloud.identity.projects.get(at).to_dict())  # type: ignore[misc]
        if project is None or project.get("is_domain"):
            domain = cloud.identity.domains.get(where).to_dict()
            found += [] if domain.get("enabled", True) else [("domains", where)]
            break
        found += [] if project.get("enabled", True) else [("projects", where)]
        where = project.get("parent_id") or project["domain_id"]
    return found[::-1]
