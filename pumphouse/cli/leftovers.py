"""``pumphouse leftovers``: temporary things of ours that are still in the clouds, and their removal."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from typing import TYPE_CHECKING

from rich.text import Text

from .. import human
from ..errors import UsageError
from . import command, text

if TYPE_CHECKING:
    from ..migrations.leftovers import Leftover

#: Threads per cloud.
WORKERS = 4


class Leftovers(command.Command):
    """Find what interrupted migrations left in the clouds, and remove it on demand."""

    notes = "exit codes: 0 nothing is left (any more), 1 something is left, 2 bad input"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("--remove", action="store_true", help="remove what is left, after asking")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--force",
            action="store_true",
            help="also what may belong to a migration that still runs on another host; be sure that it does not",
        )
        command.add_format(parser, "table", "json", "yaml")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Find, show, ask, remove."""
        if parsed_args.remove and not (parsed_args.yes or sys.stdin.isatty()):
            raise UsageError("nobody can be asked, as standard input is not a terminal: add --yes")
        from ..migrations import leftovers
        from ..planning.planner import pair_of

        config = self.config()
        with self.store(config) as store, self.clouds(config, WORKERS) as (source, destination):
            notes: list[str] = []
            found = leftovers.find(source, destination, store, pair_of(source, destination), notes.append)
            self._show(found, notes, parsed_args.format)
            doomed = [one for one in found if not one.keep or (parsed_args.force and "may still" in one.keep)]
            if not (parsed_args.remove and doomed and self._agreed(len(doomed), parsed_args)):
                return int(bool(found or notes))
            clouds = {"source": source, "destination": destination}
            left = len(found) - len(doomed)
            for one in doomed:
                why = leftovers.remove(one, clouds[one.cloud], store)
                told = f"{one.cloud} {one.type} {human.short(one.name)} ({one.id})"
                print(f"{told}: {f'still there: {human.clean(why)}' if why else 'removed'}", file=sys.stderr)
                left += bool(why)
            return int(bool(left or notes))

    def _agreed(self, number: int, parsed_args: argparse.Namespace) -> bool:
        if parsed_args.yes:
            return True
        print(f"\nRemove {human.count(number, 'thing')}? [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def _show(self, found: list[Leftover], notes: list[str], format: str) -> None:
        if format != "table":
            command.dump([dataclasses.asdict(one) for one in found], format)
        elif found:
            rows = (
                (one.migration or "", one.cloud, one.type, human.short(one.name, 80), one.id, one.since, one.keep)
                for one in found
            )
            headings = ("migration", "cloud", "type", "name", "resource", "since", "kept because")
            text.console().print(text.table(headings, rows, fixed=("migration", "cloud", "type")))
        elif not notes:
            print("Nothing is left over.", file=sys.stderr)
        for note in notes:
            text.console(sys.stderr).print(Text(human.clean(note), style="yellow"))
