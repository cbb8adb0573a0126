"""What the destination's APIs are too old, or too bare, to be told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pumphouse.human import value as shown
from pumphouse.planning.checks.subject import Subject, about
from pumphouse.planning.plan import Finding
from pumphouse.resources.compute.server import device_tags
from pumphouse.resources.fields import some
from pumphouse.resources.registry import TYPES

#: (type, field, Nova's microversion from which it can be set, what is worth a word).
SINCE: tuple[tuple[str, str, tuple[int, int], Callable[[Any], bool]], ...] = (
    ("server", "description", (2, 19), some),
    ("server", "tags", (2, 52), some),
    ("server", "OS-EXT-SRV-ATTR:hostname", (2, 90), some),
    ("flavor", "description", (2, 55), some),
)
#: From which a disk or a network interface can have a tag.
DEVICE_TAGS = (2, 42)


def extensions(subject: Subject) -> Iterator[Finding]:
    """Fields of extensions that the destination's Neutron does not have, where they say something."""
    concerned = {type_ for type_, of in TYPES.items() if any(field.extension for field in of.fields)}
    fresh = list(subject.fresh(*concerned))
    have = subject.destination.network.extensions() if fresh else set()
    for item, wire in fresh:
        for field in TYPES[item.type].fields:
            if not field.extension or field.extension in have or field.how == "report":
                continue
            if some(wire.get(field.name)):
                yield about(
                    "loses",
                    item,
                    f"{field.name} = {shown(wire[field.name], 60)}: "
                    f"the destination's Neutron has no extension {field.extension}",
                    "enable it there, if it is needed",
                )


def microversions(subject: Subject) -> Iterator[Finding]:
    """Fields that the destination's Nova cannot be told."""
    if not any(subject.fresh("server", "flavor")):
        return
    newest = subject.destination.microversion("compute")
    for type_, field, since, worth in SINCE:
        for item, wire in subject.fresh(type_):
            told = wire.get(field)
            # Where it cannot be told, the name becomes the hostname.
            same = field == "OS-EXT-SRV-ATTR:hostname" and told == wire["name"]
            if newest < since and worth(told) and not same:
                yield about("loses", item, f"{field} = {shown(told, 60)}: {_too_old(newest, since)}", "upgrade it")
    if newest < DEVICE_TAGS:
        for item, _ in subject.fresh("server"):
            if tags := device_tags(subject.source, item.id):
                text = ", ".join(sorted(tags.values()))
                yield about("loses", item, f"device tags {text}: {_too_old(newest, DEVICE_TAGS)}", "upgrade it")


def _too_old(newest: tuple[int, int], since: tuple[int, int]) -> str:
    return "the destination's Nova is too old ({}.{}; that needs {}.{})".format(*newest, *since)
