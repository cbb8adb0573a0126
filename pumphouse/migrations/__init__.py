"""Migrations: running a plan, comparing both sides, and the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pumphouse.migrations.runner import run

__all__ = ["run"]


def __getattr__(name: str) -> Any:
    """Import the runner, with TaskFlow and all clients, when it is used: a report needs none of them."""
    if name != "run":
        raise AttributeError(name)
    from pumphouse.migrations.runner import run

    return run
