"""``pumphouse check``: whether a migration between the two clouds would find what it needs."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from typing import TYPE_CHECKING

from rich.text import Text

from .. import human
from ..errors import PumphouseError
from . import command, text

if TYPE_CHECKING:
    from ..clouds.check import Finding
    from ..config import Config

#: Colours of results.
STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red"}

#: Threads per cloud: one for each service, one for the database, one for the clock.
WORKERS = 8


class Check(command.Command):
    """Try everything that a migration needs from the two clouds and the databases; change nothing."""

    notes = "Exit code: 0 nothing failed (there may be warnings), 1 something failed, 2 bad configuration."

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        command.add_format(parser, "table", "json", "yaml")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Print a line for each finding; 1 if anything failed."""
        from ..clouds.check import check_all

        config = self.config()
        with self.clouds(config, WORKERS) as (source, destination):
            found = [*check_all(source, destination), self._our_database(config)]
        if parsed_args.format == "table":
            _show(found)
        else:
            command.dump([dataclasses.asdict(finding) for finding in found], parsed_args.format)
        return int(any(finding.result == "failed" for finding in found))

    def _our_database(self, config: Config) -> Finding:
        """Whether our own database can be used; it is made or upgraded, as any other command would do."""
        from ..clouds.check import Finding
        from ..database_url import masked

        try:
            with self.store(config):
                return Finding("", "database", "ok", masked(config.database))
        except PumphouseError as error:
            return Finding("", "database", "failed", str(error), "set 'database' in the configuration")


def _show(found: list[Finding]) -> None:
    """A table; a remedy stands below what it is for."""
    rows = [
        (finding.cloud, finding.subject, Text(finding.result, style=STYLES[finding.result]), _detail(finding))
        for finding in found
    ]
    text.console().print(text.table(("cloud", "subject", "result", "detail"), rows, fixed=("cloud", "result")))
    failed = sum(finding.result == "failed" for finding in found)
    warnings = sum(finding.result == "warning" for finding in found)
    print(f"{human.count(failed, 'failure')}, {human.count(warnings, 'warning')}", file=sys.stderr)


def _detail(finding: Finding) -> Text:
    result = Text(human.clean(finding.detail))
    if finding.remedy:
        result.append(f"\n-> {human.clean(finding.remedy)}", style="bold")
    return result
