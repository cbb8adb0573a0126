"""What users let programs and others do for them: application credentials and trusts."""

from __future__ import annotations

import datetime
import secrets
import uuid

from flask import request

from pumphouse.embedded.identity.base import conflict, filtered, forbidden, missing
from pumphouse.embedded.identity.model import Json
from pumphouse.embedded.identity.roles import Roles
from pumphouse.embedded.identity.users import Users
from pumphouse.embedded.identity.wellformed import checked, text
from pumphouse.embedded.service import RefusedError, body, route

OWN = "/v3/users/<user_id>/application_credentials"


def _moment(given: str | None) -> str | None:
    """A time as it is shown, from one as it was given."""
    if not given:
        return None
    try:
        moment = datetime.datetime.fromisoformat(given)
    except ValueError:
        raise RefusedError(400, "Timestamp not in expected format.") from None
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")


class Delegations(Users, Roles):
    """Both kinds."""

    def _named_role(self, given: Json) -> Json:
        """A role that is named by its id, or by its name among the global ones."""
        id_ = given.get("id") or self.state.names.find("role", None, str(given.get("name")))
        return self.find_role(id_ or str(given.get("name")))

    @route("POST", OWN)
    def create_application_credential(self, user_id: str) -> tuple[Json, int]:
        """For the project and at most the roles of the token; nobody can make one for somebody else."""
        if user_id != self.token.user_id:
            raise forbidden("identity:create_application_credential")
        given = checked(
            "application_credential", body().get("application_credential", {}), {"name": text(255)}, required="name"
        )
        mine = {role["id"] for role in self.token.roles}
        roles = [self._named_role(role)["id"] for role in given.get("roles", ())] or list(mine)
        if not mine.issuperset(roles):
            raise RefusedError(
                400,
                "Invalid application credential: Cannot create an application credential with unassigned role",
            )
        for one in self.state.application_credentials.values():
            if (one["user_id"], one["name"]) == (user_id, given["name"]):
                raise conflict("application_credential", f"Duplicate entry found with name {given['name']}")
        made = {
            "id": uuid.uuid4().hex,
            "name": given["name"],
            "description": given.get("description"),
            "user_id": user_id,
            "project_id": self.token.project_id,
            "system": None,
            "expires_at": _moment(given.get("expires_at")),
            "unrestricted": given.get("unrestricted"),
            "roles": roles,
            "secret": given.get("secret") or secrets.token_urlsafe(64),
        }
        self.state.application_credentials[made["id"]] = made
        shown = self._application_credential_shown(made)
        links = shown.pop("links")
        return {"application_credential": {**shown, "secret": made["secret"], "links": links}}, 201

    def _application_credential_shown(self, found: Json) -> Json:
        roles = [self.show_role_as(self.state.roles[id_]) for id_ in found["roles"] if id_ in self.state.roles]
        for role in roles:
            del role["links"]
        shown = {**{key: value for key, value in found.items() if key != "secret"}, "roles": roles}
        return {**shown, "links": self.link(f"application_credentials/{found['id']}")}

    @route("GET", OWN)
    def list_application_credentials(self, user_id: str) -> Json:
        """Of a user, by themselves or administrators."""
        self.allow("list_application_credentials", self.reads_all, user_id == self.token.user_id)
        mine = [one for one in self.state.application_credentials.values() if one["user_id"] == user_id]
        found = sorted(filtered(mine, "name"), key=lambda one: str(one["id"]))
        return self.listed("application_credentials", map(self._application_credential_shown, found))

    @route("GET", f"{OWN}/<id_>")
    def show_application_credential(self, user_id: str, id_: str) -> Json:
        """One; never with its secret."""
        found = self._find_application_credential("get", user_id, id_)
        return {"application_credential": self._application_credential_shown(found)}

    @route("DELETE", f"{OWN}/<id_>")
    def delete_application_credential(self, user_id: str, id_: str) -> None:
        """Remove it; its tokens end."""
        self._find_application_credential("delete", user_id, id_)
        del self.state.application_credentials[id_]

    def _find_application_credential(self, verb: str, user_id: str, id_: str) -> Json:
        self.allow(f"{verb}_application_credential", user_id == self.token.user_id, verb == "get" and self.reads_all)
        if id_ not in self.state.application_credentials:
            raise missing("Application Credential", id_)
        return self.state.application_credentials[id_]

    @route("POST", "/v3/OS-TRUST/trusts")
    def create_trust(self) -> tuple[Json, int]:
        """Only of one's own rights."""
        given = checked("trust", body().get("trust", {}), {"impersonation": bool}, required="trustor_user_id")
        if given["trustor_user_id"] != self.token.user_id:
            raise forbidden("identity:create_trust")
        project, trustee = given.get("project_id"), self.find_user(given.get("trustee_user_id", ""))
        roles = [self._named_role(role)["id"] for role in given.get("roles", ())]
        if project and not roles:
            raise forbidden("At least one role should be specified")
        if project:
            self.find_project(project)
            has = self.implied_by(grant.role for grant in self.grants_on(self.token.user_id, "project", project))
            if lacking := set(roles) - set(has):
                raise missing("role", lacking.pop())
        made = {
            "id": uuid.uuid4().hex,
            "trustor_user_id": self.token.user_id,
            "trustee_user_id": trustee["id"],
            "project_id": project,
            "impersonation": given.get("impersonation", False),
            "expires_at": (expires := _moment(given.get("expires_at"))) and f"{expires}Z",
            "remaining_uses": given.get("remaining_uses"),
            "deleted_at": None,
            "redelegated_trust_id": None,
            "redelegation_count": given.get("redelegation_count", 0),
            "roles": roles,
        }
        self.state.trusts[made["id"]] = made
        return {"trust": self._trust_shown(made)}, 201

    def _trust_shown(self, trust: Json) -> Json:
        roles = [self.show_role_as(self.state.roles[id_]) for id_ in trust["roles"] if id_ in self.state.roles]
        links = {"self": f"{self.url}/v3/{trust['id']}/roles", "next": None, "previous": None}
        shown = {"roles": roles, **{key: value for key, value in trust.items() if key != "roles"}, "roles_links": links}
        return {**shown, "links": self.link(f"OS-TRUST/trusts/{trust['id']}")}

    @route("GET", "/v3/OS-TRUST/trusts")
    def list_trusts(self) -> Json:
        """All, or those that one has given or got."""
        found = list(self.state.trusts.values())
        side = next((name for name in ("trustor", "trustee") if f"{name}_user_id" in request.args), None)
        if side:
            user_id = request.args[f"{side}_user_id"]
            self.allow(f"list_trusts_for_{side}", self.reads_all, user_id == self.token.user_id)
            found = [trust for trust in found if trust[f"{side}_user_id"] == user_id]
        else:
            self.allow("list_trusts", self.reads_all)
        shown = map(self._trust_shown, found)
        hidden = ("roles", "roles_links")
        return self.listed("trusts", ({k: v for k, v in one.items() if k not in hidden} for one in shown))

    @route("GET", "/v3/OS-TRUST/trusts/<trust_id>")
    def show_trust(self, trust_id: str) -> Json:
        """One; with its roles."""
        trust = self._find_trust(trust_id)
        mine = self.token.user_id in (trust["trustor_user_id"], trust["trustee_user_id"])
        self.allow("get_trust", self.reads_all, mine)
        return {"trust": self._trust_shown(trust)}

    @route("DELETE", "/v3/OS-TRUST/trusts/<trust_id>")
    def delete_trust(self, trust_id: str) -> None:
        """By who gave it."""
        trust = self._find_trust(trust_id)
        self.allow("delete_trust", trust["trustor_user_id"] == self.token.user_id)
        del self.state.trusts[trust_id]

    def _find_trust(self, id_: str) -> Json:
        if id_ not in self.state.trusts:
            raise missing("trust", id_)
        return self.state.trusts[id_]
