"""One embedded cloud: its services, its clock, its faults; saved and restored as a whole."""

from __future__ import annotations

import pickle
from pathlib import Path

from pumphouse.embedded.compute.service import Compute
from pumphouse.embedded.ground import Ground
from pumphouse.embedded.identity.service import Identity
from pumphouse.embedded.identity.tokens import Token
from pumphouse.embedded.image.service import Image
from pumphouse.embedded.network.service import Network
from pumphouse.embedded.placement.service import Placement
from pumphouse.embedded.service import RefusedError, Service
from pumphouse.embedded.volume.service import Volume


class EmbeddedCloud(Ground):
    """All of one cloud."""

    def __init__(
        self, name: str, release: str, directory: Path, password: str, delays: dict[str, float] | None = None
    ) -> None:
        """``password``: of ``admin``. The rest as of Ground."""
        super().__init__(name, release, directory, delays)
        self.identity = Identity(self, password)
        self.image = Image(self)
        self.volume = Volume(self)
        self.network = Network(self)
        self.compute = Compute(self)
        self.placement = Placement(self)

    @property
    def services(self) -> list[Service]:
        """All of them."""
        return [self.identity, self.image, self.volume, self.network, self.compute, self.placement]

    def authenticate(self, token: str | None) -> Token:
        """Who asks. Raises RefusedError (401)."""
        found: Token | None = self.identity.validate(token)
        if found is None:
            raise RefusedError(401, "The request you have made requires authentication.", "Unauthorized")
        return found

    def save(self) -> bytes:
        """Everything but the bytes, which never change; for :meth:`restore`."""
        with self.lock:
            self.tick()
            states = {service.type: service.state for service in self.services}
            return pickle.dumps((states, self.timers, self.identity.database.save()))

    def restore(self, saved: bytes) -> None:
        """Be as when it was saved. Tokens that were given out since are not known any more."""
        with self.lock:
            states, self.timers, database = pickle.loads(saved)  # noqa: S301 (our own, kept in this process)
            for service in self.services:
                service.state = states[service.type]
            self.identity.database.restore(database)
