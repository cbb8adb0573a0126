"""Users (/v3/users). Their passwords are in the database."""

from __future__ import annotations

import datetime
import operator
import uuid
from collections.abc import Callable
from typing import Any

from flask import request

from pumphouse.embedded.identity.base import before, conflict, filtered, missing, since, unauthorized
from pumphouse.embedded.identity.database import ExpiredError
from pumphouse.embedded.identity.model import Json
from pumphouse.embedded.identity.projects import Projects, with_options
from pumphouse.embedded.identity.tokens import stamp
from pumphouse.embedded.identity.wellformed import Check, checked, enough, nullable, options, text
from pumphouse.embedded.service import RefusedError, body, route

#: Fields that are Keystone's own; all others are kept as they are given ("extra").
FIELDS = ("id", "name", "domain_id", "enabled", "default_project_id", "options")
#: What is given and not kept.
DROPPED = ("password", "password_expires_at", "federated", "links", "original_password")
OPTIONS = (
    "ignore_change_password_upon_first_use",
    "ignore_password_expiry",
    "ignore_lockout_failure_attempts",
    "lock_password",
    "ignore_user_inactivity",
    "multi_factor_auth_enabled",
    "multi_factor_auth_rules",
)
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


CHECKS: dict[str, Check] = {
    "name": text(255),
    "domain_id": text(64),
    "enabled": bool,
    "password": nullable(str),
    "description": nullable(str),
    "default_project_id": nullable(str),
    "options": options(*OPTIONS),
}


class Users(Projects):
    """People and programs."""

    def find_user(self, id_: str) -> Json:
        """Refuses (404) who is not there."""
        if id_ not in self.state.users:
            raise missing("user", id_)
        return self.state.users[id_]

    def make_user(self, given: Json) -> Json:
        """A user with the fields and, if there is one, the password that are given."""
        user: Json = {"id": uuid.uuid4().hex, "name": given["name"].strip(), "domain_id": given["domain_id"]}
        if not self.state.projects.get(user["domain_id"], {}).get("is_domain"):
            raise missing("domain", user["domain_id"])
        self._check_default_project(given)
        self._take_user_name(user, user["name"])
        user["enabled"] = given.get("enabled", True)
        if given.get("default_project_id"):
            user["default_project_id"] = given["default_project_id"]
        user["options"] = self._in_order(given.get("options", {}))
        user |= {key: value for key, value in given.items() if key not in (*FIELDS, *DROPPED)}
        self.state.users[user["id"]] = user
        self.database.add(user, extra(user), given.get("password"))
        return user

    def _check_default_project(self, given: Json) -> None:
        default = given.get("default_project_id")
        if self.state.projects.get(default or "", {}).get("is_domain"):
            raise RefusedError(400, f"User's default project ID cannot be a domain ID: {default}")

    def _take_user_name(self, user: Json, name: str) -> None:
        domain = user["domain_id"]
        if self.state.names.find("user", domain, name) not in (None, user["id"]):
            where = "" if user["id"] in self.state.users else f" at domain ID {domain}"
            raise conflict("user", f"Duplicate entry found with name {name}{where}")
        self.state.names.drop("user", domain, user["name"])
        self.state.names.put("user", domain, name, user["id"])

    @staticmethod
    def _in_order(options: Json) -> Json:
        return {name: options[name] for name in OPTIONS if options.get(name) is not None}

    def remove_user(self, user: Json) -> None:
        """Forget a user and all that is theirs."""
        id_ = user["id"]
        del self.state.users[id_]
        self.revoke_all(id_)
        self.state.names.drop("user", user["domain_id"], user["name"])
        self.state.grants.forget("user", id_)
        for group in self.state.groups_of.pop(id_, ()):
            self.state.members[group].pop(id_)
        for table in (self.state.credentials, self.state.application_credentials):
            for one in [key for key, value in table.items() if value["user_id"] == id_]:
                del table[one]
        for one in [key for key, trust in self.state.trusts.items() if id_ in _of(trust)]:
            del self.state.trusts[one]
        self.database.delete(id_)

    def show_user_as(self, user: Json, expiries: dict[str, datetime.datetime]) -> Json:
        """As it is listed."""
        expires = expiries.get(user["id"])
        own = {name: user[name] for name in FIELDS if name in user}
        options = own.pop("options")
        expiry = {"password_expires_at": stamp(expires).removesuffix("Z") if expires else None}
        return {**extra(user), **own, **expiry, "options": options, "links": self.link(f"users/{user['id']}")}

    def show_users(self, users: list[Json]) -> list[Json]:
        """As they are listed."""
        expiries = self.database.expiries(None if len(users) > 50 else [user["id"] for user in users])
        return [self.show_user_as(user, expiries) for user in users]

    @route("POST", "/v3/users")
    def create_user(self) -> tuple[Json, int]:
        """A user, of the asker's domain unless told."""
        self.allow("create_user")
        given = checked("user", body().get("user", {}), CHECKS, required="name")
        given["domain_id"] = given.get("domain_id") or self.own_domain
        return {"user": self.show_users([self.make_user(given)])[0]}, 201

    @property
    def own_domain(self) -> str:
        """Where things are made that say no domain."""
        return self.token.domain_id or self.token.project_domain_id or "default"

    @route("GET", "/v3/users")
    def list_users(self) -> Json:
        """All, or those that the query asks for."""
        self.allow("list_users", self.reads_all, self.reads_domain(self.token.domain_id))
        found = list(self.state.users.values())
        if self.token.domain_id and not self.token.system:
            found = [user for user in found if user["domain_id"] == self.token.domain_id]
        found = filtered(found, "domain_id", "enabled", "name")
        expiries = self.database.expiries()
        if asked := request.args.get("password_expires_at"):
            expiring = self.database.ever_expiring(_expiring(asked))
            found = [user for user in found if user["id"] in expiring]
        return self.paged("users", found, lambda user: self.show_user_as(user, expiries))

    @route("GET", "/v3/users/<user_id>")
    def show_user(self, user_id: str) -> Json:
        """One; everybody may know what is known of themselves."""
        domain = self.state.users.get(user_id, {}).get("domain_id")
        self.allow("get_user", self.reads_all, user_id == self.token.user_id, self.reads_domain(domain))
        return {"user": self.show_users([self.find_user(user_id)])[0]}

    @route("PATCH", "/v3/users/<user_id>")
    def update_user(self, user_id: str) -> Json:
        """Change it. A new password, or being disabled, ends its tokens."""
        self.allow("update_user")
        change = enough("user", checked("user", body().get("user", {}), CHECKS))
        user = self.find_user(user_id)
        if change.get("domain_id", user["domain_id"]) != user["domain_id"]:
            raise RefusedError(400, "Cannot change Domain ID")
        self._check_default_project(change)
        if "name" in change:
            change["name"] = change["name"].strip()
            self._take_user_name(user, change["name"])
        if "options" in change:
            change["options"] = self._in_order(with_options(user["options"], change["options"]))
        user.update({key: value for key, value in change.items() if key not in DROPPED})
        if user.get("default_project_id", "") is None:
            del user["default_project_id"]
        self.database.change(user, extra(user))
        if change.get("password") is not None:
            self.database.set_password(user_id, change["password"])
        if change.get("password") is not None or not user["enabled"]:
            self.revoke_all(user_id)
        shown = self.show_users([user])[0]
        return {"user": {**before(shown, "options"), "extra": extra(user), **since(shown, "options")}}

    @route("DELETE", "/v3/users/<user_id>")
    def delete_user(self, user_id: str) -> None:
        """Remove it."""
        self.allow("delete_user")
        self.remove_user(self.find_user(user_id))

    @route("POST", "/v3/users/<user_id>/password", open=True)
    def change_password(self, user_id: str) -> None:
        """By who knows the old one, also when that has expired."""
        given = checked("user", body("user"), {"password": str, "original_password": str}, required="password")
        user = self.state.users.get(user_id)
        try:
            right = user is not None and self.database.verify(user_id, str(given.get("original_password")))
        except ExpiredError:
            right = True
        if user is None or not right or not user["enabled"]:
            raise unauthorized()
        if user["options"].get("lock_password"):
            raise RefusedError(
                400,
                "You cannot change your password at this time due to password policy disallowing password changes. "
                "Please contact your administrator to reset your password.",
            )
        self.database.set_password(user_id, given["password"], self_service=True)
        self.revoke_all(user_id)

    @route("GET", "/v3/users/<user_id>/projects")
    def list_projects_of_user(self, user_id: str) -> Json:
        """Where the user may do something."""
        domain = self.state.users.get(user_id, {}).get("domain_id")
        mine = user_id == self.token.user_id
        self.allow("list_user_projects", self.reads_all, mine, self.reads_domain(domain))
        self.find_user(user_id)
        found = [self.state.projects[id_] for id_ in self.projects_of(user_id)]
        return self.listed("projects", map(self.show_project_as, filtered(found, "enabled", "name")))

    @route("GET", "/v3/auth/projects")
    def list_own_projects(self) -> Json:
        """Where who asks may work."""
        found = [self.state.projects[id_] for id_ in self.projects_of(self.token.user_id) if self.open(id_)]
        return self.listed("projects", map(self.show_project_as, found))


def extra(user: Json) -> Json:
    """What is kept of a user though it means nothing to Keystone."""
    return {key: value for key, value in user.items() if key not in FIELDS}


def _of(trust: Json) -> tuple[str, str]:
    return trust["trustor_user_id"], trust["trustee_user_id"]


def _expiring(asked: str) -> Callable[[datetime.datetime], bool]:
    """Whether a time is "lt:2026-11-25T21:00:00Z" or the like; "eq" where nothing is said."""
    how, when = asked.split(":", 1) if asked[:1].isalpha() else ("eq", asked)
    if how not in COMPARISONS:
        raise RefusedError(
            400,
            f"The given operator {how} is not valid. It must be one of the following: "
            "'eq', 'neq', 'lt', 'lte', 'gt', or 'gte'.",
        )
    try:
        moment = datetime.datetime.fromisoformat(when).replace(tzinfo=datetime.UTC)
    except ValueError:
        raise RefusedError(400, "Timestamp not in expected format.") from None
    return lambda expires: COMPARISONS[how](expires, moment)
