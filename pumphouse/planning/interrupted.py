"""Servers that an earlier migration stopped and has not let run again: they are not as their owners left them."""

from __future__ import annotations

from collections.abc import Iterator

from pumphouse.planning.discovery import Found
from pumphouse.planning.plan import Finding, Item
from pumphouse.store import notes
from pumphouse.store.store import Store


def interrupted(items: list[Item], found: Found, store: Store) -> Iterator[Finding]:
    """Moved now, such a server would stay off in the destination, too."""
    servers = [item for item in items if item.type == "server" and item.action == "create"]
    before = notes.all_of(store, notes.BEFORE, "server") if servers else {}
    for item in servers:
        migration, noted = before.get(item.id, (0, {}))
        now = found.resources[item.key]["status"]
        if noted.get("status", now) != now:
            yield Finding(
                "blocks",
                item.type,
                item.id,
                item.name,
                f"is {now} only because migration {migration} stopped it and was interrupted: it was {noted['status']}",
                f"resume migration {migration}, or cancel it, which lets the server run again",
            )
