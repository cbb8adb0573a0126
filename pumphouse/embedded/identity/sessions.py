"""Tokens that are out, and what they stand for while things change."""

from __future__ import annotations

from pumphouse.embedded.identity.base import missing, unauthorized
from pumphouse.embedded.identity.effective import Effective
from pumphouse.embedded.identity.model import SYSTEM
from pumphouse.embedded.identity.tokens import Token, now
from pumphouse.embedded.service import RefusedError


class Sessions(Effective):
    """Knows each token."""

    def validate(self, token: str | None) -> Token | None:
        """What a token stands for, if it is good now."""
        try:
            return self.authenticate(token)
        except RefusedError:
            return None

    def authenticate(self, token: str | None) -> Token:
        """The same; Keystone's own API says why not (404) where it is not for want of a role.

        A token of a disabled project is good again when the project is.
        """
        found = self.state.tokens.get(token or "")
        if found is None or found.expires_at <= now():
            raise unauthorized()
        if found.epoch != self.state.epoch:
            self.fill(found)
        return found

    def revoke(self, token: str) -> None:
        """It is not good any more."""
        if found := self.state.tokens.pop(token, None):
            self.state.tokens_of[found.user_id].pop(token, None)

    def revoke_all(self, user_id: str) -> None:
        """All of a user."""
        for token in list(self.state.tokens_of.get(user_id, ())):
            self.revoke(token)

    def fill(self, token: Token) -> None:
        """Names and roles of a token; refuses what is disabled or gone (404), and who may do nothing there (401)."""
        user = self.state.users.get(token.user_id)
        if user is None:
            raise missing("user", token.user_id)
        if not user["enabled"]:
            raise unauthorized()
        self._check_open("domain", user["domain_id"])
        token.user_name, token.user_domain_id = user["name"], user["domain_id"]
        target = self._target(token)
        roles = self.roles_on(token.user_id, *target) if target else {}
        if token.application_credential_id:
            credential = self.state.application_credentials.get(token.application_credential_id)
            allowed = self.implied_by(credential["roles"] if credential else ())
            roles = {id_: role for id_, role in roles.items() if id_ in allowed}
        if target and not roles:
            raise unauthorized()
        token.roles = [{"id": id_, "name": role["name"]} for id_, role in roles.items()]
        token.epoch = self.state.epoch

    def _target(self, token: Token) -> tuple[str, str] | None:
        """What a token is for, with its name as it is now."""
        if token.system:
            return "system", SYSTEM
        if token.domain_id:
            self._check_open("domain", token.domain_id)
            return "domain", token.domain_id
        if token.project_id:
            self._check_open("project", token.project_id)
            project = self.state.projects[token.project_id]
            token.project_name, token.project_domain_id = project["name"], project["domain_id"]
            return "project", token.project_id
        return None

    def _check_open(self, kind: str, id_: str) -> None:
        if id_ not in self.state.projects:
            raise missing(kind, id_)
        if not self.open(id_):
            raise RefusedError(404, f"Unable to validate token because {kind} {id_} is disabled")
