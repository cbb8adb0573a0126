"""What all tasks have in common: a name, a check before each change, errors without secrets, calm reverts."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from taskflow import task

from pumphouse.clouds.errors import FailedStateError, explain, is_passing
from pumphouse.clouds.http import checked
from pumphouse.errors import CloudError, PumphouseError, TransferError
from pumphouse.store.claims import LostClaimError
from pumphouse.tasks.context import Context, pause
from pumphouse.transfer.stream import Interrupted

T = TypeVar("T")
LOG = logging.getLogger(__name__)
#: Seconds before each further attempt of a task when a service is out of reach: some four minutes in all.
PAUSES = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 60.0, 60.0)
#: Seconds before something is ordered anew that a service has failed at, rather than refused.
ANEW = (5.0, 30.0)
#: Characters of a task's name that TaskFlow's tables hold, with some room.
LONGEST_NAME = 200


class Task(task.Task):
    """One verb. ``execute`` looks before it acts, so that running it twice does no harm.

    Subclasses write ``execute`` and, where there is something to undo, ``undo``. Both may be interrupted anywhere, by
    the end of the process; ``execute`` is then run again, or ``undo`` is.
    """

    #: (type, id in the source) of what has a counterpart when it has run; None for tasks that make nothing to stay.
    makes: tuple[str, str] | None = None

    def __init__(self, subject: str, **more: Any) -> None:
        """``subject``: what the task works on, to tell it from others of its class in one flow."""
        name = f"{type(self).__name__}:{subject}"
        if len(name) > LONGEST_NAME:
            name = f"{name[: LONGEST_NAME - 33]}:{hashlib.sha256(name.encode()).hexdigest()[:32]}"
        super().__init__(name=name, **more)

    def __init_subclass__(cls, **more: Any) -> None:
        """Wrap ``execute``."""
        super().__init_subclass__(**more)
        if "execute" in vars(cls):
            cls.execute = _guarded(cls.execute)

    def undo(self, context: Context) -> None:
        """Put everything back as it was before ``execute``; called also when that failed half-way."""

    def revert(self, context: Context, **_: Any) -> None:
        """Undo, and tell rather than raise when that fails: the others must be undone too."""
        # That the unit is given up is no reason to give up its undoing.
        context = dataclasses.replace(context, abandon=threading.Event())
        try:
            patiently(context, self.name, lambda: self.undo(context))
        except LostClaimError:
            LOG.debug("%s is not undone: another process has the unit", self.name)
        except Exception as error:
            LOG.debug("undoing %s", self.name, exc_info=True)
            text = f"could not undo {self.name}: {explain(error)}"
            context.store.add_event(context.migration_id, "undo failed", text, unit=context.unit)


def patiently(context: Context, name: str, do: Callable[[], T]) -> T:
    """Do it, with a check before each change; again when a service was out of reach, as it looks before it acts."""
    for seconds in (*PAUSES, None):
        try:
            with checked(context.check):
                context.check()
                return do()
        except Exception as error:
            if seconds is None or not passes(error):
                raise
            text = f"{explain(error)}; tried again in {seconds:.0f} s"
        LOG.debug("%s: %s", name, text)
        context.store.add_event(context.migration_id, "again", text, unit=context.unit)
        pause(context, seconds)
    raise AssertionError


def tidy(context: Context) -> list[str]:
    """Remove the unit's temporary things, patiently; returns a sentence for each that stays. Raises LostClaimError."""

    left: dict[str, Exception] = {}

    def remove() -> None:
        left.clear()
        left.update(context.remove_temporaries())
        for error in left.values():
            if passes(error):
                raise error

    # That the unit is given up is no reason to leave them.
    calm = dataclasses.replace(context, abandon=threading.Event())
    try:
        patiently(calm, "removing temporary things", remove)
    except Exception as error:
        if error not in left.values():
            raise
    return list(left)


def anew(context: Context, order: Callable[[], T], clear: Callable[[], None] = lambda: None) -> T:
    """What comes of an order that a service carries out by itself; where it fails, ``clear`` and order it anew.

    A volume or a server ends in ERROR when another service is away just then, for reasons that nobody is told. Raises
    FailedStateError, of the first that could not be cleared, or of the last.
    """
    for seconds in ANEW:
        try:
            return order()
        except FailedStateError as error:
            text = f"{explain(error)}; ordered anew in {seconds:.0f} s"
            try:
                clear()
            except CloudError as left:
                LOG.debug("clearing: %s", explain(left))
                raise error from None
        LOG.debug("%s", text)
        context.store.add_event(context.migration_id, "again", text, unit=context.unit)
        pause(context, seconds)
    return order()


def passes(error: BaseException) -> bool:
    """Whether a service or the way to it was lost for a while, in a request or amid a copy."""
    return is_passing(error) or (isinstance(error, TransferError) and isinstance(error.__cause__, Interrupted))


def _guarded(execute: Callable[..., Any]) -> Callable[..., Any]:
    """Changes are made only as long as the unit is ours.

    TaskFlow keeps what is raised, with its causes, in the database: so it is said in our own words, which have no
    secrets, and nothing of the original is kept.
    """

    @functools.wraps(execute)
    def guarded(self: Task, context: Context, *args: Any, **more: Any) -> Any:
        try:
            return patiently(context, self.name, lambda: execute(self, context, *args, **more))
        except PumphouseError as error:
            error.__cause__ = None
            error.__suppress_context__ = True
            raise
        except Exception as error:
            LOG.debug("%s failed", self.name, exc_info=True)
            raise CloudError(explain(error)) from None

    return guarded
