"""Finding drivers: ours and other people's, by entry points."""

from __future__ import annotations

import functools
import importlib.metadata
from typing import Any

from pumphouse.errors import UsageError

#: Where a package names its drivers.
POWER = "pumphouse.power"
PROVISIONER = "pumphouse.provisioner"


def names(group: str) -> list[str]:
    """The drivers that are installed; none is imported."""
    return sorted(_entries(group))


@functools.cache
def _entries(group: str) -> dict[str, importlib.metadata.EntryPoint]:
    """Read once: that opens a file of every installed package."""
    return {entry.name: entry for entry in importlib.metadata.entry_points(group=group)}


def find(group: str, name: str) -> Any:
    """The class of a driver. Raises UsageError where there is none, or where it cannot be imported."""
    found = _entries(group).get(name)
    if found is None:
        known = ", ".join(names(group)) or "none at all: install pumphouse again"
        raise UsageError(f"there is no {group} driver {name!r}; there are {known}")
    try:
        return found.load()
    except (ImportError, AttributeError) as error:
        raise UsageError(f"the {group} driver {name!r} ({found.value}) cannot be imported: {error}") from error
