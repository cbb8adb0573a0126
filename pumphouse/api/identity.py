"""Who makes a request, and the record of what was done: an audit event of everything that changes something."""

from __future__ import annotations

import dataclasses
import ipaddress
from typing import Any

from ..store import Store, events, models
from ..store.access import ROLES


@dataclasses.dataclass(frozen=True)
class Identity:
    """Who makes a request."""

    #: The token's name, or the user's in a Keystone.
    name: str
    #: viewer, operator, admin; empty: nobody.
    role: str
    #: token:KEY, keystone:source, keystone:destination; empty: nobody.
    via: str
    #: Where the request comes from, as far as proxies that are trusted say.
    address: str
    #: The secret of the session, where the page's cookie was sent: then changes need its CSRF token.
    session: str | None = dataclasses.field(default=None, repr=False)
    #: When the proof expires; None: never.
    expires: float | None = None

    @property
    def actor(self) -> str:
        """Unlike all others: two tokens may have the same name."""
        return f"{self.via}/{self.name}"[: models.ACTOR]

    @property
    def kind(self) -> str:
        """How they proved it: token, keystone:source, keystone:destination."""
        return self.via if self.via.startswith("keystone:") else self.via.partition(":")[0]

    def may(self, role: str) -> bool:
        """Whether they are of this role, or one that includes it."""
        return self.role in ROLES and ROLES.index(self.role) >= ROLES.index(role)


def nobody(address: str) -> Identity:
    """Who has not proved anything."""
    return Identity("", "", "", address)


def record(store: Store, who: Identity, action: str, target: str = "", **data: Any) -> None:
    """Write down that somebody did something (`plan.create`, to `plan 7`). ``data`` is JSON, and holds no secrets."""
    text = f"{who.name or 'somebody'} from {who.address}: {action} {target}".rstrip()
    facts = {"actor": who.name, "role": who.role, "via": who.via, "address": who.address}
    events.add(store, events.AUDIT, text, data={**facts, "action": action, "target": target, **data})


def network(address: str) -> str:
    """What one caller is known by: of IPv6 the /64, as anybody has as many addresses as they like in theirs."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((int(found) >> 64 << 64, 64)))
    return str(found)
