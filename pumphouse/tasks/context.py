"""What the tasks of one unit work with. It is injected when the flow runs and never stored."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import explain, is_passing, status
from pumphouse.clouds.waiting import wait_for
from pumphouse.errors import Cancelled, CloudError, PumphouseError
from pumphouse.hosts.inventory import Host
from pumphouse.names import Names
from pumphouse.planning.plan import AS_SOURCE
from pumphouse.resources.base import ResourceType, Wire
from pumphouse.resources.compute.zones import known_zone
from pumphouse.resources.registry import TEMPORARY, TYPES
from pumphouse.store import Temporary, notes
from pumphouse.store.claims import ClaimedStore, LostClaimError
from pumphouse.store.store import Store
from pumphouse.transfer.progress import Progress

LOG = logging.getLogger(__name__)
#: Marks what Pumphouse makes for a while only, so that people know what it is.
PREFIX = "pumphouse"
#: Of what the move changes for a while: the fields that change.
CHANGING = {
    "server": ("status", "OS-EXT-STS:task_state", "OS-EXT-STS:vm_state", "OS-EXT-STS:power_state"),
    "volume": ("status",),
}
#: Stands for the unit of what belongs to the whole migration.
WHOLE = ""
#: Finds a machine in the inventory by its exact name. Raises UsageError, ConfigError.
Hosts = Callable[[str], Host]


def no_inventory(name: str) -> Host:
    """Where nobody has an inventory to look into."""
    raise CloudError(f"{name} cannot be looked up: this part of Pumphouse was given no inventory")


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
    #: How moved servers are in the end, see ``pumphouse.planning.plan.Power``.
    power: str = AS_SOURCE
    #: The machines of the inventory: it is read when one is asked for, and never stored, as it holds credentials.
    hosts: Hosts = no_inventory
    #: Bytes that were copied: (type, source id) -> sizes and hashes, for the report.
    evidence: dict[tuple[str, str], dict[str, Any]] = dataclasses.field(default_factory=dict)
    #: What the source showed before we touched it: (type, source id) -> wire form. See ``was``.
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

    # -- what must outlive this process ---------------------------------------------------------------------
    def check(self) -> None:
        """Before anything is changed. Raises LostClaimError when another process has taken the unit."""
        if isinstance(self.store, ClaimedStore):
            self.store.check()

    def look(self, type_: str, id_: str) -> Wire:
        """Read a resource of the source, and note what of it the move is going to change.

        What an interrupted run has noted stays: the resource may not be any more as it was. Raises CloudError.
        """
        wire = self.read(type_, id_)
        noted = self.noted(type_, id_)
        if noted is None:
            noted = {name: wire[name] for name in CHANGING[type_] if name in wire}
            notes.keep(self.store, notes.BEFORE, self.migration_id, self.unit, type_, id_, noted)
        self.before[type_, id_] = {**wire, **noted}
        return self.before[type_, id_]

    def noted(self, type_: str, id_: str) -> Wire | None:
        """What was noted of it, if it was looked at: only the fields that the move changes."""
        found: Wire | None = notes.find(self.store, notes.BEFORE, type_, id_, self.migration_id)
        return found

    def forget(self, type_: str, id_: str) -> None:
        """It is as it was noted, or gone."""
        for kind in (notes.BEFORE, notes.STOPPED):
            notes.drop(self.store, kind, type_, id_)

    def was(self, type_: str, id_: str) -> Wire:
        """The resource as it was before anything was done to it, though that may have been another process."""
        return self.before.get((type_, id_)) or self.look(type_, id_)

    def copied(self, type_: str, source_id: str, proof: dict[str, Any]) -> None:
        """Keep the proof that bytes arrived."""
        self.evidence[type_, source_id] = proof
        notes.keep(self.store, notes.COPIED, self.migration_id, self.unit, type_, source_id, proof)

    def seen(self, type_: str, id_: str) -> Wire | None:
        """Like ``was``, of any type; None where it has gone from the source."""
        if known := self.before.get((type_, id_)):
            return known
        found = TYPES[type_].get(self.source, id_)
        noted = self.noted(type_, id_) if type_ in CHANGING else None
        return {**found, **(noted or {})} if found else None

    def once(self, kind: str, type_: str, id_: str, value: Any) -> Any:
        """Note a value, unless an interrupted run has; returns the one that is noted."""
        noted = notes.find(self.store, kind, type_, id_, self.migration_id)
        if noted is None:
            notes.keep(self.store, kind, self.migration_id, self.unit, type_, id_, value)
        return value if noted is None else noted

    # -- temporary things -----------------------------------------------------------------------------------
    def temporary_name(self, what: str, source_id: str) -> str:
        """A name that tells whose it is and what for."""
        return f"{PREFIX}-{self.migration_id}-{what}-{source_id}"

    def temporary(
        self,
        role: str,
        type_: str,
        name: str,
        make: Callable[[], str],
        usable: Callable[[Wire], bool] = lambda _: True,
    ) -> str:
        """Id of a thing of ours that must be gone in the end: noted by its name, then made.

        One that an interrupted run has left under that name is used if it is ``usable``, and else removed.
        """
        if there := self.kept(role, type_, name, usable):
            return there
        row_id = self.store.add_temporary(self.migration_id, self.unit, role, type_, "", name)
        try:
            made = make()
        except Exception as error:
            if refused(error):
                self.store.drop_temporary(row_id)
            raise
        self.store.set_temporary(row_id, made)
        self._mark(self.cloud(role), type_, made)
        return made

    def note_temporary(self, role: str, type_: str, id_: str, name: str) -> None:
        """Note one whose id is known before it is made."""
        if not any(row.resource_id == id_ for row in self.store.temporaries(self.migration_id, self.unit)):
            self.store.add_temporary(self.migration_id, self.unit, role, type_, id_, name)

    def kept(self, role: str, type_: str, name: str, usable: Callable[[Wire], bool]) -> str | None:
        """Id of the usable one of this name; all others of that name are removed."""
        rows = [
            row
            for row in self.store.temporaries(self.migration_id, self.unit)
            if (row.cloud_role, row.type, row.name) == (role, type_, name)
        ]
        kept: str | None = None
        for row in rows:
            for wire in self._there(row):
                if kept is None and usable(wire):
                    kept = str(wire["id"])
                    self.store.set_temporary(row.id, kept)
                elif wire["id"] != kept:
                    delete_and_wait(TEMPORARY[type_], self.cloud(role), wire["id"])
        return kept

    def _there(self, row: Temporary) -> list[Wire]:
        """What a row stands for: by its id, or all of its name."""
        type_, cloud = TEMPORARY[row.type], self.cloud(row.cloud_role)
        if row.resource_id:
            found = type_.get(cloud, row.resource_id)
            return [{**found, "id": row.resource_id}] if found else []
        return named(cloud, row.type, row.name)

    def _mark(self, cloud: Cloud, type_: str, id_: str) -> None:
        """Let everybody see that it is ours: a tag of an image, metadata of a volume. It is found by its name too."""
        try:
            if type_ == "image":
                cloud.image.image_tags.update(id_, PREFIX)
            elif type_ == "volume":
                cloud.volume.volumes.set_metadata(id_, {PREFIX: str(self.migration_id)})
        except PumphouseError:
            raise
        except Exception as error:
            LOG.debug("%s %s could not be marked: %s", type_, id_, explain(error))

    def of_migration(self) -> Context:
        """The same for what belongs to the migration as a whole, and not to one of its units."""
        return dataclasses.replace(self, unit=WHOLE)

    def remove_temporaries(self, *ids: str) -> dict[str, Exception]:
        """Remove the unit's temporary things (only those with these ids, if any are given).

        Returns a sentence for each that could not be removed, and why; it stays noted.
        """
        left: dict[str, Exception] = {}
        for row in reversed(self.store.temporaries(self.migration_id, self.unit)):
            if ids and row.resource_id not in ids:
                continue
            try:
                for wire in self._there(row):
                    delete_and_wait(TEMPORARY[row.type], self.cloud(row.cloud_role), wire["id"])
            except LostClaimError:
                raise
            except Exception as error:
                left[f"{row.cloud_role} {row.type} {row.name} ({row.resource_id}): {explain(error)}"] = error
            else:
                self.store.drop_temporary(row.id)
        return left


def named(cloud: Cloud, type_: str, name: str) -> list[Wire]:
    """All images, volumes or snapshots of a name, of all projects."""
    if type_ == "image":
        return [dict(image) for image in cloud.image.images.list(filters={"name": name})]
    search = {"all_tenants": 1, "name": name}
    lists = {"volume": "volumes", "volume_snapshot": "volume_snapshots"}
    if type_ not in lists:
        return []
    return [thing.to_dict() for thing in getattr(cloud.volume, lists[type_]).list(search_opts=search)]


def pause(context: Context, seconds: float) -> None:
    """Wait. Raises Cancelled when the unit is to be given up meanwhile."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if context.abandon.is_set():
            raise Cancelled("stopped while waiting for a service to come back")
        time.sleep(min(left, 0.2))


def refused(error: BaseException) -> bool:
    """Whether the service has said no: nothing was made. Without an answer, or with a fault, nobody knows."""
    code = status(error)
    return code is not None and code < 500 and not is_passing(error)


def delete_and_wait(type_: ResourceType, cloud: Cloud, id_: str, timeout: float = 600) -> None:
    """Delete, and return when it is gone. Raises CloudError when it does not go."""
    type_.delete(cloud, id_)
    wait_for(
        lambda: type_.get(cloud, id_) or {},
        done=lambda thing: not thing or str(thing.get("status", "")).upper() in ("DELETED", "SOFT_DELETED"),
        failed=_stays,
        what=f"{type_.type} {id_} to be deleted",
        timeout=timeout,
        interval=0.5,
    )


def _stays(thing: Wire) -> str | None:
    """Why what is to be deleted does not go. Nova says that it is at it, from its answer on, until it has failed."""
    state = str(thing.get("status"))
    if state == "ERROR" and thing.get("OS-EXT-STS:task_state", "") is None:
        return f"{state}: {(thing.get('fault') or {}).get('message') or 'no reason is told'}"
    return state if state == "error_deleting" else None
