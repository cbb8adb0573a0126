"""``pumphouse resume``, ``rollback``, ``accept`` and ``cancel``: what becomes of a migration that was begun."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from .. import human
from ..errors import UsageError
from . import command, text
from .migrate import add_concurrency, tell

if TYPE_CHECKING:
    from ..clouds.cloud import Cloud
    from ..config import Config
    from ..hosts.inventory import Host
    from ..planning.plan import Plan, Unit
    from ..store import Migration, Store

#: Resources that are looked at at once.
WORKERS = 4
#: Seconds between two looks whether a cancelled migration has ended.
LOOK = 0.5


class Resume(command.Command):
    """Go on with a migration that was interrupted, stopped or failed, from where it was."""

    notes = (
        "What was interrupted goes on, or goes on being undone; what had not begun is begun; what failed is tried"
        " again. Where another process still runs it, its units are left to it. Exit codes: as of migrate"
    )

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "id", metavar="ID", type=int, nargs="?", help="the migration; default: the last one that is not done"
        )
        add_concurrency(parser)
        command.add_inventory(parser)
        command.add_format(parser, "table", "json", "yaml")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Run the rest, tell."""
        from ..planning.plan import Plan

        config = self.config()
        with self.store(config) as store:
            migration = self._which(store, parsed_args.id)
            with self.clouds(config, parsed_args.concurrency) as (source, destination):
                of_this_pair(migration, source, destination)
                hosts = command.hosts_of(parsed_args, config)
                self._run(source, destination, store, migration, parsed_args.concurrency, hosts)
            return tell(store, Plan.from_json(migration.plan), migration.id, parsed_args.format)

    def _run(
        self,
        source: Cloud,
        destination: Cloud,
        store: Store,
        migration: Migration,
        concurrency: int,
        hosts: Callable[[str], Host],
    ) -> None:
        from ..migrations.runner import resume
        from ..transfer.progress import Progress
        from . import progress_view, running

        stop, progress = threading.Event(), Progress()
        store.wish(migration.id, "")
        view = progress_view.view(progress, text.console(sys.stderr), quiet=self.app.options.quiet)
        if not self.app.options.quiet:
            view.say(f"Migration {migration.id} goes on (pumphouse show {migration.id})")

        def work() -> None:
            resume(
                source, destination, store, migration.id,
                concurrency=concurrency, progress=progress, stop=stop, hosts=hosts,
            )  # fmt: skip

        running.run(work, stop, view)

    def _which(self, store: Store, number: int | None) -> Migration:
        if number is None:
            rows = [row for row in store.history() if row.state in ("running", "failed", "stopped", "cancelled")]
            if not rows:
                raise UsageError("there is no migration to go on with: all are done (pumphouse list)")
            number = rows[-1].id
        migration = command.find_migration(store, number)
        if migration.state in ("reverting", "reverted"):
            raise UsageError(f"migration {number} was rolled back: start a new one (pumphouse migrate)")
        return migration


@dataclasses.dataclass
class Named:
    """A migration that is settled, or some of its servers."""

    store: Store
    migration: Migration
    plan: Plan
    #: The units of the servers that were named; None: all of it.
    units: list[Unit] | None


class Settling(command.Command):
    """What settles a migration, whole or server by server, after asking."""

    #: What is done to a server, for the help.
    verb = ""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options that both have."""
        parser = super().get_parser(prog_name)
        command.add_migration(parser)
        parser.add_argument(
            "--server",
            metavar="NAME_OR_ID",
            dest="servers",
            action="append",
            default=[],
            help=f"{self.verb} this server only, with its ports and volumes; may be repeated",
        )
        parser.add_argument("--yes", action="store_true", help="do not ask")
        return parser

    @contextlib.contextmanager
    def named(self, config: Config, parsed_args: argparse.Namespace) -> Iterator[Named]:
        """What was named; nothing runs it. Raises UsageError."""
        from ..migrations import undoing
        from ..planning.plan import Plan

        with self.store(config) as store:
            migration = command.find_migration(store, parsed_args.id)
            undoing.refuse_running(store, migration)
            plan = Plan.from_json(migration.plan)
            units = undoing.server_units(plan, parsed_args.servers) if parsed_args.servers else None
            yield Named(store, migration, plan, units)


class Rollback(Settling):
    """Remove what a migration made in the destination, and let the source's servers run again as they ran."""

    notes = (
        "What was there before, what another migration uses, and what was accepted, stays. What was written in the"
        " destination since the move is lost. It can be repeated. Exit codes: 0 all is undone, 1 something stays (it"
        " is named), 2 bad input"
    )

    verb = "roll back"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        command.add_inventory(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Ask, undo, say what stays."""
        from ..migrations import undoing

        need_answer(parsed_args)
        config = self.config()
        with self.named(config, parsed_args) as it:
            question = f"Roll back {_what(it.migration, it.units)}? {_lost(it.plan, it.units)}"
            if not parsed_args.yes and not agreed(question):
                print("Nothing was changed.", file=sys.stderr)
                return 1
            with self.clouds(config, WORKERS) as (source, destination):
                of_this_pair(it.migration, source, destination)
                hosts = command.hosts_of(parsed_args, config)
                left = undoing.roll_back(source, destination, it.store, it.migration, it.units, self.say, hosts)
        return stays(left, "Rolled back.")


class Accept(Settling):
    """Accept what a migration moved: it cannot be rolled back any more."""

    notes = (
        "--delete-source removes the source's servers with their ports and volumes, each only while its counterpart is"
        " in the destination. Everything else of the source (people, networks, images) is never removed. Exit codes:"
        " 0 accepted, 1 not accepted or something could not be removed, 2 refused: the report has differences"
    )

    verb = "accept"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--delete-source", action="store_true", help="delete the servers in the source")
        what.add_argument("--keep-source", action="store_true", help="leave them there, stopped")
        parser.add_argument(
            "--despite",
            metavar="TYPE:NAME:FIELD",
            action="append",
            default=[],
            help="a difference of the report that is accepted too, as the refusal names it; may be repeated",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Look at the report, ask twice, accept, delete."""
        from ..migrations import accepting

        need_answer(parsed_args)
        config = self.config()
        with self.named(config, parsed_args) as it:
            units = accepting.in_scope(it.plan, it.units)
            found = accepting.differences(it.store, it.migration, units)
            accepting.refuse_differences(it.migration.id, found, parsed_args.despite)
            if not parsed_args.yes and not self._agreed(it.migration, it.units, parsed_args.delete_source):
                print("Nothing was changed.", file=sys.stderr)
                return 1
            accepting.accept(it.store, it.migration, units)
            left: list[str] = []
            if parsed_args.delete_source:
                with self.clouds(config, WORKERS) as (source, destination):
                    of_this_pair(it.migration, source, destination)
                    left = accepting.delete_source(source, destination, it.store, it.migration, units, self.say)
        return stays(left, "Accepted.")

    def _agreed(self, migration: Migration, servers: list[Unit] | None, delete: bool) -> bool:
        then = "The source's servers are deleted, with their volumes." if delete else "The source stays as it is."
        if not agreed(f"Accept {_what(migration, servers)}? It cannot be rolled back any more. {then}"):
            return False
        print(f"This is the point of no return. Type {migration.id} to go on: ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip() == str(migration.id)


class Cancel(command.Command):
    """Stop a migration at the next safe point; what is half made is undone, what is done stays."""

    notes = "exit codes: 0 it has ended, 1 something could not be undone, 2 bad input"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        command.add_migration(parser)
        command.add_inventory(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Ask the process that runs it, or do what it cannot do any more."""
        from ..migrations import process, undoing
        from ..store import claims
        from ..store.store import CANCEL

        config = self.config()
        with self.store(config) as store:
            migration = command.find_migration(store, parsed_args.id)
            if migration.state != "running":
                raise UsageError(f"migration {migration.id} is {migration.state}: there is nothing to cancel")
            store.wish(migration.id, CANCEL)
            self.say(f"Asked the processes of migration {migration.id} to end")
            claims.release_dead(store, migration.id, process.is_dead)
            while claims.others(store, migration.id):
                time.sleep(LOOK)
            migration = command.find_migration(store, parsed_args.id)
            left: list[str] = []
            if migration.state == "running":
                with self.clouds(config, WORKERS) as (source, destination):
                    of_this_pair(migration, source, destination)
                    hosts = command.hosts_of(parsed_args, config)
                    left = undoing.undo_interrupted(source, destination, store, migration, self.say, hosts)
        return stays(left, "Cancelled; pumphouse resume goes on, pumphouse rollback undoes the rest.")


def need_answer(parsed_args: argparse.Namespace) -> None:
    """Raises UsageError where nobody can be asked and nothing was answered beforehand."""
    if not (parsed_args.yes or sys.stdin.isatty()):
        raise UsageError("nobody can be asked, as standard input is not a terminal: add --yes")


def agreed(question: str) -> bool:
    """Whether the operator says yes."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def of_this_pair(migration: Migration, source: Cloud, destination: Cloud) -> None:
    """Raises UsageError where the configuration names other clouds than those that the migration was between."""
    from ..planning.planner import pair_of

    if migration.pair != pair_of(source, destination):
        raise UsageError(
            f"migration {migration.id} was between {migration.pair}, but the configuration names "
            f"{pair_of(source, destination)}: give --config"
        )


def stays(left: list[str], done: str) -> int:
    """Say what could not be done; the exit code."""
    for line in left:
        print(f"! {human.clean(line)}", file=sys.stderr)
    if not left:
        print(done, file=sys.stderr)
    return int(bool(left))


def _what(migration: Migration, units: list[Unit] | None) -> str:
    if units is None:
        return f"migration {migration.id} ({human.chosen(migration.selection)})"
    return f"{', '.join(unit.title for unit in units)} of migration {migration.id}"


def _lost(plan: Plan, units: list[Unit] | None) -> str:
    if host := plan.selection.get("evacuate"):
        return f"Nova may use {host} again; servers that have left it stay where they are."
    if host := plan.selection.get("reassign"):
        return (
            f"{host} is switched on again if it has not left the source yet; else its installation is stopped, and it"
            " stays as it is."
        )
    servers = sum(unit.kind == "server" for unit in (plan.units if units is None else units))
    told = f"{human.count(servers, 'server')} and everything else" if units is None else human.count(servers, "server")
    return f"{told} that it made in the destination will be deleted, with what was written there since."
