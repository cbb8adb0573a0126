"""Make a resource that is a record only: nothing but fields."""

from __future__ import annotations

from pumphouse.resources.registry import TYPES
from pumphouse.tasks.base import Task
from pumphouse.tasks.context import Context


class MakeResource(Task):
    """Make one resource in the destination, with its references replaced, and record the mapping."""

    def __init__(self, type_: str, id_: str, name: str) -> None:
        """``id_`` in the source; ``name``: what people call it."""
        super().__init__(f"{type_}:{id_}")
        self.type = TYPES[type_]
        self.id = id_
        self.title = f"{type_.replace('_', ' ')} {name}"

    def execute(self, context: Context) -> str:
        """Returns its id in the destination."""
        there = context.lookup(self.type.type, self.id)
        if there and self.type.get(context.destination, there):
            return there
        source = context.read(self.type.type, self.id)
        context.step(f"making {self.title}")
        wanted = self.type.adapt(self.type.translate(source, context.lookup), source, context.names)
        there = self.type.id(self.type.create(context.destination, wanted))
        context.made(self.type.type, self.id, there)
        return there

    def undo(self, context: Context) -> None:
        """Remove it, if this unit made it."""
        context.undo(self.type, self.id)
