"""GET /v2/images: which images, in which order, on which page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.datastructures import MultiDict

from pumphouse.embedded.identity.tokens import Token
from pumphouse.embedded.image.records import BASE
from pumphouse.embedded.service import Json, RefusedError

SORT_KEYS = ("name", "status", "container_format", "disk_format", "size", "id", "created_at", "updated_at")
#: Filters with operators: "in:a,b", "eq:a", or the value alone.
OPERABLE = ("name", "id", "status", "container_format", "disk_format")
TIMES = ("created_at", "updated_at")
#: Operator of times -> comparison.
COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda one, other: one == other,
    "neq": lambda one, other: one != other,
    "gt": lambda one, other: one > other,
    "gte": lambda one, other: one >= other,
    "lt": lambda one, other: one < other,
    "lte": lambda one, other: one <= other,
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
VISIBILITIES = ("community", "public", "private", "shared", "all")
MEMBER_STATUSES = ("pending", "accepted", "rejected", "all")
PAGE, LARGEST_PAGE = 25, 1000

Test = Callable[[Json], bool]
Query = MultiDict[str, str]


def chosen(images: Iterable[Json], token: Token, query: Query) -> tuple[list[Json], bool]:
    """The images of the page that is asked for, and whether another follows. Refuses a wrong query with 400."""
    left = query.copy()
    limit, marker = left.pop("limit", None), left.pop("marker", None)
    keys = _sorting(left)
    tests = [_listed(token, left), *_tests(left)]
    found = [image for image in images if all(test(image) for test in tests)]
    for key, descending in reversed(keys):
        found.sort(key=lambda image: (image[key] is not None, image[key]), reverse=descending)
    return _page(found, limit, marker)


def _page(found: list[Json], limit: str | None, marker: str | None) -> tuple[list[Json], bool]:
    try:
        count = min(int(limit), LARGEST_PAGE) if limit is not None else PAGE
    except ValueError:
        raise RefusedError(400, "limit param must be an integer") from None
    if count < 0:
        raise RefusedError(400, "limit param must be positive")
    if marker is not None:
        at = next((n for n, image in enumerate(found) if image["id"] == marker), None)
        if at is None:
            raise RefusedError(400, f"No image found with ID {marker}")
        found = found[at + 1 :]
    page = found[:count]
    return page, len(page) == count and bool(page)


def _sorting(left: Query) -> list[tuple[str, bool]]:
    """(key, descending), the first first; what does not decide is decided by time and id."""
    if "sort" in left:
        if "sort_key" in left or "sort_dir" in left:
            raise RefusedError(400, "Old and new sorting syntax cannot be combined")
        pairs = [part.partition(":")[::2] for part in left.pop("sort").strip().split(",")]
        keys, directions = [key for key, _ in pairs], [direction or "desc" for _, direction in pairs]
    else:
        keys, directions = left.poplist("sort_key"), left.poplist("sort_dir")
        if len(directions) > 1 and len(directions) != len(keys):
            raise RefusedError(400, "Number of sort dirs does not match the number of sort keys")
    keys, directions = keys or ["created_at"], directions or ["desc"]
    for key in keys:
        if key.strip() not in SORT_KEYS:
            text = f"Invalid sort key: {key}. It must be one of the following: {', '.join(SORT_KEYS)}."
            raise RefusedError(400, text)
    for direction in directions:
        if direction.strip() not in ("asc", "desc"):
            raise RefusedError(400, f"Invalid sort direction: {direction}")
    usual = directions[0] if len(directions) == 1 else "desc"
    directions += [usual] * (len(keys) - len(directions))
    wanted = [(key.strip(), direction.strip() == "desc") for key, direction in zip(keys, directions, strict=True)]
    return wanted + [(key, usual.strip() == "desc") for key in ("created_at", "id") if key not in keys]


def _listed(token: Token, left: Query) -> Test:
    """Whether an image is shown to somebody in a list, which is less than they could get by its id."""
    visibility, status = left.pop("visibility", None), left.pop("member_status", "accepted")
    if visibility is not None and visibility not in VISIBILITIES:
        raise RefusedError(400, f"Invalid visibility value: {visibility}")
    if status not in MEMBER_STATUSES:
        raise RefusedError(400, f"Invalid status: {status}")

    def shared(image: Json) -> bool:
        membership = image["members"].get(token.project_id)
        return image["visibility"] == "shared" and membership is not None and status in ("all", membership["status"])

    def test(image: Json) -> bool:
        own = image["owner"] == token.project_id
        if visibility is None and image["visibility"] == "community" and not own:
            return False
        if visibility not in (None, "all", image["visibility"]):
            return False
        return token.admin or own or image["visibility"] in ("public", "community") or shared(image)

    return test


def _tests(left: Query) -> list[Test]:
    """One for each filter."""
    hidden = _flag("os_hidden", left.pop("os_hidden", "false").lower())
    tests: list[Test] = [lambda image: image["os_hidden"] == hidden and image["status"] != "killed"]
    if "protected" in left:
        protected = _flag("protected", left.pop("protected"))
        tests.append(lambda image: image["protected"] == protected)
    tags = {tag.strip() for tag in left.poplist("tag")}
    tests.append(lambda image: tags.issubset(image["tags"]))
    return tests + [_test(name, value) for name, value in left.items()]


def _flag(name: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise RefusedError(400, f"Invalid value '{value}' for '{name}' filter. Valid values are 'true' or 'false'.")
    return value == "true"


def _test(name: str, value: str) -> Test:
    if name == "changes-since":
        raise RefusedError(400, 'The "changes-since" filter is no longer available on v2.')
    if name.endswith(("_min", "_max")) and name[:-4] in BASE:
        return _range(name[:-4], value, least=name.endswith("_min"))
    if name in TIMES:
        return _time(name, value)
    if name in OPERABLE:
        return _operable(name, value)
    if name in BASE:
        return lambda image: _text(image[name]) == value
    return lambda image: image["properties"].get(name) == value


def _range(name: str, value: str, least: bool) -> Test:
    try:
        bound = int(value)
    except ValueError:
        raise RefusedError(400, "Unable to filter on a range with a non-numeric value.") from None
    if least:
        return lambda image: image[name] is not None and image[name] >= bound
    return lambda image: image[name] is not None and image[name] <= bound


def _time(name: str, value: str) -> Test:
    operator, threshold = ("eq", value) if TIME.match(value) else value.partition(":")[::2]
    if operator not in COMPARISONS or not TIME.match(threshold):
        raise RefusedError(400, f'Bad "{name}" query filter format. Use ISO 8601 DateTime notation.')
    return lambda image: COMPARISONS[operator](image[name][:19], threshold[:19])


def _operable(name: str, value: str) -> Test:
    operator, threshold = value.partition(":")[::2] if ":" in value else ("eq", value)
    if operator == "eq":
        return lambda image: image[name] == threshold
    if operator == "in":
        wanted = _split(threshold)
        return lambda image: image[name] in wanted
    raise RefusedError(400, f"Unable to filter by unknown operator '{operator}'.")


def _split(value: str) -> set[str]:
    """Values between commas; what is in double quotes may hold commas."""
    if value.count('"') % 2:
        raise RefusedError(400, f"Invalid filter value {value}. The quote is not closed.")
    return {quoted or plain for quoted, plain in re.findall(r'"((?:[^"\\]|\\.)*)",?|([^,]+),?|,', value)}


def _text(value: Any) -> str:
    return "" if value is None else str(value)
