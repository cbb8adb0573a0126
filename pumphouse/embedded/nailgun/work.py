"""What is done to an environment's nodes: provisioned, deployed, removed, stopped.

``changes`` does all that is pending, ``provision`` and ``deploy`` one half each to chosen nodes. The orchestrator and
the machines are pretended: each half takes ``STEPS`` steps of the delays ``provision`` and ``deploy``.
"""

from __future__ import annotations

from typing import Any

from flask import request

from pumphouse.embedded.nailgun.flavours import Json
from pumphouse.embedded.nailgun.master import Part
from pumphouse.embedded.nailgun.wording import BareError, found
from pumphouse.embedded.service import RefusedError, route

STEPS = 4
BUSY = "Cannot perform the actions because there are another running tasks."


class Work(Part):
    """The calls that start and stop."""

    @route("PUT", "/clusters/<int:id_>/provision")
    def provision(self, id_: int) -> Any:
        """Systems onto chosen nodes."""
        nodes = self._chosen(id_)
        if failed := self._begun(id_, "provision"):
            return failed
        task = self.master.tasks.made("provision", id_)
        ids = [node["id"] for node in nodes]
        if self.flavour.later:
            self.cluster(id_)["status"] = "deployment"
            self.master.later(0, "work", "provisioning", task["id"], ids, None)
        else:
            self.provisioning(task["id"], ids, None)
        return self.master.tasks.view(task), 202

    @route("PUT", "/clusters/<int:id_>/deploy")
    def deploy(self, id_: int) -> Any:
        """OpenStack onto chosen nodes."""
        nodes, later = self._chosen(id_), self.flavour.later
        unready = [n["id"] for n in nodes if n["pending_addition"] or n["status"] == "provisioning"]
        if later and unready:
            raise RefusedError(400, "Deployment operation cannot be started. Nodes with uids "
                               f"{unready} are not provisioned yet. ")  # fmt: skip
        if later and (leaving := [node["id"] for node in nodes if node["pending_deletion"]]):
            raise RefusedError(400, "Deployment operation cannot be started. Nodes with uids "
                               f"{leaving} marked for deletion. Please remove them and "
                               "restart deployment.")  # fmt: skip
        if failed := self._begun(id_, "deploy" if later else "deployment"):
            return failed
        task = self.master.tasks.made("deploy" if later else "deployment", id_)
        if later:
            self.cluster(id_)["status"] = "deployment"
        self.master.tasks.begin(task["id"])
        self._deploying(task, [node["id"] for node in nodes])
        return self.master.tasks.view(task), 202

    @route("PUT", "/clusters/<int:id_>/changes")
    def changes(self, id_: int) -> Any:
        """All that is pending, whoever wanted it."""
        cluster, tasks, later = self.cluster(id_), self.master.tasks, self.flavour.later
        members = self.members(id_)
        leaving = [node for node in members if node["pending_deletion"]]
        coming = [node for node in members if node["pending_addition"] and not node["pending_deletion"]]
        rest = [node for node in members if node not in leaving and (later or node["pending_roles"])]
        touched = {node["id"]: node for node in [*coming, *rest]}
        if not later:
            if not leaving and not rest and not cluster["changes"]:
                raise BareError(400, "No changes to deploy")
            for task in tasks.running(id_):
                # The first task's id is not found any more.
                del self.state.tasks[task["id"]]
        if failed := self._begun(id_, "deploy"):
            return failed
        if offline := [node for node in touched.values() if not node["online"]]:
            names = ", ".join(f'"{n["name"]} (id={n["id"]}, mac={n["mac"]})"' for n in offline)
            task = tasks.made("deploy", id_, status="error", progress=100, message=f"Nodes {names} are offline. "
                              "Remove them from environment and try again.")  # fmt: skip
            return tasks.view(task), 200 if later else 202
        task = tasks.made("deploy", id_)
        cluster["status"] = "deployment"
        arguments = (task["id"], [n["id"] for n in leaving], [n["id"] for n in coming], [n["id"] for n in rest])
        if later:
            self.master.later(0, "work", "applying", *arguments)
        else:
            self.applying(*arguments)
        return tasks.view(task), 202

    @route("PUT", "/clusters/<int:id_>/stop_deployment")
    def stop(self, id_: int) -> Any:
        """No more of what is done; the nodes are as if they were only discovered."""
        cluster, tasks = self.cluster(id_), self.master.tasks
        stopped = [t for t in tasks.running(id_) if t["name"] in ("provision", "deploy", "deployment")]
        if not stopped:
            raise BareError(400, f"Nothing to stop - deployment is not running on environment '{id_}'")
        for task in stopped:
            del self.state.tasks[task["id"]]
        cluster["status"] = "stopped"
        task = tasks.made("stop_deployment", id_, status="running")
        self.master.later(self.master.delays["stop"], "work", "stopped", task["id"], id_)
        return tasks.view(task), 202

    def stopped(self, task: int, cluster: int) -> None:
        """It is over: machines boot again."""
        touched = [n for n in self.members(cluster) if n["status"] in ("provisioning", "provisioned", "deploying")]
        for node in touched:
            pending = [*node["roles"], *node["pending_roles"]]
            node.update(status="discover", progress=0, roles=[], pending_roles=pending, pending_addition=True)
        self.master.tasks.end(
            task, "ready", f"Deployment of {len(touched)} environment node(s) was successfully stopped."
        )

    def _chosen(self, cluster: int) -> list[Json]:
        self.cluster(cluster)
        wanted = request.args.get("nodes")
        if not wanted:
            return self.members(cluster)
        nodes = [found(self.state.nodes.get(int(id_)), "Node") for id_ in wanted.split(",")]
        if foreign := [str(node["id"]) for node in nodes if node["cluster"] != cluster]:
            raise RefusedError(400, f"Nodes {', '.join(foreign)} do not belong to cluster {cluster}")
        return nodes

    def _begun(self, cluster: int, name: str) -> Any:
        """Refuse to disturb what runs, forget what is over; or the answer with a task that has failed already."""
        tasks, later = self.master.tasks, self.flavour.later
        if later and tasks.running(cluster):
            raise BareError(400, BUSY)
        if later:
            tasks.forget(cluster)
        if self.master.faults.fails("start"):
            task = tasks.made(name, cluster, status="error", progress=100,
                              message="Provisioning data could not be made (a fault that was asked for)")  # fmt: skip
            return tasks.view(task), 200 if later else 202
        return None

    # ----------------------------------------------------------------------------------------- what happens then

    def applying(self, task: int, leaving: list[int], coming: list[int], rest: list[int]) -> None:
        """The start of ``changes``."""
        if task not in self.state.tasks:
            return
        self.master.tasks.begin(task)
        for id_ in leaving:
            if node := self.state.nodes.get(id_):
                self.master.nodes.reborn(node)
        for node in self._nodes([*coming, *rest]):
            node["roles"] = sorted({*node["roles"], *node["pending_roles"]})
            node["pending_roles"] = []
        cluster = self.state.tasks[task]["cluster"]
        if coming:
            part = self.master.tasks.made("provision", cluster, parent=task)
            self.provisioning(part["id"], coming, rest)
        else:
            self._deploying(self.state.tasks[task], rest)

    def provisioning(self, task: int, ids: list[int], then: list[int] | None) -> None:
        """The first half begins. ``then``: whom to deploy after it, as a part of the parent's work."""
        if task not in self.state.tasks:
            return
        self.master.tasks.begin(task)
        for node in self._nodes(ids):
            node.update(status="provisioning", pending_addition=False, progress=0, error_type=None)
        self._step("provision", "provisioned", task, ids, then)

    def _step(self, what: str, method: str, task: int, *arguments: Any) -> None:
        delay = self.master.delays[what] / STEPS
        for step in range(1, STEPS):
            self.master.later(delay * step, "work", "stepped", task, arguments[0], 100 * step // STEPS)
        self.master.later(delay * STEPS, "work", method, task, *arguments)

    def stepped(self, task: int, ids: list[int], progress: int) -> None:
        """Somewhat further. A task of ``changes`` counts both halves; that of 6.0 falls back between them."""
        if (one := self.state.tasks.get(task)) is None:
            return
        one["progress"] = progress
        if self._tells(one):
            for node in self._nodes(ids):
                node["progress"] = progress
        if parent := self.state.tasks.get(one["parent_id"]):
            second = one["name"] == "deployment"
            early = progress if not self.flavour.later else progress * 4 // 10
            parent["progress"] = 40 + progress * 6 // 10 if second else early

    def _tells(self, task: Json) -> bool:
        """Whether nodes show what a task does. When 6.0 provisions chosen ones, only the task itself does."""
        return self.flavour.later or task["name"] != "provision" or task["parent_id"] is not None

    def provisioned(self, task: int, ids: list[int], then: list[int] | None) -> None:
        """The end of the first half."""
        if (one := self.state.tasks.get(task)) is None:
            return
        cluster, nodes = self.cluster(one["cluster"]), self._nodes(ids)
        if self.master.faults.fails("provision"):
            self._failed(one, nodes, "provision")
            return
        for node in nodes:
            if self._tells(one):
                node.update(status="provisioned", progress=100)
        everybody = len(nodes) == len(self.members(cluster["id"]))
        what = f"environment '{cluster['name']}'" if everybody else f"{len(nodes)} environment node(s)"
        self.master.tasks.end(task, "ready", f"Provision of {what} is done." if self.flavour.later else None)
        if then is not None:
            self._deploying(self.state.tasks[one["parent_id"]], then)
        elif self.flavour.later:
            cluster["status"] = "partially_deployed"

    def _deploying(self, task: Json, ids: list[int]) -> None:
        """The second half begins; in later versions it is a part of another task."""
        part = task
        if task["name"] == "deploy":
            part = self.master.tasks.made("deployment", task["cluster"], parent=task["id"])
            part["graph_type"] = "default" if self.flavour.later else None
            self.master.tasks.begin(part["id"])
        for node in self._nodes(ids):
            node.update(status="deploying", progress=0, error_type=None, pending_addition=False)
        self._step("deploy", "deployed", part["id"], ids)

    def deployed(self, task: int, ids: list[int]) -> None:
        """The end of the second half."""
        if (one := self.state.tasks.get(task)) is None:
            return
        cluster, nodes = self.cluster(one["cluster"]), self._nodes(ids)
        if self.master.faults.fails("deploy"):
            self._failed(one, nodes, "deploy")
            return
        for node in nodes:
            roles = [*node["roles"], *(role for role in node["pending_roles"] if role not in node["roles"])]
            node.update(status="ready", progress=100, roles=roles, pending_roles=[])
            node["fqdn"] = node["fqdn"] or f"node-{node['id']}.example.com"
        done = all(node["status"] == "ready" for node in self.members(cluster["id"]))
        cluster.update(status="operational" if done else "partially_deployed", changes=[])
        message = f"Deployment of environment '{cluster['name']}' is done."
        self.master.tasks.end(task, "ready", message)
        halves = [
            t["message"] for t in self.state.tasks.values() if t["parent_id"] == one["parent_id"] and t["message"]
        ]
        if one["parent_id"]:
            self.master.tasks.end(one["parent_id"], "ready", "\n".join(halves))
        self.master.notify("done", message, cluster["id"])

    def _failed(self, task: Json, nodes: list[Json], kind: str) -> None:
        names = ", ".join(node["name"] for node in nodes)
        for node in nodes:
            node.update(status="error", error_type=kind, progress=100)
        cluster = self.cluster(task["cluster"])
        cluster["status"] = "error"
        message = f"{task['name'].title()} has failed. Check these nodes:\n{names}"
        for id_ in (task["id"], task["parent_id"]):
            self.master.tasks.end(id_, "error", message)
        self.master.notify("error", message, cluster["id"])

    def _nodes(self, ids: list[int]) -> list[Json]:
        return [node for id_ in ids if (node := self.state.nodes.get(id_))]
