"""What a request may say about a resource: its attributes, by the tables of their collections."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from pumphouse.embedded.network.checks import Check, anything, text
from pumphouse.embedded.network.errors import forbidden, malformed
from pumphouse.embedded.service import Json


class _Unset:
    """Stands for what was not said."""

    def __repr__(self) -> str:
        return "nothing"


#: An attribute that must be given.
REQUIRED: Any = _Unset()
#: An attribute that is left open where it is not given: the service finds a value.
OPEN: Any = _Unset()


@dataclasses.dataclass(frozen=True)
class Attribute:
    """One field of a collection."""

    default: Any = OPEN
    check: Check = anything
    #: Whether it can be said when the resource is made, and changed afterwards.
    post: bool = True
    put: bool = True
    #: Only the operator may say something else than the default.
    operators: bool = False
    #: Only clouds with this extension know it.
    extension: str = ""


NAME = Attribute("", text())
DESCRIPTION = Attribute("", text())
OWNER = {"project_id": Attribute(OPEN, text(), put=False), "tenant_id": Attribute(OPEN, text(), put=False)}
#: What only answers tell.
READ_ONLY = Attribute(post=False, put=False)

Attributes = Mapping[str, Attribute]


def known(attributes: Attributes, given: Json, owner: bool = True) -> None:
    """Refuse what the API does not know."""
    names = {*attributes, *OWNER} if owner else set(attributes)
    if unknown := [name for name in given if name not in names]:
        raise malformed(f"Unrecognized attribute(s) '{', '.join(unknown)}'")


def complete(attributes: Attributes, given: Json) -> Json:
    """What a resource is to be: checked, with the defaults. What stays open is not in it."""
    wanted = {}
    for name, attribute in attributes.items():
        if not attribute.post:
            if name in given:
                raise malformed(f"Attribute '{name}' not allowed in POST")
            continue
        if name in given:
            wanted[name] = given[name]
        elif attribute.default is REQUIRED:
            raise malformed(f"Failed to parse request. Required attribute '{name}' not specified")
    wanted = checked(attributes, wanted)
    for name, attribute in attributes.items():
        if attribute.post and name not in wanted and attribute.default is not OPEN:
            default = attribute.default
            wanted[name] = default.copy() if isinstance(default, list | dict) else default
    return wanted


def changes(attributes: Attributes, given: Json) -> Json:
    """What shall be otherwise, checked."""
    for name in given:
        if not (attributes[name] if name in attributes else OWNER[name]).put:
            raise malformed(f"Cannot update read-only attribute {name}")
    return checked(attributes, given)


def checked(attributes: Attributes, given: Json) -> Json:
    """Every value as it is kept."""
    found = {}
    for name, value in given.items():
        try:
            found[name] = attributes[name].check(value)
        except ValueError as error:
            raise malformed(f"Invalid input for {name}. Reason: {error}.") from None
    return found


def permitted(attributes: Attributes, given: Json, action: str, making: bool) -> None:
    """Refuse, in a tenant's request, what only operators may say."""
    said = [
        name
        for name in sorted(given)
        if name in attributes
        and attributes[name].operators
        and not (making and given[name] == attributes[name].default)
    ]
    if said:
        rule = f"rule:{action}"
        for name in said:
            rule = f"({rule} and rule:{action}:{name})"
        raise forbidden(rule)


def envelope(given: Any, key: str) -> Json:
    """What a request's body holds under its key."""
    if not isinstance(given, dict):
        raise malformed("Body contains invalid data")
    if key not in given:
        raise malformed(f"Unable to find '{key}' in request body")
    if not isinstance(given[key], dict):
        raise malformed(f"Object '{key}' contains invalid data")
    return dict(given[key])
