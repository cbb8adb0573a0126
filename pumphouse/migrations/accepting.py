"""Accept a migration: the point of no return. What was accepted is not rolled back any more.

On demand the source's servers go then, with their ports and volumes: each only while its counterpart is there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import explain
from pumphouse.errors import Refusal
from pumphouse.migrations.verify import NOT_VERIFIED
from pumphouse.planning.plan import Plan, Unit
from pumphouse.resources.registry import TYPES
from pumphouse.store import Migration, Result, Store
from pumphouse.tasks.context import delete_and_wait
from pumphouse.transfer.progress import DONE

#: What of a server's unit is removed in the source, in this order.
DOOMED = ("server", "volume", "port")
#: Verdicts of resources and fields that stand in the way.
UNACCEPTABLE = ("differs", NOT_VERIFIED, "failed")


@dataclasses.dataclass(frozen=True)
class Difference:
    """Something that stands in the way of accepting."""

    #: As it is named to accept it: "server:web-1:status".
    name: str
    reason: str


def differences(store: Store, migration: Migration, units: Collection[Unit]) -> list[Difference]:
    """What of these units was not moved, or differs, by the newest comparison."""
    rows = {row.name: row for row in store.units(migration.id)}
    chosen = {unit.name for unit in units}
    found = [
        Difference(f"unit:{rows[unit.name].name}", f"{unit.title} is {rows[unit.name].state}")
        for unit in units
        if rows[unit.name].state != DONE
    ]
    for result in store.results(migration.id):
        if result.unit in chosen and rows[result.unit].state == DONE and result.verdict in UNACCEPTABLE:
            found += _of(result)
    return found


def refuse_differences(migration_id: int, found: Collection[Difference], despite: Collection[str]) -> None:
    """Raises Refusal for those that the operator has not named."""
    open_ = [one for one in found if one.name not in despite]
    if unknown := set(despite) - {one.name for one in found}:
        known = ", ".join(one.name for one in found) or "there is none"
        raise Refusal(f"there is no such difference ({known})", choice="despite", value=sorted(unknown)[0])
    if open_:
        told = "; ".join(f"{one.name} ({one.reason})" for one in open_[:5])
        more = f" and {len(open_) - 5} more" if len(open_) > 5 else ""
        raise Refusal(
            f"the report has {len(open_)} differences that were not accepted: {told}{more}",
            remedy="differences",
            migration=migration_id,
        )


def accept(store: Store, migration: Migration, units: Collection[Unit]) -> None:
    """Never roll these back."""
    for unit in units:
        store.update_unit(migration.id, unit.name, accepted=True)
        store.add_event(migration.id, "accepted", unit.title, unit=unit.name)


def delete_source(
    source: Cloud,
    destination: Cloud,
    store: Store,
    migration: Migration,
    units: Collection[Unit],
    say: Callable[[str], None],
) -> list[str]:
    """Remove the source's servers of these units, with their ports and volumes. Returns what could not be removed.

    It can be repeated. What has no counterpart in the destination (any more) is never removed.
    """
    left = []
    for unit in units:
        if unit.kind != "server":
            continue
        items = [item for item in unit.items if item.type in DOOMED and item.action in ("create", "reuse")]
        for item in sorted(items, key=lambda item: DOOMED.index(item.type)):
            type_ = TYPES[item.type]
            row = store.mapped(migration.pair, item.type, item.id)
            what = f"{item.type} {item.name or item.id}"
            try:
                if row is None or type_.get(destination, row.destination_id) is None:
                    left.append(f"{what} stays in the source: its counterpart is not in the destination")
                    continue
                say(f"deleting {what} in the source")
                delete_and_wait(type_, source, item.id)
            except Exception as error:
                left.append(f"{what} stays in the source: {explain(error)}")
            else:
                store.add_event(migration.id, "source deleted", what, unit=unit.name)
    return left


def in_scope(plan: Plan, servers: Collection[Unit] | None) -> list[Unit]:
    """The units that are accepted: all, or those of single servers."""
    return list(plan.units) if servers is None else list(servers)


def _of(result: Result) -> list[Difference]:
    name = f"{result.type}:{result.name or result.source_id}"
    fields = [field for field in result.fields if field["verdict"] in UNACCEPTABLE]
    if not fields:
        return [Difference(name, result.verdict)]
    return [Difference(f"{name}:{field['field']}", field["reason"] or field["verdict"]) for field in fields]
