"""``pumphouse plan hosts``: in which order tenants leave, so that hosts fall empty and can be handed over."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from rich.text import Text

from .. import human
from . import command, text

if TYPE_CHECKING:
    from rich.console import Console

    from ..planning.host_order import Step

#: Requests that run at once.
WORKERS = 4


class PlanHosts(command.Command):
    """Show which tenants to move first, which hosts fall empty then, and what these give to the destination."""

    notes = (
        "Nothing is changed. A freed host is taken to bring to the destination what it has in the source. Exit codes: 0"
        " there is room for every step, 1 the destination lacks room for one (it is named)"
    )

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        command.add_format(parser, "table", "json", "yaml")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Read both clouds, show the steps."""
        from ..planning.host_order import read_order

        config = self.config()
        with self.clouds(config, WORKERS) as (source, destination):
            steps = read_order(source, destination)
        if parsed_args.format == "table":
            show(steps, text.console())
        else:
            command.dump([step.to_json() for step in steps], parsed_args.format)
        return int(any(step.short for step in steps))


def show(steps: list[Step], console: Console) -> None:
    """For people: a paragraph for each step."""
    from ..planning.capacity import words

    for number, step in enumerate(steps, 1):
        console.print()
        if step.tenants:
            console.print(Text(f"Step {number}: move {human.count(len(step.tenants), 'tenant')}", style="bold"))
        else:
            console.print(Text(f"Step {number}: nothing is to be moved", style="bold"))
        for tenant in step.tenants:
            where = ", ".join(map(human.clean, tenant.hosts))
            line = f"  {human.short(tenant.name)}: {human.count(tenant.servers, 'server')} on {where}; needs"
            console.print(Text(f"{line} {words(tenant.needs)}"))
        if step.short:
            console.print(Text(f"  ! the destination lacks {words(step.short)} for it", style="bold red"))
        console.print(Text(f"  then empty: {', '.join(map(human.clean, step.hosts))}; gives {words(step.gives)}"))
        if step.free:
            console.print(Text(f"  the destination has then free: {words(step.free)}"))
    if not steps:
        console.print(Text("The source has no hosts."))
