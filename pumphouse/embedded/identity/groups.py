"""Groups and who is in them (/v3/groups)."""

from __future__ import annotations

import uuid

from pumphouse.embedded.identity.base import conflict, filtered, missing
from pumphouse.embedded.identity.model import Json
from pumphouse.embedded.identity.users import Users
from pumphouse.embedded.identity.wellformed import checked, enough, nullable, text
from pumphouse.embedded.service import RefusedError, body, route

FIELDS = ("id", "name", "domain_id", "description")
CHECKS = {"name": text(64), "description": nullable(str)}


class Groups(Users):
    """Users who have roles together."""

    def find_group(self, id_: str) -> Json:
        """Refuses (404) what is not there."""
        if id_ not in self.state.groups:
            raise missing("group", id_)
        return self.state.groups[id_]

    def _group_shown(self, group: Json) -> Json:
        own = {key: value for key, value in group.items() if key not in FIELDS}
        return {**own, **{key: group[key] for key in FIELDS}, "links": self.link(f"groups/{group['id']}")}

    def _take_group_name(self, group: Json, name: str) -> None:
        domain = group["domain_id"]
        if self.state.names.find("group", domain, name) not in (None, group["id"]):
            where = "" if group["id"] in self.state.groups else f" at domain ID {domain}"
            raise conflict("group", f"Duplicate entry found with name {name}{where}")
        self.state.names.drop("group", domain, group["name"])
        self.state.names.put("group", domain, name, group["id"])

    def remove_group(self, group: Json) -> None:
        """Forget a group; its members stay."""
        id_ = group["id"]
        del self.state.groups[id_]
        self.state.names.drop("group", group["domain_id"], group["name"])
        self.state.grants.forget("group", id_)
        for user in self.state.members.pop(id_, ()):
            self.state.groups_of[user].pop(id_)

    @route("POST", "/v3/groups")
    def create_group(self) -> tuple[Json, int]:
        """A group, of the asker's domain unless told."""
        self.allow("create_group")
        given = checked("group", body().get("group", {}), CHECKS, required="name")
        domain = given.get("domain_id") or self.own_domain
        if not self.state.projects.get(domain, {}).get("is_domain"):
            raise missing("domain", domain)
        group = {**given, "id": uuid.uuid4().hex, "name": given["name"].strip(), "domain_id": domain}
        group.setdefault("description", "")
        self._take_group_name(group, group["name"])
        self.state.groups[group["id"]] = group
        return {"group": self._group_shown(group)}, 201

    @route("GET", "/v3/groups")
    def list_groups(self) -> Json:
        """All, or those of a domain or a name."""
        self.allow("list_groups", self.reads_all, self.reads_domain(self.token.domain_id))
        found = list(self.state.groups.values())
        if self.token.domain_id:
            found = [group for group in found if group["domain_id"] == self.token.domain_id]
        return self.paged("groups", filtered(found, "domain_id", "name"), self._group_shown)

    @route("GET", "/v3/groups/<group_id>")
    def show_group(self, group_id: str) -> Json:
        """One."""
        domain = self.state.groups.get(group_id, {}).get("domain_id")
        self.allow("get_group", self.reads_all, self.reads_domain(domain))
        return {"group": self._group_shown(self.find_group(group_id))}

    @route("PATCH", "/v3/groups/<group_id>")
    def update_group(self, group_id: str) -> Json:
        """Change it."""
        self.allow("update_group")
        change = enough("group", checked("group", body().get("group", {}), CHECKS))
        group = self.find_group(group_id)
        if change.get("domain_id", group["domain_id"]) != group["domain_id"]:
            raise RefusedError(400, "Cannot change Domain ID")
        if "name" in change:
            change["name"] = change["name"].strip()
            self._take_group_name(group, change["name"])
        group.update(change)
        return {"group": self._group_shown(group)}

    @route("DELETE", "/v3/groups/<group_id>")
    def delete_group(self, group_id: str) -> None:
        """Remove it."""
        self.allow("delete_group")
        self.remove_group(self.find_group(group_id))

    @route("GET", "/v3/groups/<group_id>/users")
    def list_users_in_group(self, group_id: str) -> Json:
        """Its members."""
        domain = self.state.groups.get(group_id, {}).get("domain_id")
        self.allow("list_users_in_group", self.reads_all, self.reads_domain(domain))
        self.find_group(group_id)
        found = [self.state.users[id_] for id_ in self.state.members.get(group_id, ())]
        return self.listed("users", self.show_users(filtered(found, "domain_id", "enabled", "name")))

    @route("GET", "/v3/users/<user_id>/groups")
    def list_groups_of_user(self, user_id: str) -> Json:
        """What a user is in."""
        domain = self.state.users.get(user_id, {}).get("domain_id")
        mine = user_id == self.token.user_id
        self.allow("list_groups_for_user", self.reads_all, mine, self.reads_domain(domain))
        self.find_user(user_id)
        found = [self._group_shown(self.state.groups[id_]) for id_ in self.state.groups_of.get(user_id, ())]
        for group in found:
            links = group.pop("links")
            group |= {"membership_expires_at": None, "links": links}
        return self.listed("groups", filtered(found, "name"))

    @route("PUT", "/v3/groups/<group_id>/users/<user_id>")
    def add_user_to_group(self, group_id: str, user_id: str) -> None:
        """Once more does nothing."""
        self.allow("add_user_to_group")
        self.find_user(user_id)
        self.find_group(group_id)
        self.state.members.setdefault(group_id, {})[user_id] = None
        self.state.groups_of.setdefault(user_id, {})[group_id] = None

    @route("GET", "/v3/groups/<group_id>/users/<user_id>")
    @route("HEAD", "/v3/groups/<group_id>/users/<user_id>")
    def check_user_in_group(self, group_id: str, user_id: str) -> None:
        """Whether it is one of its members."""
        self.allow("check_user_in_group", self.reads_all)
        self._check_member(group_id, user_id)

    @route("DELETE", "/v3/groups/<group_id>/users/<user_id>")
    def remove_user_from_group(self, group_id: str, user_id: str) -> None:
        """A member less."""
        self.allow("remove_user_from_group")
        self._check_member(group_id, user_id)
        del self.state.members[group_id][user_id]
        del self.state.groups_of[user_id][group_id]

    def _check_member(self, group_id: str, user_id: str) -> None:
        self.find_user(user_id)
        self.find_group(group_id)
        if user_id not in self.state.members.get(group_id, ()):
            raise RefusedError(404, f"User '{user_id}' not found in group '{group_id}'")
