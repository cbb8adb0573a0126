"""The report: what was carried, mapped or left, field by field, as the database has it."""

from __future__ import annotations

import collections
from typing import Any

from .. import human
from ..errors import UsageError
from ..planning.plan import Item, Plan
from ..store import Migration, Result, Store, UnitRow
from ..store.store import REVERTING, UNFINISHED
from .verify import NOT_VERIFIED

#: States in which a migration is still changing.
CHANGING = (*UNFINISHED, REVERTING)


def build(store: Store, migration_id: int, brief: bool = False) -> dict[str, Any]:
    """Everything about one migration, as plain dicts and lists. Raises UsageError when it is not known.

    ``brief``: without the fields of resources that arrived as they should.
    """
    migration = store.migration(migration_id)
    if migration is None:
        raise UsageError(f"migration {migration_id} is not known")
    plan = Plan.from_json(migration.plan)
    units = store.units(migration_id)
    results = store.results_in_brief(migration_id) if brief else store.results(migration_id)
    resources = _resources(plan, units, results)
    return {
        "migration": _head(migration, plan, units, resources),
        "units": [_unit(unit) for unit in units],
        "resources": resources,
        "not_carried": [
            {"type": item.type, "id": item.id, "name": item.name, "reason": item.reason}
            for item in (*plan.not_carried, *(item for item in plan.items if item.action == "skip"))
        ],
        "left_over": _left_over(store, migration),
        "notes": list(plan.notes),
    }


def render_html(report: dict[str, Any]) -> str:
    """The report as one page that needs nothing else: no script, no picture, no other file."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pumphouse.migrations"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "size": human.size,
        "duration": human.duration,
        "moment": human.moment,
        "chosen": human.chosen,
        "value": human.value,
        "slug": lambda word: str(word).replace(" ", "-"),
    }
    environment.tests["missed"] = human.missed
    return environment.get_template("report.html").render(
        report=report,
        types=_by_type(report["resources"]),
        verdicts=collections.Counter(resource["verdict"] for resource in report["resources"]),
        troubles=_troubles(report),
    )


def _by_type(resources: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The resources under their types, both in the order of the plan."""
    types: dict[str, list[dict[str, Any]]] = {}
    for resource in resources:
        types.setdefault(resource["type"], []).append(resource)
    return types


def _troubles(report: dict[str, Any]) -> list[tuple[str, str]]:
    """What the reader must look at: (of what, what is wrong)."""
    found = [
        (unit["title"], f"{unit['state']}: {unit['error'] or 'no reason is known'}")
        for unit in report["units"]
        if unit["state"] in ("failed", "blocked", "stopped")
    ]
    for resource in report["resources"]:
        name = f"{resource['type']} {resource['name'] or resource['source_id']}"
        found += [
            (
                name,
                f"{field['field']} differs: {human.value(field['source'])} became {human.value(field['destination'])}"
                + (f" ({field['reason']})" if field.get("reason") else ""),
            )
            for field in resource["fields"]
            if field["verdict"] == "differs"
        ]
        found += [
            (name, f"not verified: {field['reason']}")
            for field in resource["fields"]
            if field["verdict"] == NOT_VERIFIED
        ]
        if resource.get("action") == "conflict":
            found.append((name, f"conflict: {resource['reason']}"))
    found += [
        (f"{one['type']} {one['name']}", f"left over in the {one['cloud']}: it could not be removed")
        for one in report["left_over"]
    ]
    return found


def _head(migration: Migration, plan: Plan, units: list[UnitRow], resources: list[dict[str, Any]]) -> dict[str, Any]:
    finished = None if migration.state in CHANGING else migration.updated
    there = {_key(one) for one in resources if one["destination_id"]}
    actions = collections.Counter(item.action for item in plan.items if item.key in there)
    acts = {item.key: item.action for item in plan.items}
    left, _, right = migration.pair.partition(" -> ")
    return {
        "id": migration.id,
        "state": migration.state,
        "selection": migration.selection,
        "options": migration.options,
        "created": migration.created,
        "finished": finished,
        "seconds": None if finished is None else finished - migration.created,
        "created_count": actions["create"],
        "reused_count": actions["reuse"],
        "moved_count": sum(
            one["type"] in ("server", "volume") and ("move", one["verdict"]) == (acts.get(_key(one)), "equal")
            for one in resources
        ),
        "bytes": sum(unit.bytes_done for unit in units),
        "source": migration.options.get("source", left),
        "destination": migration.options.get("destination", right),
    }


def _left_over(store: Store, migration: Migration) -> list[dict[str, str]]:
    """Temporary things that could not be removed: while a migration runs, it still needs them."""
    if migration.state in CHANGING:
        return []
    return [
        {"cloud": row.cloud_role, "type": row.type, "id": row.resource_id, "name": row.name}
        for row in store.temporaries(migration.id)
    ]


def _key(resource: dict[str, Any]) -> tuple[str, str]:
    return resource["type"], resource["source_id"]


def _unit(unit: UnitRow) -> dict[str, Any]:
    whole = unit.started is not None and unit.finished is not None
    return {
        "name": unit.name,
        "kind": unit.kind,
        "title": unit.title,
        "state": unit.state,
        "error": unit.error,
        "bytes": unit.bytes_done,
        "seconds": unit.finished - unit.started if whole else None,  # type: ignore[operator]
        "downtime": unit.downtime,
    }


def _resources(plan: Plan, units: list[UnitRow], results: list[Result]) -> list[dict[str, Any]]:
    """Every resource of the plan that has a verdict, or should have one, in the order of the plan."""
    states = {unit.name: unit for unit in units}
    known = {(result.type, result.source_id): result for result in results}
    found = []
    for unit in plan.units:
        for item in unit.items:
            result = known.pop(item.key, None)
            if result is not None:
                found.append(_verified(result))
            elif item.action != "skip":
                found.append(_unverified(item, unit.name, states.get(unit.name)))
    return [*found, *(_verified(result) for result in known.values())]


def _verified(result: Result) -> dict[str, Any]:
    return {
        "type": result.type,
        "name": result.name,
        "source_id": result.source_id,
        "destination_id": result.destination_id,
        "verdict": result.verdict,
        "fields": result.fields,
        "bytes": result.bytes,
        "unit": result.unit,
    }


def _unverified(item: Item, unit: str, row: UnitRow | None) -> dict[str, Any]:
    """A resource of the plan that was not compared: its unit did not come that far, or was not begun."""
    reason, verdict = item.reason, NOT_VERIFIED
    if item.action == "conflict":
        verdict = "failed"
    elif row is not None and row.state in ("failed", "blocked"):
        reason, verdict = row.error, "failed"
    fields = [
        {
            "field": loss.field,
            "verdict": "not carried",
            "source": loss.value,
            "destination": None,
            "reason": loss.reason,
        }
        for loss in item.losses
    ]
    return {
        "type": item.type,
        "name": item.name,
        "source_id": item.id,
        "destination_id": item.destination_id,
        "verdict": verdict,
        "fields": fields,
        "bytes": None,
        "unit": unit,
        "action": item.action,
        "reason": reason,
    }
