"""How a migration went, for people."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from ..human import clean, count, duration, short, size
from ..planning.plan import Plan
from . import remedies
from .text import styled, table

#: Verdicts on a resource that the operator must look at.
BAD = ("differs", "not verified", "failed")


def is_good(report: dict[str, Any], plan: Plan) -> bool:
    """Whether all was moved and verified: no unit failed, nothing differs, is in conflict, or is left over."""
    return (
        report["migration"]["state"] == "done"
        and all(unit["state"] == "done" for unit in report["units"])
        and not any(resource["verdict"] in BAD for resource in report["resources"])
        and not plan.count("conflict")
        and not report["left_over"]
    )


def show(report: dict[str, Any], plan: Plan, console: Console) -> None:
    """Units with their time and downtime, what went wrong, and where the report is."""
    migration = report["migration"]
    console.print()
    if not (plan.count("create") or plan.count("move")) and is_good(report, plan):
        console.print(Text("Nothing to do: everything is there already (0 to create).", style="bold green"))
    else:
        _units(report["units"], console)
        _problems(report, plan, console)
        console.print(Text(_summary(report, plan), style="bold"))
    console.print(Text(f"The report: pumphouse report {migration['id']}"))


def _units(units: list[dict[str, Any]], console: Console) -> None:
    rows = (
        (
            short(unit["title"]),
            styled(unit["state"]),
            size(unit["bytes"]) if unit["bytes"] else "",
            duration(unit["seconds"]),
            duration(unit["downtime"]),
        )
        for unit in units
    )
    console.print(table(("unit", "state", "moved", "time", "downtime"), rows, fixed=("state",)))
    console.print()


def _problems(report: dict[str, Any], plan: Plan, console: Console) -> None:
    lines = [
        f"{short(unit['title'])}: {unit['state']}: {clean(unit['error'] or 'no reason is known')}"
        for unit in report["units"]
        if unit["state"] in ("failed", "blocked")
    ]
    lines += [
        f"{item.type} {short(item.name or item.id)}: conflict: {clean(item.reason)}{remedies.accepting(item)}"
        for item in plan.items
        if item.action == "conflict"
    ]
    for resource in report["resources"]:
        name = f"{resource['type']} {short(resource['name'] or resource['source_id'])}"
        lines += [
            f"{name}: {clean(field['field'])} {field['verdict']}: {clean(field['reason'])}".rstrip(": ")
            for field in resource["fields"]
            if field["verdict"] in BAD
        ]
    lines += [
        f"{one['type']} {one['name']}: left over in the {one['cloud']}; pumphouse leftovers --remove removes it"
        for one in report["left_over"]
    ]
    for line in lines:
        console.print(Text(f"! {line}", style="red"))
    if lines:
        console.print()


def _summary(report: dict[str, Any], plan: Plan) -> str:
    migration = report["migration"]
    unfinished = sum(unit["state"] != "done" for unit in report["units"])
    differing, doubtful = (
        sum(resource["verdict"] == verdict for resource in report["resources"] if resource["fields"])
        for verdict in ("differs", "not verified")
    )
    inside = bool({"evacuate", "reassign"} & plan.selection.keys())
    done = [f"{migration['created_count']} created", f"{migration['reused_count']} reused"]
    parts = [
        *([_of_a_host(migration, plan)] if inside else done),
        *([f"{count(unfinished, 'unit')} not finished"] if unfinished else []),
        *([count(plan.count("conflict"), "conflict")] if plan.count("conflict") else []),
        *([f"{differing} differing"] if differing else []),
        *([f"{doubtful} not verified"] if doubtful else []),
    ]
    head = migration["state"].capitalize()
    tail = f"{size(migration['bytes'])} moved in {duration(migration['seconds'])}"
    if inside:
        tail = f"in {duration(migration['seconds'])}"
    open_ = migration["state"] in ("stopped", "cancelled") or doubtful
    again = f"; pumphouse resume {migration['id']} goes on" if open_ else ""
    return f"{head}: {', '.join(parts)}; {tail}{again}"


def _of_a_host(migration: dict[str, Any], plan: Plan) -> str:
    """What became of a host that was emptied or handed over."""
    if host := plan.selection.get("reassign"):
        of = "a compute host of the destination" if migration["state"] == "done" else "on its way to the destination"
        return f"{clean(host)} is {of}"
    return f"{migration['moved_count']} moved to other hosts"
