"""The HTTP API: reads the clouds and the database, asks for changes by jobs that engines take, and answers.

It runs as `pumphouse-api serve` (``server``), with an engine beside it. Everything that takes long is a job in the
database, so that any number of these processes can answer, and any of them can die.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    """``create_app``, imported with all of its libraries only where it is used."""
    if name == "create_app":
        from .app import create_app

        return create_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
