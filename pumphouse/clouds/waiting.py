"""Waiting for a cloud: with a deadline, and an end as soon as the service says that it failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from pumphouse.clouds.errors import FailedStateError, explain, is_passing, status
from pumphouse.errors import CloudError

T = TypeVar("T")

#: How long a service may give no useful answer while it is waited for, seconds.
PATIENCE = 300.0


def wait_for(
    look: Callable[[], T | None],
    *,
    done: Callable[[T], bool],
    failed: Callable[[T], str | None],
    what: str,
    timeout: float = 3600,
    interval: float = 1.0,
    cancelled: Callable[[], bool] | None = None,
) -> T:
    """Look until ``done``; returns what was seen last. At first soon again, then every ``interval`` seconds.

    Errors that pass by themselves are looked past for ``PATIENCE`` seconds. Raises FailedStateError when ``failed`` has
    words for what it sees, and when the thing disappears (``look`` returns None); CloudError when ``timeout`` seconds
    are over, and when ``cancelled`` says so. ``what`` completes the sentence "waited for ...".
    """
    now = time.monotonic()
    deadline, patient_until, pause = now + timeout, now + PATIENCE, interval / 8
    last = "nothing was seen of it"
    while True:
        try:
            seen = look()
        except Exception as error:
            if not (is_passing(error) or status(error) == 500) or time.monotonic() > patient_until:
                raise
            last = explain(error)
        else:
            if seen is None:
                raise FailedStateError(f"waited for {what}: it is not there any more")
            if done(seen):
                return seen
            if words := failed(seen):
                raise FailedStateError(f"waited for {what}: {words}")
            last = _state(seen)
            patient_until = time.monotonic() + PATIENCE
        _pause(deadline, pause, cancelled, f"waited for {what}", timeout, last)
        pause = min(interval, pause * 1.5)


def _pause(
    deadline: float, interval: float, cancelled: Callable[[], bool] | None, sentence: str, timeout: float, last: str
) -> None:
    """Sleep until the next look. Raises CloudError at the deadline, or when the wait is cancelled meanwhile."""
    wake = min(time.monotonic() + interval, deadline)
    while True:
        if cancelled is not None and cancelled():
            raise CloudError(f"{sentence}: stopped before it came; last seen: {last}")
        now = time.monotonic()
        if now >= deadline:
            raise CloudError(f"{sentence} for {timeout:g} s, in vain; last seen: {last}")
        if now >= wake:
            return
        time.sleep(min(wake - now, 0.5))


def _state(seen: object) -> str:
    """What a thing's state is called, in the words that OpenStack's services use for it."""
    get = seen.get if isinstance(seen, dict) else lambda name: getattr(seen, name, None)
    parts = [
        str(value)
        for name in ("status", "state", "OS-EXT-STS:task_state", "migration_status", "message")
        if (value := get(name))
    ]
    return ", ".join(parts) or "no state"
