"""Walks from the roots of a migration to everything that must come along."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable

from pumphouse.clouds.errors import explain
from pumphouse.resources.base import ResourceType, Wire
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.registry import TYPES

Key = tuple[str, str]
#: Contained in a project, but worth moving only if the project itself was asked for.
ONLY_OF_ROOTS = {"assignment"}
#: So many resources of one type are read one by one; more of them by a list.
FEW = 2


@dataclasses.dataclass
class Found:
    """What discovery found, and how it hangs together."""

    #: In the order in which they were found.
    resources: dict[Key, Wire] = dataclasses.field(default_factory=dict)
    #: What each one refers to and must therefore come after.
    needs: dict[Key, list[Key]] = dataclasses.field(default_factory=dict)
    #: References to resources that the source does not have any more.
    dangling: dict[Key, list[Key]] = dataclasses.field(default_factory=dict)
    #: The same, of references that may be gone without harm.
    gone: dict[Key, list[Key]] = dataclasses.field(default_factory=dict)
    #: Types that the source could not list, and why, though a plan can be made without them.
    unread: dict[str, str] = dataclasses.field(default_factory=dict)
    #: Projects that were asked for as a whole.
    projects: list[str] = dataclasses.field(default_factory=list)


def discover(source: Inventory, roots: Iterable[tuple[str, Wire]]) -> Found:
    """Everything that the roots own, contain or refer to. Lists in bulk: one wave at a time."""
    found = Found()
    wave: list[tuple[str, Wire]] = []
    for type_, resource in roots:
        wave.append((type_, resource))
        if type_ == "project":
            found.projects.append(resource["id"])
            wave += [
                (owned.type, thing)
                for owned in TYPES.values()
                if owned.owned
                for thing in source.list(owned.type, project_id=resource["id"])
            ]
    while wave:
        fresh = _add(found, source, wave)
        wave = [*_contained(found, source, fresh), *_referred(found, source, fresh)]
        wave = wave or _between(found, source)
    return found


def _between(found: Found, source: Inventory) -> list[tuple[str, Wire]]:
    """What comes along only as what it connects has come."""
    return [
        (type_.type, resource)
        for type_ in TYPES.values()
        for resource in type_.between(source, found.resources, found.projects)
        if (type_.type, type_.id(resource)) not in found.resources
    ]


def _add(found: Found, source: Inventory, wave: Iterable[tuple[str, Wire]]) -> dict[Key, Wire]:
    fresh: dict[Key, Wire] = {}
    for type_, resource in wave:
        key = (type_, TYPES[type_].id(resource))
        if key not in found.resources:
            source.remember(type_, [resource])
            found.resources[key] = fresh[key] = resource
    return fresh


def _contained(found: Found, source: Inventory, fresh: dict[Key, Wire]) -> list[tuple[str, Wire]]:
    """The resources that the fresh ones contain."""
    contained = []
    for child in TYPES.values():
        parents = [
            resource
            for (type_, id_), resource in fresh.items()
            if type_ == child.parent and (child.type not in ONLY_OF_ROOTS or id_ in found.projects)
        ]
        if parents and child.type not in found.unread:
            try:
                children = child.list_for(source.cloud, parents)
            except Exception as error:
                if not child.dispensable:
                    raise
                found.unread[child.type] = explain(error)
                continue
            # What was found in the same wave may refer to them.
            source.remember(child.type, children)
            contained += [(child.type, resource) for resource in children]
    return contained


def _referred(found: Found, source: Inventory, fresh: dict[Key, Wire]) -> list[tuple[str, Wire]]:
    """The resources that the fresh ones refer to."""
    referred = []
    wanted = {key: list(dict.fromkeys(TYPES[key[0]].references(resource))) for key, resource in fresh.items()}
    read_lists(source, {need for needs in wanted.values() for need in needs})
    for key, resource in fresh.items():
        type_ = TYPES[key[0]]
        guest = getattr(type_, "guest", None)
        needs = found.needs.setdefault(key, [])
        for need in wanted[key]:
            if need == key:
                continue
            if guest and need == ("project", resource[guest]):
                needs.append(need)
                continue
            target = source.get(*need)
            if target is None:
                missing = found.gone if need[0] in type_.soft else found.dangling
                missing.setdefault(key, []).append(need)
            else:
                needs.append(need)
                referred.append((need[0], target))
    return referred


def read_lists(source: Inventory, needs: Iterable[Key]) -> None:
    """Where much of one type is wanted that was not seen yet, one list is read in place of many requests."""
    unseen = collections.Counter(type_ for type_, id_ in needs if not source.knows(type_, id_))
    for type_, count in unseen.items():
        if count > FEW and type(TYPES[type_]).list is not ResourceType.list:
            source.list(type_)
