"""Waiting for what another process does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

#: Seconds.
PATIENCE = 120


def until(what: str, look: Callable[[], Any]) -> Any:
    """What ``look`` finds, in time."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited for {what}, in vain")
