"""Programs that are given JSON and have a deadline: the operator's own, and our helpers that may hang."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pumphouse

#: Bytes of a program's output that are looked at, from its end.
READ = 64 * 1024


@dataclass(frozen=True)
class Done:
    """How a program ended."""

    #: Its exit code, negative for a signal; None: the deadline came first, and it was killed.
    code: int | None
    out: str
    err: str

    @property
    def last(self) -> str:
        """The last line that it wrote to stdout, else to stderr."""
        return last_line(self.out) or last_line(self.err)


def run(
    program: Sequence[str], given: Mapping[str, Any], deadline: float, env: Mapping[str, str] | None = None
) -> Done:
    """Run a program with ``given`` as JSON on its stdin, for ``deadline`` seconds at most.

    What it leaves running may live on, but is not waited for. Raises OSError when it cannot be started.
    """
    with as_stdin(given) as stdin, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(  # noqa: S603 (a list, no shell)
            list(program), stdin=stdin, stdout=out, stderr=err, env=env, start_new_session=True
        )
        try:
            code: int | None = process.wait(deadline)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            if process.poll() is None:
                kill(process.pid)
                process.wait()
        return Done(code, tail(out), tail(err))


def as_stdin(given: Mapping[str, Any]) -> IO[bytes]:
    """``given`` as a whole JSON text, in memory: it may hold secrets, and whoever reads it may outlive us."""
    file = os.fdopen(os.memfd_create("given"), "w+b")
    file.write(json.dumps(given, ensure_ascii=False).encode() + b"\n")
    file.flush()
    file.seek(0)
    return file


def kill(leader: int) -> None:
    """End a program that was started in a session of its own, with all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def own_module(name: str) -> tuple[list[str], dict[str, str]]:
    """The command and the environment that run a module of ours, wherever we were imported from."""
    root = str(Path(pumphouse.__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    # -P: a file of the working directory is never imported in the place of a library.
    return [sys.executable, "-P", "-m", name], {**os.environ, "PYTHONPATH": path}


def tail(file: IO[bytes], most: int = READ) -> str:
    """The last bytes of a file, ``most`` of them, as text."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - most))
    return file.read().decode(errors="replace")


def last_line(text: str) -> str:
    """The last line that is not empty."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
