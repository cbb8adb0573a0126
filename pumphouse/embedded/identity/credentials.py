"""Secrets that Keystone keeps for users (/v3/credentials), and EC2's view of them."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

from flask import request

from pumphouse.embedded.identity.base import conflict, filtered, missing
from pumphouse.embedded.identity.model import Json
from pumphouse.embedded.identity.users import Users
from pumphouse.embedded.identity.wellformed import checked, enough
from pumphouse.embedded.service import RefusedError, body, route

FIELDS = ("id", "user_id", "project_id", "type", "blob")
CHECKS = {"blob": str, "type": str, "user_id": str, "project_id": str}
EC2 = "/v3/users/<user_id>/credentials/OS-EC2"


def ec2_id(access: str) -> str:
    """The id of an EC2 credential comes from its access key."""
    return hashlib.sha256(access.encode()).hexdigest()


class Credentials(Users):
    """Each is its owner's and the administrators'."""

    def _find_credential(self, action: str, id_: str) -> Json:
        found = self.state.credentials.get(id_)
        owner = bool(found) and found["user_id"] == self.token.user_id if found else False
        self.allow(action, owner)
        if found is None:
            raise missing("credential", id_)
        return found

    def _credential_shown(self, credential: Json) -> Json:
        own = {key: value for key, value in credential.items() if key not in FIELDS}
        shown = {**own, **{key: credential.get(key) for key in FIELDS}}
        return {**shown, "links": self.link(f"credentials/{credential['id']}")}

    def _keep_credential(self, credential: Json) -> Json:
        if credential["id"] in self.state.credentials:
            raise conflict("credential", f"Duplicate entry found with ID {credential['id']}")
        self.state.credentials[credential["id"]] = credential
        return credential

    @route("POST", "/v3/credentials")
    def create_credential(self) -> tuple[Json, int]:
        """One's own, or for administrators anybody's."""
        given = body().get("credential", {})
        self.allow("create_credential", given.get("user_id") == self.token.user_id)
        given = checked("credential", given, CHECKS)
        for name in ("blob", "type", "user_id", *(("project_id",) if given.get("type") == "ec2" else ())):
            checked("credential", given, {}, required=name)
        id_ = ec2_id(_access(given["blob"])) if given["type"].lower() == "ec2" else uuid.uuid4().hex
        return {"credential": self._credential_shown(self._keep_credential({**given, "id": id_}))}, 201

    @route("GET", "/v3/credentials")
    def list_credentials(self) -> Json:
        """All that who asks may see."""
        found = filtered(self.state.credentials.values(), "user_id", "type")
        if not self.token.admin:
            found = [one for one in found if one["user_id"] == self.token.user_id]
        return self.paged("credentials", found, self._credential_shown, marked=False)

    @route("GET", "/v3/credentials/<credential_id>")
    def show_credential(self, credential_id: str) -> Json:
        """One."""
        return {"credential": self._credential_shown(self._find_credential("get_credential", credential_id))}

    @route("PATCH", "/v3/credentials/<credential_id>")
    def update_credential(self, credential_id: str) -> Json:
        """Change it."""
        credential = self._find_credential("update_credential", credential_id)
        change = enough("credential", checked("credential", body().get("credential", {}), CHECKS))
        if credential["type"] == "ec2" and "blob" in change:
            _access(change["blob"])
        credential.update(change)
        return {"credential": self._credential_shown(credential)}

    @route("DELETE", "/v3/credentials/<credential_id>")
    def delete_credential(self, credential_id: str) -> None:
        """Remove it."""
        self._find_credential("delete_credential", credential_id)
        del self.state.credentials[credential_id]

    @route("POST", EC2)
    def create_ec2(self, user_id: str) -> tuple[Json, int]:
        """A new pair of keys for a project."""
        self.allow("ec2_create_credential", user_id == self.token.user_id)
        self.find_user(user_id)
        project = (request.get_json(silent=True) or {}).get("tenant_id")
        self.find_project(str(project))
        blob = {"access": uuid.uuid4().hex, "secret": uuid.uuid4().hex, "trust_id": None}
        made = {"user_id": user_id, "project_id": project, "type": "ec2", "blob": json.dumps(blob)}
        return {"credential": self._ec2(self._keep_credential({**made, "id": ec2_id(blob["access"] or "")}))}, 201

    @route("GET", EC2)
    def list_ec2(self, user_id: str) -> Json:
        """All pairs of keys of a user."""
        self.allow("ec2_list_credentials", user_id == self.token.user_id)
        self.find_user(user_id)
        mine = [one for one in self.state.credentials.values() if one["user_id"] == user_id]
        return self.listed("credentials", [self._ec2(one) for one in mine if one["type"] == "ec2"])

    @route("GET", f"{EC2}/<access>")
    def show_ec2(self, user_id: str, access: str) -> Json:
        """One pair, by its access key."""
        return {"credential": self._ec2(self._find_credential("ec2_get_credential", ec2_id(access)))}

    @route("DELETE", f"{EC2}/<access>")
    def delete_ec2(self, user_id: str, access: str) -> None:
        """A pair less."""
        self._find_credential("ec2_delete_credential", ec2_id(access))
        del self.state.credentials[ec2_id(access)]

    def _ec2(self, credential: Json) -> Json:
        blob, user = json.loads(credential["blob"]), credential["user_id"]
        links = self.link(f"users/{user}/credentials/OS-EC2/{blob['access']}")
        shown = {"user_id": user, "tenant_id": credential["project_id"], "access": blob["access"]}
        return {**shown, "secret": blob.get("secret"), "trust_id": blob.get("trust_id"), "links": links}


def _access(blob: str) -> str:
    """The access key in an EC2 credential's secret."""
    try:
        found: Any = json.loads(blob)
    except ValueError:
        raise RefusedError(400, "Invalid blob in credential") from None
    if not isinstance(found, dict) or not isinstance(found.get("access"), str):
        raise RefusedError(
            400,
            "Expecting to find access in credential. The server could not comply with the request since it is either "
            "malformed or otherwise incorrect. The client is assumed to be in error.",
        )
    return found["access"]
