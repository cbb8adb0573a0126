"""What the checks work with."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator

from pumphouse.clouds.cloud import Cloud
from pumphouse.planning.discovery import Found
from pumphouse.planning.plan import Finding, Item
from pumphouse.resources.base import Wire
from pumphouse.resources.inventory import Inventory

#: Fields in which the types show whose a resource is.
OWNERS = ("tenant_id", "os-vol-tenant-attr:tenant_id", "project_id", "owner")


@dataclasses.dataclass
class Subject:
    """Both clouds, and what the plan says of each resource."""

    here: Inventory
    there: Inventory
    items: list[Item]
    found: Found

    @property
    def source(self) -> Cloud:
        """The source."""
        return self.here.cloud

    @property
    def destination(self) -> Cloud:
        """The destination."""
        return self.there.cloud

    def fresh(self, *types: str) -> Iterator[tuple[Item, Wire]]:
        """What will be made of these types, with what the source shows of it."""
        for item in self.items:
            if item.type in types and item.action == "create":
                yield item, self.found.resources[item.key]

    def flavor(self, server: Wire) -> Wire:
        """A server's flavor; before microversion 2.47 the server itself does not tell its size."""
        own: Wire = server["flavor"]
        return self.found.resources.get(("flavor", own.get("id") or ""), own)

    def item(self, type_: str, id_: str) -> Item | None:
        """What the plan says of a resource."""
        return self._by_key.get((type_, id_))

    @functools.cached_property
    def _by_key(self) -> dict[tuple[str, str], Item]:
        return {item.key: item for item in self.items}

    @functools.cached_property
    def volume_types(self) -> dict[str, str]:
        """Of the destination: id -> name."""
        return {type_.id: type_.name for type_ in self.destination.volume.volume_types.list(is_public=None)}

    def project_name(self, id_: str) -> str:
        """What a project of the source is called."""
        item = self.item("project", id_)
        return item.name if item else id_


def owner(wire: Wire) -> str | None:
    """The project in the source that a resource belongs to."""
    return next((str(wire[field]) for field in OWNERS if wire.get(field)), None)


def whole(level: str, reason: str, remedy: str = "") -> Finding:
    """A finding about a cloud as a whole."""
    return Finding(level, "", "", "", reason, remedy)  # type: ignore[arg-type]


def about(level: str, item: Item, reason: str, remedy: str = "") -> Finding:
    """A finding about one resource."""
    return Finding(level, item.type, item.id, item.name, reason, remedy)  # type: ignore[arg-type]
