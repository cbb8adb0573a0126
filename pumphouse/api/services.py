"""What the views work with: one of each for a process."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, cast

from flask import current_app

if TYPE_CHECKING:
    from ..config import Config
    from ..store import Store
    from .clouds import Clouds
    from .machines import Machines
    from .stream import Stream

#: Where an application keeps its own.
EXTENSION = "pumphouse"


@dataclasses.dataclass
class Services:
    """All that outlives a request. Threads share it."""

    config: Config
    store: Store
    clouds: Clouds
    stream: Stream
    machines: Machines = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        """The machines are of the configuration alone."""
        from .machines import Machines

        self.machines = Machines(self.config)

    @classmethod
    def open(cls, config: Config) -> Services:
        """Those of a process of its own: nothing of them may be shared over a fork.

        Raises ConfigError, and PumphouseError when the database cannot be used.
        """
        from ..store import Store
        from .clouds import Clouds
        from .stream import Stream

        store = Store.open(config.database)
        # Each stream has a thread; some are left for all other requests.
        stream = Stream(store, max(8, config.api.threads - 32))
        clouds = Clouds(config, store)
        stream.moved = clouds.changed
        clouds.filled = lambda role, _type: stream.clouds_read(role, True)
        return cls(config, store, clouds, stream)

    def close(self) -> None:
        """End the streams, let go of the clouds and the database."""
        self.stream.close()
        self.machines.close()
        self.clouds.close()
        self.store.close()


def services() -> Services:
    """Those of the application that answers the current request."""
    return cast("Services", current_app.extensions[EXTENSION])
