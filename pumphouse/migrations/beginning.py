"""What is recorded of a migration before anything of it is done."""

from __future__ import annotations

import getpass
import os

from pumphouse.planning.plan import Plan, Unit
from pumphouse.store.store import NewUnit, Store


def units_of(plan: Plan) -> list[NewUnit]:
    """What the database keeps of its units from the beginning."""
    return [(unit.name, unit.kind, unit.title, unit.bytes) for unit in plan.units]


def projects_of(plan: Plan) -> list[str]:
    """The ids of the tenants that it is about, in the source."""
    return [item.id for item in plan.items if item.type == "project"]


def guess(unit: Unit) -> int:
    """Bytes of a unit that are an upper bound: what is stored of a disk is known when it is an image."""
    return sum(item.bytes for item in unit.items if item.action == "create" and item.type != "image")


def operator() -> str:
    """Who runs this; a container's user may have no name."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return str(os.getuid())


def map_what_is_there(store: Store, pair: str, migration_id: int, plan: Plan) -> None:
    """What the plan found in the destination stands in for the source's, but is not ours to undo."""
    known = {(row.type, row.source_id): row.destination_id for row in store.mappings(pair)}
    for unit in plan.units:
        for item in unit.items:
            if item.action == "reuse" and item.destination_id and known.get(item.key) != item.destination_id:
                store.map(
                    pair,
                    item.type,
                    item.id,
                    item.destination_id,
                    migration_id=migration_id,
                    unit=unit.name,
                    created=False,
                )
