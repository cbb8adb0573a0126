"""Reads in bulk what earlier migrations made, so that a second run does not ask for it one by one."""

from __future__ import annotations

from collections.abc import Mapping

from pumphouse.planning.discovery import Found, Key
from pumphouse.resources.base import ResourceType
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.registry import TYPES


def prefetch(destination: Inventory, mapped: Mapping[Key, str], found: Found) -> None:
    """Fill the destination's inventory with the counterparts of what was found, as far as ``mapped`` knows them.

    ``mapped``: (type, id in the source) -> id in the destination. What no list holds is read when it is looked for.
    """
    known = {key: mapped[key] for key in found.resources if key in mapped}
    for type_ in TYPES.values():
        keys = [key for key in known if key[0] == type_.type]
        if len(keys) > 1:
            _read(destination, type_, keys, known, found)


def _read(destination: Inventory, type_: ResourceType, keys: list[Key], known: Mapping[Key, str], found: Found) -> None:
    """One type: by its projects, by its parents, by its scopes, or all of it."""
    try:
        if type_.owned:
            for project in [id_ for key, id_ in known.items() if key[0] == "project"]:
                destination.list(type_.type, project_id=project)
        elif type_.parent:
            ids = [id_ for key, id_ in known.items() if key[0] == type_.parent]
            parents = [parent for id_ in ids if (parent := destination.get(type_.parent, id_))]
            destination.remember(type_.type, type_.list_for(destination.cloud, parents))
        else:
            scopes = {tuple(_scope(type_, key, known, found).items()) for key in keys}
            for scope in scopes:
                destination.list(type_.type, **dict(scope))
    except LookupError:
        # A type that cannot be listed.
        return


def _scope(type_: ResourceType, key: Key, known: Mapping[Key, str], found: Found) -> dict[str, str | None]:
    """The scope in which the counterpart of a resource is: that of the resource, with references replaced."""
    fields = {field.name: field for field in type_.fields}
    resource = found.resources[key]
    return {
        argument: fields[name].translate(resource.get(name), lambda kind, id_: known.get((kind, id_)))
        for argument, name in type_.scope.items()
    }
