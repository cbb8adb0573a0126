"""Two embedded clouds with a tenant that has everything, which can be put back to where they were."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import signal
import sqlite3
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pumphouse.embedded.process import start_pair
from pumphouse.store import claims
from tests.acceptance import every_field, everything
from tests.acceptance.clouds import Account, operator
from tests.acceptance.disks import Disk
from tests.acceptance.everything.reasons import FIXED, OF_THE_SERVICE
from tests.chaos.injections import Injection, Points

PREFIX = "chaos0x"
#: How often a run is resumed before it counts as lost, and the seconds that each may take.
RESUMES, PATIENCE = 4, 120
#: Of these, the bytes.
WITH_BYTES = ("image", "volume", "server")
Photograph = dict[str, Any]


@dataclasses.dataclass
class Outcome:
    """How one run went."""

    injection: Injection
    #: What is not as after an undisturbed run; empty: it survived.
    problems: list[str]
    #: How often it was resumed.
    resumed: int
    #: How many faults struck; of a killed run, 1.
    struck: int
    seconds: float
    said: str = ""


class World:
    """The clouds, our database, and what an undisturbed run makes of them."""

    def __init__(self, directory: Path) -> None:
        """``directory``: everything is below it."""
        self.directory = directory
        self.pair = start_pair(directory)
        os.environ["OS_CLIENT_CONFIG_FILE"] = str(self.pair.clouds_file)
        self.clouds = {"source": self.pair.source, "destination": self.pair.destination}
        self.accounts: dict[str, Account] = {"source": operator("src"), "destination": operator("dst")}
        self.database = directory / "pumphouse.sqlite"
        self.log = directory / "said.log"
        self.tenant = everything.build(*self.accounts.values(), PREFIX, say=lambda _: None)
        below = self._run(Injection(), "migrate", "--tenant", self.tenant.id("project", "flipped"), "--yes")
        assert below.code == 0, self.log.read_text()
        self.options = ["migrate", *everything.chosen(self.tenant), "--yes"]
        self._save()
        first = self._undisturbed()
        #: What each cloud's photograph shows, but for what differs from run to run.
        self.volatile: set[tuple[str, str, str]] = set()
        self.expected = self._undisturbed()
        self.volatile = _differing(first, self.expected)

    def close(self) -> None:
        """Stop the clouds."""
        self.pair.stop()

    def __enter__(self) -> World:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def run(self, injection: Injection) -> Outcome:
        """Disturb one migration, resume it until it is done, and compare."""
        began = time.monotonic()
        self.restore()
        for role, cloud in self.clouds.items():
            cloud.control("POST", "faults", [fault for where, fault in injection.faults if where == role])
        done = self._run(injection, *self.options)
        struck = sum(entry["struck"] for cloud in self.clouds.values() for entry in cloud.control("GET", "faults"))
        for cloud in self.clouds.values():
            cloud.control("POST", "faults", [])
        resumed, killed = 0, done.killed
        while done.code != 0 and resumed < RESUMES:
            resumed += 1
            # Killed before the migration was in the database: there is nothing to go on with.
            options = ["resume", str(self.number)] if self.units() else self.options
            done = self._run(Injection(), *options)
        problems = [] if done.code == 0 else [f"exit code {done.code} after {resumed} resumes"]
        problems += self.compare()
        said = self.log.read_text() if problems else ""
        return Outcome(injection, problems, resumed, struck + killed, time.monotonic() - began, said)

    def _undisturbed(self) -> Photograph:
        self.restore()
        done = self._run(Injection(), *self.options)
        assert done.code == 0, self.log.read_text()
        #: The points that it passed, and the requests that each cloud got.
        self.points = done.points
        self.requests = {role: sum(cloud.control("GET", "requests").values()) for role, cloud in self.clouds.items()}
        return self._photograph()

    # -- where they were ------------------------------------------------------------------------------------
    def _save(self) -> None:
        for cloud in self.clouds.values():
            cloud.control("POST", "save/begin")
        shutil.copy(self.database, self.directory / "begin.sqlite")
        self.number = 2

    def restore(self) -> None:
        """Both clouds, and our database, as they were before the migration."""
        for cloud in self.clouds.values():
            cloud.control("POST", "restore/begin")
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.database}{suffix}").unlink(missing_ok=True)
        shutil.copy(self.directory / "begin.sqlite", self.database)
        self.log.unlink(missing_ok=True)

    # -- the command ----------------------------------------------------------------------------------------
    def _run(self, injection: Injection, *arguments: str) -> Ended:
        return self.start(injection, *arguments).wait()

    def start(self, injection: Injection, *arguments: str, lease: float | None = None) -> Child:
        """Begin a command in a child process, which has everything imported already.

        ``lease``: seconds that its claims hold.
        """
        from pumphouse.cli import main

        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            self._be_the_command(main.main, injection, arguments, writing, lease)
        os.close(writing)
        return Child(child, injection, reading)

    def _be_the_command(
        self, command: Any, injection: Injection, arguments: tuple[str, ...], writing: int, lease: float | None
    ) -> None:
        code = 99
        try:
            with self.log.open("a") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            if lease is not None:
                claims.LEASE, claims.RENEW = lease, lease / 4
            points = Points(injection)
            points.install()
            code = command(["--config", str(self.pair.config), *arguments])
            sys.stdout.flush()
            with os.fdopen(writing, "w") as stream:
                json.dump(points.passed, stream)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def units(self) -> dict[str, str]:
        """The states of the migration's units, once it is in the database."""
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            query = "SELECT name, state FROM units WHERE migration_id = ?"
            return dict(connection.execute(query, (self.number,)).fetchall())

    # -- comparing ------------------------------------------------------------------------------------------
    def _photograph(self) -> Photograph:
        """(cloud, type, key) -> fields by the names of what they refer to, and a digest of the bytes."""
        shown: Photograph = {}
        for role, account in self.accounts.items():
            side = every_field.Side(account, PREFIX)
            for type_, seen in side.seen.items():
                fixed = {*OF_THE_SERVICE, *FIXED.get(type_, ())}
                for id_, (key, thing) in seen.items():
                    if str(thing.get("device_owner")).startswith("network:"):
                        # A service's own port: its MAC is another each time.
                        key, thing = f"{thing['device_owner']} in {thing['network_id']}", {**thing, "mac_address": ""}
                    fields = {name: value for name, value in thing.items() if name not in fixed}
                    if type_ in WITH_BYTES:
                        fields["(bytes)"] = self._bytes(role, type_, id_)
                    shown.setdefault((role, type_, key), []).append(fields)
        return shown

    def _bytes(self, role: str, type_: str, id_: str) -> Any:
        path = self.clouds[role].control("GET", f"blobs/{type_}/{id_}")["path"]
        if not path:
            return None
        disk = Disk(Path(path))
        return [disk.size, sorted(disk.blocks.items())]

    def compare(self) -> list[str]:
        """What is not as after an undisturbed run."""
        seen = self._photograph()
        problems = [
            f"{' '.join(key)}: {len(seen.get(key, ()))} in place of {len(self.expected.get(key, ()))}"
            for key in sorted(seen.keys() | self.expected.keys())
            if len(seen.get(key, ())) != len(self.expected.get(key, ()))
        ]
        for role, type_, field in sorted(_differing(seen, self.expected) - self.volatile):
            problems.append(f"{role} {type_}: {field} differs")
        return problems + self._left()

    def _left(self) -> Iterator[str] | list[str]:
        """What our database says is still to be removed, or is half made."""
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            counts = {
                "temporary things": "SELECT COUNT(*) FROM temporaries",
                "logbooks": "SELECT COUNT(*) FROM logbooks",
                "tasks": "SELECT COUNT(*) FROM atomdetails",
                "things being made": "SELECT COUNT(*) FROM notes WHERE kind = 'making'",
                "claimed units": "SELECT COUNT(*) FROM units WHERE lease IS NOT NULL",
            }
            found = {what: connection.execute(query).fetchall()[0][0] for what, query in counts.items()}
        return [f"{number} {what} left in the database" for what, number in found.items() if number]


@dataclasses.dataclass
class Ended:
    """A command that has ended."""

    code: int
    points: Counter[str]
    killed: bool


class Child:
    """A command that runs."""

    def __init__(self, pid: int, injection: Injection, reading: int) -> None:
        self.pid, self.injection, self._reading = pid, injection, reading

    def signal(self, number: int) -> None:
        """Kill it, stop it, let it go on."""
        os.kill(self.pid, number)

    def wait(self) -> Ended:
        """Its end; after PATIENCE seconds by force."""
        deadline = time.monotonic() + PATIENCE
        while (ended := os.waitpid(self.pid, os.WNOHANG))[0] == 0:
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
            time.sleep(0.02)
        with os.fdopen(self._reading) as stream:
            told = stream.read()
        code = os.waitstatus_to_exitcode(ended[1])
        return Ended(
            code,
            Counter(json.loads(told)) if told else Counter(),
            bool(self.injection.point) and code == -signal.SIGKILL,
        )


def _differing(one: Photograph, other: Photograph) -> set[tuple[str, str, str]]:
    """(cloud, type, field) in which things of one key differ."""
    found = set()
    for key in one.keys() & other.keys():
        for mine, yours in zip(_sorted(one[key]), _sorted(other[key]), strict=False):
            found |= {(*key[:2], name) for name in mine.keys() | yours.keys() if mine.get(name) != yours.get(name)}
    return found


def _sorted(things: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(things, key=lambda thing: json.dumps(thing, sort_keys=True, default=str))
