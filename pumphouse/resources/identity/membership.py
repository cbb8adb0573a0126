"""Who is in a group (Identity API v3, ``/v3/groups/{group}/users``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing, is_missing
from pumphouse.resources.base import Named, Wire, Wires, unnamed
from pumphouse.resources.fields import refer
from pumphouse.resources.identity.wire import IdentityType


class Membership(IdentityType):
    """That a user is in a group. The API shows only the users of a group: "group/user" stands for it."""

    type = "membership"
    again = True
    parent = "group"
    manager = "users"
    scope = {"group_id": "group_id"}
    fields = (
        refer("group_id", "group", "the group", match=True),
        refer("user_id", "user", "its member, who comes along", match=True),
    )

    def id(self, resource: Wire) -> str:
        """group/user."""
        return f"{resource['group_id']}/{resource['user_id']}"

    def name(self, resource: Wire, named: Named = unnamed) -> str:
        """Who is in what."""
        return f"{named('user', resource['user_id'])} in {named('group', resource['group_id'])}"

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """All of one group."""
        group = scope["group_id"]
        return [{"group_id": group, "user_id": user.id} for user in cloud.identity.users.list(group=group)]

    def list_for(self, cloud: Cloud, parents: Iterable[Wire]) -> Wires:
        """All of each group: Keystone lists the members of one group at a time."""
        return [entry for group in parents for entry in self.list(cloud, group_id=group["id"])]

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One of them, if it is there."""
        group, user = id_.split("/")
        try:
            cloud.identity.users.check_in_group(user, group)
        except Exception as error:
            if is_missing(error):
                return None
            raise
        return {"group_id": group, "user_id": user}

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """PUT /v3/groups/{group}/users/{user}: harmless when it is there already."""
        cloud.identity.users.add_to_group(wanted["user_id"], wanted["group_id"])
        return wanted

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Take the user out of the group."""
        group, user = id_.split("/")
        with ignore_missing():
            cloud.identity.users.remove_from_group(user, group)
