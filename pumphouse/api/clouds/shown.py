"""Parts of lists as they are shown: what was asked for, where the next part begins, and what is missing."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pumphouse.api.clouds.clouds import Clouds
from pumphouse.api.clouds.listing import RENEWED, View, after, matching
from pumphouse.api.clouds.rows import Kind, Row
from pumphouse.config import Role

#: Seconds that an answer waits for what is being read.
WAIT = 0.8
#: Bytes of a marker before it is encoded: that is a third longer, and must be no longer than ``paging`` takes.
BYTES = 380
#: Name and id of the last row that was shown.
Place = tuple[str, str]


@dataclass(frozen=True)
class Part:
    """A part of a list."""

    rows: Sequence[Row]
    #: Where the next part begins; None: this is the last.
    marker: str | None
    #: How many match in all; None while that is not known.
    total: int | None
    view: View


@dataclass(frozen=True)
class Asked:
    """What is looked for."""

    limit: int
    #: What follows this one.
    place: Place | None = None
    project_id: str | None = None
    search: str | None = None
    status: str | None = None
    #: Not what was kept: all is to be read anew.
    renew: bool = False


def until(*, renew: bool) -> float:
    """Until when to wait (monotonic)."""
    return time.monotonic() + (RENEWED if renew else WAIT)


def part(clouds: Clouds, role: Role, type_: str, asked: Asked) -> Part:
    """A part of a list of a cloud. It takes a moment at most, whatever the service does.

    While all resources of a type are not known, those of one project are asked for alone.
    """
    listing = clouds.listing(role, type_)
    project = asked.project_id
    if project and listing.kind.scoped and (type_ == "user" or not listing.complete):
        listing = clouds.listing(role, type_, project)
        # All of the list are the project's: users do not say so themselves.
        project = None
    test = matching(project, asked.search, asked.status)
    narrow = test is not None or asked.place is not None

    def enough(rows: int) -> bool:
        return not narrow and rows > asked.limit

    listing.wait(lambda content: enough(len(content.rows)), until(renew=asked.renew), renew=asked.renew)
    view = listing.view()
    rows, marker, total = cut(view.rows, asked, test)
    return Part(rows, marker, total if view.complete else None, view)


def cut(rows: Sequence[Row], asked: Asked, test: Callable[[Row], Any] | None) -> tuple[Sequence[Row], str | None, int]:
    """(the rows to show, the marker of what follows, how many match in all)."""
    if test is not None:
        rows = [row for row in rows if test(row)]
    start = after(rows, asked.place)
    found = rows[start : start + asked.limit]
    more = start + asked.limit < len(rows)
    return found, marker_of(found[-1].place) if more and found else None, len(rows)


def marker_of(place: Place) -> str:
    """A place in a list, opaque: it holds when the list has changed meanwhile. A very long name is cut off."""
    name, id_ = place
    text = f"{id_}\0{name}".encode(errors="replace")[:BYTES].decode(errors="ignore")
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(marker: str) -> Place:
    """The place that a marker stands for. Raises ValueError for what is none."""
    text = base64.b64decode(marker.encode("ascii") + b"=" * (-len(marker) % 4), altchars=b"-_", validate=True)
    id_, zero, name = text.decode().partition("\0")
    if not id_ or not zero:
        raise ValueError("not a place")
    return name, id_


def row_to_json(kind: Kind, row: Row) -> dict[str, Any]:
    """As the contract has it."""
    return {
        "type": kind.type,
        "id": row.id,
        "name": row.name,
        "project_id": row.project_id,
        "status": row.status,
        "summary": kind.summary(row),
    }
