"""What the tasks of one unit work with. It is injected when the flow runs and never stored."""

from __future__ import annotations

import dataclasses
import logging
import threading
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import explain
from pumphouse.clouds.waiting import wait_for
from pumphouse.errors import CloudError
from pumphouse.names import Names
from pumphouse.resources.base import ResourceType, Wire
from pumphouse.resources.compute.zones import known_zone
from pumphouse.resources.registry import TEMPORARY, TYPES
from pumphouse.store.store import Store
from pumphouse.transfer.images import Copied
from pumphouse.transfer.progress import Progress

LOG = logging.getLogger(__name__)
#: Marks what Pumphouse makes for a while only, so that people know what it is.
PREFIX = "pumphouse"
#: Stands for the unit of what belongs to the whole migration.
WHOLE = ""


@dataclasses.dataclass
class Context:
    """The two clouds, the database, and the unit that is being moved."""

    source: Cloud
    destination: Cloud
    store: Store
    progress: Progress
    pair: str
    migration_id: int
    #: The unit's name in its plan.
    unit: str
    #: Hard stop: long copies look at it.
    abandon: threading.Event
    #: Names that differ between the clouds.
    names: Names = dataclasses.field(default_factory=Names)
    #: Whether a password expires when it does in the source, rather than as the destination's own rules say.
    carry_expiry: bool = False
    #: Bytes that were copied: (type, source id) -> sizes and hashes, for the report.
    evidence: dict[tuple[str, str], dict[str, Any]] = dataclasses.field(default_factory=dict)
    #: What the source showed before we touched it: (type, source id) -> wire form.
    before: dict[tuple[str, str], Wire] = dataclasses.field(default_factory=dict)

    def cloud(self, role: str) -> Cloud:
        """The cloud of a role: "source" or "destination"."""
        return self.source if role == "source" else self.destination

    def lookup(self, type_: str, id_: str) -> str | None:
        """Id of the counterpart in the destination, if there is one."""
        row = self.store.mapped(self.pair, type_, id_)
        return row.destination_id if row else None

    def counterpart(self, type_: str, id_: str) -> str:
        """Like :meth:`lookup`, for what an earlier step must have made. Raises CloudError."""
        if found := self.lookup(type_, id_):
            return found
        raise CloudError(f"{type_} {id_} has no counterpart in the destination yet")

    def zone(self, service: str, name: str | None) -> str | None:
        """The availability zone in the destination; None, and the service chooses, if it has none of that name."""
        return known_zone(self.destination, service, self.names.of("availability_zones", name)) if name else None

    def read(self, type_: str, id_: str) -> Wire:
        """The resource as the source shows it now. Raises CloudError when it is gone."""
        found = TYPES[type_].get(self.source, id_)
        if found is None:
            raise CloudError(f"{type_} {id_} has gone from the source since the plan was made")
        return found

    def made(self, type_: str, source_id: str, destination_id: str) -> None:
        """Record what this unit made, before the next step depends on it."""
        self.store.map(
            self.pair,
            type_,
            source_id,
            destination_id,
            migration_id=self.migration_id,
            unit=self.unit,
            created=True,
        )

    def mine(self, type_: str, source_id: str) -> str | None:
        """Id of the counterpart if this unit made it in this migration: only that may be undone."""
        row = self.store.mapped(self.pair, type_, source_id)
        if row and row.created and (row.migration_id, row.unit) == (self.migration_id, self.unit):
            return str(row.destination_id)
        return None

    def undo(self, type_: ResourceType, source_id: str, cloud: Cloud | None = None) -> None:
        """Remove what this unit made as the counterpart of a resource, and forget it."""
        if destination_id := self.mine(type_.type, source_id):
            type_.delete(cloud or self.destination, destination_id)
            self.store.unmap(self.pair, type_.type, source_id)

    def step(self, text: str) -> None:
        """Tell people what happens now."""
        self.progress.step(self.unit, text)
        self.store.add_event(self.migration_id, "step", text, unit=self.unit)

    def copied(self, type_: str, source_id: str, copied: Copied) -> None:
        """Keep the proof that bytes arrived."""
        there = copied.destination_hash
        self.evidence[type_, source_id] = {
            "size": copied.size,
            "source_sha512": copied.sha512,
            # An old Glance has another hash: "md5:...", which was compared instead.
            "destination_sha512": None if there and ":" in there else there,
            "destination_hash": there,
            "seconds": round(copied.seconds, 3),
        }

    def temporary_name(self, role: str, what: str, source_id: str) -> str:
        """A name that tells whose it is and what for; what an interrupted run left under it is removed."""
        name = f"{PREFIX}-{self.migration_id}-{what}-{source_id}"
        rows = self.store.temporaries(self.migration_id, self.unit)
        if stale := [row.resource_id for row in rows if (row.cloud_role, row.name) == (role, name)]:
            self.remove_temporaries(*stale)
        return name

    def temporary(self, role: str, type_: str, id_: str, name: str) -> None:
        """Note something of ours that must be gone in the end, whatever happens."""
        self.store.add_temporary(self.migration_id, self.unit, role, type_, id_, name)
        self._mark(self.cloud(role), type_, id_)

    def _mark(self, cloud: Cloud, type_: str, id_: str) -> None:
        """Let everybody see that it is ours: a tag of an image, metadata of a volume. It is found by its name too."""
        try:
            if type_ == "image":
                cloud.image.image_tags.update(id_, PREFIX)
            elif type_ == "volume":
                cloud.volume.volumes.set_metadata(id_, {PREFIX: str(self.migration_id)})
        except Exception as error:
            LOG.debug("%s %s could not be marked: %s", type_, id_, explain(error))

    def of_migration(self) -> Context:
        """The same for what belongs to the migration as a whole, and not to one of its units."""
        return dataclasses.replace(self, unit=WHOLE)

    def remove_temporaries(self, *ids: str) -> list[str]:
        """Remove the unit's temporary things (only those with these ids, if any are given).

        Returns a sentence for each that could not be removed; it stays noted.
        """
        left = []
        for row in reversed(self.store.temporaries(self.migration_id, self.unit)):
            if ids and row.resource_id not in ids:
                continue
            try:
                delete_and_wait(TEMPORARY[row.type], self.cloud(row.cloud_role), row.resource_id)
            except Exception as error:
                left.append(f"{row.cloud_role} {row.type} {row.name} ({row.resource_id}): {type(error).__name__}")
            else:
                self.store.drop_temporary(row.id)
        return left


def delete_and_wait(type_: ResourceType, cloud: Cloud, id_: str, timeout: float = 600) -> None:
    """Delete, and return when it is gone. Raises CloudError when it does not go."""
    type_.delete(cloud, id_)
    wait_for(
        lambda: type_.get(cloud, id_) or {},
        done=lambda thing: not thing or str(thing.get("status", "")).upper() in ("DELETED", "SOFT_DELETED"),
        failed=lambda thing: thing.get("status") if thing.get("status") == "error_deleting" else None,
        what=f"{type_.type} {id_} to be deleted",
        timeout=timeout,
        interval=0.5,
    )
