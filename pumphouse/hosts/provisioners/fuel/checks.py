"""What is in the way of giving a host to an environment: only reads."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from pumphouse.hosts.inventory import Host
from pumphouse.hosts.provisioners.base import ProvisionerError
from pumphouse.hosts.provisioners.fuel import layout
from pumphouse.hosts.provisioners.fuel.api import Json
from pumphouse.hosts.provisioners.fuel.books import MOVING, Books, running, said, split

#: What an environment is when nothing may be added to it.
CLOSED = frozenset({"remove", "update", "update_error", "deployment"})


def obstacles(books: Books, host: Host, sources: Collection[str]) -> Iterator[str]:
    """Sentences. ``sources``: names of environments that the machine may be taken out of. Raises ProvisionerError."""
    environment = books.environment()
    name, nailgun = environment["name"], books.nailgun
    mine, others = split(host, books.nodes())
    tasks = books.tasks(environment)
    # What we began ourselves before a crash is not in the way.
    ours = any(node["cluster"] == environment["id"] and node["status"] in MOVING for node in mine)
    task = running(tasks)
    if task and not ours:
        yield f"Fuel is busy in environment {name}: {task['name']} is at {task['progress']}%"
    elif environment["status"] in CLOSED and not ours:
        yield f"environment {name} is in status {environment['status']}: nothing can be added to it"
    release = nailgun.get(f"releases/{environment['release_id']}/")
    if release.get("state") == "unavailable":
        yield f"environment {name} is of release {release['name']}, which Fuel says is unavailable"
    yield from _roles(books, host, environment, release)
    members = [node for node in others if node["cluster"] == environment["id"]]
    yield from _foreign(environment, members)
    if not any(node["status"] == "ready" and "controller" in node["roles"] for node in members):
        yield f"environment {name} has no controller that runs: deploy that first"
    yield from _layouts(host, members)
    for node in mine:
        if reason := kept(books, node, environment, sources):
            yield reason


def _roles(books: Books, host: Host, environment: Json, release: Json) -> Iterator[str]:
    metas: dict[str, Any] = {name: meta or {} for name, meta in (release.get("roles_metadata") or {}).items()}
    known = release.get("roles")
    if not known:
        # 8.0 and later: an environment's plugins bring roles of their own.
        found = books.nailgun.get(f"clusters/{environment['id']}/roles/")
        metas = {role["name"]: role.get("meta") or {} for role in found}
        known = list(metas)
    if unknown := [role for role in host.roles if role not in known]:
        yield (f"Fuel knows no role {', '.join(unknown)} in environment {environment['name']}; "
               f"it knows {', '.join(known)}")  # fmt: skip
    for role in host.roles:
        conflicts = metas.get(role, {}).get("conflicts") or []
        against = [other for other in host.roles if other != role and (conflicts == "*" or other in conflicts)]
        if against:
            yield f"Fuel does not allow role {role} together with {', '.join(against)}"


def _foreign(environment: Json, members: list[Json]) -> Iterator[str]:
    """Somebody else is about to change something. Only our node would be touched, but not by what it was meant for."""
    name = environment["name"]
    for node in members:
        if node["pending_addition"]:
            roles = ", ".join(node["pending_roles"])
            yield (f"somebody is about to add {said(node)} to environment {name} as {roles}: "
                   "deploy or discard that first")  # fmt: skip
        elif node["pending_deletion"]:
            yield f"somebody is about to remove {said(node)} from environment {name}: deploy or discard that first"
        elif node["pending_roles"]:
            roles = ", ".join(node["pending_roles"])
            yield f"somebody is about to give {said(node)} the roles {roles}: deploy or discard that first"
    changed = [change["name"] for change in environment.get("changes") or [] if change.get("node_id") is None]
    if changed and environment["status"] == "operational":
        yield f"somebody has changed {', '.join(changed)} of environment {name}: deploy or discard that first"


def _layouts(host: Host, members: list[Json]) -> Iterator[str]:
    for one in dict.fromkeys((host.disks.like if host.disks.kind == "discovery" else False,
                              host.nics.like if host.nics.kind == "discovery" else False)):  # fmt: skip
        if one is False:
            continue
        try:
            layout.template(host, members, layout.Layout("discovery", one))
        except ProvisionerError as error:
            yield str(error)


def kept(books: Books, node: Json, environment: Json, sources: Collection[str]) -> str | None:
    """Why what Fuel knows of the machine is not for us to remove; None: it may go, or there is nothing to keep."""
    if node["cluster"] is None:
        return None
    if node["cluster"] != environment["id"]:
        name = books.name_of(node["cluster"])
        if name in sources:
            return None
        return (f"Fuel has the machine as {said(node)} in environment {name} ({node['status']}): remove it there, "
                f"or name that environment in provisioner.take_from")  # fmt: skip
    if node["status"] in MOVING:
        return f"the machine is being deployed right now, as {said(node)}: it is {node['status']}"
    if node["status"] == "ready" and node["online"]:
        return f"the machine runs in environment {environment['name']} already, as {said(node)}"
    return None
