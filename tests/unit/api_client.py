"""An application of the API over a database in memory, and somebody who uses it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from apiflask import APIFlask
from flask.testing import FlaskClient

from pumphouse.api.app import create_app
from pumphouse.api.services import Services
from pumphouse.config import ApiConfig
from pumphouse.store import Store, access, database, events, models

CORE = ("session", "tokens", "audit", "service")


@dataclasses.dataclass
class World:
    """An application, its database, and its clouds (whatever the test has put there)."""

    app: APIFlask
    store: Store
    services: Services

    @property
    def client(self) -> FlaskClient:
        """Somebody without cookies."""
        return self.app.test_client()

    def bearer(self, role: str = "admin", **options: Any) -> dict[str, str]:
        """The header of who has a new token of this role."""
        _, token = access.create_token(self.store, f"a {role}", role, **options)
        return {"Authorization": f"Bearer {token}"}

    def audit(self) -> list[dict[str, Any]]:
        """The record, oldest first."""
        return [row.data for row in reversed(events.newest(self.store, kinds=[events.AUDIT], limit=200))]


def world(modules: Sequence[str] = CORE, clouds: Any = None, **api: Any) -> World:
    """A fresh one. ``api``: of the configuration."""
    engine = database.make_engine("sqlite://")
    # Quicker than to bring them up to date; another test sees to it that it is the same.
    models.Base.metadata.create_all(engine)
    store = Store(engine)
    config: Any = SimpleNamespace(api=ApiConfig(**api))
    services = Services(config, store, clouds, SimpleNamespace(close=lambda: None))  # type: ignore[arg-type]
    return World(create_app(services, modules), store, services)
