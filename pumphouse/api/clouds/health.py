"""Whether the services of a cloud answer: all are asked at once, and none is waited for longer than a moment."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from pumphouse.api.clouds.crew import Crew
from pumphouse.api.clouds.reader import Reader
from pumphouse.clouds import releases
from pumphouse.clouds.cloud import TYPES, Cloud, Service
from pumphouse.clouds.errors import explain

#: Seconds that an answer is waited for, and that what was found is kept.
PATIENCE, KEPT = 1.5, 15.0

#: A small list that takes a service's database, not just its web server.
SMALL: dict[Service, tuple[str, dict[str, Any]]] = {
    "identity": ("/domains", {"limit": 1}),
    "image": ("/images", {"limit": 1}),
    "compute": ("/servers", {"limit": 1}),
    "network": ("/networks", {"limit": 1, "fields": "id"}),
    "volume": ("/volumes", {"limit": 1}),
    "placement": ("/resource_providers", {"name": "none"}),
}


@dataclass(frozen=True)
class Found:
    """How a service was."""

    ok: bool
    version: str | None
    error: str | None
    #: Monotonic.
    at: float


class Health:
    """Of one cloud. Threads may share it."""

    def __init__(self, cloud: Cloud) -> None:
        """No request is made yet."""
        self._cloud = cloud
        # A thread for each service: one that hangs is not asked again before that is over.
        self._crew = Crew(f"health-{cloud.role}", len(TYPES))
        self._changed = threading.Condition()
        self._found: dict[Service, Found] = {}
        self._asked: dict[Service, float] = {}
        self._checked: float = 0.0

    def ask(self) -> None:
        """Have those asked whose last answer is too old."""
        now = time.monotonic()
        with self._changed:
            for service in TYPES:
                found = self._found.get(service)
                if service not in self._asked and (found is None or now - found.at > KEPT):
                    self._asked[service] = now
                    self._crew.do(lambda service=service: self._probe(service))  # type: ignore[misc]

    def show(self) -> dict[str, Any]:
        """As the contract has it; within a moment, whatever hangs."""
        self.ask()
        until = time.monotonic() + PATIENCE
        with self._changed:
            while (left := until - time.monotonic()) > 0 and self._waiting():
                self._changed.wait(left)
            services = [self._of(service) for service in TYPES]
        good = sum(service["ok"] for service in services)
        region = self._cloud.region.region_name or None
        return {
            "role": self._cloud.role,
            "name": self._cloud.name,
            "release": self._release(),
            "region": region,
            "auth_url": self._cloud.auth_url,
            "state": "ok" if good == len(services) else "degraded" if good else "down",
            "services": services,
            "checked": self._checked or time.time(),
        }

    def close(self) -> None:
        """Ask no more."""
        self._crew.close()

    def _waiting(self) -> bool:
        """Whether there is one that may still answer in time."""
        now = time.monotonic()
        return any(now - asked < PATIENCE for asked in self._asked.values())

    def _of(self, service: Service) -> dict[str, Any]:
        found, asked = self._found.get(service), self._asked.get(service)
        version = found.version if found else None
        if asked is not None and (quiet := time.monotonic() - asked) >= PATIENCE:
            return {"service": service, "ok": False, "version": version, "error": f"no answer for {quiet:.0f} s"}
        if found is None:
            return {"service": service, "ok": False, "version": None, "error": "not known yet"}
        return {"service": service, "ok": found.ok, "version": version, "error": found.error}

    def _probe(self, service: Service) -> None:
        version, error = None, None
        try:
            path, query = SMALL[service]
            version = "{}.{}".format(*self._cloud.microversion(service))
            Reader(self._cloud).get(service, path, query)
        except Exception as failure:
            error = explain(failure)
        with self._changed:
            self._found[service] = Found(error is None, version, error, time.monotonic())
            self._asked.pop(service, None)
            self._checked = time.time()
            self._changed.notify_all()

    def _release(self) -> str | None:
        """As the newest microversions tell it."""
        for service in ("compute", "volume"):
            found = self._found.get(service)
            if found and found.version:
                major, minor = map(int, found.version.split("."))
                if name := releases.release(service, (major, minor)):
                    return name
        return None
