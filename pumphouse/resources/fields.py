"""What a field of a resource is, and what becomes of it: the words in which every type is declared.

A type names every field of the service's API by its wire name and says for each: ``carry``, ``keep``,
``refer`` or ``report``. From that table come the references in the plan, the request bodies, the comparison
afterwards and the page in the documentation.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, Literal

#: A resource as the API shows it: field names are those on the wire.
Wire = dict[str, Any]
#: Several of them. (``list`` is a method of every type.)
Wires = list[Wire]
#: Finds the counterpart of a resource: (type, id in the source) -> id in the destination, or None.
Lookup = Callable[[str, str], str | None]

How = Literal["carry", "keep", "map", "report"]


@dataclasses.dataclass(frozen=True)
class Field:
    """One field of a resource, by the name that it has on the wire."""

    name: str
    how: How
    doc: str
    #: Recognises an existing counterpart.
    match: bool = False
    #: For references: the type referred to.
    to: str | None = None
    #: For references inside a value: the path to the id; ``*`` stands for each element of a list or of a mapping.
    at: tuple[str, ...] = ()
    #: Carried where the destination allows; where it does not, reported as not carried and no difference.
    loose: bool = False
    #: False: not part of the request that makes the resource (set by a call of its own, or by the service).
    post: bool = True
    #: The API takes the field, but not with null.
    omit_null: bool = False
    #: Alias of the API extension without which the service does not know the field.
    extension: str | None = None
    #: Of the moment of the move: not compared later, when either side may have been changed on purpose.
    fleeting: bool = False
    #: Never shown or stored: compared only.
    secret: bool = False
    #: For ``report``: tells whether a value is worth a line in the plan.
    worth: Callable[[Any], bool] | None = None
    #: Brings the spellings of one value in different releases together before they are compared.
    normal: Callable[[Any], Any] | None = None
    #: The value is a name (or a list of names) of this kind, which the configuration's ``mappings`` may change.
    names: str | None = None

    def references(self, value: Any) -> Iterator[str]:
        """Ids of the resources that a value of this field refers to."""
        if self.to:
            yield from _walk(value, self.at)

    def translate(self, value: Any, lookup: Lookup) -> Any:
        """The value for the destination; a reference without counterpart becomes None."""
        if not self.to:
            return value
        to = self.to
        return _replace(value, self.at, lambda id_: lookup(to, id_))

    def same(self, one: Any, other: Any) -> bool:
        """Whether two values mean the same."""
        if self.normal:
            one, other = self.normal(one), self.normal(other)
        return bool(one == other)


def carry(name: str, doc: str, **more: Any) -> Field:
    """The destination must show the same value, False, 0, "" and null included."""
    return Field(name, "carry", doc, **more)


def keep(name: str, doc: str) -> Field:
    """An id that is asked for in the destination too; where it is taken, the service chooses another."""
    return Field(name, "keep", doc)


def refer(name: str, to: str, doc: str, at: str = "", **more: Any) -> Field:
    """A reference to another resource, replaced by its counterpart. ``at``: "project.id", "*.subnet_id", "*"."""
    return Field(name, "map", doc, to=to, at=tuple(at.split(".")) if at else (), **more)


def report(name: str, doc: str, worth: Callable[[Any], bool] | None = None, **more: Any) -> Field:
    """Cannot or should not be carried. With ``worth``, values for which it holds are named in the plan."""
    return Field(name, "report", doc, worth=worth, **more)


def some(value: Any) -> bool:
    """A value that holds something: the usual ``worth``."""
    return value not in (None, "", [], {}, False, 0)


def text(value: Any) -> str:
    """A text that is null in one release and empty in another."""
    return value or ""


def unordered(value: Any) -> Any:
    """A list whose order means nothing, made comparable."""
    if not isinstance(value, list):
        return value
    return sorted((_frozen(element) for element in value), key=repr)


def _frozen(value: Any) -> Any:
    return sorted(value.items()) if isinstance(value, dict) else value


def _walk(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    if not value:
        return
    if not path:
        yield value
    elif path[0] == "*":
        for element in value.values() if isinstance(value, dict) else value:
            yield from _walk(element, path[1:])
    elif isinstance(value, dict):
        yield from _walk(value.get(path[0]), path[1:])


def _replace(value: Any, path: tuple[str, ...], change: Callable[[str], str | None]) -> Any:
    if not value:
        return value
    if not path:
        return change(value)
    if path[0] == "*" and isinstance(value, dict):
        return {key: _replace(element, path[1:], change) for key, element in value.items()}
    if path[0] == "*":
        return [_replace(element, path[1:], change) for element in value]
    if not isinstance(value, dict) or path[0] not in value:
        return value
    return {**value, path[0]: _replace(value[path[0]], path[1:], change)}
