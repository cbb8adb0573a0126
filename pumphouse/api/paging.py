"""Lists: how much of one is asked for, and where the next part is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import request
from pydantic import Field

from .problems import Problem
from .schemas.base import Query

#: How many there are in an answer: by default, and at most.
DEFAULT, MOST = 50, 200
#: The greatest id that all databases can hold.
GREATEST = 2**31 - 1


class PageQuery(Query):
    """``?limit=&marker=``; lists with filters derive from it."""

    limit: int = Field(DEFAULT, ge=1, le=MOST, description="How many at most")
    marker: str | None = Field(
        None,
        max_length=512,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="Where to go on: from `next` of the answer before; nothing to be made up",
    )


def marker_id(marker: str | None) -> int | None:
    """The id in a marker of lists that are in the order of their ids. Raises Problem for what is none."""
    if marker is None:
        return None
    if not marker.isascii() or not marker.isdigit() or int(marker[:20]) > GREATEST:
        raise Problem(422, "invalid", "marker: this is none of ours", "take the URL in `next`", "marker")
    return int(marker)


def page(items: Sequence[Any], marker: object = None, total: int | None = None, **more: Any) -> dict[str, Any]:
    """The body of a list's answer. ``marker``: where the next part begins (any text or number); None: there is none.

    ``more``: what else stands at the top.
    """
    return {"items": list(items), "next": None if marker is None else _next(str(marker)), "total": total, **more}


def _next(marker: str) -> str:
    """The current path and query, with another marker."""
    pairs = [(name, value) for name, value in request.args.items(multi=True) if name != "marker"]
    return f"{request.path}?{urlencode([*pairs, ('marker', marker)])}"
