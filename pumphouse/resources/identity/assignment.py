"""Role assignments of users on projects (Identity API v3, ``/v3/role_assignments``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing
from pumphouse.resources.base import Named, Wire, Wires, unnamed
from pumphouse.resources.fields import refer, report, some
from pumphouse.resources.identity.wire import IdentityType
from pumphouse.resources.inventory import Inventory


class Assignment(IdentityType):
    """That a user has a role on a project. It has no id of its own: "user/project/role" stands for it."""

    type = "assignment"
    parent = "project"
    manager = "role_assignments"
    fields = (
        refer("user", "user", "who", at="id", match=True),
        refer("role", "role", "what", at="id", match=True),
        refer("scope", "project", "where", at="project.id", match=True),
        report("group", "roles of groups are not carried yet", worth=some),
        report("links", "addresses in the source's API"),
    )

    def id(self, resource: Wire) -> str:
        """user/project/role."""
        return "/".join((resource["user"]["id"], resource["scope"]["project"]["id"], resource["role"]["id"]))

    def name(self, resource: Wire, named: Named = unnamed) -> str:
        """Who is what."""
        return f"{named('user', resource['user']['id'])} as {named('role', resource['role']['id'])}"

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """Direct ones of users on one project; groups' and inherited ones are not of this type."""
        found = cloud.identity.role_assignments.list(project=scope["project_id"])
        return [
            entry
            for entry in (assignment.to_dict() for assignment in found)
            if "user" in entry and "OS-INHERIT:inherited_to" not in entry["scope"]
        ]

    def list_for(self, cloud: Cloud, parents: Iterable[Wire]) -> Wires:
        """Those on each project."""
        return [entry for parent in parents for entry in self.list(cloud, project_id=parent["id"])]

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One of them, found in the project's list."""
        project = id_.split("/")[1]
        return next((entry for entry in self.list(cloud, project_id=project) if self.id(entry) == id_), None)

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """The same triple."""
        id_ = self.id(wanted)
        found = inventory.list(self.type, project_id=wanted["scope"]["project"]["id"])
        return next((entry for entry in found if self.id(entry) == id_), None)

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """PUT /v3/projects/{project}/users/{user}/roles/{role}: harmless when it is there already."""
        user, project, role = self.id(wanted).split("/")
        cloud.identity.roles.grant(role, user=user, project=project)
        return wanted

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Take the role away."""
        user, project, role = id_.split("/")
        with ignore_missing():
            cloud.identity.roles.revoke(role, user=user, project=project)
