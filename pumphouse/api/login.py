"""Who makes the current request: told by an API token, a Keystone token, or the page's cookie."""

from __future__ import annotations

import time

from flask import current_app, request

from ..store import access
from . import limits
from .identity import Identity, nobody
from .keystone import Keystones
from .problems import Problem
from .services import services

#: The page's cookie, and the header that its changes need.
COOKIE, CSRF = "pumphouse_session", "X-CSRF-Token"

#: Seconds that a log-in of the page lasts; not longer than what it was proved by.
LASTS = 12 * 3600.0


def keystones() -> Keystones:
    """The current application's."""
    made: Keystones = current_app.extensions.setdefault("pumphouse.keystones", Keystones(services()))
    return made


def address() -> str:
    """Where the current request comes from."""
    return request.remote_addr or "unknown"


def identify() -> Identity:
    """Who makes the current request. Raises Problem: not-logged-in, bad-credentials, too-many-attempts."""
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        if scheme.lower() != "bearer":
            raise Problem(401, "bad-credentials", "only the scheme Bearer is known", "send Authorization: Bearer TOKEN")
        return _proved(sent.strip(), "bearer token", keystone=False)
    if sent := request.headers.get("X-Auth-Token", ""):
        return _proved(sent, "Keystone token", keystone=True)
    if secret := request.cookies.get(COOKIE):
        login = access.check_session(services().store, secret)
        if login is not None:
            return Identity(login.name, login.role, login.via, address(), secret, login.expires)
    raise Problem(
        401, "not-logged-in", "nobody is logged in", "log in with POST /v1/session, or send Authorization: Bearer TOKEN"
    )


def prove(token: str) -> Identity:
    """Whose token this is, of ours or of a Keystone. Raises Problem: bad-credentials, too-many-attempts."""
    limits.check(services().store, address())
    return _proved(token, "token", keystone=not token.startswith(access.PREFIX))


def begin(who: Identity) -> tuple[Identity, str]:
    """Begin a session of the page; who has it, and the secret for the cookie."""
    expires = min(time.time() + LASTS, who.expires or float("inf"))
    login, secret = access.begin_session(services().store, who.name, who.role, who.via, expires)
    return Identity(login.name, login.role, login.via, who.address, secret, login.expires), secret


def _proved(sent: str, what: str, *, keystone: bool) -> Identity:
    store = services().store
    if keystone:
        # Asking costs a request to a cloud: not for who has failed too often.
        known = keystones().check(sent, lambda: limits.check(store, address()))
        if known is not None:
            return Identity(known.name, known.role, known.via, address(), None, known.expires)
    else:
        token = access.check_token(store, sent)
        if token is not None:
            return Identity(token.name, token.role, f"token:{token.key}", address(), None, token.expires)
    limits.failed(store, nobody(address()), what)
    remedy = "use one that pumphouse-api token create has printed, and that is neither expired nor revoked"
    if keystone and not keystones().roles:
        remedy = "Keystone tokens are accepted only with api.keystone_roles in the configuration; use an API token"
    raise Problem(401, "bad-credentials", f"this {what} is not valid", remedy)
