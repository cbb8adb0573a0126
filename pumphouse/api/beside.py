"""The engine beside the service: a child process that is started anew when it dies, and ends with its parent."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..config import Config

LOG = logging.getLogger(__name__)

#: Seconds before it is started again: doubled each time, until it has run for as long as STEADY.
FIRST, LONGEST, STEADY = 1.0, 30.0, 60.0


class Engine:
    """One, as its parent has it. For one thread."""

    def __init__(self, config: Config, command: tuple[str, ...] = ()) -> None:
        """Nothing is started before :meth:`look`. ``command``: another than the engine's, for tests."""
        debug = ("--debug",) if LOG.isEnabledFor(logging.DEBUG) else ()
        ours = (sys.executable, "-m", "pumphouse.engine", "--config", str(config.path), "--child", *debug)
        self._command = command or ours
        self._process: subprocess.Popen[bytes] | None = None
        self._begun = self._due = 0.0
        self._pause = FIRST
        self._ending = False

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def look(self) -> None:
        """Start it where it does not run, and it is time for that."""
        if self._ending or self.alive:
            return
        now = time.monotonic()
        if self._process is not None:
            self._close()
            if now - self._begun > STEADY:
                self._pause = FIRST
            LOG.warning("the engine has ended; it is started again in %.0f seconds", self._pause)
            self._due, self._pause = now + self._pause, min(LONGEST, 2 * self._pause)
        if now >= self._due:
            self._start()

    def _start(self) -> None:
        # When this process ends, however it does, the pipe is closed, and the engine ends. Ctrl-C is for its parent.
        self._process = subprocess.Popen(  # noqa: S603 (our own program)
            self._command, stdin=subprocess.PIPE, start_new_session=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
        )
        self._begun = time.monotonic()

    def disown(self) -> None:
        """In another child of its parent: that must not keep it alive."""
        self._ending = True
        self._close()

    def end(self) -> None:
        """Ask it to end; what it does may go on to its next stop."""
        self._ending = True
        if self._process is not None and self.alive:
            self._process.send_signal(signal.SIGTERM)
        self._close(forget=False)

    def kill(self) -> None:
        """End it now, if it still runs: what it did is gone on with by the next."""
        if self._process is not None and self.alive:
            LOG.warning("the engine has not ended in time; what it did is left for the next")
            self._process.kill()
            self._process.wait()

    def _close(self, forget: bool = True) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        if forget:
            self._process = None
