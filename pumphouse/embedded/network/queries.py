"""Lists: filters, order, pages and fields, as all collections of the Networking API have them."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterable
from typing import Any

from flask import request

from pumphouse.embedded.network.checks import boolean
from pumphouse.embedded.network.errors import bad, malformed
from pumphouse.embedded.service import Json

_RESERVED = frozenset({"fields", "limit", "marker", "page_reverse", "sort_key", "sort_dir"})
TAG_FILTERS: dict[str, Callable[[set[str], set[str]], bool]] = {
    "tags": lambda asked, has: asked <= has,
    "tags-any": lambda asked, has: bool(asked & has),
    "not-tags": lambda asked, has: not asked <= has,
    "not-tags-any": lambda asked, has: not asked & has,
}


def filters(allowed: Iterable[str]) -> dict[str, list[str]]:
    """What the request's query looks for: name -> any of these values."""
    given = {name: values for name, values in request.args.lists() if name not in _RESERVED}
    names = {*allowed, *TAG_FILTERS}
    if wrong := [name for name in given if name not in names]:
        raise malformed(f"{wrong} is invalid attribute for filtering")
    return given


def equal(value: Any, asked: list[str]) -> bool:
    """Whether a field has one of the values that a query asks for; one of a list's elements is enough."""
    if isinstance(value, bool):
        return value in map(boolean, asked)
    if isinstance(value, list):
        return any(equal(one, asked) for one in value)
    return value is not None and str(value) in asked


def tagged(tags: list[str], name: str, asked: list[str]) -> bool:
    """One of the filters by tags; each takes several, with commas between them."""
    return TAG_FILTERS[name]({tag for one in asked for tag in one.split(",")}, set(tags))


def fields() -> list[str]:
    """The fields that are asked for; none is all."""
    return [name for name in request.args.getlist("fields") if name]


def ordered(rows: list[Json], sortable: Iterable[str]) -> list[Json]:
    """As ``sort_key`` and ``sort_dir`` say, then by id."""
    keys = [key for key in request.args.getlist("sort_key") if key]
    ways = [way for way in request.args.getlist("sort_dir") if way]
    if len(keys) != len(ways):
        raise malformed("The number of sort_keys and sort_dirs must be same")
    if wrong := [key for key in keys if key not in set(sortable)]:
        raise malformed(f"{wrong} is invalid attribute for sort_keys")
    if wrong := [way for way in ways if way not in ("asc", "desc")]:
        raise malformed(f"{wrong} is invalid value for sort_dirs, valid value is 'asc' and 'desc'")
    rows.sort(key=lambda row: str(row["id"]))
    for key, way in reversed(list(zip(keys, ways, strict=True))):
        rows.sort(key=lambda row: (row.get(key) is not None, _sortable(row.get(key))), reverse=way == "desc")
    return rows


def _sortable(value: Any) -> Any:
    return value if isinstance(value, int | str) else str(value)


def page(rows: list[Json], find: Callable[[str], Any]) -> list[Json]:
    """The asked part. ``find`` refuses a marker that is not there."""
    size = limit()
    if not size:
        return rows
    backwards = reverse()
    if backwards:
        rows = rows[::-1]
    if marker := request.args.get("marker"):
        find(marker)
        at = next((n for n, row in enumerate(rows) if row["id"] == marker), -1)
        rows = rows[at + 1 :]
    return rows[:size][::-1] if backwards else rows[:size]


def limit() -> int:
    """How many are asked for at most; 0 is all."""
    asked = request.args.get("limit", "0")
    if not asked.isdecimal():
        raise bad("limit", f"Limit must be an integer 0 or greater and not '{asked}'")
    return int(asked)


def reverse() -> bool:
    """Whether the page before the marker is asked for."""
    return request.args.get("page_reverse", "").lower() == "true"


def links(found: list[Json], url: str) -> list[Json]:
    """To the pages before and behind. There is one behind a page that is not full only on the way back."""
    size = limit()
    if not size:
        return []
    full = len(found) >= size
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "marker"]
    made = []
    if full or reverse():
        query = [pair for pair in kept if pair[0] != "page_reverse"]
        made.append({"rel": "next", "href": _link(url, query, found[-1:])})
    if full or not reverse():
        query = [pair for pair in kept if pair[0] != "page_reverse"]
        made.append({"rel": "previous", "href": _link(url, query, found[:1], [("page_reverse", "True")])})
    return made


def _link(url: str, query: list[tuple[str, str]], at: list[Json], more: Iterable[tuple[str, str]] = ()) -> str:
    return f"{url}?{urllib.parse.urlencode([*query, *(('marker', row['id']) for row in at), *more])}"
