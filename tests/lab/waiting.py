"""Waiting with a deadline, running commands, and saying what goes on."""

from __future__ import annotations

import subprocess
import threading
import time
import urllib.error
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

#: Set when the user interrupts: every wait of every thread ends at its next look.
interrupted = threading.Event()

_began = time.monotonic()


class LabError(Exception):
    """Something of the lab did not work; the text names it and shows the end of its log."""


class InterruptedWaitError(LabError):
    """A wait or command was given up because of the user, or because something else failed."""


def say(text: str) -> None:
    """Print one line of progress with the seconds since the command began."""
    print(f"{time.monotonic() - _began:7.1f}  {text}", flush=True)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, indented, for an error message."""
    try:
        with log.open(errors="replace") as stream:
            last = deque(stream, lines)
    except OSError:
        return f"    (no log at {log})"
    return f"    {log}:\n" + ("".join(f"    | {line.rstrip()}\n" for line in last) or "    (empty)")


def wait_for(
    look: Callable[[], T],
    what: str,
    *,
    seconds: float = 300,
    interval: float = 0.05,
    trouble: Callable[[], str | None] = lambda: None,
) -> T:
    """Call `look` until it returns something true, and return that.

    A refused connection counts as "not yet".  `trouble` is asked each time; a text from it ends the
    wait at once.  Raises LabError when it does, at the deadline, and when the user interrupts.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            found = look()
        except (OSError, urllib.error.URLError):
            pass
        else:
            if found:
                return found
        if text := trouble():
            raise LabError(text)
        if interrupted.is_set():
            raise InterruptedWaitError(f"interrupted while waiting for {what}")
        if time.monotonic() > end:
            raise LabError(f"{what}: nothing after {seconds:.0f} s")
        time.sleep(interval)


def run(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
    seconds: float = 300,
    check: bool = True,
) -> str:
    """Run one command to its end and return what it printed; add that to `log` when one is given.

    Raises LabError with the end of the output when it fails (unless `check` is off) or takes too long.
    """
    words = [str(word) for word in command]
    if interrupted.is_set():
        raise InterruptedWaitError(f"interrupted before {words[0]}")
    try:
        done = subprocess.run(
            words,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
        )
    except FileNotFoundError:
        raise LabError(f"{words[0]} is not installed; `make lab` installs what the lab needs") from None
    except subprocess.TimeoutExpired:
        raise LabError(f"`{' '.join(words)}` did not end within {seconds:.0f} s") from None
    if log:
        with log.open("a") as stream:
            stream.write(f"$ {' '.join(words)}\n{done.stdout}\n")
    if check and done.returncode:
        last = "".join(f"    | {line}\n" for line in done.stdout.splitlines()[-15:])
        raise LabError(f"`{' '.join(words)}` failed with code {done.returncode}:\n{last}")
    return done.stdout
