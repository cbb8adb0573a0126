"""Whether a request's fields have the form that Keystone's schemas want."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pumphouse.embedded.service import RefusedError

Json = dict[str, Any]
Check = type | Callable[[Any], bool]


def text(longest: int) -> Check:
    """A check: some text, not only spaces, of at most so many characters."""
    return lambda value: isinstance(value, str) and 0 < len(value) <= longest and not value.isspace()


def nullable(type_: type) -> Check:
    """A check: of this type, or null."""
    return lambda value: value is None or isinstance(value, type_)


def tags(value: Any) -> bool:
    """A check: labels, each once, that fit into an URL and a list."""
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        return False
    return len(set(value)) == len(value) <= 80 and all(
        0 < len(tag) <= 255 and not set(tag) & set(",/") for tag in value
    )


def options(*names: str) -> Check:
    """A check: options, none but these."""
    return lambda value: isinstance(value, dict) and set(value) <= set(names)


def checked(kind: str, given: Any, checks: Mapping[str, Check], *, required: str = "") -> Json:
    """The fields of a request; refuses (400) those that are ill formed or lack the required one."""
    if not isinstance(given, dict):
        raise RefusedError(400, f"{given!r} is not of type 'object'")
    if required and required not in given:
        raise RefusedError(400, f"Invalid input for field/attribute {kind}. '{required}' is a required property")
    for name, check in checks.items():
        if name not in given:
            continue
        value = given[name]
        if not (isinstance(value, check) if isinstance(check, type) else check(value)):
            raise RefusedError(400, f"Invalid input for field '{name}': {value!r} does not have its form")
    return given


def enough(kind: str, change: Json) -> Json:
    """Refuses (400) a change of nothing."""
    if not change:
        raise RefusedError(400, f"Invalid input for field/attribute {kind}. {{}} does not have enough properties")
    return change
