"""The two clouds, as the API's processes use them: opened when they are needed, asked by few threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pumphouse.api.clouds.crew import Crew
from pumphouse.api.clouds.health import Health
from pumphouse.api.clouds.kinds import ALL
from pumphouse.api.clouds.listing import Listing
from pumphouse.api.clouds.reader import Reader
from pumphouse.clouds import entry, http
from pumphouse.clouds.cloud import Cloud, Service
from pumphouse.config import Config, Role
from pumphouse.planning.planner import pair_of

if TYPE_CHECKING:
    from pumphouse.store.store import Store

ROLES: tuple[Role, ...] = ("source", "destination")
#: Threads that ask one service of one cloud, for lists, and for single resources.
THREADS = 3
#: Lists of single projects that are kept, and seconds after which one that nobody asks for is forgotten.
KEPT, FORGOTTEN = 64, 900.0
#: Seconds that a connection, and an answer, is waited for; what reads lists has limits of its own.
CONNECT, ANSWER = 3.0, 20.0


class Clouds:
    """Both clouds of a process. Threads may share it; it must not be shared over a fork."""

    def __init__(self, config: Config, store: Store) -> None:
        """No request is made before something is asked for."""
        self._config, self.store = config, store
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._open: dict[Role, Cloud] = {}
        self._health: dict[Role, Health] = {}
        self._crews: dict[tuple[Role, Service, str], Crew] = {}
        self._listings: dict[tuple[Role, str, str | None], Listing] = {}
        #: Told (role, type) whenever a list has been read to its end.
        self.filled: Callable[[str, str], None] = lambda _role, _type: None

    def cloud(self, role: Role) -> Cloud:
        """One of them. Raises ConfigError when clouds.yaml has no such entry."""
        with self._lock:
            if role not in self._open:
                self._open[role] = _open(role, self._config)
            return self._open[role]

    @property
    def pair(self) -> str:
        """The name of the two in the database; no request is made for it."""
        return pair_of(self.cloud("source"), self.cloud("destination"))

    def health(self, role: Role) -> Health:
        """How the services of one are."""
        with self._lock:
            if role not in self._health:
                self._health[role] = Health(self.cloud(role))
            return self._health[role]

    def listing(self, role: Role, type_: str, project_id: str | None = None) -> Listing:
        """All resources of a type, or a project's; not read unless it is asked for before."""
        key, kind = (role, type_, project_id), ALL[type_]
        with self._lock:
            found = self._listings.get(key)
            if found is None:
                self._forget()
                cloud, crew = self.cloud(role), self.crew(role, kind.service, "lists")
                pages = lambda: kind.pages(Reader(cloud, self._closed), project_id)  # noqa: E731
                told = (lambda: self.filled(role, type_)) if project_id is None else (lambda: None)
                found = self._listings[key] = Listing(kind, pages, crew, told)
            found.used = time.monotonic()
            return found

    def crew(self, role: Role, service: Service, purpose: str) -> Crew:
        """The threads that ask one service for one purpose."""
        key = (role, service, purpose)
        with self._lock:
            if key not in self._crews:
                self._crews[key] = Crew(f"{purpose}-{role}-{service}", THREADS)
            return self._crews[key]

    def warm(self) -> None:
        """Log in, and begin to read what is asked for first: beside whatever else is done. Raises nothing."""
        for role in ROLES:
            try:
                self.health(role).ask()
                for type_ in ("project", "domain"):
                    self.listing(role, type_).ask()
            except Exception:  # noqa: S112 (it is said to who asks)
                continue

    def changed(self) -> None:
        """Something was moved: what is shown already is read anew."""
        with self._lock:
            shown = list(self._listings.values())
        for listing in shown:
            listing.renew()

    def close(self) -> None:
        """Let go of the connections; what is being read ends with its next page."""
        self._closed.set()
        with self._lock:
            for crew in self._crews.values():
                crew.close()
            for health in self._health.values():
                health.close()
            for cloud in self._open.values():
                cloud.close()

    def _forget(self) -> None:
        """Make room for another list."""
        now = time.monotonic()
        for key in [key for key, one in self._listings.items() if now - one.used > FORGOTTEN]:
            del self._listings[key]
        single = sorted((key for key in self._listings if key[2] is not None), key=lambda k: self._listings[k].used)
        for key in single[: max(0, len(single) - KEPT + 1)]:
            del self._listings[key]


def _open(role: Role, config: Config) -> Cloud:
    """With less patience than a migration: somebody waits for the page."""
    described = config.clouds[role]
    region, connections = entry.find(described.cloud, described.where or f"clouds.{role}", 16)
    reading = http.PatientRetry(
        total=1, connect=1, read=0, status=1, other=0, redirect=None, allowed_methods=http.READING | {"POST"},
        status_forcelist=http.PASSING_STATUS, backoff_factor=0.2, raise_on_status=False,
        respect_retry_after_header=False,
    )  # fmt: skip
    for adapter in connections.adapters.values():
        adapter.max_retries = reading  # type: ignore[attr-defined]
    cloud = Cloud(role, described, region, connections)
    cloud.session.timeout = ANSWER
    return cloud
