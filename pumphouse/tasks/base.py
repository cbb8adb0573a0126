"""What all tasks have in common: a name in words, and reverts that never raise."""

from __future__ import annotations

import logging
from typing import Any

from taskflow import task

from pumphouse.clouds.errors import explain
from pumphouse.tasks.context import Context

LOG = logging.getLogger(__name__)


class Task(task.Task):
    """One verb. ``execute`` looks before it acts, so that running it twice does no harm.

    Subclasses write ``execute`` and, where there is something to undo, ``undo``.
    """

    def __init__(self, subject: str, **more: Any) -> None:
        """``subject``: what the task works on, to tell it from others of its class in one flow."""
        super().__init__(name=f"{type(self).__name__}:{subject}", **more)

    def undo(self, context: Context) -> None:
        """Put everything back as it was before ``execute``; called also when that failed half-way."""

    def revert(self, context: Context, **_: Any) -> None:
        """Undo, and tell rather than raise when that fails: the others must be undone too."""
        try:
            self.undo(context)
        except Exception as error:
            LOG.debug("undoing %s", self.name, exc_info=True)
            text = f"could not undo {self.name}: {explain(error)}"
            context.store.add_event(context.migration_id, "undo failed", text, unit=context.unit)
