"""In which order hosts fall empty, read from both clouds: once at a time, for all who ask meanwhile."""

from __future__ import annotations

import concurrent.futures
import threading
import weakref
from typing import Any

from ..planning.host_order import read_order
from ..store import Store
from .services import Services

#: Seconds that both clouds have to tell all.
DEADLINE = 60.0

_LOCK = threading.Lock()
#: What is being read just now, for each database.
_READING: weakref.WeakKeyDictionary[Store, concurrent.futures.Future[list[dict[str, Any]]]] = (
    weakref.WeakKeyDictionary()
)


def read(with_: Services) -> list[dict[str, Any]]:
    """The steps. Raises TimeoutError, and what the clouds raise."""
    with _LOCK:
        running = _READING.get(with_.store)
        if running is None or running.done():
            running = _READING[with_.store] = concurrent.futures.Future()
            threading.Thread(target=_read, args=(with_, running), name="host-order", daemon=True).start()
    return running.result(DEADLINE)


def _read(with_: Services, future: concurrent.futures.Future[list[dict[str, Any]]]) -> None:
    try:
        steps = read_order(with_.clouds.cloud("source"), with_.clouds.cloud("destination"))
        future.set_result([step.to_json() for step in steps])
    except Exception as error:
        future.set_exception(error)
