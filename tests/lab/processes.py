"""The processes the lab has started: recorded in files, so that a later command finds and ends them.

A record holds the pid with its start time, so that a pid that was given to somebody else since is not
taken for ours, and a random mark which the process and its children carry in their environment.
Nothing is ever looked for by name.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

#: The environment variable that holds a record's mark.
MARK = "PUMPHOUSE_LAB_MARK"
#: Seconds within which what is killed is gone.
DYING = 10


@dataclass(frozen=True)
class Record:
    """One started process."""

    #: Its pid, which is its session's id too; 0 if we died before we learned it.
    pid: int
    #: Clock ticks from the machine's boot to the process's start (proc(5), stat, field 22).
    born: int
    #: The machine's boot: start times count from it.
    boot: str
    mark: str
    log: str
    #: When it was started, seconds since the epoch.
    started: float


@dataclass(frozen=True)
class Living:
    """What /proc tells of a running process."""

    pid: int
    session: int
    born: int
    mark: str


def boot_id() -> str:
    """The kernel's name for this boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def look_up(pid: int, *, with_mark: bool = True) -> Living | None:
    """The process with this pid, or None when there is none or it is only waiting to be reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    if fields[0] in "ZX":
        return None
    mark = ""
    if with_mark:
        with suppress(OSError):
            variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            start = f"{MARK}=".encode()
            mark = next((v[len(start) :].decode() for v in variables if v.startswith(start)), "")
    return Living(pid, session=int(fields[3]), born=int(fields[19]), mark=mark)


def everything() -> list[Living]:
    """All running processes of the machine."""
    pids = (int(entry) for entry in os.listdir("/proc") if entry.isdigit())  # noqa: PTH208
    return [living for pid in pids if (living := look_up(pid))]


def is_leader(record: Record, living: Living | None) -> bool:
    """Whether the process is the one that was recorded, and not a later one with the same pid."""
    return living is not None and (living.pid, living.born, boot_id()) == (
        record.pid,
        record.born,
        record.boot,
    )


def members(record: Record, table: Iterable[Living]) -> list[Living]:
    """The record's process and its descendants: those in its session, and those that carry its mark."""
    table = list(table)
    led = any(is_leader(record, living) for living in table)
    return [living for living in table if living.mark == record.mark or (led and living.session == record.pid)]


def send(living: Living, number: signal.Signals) -> None:
    """Signal exactly this process: the descriptor is held while its start time is compared."""
    try:
        descriptor = os.pidfd_open(living.pid)
    except ProcessLookupError:
        return
    try:
        now = look_up(living.pid, with_mark=False)
        if now and now.born == living.born:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, number)
    finally:
        os.close(descriptor)


class Processes:
    """The records in one directory, `NAME.process` each."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._children: list[subprocess.Popen[bytes]] = []

    def _path(self, name: str) -> Path:
        return self.directory / f"{name}.process"

    def names(self) -> list[str]:
        """Everything recorded, running or not."""
        return sorted(path.stem for path in self.directory.glob("*.process"))

    def record(self, name: str) -> Record | None:
        """What is recorded under this name; an unreadable record counts as none."""
        try:
            return Record(**json.loads(self._path(name).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def running(self, name: str) -> Record | None:
        """The record, if its process runs."""
        record = self.record(name)
        if record and is_leader(record, look_up(record.pid, with_mark=False)):
            return record
        return None

    def dead(self) -> list[str]:
        """The recorded ones that do not run any more."""
        return [name for name in self.names() if not self.running(name)]

    def start(self, name: str, command: Sequence[str | Path], environment: Mapping[str, str], log: Path) -> bool:
        """Start a process in a session of its own, unless it runs already; say whether it was started.

        The record is written before the process and completed after it, so that an end of ours in
        between loses nothing: the mark is enough to find it.
        """
        if self.running(name):
            return False
        self.stop([name])
        self.directory.mkdir(parents=True, exist_ok=True)
        log.parent.mkdir(parents=True, exist_ok=True)
        mark = secrets.token_hex(12)
        self._write(name, Record(0, 0, boot_id(), mark, str(log), time.time()))
        with log.open("ab") as output:
            child = subprocess.Popen(
                [str(word) for word in command],
                env={**environment, MARK: mark},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                start_new_session=True,
            )
        self._children.append(child)
        living = look_up(child.pid, with_mark=False)
        born = living.born if living else 0
        self._write(name, Record(child.pid, born, boot_id(), mark, str(log), time.time()))
        return True

    def _write(self, name: str, record: Record) -> None:
        fresh = self._path(name).with_suffix(".new")
        fresh.write_text(json.dumps(asdict(record)))
        fresh.replace(self._path(name))

    def stop(self, names: Iterable[str], grace: float = 6) -> None:
        """End these processes with all their descendants, and forget them.

        They are asked to (SIGTERM) and given `grace` seconds, then made to (SIGKILL), and are gone when this returns.
        """
        records = {name: record for name in names if (record := self.record(name))}
        # one look at the leaders now: later their sessions are known by their members only
        left = self._living(records.values())
        if grace:
            for living in left:
                send(living, signal.SIGTERM)
            end = time.monotonic() + grace
            while left and time.monotonic() < end:
                time.sleep(0.05)
                left = self._still(left)
        # The kernel takes its time, and who is killed may have made another one just before.
        end = time.monotonic() + DYING
        while (left := self._still(left) + self._living(records.values())) and time.monotonic() < end:
            for living in left:
                send(living, signal.SIGKILL)
            time.sleep(0.02)
        for name in records:
            self._path(name).unlink(missing_ok=True)

    @staticmethod
    def _living(records: Iterable[Record]) -> list[Living]:
        table = everything()
        return [living for record in records for living in members(record, table)]

    def _still(self, before: Iterable[Living]) -> list[Living]:
        self._children = [child for child in self._children if child.poll() is None]
        now = [(living, look_up(living.pid, with_mark=False)) for living in before]
        return [living for living, seen in now if seen and seen.born == living.born]
