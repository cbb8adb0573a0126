"""What goes on with servers in the background, and what may not begin because something does."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pumphouse.embedded.compute.history import History
from pumphouse.embedded.compute.scheduler import Scheduler
from pumphouse.embedded.compute.state import Json, now
from pumphouse.embedded.service import RefusedError

#: Any state will do.
ANY: Collection[str] = ()


class TaskError(Exception):
    """A task did not end well: the server goes to ERROR with these words."""


class GivenUpError(TaskError):
    """A task did not end well, and the server is as it was before."""


class Tasks(Scheduler, History):
    """Transitions between states."""

    def ready(
        self,
        server: Json,
        action: str,
        states: Collection[str] = ANY,
        tasks: Collection[str | None] | None = (None,),
        launched: bool = True,
        lock: bool = True,
        host: bool = False,
    ) -> None:
        """Refuse an action that a lock, or the server's state, does not allow.

        ``tasks``: None for any. ``launched``: it must have run once. ``host``: it must be on one.
        """
        id_ = server["id"]
        if lock and server["locked_by"] and not self.token.admin:
            raise RefusedError(409, f"Instance {id_} is locked")
        if host and not server["host"]:
            raise RefusedError(409, f"Instance {id_} is not ready")
        attribute = None
        if states and server["vm_state"] not in states:
            attribute = f"vm_state {server['vm_state']}"
        elif tasks is not None and server["task_state"] not in tasks:
            attribute = f"task_state {server['task_state']}"
        elif launched and not server["launched_at"]:
            message = f"Instance {id_} is in an invalid state for '{action}'"
            raise RefusedError(409, message)
        if attribute:
            raise RefusedError(409, f"Cannot '{action}' instance {id_} while it is in {attribute}")

    def touch(self, server: Json, **changes: Any) -> None:
        """Change a record, and when it was changed."""
        server.update(changes, updated=now())

    def begin(
        self, server: Json, task: str, place: int, event: str, method: str, *arguments: Any, delay: str = "server"
    ) -> None:
        """Let a task go on in the background: ``method(server, *arguments)`` is called when it ends.

        ``place``: of the action in the server's history; ``event``: what it is called there.
        """
        self.touch(server, task_state=task, turn=server["turn"] + 1)
        self.cloud.later(delay, self, "end", server["id"], server["turn"], place, event, method, arguments)

    def end(self, id_: str, turn: int, place: int, event: str, method: str, arguments: tuple[Any, ...]) -> None:
        """A task ends, unless another has begun meanwhile, or the server is gone."""
        server = self.state.servers.get(id_)
        if server is None or server["turn"] != turn:
            return
        failure = None
        self.touch(server, task_state=None)
        try:
            if self.cloud.faults.fails("server"):
                raise TaskError("a fault that was asked for")
            getattr(self, method)(server, *arguments)
        except GivenUpError as error:
            failure = str(error)
        except (TaskError, RefusedError) as error:
            failure = str(error)
            self.break_down(server, failure)
        self.noted(server, place, event, failure)

    def break_down(self, server: Json, message: str, reason: str = "") -> None:
        """It is in ERROR now, and says why. ``reason``: what only administrators are told."""
        details = f"Traceback (most recent call last):\n{reason or message}\n"
        fault = {"code": 500, "created": now(), "message": message, "details": details}
        self.touch(server, vm_state="error", task_state=None, fault=fault, turn=server["turn"] + 1)
