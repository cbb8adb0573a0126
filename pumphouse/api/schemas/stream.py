"""The stream of events."""

from __future__ import annotations

from pydantic import Field

from ..paging import GREATEST
from .base import Query


class StreamQuery(Query):
    """What of it is wanted."""

    after: int | None = Field(
        None, ge=0, le=GREATEST, description="All that follows the event with this id; else what happens from now on."
        " The header `Last-Event-ID` is taken before it"
    )  # fmt: skip
    migration: str | None = Field(None, description="Only what is about this migration; may be repeated")
    type: str | None = Field(None, description="Only events of this type; may be repeated")
