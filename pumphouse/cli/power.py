"""``pumphouse-bm power``, ``status`` and ``inventory``: one machine, and the file that describes all of them."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from .. import human
from ..errors import PumphouseError, UsageError
from . import command, text
from .settling import agreed, need_answer

if TYPE_CHECKING:
    from ..clouds.cloud import Cloud
    from ..hosts.inventory import Host, Inventory
    from ..store import Store

#: Requests to each cloud at once, and hosts that are asked at once.
WORKERS, HOSTS_AT_ONCE = 2, 8


class HostCommand(command.Command):
    """A command that needs the inventory."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options that all have."""
        parser = super().get_parser(prog_name)
        command.add_inventory(parser)
        return parser

    def inventory(self, parsed_args: argparse.Namespace) -> Inventory:
        """The inventory that ``--inventory`` or the search order names."""
        from ..hosts import inventory

        if parsed_args.inventory or os.environ.get(inventory.VARIABLE):
            # Without a configuration, too.
            return inventory.load(parsed_args.inventory)
        return inventory.load(beside=self.config().path)

    @contextlib.contextmanager
    def pair(self) -> Iterator[tuple[Cloud, Cloud]]:
        """Source and destination."""
        with self.clouds(self.config(), WORKERS) as (source, destination):
            yield source, destination


class Power(HostCommand):
    """Switch a host of the source on or off, or say whether it is on."""

    notes = (
        "off: only a host that the inventory notes as one of the source (source: true), that is disabled in the"
        " source's Nova, and has no servers there or in the destination. Exit codes: 0 done, 1 refused or failed, 2 bad"
        " input"
    )

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("host", metavar="HOST", help="its exact name in the inventory")
        parser.add_argument("action", choices=("on", "off", "status"), help="what to do")
        parser.add_argument(
            "--soft",
            action="store_true",
            help="with off: have the operating system shut down, rather than cut the power",
        )
        parser.add_argument("--network", action="store_true", help="with on: boot from the network, this once")
        parser.add_argument("--yes", action="store_true", help="with off: do not ask")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Switch, or ask; print what it is now."""
        from ..hosts import power

        action = parsed_args.action
        for option, of in (("soft", "off"), ("network", "on")):
            if getattr(parsed_args, option) and action != of:
                raise UsageError(f"--{option} is for {of}")
        host = self.inventory(parsed_args).host(parsed_args.host)
        switch = power.of(host)
        if action == "on":
            if parsed_args.network:
                self._may_boot(host, switch.state())
                switch.boot_from_network()
            switch.on()
        elif action == "off" and not self._off(host, switch, parsed_args):
            return 1
        print(switch.state())
        return 0

    def _off(self, host: Host, switch: Any, parsed_args: argparse.Namespace) -> bool:
        from ..hosts import guard

        need_answer(parsed_args)
        with self.pair() as (source, destination):
            guard.refuse(host, source, destination)
            if not parsed_args.yes and not agreed(f"Switch {host.name} off?"):
                print("Nothing was changed.", file=sys.stderr)
                return False
            # Time has passed at the prompt.
            guard.refuse(host, source, destination)
            self.say(f"switching {host.name} off")
            switch.off(soft=parsed_args.soft)
        return True

    def _may_boot(self, host: Host, state: Any) -> None:
        from ..hosts import switching

        try:
            switching.may_boot_from_network(host, state)
        except UsageError as error:
            raise UsageError(f"--network: {error}") from None


class Status(HostCommand):
    """Say what is known of a host: its power, its place in both clouds, its provisioner."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("host", metavar="HOST", help="its exact name in the inventory")
        command.add_format(parser, "table", "json", "yaml")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Print it; what cannot be asked is said so in its place."""
        host = self.inventory(parsed_args).host(parsed_args.host)
        with self.pair() as pair:
            told = status(host, *pair)
        with self.store() as store:
            told["reassignment"] = reassignment(store, host.name)
        if parsed_args.format != "table":
            command.dump(told, parsed_args.format)
            return 0
        rows = [(key, value if isinstance(value, str) else "\n".join(value)) for key, value in _lines(told)]
        text.console().print(text.table(("what", "how it is"), rows, fixed=("what",)))
        return 0


class CheckInventory(HostCommand):
    """Check the inventory, and list its hosts."""

    notes = "exit codes: 0 all is well, 1 --reach found something in the way, 2 the file cannot be used"

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--reach", action="store_true", help="log on to each BMC and ask each provisioner, too; changes nothing"
        )
        command.add_format(parser, "table", "json", "yaml")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Print a line for each host."""
        inventory = self.inventory(parsed_args)
        for note in inventory.notes:
            self.say(note)
        hosts = list(inventory.hosts.values())
        found: list[list[str] | None] = [None] * len(hosts)
        if parsed_args.reach:
            with ThreadPoolExecutor(HOSTS_AT_ONCE) as pool:
                found = list(pool.map(in_the_way, hosts))
        rows = [_row(host, ways) for host, ways in zip(hosts, found, strict=True)]
        if parsed_args.format != "table":
            command.dump(rows, parsed_args.format)
        else:
            self._show(inventory, rows)
        return int(any(found))

    def _show(self, inventory: Inventory, rows: list[dict[str, Any]]) -> None:
        console = text.console()
        headings = ("host", "source", "bmc", "provisioner", "roles", "macs", "in the way")
        lines = [
            (
                row["name"], "yes" if row["source"] else "no", row["bmc"], row["provisioner"] or "none",
                ", ".join(row["roles"]), ", ".join(row["macs"]),
                "not asked" if row["in_the_way"] is None else "\n".join(row["in_the_way"]) or "nothing",
            )
            for row in rows
        ]  # fmt: skip
        if rows:
            console.print(text.table(headings, lines, fixed=("host", "source", "bmc", "provisioner")))
        console.print(f"{inventory.path}: {human.count(len(rows), 'host')}, nothing wrong with the file")


def in_the_way(host: Host) -> list[str]:
    """What of a host's BMC and provisioner is in the way of reassigning it: sentences. Changes nothing."""
    from ..hosts import power, provisioners

    found = []
    provisioner = None
    try:
        provisioner = provisioners.of(host) if host.provisioner else None
        if provisioner is None or not provisioner.owns_power:
            power.of(host).check()
    except PumphouseError as error:
        found.append(str(error))
    return found + (provisioner.check(host) if provisioner else [])


def status(host: Host, source: Cloud, destination: Cloud) -> dict[str, Any]:
    """All that is known of a host; where something cannot be asked, the reason is in its place."""
    from ..clouds.errors import explain
    from ..hosts import guard, inventory, power, provisioners

    described = inventory.describe(host)
    told: dict[str, Any] = {"name": host.name, "of_the_source": described.pop("source"), **described}
    told["bmc"] = host.bmc.name

    def put(key: str, look: Any) -> None:
        try:
            told[key] = look()
        except Exception as error:
            told[key] = f"cannot be told: {explain(error)}"

    put("power", lambda: power.of(host).state())
    for cloud in (source, destination):
        put(cloud.role, lambda cloud=cloud: in_cloud(host, cloud))
    put("may_be_switched_off", lambda: guard.obstacles(host, source, destination) or "yes")
    if host.provisioner is not None:
        told["provisioner"] = host.provisioner.name
        put("provisioner_check", lambda: provisioners.of(host).check(host) or "nothing is in the way")
    return told


def reassignment(store: Store, host: str) -> str:
    """The newest reassignment of a host: its number, its state and what it does, or why it ended: one line."""
    from ..planning.reassigning import earlier

    found = earlier(store, host)
    if found is None:
        return "none"
    number, state = found
    rows = [row for row in store.units(number) if row.state in ("running", "failed", "stopped")]
    at = f": {rows[0].title}: {rows[0].error or rows[0].step or rows[0].state}" if rows else ""
    return f"migration {number} is {state}{at}"


def in_cloud(host: Host, cloud: Cloud) -> str:
    """What a cloud's Nova says of a host: one line."""
    from ..clouds import hypervisors

    known = [one for one in hypervisors.hypervisors(cloud) if one["hypervisor_hostname"] == host.name]
    if not known:
        return "Nova does not know it"
    name = hypervisors.host_of(known[0])
    service = hypervisors.service_of(cloud, name) or {}
    reason = f" ({service['disabled_reason']})" if service.get("disabled_reason") else ""
    count = len(hypervisors.servers_on(cloud, name))
    return f"{service.get('state', 'no service')}, {service.get('status', '')}{reason}, {human.count(count, 'server')}"


def _lines(told: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in told.items():
        name = key.replace("_", " ")
        if isinstance(value, bool):
            yield name, "yes" if value else "no"
        elif isinstance(value, dict):
            yield name, value["layout"] + (f" from {value['from']}" if "from" in value else "")
        else:
            yield name, value


def _row(host: Host, found: list[str] | None) -> dict[str, Any]:
    from ..hosts import inventory

    provisioner = host.provisioner.name if host.provisioner else None
    return {**inventory.describe(host), "bmc": host.bmc.name, "provisioner": provisioner, "in_the_way": found}


#: For the application.
COMMANDS: dict[str, Any] = {"power": Power, "status": Status, "inventory": CheckInventory}
