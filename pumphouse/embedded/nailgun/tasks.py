"""Tasks: what Nailgun does in the background, how far it is, and what is remembered of it."""

from __future__ import annotations

import copy
import datetime
from typing import Any

from flask import request

from pumphouse.embedded.nailgun.flavours import Json
from pumphouse.embedded.nailgun.master import Part, unique
from pumphouse.embedded.nailgun.wording import found
from pumphouse.embedded.service import RefusedError, route

#: Fields in all versions, and what later ones have more.
SHOWN = ("id", "uuid", "name", "cluster", "status", "progress", "message", "result")
LATER = ("dry_run", "graph_type", "parent_id", "time_start", "time_end")


class Tasks(Part):
    """The calls of tasks. ``deleted`` ones are history: only /transactions still shows them."""

    @route("GET", "/tasks")
    def listed(self) -> Any:
        """All, or those of an environment."""
        wanted = request.args.get("cluster_id")
        return [self.view(task) for task in self.state.tasks.values()
                if not task["deleted"] and (not wanted or task["cluster"] == int(wanted))]  # fmt: skip

    @route("GET", "/tasks/<int:id_>")
    def shown(self, id_: int) -> Any:
        """One, as long as nothing newer has made it history."""
        task = self.state.tasks.get(id_)
        return self.view(found(None if task is None or task["deleted"] else task, "Task"))

    @route("GET", "/transactions")
    def transactions(self) -> Any:
        """History too."""
        if not self.flavour.later:
            raise RefusedError(404, "not found")
        wanted = request.args.get("cluster_id")
        views = [self.view(t) for t in self.state.tasks.values() if not wanted or t["cluster"] == int(wanted)]
        return [{key: value for key, value in view.items() if key != "parent_id"} for view in views]

    def view(self, task: Json) -> Json:
        """As the API shows it."""
        keys = SHOWN + LATER if self.flavour.later else SHOWN
        return copy.deepcopy({key: task[key] for key in keys})

    def made(self, name: str, cluster: int | None, *, status: str = "", parent: int | None = None,
             progress: int = 0, message: str | None = None) -> Json:  # fmt: skip
        """A new one: pending in later versions if no ``status`` is given, else running."""
        id_ = self.master.number("task")
        task: Json = {
            "id": id_, "uuid": unique(), "name": name, "cluster": cluster, "parent_id": parent, "progress": progress,
            "status": status or ("pending" if self.flavour.later else "running"), "message": message, "result": {},
            "dry_run": False, "graph_type": None, "time_start": None, "time_end": None, "deleted": False,
        }  # fmt: skip
        self.state.tasks[id_] = task
        return task

    def begin(self, id_: int) -> None:
        """It runs now."""
        if task := self.state.tasks.get(id_):
            task.update(status="running", time_start=_now())

    def end(self, id_: int, status: str, message: str | None) -> None:
        """It is over."""
        if task := self.state.tasks.get(id_):
            task.update(status=status, progress=100, message=message, time_end=_now())

    def running(self, cluster: int | None) -> list[Json]:
        """Those of an environment that have not ended."""
        return [t for t in self.state.tasks.values()
                if t["cluster"] == cluster and t["status"] in ("pending", "running") and not t["deleted"]]  # fmt: skip

    def forget(self, cluster: int) -> None:
        """What has ended becomes history: something new begins."""
        for task in self.state.tasks.values():
            if task["cluster"] == cluster and task["status"] in ("ready", "error"):
                task["deleted"] = True


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
