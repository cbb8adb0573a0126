"""Finds in the destination's photograph what stands for a thing of the tenant, by what people would go by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tests.acceptance.clouds import Json
from tests.acceptance.photograph import Photograph
from tests.acceptance.tenant.model import Tenant


class Sides:
    """The tenant as it was in the source, and as it is in the destination."""

    def __init__(self, tenant: Tenant, here: Photograph, there: Photograph) -> None:
        self.tenant, self.source, self.destination = tenant, here, there

    def here(self, kind: str, short: str) -> Json:
        """A thing in the source, by its short name."""
        return self.source[kind][self.tenant.id(kind, short)]

    def there(self, kind: str, short: str) -> Json:
        """Its counterpart; fails the test when there is none, or several."""
        source = self.here(kind, short)
        if kind == "port":
            return self.only(kind, lambda port: port["mac_address"] == source["mac_address"])
        if kind == "subnet":
            return self.only(kind, lambda subnet: subnet["cidr"] == source["cidr"])
        if kind == "security_group":
            project = self.there("project", "tenant")["id"]
            return self.only(kind, lambda g: (g["name"], g["project_id"]) == (source["name"], project))
        if kind == "volume" and source["attachments"]:
            return self._attached(source)
        return self.only(kind, lambda thing: thing["name"] == source["name"])

    def only(self, kind: str, fits: Callable[[Json], bool]) -> Json:
        """The one thing of the destination that fits."""
        found = [thing for thing in self.destination[kind].values() if fits(thing)]
        names = [thing.get("name") for thing in self.destination[kind].values()]
        assert len(found) == 1, f"{len(found)} of the destination's {kind}s fit; there are {names}"
        return found[0]

    def mapped(self, kind: str, id_: str | None) -> str | None:
        """The id in the destination for an id of the source."""
        if id_ is None:
            return None
        shorts = {value: short for short, value in self.tenant.ids.get(kind, {}).items()}
        return str(self.there(kind, shorts[id_])["id"])

    def _attached(self, source: Json) -> Json:
        """An attached volume, nameless ones too: by its server and device."""
        place = source["attachments"][0]
        server = self.mapped("server", place["server_id"])
        return self.only(
            "volume",
            lambda volume: any(
                (a["server_id"], a["device"]) == (server, place["device"]) for a in volume["attachments"]
            ),
        )


def unlike(source: Json, destination: Json, but: Iterable[str] = (), **wanted: Any) -> list[str]:
    """Lines for the fields of the source that the destination shows otherwise.

    ``but`` are fields whose values cannot be the same (ids, times, hosts); ``wanted`` gives what is
    expected in place of the source's own value.
    """
    lines = []
    for field, value in {**source, **wanted}.items():
        if field in but and field not in wanted:
            continue
        if field not in destination:
            lines.append(f"{field}: {value!r} is missing")
        elif destination[field] != value:
            lines.append(f"{field}: {value!r} became {destination[field]!r}")
    return lines
