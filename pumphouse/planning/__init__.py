"""From what the operator named to a plan: what will be made, used, left out, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pumphouse.planning.plan import Plan, Selection

if TYPE_CHECKING:
    from pumphouse.planning.planner import make_plan

__all__ = ["Plan", "Selection", "make_plan"]


def __getattr__(name: str) -> Any:
    """Import the planner, with all clients, when it is used: whoever reads a stored plan needs none of them."""
    if name != "make_plan":
        raise AttributeError(name)
    from pumphouse.planning.planner import make_plan

    return make_plan
