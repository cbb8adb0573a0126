"""What of a tenant's people cannot move, or does not come along unless asked for: named one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pumphouse.clouds.errors import explain, is_missing
from pumphouse.planning.discovery import Found, read_lists
from pumphouse.planning.plan import Item
from pumphouse.resources.base import Wire
from pumphouse.resources.identity.assignment import Assignment
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.registry import TYPES


def people_left(source: Inventory, found: Found, note: Callable[[str], None]) -> list[Item]:
    """Each with its owner and the reason. What could not be looked at goes to ``note``."""
    items: list[Item] = []
    for what, look in LOOKS.items():
        try:
            items += look(source, found)
        except Exception as error:
            # What the source does not know of has nothing to lose either.
            if not is_missing(error):
                note(f"Could not look for any {what} in the source: {explain(error)}")
    return items


def _children(source: Inventory, found: Found) -> Iterator[Item]:
    """Projects below those that move."""
    domains = dict.fromkeys(found.resources["project", id_]["domain_id"] for id_ in found.projects)
    projects = [project for domain in domains for project in source.list("project", domain_id=domain)]
    below = set(found.projects)
    while more := {p["id"] for p in projects if p.get("parent_id") in below} - below:
        below |= more
    for project in projects:
        if project["id"] in below and project["id"] not in found.projects:
            reason = f"a project below this tenant, which does not come along: move it, too ({project['id']})"
            yield Item("project", project["id"], project["name"], "skip", reason)


def _roles(source: Inventory, found: Found) -> Iterator[Item]:
    """Roles that others have here by way of the domain or of a project above."""
    type_ = TYPES["assignment"]
    assert isinstance(type_, Assignment)  # noqa: S101 (for mypy)
    staying = type_.staying(source, found.resources, found.projects)
    read_lists(source, {need for entry in staying for need in type_.references(entry)})
    for entry in staying:
        reason = "inherited from above by somebody without a role on the tenant itself, who does not come along"
        yield Item("assignment", type_.id(entry), type_.name(entry, _namer(source)), "skip", reason)


def _memberships(source: Inventory, found: Found) -> Iterator[Item]:
    """Groups without a role on the tenant in which its users are."""
    for user in _users(found):
        for group in source.cloud.identity.groups.list(user=user["id"]):
            if ("group", group.id) not in found.resources:
                reason = "the group has no role on what moves, and does not come along"
                id_ = f"{group.id}/{user['id']}"
                yield Item("membership", id_, f"{user['name']} in {group.name}", "skip", reason)


def _application_credentials(source: Inventory, found: Found) -> Iterator[Item]:
    """Keystone keeps only a hash of their secret, and takes none."""
    for user in _users(found):
        for credential in source.cloud.identity.application_credentials.list(user=user["id"]):
            if not found.projects or credential.project_id in found.projects:
                reason = f"its secret cannot be read: {user['name']} has to make a new one"
                yield Item(
                    "application credential", credential.id, f"{credential.name} of {user['name']}", "skip", reason
                )


def _trusts(source: Inventory, found: Found) -> Iterator[Item]:
    """Only the one who trusts may make a trust. They have no names."""
    users = {user["id"] for user in _users(found)}
    trusts = [trust.to_dict() for trust in source.cloud.identity.trusts.list()] if users else []
    for trust in trusts:
        if trust["trustor_user_id"] not in users or (found.projects and trust["project_id"] not in found.projects):
            continue
        named = _namer(source)
        trustor, trustee = (named("user", trust[f"{who}_user_id"]) for who in ("trustor", "trustee"))
        where = f" for {named('project', trust['project_id'])}" if trust["project_id"] else ""
        reason = f"a trust can be made only by who trusts: {trustor} has to make it again"
        yield Item("trust", trust["id"], f"{trustor} trusts {trustee}{where}", "skip", reason)


LOOKS: dict[str, Callable[[Inventory, Found], Iterator[Item]]] = {
    "project below": _children,
    "inherited role": _roles,
    "membership": _memberships,
    "application credential": _application_credentials,
    "trust": _trusts,
}


def _users(found: Found) -> list[Wire]:
    return [resource for (type_, _), resource in found.resources.items() if type_ == "user"]


def _namer(source: Inventory) -> Callable[[str, str], str]:
    def named(type_: str, id_: str) -> str:
        resource = source.get(type_, id_)
        return TYPES[type_].name(resource) if resource else id_

    return named
