"""While a process runs units: it keeps its claims, writes how far they are, and notices what it is asked to do."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from types import TracebackType

from pumphouse.errors import PumphouseError
from pumphouse.store import claims
from pumphouse.store.store import CANCEL
from pumphouse.tasks.context import Context

LOG = logging.getLogger(__name__)
#: Seconds between two writes of the progress to the database, and between two looks at what is wished.
SAVE_EVERY = 1.0


class Keeper:
    """Two threads. The claims have one of their own: they must not wait for anything else."""

    def __init__(self, context: Context, owner: str, mine: Mapping[str, Context]) -> None:
        """``mine``: the contexts of the units that run here, by name; looked at again and again."""
        self.context, self.owner, self.mine = context, owner, mine
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for name, work in (("claims", self._renew), ("progress", self._save))
        ]

    def __enter__(self) -> Keeper:
        """Begin."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _renew(self) -> None:
        """A unit that another process has taken is given up at once; so are all when nothing can be renewed."""
        renewed = time.monotonic()
        while not self._over.wait(claims.RENEW):
            had = dict(self.mine)
            try:
                still = claims.renew(self.context.store, self.context.migration_id, self.owner)
            except PumphouseError as error:
                LOG.debug("claims could not be renewed: %s", error)
                still = set(had) if time.monotonic() - renewed < claims.LEASE else set()
            else:
                renewed = time.monotonic()
            for name in had.keys() - still:
                had[name].abandon.set()

    def _save(self) -> None:
        while not self._over.wait(SAVE_EVERY):
            for name, context in list(self.mine.items()):
                unit = context.progress.units[name]
                try:
                    context.store.update_unit(
                        context.migration_id,
                        name,
                        step=unit.step,
                        bytes_done=unit.bytes_done,
                        bytes_total=unit.bytes_total,
                    )
                except PumphouseError as error:
                    LOG.debug("progress of %s could not be written: %s", name, error)
            try:
                if self.context.store.wished(self.context.migration_id) == CANCEL:
                    self.context.abandon.set()
            except PumphouseError as error:
                LOG.debug("cannot look what is wished: %s", error)
