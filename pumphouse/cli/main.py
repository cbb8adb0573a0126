"""``pumphouse``: global options, finding the command, and telling in one line what went wrong."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib.metadata
import os
import sys
import traceback
from collections.abc import Iterable, Mapping
from typing import Any

from cliff import _argparse, help
from cliff.app import App
from cliff.commandmanager import CommandManager

from .. import logs
from ..errors import PumphouseError, UsageError
from . import remedies

DESCRIPTION = "Moves tenants, whole, from an old OpenStack cloud to a new one."

#: Exit codes beside those of the errors: see docs/cli.md.
FAILED, INTERRUPTED, BROKEN_PIPE = 1, 130, 141


class Commands(CommandManager):
    """The commands named in the package's metadata; each is imported only when it is used."""

    def load_commands(self, namespace: str) -> None:
        """Take the entry points of a group as they are."""
        for entry in importlib.metadata.entry_points(group=namespace):
            self.commands[entry.name] = entry


class Help(help.HelpCommand):
    """Print help about a command."""

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """The help of one command, or of all."""
        if not parsed_args.cmd:
            self.app.print_commands()  # type: ignore[attr-defined]
            return 0
        factory, name, _rest = self.app.find(parsed_args.cmd)  # type: ignore[attr-defined]
        factory(self.app, self.app_args).get_parser(f"{self.app.NAME} {name}").print_help(self.app.stdout)
        return 0

    def get_epilog(self) -> str:
        """Nothing: cliff would read the metadata of every installed package for it."""
        return ""


class Version(argparse.Action):
    """Print the version; read from the metadata only when asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> None:
        """Print and exit."""
        print(f"pumphouse {importlib.metadata.version('pumphouse')}")
        parser.exit()


class Pumphouse(App):
    """The application; also what our other programs are made of."""

    NAME = "pumphouse"
    #: What is told who does not know how to begin.
    BEGIN = "pumphouse check; pumphouse migrate --tenant NAME --dry-run"
    #: Name -> command, of a program that names its own; else they are found by entry points.
    COMMANDS: Mapping[str, type] = {}

    def __init__(self) -> None:
        """Find the commands; import none."""
        super().__init__(DESCRIPTION, None, Commands(f"{self.NAME}.cli"), deferred_help=True)
        for name, factory in {**self.COMMANDS, "help": Help}.items():
            self.command_manager.add_command(name, factory)

    def build_option_parser(
        self,
        description: str | None,
        version: str | None,
        argparse_kwargs: dict[str, Any] | None = None,
    ) -> argparse.ArgumentParser:
        """The global options. They are found before and after the command."""
        parser = _argparse.ArgumentParser(
            prog=self.NAME,
            description=description,
            usage="%(prog)s [--config FILE] [-v | -q] COMMAND ...",
            add_help=False,
            allow_abbrev=False,
            **(argparse_kwargs or {}),
        )
        parser.add_argument("-h", "--help", dest="deferred_help", action="store_true", help="show this help")
        parser.add_argument("--version", action=Version, nargs=0, help="show the version")
        parser.add_argument("--config", metavar="FILE", help="the configuration (see docs/configuration.md)")
        volume = parser.add_mutually_exclusive_group()
        volume.add_argument("-v", "--verbose", action="store_true", help="show what is done in more detail")
        volume.add_argument("-q", "--quiet", action="store_true", help="show results and errors only")
        parser.add_argument("--debug", action="store_true", help="show requests, and tracebacks of errors")
        return parser

    def run(self, argv: list[str]) -> int:
        """Parse, run the command, return its exit code. Errors are left to :func:`main`."""
        self.options, rest = self.parser.parse_known_args(argv)
        logs.set_up(verbose=self.options.verbose, debug=self.options.debug)
        if not rest:
            self.print_commands()
            return 0
        if rest[0].startswith("-"):
            raise UsageError(f"{rest[0]} is no global option; name the command first (pumphouse --help)")
        factory, name, arguments = self.find(rest)
        parser = factory(self, self.options).get_parser(f"{self.NAME} {name}")
        if self.options.deferred_help:
            parser.print_help(self.stdout)
            return 0
        return factory(self, self.options).run(parser.parse_args(arguments)) or 0

    def find(self, argv: list[str]) -> tuple[type, str, list[str]]:
        """The command that the arguments begin with, its name, and the rest of them."""
        try:
            return self.command_manager.find_command(argv)
        except ValueError as error:
            names = sorted(name for name, _ in self.command_manager)
            near = difflib.get_close_matches(argv[0], names, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            raise UsageError(f"{argv[0]} is not a command; {hint}") from error

    def print_commands(self) -> None:
        """The global options and one line per command."""
        self.parser.print_help(self.stdout)
        self.stdout.write("\ncommands:\n")
        for name, entry in sorted(self.command_manager):
            first = (entry.load().__doc__ or "").strip().splitlines()[:1]
            self.stdout.write(f"  {name:<14}{''.join(first).rstrip('.')}\n")
        self.stdout.write(f"\nBegin with: {self.BEGIN}\n")


def main(argv: list[str] | None = None, program: type[Pumphouse] = Pumphouse) -> int:
    """Run the command line; a failure is one line on stderr, unless ``--debug`` asks for its traceback."""
    arguments = sys.argv[1:] if argv is None else argv
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        code = program().run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        complain("interrupted", program.NAME)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; nothing more is to be written, by the interpreter's exit neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception as error:
        return explain(error, debug="--debug" in arguments, program=program.NAME)
    return code


def explain(error: Exception, *, debug: bool, program: str = Pumphouse.NAME) -> int:
    """Tell in one line what went wrong; returns the exit code that goes with it."""
    if debug:
        complain("".join(traceback.format_exception(error)).rstrip(), program)
    if isinstance(error, PumphouseError):
        complain(remedies.told(error), program)
        return error.exit_code
    if (line := _client_error(error)) is not None:
        complain(line, program)
    else:
        what = f"{type(error).__name__}: {error}"
        complain(f"an error of Pumphouse itself: {what}; run again with --debug for the traceback", program)
    return FAILED


def complain(text: str, program: str = Pumphouse.NAME) -> None:
    """Write to stderr, without secrets; one line unless it is a traceback."""
    safe = logs.redact(text)
    if not safe.startswith("Traceback"):
        safe = f"{program}: {' '.join(safe.split())}"
    print(safe, file=sys.stderr)


#: Packages whose exceptions speak of a cloud or of the network, not of a fault in our code.
CLIENTS: Iterable[str] = (
    "keystoneauth1",
    "keystoneclient",
    "glanceclient",
    "novaclient",
    "cinderclient",
    "openstack",
    "requests",
    "urllib3",
)


def _client_error(error: Exception) -> str | None:
    """One line for an exception of a client library; None for any other."""
    if not any(kind.__module__.partition(".")[0] in CLIENTS for kind in type(error).__mro__):
        return None
    from ..clouds import errors

    return errors.explain(error)


if __name__ == "__main__":
    sys.exit(main())
