"""The views: one blueprint for each subject."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence

from apiflask import APIBlueprint

#: Modules of this package with a ``blueprint`` each, in the order of the documentation.
BLUEPRINTS = (
    "session",
    "clouds",
    "tenants",
    "resources",
    "names",
    "hosts",
    "plans",
    "migrations",
    "units",
    "jobs",
    "events",
    "leftovers",
    "tokens",
    "audit",
    "service",
)


def blueprints(names: Sequence[str] = BLUEPRINTS) -> Iterator[APIBlueprint]:
    """The blueprints of these modules."""
    for name in names:
        yield importlib.import_module(f"{__name__}.{name}").blueprint
