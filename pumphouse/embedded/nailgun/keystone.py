"""The log-in: Keystone's v2.0 and, after 6.0, v3, below /keystone as Fuel's web server has them."""

from __future__ import annotations

import datetime
import secrets
from typing import Any

from flask import Response, jsonify

from pumphouse.embedded.nailgun.master import USER, Master, Part
from pumphouse.embedded.nailgun.wording import sent
from pumphouse.embedded.service import RefusedError, route


class Keystone(Part):
    """Tokens for the one account that there is."""

    root = "/keystone"

    def __init__(self, master: Master, password: str) -> None:
        """``password``: of ``admin``."""
        super().__init__(master)
        self._password = password
        self._tokens: set[str] = set()

    def validate(self, token: str | None) -> None:
        """Refuses what is no token of ours."""
        if token not in self._tokens:
            raise RefusedError(401, "Unauthorized")

    def revoke(self, token: str) -> None:
        """Not valid any more."""
        self._tokens.discard(token)

    def _issue(self, user: Any, password: Any) -> str:
        if user != USER or password != self._password:
            raise RefusedError(401, "Unauthorized")
        token = f"token{secrets.token_hex(8)}"
        self._tokens.add(token)
        return token

    @route("POST", "/v2.0/tokens", open=True)
    def version_2(self) -> Any:
        """With a password."""
        try:
            who = sent()["auth"]["passwordCredentials"]
            token = self._issue(who["username"], who["password"])
        except (KeyError, TypeError):
            raise RefusedError(400, "Malformed request") from None
        issued, expires = _times()
        tenant = {"id": "12345", "name": "admin", "enabled": True, "description": None}
        return {
            "access": {
                "token": {"id": token, "issued_at": issued, "expires": expires, "tenant": tenant},
                "serviceCatalog": [],
                "user": {"id": "9876", "name": USER, "username": USER, "roles_links": [], "roles": [{"name": "admin"}]},
                "metadata": {"is_admin": 0, "roles": ["4567"]},
            }
        }

    @route("POST", "/v3/auth/tokens", open=True)
    def version_3(self) -> Any:
        """With a password; the token is in the answer's headers."""
        if not self.flavour.later:
            raise RefusedError(404, "not found")
        try:
            who = sent()["auth"]["identity"]["password"]["user"]
            token = self._issue(who["name"], who["password"])
        except (KeyError, TypeError):
            raise RefusedError(400, "Malformed request") from None
        issued, expires = _times()
        domain = {"id": "123", "name": "fuel"}
        body = {"methods": ["password"], "issued_at": issued, "expires_at": expires, "roles": [{"name": "admin"}],
                "project": {"id": "456", "name": "admin", "domain": domain}, "catalog": [],
                "user": {"id": "789", "name": USER, "domain": domain}}  # fmt: skip
        response: Response = jsonify({"token": body})
        response.headers["X-Subject-Token"] = token
        return response

    @route("GET", "/v2.0", open=True)
    def says_version_2(self) -> Any:
        """That it speaks v2.0."""
        return {"version": {"id": "v2.0", "status": "stable"}}


def _times() -> tuple[str, str]:
    now = datetime.datetime.now(datetime.UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%S.%f"), (now + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
