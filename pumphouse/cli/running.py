"""Running something long: in a thread of its own, while this one watches signals and the display."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

from . import text
from .progress_view import View

if TYPE_CHECKING:
    from ..clouds.cloud import Cloud
    from ..planning.plan import Plan
    from ..store import Store

T = TypeVar("T")

#: Seconds between two looks at the signals that came, and between ticks of the display.
LOOK = 0.2

#: Ctrl-C, a polite kill, and a terminal that went away.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

STOPPING = (
    "Stopping: letting the running steps end; pumphouse resume goes on"
    " (a third Ctrl-C ends at once and may leave things half made)"
)


class Stopper:
    """Sets an event at the first signal, ends the process at the third."""

    def __init__(self, stop: threading.Event) -> None:
        """Set this event."""
        self._stop = stop
        self.came = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """A signal came. Only flags are touched: whatever is printing just now may hold its locks."""
        del number, frame
        self.came += 1
        self._stop.set()
        if self.came >= 3:
            with contextlib.suppress(OSError):
                # The display hid the cursor.
                os.write(2, b"\x1b[?25h\r\n" if os.isatty(2) else b"")
                os.write(2, b"pumphouse: interrupted; pumphouse resume goes on from here\n")
            os._exit(130)

    @contextlib.contextmanager
    def installed(self) -> Iterator[Stopper]:
        """Handle the signals until the block ends."""
        before = {number: signal.signal(number, self) for number in SIGNALS}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def run_plan(
    source: Cloud, destination: Cloud, store: Store, plan: Plan, *, quiet: bool, concurrency: int, **more: Any
) -> int:
    """Run a plan as a migration, and show how far it is; its id. ``more``: what ``migrations.run`` takes, too."""
    from .. import migrations
    from ..transfer.progress import Progress
    from . import progress_view

    stop, progress = threading.Event(), Progress()
    view = progress_view.view(progress, text.console(sys.stderr), quiet=quiet)

    def started(migration_id: int) -> None:
        if not quiet:
            view.say(f"Migration {migration_id} is running (pumphouse show {migration_id})")

    def work() -> int:
        return migrations.run(
            source, destination, store, plan,
            concurrency=concurrency, progress=progress, stop=stop, on_start=started, **more,
        )  # fmt: skip

    return run(work, stop, view)


def run(work: Callable[[], T], stop: threading.Event, view: View) -> T:
    """What ``work`` returns or raises. ``stop`` is set at Ctrl-C, and the operator is told so."""
    outcome: dict[str, Any] = {}

    def body() -> None:
        try:
            outcome["value"] = work()
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=body, name="migration", daemon=True)
    told = 0
    with Stopper(stop).installed() as stopper, view.showing():
        thread.start()
        while thread.is_alive():
            thread.join(LOOK)
            while told < stopper.came:
                told += 1
                view.say(STOPPING)
            view.tick()
    if "error" in outcome:
        raise outcome["error"]
    sys.stderr.flush()
    return outcome["value"]
