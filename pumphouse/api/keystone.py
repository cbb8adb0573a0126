"""Keystone tokens of either cloud, for whom the configuration has a role."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..store.access import ROLES

if TYPE_CHECKING:
    from .services import Services

#: Seconds that a Keystone's word is kept, and how many of them.
KEPT, MOST = 60.0, 2000


@dataclasses.dataclass(frozen=True)
class Known:
    """What a Keystone says of a token."""

    name: str
    role: str
    #: keystone:source or keystone:destination.
    via: str
    expires: float


class Keystones:
    """Both clouds' Keystones, and what they said lately. Threads share it."""

    def __init__(self, services: Services) -> None:
        """Nothing is asked yet."""
        self._services = services
        self._said: dict[str, tuple[float, Known | None]] = {}
        self._lock = threading.Lock()

    @property
    def roles(self) -> Mapping[str, str]:
        """Keystone role -> ours. Empty: no Keystone token is accepted."""
        return self._services.config.api.keystone_roles

    def check(self, token: str, before: Callable[[], None]) -> Known | None:
        """Whose it is; None for a token that no Keystone knows, or whose roles are not in the configuration.

        ``before`` is called before a cloud is asked, and may raise. Raises what a cloud raises that cannot be asked,
        when the other one does not know the token.
        """
        if not self.roles or not token.isascii() or len(token) > 8192:
            return None
        digest, now = hashlib.sha256(token.encode()).hexdigest(), time.time()
        with self._lock:
            until, known = self._said.get(digest, (0.0, None))
        if until > now:
            return known if known is None or known.expires > now else None
        before()
        known = self._ask(token)
        with self._lock:
            if len(self._said) >= MOST:
                self._said = {key: value for key, value in self._said.items() if value[0] > now}
            if len(self._said) < MOST:
                self._said[digest] = (now + KEPT, known)
        return known

    def _ask(self, token: str) -> Known | None:
        from ..clouds import errors

        failure: Exception | None = None
        for role in ("source", "destination"):
            try:
                access = self._services.clouds.cloud(role).identity.tokens.validate(token, include_catalog=False)
            except Exception as error:
                # 401 is said to tokens that are not even well-formed by some releases.
                if not errors.is_missing(error) and errors.status(error) not in (400, 401):
                    failure = error
                continue
            return self._known(access, role)
        if failure is not None:
            raise failure
        return None

    def _known(self, access: Any, role: str) -> Known | None:
        named = [self.roles[name] for name in access.role_names or () if name in self.roles]
        if not named:
            return None
        name, domain = str(access.username), access.user_domain_name
        if domain and str(access.user_domain_id) != "default":
            name = f"{name}@{domain}"
        return Known(name, max(named, key=ROLES.index), f"keystone:{role}", access.expires.timestamp())
