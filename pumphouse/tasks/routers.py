"""Routes of a router, which Neutron takes only once its interfaces lead there."""

from __future__ import annotations

from pumphouse.tasks.base import Task
from pumphouse.tasks.context import Context


class SetRoutes(Task):
    """Give a new router the source's extra routes. Undone: none, as its interfaces could not be removed else."""

    def __init__(self, router_id: str) -> None:
        """``router_id`` in the source."""
        super().__init__(router_id)
        self.id = router_id

    def execute(self, context: Context) -> None:
        """Nothing is done where the source has none."""
        routes = context.read("router", self.id).get("routes")
        if routes:
            context.step("setting its routes")
            there = context.counterpart("router", self.id)
            context.destination.network.update("routers", there, {"routes": routes})

    def undo(self, context: Context) -> None:
        """Take them all away."""
        there = context.mine("router", self.id)
        if there and (context.destination.network.get("routers", there) or {}).get("routes"):
            context.destination.network.update("routers", there, {"routes": []})
