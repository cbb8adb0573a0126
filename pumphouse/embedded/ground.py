"""What the services of one embedded cloud stand on: its clock, its faults, its bytes; and how they find each other."""

from __future__ import annotations

import collections
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pumphouse.embedded.blobs import Blobs
from pumphouse.embedded.faults import Faults
from pumphouse.embedded.releases import RELEASES
from pumphouse.embedded.timers import Timers

if TYPE_CHECKING:
    from pumphouse.embedded.identity.tokens import Token

#: Seconds that things take which real services do in the background; each can be set.
DELAYS = {"server": 0.0, "snapshot": 0.0, "volume": 0.0, "image": 0.0, "delete": 0.0}


class Ground:
    """One cloud without its services. Every request holds ``lock`` but while bytes flow."""

    #: The services, by their types. Not told more of here: each knows the ground, and the ground none of them.
    identity: Any
    image: Any
    volume: Any
    network: Any
    compute: Any
    placement: Any

    def __init__(self, name: str, release: str, directory: Path, delays: dict[str, float] | None = None) -> None:
        """``directory`` is its own: Keystone's database and all bytes."""
        self.name, self.release, self.directory = name, RELEASES[release], directory
        directory.mkdir(parents=True, exist_ok=True)
        #: Where it is reached; set when it listens.
        self.url = ""
        self.region = "RegionOne"
        self.lock = threading.RLock()
        self.delays = {**DELAYS, **(delays or {})}
        self.timers = Timers()
        self.faults = Faults()
        self.blobs = Blobs(directory / "blobs")
        #: How often each call came: "GET /compute/v2.1/servers/detail" -> number.
        self.requests: collections.Counter[str] = collections.Counter()

    def authenticate(self, token: str | None) -> Token:
        """Who asks. Raises RefusedError (401)."""
        raise LookupError("a cloud without Keystone")

    def later(self, what: str, service: Any, method: str, *arguments: Any) -> None:
        """Call a method of a service when the delay of ``what`` is over; without a delay at the next request."""
        self.timers.add(self.delays[what], service.type, method, *arguments)

    def tick(self) -> None:
        """Let happen whose time has come."""
        while due := self.timers.due():
            for timer in due:
                getattr(getattr(self, timer.service), timer.method)(*timer.arguments)
