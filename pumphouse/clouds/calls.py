"""Requests to the clouds, counted where a service is there to tell: by service, by answer, and how often again."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client import Counter

#: Where the processes of one service count together; commands have none, and count nothing.
SHARED = "PROMETHEUS_MULTIPROC_DIR"


def count(service: str | None, status: int | None, retries: int) -> None:
    """A request has ended: its service's type (None: asked for a token, or what there is), the answer (None: there was
    none), and how often it was sent again before that.
    """
    if not os.environ.get(SHARED):
        return
    requests, again = _counters()
    name = service or "identity"
    requests.labels(name, str(status or "none")).inc()
    if retries:
        again.labels(name).inc(retries)


def retries_of(response: Any) -> int:
    """How often the request of this answer was sent again."""
    history = getattr(getattr(getattr(response, "raw", None), "retries", None), "history", None)
    return len(history or ())


@functools.cache
def _counters() -> tuple[Counter, Counter]:
    from prometheus_client import Counter

    # In no registry: what is read are the files that all processes share.
    return (
        Counter("pumphouse_cloud_requests", "Requests to the clouds", ("service", "status"), registry=None),
        Counter("pumphouse_cloud_retries", "Requests to the clouds that were sent again", ("service",), registry=None),
    )
