"""``pumphouse list`` and ``pumphouse show``: what was run, and how far it is."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from typing import TYPE_CHECKING, Any

from rich.text import Text

from .. import human
from . import command, text

if TYPE_CHECKING:
    from rich.console import Console

    from ..store import Event, Migration, MigrationSummary, UnitRow

#: How many of the last events are shown.
TAIL = 15


class List(command.Command):
    """List the migrations."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        command.add_format(parser, "table", "json", "yaml")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Print one line for each."""
        with self.store() as store:
            rows = store.history()
        if parsed_args.format != "table":
            command.dump([dataclasses.asdict(row) for row in rows], parsed_args.format)
        elif not rows:
            print("No migration has been started yet.", file=sys.stderr)
        else:
            headings = ("id", "state", "what", "created", "units", "failed", "moved")
            text.console().print(text.table(headings, map(_summary, rows), fixed=("state", "created", "units")))
        return 0


def _summary(row: MigrationSummary) -> tuple[object, ...]:
    return (
        row.id,
        text.styled(row.state),
        human.chosen(row.selection),
        human.moment(row.created),
        f"{row.units_done} of {row.units}",
        row.units_failed or "",
        human.size(row.bytes_done),
    )


class Show(command.Command):
    """Show the units of a migration and its last events."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        command.add_migration(parser)
        command.add_format(parser, "table", "json", "yaml")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Print it."""
        with self.store() as store:
            migration = command.find_migration(store, parsed_args.id)
            units, events = store.units(migration.id), store.events(migration.id)
        if parsed_args.format == "table":
            _show(migration, units, events, text.console())
        else:
            command.dump(_as_data(migration, units, events), parsed_args.format)
        return 0


def _as_data(migration: Migration, units: list[UnitRow], events: list[Event]) -> dict[str, Any]:
    head = dataclasses.asdict(migration)
    head.pop("plan")
    return {
        "migration": head,
        "units": [dataclasses.asdict(unit) for unit in units],
        "events": [dataclasses.asdict(event) for event in events],
    }


def _show(migration: Migration, units: list[UnitRow], events: list[Event], console: Console) -> None:
    head = Text(f"Migration {migration.id}: {human.chosen(migration.selection)}: ", style="bold")
    console.print(head + text.styled(migration.state))
    console.print(f"{migration.pair}\nstarted {human.moment(migration.created)}", highlight=False)
    console.print()
    headings = ("unit", "state", "moved", "time", "downtime", "what")
    console.print(text.table(headings, map(_unit, units), fixed=("state",)))
    if not events:
        return
    console.print()
    if len(events) > TAIL:
        console.print(Text(f"The last {TAIL} of {len(events)} events (-f json has all):"))
    for event in events[-TAIL:]:
        when = time.strftime("%H:%M:%S", time.localtime(event.time))
        about = f" {human.clean(event.unit)}:" if event.unit else ""
        console.print(Text(f"{when}{about} {human.short(event.text, 400)}"))


def _unit(unit: UnitRow) -> tuple[object, ...]:
    end = unit.finished if unit.finished or unit.state != "running" else time.time()
    seconds = end - unit.started if unit.started and end else None
    moved = human.size(unit.bytes_done) if unit.bytes_done or unit.state == "running" else ""
    if unit.bytes_total and unit.state == "running":
        moved += f" of {human.size(unit.bytes_total)}"
    return (
        human.short(unit.title),
        text.styled(unit.state),
        moved,
        human.duration(seconds),
        human.duration(unit.downtime),
        unit.error or (unit.step if unit.state == "running" else ""),
    )
