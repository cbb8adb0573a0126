"""Who may use the API: tokens and sessions. Of both only digests are kept; a lost one cannot be read from here."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import secrets
import time

import sqlalchemy as sa
from sqlalchemy.orm import Session

from . import models
from .store import Store

#: What somebody may: read; change migrations; delete a source, give tokens, read the audit. Each includes those before.
ROLES = ("viewer", "operator", "admin")
#: How a token of ours begins, so that it is known for one (by scanners for secrets, too).
PREFIX = "ph_"
#: Seconds between two notes that a token was used.
NOTED_EVERY = 60.0


@dataclasses.dataclass(frozen=True)
class Token:
    """An API token, without its secret."""

    key: str
    name: str
    role: str
    created: float
    expires: float | None
    used: float | None
    revoked: float | None


@dataclasses.dataclass(frozen=True)
class Login:
    """Somebody's session."""

    name: str
    role: str
    #: token:KEY, keystone:source, keystone:destination.
    via: str
    created: float
    expires: float


def create_token(store: Store, name: str, role: str, expires: float | None = None) -> tuple[Token, str]:
    """A new token, and what is to be sent to prove it: that is told once, and kept nowhere. ``expires``: epoch."""
    if role not in ROLES:
        raise ValueError(role)
    key, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    row = {
        "key": key,
        "name": name,
        "role": role,
        "digest": _digest(secret),
        "created": time.time(),
        "expires": expires,
    }
    store.write(lambda session: session.execute(sa.insert(models.Token), [row]))
    return Token(key, name, role, row["created"], expires, None, None), f"{PREFIX}{key}_{secret}"  # type: ignore[arg-type]


def tokens(store: Store) -> list[Token]:
    """All there are, revoked ones too, oldest first."""
    query = sa.select(models.Token).order_by(models.Token.id)
    return store.read(lambda session: [_token(row) for row in session.scalars(query)])


def revoke_token(store: Store, key: str) -> bool:
    """It is worth nothing any more, nor are the sessions that were begun with it. Whether there is such a token."""
    row = models.Token

    def work(session: Session) -> bool:
        session.execute(sa.delete(models.Login).where(models.Login.via == f"token:{key}"))
        change = sa.update(row).where(row.key == key).values(revoked=sa.func.coalesce(row.revoked, time.time()))
        return bool(session.execute(change).rowcount)  # type: ignore[attr-defined]

    return store.write(work)


def check_token(store: Store, sent: str) -> Token | None:
    """The token that this proves; None for what is no token, or no longer."""
    key, _, secret = sent.removeprefix(PREFIX).partition("_")
    if not sent.startswith(PREFIX) or not secret:
        return None
    row, now = models.Token, time.time()
    found = store.read(lambda session: session.execute(sa.select(row).where(row.key == key)).scalar_one_or_none())
    # Without a row the same is computed, so that the time tells nothing.
    same = hmac.compare_digest(found.digest if found else _digest(""), _digest(secret))
    if found is None or not same or found.revoked or (found.expires and found.expires < now):
        return None
    if not found.used or now - found.used > NOTED_EVERY:
        store.write(lambda session: session.execute(sa.update(row).where(row.key == key).values(used=now)))
    return _token(found)


def begin_session(store: Store, name: str, role: str, via: str, expires: float) -> tuple[Login, str]:
    """A new session, and the secret for its cookie. Those that have expired are removed on the way."""
    secret, now = secrets.token_urlsafe(32), time.time()
    login = models.Login
    row = {"digest": _digest(secret), "name": name, "role": role, "via": via, "created": now, "expires": expires}

    def work(session: Session) -> None:
        session.execute(sa.delete(login).where(login.expires < now))
        session.execute(sa.insert(login), [row])

    store.write(work)
    return Login(name, role, via, now, expires), secret


def check_session(store: Store, secret: str) -> Login | None:
    """The session of a cookie, if it still is one."""
    row = models.Login
    query = sa.select(row).where(row.digest == _digest(secret), row.expires > time.time())

    def look(session: Session) -> Login | None:
        found = session.scalar(query)
        if found is None:
            return None
        return Login(found.name, found.role, found.via, found.created, found.expires)

    return store.read(look)


def end_session(store: Store, secret: str) -> None:
    """Log out."""
    store.write(lambda session: session.execute(sa.delete(models.Login).where(models.Login.digest == _digest(secret))))


def csrf_token(secret: str) -> str:
    """What the page must send with every change: only who can read our answers can know it."""
    return hmac.new(secret.encode(), b"csrf", hashlib.sha256).hexdigest()


def _digest(secret: str) -> str:
    # 256 random bits need no slow hash.
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(row: models.Token) -> Token:
    return Token(row.key, row.name, row.role, row.created, row.expires, row.used, row.revoked)
