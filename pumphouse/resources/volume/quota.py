"""Limits of a project's volumes (Block Storage API v3, ``/os-quota-sets/{project}``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing
from pumphouse.resources.base import FieldVerdict, Wire
from pumphouse.resources.fields import Lookup, carry, refer, report
from pumphouse.resources.quota import DEFAULTS, QuotaType

#: What is limited for each volume type too: "gigabytes_TYPE".
BY_TYPE = ("volumes", "gigabytes", "snapshots")
#: Where the wire form keeps those limits: [{"id": a volume type's, "gigabytes": ...}].
TYPES_OF = "volume_types"


class VolumeQuota(QuotaType):
    """What a project may have of volumes, where that differs from the default; -1 is no limit."""

    type = "volume_quota"
    fields = (
        refer("id", "project", "whose limits they are", match=True),
        carry("volumes", "volumes"),
        carry("gigabytes", "GiB of volumes and snapshots"),
        carry("per_volume_gigabytes", "GiB of each volume"),
        carry("snapshots", "snapshots"),
        carry("backups", "backups"),
        carry("backup_gigabytes", "GiB of backups"),
        carry("groups", "volume groups"),
        refer(
            TYPES_OF,
            "volume_type",
            "limits by type: `volumes_TYPE`, `gigabytes_TYPE`, `snapshots_TYPE`",
            at="*.id",
        ),
        report(DEFAULTS, "each cloud has its own defaults"),
    )

    def read(self, cloud: Cloud, project_id: str, default: bool = False) -> Wire:
        """GET; what is limited by type is told by the type's id."""
        quotas = cloud.volume.quotas
        found: Any = quotas.defaults(project_id) if default else quotas.get(project_id)
        limits = dict(found.to_dict())
        types = []
        for type_ in cloud.volume.volume_types.list(is_public=None):
            names = {what: f"{what}_{type_.name}" for what in BY_TYPE}
            its = {what: limits.pop(name) for what, name in names.items() if name in limits}
            if its:
                types.append({"id": type_.id, **its})
        return {**limits, TYPES_OF: types}

    def by_type(self, resource: Wire) -> list[Wire]:
        """The limits by type that are the project's own."""
        usual = {entry["id"]: entry for entry in (resource.get(DEFAULTS) or {}).get(TYPES_OF, ())}
        found = []
        for entry in resource.get(TYPES_OF) or ():
            other = usual.get(entry["id"], {})
            own = {name: v for name, v in entry.items() if name != "id" and other.get(name, -1) != v}
            if own:
                found.append({"id": entry["id"], **own})
        return found

    def own(self, resource: Wire) -> Iterator[tuple[Any, Any]]:
        """Those by type too."""
        yield from super().own(resource)
        if types := self.by_type(resource):
            yield next(field for field in self.fields if field.name == TYPES_OF), types

    def references(self, resource: Wire) -> Iterator[tuple[str, str]]:
        """The project, and the types for which it has limits of its own."""
        yield from super().references({"id": resource["id"], TYPES_OF: self.by_type(resource)})

    def translate(self, resource: Wire, lookup: Lookup) -> Wire:
        """By the destination's types."""
        wanted = super().translate(resource, lookup)
        if types := wanted.get(TYPES_OF):
            wanted[TYPES_OF] = [{**entry, "id": lookup("volume_type", entry["id"])} for entry in types]
        return wanted

    def changes(self, there: Wire, wanted: Wire) -> Wire:
        """A limit by type is compared by itself."""
        changes = super().changes(there, {name: value for name, value in wanted.items() if name != TYPES_OF})
        now = {entry["id"]: entry for entry in there.get(TYPES_OF) or ()}
        types = []
        for entry in wanted.get(TYPES_OF) or ():
            other = now.get(entry["id"], {})
            if different := {name: v for name, v in entry.items() if name != "id" and other.get(name) != v}:
                types.append({"id": entry["id"], **different})
        return {**changes, TYPES_OF: types} if types else changes

    def write(self, cloud: Cloud, project_id: str, limits: Wire) -> None:
        """PUT."""
        flat = {name: value for name, value in limits.items() if name != TYPES_OF}
        names = {type_.id: type_.name for type_ in cloud.volume.volume_types.list(is_public=None)}
        for entry in limits.get(TYPES_OF, ()):
            flat |= {f"{what}_{names[entry['id']]}": value for what, value in entry.items() if what != "id"}
        cloud.volume.quotas.update(project_id, **flat)

    def delete(self, cloud: Cloud, id_: str) -> None:
        """DELETE: the defaults hold again."""
        with ignore_missing():
            cloud.volume.quotas.delete(id_)

    def compare(
        self, source: Wire, destination: Wire, lookup: Lookup, *, later: bool = False
    ) -> Sequence[FieldVerdict]:
        """Of the limits by type those that are the project's own, each with what the destination shows."""
        own = self.by_type(source)
        there = {entry["id"]: entry for entry in destination.get(TYPES_OF) or ()}
        shown = []
        for entry in own:
            other = lookup("volume_type", entry["id"])
            now = there.get(other or "", {})
            shown.append({"id": other, **{name: now.get(name) for name in entry if name != "id"}})
        return super().compare({**source, TYPES_OF: own}, {**destination, TYPES_OF: shown}, lookup, later=later)
