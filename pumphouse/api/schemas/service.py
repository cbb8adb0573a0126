"""What the service says of itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .base import Answer


class Version(Answer):
    """What answers."""

    version: str
    api: str = Field(description="The prefix of the paths")


class Health(Answer):
    """The process answers."""

    status: Literal["ok"]


class Readiness(Answer):
    """Whether it can do its work."""

    status: Literal["ready", "not ready"]
    database: Literal["ok", "down"]
    engine: Literal["ok", "late", "unknown"] = Field(
        description="late: what was asked for has waited for more than a minute, and no engine does anything"
    )
