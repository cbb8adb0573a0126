"""With which projects an image is shared (Image API v2, ``/v2/images/{image}/members``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing
from pumphouse.resources.base import Named, ResourceType, Wire, Wires, unnamed
from pumphouse.resources.fields import carry, refer, report
from pumphouse.resources.inventory import Inventory


class ImageMember(ResourceType):
    """That an image is shared with a project. "image/project" stands for it."""

    type = "image_member"
    again = True
    unit = "image"
    parent = "image"
    home = "image_id"
    #: A project is not carried only because an image is shared with it.
    guest = "member_id"
    fields = (
        refer("image_id", "image", "what is shared", match=True),
        refer("member_id", "project", "with whom", match=True),
        carry("status", "pending, accepted or rejected", post=False),
        report("created_at", "a time in the source"),
        report("updated_at", "a time in the source"),
        report("schema", "an address in the source's API"),
    )

    def id(self, resource: Wire) -> str:
        """image/project."""
        return f"{resource['image_id']}/{resource['member_id']}"

    def name(self, resource: Wire, named: Named = unnamed) -> str:
        """With whom."""
        return f"shared with {named('project', resource['member_id'])}"

    def list_for(self, cloud: Cloud, parents: Iterable[Wire]) -> Wires:
        """Members of those images that are shared; Glance has no list over several images."""
        return [
            member
            for image in parents
            if image.get("visibility") == "shared"
            for member in self._members(cloud, image["id"])
        ]

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One member of an image."""
        image, project = id_.split("/")
        return next((m for m in self._members(cloud, image) if m["member_id"] == project), None)

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """The same pair."""
        return self.get(inventory.cloud, self.id(wanted))

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """POST .../members, unless it is one, then the member's own answer (an administrator may give it)."""
        members = cloud.image.image_members
        there = [one for one in self._members(cloud, wanted["image_id"]) if one["member_id"] == wanted["member_id"]]
        made: Any = there[0] if there else members.create(wanted["image_id"], wanted["member_id"])
        if wanted.get("status") not in (None, made["status"]):
            with self.completed(cloud, self.id(wanted)):
                made = members.update(wanted["image_id"], wanted["member_id"], wanted["status"])
        return dict(made)

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Share no longer."""
        image, project = id_.split("/")
        with ignore_missing():
            cloud.image.image_members.delete(image, project)

    def _members(self, cloud: Cloud, image: str) -> Wires:
        with ignore_missing():
            return [dict(member) for member in cloud.image.image_members.list(image)]
        return []
