"""``pumphouse migrate``: plan, show, ask, run, and say how it went."""

from __future__ import annotations

import argparse
import functools
import sys
import threading
from typing import TYPE_CHECKING, Any

from .. import human
from ..errors import UsageError
from . import command, text

if TYPE_CHECKING:
    from ..clouds.cloud import Cloud
    from ..config import Config
    from ..planning.plan import Plan, Selection
    from ..store import Store

#: Units that run at once, where ``--concurrency`` does not say.
CONCURRENCY = 4

#: Exit code of a migration that the operator stopped before its end.
STOPPED = 130


class Migrate(command.Command):
    """Move a tenant, or single resources with what they need, to the destination."""

    notes = (
        "exit codes: 0 all moved and verified (or: all was there already), 1 something failed, differs, is"
        " in conflict or left over (it is named), 2 bad input (nothing was done), 130 stopped by Ctrl-C (run it again"
        " to go on)"
    )

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        what = parser.add_argument_group("what to move (each with everything that it needs)")
        what.add_argument("--tenant", metavar="NAME_OR_ID", help="a project and all that is its own")
        what.add_argument("--domain", metavar="NAME_OR_ID", help="where names of tenants and users are looked up")
        for kind in ("server", "image", "volume", "user", "flavor", "network"):
            what.add_argument(
                f"--{kind}",
                metavar="NAME_OR_ID",
                dest=f"{kind}s",
                action="append",
                default=[],
                help=f"one {kind}; may be repeated",
            )
        what.add_argument(
            "--host",
            metavar="HOST",
            dest="hosts",
            action="append",
            default=[],
            help="the servers that live on a hypervisor of this exact name; may be repeated",
        )
        what.add_argument("--all", action="store_true", help="every project but those of the services")
        what.add_argument(
            "--accept",
            metavar="TYPE:NAME_OR_ID:WHAT",
            dest="accepted",
            action="append",
            default=[],
            help="a loss that else keeps it from moving, as the plan names it (server:web-1:memory); may be repeated",
        )
        _add_choices(parser)
        parser.add_argument("--dry-run", action="store_true", help="print the plan; change nothing")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--ignore-findings", action="store_true", help="with --yes: run although the checks found what blocks"
        )
        add_concurrency(parser)
        command.add_format(parser, "table", "json", "yaml")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Plan, show, ask, run, tell."""
        selection = _selection(parsed_args)
        if not (parsed_args.dry_run or parsed_args.yes or sys.stdin.isatty()):
            raise UsageError(
                "nobody can be asked, as standard input is not a terminal: add --yes to migrate,"
                " or --dry-run to see the plan"
            )
        config = self.config()
        with (
            self.store(config) as store,
            self.clouds(config, parsed_args.concurrency) as (source, destination),
        ):
            plan = self._plan(source, destination, store, selection, config)
            show(plan, parsed_args, quiet=self.app.options.quiet)
            if parsed_args.dry_run:
                return 0
            if not self._agreed(plan, parsed_args):
                print("Nothing was changed.", file=sys.stderr)
                return 1
            return self._migrate(source, destination, store, plan, parsed_args)

    def _plan(
        self,
        source: Cloud,
        destination: Cloud,
        store: Store,
        selection: Selection,
        config: Config,
    ) -> Plan:
        from .. import planning

        console = text.console(sys.stderr)
        make = functools.partial(
            planning.make_plan,
            source,
            destination,
            store,
            selection,
            mappings=config.mappings,
            carry_expiry=config.carry_expiry,
        )
        if self.app.options.quiet:
            return make(lambda _text: None)
        if not console.is_terminal:
            return make(lambda line: print(line, file=sys.stderr))
        with console.status("planning") as status:

            def say(line: str) -> None:
                status.update(human.clean(line))

            return make(say)

    def _agreed(self, plan: Plan, parsed_args: argparse.Namespace) -> bool:
        """Whether the operator wants it run."""
        from . import plan_view

        if not plan.count("create"):
            return True
        blocking = plan_view.blocks(plan)
        if parsed_args.yes:
            if blocking and not parsed_args.ignore_findings:
                for finding in blocking:
                    about = f"{finding.type} {human.short(finding.name or finding.id)}: " if finding.type else ""
                    print(f"pumphouse: blocks: {about}{human.clean(finding.reason)}", file=sys.stderr)
                print("pumphouse: refused for what blocks; --ignore-findings runs all the same", file=sys.stderr)
                return False
            return True
        anyway = f" although {human.count(len(blocking), 'finding')} would block" if blocking else ""
        print(f"\nMigrate{anyway}? [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def _migrate(
        self,
        source: Cloud,
        destination: Cloud,
        store: Store,
        plan: Plan,
        parsed_args: argparse.Namespace,
    ) -> int:
        from .. import migrations
        from ..transfer.progress import Progress
        from . import progress_view, running

        stop, progress = threading.Event(), Progress()
        console = text.console(sys.stderr)
        view = progress_view.view(progress, console, quiet=self.app.options.quiet)

        def started(migration_id: int) -> None:
            if not self.app.options.quiet:
                view.say(f"Migration {migration_id} is running (pumphouse show {migration_id})")

        def work() -> int:
            return migrations.run(
                source,
                destination,
                store,
                plan,
                concurrency=parsed_args.concurrency,
                progress=progress,
                stop=stop,
                on_start=started,
            )

        migration_id = running.run(work, stop, view)
        return tell(store, plan, migration_id, parsed_args.format)


def show(plan: Plan, parsed_args: argparse.Namespace, *, quiet: bool) -> None:
    """Print a plan: as what was asked for with --dry-run, and else, unless ``quiet``, for people beside the result."""
    from . import plan_view

    people = parsed_args.format == "table"
    if parsed_args.dry_run and not people:
        command.dump(plan.to_json(), parsed_args.format)
    elif parsed_args.dry_run or not quiet:
        plan_view.show(plan, text.console(sys.stdout if people else sys.stderr))


def tell(store: Store, plan: Plan, migration_id: int, format: str) -> int:
    """Say how a migration went; returns the exit code."""
    from ..migrations import report
    from . import result_view

    built = report.build(store, migration_id, brief=format == "table")
    # People read on stdout, unless that is for a program.
    result_view.show(built, plan, text.console(sys.stdout if format == "table" else sys.stderr))
    if format != "table":
        command.dump(built, format)
    if built["migration"]["state"] in ("stopped", "cancelled"):
        return STOPPED
    return 0 if result_view.is_good(built, plan) else 1


def _selection(parsed_args: argparse.Namespace) -> Selection:
    from ..planning import mapping
    from ..planning.plan import Selection

    names = ("tenant", "domain", "all", "servers", "images", "volumes", "users", "flavors", "networks", "hosts")
    selection = Selection(
        **{name: getattr(parsed_args, name) for name in (*names, "accepted", "power")},
        mappings=mapping.parse(parsed_args.mappings),
    )
    chosen = selection.chosen()
    if not chosen:
        raise UsageError(
            "what is to be moved? Name it with --tenant, --server, --image, --volume, --user, --flavor,"
            " --network, --host, or give --all"
        )
    if selection.all and chosen != {"all"}:
        raise UsageError("--all moves every tenant: leave out the other names, or leave out --all")
    return selection


def _add_choices(parser: argparse.ArgumentParser) -> None:
    """How what is named is moved."""
    how = parser.add_argument_group("how")
    how.add_argument(
        "--map",
        metavar="KIND:SOURCE=DESTINATION",
        dest="mappings",
        action="append",
        default=[],
        help="a name in the source and the one that it has in the destination, for this plan: laid over `mappings` of"
        " the configuration, with its kinds (flavors:m1.small=s2.small); may be repeated",
    )
    how.add_argument(
        "--power",
        choices=("as_source", "off"),
        default="as_source",
        help="how moved servers are in the end: as they are in the source (default), or left shut off; they boot once"
        " in any case, as Nova boots every new server",
    )


def add_concurrency(parser: argparse.ArgumentParser) -> None:
    """The option that says how many units run at once."""
    parser.add_argument(
        "--concurrency",
        metavar="N",
        type=positive,
        default=CONCURRENCY,
        help=f"units that run at once (default: {CONCURRENCY})",
    )


def positive(value: str) -> int:
    """How many at once, for argparse."""
    number: Any = int(value) if value.isdecimal() else 0
    if not 1 <= number <= 64:
        raise argparse.ArgumentTypeError(f"{value} is not a number from 1 to 64")
    return number
