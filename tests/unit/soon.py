"""What another thread does, and is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Seconds; it is there much sooner, but for a machine that is busy.
PATIENCE = 30.0


def soon(true: Callable[[], object]) -> None:
    """Until it is."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.01)
