"""``pumphouse verify``: read everything of a migration again from both clouds, and compare."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING, Any

from rich.text import Text

from .. import human
from . import command, text

if TYPE_CHECKING:
    from rich.console import Console

#: Resources that are read at once.
WORKERS = 4


class Verify(command.Command):
    """Compare every resource of a migration in both clouds once more, and keep the result in its report."""

    notes = "exit codes: 0 nothing differs, 1 something differs or was not moved, 2 bad input"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        command.add_migration(parser)
        parser.add_argument(
            "--bytes", action="store_true", help="read images and volumes back in both clouds, and compare their bytes"
        )
        command.add_format(parser, "table", "json", "yaml")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Compare, show; 1 if anything differs."""
        from ..migrations import again, report

        config = self.config()
        with self.store(config) as store, self.clouds(config, WORKERS) as (source, destination):
            migration = command.find_migration(store, parsed_args.id)
            again.verify(source, destination, store, migration, self.say, workers=WORKERS)
            compared = None
            if parsed_args.bytes:
                found = again.verify_bytes(source, destination, store, migration, self.say)
                compared = [dataclasses.asdict(one) for one in found]
            built = report.build(store, migration.id)
        return self._tell(built, compared, parsed_args.format)

    def _tell(self, built: dict[str, Any], compared: list[dict[str, Any]] | None, format: str) -> int:
        if format == "table":
            _show(built, compared, text.console())
        else:
            command.dump({**built, "bytes": compared}, format)
        bad = any(resource["verdict"] in ("differs", "failed", "not verified") for resource in built["resources"])
        return int(bad or any(one["verdict"] == "differs" for one in compared or ()))


def _show(report: dict[str, Any], compared: list[dict[str, Any]] | None, console: Console) -> None:
    """What differs or is not there, then how many there are of each verdict."""
    verdicts: dict[str, int] = {}
    for resource in report["resources"]:
        verdicts[resource["verdict"]] = verdicts.get(resource["verdict"], 0) + 1
        name = f"{resource['type']} {human.short(resource['name'] or resource['source_id'])}"
        for field in resource["fields"]:
            if field["verdict"] == "differs":
                was, became = (human.value(field[side], 60) for side in ("source", "destination"))
                line = f"! {name}: {field['field']} differs: {was} became {became} ({human.clean(field['reason'])})"
                console.print(Text(line, style="red"))
        if resource["verdict"] in ("failed", "not verified"):
            why = resource.get("reason") or next((field["reason"] for field in resource["fields"]), "")
            console.print(Text(f"! {name}: {resource['verdict']}: {human.clean(why)}", style="red"))
    for one in compared or ():
        line = f"{one['type']} {human.short(one['name'])}: bytes: {one['verdict']}"
        line += f" ({human.clean(one['reason'])})" if one["reason"] else ""
        line += f": {human.size(one['size'])}, {one['sha512'][:16]}..." if one["verdict"] == "equal" else ""
        console.print(Text(line, style="red" if one["verdict"] == "differs" else ""))
    told = ", ".join(f"{number} {verdict}" for verdict, number in sorted(verdicts.items()))
    console.print(Text(f"Verified: {told or 'nothing'}", style="bold"))
    console.print(Text(f"The report: pumphouse report {report['migration']['id']}"))
