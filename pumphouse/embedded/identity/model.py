"""Keystone's state, but for the users' passwords, which are in its database."""

from __future__ import annotations

import dataclasses
import unicodedata
from typing import Any, NamedTuple

from pumphouse.embedded.identity.tokens import Token

Json = dict[str, Any]

#: The target of assignments on the system.
SYSTEM = "all"


class Grant(NamedTuple):
    """One role assignment."""

    #: "user" or "group".
    kind: str
    actor: str
    #: "project", "domain" or "system".
    where: str
    target: str
    role: str
    #: Holds in the projects below, and not in the target itself.
    inherited: bool = False


class Grants:
    """All role assignments, by who has them, by where they hold and by the role."""

    def __init__(self) -> None:
        """None yet."""
        self._by: dict[tuple[str, str], dict[Grant, None]] = {}

    def __contains__(self, grant: Grant) -> bool:
        """Whether it is one of them."""
        return grant in self.of(grant.kind, grant.actor)

    def of(self, kind: str, id_: str) -> dict[Grant, None]:
        """Those that have to do with a user, group, project, domain, role or the system; in the order they came."""
        return self._by.get((kind, id_), {})

    def all(self) -> list[Grant]:
        """Each of them."""
        return [grant for (kind, _), grants in self._by.items() if kind == "role" for grant in grants]

    def add(self, grant: Grant) -> None:
        """Once more does nothing."""
        for key in self._keys(grant):
            self._by.setdefault(key, {})[grant] = None

    def remove(self, grant: Grant) -> None:
        """It is there."""
        for key in self._keys(grant):
            del self._by[key][grant]
            if not self._by[key]:
                del self._by[key]

    def forget(self, kind: str, id_: str) -> None:
        """Take away all that have to do with something that is deleted."""
        for grant in list(self.of(kind, id_)):
            self.remove(grant)

    @staticmethod
    def _keys(grant: Grant) -> tuple[tuple[str, str], ...]:
        return (grant.kind, grant.actor), (grant.where, grant.target), ("role", grant.role)


class Names:
    """Which names are taken. MySQL compares them without case, accents and spaces at the end."""

    def __init__(self) -> None:
        """None yet."""
        self._ids: dict[tuple[str, str | None, str], str] = {}

    @staticmethod
    def plain(name: str) -> str:
        """What is equal of equal names."""
        split = unicodedata.normalize("NFD", name.casefold().rstrip(" "))
        return "".join(character for character in split if not unicodedata.combining(character))

    def find(self, kind: str, space: str | None, name: str) -> str | None:
        """Whose name it is. ``space``: the domain, where names are unique in one."""
        return self._ids.get((kind, space, self.plain(name)))

    def put(self, kind: str, space: str | None, name: str, id_: str) -> None:
        """It is this one's from now on."""
        self._ids[kind, space, self.plain(name)] = id_

    def drop(self, kind: str, space: str | None, name: str) -> None:
        """It is nobody's."""
        self._ids.pop((kind, space, self.plain(name)), None)


@dataclasses.dataclass
class State:
    """Resources by id, as the API shows them but for links."""

    #: Domains are projects with ``is_domain``.
    projects: dict[str, Json] = dataclasses.field(default_factory=dict)
    #: Ids of what is right below a project or domain.
    below: dict[str, dict[str, None]] = dataclasses.field(default_factory=dict)
    users: dict[str, Json] = dataclasses.field(default_factory=dict)
    groups: dict[str, Json] = dataclasses.field(default_factory=dict)
    #: group id -> user ids, and the other way round.
    members: dict[str, dict[str, None]] = dataclasses.field(default_factory=dict)
    groups_of: dict[str, dict[str, None]] = dataclasses.field(default_factory=dict)
    roles: dict[str, Json] = dataclasses.field(default_factory=dict)
    #: prior role -> the roles that it implies.
    implied: dict[str, dict[str, None]] = dataclasses.field(default_factory=dict)
    grants: Grants = dataclasses.field(default_factory=Grants)
    names: Names = dataclasses.field(default_factory=Names)
    credentials: dict[str, Json] = dataclasses.field(default_factory=dict)
    application_credentials: dict[str, Json] = dataclasses.field(default_factory=dict)
    trusts: dict[str, Json] = dataclasses.field(default_factory=dict)
    regions: dict[str, Json] = dataclasses.field(default_factory=dict)
    services: dict[str, Json] = dataclasses.field(default_factory=dict)
    endpoints: dict[str, Json] = dataclasses.field(default_factory=dict)
    tokens: dict[str, Token] = dataclasses.field(default_factory=dict)
    tokens_of: dict[str, dict[str, None]] = dataclasses.field(default_factory=dict)
    #: Counts the changes: a token whose roles were found for another number has to be looked at again.
    epoch: int = 0
