"""Sessions, tokens, and the record of what was done."""

from __future__ import annotations

import time
from typing import Any, Literal

from pydantic import Field

from ..paging import PageQuery
from .base import Answer, Body, Listed

Role = Literal["viewer", "operator", "admin"]


class LogIn(Body):
    """What proves who somebody is."""

    token: str = Field(
        min_length=1, max_length=8192, description="A token of ours, or a Keystone token of either cloud"
    )


class Session(Answer):
    """Who is logged in."""

    name: str = Field(description="The token's name, or the user's in the Keystone")
    role: Role
    via: Literal["token", "keystone:source", "keystone:destination"]
    expires: float | None = Field(description="When it ends; null: never (a token without an end)")
    csrf_token: str | None = Field(description="For the header X-CSRF-Token; null without a session's cookie")


class NewToken(Body):
    """A token to be made."""

    name: str = Field(
        min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$", description="Whose it is, or what for"
    )
    role: Role
    expires: float | None = Field(
        None, gt=0, lt=32503680000, description="When it ends (seconds since the epoch); null: never"
    )

    def is_past(self) -> bool:
        """Whether it would be worth nothing."""
        return self.expires is not None and self.expires <= time.time()


class Token(Answer):
    """A token, without its secret."""

    key: str = Field(description="The part that says which one it is: ph_KEY_SECRET")
    name: str
    role: Role
    created: float
    expires: float | None
    used: float | None = Field(description="When it was used last, give or take a minute")
    revoked: float | None


class MadeToken(Token):
    """A token just made."""

    token: str = Field(description="What proves it. It is told here once, and kept nowhere")


class TokenList(Listed):
    """Tokens."""

    items: list[Token]


class AuditEntry(Answer):
    """Something that somebody has done, or tried to."""

    id: int
    time: float
    actor: str = Field(description="Whose name; empty: somebody who was not logged in")
    role: str
    via: str = Field(description="token:KEY, keystone:source, keystone:destination, command")
    address: str
    action: str
    target: str
    text: str = Field(description="All of that as a sentence")
    data: dict[str, Any] = Field(description="What else belongs to it")


class AuditList(Listed):
    """The newest first."""

    items: list[AuditEntry]


class AuditQuery(PageQuery):
    """What of the record is asked for."""

    actor: str | None = Field(None, max_length=256, description="Only of who has this name")
    action: str | None = Field(None, max_length=64, description="Only this; `token.` means all that begin so")
