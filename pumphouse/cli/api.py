"""``pumphouse-api``: the service, and the tokens for it."""

from __future__ import annotations

import argparse
import dataclasses
import getpass
import logging
import os
import re
import sys
import time
from typing import TYPE_CHECKING, Any

from .. import human, logs
from ..errors import UsageError
from ..store.access import ROLES
from . import command, text
from .main import Pumphouse
from .main import main as run

if TYPE_CHECKING:
    from ..config import Config
    from ..store import Store

#: Seconds of what ``--expires`` counts in.
UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


class Serve(command.Command):
    """Run the service: the API, the page, and an engine."""

    notes = "Ctrl-C or SIGTERM ends it; what runs is given api.shutdown_seconds, and the next start goes on with it."

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("--host", metavar="ADDRESS", help="where to listen (default: api.host, or 127.0.0.1)")
        parser.add_argument("--port", type=int, help="0: any that is free (default: api.port, or 8086)")
        parser.add_argument(
            "--no-engine", dest="engine", action="store_false", help="only answer; engines run elsewhere"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Run until it is told to end."""
        from ..api import server

        with server.counting_together():
            return self._serve(parsed_args)

    def _serve(self, parsed_args: argparse.Namespace) -> int:
        from ..api import server

        config = self.config()
        given = {name: value for name in ("host", "port") if (value := getattr(parsed_args, name)) is not None}
        config = dataclasses.replace(config, api=dataclasses.replace(config.api, **given))
        _check_clouds(config)
        listener = server.listen(config.api.host, config.api.port)
        with self.store(config) as store:
            any_token = any(not token.revoked for token in _tokens(store))
        self._set_up_logs()
        self.say(f"Pumphouse listens at {server.url_of(listener)}")
        if not config.api.trust_proxy and not server.is_loopback(listener):
            self.say(
                "without https, tokens can be read on their way: put a proxy in front that has it (api.trust_proxy)"
            )
        if not any_token:
            self.say("nobody can log in yet: pumphouse-api token create --name NAME --role admin")
        return server.serve(config, listener, parsed_args.engine)

    def _set_up_logs(self) -> None:
        """A line for each request, with the time, but with --quiet."""
        options = self.app.options
        logs.set_up(verbose=not options.quiet, debug=options.debug)
        for handler in logging.getLogger().handlers:
            handler.setFormatter(logs.SafeFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))


class CreateToken(command.Command):
    """Make a token, and print it: it is shown this once."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("--name", required=True, help="whose it is, or what it is for")
        parser.add_argument("--role", required=True, choices=ROLES, help="what may be done with it")
        parser.add_argument("--expires", metavar="TIME", help="when it ends: 90m, 12h, 30d, 4w (default: never)")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Make it."""
        from ..store import access, models

        name = parsed_args.name
        if not name.strip() or not name.isprintable() or len(name) > 120:
            raise UsageError("--name: allowed are 1 to 120 printable characters")
        expires = None if parsed_args.expires is None else time.time() + seconds(parsed_args.expires)
        with self.store() as store:
            token, proof = access.create_token(store, name[: models.ACTOR], parsed_args.role, expires)
            _record(store, "token.create", token.key, name=token.name, granted=token.role, expires=token.expires)
        self.say(f"token {token.key} of {token.name!r} ({token.role}); keep what follows, it cannot be shown again")
        print(proof)
        return 0


class ListTokens(command.Command):
    """List the tokens, without their secrets."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        command.add_format(parser, "table", "json", "yaml")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Print one line for each."""
        with self.store() as store:
            rows = _tokens(store)
        if parsed_args.format != "table":
            command.dump([dataclasses.asdict(row) for row in rows], parsed_args.format)
        elif not rows:
            print("There is no token yet: pumphouse-api token create --name NAME --role admin", file=sys.stderr)
        else:
            headings = ("key", "name", "role", "created", "used", "state")
            text.console().print(text.table(headings, map(_line, rows), fixed=("key", "created", "used")))
        return 0


class RevokeToken(command.Command):
    """Make a token worthless, and end the sessions that were begun with it."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("key", metavar="KEY", help="see pumphouse-api token list")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Revoke it."""
        from ..store import access

        with self.store() as store:
            if not access.revoke_token(store, parsed_args.key):
                raise UsageError(f"there is no token {parsed_args.key!r}; see pumphouse-api token list")
            _record(store, "token.revoke", parsed_args.key)
        self.say(f"token {parsed_args.key} is revoked")
        return 0


class OpenAPI(command.Command):
    """Print the OpenAPI document of the API."""

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        """Print it; neither a configuration nor a database is needed."""
        from ..api.openapi import document

        command.dump(document(), "json")
        return 0


class Service(Pumphouse):
    """The application."""

    NAME = "pumphouse-api"
    BEGIN = "pumphouse-api token create --name me --role admin; pumphouse-api serve"
    COMMANDS: dict[str, Any] = {
        "serve": Serve,
        "token create": CreateToken,
        "token list": ListTokens,
        "token revoke": RevokeToken,
        "openapi": OpenAPI,
    }


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see ``cli.main``."""
    return run(argv, Service)


def seconds(given: str) -> float:
    """How long ``30d`` is. Raises UsageError."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})([mhdw])", given)
    if found is None:
        raise UsageError(f"--expires: {given!r} is no time; allowed are 90m, 12h, 30d, 4w and the like")
    return int(found[1]) * UNITS[found[2]]


def _check_clouds(config: Config) -> None:
    """That both are described: no request is made. Raises ConfigError."""
    from ..clouds.cloud import Cloud

    for role, cloud in config.clouds.items():
        Cloud.open(role, cloud).close()


def _tokens(store: Store) -> list[Any]:
    from ..store import access

    return access.tokens(store)


def _record(store: Store, action: str, key: str, **data: Any) -> None:
    """As the API does, of who has a shell here."""
    from ..api.identity import Identity, record

    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = f"user {os.getuid()}"
    record(store, Identity(name, "admin", "command", "local"), action, f"token {key}", **data)


def _line(token: Any) -> tuple[object, ...]:
    now = time.time()
    if token.revoked:
        state = f"revoked {human.moment(token.revoked)}"
    elif token.expires and token.expires <= now:
        state = f"expired {human.moment(token.expires)}"
    else:
        state = f"valid until {human.moment(token.expires)}" if token.expires else "valid"
    used = human.moment(token.used) if token.used else "never"
    return token.key, human.short(token.name), token.role, human.moment(token.created), used, state


if __name__ == "__main__":
    sys.exit(main())
