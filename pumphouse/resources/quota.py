"""What quotas of all services have in common: limits of a project that differ from what every project may have.

A limit that is the source's default says nothing of the project, and the destination's own default holds there.
A limit that was set for the project is set in the destination too, -1 (no limit) included.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from pumphouse.clouds.cloud import Cloud
from pumphouse.resources.base import FieldVerdict, Named, ResourceType, Wire, Wires, unnamed
from pumphouse.resources.fields import Field, Lookup
from pumphouse.resources.identity.project import Project
from pumphouse.resources.inventory import Inventory

#: Where the wire form keeps the limits of every project that has none of its own.
DEFAULTS = "defaults"
PROJECT = Project()


class QuotaType(ResourceType):
    """The limits of one project in one service. The project's id stands for it.

    A project whose limits are all the defaults has no such resource.
    """

    unit = "quotas"
    again = True
    home = "id"
    owned = True
    # Releases and backends have limits of their own.
    others: ClassVar[str | None] = "carry"

    # -- the API calls, by each service ---------------------------------------------------------------------
    def read(self, cloud: Cloud, project_id: str, default: bool = False) -> Wire:
        """A project's limits, or those of a project that has none of its own; {} where the service knows none."""
        raise NotImplementedError

    def write(self, cloud: Cloud, project_id: str, limits: Wire) -> None:
        """Set these limits, and leave the others."""
        raise NotImplementedError

    # -- what is the same for all ---------------------------------------------------------------------------
    def name(self, resource: Wire, named: Named = unnamed) -> str:
        """The project's."""
        return named("project", resource["id"])

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """A project's, if it has limits of its own."""
        found = self._read(cloud, scope["project_id"])
        return [found] if any(self.own(found)) else []

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """A project's; None where there is no such project (services tell the defaults for any id)."""
        return self._read(cloud, id_) if PROJECT.get(cloud, id_) else None

    def _read(self, cloud: Cloud, id_: str) -> Wire:
        limits, defaults = self.read(cloud, id_), self.read(cloud, id_, default=True)
        defaults.pop("id", None)
        return {**limits, "id": id_, DEFAULTS: defaults}

    def own(self, resource: Wire) -> Iterator[tuple[Field, Any]]:
        """The limits that are the project's own, and may be carried."""
        defaults = resource.get(DEFAULTS) or {}
        for field in self.every_field(resource):
            if field.how == "carry" and field.name in resource:
                value = resource[field.name]
                if field.name not in defaults or defaults[field.name] != value:
                    yield field, value

    def translate(self, resource: Wire, lookup: Lookup) -> Wire:
        """The project's counterpart, and its own limits."""
        return {"id": lookup("project", resource["id"]), **{field.name: value for field, value in self.own(resource)}}

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """A project that has these limits there; or others of its own, which somebody meant."""
        there = inventory.get(self.type, wanted["id"])
        if there is None:
            return None
        return there if any(self.own(there)) or not self.changes(there, wanted) else None

    def changes(self, there: Wire, wanted: Wire) -> Wire:
        """The limits to set: those that are known in the destination, and not so already."""
        return {name: v for name, v in wanted.items() if name != "id" and name in there and there[name] != v}

    def unknown(self, cloud: Cloud, resource: Wire) -> Wire:
        """Limits of the project's own that a cloud does not know."""
        known = self.read(cloud, cloud.project_id)
        return {field.name: value for field, value in self.own(resource) if field.name not in known}

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """Set the limits that differ."""
        if changes := self.changes(self._read(cloud, wanted["id"]), wanted):
            self.write(cloud, wanted["id"], changes)
        return self._read(cloud, wanted["id"])

    def compare(
        self, source: Wire, destination: Wire, lookup: Lookup, *, later: bool = False
    ) -> Sequence[FieldVerdict]:
        """Each cloud's own defaults are no difference."""
        own = {field.name for field, _ in self.own(source)}
        return [
            self._excused(verdict, own, destination)
            for verdict in super().compare(source, destination, lookup, later=later)
        ]

    def _excused(self, verdict: FieldVerdict, own: set[str], destination: Wire) -> FieldVerdict:
        if verdict.verdict != "differs":
            return verdict
        if verdict.field not in own:
            reason = "not set for the project: each cloud's own default"
            return dataclasses.replace(verdict, verdict="not carried", reason=reason, worth=False)
        if verdict.field not in destination:
            return dataclasses.replace(verdict, verdict="not carried", reason="the destination has no such limit")
        return verdict
