"""``pumphouse demo``: two embedded clouds with a tenant in the old one, to try the page and the commands on."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from . import command, running

if TYPE_CHECKING:
    from ..embedded.process import Pair
    from .demo_page import Page

#: Seconds that a server, a snapshot, a volume or an image takes: enough to be seen, and to be interrupted.
DELAYS = {"server": 1.0, "snapshot": 0.5, "volume": 0.5, "image": 0.2}
#: What is told to be tried, and why.
TO_TRY = {
    "pumphouse check": "is everything reached?",
    "pumphouse migrate --tenant acme --dry-run": "what would be done, and why",
    "pumphouse migrate --tenant acme": "the move; stop it half-way if you like",
    "pumphouse resume": "goes on from there",
    "python -m pumphouse.embedded.demo prove": "its people log in with their old passwords",
    "pumphouse report 1 -f html -o acme.html": "field by field, with checksums",
    "pumphouse verify 1": "reads all of it again from both clouds, and compares",
    "pumphouse rollback 1": "all of it back to where it was",
}


class Demo(command.Command):
    """Run two clouds and the service in this process's care, with a tenant to move; they are gone when it ends."""

    notes = (
        "Nothing but this package is needed: the clouds are processes on this machine that speak OpenStack's APIs"
        " (docs/embedded.md). Exit code: 0, or that of the command of --run"
    )

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        from ..embedded.demo import SIZES

        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--size",
            choices=SIZES,
            default=SIZES[0],
            help="large: some 400 servers, 100 volumes, 20 networks, 50 people (default: small)",
        )
        parser.add_argument(
            "--directory", metavar="DIR", type=Path, help="where all is kept, and stays (default: a temporary one)"
        )
        parser.add_argument("--run", metavar="COMMAND", help="run this in a shell that finds the clouds, then end")
        parser.add_argument("--stay", action="store_true", help="do not end after the command of --run")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Start, fill, tell, wait."""
        from ..embedded.process import start_pair
        from .demo_page import open_page

        stop = threading.Event()

        def step(line: str) -> None:
            # Only between two steps: what is begun is known, and so nothing of it stays.
            if stop.is_set():
                raise KeyboardInterrupt
            self.say(line)

        with running.Stopper(stop).installed(), _directory(parsed_args.directory) as directory:
            step("Starting two clouds")
            with start_pair(directory) as pair:
                domain, code = _fill(pair, parsed_args.size, step), 0
                if parsed_args.run:
                    code = _run(parsed_args.run, pair)
                    if not parsed_args.stay or stop.is_set():
                        return code
                step("Starting the service")
                with open_page(pair.config, _environment(pair), directory / "service.log") as page:
                    print(_told(pair, page, domain, parsed_args.directory), flush=True)
                    stop.wait()
                    self.say("Ending")
        return code


def _fill(pair: Pair, size: str, step: Callable[[str], None]) -> str:
    """Make the tenant in the old cloud; its domain's name."""
    from ..embedded import demo
    from ..embedded.demo.account import operator

    step("Filling the old one")
    os.environ["OS_CLIENT_CONFIG_FILE"] = str(pair.clouds_file)
    domain = demo.fill(operator("src"), operator("dst"), size, say=lambda line: step(f"  {line}"))
    for cloud in (pair.source, pair.destination):
        cloud.control("POST", "delays", DELAYS)
    return domain


@contextlib.contextmanager
def _directory(given: Path | None) -> Iterator[Path]:
    """The one that was named, or one that vanishes."""
    if given is None:
        with tempfile.TemporaryDirectory(prefix="pumphouse-demo-") as made:
            yield Path(made)
        return
    if given.exists() and any(given.iterdir()):
        raise UsageError(f"{given} is not empty: name another directory")
    yield given.absolute()


def _environment(pair: Pair) -> dict[str, str]:
    """What leads the other commands to the clouds."""
    return {"OS_CLIENT_CONFIG_FILE": str(pair.clouds_file), "PUMPHOUSE_CONFIG": str(pair.config)}


def _run(line: str, pair: Pair) -> int:
    """Run a command line, which gets Ctrl-C itself; its exit code."""
    done = subprocess.run(line, shell=True, env={**os.environ, **_environment(pair)}, check=False)  # noqa: S602
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


def _told(pair: Pair, page: Page, domain: str, stays: Path | None) -> str:
    """What there is, and what to try."""
    exports = [f"export {name}={shlex.quote(value)}" for name, value in _environment(pair).items()]
    if not _is_found():
        exports.append(f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH")
    widest = max(map(len, TO_TRY))
    lines = [f"{line:<{widest}}  # {why}" for line, why in TO_TRY.items()]
    clouds = [f"  {cloud.name}  {cloud.release:8} {cloud.auth_url}" for cloud in (pair.source, pair.destination)]
    after = f"what was in them stays in {stays}" if stays else "nothing of them stays"
    return "\n".join(
        [
            f"Two clouds are running; in src is the tenant acme, in the domain {domain}:",
            *clouds,
            "",
            "The page, where a tenant is dragged to its new cloud:",
            f"  {page.url}",
            f"  log in with  {page.token}",
            "",
            "To try in another terminal:",
            *(f"  {line}" for line in (*exports, *lines)),
            "",
            f"Ctrl-C here ends the clouds; {after}.",
        ]
    )


def _is_found() -> bool:
    """Whether the commands of this installation are on the path."""
    found = shutil.which("pumphouse")
    return found is not None and Path(found).parent.samefile(Path(sys.executable).parent)
