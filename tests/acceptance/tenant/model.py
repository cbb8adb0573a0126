"""What was made: ids by short names, the secrets, and the bytes."""

from __future__ import annotations

import dataclasses
from typing import Any

from tests.acceptance.clouds import Account


@dataclasses.dataclass
class Tenant:
    """Everything of one run. The short names (``"web"``, ``"data"``) are used all over the tests."""

    #: Occurs in every name that was made in this run.
    prefix: str
    #: Short name -> id in the source, by kind: "user", "image", "server", ...
    ids: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)
    #: Short name -> the full, awkward name, by kind.
    names: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)
    #: User id in the source -> password.
    passwords: dict[str, str] = dataclasses.field(default_factory=dict, repr=False)
    #: The tenant's people, logged in to the source's project.
    accounts: dict[str, Account] = dataclasses.field(default_factory=dict, repr=False)
    #: Image's short name -> the bytes that were uploaded.
    uploaded: dict[str, bytes] = dataclasses.field(default_factory=dict, repr=False)
    #: Volume's short name -> what was written on it: offset -> bytes; all else is zero.
    written: dict[str, dict[int, bytes]] = dataclasses.field(default_factory=dict, repr=False)
    #: Things whose ids are not wanted by short name.
    notes: dict[str, Any] = dataclasses.field(default_factory=dict)

    def keep(self, kind: str, short: str, made: dict[str, Any], name: str = "name") -> dict[str, Any]:
        """Remember something that was made; gives it back."""
        self.ids.setdefault(kind, {})[short] = made.get("id") or made[name]
        self.names.setdefault(kind, {})[short] = made.get(name) or ""
        return made

    def id(self, kind: str, short: str) -> str:
        """The id in the source."""
        return self.ids[kind][short]

    def name(self, kind: str, short: str) -> str:
        """The full name."""
        return self.names[kind][short]

    @property
    def owner(self) -> Account:
        """Who makes most of the tenant's things."""
        return self.accounts["owner"]

    @property
    def project_id(self) -> str:
        """The tenant's project in the source."""
        return self.id("project", "tenant")

    @property
    def domain(self) -> str:
        """The name of the tenant's domain."""
        return self.name("domain", "own")

    def call(self, rest: str, length: int = 0) -> str:
        """A name with the run's prefix, filled up to ``length`` characters when one is given."""
        name = rest.replace("@", self.prefix)
        return name + "é" * max(0, length - len(name))
