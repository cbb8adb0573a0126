"""The plan, for people: what will be done with each resource, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from ..human import chosen, clean, count, duration, short, size, value
from ..planning.plan import Finding, Item, Plan, Unit
from . import remedies
from .text import STYLES, styled, table

#: What stands before a line, as in a diff.
MARKS = {"create": "+", "move": ">", "reuse": "=", "conflict": "!", "skip": "-"}


def show(plan: Plan, console: Console) -> None:
    """Print the plan: units with their resources, then what needs attention, then one line that sums up."""
    console.print(Text(f"Plan for {chosen(plan.selection)}", style="bold"))
    # Names get what a third of the line, for the reasons, leaves to them.
    limits = (20, max(20, console.width * 2 // 3 - 50), 8, 10)
    widest = (max(map(cell_len, column), default=0) for column in _columns(plan))
    widths = (3, *map(min, widest, limits))
    for unit in plan.units:
        console.print()
        _unit(unit, widths, console)
    _findings(plan, "blocks", "Findings that block", "bold red", console)
    _conflicts(plan, console)
    _findings(plan, "loses", "Findings: what the destination cannot take", "yellow", console)
    _losses(plan, console)
    _section(
        "Not carried",
        (f"{item.type} {short(item.name or item.id)}: {clean(item.reason)}" for item in left_out(plan)),
        "yellow",
        console,
    )
    _findings(plan, "note", "Findings to know", "", console)
    _section("Notes", (clean(note) for note in plan.notes), "", console)
    _estimate(plan, console)
    console.print()
    console.print(Text(summary(plan), style="bold"))


def blocks(plan: Plan) -> list[Finding]:
    """The findings for which a run is refused unless the operator wants it all the same."""
    return [finding for finding in plan.findings if finding.level == "blocks"]


def left_out(plan: Plan) -> list[Item]:
    """What is not carried: outside of the units, and within."""
    return [*plan.not_carried, *(item for item in plan.items if item.action == "skip")]


def summary(plan: Plan) -> str:
    """``Plan: 23 to create, 4 to reuse, 1 conflict, 2 not carried; 1.2 GiB to move``.

    What moves within its cloud has no bytes of ours: ``Plan: 5 to move to other hosts, 1 conflict``.
    """
    inside = bool({"evacuate", "reassign"} & plan.selection.keys())
    parts = [f"{plan.count('create')} to create", f"{plan.count('reuse')} to reuse"]
    if inside:
        moving = sum(item.action == "move" and item.type in ("server", "volume") for item in plan.items)
        parts = [f"{moving} to move to other hosts"]
    if "reassign" in plan.selection:
        units = count(len(plan.units), "unit")
        parts = [f"{clean(plan.selection['reassign'])} to be given to the destination in {units}"]
    if conflicts := plan.count("conflict"):
        parts.append(count(conflicts, "conflict"))
    if blocking := len(blocks(plan)):
        parts.append(f"{count(blocking, 'finding')} that {'blocks' if blocking == 1 else 'block'}")
    if lost := sum(len(item.losses) for item in plan.items):
        parts.append(f"{count(lost, 'field')} lost")
    if left := len(left_out(plan)):
        parts.append(f"{left} not carried")
    return f"Plan: {', '.join(parts)}" + ("" if inside else f"; {size(plan.bytes)} to move")


def _columns(plan: Plan) -> Iterable[Iterable[str]]:
    """Types, names, actions and sizes of all resources: the units' lines stand below each other."""
    yield (item.type for item in plan.items)
    yield (short(item.name or item.id) for item in plan.items)
    yield (item.action for item in plan.items)
    yield (_size(item) for item in plan.items)


def _size(item: Item) -> str:
    return size(item.bytes) if item.bytes and item.action == "create" else ""


def _unit(unit: Unit, widths: Sequence[int], console: Console) -> None:
    head = Text(short(unit.title, 100), style="bold")
    if unit.bytes:
        head.append(f"  {size(unit.bytes)}", style="not bold")
    rows = [
        (
            Text(f"  {MARKS[item.action]}", style=STYLES[item.action]),
            item.type,
            short(item.name or item.id),
            styled(item.action),
            _size(item),
            item.reason,
        )
        for item in unit.items
    ]
    lines = [_line(row, widths, console.width) for row in rows]
    if all(lines):
        # A table takes rich ten times as long, which tells with thousands of servers.
        console.print(Text("\n").join([head, *filter(None, lines)]), no_wrap=True)
        return
    console.print(head)
    grid = table(("", "type", "name", "action", "size", "why"), rows, fixed=("", "type", "action"))
    grid.show_header = False
    for column, width in zip(grid.columns, widths, strict=False):
        column.min_width = width
    console.print(grid)


def _line(row: tuple[Text, str, str, Text, str, str], widths: Sequence[int], most: int) -> Text | None:
    """A row of a unit's table; None where something in it is too long for one line."""
    mark, type_, name, action, size_, reason = row
    cells = (mark.plain, type_, name, action.plain, f"{size_:>{widths[4]}}")
    if any(cell_len(cell) > width for cell, width in zip(cells, widths, strict=True)):
        return None
    padded = [f"{cell}{' ' * (width - cell_len(cell))}  " for cell, width in zip(cells, widths, strict=True)]
    line = Text.assemble((padded[0], mark.style), padded[1], padded[2], (padded[3], action.style), padded[4])
    line.append(clean(reason))
    return line if line.cell_len <= most else None


def _conflicts(plan: Plan, console: Console) -> None:
    lines = (
        f"{item.type} {short(item.name or item.id)}: {clean(item.reason)}{remedies.accepting(item)}"
        for item in plan.items
        if item.action == "conflict"
    )
    _section("Conflicts: these, and what depends on them, will not be moved", lines, "bold red", console)


def _losses(plan: Plan, console: Console) -> None:
    lines = (
        f"{item.type} {short(item.name or item.id)}: {loss.field} = {value(loss.value, 60)}: {clean(loss.reason)}"
        for item in plan.items
        for loss in item.losses
    )
    _section("Fields that cannot be carried", lines, "yellow", console)


def _findings(plan: Plan, level: str, title: str, style: str, console: Console) -> None:
    """What the checks found, each with its remedy in the line below."""
    lines = []
    for finding in plan.findings:
        if finding.level == level:
            what = f"{finding.type} {short(finding.name or finding.id)}: " if finding.type else ""
            lines.append(f"{what}{clean(finding.reason)}")
            if finding.remedy:
                lines.append(f"  -> {clean(finding.remedy)}")
    _section(title, lines, style, console)


def _estimate(plan: Plan, console: Console) -> None:
    """How long it will take, each server's downtime, and what says so."""
    told = plan.estimate
    if not told.get("seconds"):
        return
    lines = [f"at most {size(told['bytes'])} in {duration(told['seconds'])}, one unit after the other"]
    lines += [
        f"server {short(server['name'])}: down for at most {duration(server['downtime'])} ({size(server['bytes'])})"
        for server in told["servers"]
        if server["downtime"]
    ]
    lines += [f"basis: {basis}" for basis in told["basis"]]
    _section("Estimate", lines, "", console)


def _section(title: str, lines: Iterable[str], style: str, console: Console) -> None:
    found = [f"  {line}" for line in lines]
    if not found:
        return
    console.print()
    console.print(Text(title, style=style or "bold"))
    console.print(Text("\n".join(found)))
