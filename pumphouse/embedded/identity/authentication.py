"""Tokens: how they are given, looked at and taken back (/v3/auth/tokens)."""

from __future__ import annotations

from typing import Any

from flask import request

from pumphouse.embedded.identity.base import unauthorized
from pumphouse.embedded.identity.catalogue import Catalogue
from pumphouse.embedded.identity.database import ExpiredError
from pumphouse.embedded.identity.domains import Domains
from pumphouse.embedded.identity.hashing import UnknownHashError
from pumphouse.embedded.identity.model import SYSTEM, Json
from pumphouse.embedded.identity.tokens import Token, stamp
from pumphouse.embedded.service import RefusedError, body, route


class Authentication(Domains, Catalogue):
    """Who may log in, as what."""

    @route("POST", "/v3/auth/tokens", open=True)
    def log_in(self) -> tuple[Json, int, Json]:
        """A token for who proves to be somebody."""
        asked = _asked()
        identity = asked["identity"]
        token = self._identified(identity)
        self._scope(token, asked.get("scope"))
        try:
            self.fill(token)
        except RefusedError:
            raise unauthorized() from None
        self.state.tokens[token.id] = token
        self.state.tokens_of.setdefault(token.user_id, {})[token.id] = None
        catalogue = "nocatalog" not in request.args
        return self._shown(token, catalogue), 201, {"X-Subject-Token": token.id}

    def _identified(self, identity: Json) -> Token:
        """By each of the methods that are given, which must name the same user."""
        methods = identity["methods"]
        tokens = [self._by(method, identity.get(method)) for method in methods]
        if not tokens or len({token.user_id for token in tokens}) > 1:
            raise unauthorized()
        token = tokens[0]
        for other in tokens[1:]:
            token.methods += other.methods
        self._enough(token)
        return token

    def _by(self, method: str, given: Any) -> Token:
        if not isinstance(given, dict):
            raise RefusedError(400, f"Expecting to find {method} in identity. {MALFORMED}")
        if method == "password":
            return self._by_password(given.get("user") or {})
        if method == "token":
            return self._by_token(str(given.get("id")))
        if method == "application_credential":
            return self._by_application_credential(given)
        raise unauthorized()

    def _by_password(self, given: Json) -> Token:
        user = self._user(given)
        forever = bool(user["options"].get("ignore_password_expiry"))
        try:
            right = self.database.verify(user["id"], str(given.get("password")), forever=forever)
        except ExpiredError:
            raise RefusedError(
                401, f"The password is expired and needs to be changed for user: {user['id']}."
            ) from None
        except UnknownHashError:
            raise RefusedError(500, "An unexpected error prevented the server from fulfilling your request.") from None
        if not right:
            raise unauthorized()
        return Token(user["id"], user["name"], user["domain_id"], ["password"])

    def _user(self, given: Json) -> Json:
        """Whom a login names: by id, or by name and domain."""
        id_ = given.get("id")
        if not id_ and given.get("name"):
            id_ = self.state.names.find("user", self._domain(given.get("domain")), given["name"])
        user = self.state.users.get(id_ or "")
        if user is None:
            raise unauthorized()
        return user

    def _domain(self, given: Any) -> str:
        """The id of a domain that is named in one of both ways."""
        if not isinstance(given, dict) or not (given.get("id") or given.get("name")):
            raise RefusedError(400, f"Expecting to find domain in user. {MALFORMED}")
        return given.get("id") or self.state.names.find("domain", None, given["name"]) or ""

    def _by_token(self, id_: str) -> Token:
        old = self.validate(id_)
        if old is None or old.application_credential_id:
            raise unauthorized()
        methods = list(dict.fromkeys([*old.methods, "token"]))
        token = Token(old.user_id, old.user_name, old.user_domain_id, methods, expires_at=old.expires_at)
        token.audit_ids += old.audit_ids[-1:]
        return token

    def _by_application_credential(self, given: Json) -> Token:
        found = self.state.application_credentials.get(str(given.get("id")))
        if found is None and given.get("name"):
            user_id = self._user(given.get("user") or {})["id"]
            mine = (c for c in self.state.application_credentials.values() if c["user_id"] == user_id)
            found = next((c for c in mine if c["name"] == given["name"]), None)
        if found is None or found["secret"] != given.get("secret"):
            raise unauthorized()
        user = self.state.users[found["user_id"]]
        token = Token(user["id"], user["name"], user["domain_id"], ["application_credential"])
        token.project_id, token.application_credential_id = found["project_id"], found["id"]
        return token

    def _enough(self, token: Token) -> None:
        """Whether the methods are enough for who must use several."""
        options, used = self.state.users[token.user_id]["options"], set(token.methods)
        rules = [METHODS.intersection(rule) for rule in options.get("multi_factor_auth_rules") or () if rule]
        if options.get("multi_factor_auth_enabled", True) and rules and not any(rule <= used for rule in rules):
            raise unauthorized()

    def _scope(self, token: Token, scope: Any) -> None:
        """What the token shall be for; without a word, the user's own project."""
        if scope == "unscoped" or token.application_credential_id:
            return
        if scope is None:
            default = self.state.users[token.user_id].get("default_project_id")
            if (
                default in self.state.projects
                and self.open(default)
                and self.roles_on(token.user_id, "project", default)
            ):
                token.project_id = default
        elif "system" in scope:
            token.system = True
        elif "project" in scope:
            token.project_id = self._project(scope["project"])
        elif "domain" in scope:
            token.domain_id = self._domain(scope["domain"])
            if not self.state.projects.get(token.domain_id, {}).get("is_domain"):
                raise unauthorized()

    def _project(self, given: Json) -> str:
        id_ = given.get("id") or self.state.names.find(
            "project", self._domain(given.get("domain")), str(given.get("name"))
        )
        if id_ not in self.state.projects:
            raise unauthorized()
        return str(id_)

    @route("GET", "/v3/auth/tokens")
    @route("HEAD", "/v3/auth/tokens")
    def show_token(self) -> tuple[Json, int, Json]:
        """What one's own or, for administrators, another token stands for."""
        subject = self._subject()
        if subject.user_id != self.token.user_id:
            self.allow("validate_token", self.reads_all)
        return self._shown(subject, "nocatalog" not in request.args), 200, {"X-Subject-Token": subject.id}

    @route("DELETE", "/v3/auth/tokens")
    def log_out(self) -> None:
        """Take a token back."""
        subject = self._subject()
        if subject.user_id != self.token.user_id:
            self.allow("revoke_token")
        self.revoke(subject.id)

    def _subject(self) -> Token:
        given = request.headers.get("X-Subject-Token")
        if not given:
            raise RefusedError(404, "No token in the request")
        if given not in self.state.tokens:
            known = given.startswith("gAAAAAB")
            raise RefusedError(404, "Failed to validate token" if known else "Could not recognize Fernet token")
        try:
            return self.authenticate(given)
        except RefusedError as error:
            raise RefusedError(
                404, error.message if error.status == 404 else f"Could not find token: {given}."
            ) from None

    @route("GET", "/v3/auth/catalog")
    def show_catalogue(self) -> Json:
        """Of the token's project."""
        if not self.token.project_id:
            raise RefusedError(403, "You are not authorized to perform the requested action.")
        return {"catalog": self.catalogue(self.token.project_id), "links": self.link("auth/catalog")}

    @route("GET", "/v3/auth/domains")
    def list_own_domains(self) -> Json:
        """On which who asks has a role."""
        actors = [("user", self.token.user_id)]
        actors += [("group", group) for group in self.state.groups_of.get(self.token.user_id, ())]
        grants = [grant for actor in actors for grant in self.state.grants.of(*actor) if not grant.inherited]
        ids = dict.fromkeys(grant.target for grant in grants if grant.where == "domain" and self.open(grant.target))
        return self.listed("domains", (self.domain_shown(self.state.projects[id_]) for id_ in ids))

    @route("GET", "/v3/auth/system")
    def list_own_systems(self) -> Json:
        """The one system, for who has a role on it."""
        found = [{"all": True}] if self.roles_on(self.token.user_id, "system", SYSTEM) else []
        return {"system": found, "links": self.link("auth/system")}

    def _shown(self, token: Token, catalogue: bool) -> Json:
        """The body that tells of a token."""
        user = {"domain": self._named(token.user_domain_id), "id": token.user_id, "name": token.user_name}
        expires = self.database.expiries([token.user_id]).get(token.user_id)
        shown: Json = {
            "methods": token.methods,
            "user": {**user, "password_expires_at": stamp(expires) if expires else None},
            "audit_ids": token.audit_ids,
            "expires_at": stamp(token.expires_at),
            "issued_at": stamp(token.issued_at),
        }
        if token.domain_id:
            shown["domain"] = self._named(token.domain_id)
        elif token.project_id:
            domain = self._named(token.project_domain_id or "")
            shown["project"] = {"domain": domain, "id": token.project_id, "name": token.project_name}
            shown["is_domain"] = False
        if token.roles:
            shown["roles"] = token.roles
            if token.system:
                shown["system"] = {"all": True}
            if catalogue:
                shown["catalog"] = self.catalogue(token.project_id)
        return {"token": shown}

    def _named(self, domain_id: str) -> Json:
        return {"id": domain_id, "name": self.state.projects[domain_id]["name"]}


#: Methods that Keystone knows without being told of more; others in a user's rules do not count.
METHODS = frozenset({"external", "password", "token", "oauth1", "mapped", "application_credential"})
MALFORMED = (
    "The server could not comply with the request since it is either malformed or otherwise incorrect. "
    "The client is assumed to be in error."
)


def _asked() -> Json:
    """The request for a token, as far as it is well formed."""
    try:
        asked = body("auth")
    except RefusedError:
        raise RefusedError(400, f"Expecting to find auth in request body. {MALFORMED}") from None
    identity = asked.get("identity")
    if not isinstance(identity, dict) or not isinstance(identity.get("methods"), list):
        raise RefusedError(400, "'identity' is a required property")
    return asked
