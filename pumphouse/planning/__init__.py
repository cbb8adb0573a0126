"""From what the operator named to a plan: what will be made, used, left out, and why."""

from pumphouse.planning.plan import Plan, Selection
from pumphouse.planning.planner import make_plan

__all__ = ["Plan", "Selection", "make_plan"]
