"""What our commands share: the configuration, the database, the two clouds."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from cliff.command import Command as CliffCommand

from .. import human
from ..errors import UsageError

if TYPE_CHECKING:
    from ..clouds.cloud import Cloud
    from ..config import Config
    from ..hosts.inventory import Host
    from ..store import Migration, Store


class Command(CliffCommand):
    """A command of ours."""

    #: What stands below the options in its help.
    notes = ""

    def get_epilog(self) -> str:
        """Our own; cliff would read the metadata of every installed package for it."""
        return self.notes

    def say(self, line: str) -> None:
        """What happens now, for people; not with --quiet."""
        if not self.app.options.quiet:
            print(human.clean(line), file=sys.stderr)

    def config(self) -> Config:
        """The configuration that ``--config`` or the search order names."""
        from .. import config

        return config.load(self.app.options.config)

    @contextlib.contextmanager
    def store(self, config: Config | None = None) -> Iterator[Store]:
        """Our own database, closed in the end."""
        from ..store import Store

        with Store.open((config or self.config()).database) as store:
            yield store

    @contextlib.contextmanager
    def clouds(self, config: Config, workers: int) -> Iterator[tuple[Cloud, Cloud]]:
        """Source and destination, closed in the end."""
        from ..clouds.cloud import Cloud

        with contextlib.ExitStack() as stack:
            opened = []
            for role in ("source", "destination"):
                cloud = Cloud.open(role, config.clouds[role], workers)
                stack.callback(cloud.close)
                opened.append(cloud)
            yield opened[0], opened[1]


def add_format(parser: argparse.ArgumentParser, *formats: str) -> None:
    """Add ``-f``; the first of the formats is the default."""
    parser.add_argument(
        "-f",
        "--format",
        choices=formats,
        default=formats[0],
        help=f"how the result is written (default: {formats[0]})",
    )


def add_inventory(parser: argparse.ArgumentParser) -> None:
    """The option that names the inventory."""
    parser.add_argument(
        "--inventory",
        metavar="FILE",
        help="default: $PUMPHOUSE_INVENTORY, or inventory.yaml beside the configuration",
    )


def hosts_of(parsed_args: argparse.Namespace, config: Config) -> Callable[[str], Host]:
    """What finds a machine in the inventory; the file is read no sooner than one is asked for."""
    from ..hosts import inventory

    return inventory.finder(parsed_args.inventory, config.path)


def add_migration(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names a migration."""
    parser.add_argument("id", metavar="ID", type=int, help="the migration; see pumphouse list")


def find_migration(store: Store, migration_id: int) -> Migration:
    """The migration with this id. Raises UsageError, naming those that exist."""
    found = store.migration(migration_id)
    if found is None:
        known = [str(row.id) for row in store.history()][-10:]
        hint = f"there are {', '.join(known)}" if known else "none has been started yet"
        raise UsageError(f"migration {migration_id} is not known; {hint} (pumphouse list)")
    return found


def dump(data: Any, format: str, stream: TextIO | None = None) -> None:
    """Write data as JSON or YAML, for programs."""
    stream = stream or sys.stdout
    if format == "yaml":
        import yaml

        yaml.safe_dump(data, stream, allow_unicode=True, sort_keys=False)
    else:
        json.dump(data, stream, indent=2, ensure_ascii=False)
        stream.write("\n")


@contextlib.contextmanager
def output(path: str | None) -> Iterator[TextIO]:
    """A file to write to, for its owner alone as it names a tenant's resources; stdout without a path."""
    if path is None:
        yield sys.stdout
        return
    target = Path(path)
    try:
        target.touch(mode=0o600)
        stream = target.open("w", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    with stream:
        yield stream
