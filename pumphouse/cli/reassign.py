"""``pumphouse-bm reassign``: an empty hypervisor of the source becomes one of the destination."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from .. import human
from . import command
from .migrate import show, tell
from .power import WORKERS, HostCommand
from .settling import agreed, need_answer

if TYPE_CHECKING:
    from ..clouds.cloud import Cloud
    from ..planning.plan import Plan
    from ..store import Store


class Reassign(HostCommand):
    """Give an empty host of the source to the destination: switch it off, have it installed anew, take it in."""

    notes = (
        "The host must be disabled and empty (pumphouse-bm evacuate), and be noted as one of the source in the"
        " inventory; what its provisioner installs overwrites its disks. It is a migration as any other: pumphouse"
        " show, resume, cancel, rollback and report know it by its number. Until its nova-compute is deleted in the"
        " source all can be taken back; from then on only a resume goes on. Exit codes: 0 it is a compute host of the"
        " destination; 1 it is not, or something is in the way (it is named); 2 bad input (nothing was done); 130"
        " stopped by Ctrl-C"
    )

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("host", metavar="HOST", help="its exact name in the inventory")
        parser.add_argument("--dry-run", action="store_true", help="check everything, print the plan; change nothing")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        command.add_format(parser, "table", "json", "yaml")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Plan, show, ask, run, tell."""
        from ..planning.reassigning import make_reassignment

        if not parsed_args.dry_run:
            need_answer(parsed_args)
        config = self.config()
        hosts = command.hosts_of(parsed_args, config)
        # Before anything is asked: a name that is not there is said at once.
        hosts(parsed_args.host)
        with self.store(config) as store, self.clouds(config, WORKERS) as (source, destination):
            plan = make_reassignment(source, destination, store, parsed_args.host, hosts, self.say)
            show(plan, parsed_args, quiet=self.app.options.quiet)
            if parsed_args.dry_run:
                return 0
            if not self._agreed(plan, parsed_args):
                print("Nothing was changed.", file=sys.stderr)
                return 1
            return self._run(source, destination, store, plan, parsed_args)

    def _agreed(self, plan: Plan, parsed_args: argparse.Namespace) -> bool:
        """Nobody can agree to what blocks: a machine would be cut off that is in use, or stay half-way."""
        from . import plan_view

        host = plan.selection["reassign"]
        if blocking := plan_view.blocks(plan):
            for finding in blocking:
                print(f"pumphouse-bm: blocks: {human.clean(finding.reason)}", file=sys.stderr)
            print(f"pumphouse-bm: {human.clean(host)} is not reassigned for what blocks", file=sys.stderr)
            return False
        return parsed_args.yes or agreed(f"\nGive {host} to the destination? All on its disks will be lost.")

    def _run(self, source: Cloud, destination: Cloud, store: Store, plan: Plan, parsed_args: argparse.Namespace) -> int:
        from . import running

        hosts = command.hosts_of(parsed_args, self.config())
        number = running.run_plan(
            source, destination, store, plan, quiet=self.app.options.quiet, concurrency=1, hosts=hosts
        )
        return tell(store, plan, number, parsed_args.format)
