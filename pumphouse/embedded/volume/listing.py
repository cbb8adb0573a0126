"""Lists of volumes and snapshots: which, in which order, on which page."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from pumphouse.embedded.service import RefusedError
from pumphouse.embedded.volume.base import TRUE, Base
from pumphouse.embedded.volume.state import Json

MAX_LIMIT = 1000
#: Kind -> filters that everybody may use; administrators may use every field.
FILTERS = {
    "volume": (
        "name", "status", "metadata", "bootable", "migration_status", "availability_zone", "group_id", "size",
        "created_at", "updated_at", "consumes_quota",
    ),
    "snapshot": ("name", "status", "volume_id", "metadata", "availability_zone", "consumes_quota"),
    "attachment": ("volume_id", "status", "instance_id", "attach_status"),
    "message": ("resource_uuid", "resource_type", "event_id", "request_id", "message_level"),
    "backup": ("name", "status", "volume_id"),
    "group": ("name",),
}  # fmt: skip
#: Fields that all have in common here.
COMMON = {"consumes_quota": True, "group_id": None}
COMPARISONS = ("gt", "gte", "eq", "neq", "lt", "lte")


@dataclasses.dataclass
class Page:
    """What is shown of a list."""

    records: list[Json]
    #: Links to the next page, if there may be one.
    links: list[Json]
    #: How many there are on all pages, where that is asked for.
    count: int | None


class Lists(Base):
    """The part of the service that lists build on."""

    def listed(
        self, kind: str, path: str, records: Iterable[Json], args: MultiDict[str, str], everybody: bool = False
    ) -> Page:
        """The page of ``records`` that is asked for.

        Those of other projects are shown to administrators who say so, or to ``everybody``.
        """
        query = args.copy()
        limit, offset = _number(query, "limit", MAX_LIMIT), _number(query, "offset", 0)
        marker, keys = query.pop("marker", None), _sorting(query)
        counted = str(query.pop("with_count", "")).lower() in TRUE and self.since(45)
        everywhere = query.pop("all_tenants", "").lower() in TRUE and self.token.admin
        if not (everybody or everywhere):
            records = (record for record in records if record["project_id"] == self.token.project_id)
        found = self._filtered(kind, records, query)
        for key, descending in reversed(keys):
            found.sort(key=lambda record: (record.get(key) is not None, record.get(key)), reverse=descending)
        count = len(found) if counted else None
        if marker:
            found = found[_after(found, marker, kind) :]
        shown = found[offset : offset + min(limit, MAX_LIMIT)]
        links = []
        if shown and min(limit, MAX_LIMIT) <= len(shown):
            left = urlencode(
                [*((k, v) for k, v in args.items(multi=True) if k != "marker"), ("marker", shown[-1]["id"])]
            )
            links = [{"rel": "next", "href": f"{self.url}/v3/{self.token.project_id}/{path}?{left}"}]
        return Page(shown, links, count)

    def page(self, key: str, page: Page, shown: list[Json]) -> Json:
        """A list's answer."""
        answer: Json = {key: shown}
        if page.links:
            answer[f"{key}_links"] = page.links
        if page.count is not None:
            answer["count"] = page.count
        return answer

    def _filtered(self, kind: str, records: Iterable[Json], query: MultiDict[str, str]) -> list[Json]:
        wanted = dict(query.items())
        if not self.token.admin:
            unknown = [name for name in wanted if name not in FILTERS[kind]]
            if unknown and self.since(31):
                raise RefusedError(400, f"Invalid filters {','.join(unknown)} are found in query options.")
            wanted = {name: value for name, value in wanted.items() if name in FILTERS[kind]}
        return [record for record in records if all(_fits(record, name, value) for name, value in wanted.items())]


def _number(query: MultiDict[str, str], name: str, usual: int) -> int:
    given = query.pop(name, str(usual))
    try:
        value = int(given)
    except ValueError:
        raise RefusedError(400, f"{name} param must be an integer") from None
    if value < 0:
        raise RefusedError(400, f"{name} param must be positive")
    return value


def _after(found: list[Json], marker: str, kind: str) -> int:
    for number, record in enumerate(found, 1):
        if record["id"] == marker:
            return number
    raise RefusedError(404, f"{kind.capitalize()} {marker} could not be found.")


def _sorting(query: MultiDict[str, str]) -> list[tuple[str, bool]]:
    """(key, descending); what does not decide is decided by time and id."""
    if "sort" in query:
        if "sort_key" in query or "sort_dir" in query:
            text = (
                "The 'sort_key' and 'sort_dir' parameters are deprecated and cannot be used with the 'sort' parameter."
            )
            raise RefusedError(400, text)
        pairs = [part.strip().partition(":")[::2] for part in query.pop("sort").split(",")]
    else:
        pairs = [(query.pop("sort_key", "created_at"), query.pop("sort_dir", "desc"))]
    keys = []
    for key, direction in pairs:
        if direction not in ("", "asc", "desc"):
            raise RefusedError(400, "Invalid input received: Unknown sort direction, must be one of: asc, desc.")
        keys.append((key, direction != "asc"))
    usual = keys[0][1]
    return keys + [(key, usual) for key in ("created_at", "id") if key not in dict(keys)]


def _fits(record: Json, name: str, value: str) -> bool:
    """Whether one filter lets a record through; of fields that there are not none does."""
    if name in COMMON:
        return str(COMMON[name]).lower() == value.lower()
    if name in ("metadata", "glance_metadata"):
        kept = record["metadata" if name == "metadata" else "volume_image_metadata"]
        pairs = _literal(value)
        return isinstance(pairs, dict) and all(kept.get(key) == text for key, text in pairs.items())
    if name.endswith("~"):
        return value in str(record.get(name[:-1]) or "")
    if name in ("created_at", "updated_at"):
        return all(_timely(record[name] or "", one) for one in value.split(","))
    if name not in record or isinstance(record[name], (dict, list)):
        return False
    found = record[name]
    if isinstance(found, bool):
        return found == (value.lower() in TRUE)
    wanted = value if name == "name" else _literal(value)
    if isinstance(wanted, (list, tuple)):
        return found in wanted
    return str(found) == str(wanted)


def _timely(time: str, condition: str) -> bool:
    operator, _, limit = condition.partition(":")
    if operator not in COMPARISONS:
        raise RefusedError(400, f"Invalid {operator} operator")
    moment, limit = time[:19], limit.removesuffix("Z")[:19]
    return {
        "gt": moment > limit,
        "gte": moment >= limit,
        "eq": moment == limit,
        "neq": moment != limit,
        "lt": moment < limit,
        "lte": moment <= limit,
    }[operator]


def _literal(value: str) -> Any:
    """Cinder takes filters for Python's literals where they are some."""
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value
