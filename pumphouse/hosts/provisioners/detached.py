"""A program that runs on without us, and whose end is known to whoever asks later.

Between us and the program stands a keeper: a process of its own session that waits for the program, kills it at its
deadline, and writes down how it ended. The keeper holds a lock as long as it lives: the lock, not a number of a
process, tells whether it runs. Files in the directory, for their owner alone:

- ``NAME.lock``  locked by the keeper, and shortly by who starts one
- ``NAME.json``  pids of keeper and program, each with its start: to end them
- ``NAME.log``   what the program writes
- ``NAME.end``   how it ended; not there while it runs
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pumphouse.hosts import processes

#: Seconds that a program is given to end by itself, when it is told to.
GRACE = 10.0
#: Seconds after which whoever only looks whether the lock is free has given it back.
LOOK = 2.0
#: Bytes of a log that are looked at, from its end.
LOG = 1024 * 1024


@dataclass(frozen=True)
class End:
    """How a program ended."""

    #: Its exit code, negative for a signal.
    code: int
    #: Why it was ended, if it was.
    why: str = ""


class Job:
    """The program of one name, running or not; any process may ask."""

    def __init__(self, directory: Path, name: str) -> None:
        """Nothing is made before it starts."""
        self.directory = directory
        self.log = directory / f"{name}.log"
        self._lock, self._state, self._end = (directory / f"{name}.{kind}" for kind in ("lock", "json", "end"))

    def start(self, program: Sequence[str], given: Mapping[str, Any], deadline: float) -> None:
        """Start it with ``given`` on its stdin, unless it runs. Raises OSError where the directory cannot be used."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not _locked(lock, fcntl.LOCK_EX, LOOK):
                return
            self._kill_orphan()
            self._clear()
            with processes.as_stdin(given) as stdin:
                self._start_keeper(program, stdin.fileno(), lock, deadline)
        finally:
            # Not unlocked: the keeper has the same lock by inheritance.
            os.close(lock)

    def _start_keeper(self, program: Sequence[str], stdin: int, lock: int, deadline: float) -> None:
        command, env = processes.own_module(__name__)
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            keeper = subprocess.Popen(  # noqa: S603 (a list, no shell)
                [*command, str(self._state), str(self._end), str(deadline), str(lock), *program],
                stdin=stdin, stdout=log, stderr=log, env=env, pass_fds=(lock,), start_new_session=True,
            )  # fmt: skip
        finally:
            os.close(log)
        # It is nobody's business here when it ends, but it must not stay a zombie of a long-lived process.
        _children.append(keeper)
        _children[:] = [child for child in _children if child.poll() is None]

    def running(self) -> bool:
        """Whether it runs now."""
        if self.ended() is not None:
            # The last thing that a keeper does; it may live on for a moment.
            return False
        try:
            lock = os.open(self._lock, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            # Shared: who else asks is not taken for a keeper.
            return not _locked(lock, fcntl.LOCK_SH)
        finally:
            os.close(lock)

    def begun(self) -> bool:
        """Whether it was started, and not removed since."""
        return self.log.exists()

    def ended(self) -> End | None:
        """How it ended; None while it runs, before it runs, and when its keeper was killed."""
        try:
            return End(**json.loads(self._end.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def said(self) -> str:
        """The last part of what it wrote."""
        try:
            with self.log.open("rb") as file:
                return processes.tail(file, LOG)
        except FileNotFoundError:
            return ""

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        end = time.monotonic() + 2 * GRACE + LOOK
        told = False
        while self.running() and time.monotonic() < end:
            if not told and (keeper := self._alive("keeper")):
                os.kill(keeper, signal.SIGTERM)
                told = True
            time.sleep(0.05)
        self._kill_orphan()

    def _kill_orphan(self) -> None:
        """End a program whose keeper was killed: nobody would know how it ends."""
        if not self._alive("keeper") and (program := self._alive("program")):
            processes.kill(program)

    def _alive(self, which: str) -> int | None:
        """The pid of the keeper or the program, if it is still the process that was started."""
        try:
            pid, started = json.loads(self._state.read_text())[which]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        # A number may belong to another process by now: not with this start, too.
        return int(pid) if started and _started(pid) == started else None

    def remove(self) -> None:
        """Forget how it ended; nothing while it runs. The lock stays: somebody may be waiting for it."""
        try:
            lock = os.open(self._lock, os.O_RDWR)
        except FileNotFoundError:
            return
        try:
            # A keeper that has written the end lives on for a moment.
            if _locked(lock, fcntl.LOCK_EX, LOOK):
                self._clear()
        finally:
            os.close(lock)

    def _clear(self) -> None:
        for file in (self._end, self._state, self.log):
            file.unlink(missing_ok=True)


#: Keepers that this process started.
_children: list[subprocess.Popen[bytes]] = []


def _locked(lock: int, how: int, patience: float = 0) -> bool:
    """Take the lock, if it is free, or becomes so within ``patience`` seconds."""
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(lock, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(0.02)
        else:
            return True


def _started(pid: int) -> str:
    """When a process was started, in ticks since the start of the machine, and which start of it that was.

    Empty: there is no such process, or it has ended.
    """
    try:
        # The name of the program, in parentheses, may hold blanks.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return "" if fields[0] in "ZX" else f"{boot} {fields[19]}"


def _write(file: Path, data: Any) -> None:
    """Whole or not at all."""
    new = file.with_name(f"{file.name}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        json.dump(data, stream)
    new.replace(file)


# --- the keeper ---


class _Stopped(Exception):  # noqa: N818 (what was asked for)
    """Somebody asked for the end."""


def keep(state: Path, end: Path, deadline: float, program: Sequence[str]) -> None:
    """Run the program, and write down how it ended."""

    def stop(*_: Any) -> None:
        raise _Stopped

    signal.signal(signal.SIGTERM, stop)
    why = ""
    try:
        # In a session of its own, so that it can be killed with all that it started, and we not.
        process = subprocess.Popen(list(program), start_new_session=True)  # noqa: S603 (a list, no shell)
    except OSError as error:
        _write(end, {"code": 127, "why": f"{program[0]} cannot be started: {error.strerror}"})
        return
    try:
        _write(state, {name: (pid, _started(pid)) for name, pid in (("keeper", os.getpid()), ("program", process.pid))})
        process.wait(deadline)
    except subprocess.TimeoutExpired:
        why = f"it took longer than {deadline:g} s"
    except _Stopped:
        why = "it was stopped"
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if why:
        # Asked first; then what of it is left, too.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
        processes.kill(process.pid)
    _write(end, {"code": process.wait(), "why": why})


if __name__ == "__main__":
    _, _state, _end, _deadline, _lock, *_program = sys.argv
    # The program shall not hold the lock beyond our life.
    os.set_inheritable(int(_lock), False)
    keep(Path(_state), Path(_end), float(_deadline), _program)
