"""What Prometheus reads: what is in the database, and what the processes of this service have answered and asked."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, exposition, registry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from sqlalchemy.orm import Session

from ..clouds import calls
from ..store import Store, models

disable_created_metrics()
_OWN = CollectorRegistry()
ANSWERED = Counter("pumphouse_api_requests", "Requests answered", ("method", "route", "status"), registry=_OWN)
SECONDS = Histogram(
    "pumphouse_api_request_seconds",
    "Seconds until an answer began",
    ("method", "route"),
    buckets=(0.01, 0.05, 0.25, 1, 5, 30),
    registry=_OWN,
)

#: Bounds of what a cutover takes, seconds.
CUTOVER = (5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14400)


#: What is said of requests; others are counted together, as anybody can make up as many as they like.
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))

#: States that are told of even where there are none.
MIGRATIONS = ("queued", "planning", "running", "done", "failed", "stopped", "cancelled", "reverting", "reverted")
UNITS = ("pending", "running", "done", "failed", "blocked", "stopped", "reverted")


def answered(method: str, route: str, status: int, seconds: float) -> None:
    """A request has been answered; ``route``: its pattern, not its path."""
    method = method if method in _METHODS else "other"
    ANSWERED.labels(method, route, str(status)).inc()
    SECONDS.labels(method, route).observe(seconds)


def text(collector: DatabaseCollector) -> tuple[bytes, str]:
    """All of it in Prometheus' format, and the content type. Raises PumphouseError when the database fails."""
    ours = CollectorRegistry()
    ours.register(collector)
    own = _OWN
    if os.environ.get(calls.SHARED):
        from prometheus_client import multiprocess

        own = CollectorRegistry()
        multiprocess.MultiProcessCollector(own)
    return exposition.generate_latest(ours) + exposition.generate_latest(own), exposition.CONTENT_TYPE_PLAIN_0_0_4


class DatabaseCollector(registry.Collector):
    """What is in the database, read anew at each scrape: the same whichever process is asked."""

    def __init__(self, store: Store) -> None:
        """Nothing is read yet."""
        self._store = store
        self._lock = threading.Lock()
        #: (when, bytes) of the scrape before.
        self._before: tuple[float, int] | None = None

    def describe(self) -> Iterable[Metric]:
        """Nothing: it need not be read to be registered."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The metrics. Raises PumphouseError when the database fails."""
        read = self._store.read(self._read)
        yield _labelled("pumphouse_migrations", "Migrations by state", ("state",), read["migrations"], MIGRATIONS)
        yield _labelled("pumphouse_units", "Units of all migrations by state", ("state",), read["units"], UNITS)
        yield _labelled("pumphouse_jobs", "What was asked for over the API, by state", ("kind", "state"), read["jobs"])
        waiting = time.time() - read["oldest"] if read["oldest"] else 0.0
        yield GaugeMetricFamily("pumphouse_jobs_waiting_seconds", "How long the oldest queued job waits", waiting)
        moved = int(read["moved"] or 0)
        yield CounterMetricFamily("pumphouse_moved_bytes", "Bytes that all migrations have moved", moved)
        yield GaugeMetricFamily(
            "pumphouse_moving_bytes_per_second", "Bytes moved per second since the scrape before", self._rate(moved)
        )
        yield _cutovers(read["cutovers"])

    def _read(self, session: Session) -> dict[str, Any]:
        migration, unit, job = models.Migration, models.Unit, models.Job

        def count(*columns: Any) -> list[Any]:
            return list(session.execute(sa.select(*columns, sa.func.count()).group_by(*columns)))

        below = [sa.func.coalesce(sa.func.sum(sa.case((unit.downtime <= bound, 1), else_=0)), 0) for bound in CUTOVER]
        cutovers = sa.select(*below, sa.func.count(unit.downtime), sa.func.coalesce(sa.func.sum(unit.downtime), 0.0))
        return {
            "migrations": count(migration.state),
            "units": count(unit.state),
            "jobs": count(job.kind, job.state),
            "oldest": session.scalar(sa.select(sa.func.min(job.created)).where(job.state == "queued")),
            "moved": session.scalar(sa.select(sa.func.sum(unit.bytes_done))),
            "cutovers": list(session.execute(cutovers.where(unit.downtime.is_not(None))).one()),
        }

    def _rate(self, moved: int) -> float:
        now = time.monotonic()
        with self._lock:
            before, self._before = self._before, (now, moved)
        if before is None or now <= before[0]:
            return 0.0
        # A unit that is begun anew counts from zero.
        return max(0.0, (moved - before[1]) / (now - before[0]))


def _labelled(
    name: str, help_: str, labels: tuple[str, ...], rows: Iterable[Any], known: tuple[str, ...] = ()
) -> Metric:
    metric = GaugeMetricFamily(name, help_, labels=labels)
    counts: dict[tuple[str, ...], int] = {(value,): 0 for value in known}
    counts |= {tuple(map(str, row[:-1])): row[-1] for row in rows}
    for values, count in counts.items():
        metric.add_metric(values, count)
    return metric


def _cutovers(row: list[Any]) -> Metric:
    *below, count, total = row
    metric = HistogramMetricFamily("pumphouse_cutover_seconds", "From stopping a server to its being up again")
    buckets = [(str(float(bound)), int(number)) for bound, number in zip(CUTOVER, below, strict=True)]
    metric.add_metric([], [*buckets, ("+Inf", int(count))], float(total))
    return metric
