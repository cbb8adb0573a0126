"""Temporary things of ours that are still in the clouds: noted in the database, or found by their names."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import explain, ignore_missing, or_none
from pumphouse.clouds.waiting import wait_for
from pumphouse.migrations import process
from pumphouse.planning.plan import Plan
from pumphouse.resources.base import Wire
from pumphouse.resources.registry import TEMPORARY, TYPES
from pumphouse.store import Migration, Store
from pumphouse.store.store import RUNNING
from pumphouse.tasks.context import PREFIX, delete_and_wait

#: How temporary things are called: see ``Context.temporary_name``.
NAME = re.compile(rf"{PREFIX}-(\d+)-[a-z]+-(.+)")


@dataclasses.dataclass
class Leftover:
    """One thing that ought to be gone."""

    #: "source" or "destination".
    cloud: str
    type: str
    id: str
    name: str
    #: When it was made, as its service writes it; "" where that is not told.
    since: str
    #: The migration that made it.
    migration: int | None
    #: Why it is not to be removed now; "" where nothing is against it.
    keep: str = ""
    #: Its rows in the database.
    rows: list[int] = dataclasses.field(default_factory=list)


def find(source: Cloud, destination: Cloud, store: Store, pair: str, note: Callable[[str], None]) -> list[Leftover]:
    """All there are in both clouds. What could not be looked at is told to ``note``.

    A name alone does not prove whose a thing is: somebody else may run Pumphouse with a database of his own, whose
    migrations have the same numbers. What is not noted in ours, and not called after a resource of that migration, is
    shown and kept.
    """
    migrations = {row.id: row for row in store.migrations() if row.pair == pair}
    found: dict[tuple[str, str, str], Leftover] = {}
    for cloud in (source, destination):
        for type_, wire in _named(cloud, note):
            number = int(NAME.fullmatch(wire["name"]).group(1))  # type: ignore[union-attr]
            leftover = Leftover(cloud.role, type_, wire["id"], wire["name"], str(wire.get("created_at") or ""), number)
            found[cloud.role, type_, wire["id"]] = leftover
    for row in store.temporaries():
        if row.migration_id not in migrations:
            continue
        key = (row.cloud_role, row.type, row.resource_id)
        leftover = found.setdefault(key, Leftover(*key, row.name, "", row.migration_id))
        leftover.rows.append(row.id)
    for leftover in found.values():
        migration = migrations.get(leftover.migration or 0)
        if migration and not leftover.rows and NAME.fullmatch(leftover.name)[2] not in _ids(migration, store):  # type: ignore[index]
            migration = None
        leftover.keep = _keep(migration)
    return list(found.values())


def remove(leftover: Leftover, cloud: Cloud, store: Store) -> str:
    """Delete it, wait until it is gone, forget it. Returns why that failed, or ""."""
    try:
        if leftover.type == "volume_snapshot":
            _delete_snapshot(cloud, leftover.id)
        else:
            delete_and_wait(TEMPORARY[leftover.type], cloud, leftover.id)
    except Exception as error:
        return explain(error)
    for row in leftover.rows:
        store.drop_temporary(row)
    return ""


def _ids(migration: Migration, store: Store) -> set[str]:
    """Ids of all that a migration is about, in both clouds."""
    ids = {item.id for item in Plan.from_json(migration.plan).items}
    return ids | {result.destination_id for result in store.results(migration.id) if result.destination_id}


def _keep(migration: Migration | None) -> str:
    if migration is None:
        return "no migration of this database made it"
    if migration.state != RUNNING:
        return ""
    runs = process.runs(migration.options.get("process"))
    if runs is False:
        return ""
    where = (migration.options.get("process") or {}).get("host") or "another host"
    return "its migration is running" if runs else f"its migration may still be running on {where}"


def _named(cloud: Cloud, note: Callable[[str], None]) -> Iterator[tuple[str, Wire]]:
    """(type, thing) of all that is called as our temporary things are."""
    lists: dict[str, Callable[[], list[Wire]]] = {
        "image": lambda: TYPES["image"].list(cloud),
        "volume": lambda: TYPES["volume"].list(cloud),
        "volume_snapshot": lambda: [
            snapshot.to_dict() for snapshot in cloud.volume.volume_snapshots.list(search_opts={"all_tenants": 1})
        ],
    }
    for type_, listed in lists.items():
        try:
            for wire in listed():
                if NAME.fullmatch(wire.get("name") or ""):
                    yield type_, wire
        except Exception as error:
            note(f"could not look for every {type_.replace('_', ' ')} of the {cloud.role}: {explain(error)}")


def _delete_snapshot(cloud: Cloud, id_: str) -> None:
    snapshots = cloud.volume.volume_snapshots
    with ignore_missing():
        snapshots.delete(id_)
    wait_for(
        lambda: or_none(lambda: snapshots.get(id_).to_dict()) or {},
        done=lambda thing: not thing,
        failed=lambda thing: thing.get("status") if thing.get("status") == "error_deleting" else None,
        what=f"volume snapshot {id_} to be deleted",
        timeout=600,
        interval=0.5,
    )
