"""What views of lists that are read from a cloud have in common."""

from __future__ import annotations

from typing import Any

from flask import Response

from ..clouds.shown import Asked, Part, Place, place_of
from ..etags import respond
from ..paging import page
from ..problems import invalid
from ..schemas.clouds import ReadQuery


def asked(query: ReadQuery, **more: Any) -> Asked:
    """What a query looks for. Raises Problem for a marker that is none."""
    place = None if query.marker is None else _place(query.marker)
    # Of a list that is read anew, the parts that follow are of the same reading.
    renew = query.refresh and place is None
    return Asked(query.limit, place, search=query.search, renew=renew, **more)


def _place(marker: str) -> Place:
    try:
        return place_of(marker)
    except ValueError:
        raise invalid("marker", "this is none of ours", "take the URL in `next`") from None


def listed(part: Part, items: list[dict[str, Any]], service: str) -> Response:
    """The answer with a part of one list of one service."""
    return answered(page(items, part.marker, part.total, **top_of(part, service)))


def top_of(part: Part, service: str) -> dict[str, Any]:
    """What stands beside the items: whether that is all, what failed, how old it is."""
    view = part.view
    failures = [] if view.error is None else [{"service": service, "error": view.error}]
    return {"complete": view.complete, "failures": failures, "age": round(view.age, 1)}


def answered(body: dict[str, Any]) -> Response:
    """A list with its ETag, the same from every process that has read the same: its age is no change."""
    return respond(body, {key: value for key, value in body.items() if key != "age"})
