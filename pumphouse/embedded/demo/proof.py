"""What the tenant's people find in the new cloud: their old passwords are all that they bring."""

from __future__ import annotations

from collections.abc import Iterator

from pumphouse.embedded.demo.account import Account, Json
from pumphouse.embedded.demo.acme import password
from pumphouse.errors import UsageError


def prove(source: Account, destination: Account, domain: str = "") -> Iterator[str]:
    """Lines that tell who is let in, and what alice sees. ``domain``: its name; default: the last that was filled."""
    old = _last(source, domain)
    new = next(iter(destination.identity.list("/domains", "domains", name=old["name"])), None)
    if new is None:
        raise UsageError(f"the domain {old['name']} is not in the new cloud: move its tenant acme first")
    (project,) = destination.identity.list("/projects", "projects", domain_id=new["id"])
    for user in destination.identity.list("/users", "users", domain_id=new["id"]):
        account = destination.person(user["id"], password(old["id"], user["name"]), project["id"])
        disabled = "" if user["enabled"] else " (disabled)"
        yield f"{user['name']}{disabled} {'logs in with the old password' if account.is_let_in() else 'is not let in'}"
        if user["name"] == "alice":
            yield from map(
                _one_line, account.compute.list("/servers/detail", "servers", limit=5, sort_key="created_at")
            )


def _last(source: Account, domain: str) -> Json:
    """The domain of this name, or the newest."""
    domains = source.identity.list("/domains", "domains")
    filled = [one for one in domains if domain in ("", one["name"]) and one["name"].startswith("acme-")]
    if not filled:
        raise UsageError(f"the old cloud has no domain {domain or 'acme-...'}: fill one first")
    return max(filled, key=lambda one: str(one["name"]))


def _one_line(server: Json) -> str:
    addresses = [entry["addr"] for entries in server["addresses"].values() for entry in entries]
    return f"  {server['name']:8} {server['status']:8} {', '.join(addresses)}"
