"""``pumphouse-bm``: hypervisors. What there are, and emptying one."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from .. import human
from ..errors import UsageError
from . import command, power, reassign, text
from .main import Pumphouse
from .main import main as run
from .migrate import positive, show, tell
from .settling import WORKERS, agreed, need_answer, of_this_pair, stays

if TYPE_CHECKING:
    from ..clouds.cloud import Cloud
    from ..planning.plan import Plan
    from ..store import Migration, Store

#: Servers that move at once, where ``--concurrency`` does not say.
AT_ONCE = 2


class Evacuate(command.Command):
    """Empty a hypervisor of the source: its servers go to other hosts of the source, and nothing new comes."""

    notes = (
        "Running servers are live-migrated, stopped ones cold-migrated. It is a migration as any other: pumphouse show,"
        " resume, cancel and report know it by its number. --undo lets Nova use the host again; servers stay where they"
        " are. Exit codes: 0 the host is empty, or is used again; 1 something stays on it, or is refused (it is"
        " named); 2 bad input (nothing was done); 130 stopped by Ctrl-C"
    )

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("host", metavar="HOST", help="its exact name: see pumphouse-bm hosts")
        parser.add_argument(
            "--to", metavar="HOST", action="append", default=[], help="a host to use; may be repeated (default: any)"
        )
        parser.add_argument("--cold", action="store_true", help="switch running servers off while they move")
        parser.add_argument(
            "--fenced",
            action="store_true",
            help="the host is down, and surely stays so: its servers are rebuilt elsewhere from their disks",
        )
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--dry-run", action="store_true", help="print the plan; change nothing")
        what.add_argument(
            "--undo", action="store_true", help="let Nova use the host again; servers stay where they are"
        )
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--ignore-findings", action="store_true", help="with --yes: run although the checks found what blocks"
        )
        parser.add_argument(
            "--concurrency", metavar="N", type=positive, default=AT_ONCE,
            help=f"servers that move at once (default: {AT_ONCE})",
        )  # fmt: skip
        command.add_format(parser, "table", "json", "yaml")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Plan, show, ask, run, tell; or undo."""
        if not parsed_args.dry_run:
            need_answer(parsed_args)
        config = self.config()
        with (
            self.store(config) as store,
            self.clouds(config, max(WORKERS, parsed_args.concurrency)) as (source, destination),
        ):
            if parsed_args.undo:
                return self._undo(source, destination, store, parsed_args)
            return self._evacuate(source, destination, store, parsed_args)

    def _evacuate(self, source: Cloud, destination: Cloud, store: Store, parsed_args: argparse.Namespace) -> int:
        from ..planning.evacuating import Wish, make_evacuation

        wish = Wish(parsed_args.host, parsed_args.to, parsed_args.cold, parsed_args.fenced)
        plan = make_evacuation(source, store, wish, self.say)
        show(plan, parsed_args, quiet=self.app.options.quiet)
        if parsed_args.dry_run:
            return 0
        if not self._agreed(plan, parsed_args):
            print("Nothing was changed.", file=sys.stderr)
            return 1
        return self._run(source, destination, store, plan, parsed_args)

    def _agreed(self, plan: Plan, parsed_args: argparse.Namespace) -> bool:
        from . import plan_view

        blocking = plan_view.blocks(plan)
        if not parsed_args.yes:
            anyway = f" although {human.count(len(blocking), 'finding')} would block" if blocking else ""
            return agreed(f"\nEvacuate {plan.selection['evacuate']}{anyway}?")
        if not blocking or parsed_args.ignore_findings:
            return True
        for finding in blocking:
            about = f"{finding.type} {human.short(finding.name or finding.id)}: " if finding.type else ""
            print(f"pumphouse-bm: blocks: {about}{human.clean(finding.reason)}", file=sys.stderr)
        print("pumphouse-bm: refused for what blocks; --ignore-findings runs all the same", file=sys.stderr)
        return False

    def _run(self, source: Cloud, destination: Cloud, store: Store, plan: Plan, parsed_args: argparse.Namespace) -> int:
        from . import running

        number = running.run_plan(
            source, destination, store, plan, quiet=self.app.options.quiet, concurrency=parsed_args.concurrency
        )
        return tell(store, plan, number, parsed_args.format)

    # --- back ---

    def _undo(self, source: Cloud, destination: Cloud, store: Store, parsed_args: argparse.Namespace) -> int:
        from ..migrations import undoing

        migration = newest_evacuation(store, parsed_args.host)
        of_this_pair(migration, source, destination)
        undoing.refuse_running(store, migration)
        question = f"Let Nova use {parsed_args.host} again? Servers that have left it stay where they are."
        if not parsed_args.yes and not agreed(question):
            print("Nothing was changed.", file=sys.stderr)
            return 1
        left = undoing.roll_back(source, destination, store, migration, None, self.say)
        return stays(left, f"{parsed_args.host} is as it was before; servers that have left it stay where they are.")


class Hosts(command.Command):
    """List the hypervisors of both clouds: their state, their servers, how full they are."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        command.add_format(parser, "table", "json", "yaml")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Print a line for each."""
        config = self.config()
        with self.clouds(config, WORKERS) as clouds:
            rows = [row for cloud in clouds for row in host_rows(cloud)]
        if parsed_args.format != "table":
            command.dump(rows, parsed_args.format)
            return 0
        headings = ("cloud", "host", "state", "status", "servers", "vcpus", "memory", "disk", "why disabled")
        console = text.console()
        console.print(text.table(headings, map(_line, rows), fixed=("cloud", "host", "state", "status")))
        return 0


def newest_evacuation(store: Store, host: str) -> Migration:
    """The last evacuation of a host that was not undone. Raises UsageError where there is none."""
    rows = [row for row in store.history() if row.selection.get("evacuate") == host and row.state != "reverted"]
    if not rows:
        known = sorted({str(row.selection["evacuate"]) for row in store.history() if row.selection.get("evacuate")})
        hint = f"; there were evacuations of {', '.join(known)}" if known else ""
        raise UsageError(f"{host}: there is no evacuation of it to undo{hint} (pumphouse list)")
    return command.find_migration(store, rows[-1].id)


def host_rows(cloud: Cloud) -> list[dict[str, Any]]:
    """Every hypervisor of a cloud with its service, the number of its servers and its rooms."""
    from ..clouds import hypervisors

    services = {service["host"]: service for service in hypervisors.services(cloud)}
    rooms = hypervisors.rooms(cloud)
    living: dict[str, int] = {}
    for server in cloud.compute.servers.list(detailed=True, search_opts={"all_tenants": 1}, limit=-1):
        host = server.to_dict().get(hypervisors.HOST)
        living[host] = living.get(host, 0) + 1
    names = dict.fromkeys([*services, *rooms])
    return [
        {
            "cloud": cloud.role,
            "host": name,
            "state": services.get(name, {}).get("state", "no service"),
            "status": services.get(name, {}).get("status", ""),
            "disabled_reason": services.get(name, {}).get("disabled_reason"),
            "servers": living.get(name, 0),
            "room": {
                kind: {"capacity": room.capacity, "used": room.used} for kind, room in rooms.get(name, {}).items()
            },
        }
        for name in names
    ]


def _line(row: dict[str, Any]) -> tuple[object, ...]:
    def full(kind: str, factor: int = 0) -> str:
        room = row["room"].get(kind)
        if room is None:
            return "not told"
        if factor:
            return f"{human.size(room['used'] * factor)} of {human.size(room['capacity'] * factor)}"
        return f"{room['used']} of {room['capacity']}"

    return (
        row["cloud"], row["host"], row["state"], row["status"], row["servers"],
        full("VCPU"), full("MEMORY_MB", 1 << 20), full("DISK_GB", 1 << 30), human.short(row["disabled_reason"] or ""),
    )  # fmt: skip


class BareMetal(Pumphouse):
    """The application."""

    NAME = "pumphouse-bm"
    BEGIN = "pumphouse-bm hosts; pumphouse-bm evacuate HOST --dry-run"
    #: Name -> command; further ones are added here.
    COMMANDS: dict[str, Any] = {
        "evacuate": Evacuate,
        "hosts": Hosts,
        "reassign": reassign.Reassign,
        **power.COMMANDS,
    }


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see ``cli.main``."""
    return run(argv, BareMetal)


if __name__ == "__main__":
    sys.exit(main())
