"""Make a resource that is a record only: nothing but fields."""

from __future__ import annotations

from pumphouse.clouds.errors import or_none
from pumphouse.resources.base import Wire
from pumphouse.resources.registry import TYPES
from pumphouse.tasks import making
from pumphouse.tasks.base import Task
from pumphouse.tasks.context import Context


class MakeResource(Task):
    """Make one resource in the destination, with its references replaced, and record the mapping."""

    def __init__(self, type_: str, id_: str, name: str) -> None:
        """``id_`` in the source; ``name``: what people call it."""
        super().__init__(f"{type_}:{id_}")
        self.type = TYPES[type_]
        self.id = id_
        self.makes = (type_, id_)
        self.title = f"{type_.replace('_', ' ')} {name}"

    def execute(self, context: Context) -> str:
        """Returns its id in the destination."""
        there = context.lookup(self.type.type, self.id)
        if there and self.type.get(context.destination, there):
            return there
        source = context.read(self.type.type, self.id)
        context.step(f"making {self.title}")
        wanted = self._wanted(context, source)
        return making.make(
            context, self.type, context.destination, source, wanted,
            lambda: self.type.create(context.destination, wanted),
        )  # fmt: skip

    def undo(self, context: Context) -> None:
        """Remove it, if this unit made it."""
        if context.mine(self.type.type, self.id):
            context.undo(self.type, self.id)
        elif source := or_none(lambda: self.type.get(context.source, self.id)):
            making.clear(context, self.type, context.destination, source, lambda: self._wanted(context, source))

    def _wanted(self, context: Context, source: Wire) -> Wire:
        return self.type.adapt(self.type.translate(source, context.lookup), source, context.names)
