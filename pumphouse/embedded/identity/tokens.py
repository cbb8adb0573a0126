"""What a token stands for."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import secrets
import uuid
from typing import Any

#: How long a token is good for.
LIFETIME = datetime.timedelta(hours=4)


def now() -> datetime.datetime:
    """In UTC, in whole seconds, as Fernet tokens have it."""
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)


def stamp(moment: datetime.datetime) -> str:
    """As Keystone writes times: "2026-11-25T20:59:44.000000Z"."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def audit_id() -> str:
    """A fresh one."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()


@dataclasses.dataclass
class Token:
    """Who asks, and as what: on a project, on a domain, on the system, or unscoped."""

    user_id: str
    user_name: str
    user_domain_id: str
    methods: list[str]
    project_id: str | None = None
    project_name: str | None = None
    project_domain_id: str | None = None
    domain_id: str | None = None
    system: bool = False
    application_credential_id: str | None = None
    #: {"id": ..., "name": ...}, implied ones included.
    roles: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    id: str = dataclasses.field(default_factory=lambda: f"gAAAAAB{secrets.token_urlsafe(132)}", repr=False)
    audit_ids: list[str] = dataclasses.field(default_factory=lambda: [audit_id()])
    issued_at: datetime.datetime = dataclasses.field(default_factory=now)
    expires_at: datetime.datetime = dataclasses.field(default_factory=lambda: now() + LIFETIME)
    #: The state of Keystone for which the roles were found: see :meth:`Authentication.validate`.
    epoch: int = -1

    @property
    def admin(self) -> bool:
        """Whether it has the administrator's role, wherever."""
        return self.has("admin")

    def has(self, *names: str) -> bool:
        """Whether it has one of these roles."""
        return any(role["name"] in names for role in self.roles)
