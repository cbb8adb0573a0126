"""Installing one node: assign, lay out, provision it, deploy it; each step only if it is not done yet.

Only this node is named in what is asked for (``provision?nodes=``, ``deploy?nodes=``), never ``changes``, which does
whatever is pending, other people's too. What is next follows from the node and the environment's tasks alone.
"""

from __future__ import annotations

import re

from pumphouse.hosts.inventory import Host
from pumphouse.hosts.provisioners.base import Progress, ProvisionerError
from pumphouse.hosts.provisioners.fuel import layout
from pumphouse.hosts.provisioners.fuel.api import Json, one_line
from pumphouse.hosts.provisioners.fuel.books import MOVING, Books, last, running, said, split

#: Percent of the way that provisioning is: the rest is deployment.
FIRST_HALF = 40


def begin(books: Books, host: Host) -> None:
    """Start, or start again what has failed; nothing if it runs or is done. Raises ProvisionerError."""
    environment = books.environment()
    # Tasks before nodes, always: a task that ends between the two questions leaves a node that is further than we
    # think. The other way round, a node that was still deploying would seem to be left alone, and be deployed again.
    tasks = books.tasks(environment)
    mine, others = split(host, books.nodes())
    if not mine:
        raise ProvisionerError(f"Fuel does not know {host.name} any more: it has to be discovered again")
    node, members = mine[0], [one for one in others if one["cluster"] == environment["id"]]
    _check_ours(books, environment, node)
    if node["cluster"] is not None and _done(host, node):
        return
    if running(tasks) and node["status"] in MOVING:
        return
    if running(tasks):
        task = running(tasks) or {}
        raise ProvisionerError(f"Fuel is busy in environment {environment['name']}: {task['name']} is at "
                               f"{task['progress']}%", passing=True)  # fmt: skip
    if node["cluster"] is None or node["pending_addition"]:
        _assign(books, host, environment, node)
        _rename(books, host, node)
    if _second_half(node, tasks):
        _start(books, environment, node, "deploy")
        return
    if node["status"] not in MOVING:
        layout.configure(books.nailgun, host, node, members)
    _start(books, environment, node, "provision")


def follow(books: Books, host: Host, known_as: str) -> Progress:
    """How far it is; starts the second half when the first is done. ``known_as``: the id that was deployed.

    Raises ProvisionerError.
    """
    environment = books.environment()
    # Before the node: see begin.
    tasks = books.tasks(environment)
    node = books.newest(host)
    if reason := _lost(books, environment, node, known_as):
        return Progress("failed", None, reason)
    if node is None or node["cluster"] is None:
        return Progress("waiting", None, "Fuel has discovered the machine; it is in no environment yet")
    task, newest = running(tasks), last(tasks)
    if node["status"] in ("error", "stopped"):
        return Progress("failed", None, _why(node, newest))
    if task is None and (reason := _failed(node, tasks)):
        return Progress("failed", None, reason)
    if node["status"] == "ready":
        return _ready(host, node, task)
    if node["pending_addition"]:
        return _before(task)
    if task is None and node["status"] in ("provisioning", "provisioned") and _second_half(node, tasks):
        try:
            _start(books, environment, node, "deploy")
        except ProvisionerError as error:
            if error.passing:
                return Progress("deploying", FIRST_HALF, f"provisioned; {error}")
            return Progress("failed", None, str(error))
        return Progress("deploying", FIRST_HALF, "provisioned; the deployment begins")
    return Progress("deploying", _percent(node, task), _text(node, task))


def stop(books: Books, environment: Json, node: Json) -> None:
    """Have Nailgun stop what it does to this node. Raises ProvisionerError: passing while it stops, final where other
    nodes would be stopped too.
    """
    tasks = books.tasks(environment)
    task = running(tasks)
    if task is None:
        return
    if task["name"] == "stop_deployment":
        raise ProvisionerError(f"Fuel is still stopping in environment {environment['name']}", passing=True)
    touched = [one for one in books.nodes() if one["cluster"] == environment["id"] and one["status"] in MOVING
               and one["id"] != node["id"]]  # fmt: skip
    if touched:
        names = ", ".join(said(one) for one in touched)
        raise ProvisionerError(
            f"{said(node)} is {node['status']} together with {names}: to stop one would stop them all"
        )
    books.nailgun.begin("PUT", f"clusters/{environment['id']}/stop_deployment/")
    raise ProvisionerError(f"Fuel stops what it does in environment {environment['name']}", passing=True)


def _assign(books: Books, host: Host, environment: Json, node: Json) -> None:
    """Into the environment, with the roles that the host has.

    6.0 refuses to assign again what is assigned. Later ones take a node out of another environment without a word, so
    that was looked at before.
    """
    nailgun, path = books.nailgun, f"clusters/{environment['id']}"
    if node["cluster"] is not None:
        if set(node["pending_roles"]) == set(host.roles):
            return
        nailgun.call("POST", f"{path}/unassignment/", [{"id": node["id"]}])
    elif node["status"] != "discover" or not node["online"]:
        state = node["status"] if node["online"] else "offline"
        raise ProvisionerError(f"{said(node)} is {state}: it has to boot Fuel's image first", passing=True)
    nailgun.call("POST", f"{path}/assignment/", [{"id": node["id"], "roles": list(host.roles)}])


def _rename(books: Books, host: Host, node: Json) -> None:
    """The host keeps its name, in 8.0 and later as a machine too; Fuel decides the domain.

    Names like node-7 are Fuel's own, and given by it.
    """
    names, short = {"name": host.name}, host.name.partition(".")[0].lower()
    if "hostname" in node and re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", short) and not re.fullmatch(r"node-\d+", short):
        names["hostname"] = short
    if any(node[key] != name for key, name in names.items()):
        books.nailgun.call("PUT", f"nodes/{node['id']}/", names)


def _start(books: Books, environment: Json, node: Json, what: str) -> None:
    books.nailgun.begin("PUT", f"clusters/{environment['id']}/{what}/?nodes={node['id']}")


def _check_ours(books: Books, environment: Json, node: Json) -> None:
    if node["pending_deletion"] or node["status"] == "removing":
        raise ProvisionerError(f"{said(node)} is about to be removed from Fuel: {node['status']}")
    if node["cluster"] not in (None, environment["id"]):
        raise ProvisionerError(
            f"{said(node)} is in environment {books.name_of(node['cluster'])}: somebody else took it"
        )


def _done(host: Host, node: Json) -> bool:
    return node["status"] == "ready" and set(host.roles) <= set(node["roles"])


def _second_half(node: Json, tasks: list[Json]) -> bool:
    """Whether the node is provisioned, and to be deployed.

    6.0 leaves it at "provisioning" when that is over, and only the task says so.
    """
    if node["status"] in ("provisioned", "deploying"):
        return True
    if node["status"] == "error":
        return bool(node["error_type"] == "deploy")
    newest = last(tasks, ("provision",))
    return node["status"] == "provisioning" and newest is not None and newest["status"] == "ready"


def _lost(books: Books, environment: Json, node: Json | None, known_as: str) -> str | None:
    """Why the machine is not ours to follow any more."""
    if node is None:
        return f"Fuel does not know the machine any more: node {known_as} was removed"
    if node["pending_deletion"] or node["status"] == "removing":
        return f"somebody removes {said(node)} from Fuel"
    if node["cluster"] not in (None, environment["id"]):
        return f"{said(node)} is in environment {books.name_of(node['cluster'])} now: somebody else took it"
    if node["cluster"] is None and str(node["id"]) != known_as:
        return f"node {known_as} was removed from Fuel; the machine has come back as {said(node)}"
    return None


def _failed(node: Json, tasks: list[Json]) -> str | None:
    """What ended this before the node could show it: the newest task, failed or stopped."""
    newest = tasks[-1] if tasks else None
    stopped = last(tasks, ("stop_deployment",))
    work = last(tasks)
    if stopped and (work is None or stopped["id"] > work["id"]) and node["status"] != "ready":
        return f"somebody has stopped the deployment in Fuel: {one_line(stopped['message']) or 'it does not say why'}"
    if newest and work and work["status"] == "error":
        return f"Fuel: {one_line(work['message']) or 'it does not say why'} (task {work['id']}, {work['name']})"
    return None


def _why(node: Json, task: Json | None) -> str:
    words = node.get("error_msg") or (task or {}).get("message")
    kind = f"{node['error_type']} failed" if node["error_type"] else node["status"]
    return f"{said(node)}: {kind}{': ' if words else ''}{one_line(words)}"


def _ready(host: Host, node: Json, task: Json | None) -> Progress:
    """Only when the task has ended too, and the roles are there."""
    if task is not None:
        return Progress("deploying", 99, f"installed; {task['name']} is at its end")
    if lacking := sorted(set(host.roles) - set(node["roles"])):
        return Progress("failed", None, f"{said(node)} is ready, but without role {', '.join(lacking)}")
    return Progress("done", 100, f"{said(node)} is ready as {node.get('fqdn') or node['name']}")


def _before(task: Json | None) -> Progress:
    if task is None:
        return Progress("waiting", None, "assigned; its provisioning was not started")
    return Progress("deploying", 0, f"assigned; {task['name']} begins")


def _percent(node: Json, task: Json | None) -> int:
    known = [node.get("progress") or 0]
    if task is not None and task["name"] == "provision":
        # In 6.0 the node does not tell.
        known.append(task.get("progress") or 0)
    progress = min(max(int(max(known)), 0), 100)
    if node["status"] == "provisioning":
        return progress * FIRST_HALF // 100
    return FIRST_HALF + (progress * (100 - FIRST_HALF) // 100 if node["status"] == "deploying" else 0)


def _text(node: Json, task: Json | None) -> str:
    what = {"provisioning": "the system is installed", "provisioned": "the system is installed, OpenStack is next",
            "deploying": "OpenStack is installed"}.get(str(node["status"]), str(node["status"]))  # fmt: skip
    return f"{what}: {task['name']} is at {task['progress']}%" if task else what
