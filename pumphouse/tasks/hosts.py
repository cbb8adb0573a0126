"""Emptying a host: its services are disabled, its servers and volumes moved off, and in the end it is looked at."""

from __future__ import annotations

from typing import Any

from pumphouse.clouds import hypervisors, relocation
from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import explain, is_conflict, is_missing
from pumphouse.clouds.hypervisors import VOLUME_HOST, Wire
from pumphouse.clouds.relocation import BROKEN, ENDED, WORDS, Move, Way
from pumphouse.clouds.waiting import wait_for
from pumphouse.errors import CloudError
from pumphouse.store import notes
from pumphouse.tasks.base import Task
from pumphouse.tasks.context import Context
from pumphouse.tasks.server_states import bring

#: Why a service is disabled, as everybody reads it; the number is the migration's.
REASON = "pumphouse: evacuated (migration {})"
OURS = "pumphouse: evacuated"
#: Of a server that moves: how it was, and what was the last that Nova had done to it. Kind of a note.
PLACE = "place"
#: Seconds that a move may take: memory and disks may be large.
MOVE_TIMEOUT = 6 * 3600
#: Seconds that the end of a move, its confirmation or its way back may take.
SETTLE_TIMEOUT = 1800
LOOK = 1.0


class DisableHost(Task):
    """Disable a host's nova-compute, so that nothing new comes. Undone: it is as it was before."""

    def __init__(self, host: str) -> None:
        """``host``: its exact name."""
        super().__init__(host)
        self.host = host

    def execute(self, context: Context) -> None:
        """Raises CloudError where the service is gone."""
        service = hypervisors.service_of(context.source, self.host)
        if service is None:
            raise CloudError(f"the source has no nova-compute on {self.host} any more")
        note_service(context, "compute_service", self.host, service)
        reason = REASON.format(context.migration_id)
        if (service["status"], service.get("disabled_reason")) != ("disabled", reason):
            context.step(f"disabling nova-compute on {self.host}")
            hypervisors.disable(context.source, service, reason)

    def undo(self, context: Context) -> None:
        """Unless somebody else has changed it since."""
        noted = _noted(context, notes.BEFORE, "compute_service", self.host)
        service = hypervisors.service_of(context.source, self.host) if noted else None
        if noted and service and _ours(context, service):
            if noted["status"] == "enabled":
                context.step(f"enabling nova-compute on {self.host} again")
                hypervisors.enable(context.source, service)
            else:
                context.step(f"nova-compute on {self.host} is disabled as it was before")
                hypervisors.disable(context.source, service, noted.get("disabled_reason"))
            notes.drop(context.store, notes.BEFORE, "compute_service", self.host)
        elif noted and service:
            # It may be a later evacuation that has it, and needs to know how it was.
            context.step(f"nova-compute on {self.host} was changed since, and is left as it is")


class DisableVolumes(Task):
    """The same of a backend's cinder-volume."""

    def __init__(self, service_host: str) -> None:
        """``service_host``: HOST@BACKEND."""
        super().__init__(service_host)
        self.host = service_host

    def _service(self, cloud: Cloud) -> Wire | None:
        return next((one for one in hypervisors.volume_services(cloud) if one["host"] == self.host), None)

    def execute(self, context: Context) -> None:
        """Raises CloudError where the service is gone."""
        service = self._service(context.source)
        if service is None:
            raise CloudError(f"the source has no cinder-volume {self.host} any more")
        note_service(context, "volume_service", self.host, service)
        reason = REASON.format(context.migration_id)
        if (service["status"], service.get("disabled_reason")) != ("disabled", reason):
            context.step(f"disabling cinder-volume {self.host}")
            hypervisors.switch_volumes(context.source, self.host, on=False, reason=reason)

    def undo(self, context: Context) -> None:
        """Unless somebody else has changed it since."""
        noted = _noted(context, notes.BEFORE, "volume_service", self.host)
        service = self._service(context.source) if noted else None
        if noted and service and _ours(context, service):
            context.step(f"cinder-volume {self.host} is {noted['status']} again")
            on = noted["status"] == "enabled"
            hypervisors.switch_volumes(context.source, self.host, on, noted.get("disabled_reason"))
            notes.drop(context.store, notes.BEFORE, "volume_service", self.host)


class MoveServer(Task):
    """Have Nova move a server off its host. Undone: what is half done is taken back; a server that is there stays."""

    def __init__(self, server_id: str, move: dict[str, Any]) -> None:
        """``move``: as the plan has it: from, to (None: Nova chooses), cold, fenced."""
        super().__init__(server_id)
        self.id, self.origin, self.target = server_id, str(move["from"]), move.get("to")
        self.cold, self.fenced = bool(move.get("cold")), bool(move.get("fenced"))

    def execute(self, context: Context) -> None:
        """Raises CloudError with Nova's words when it does not go."""
        cloud = context.source
        noted = _noted(context, PLACE, "server", self.id) or self._note(context)
        after = (noted["action"], noted["record"])
        seen = self._look(cloud, after)
        if seen.action is None and seen.record is None:
            if seen.host != self.origin:
                return
            self._ask(context, noted["way"])
        self._wait(context, noted["way"], after)

    def undo(self, context: Context) -> None:
        """Nova is left with nothing to do to it; it is where it is then."""
        noted = _noted(context, PLACE, "server", self.id)
        if noted is None:
            return
        seen = relocation.look(context.source, self.id, (noted["action"], noted["record"]))
        if seen is not None:
            self._take_back(context, noted, seen)
        notes.drop(context.store, PLACE, "server", self.id)

    def _note(self, context: Context) -> dict[str, Any]:
        """Before anything is asked for: how it is, by which way it goes, and what Nova has done to it before."""
        action, record = relocation.last(context.source, self.id)
        server = self._look(context.source, (action, record)).server
        service = hypervisors.service_of(context.source, self.origin)
        down = service is not None and service["state"] == "down"
        way, reason = relocation.way(server, cold=self.cold, down=down, fenced=self.fenced)
        if server.get(hypervisors.HOST) == self.origin and way is None:
            raise CloudError(f"server {server['name']}: {reason}")
        noted = {"status": server["status"], "way": way or "live", "action": action, "record": record}
        notes.keep(context.store, PLACE, context.migration_id, context.unit, "server", self.id, noted)
        return noted

    def _ask(self, context: Context, way: Way) -> None:
        to = f" to {self.target}" if self.target else ""
        verb = {"live": "live-migrating it", "cold": "cold-migrating it", "evacuate": "having it rebuilt",
                "offload": "taking it off the host"}[way]  # fmt: skip
        context.step(f"{verb}{to}")
        relocation.ask(context.source, way, self.id, self.target)

    def _wait(self, context: Context, way: Way, after: tuple[str, int]) -> None:
        told: list[int] = []

        def done(move: Move) -> bool:
            _tell(context, way, move, told)
            return move.arrived(way, self.origin)

        def failed(move: Move) -> str | None:
            if move.broken:
                return f"its migration ended as {move.status}: {relocation.why(context.source, move, self.origin)}"
            if move.server["status"] == "ERROR" and not move.busy and way != "evacuate":
                return f"it is in ERROR: {relocation.why(context.source, move, self.origin)}"
            return None

        wait_for(
            lambda: relocation.look(context.source, self.id, after),
            done=done,
            failed=failed,
            what=f"server {self.id} to be {WORDS[way]}",
            timeout=MOVE_TIMEOUT,
            interval=LOOK,
            cancelled=context.abandon.is_set,
        )

    def _look(self, cloud: Cloud, after: tuple[str, int]) -> Move:
        seen = relocation.look(cloud, self.id, after)
        if seen is None:
            raise CloudError(f"server {self.id} has gone from the source since the plan was made")
        return seen

    def _take_back(self, context: Context, noted: dict[str, Any], seen: Move) -> None:
        cloud, after = context.source, (noted["action"], noted["record"])
        if seen.action is None and seen.record is None:
            return
        if noted["way"] == "live" and seen.record and seen.status not in (*ENDED["live"], *BROKEN):
            context.step("stopping its live migration")
            try:
                relocation.abort(cloud, self.id, seen.record["id"])
            except Exception as error:
                # It has just ended, or cannot be stopped any more: then it goes to its end.
                if not (is_missing(error) or is_conflict(error) or getattr(error, "code", None) == 400):
                    raise
                context.step(f"it could not be stopped: {explain(error)}")
        seen = settled(cloud, self.id, after)
        if seen.server["status"] == "VERIFY_RESIZE":
            context.step("taking it back to its host")
            cloud.compute.servers.revert_resize(self.id)
            seen = settled(cloud, self.id, after)
        if seen.host and seen.host != self.origin:
            context.step(f"it stays on {seen.host}")


class ArriveServer(Task):
    """Say that a server stays where it has come to, and have it as it was before."""

    def __init__(self, server_id: str, move: dict[str, Any]) -> None:
        """``move``: as the plan has it."""
        super().__init__(server_id)
        self.id, self.origin = server_id, str(move["from"])

    def execute(self, context: Context) -> None:
        """Confirmed, and in the state that it had."""
        cloud = context.source
        noted = _noted(context, PLACE, "server", self.id)
        after = (noted["action"], noted["record"]) if noted else relocation.last(cloud, self.id)
        seen = settled(cloud, self.id, after)
        # Without a record it is somebody else's, who has resized it before: not ours to confirm.
        if seen.server["status"] == "VERIFY_RESIZE" and noted and seen.record:
            context.step(f"confirming that it stays on {seen.host}")
            cloud.compute.servers.confirm_resize(self.id)
            seen = settled(cloud, self.id, after)
        if seen.host == self.origin:
            raise CloudError(f"server {seen.server['name']} is on {self.origin} again")
        if noted and noted["status"] in ("ACTIVE", "SHUTOFF", "PAUSED"):
            bring(cloud, self.id, noted["status"], context.abandon.is_set)


class MoveVolume(Task):
    """Have Cinder move a volume to another host; it keeps its id, and servers keep it. It cannot be taken back."""

    def __init__(self, volume_id: str, move: dict[str, Any]) -> None:
        """``move``: as the plan has it: from (a machine), to (HOST@BACKEND#POOL)."""
        super().__init__(volume_id)
        self.id, self.origin, self.target = volume_id, str(move["from"]), str(move["to"])

    def execute(self, context: Context) -> None:
        """Raises CloudError when Cinder could not."""
        volume = self._look(context)
        if self._away(volume):
            return
        if volume.get("migration_status") in (None, "none", "success", "error"):
            context.step(f"copying it to {self.target}")
            context.source.volume.volumes.migrate_volume(self.id, self.target, False, True)
        self._wait(context)

    def undo(self, context: Context) -> None:
        """Cinder takes nothing back: it is let to its end."""
        volume = hypervisors.volume(context.source, self.id)
        if volume and volume.get("migration_status") in ("starting", "migrating", "completing"):
            context.step("waiting for the end of its copy, which cannot be stopped")
            self._wait(context)

    def _wait(self, context: Context) -> None:
        wait_for(
            lambda: hypervisors.volume(context.source, self.id),
            done=lambda volume: self._away(volume) and volume.get("migration_status") in (None, "none", "success"),
            failed=lambda volume: "Cinder could not (see the log of cinder-volume on its host)"
            if volume.get("migration_status") == "error" else None,
            what=f"volume {self.id} to be moved to {self.target}",
            timeout=MOVE_TIMEOUT,
            interval=LOOK,
            cancelled=context.abandon.is_set,
        )  # fmt: skip

    def _away(self, volume: Wire) -> bool:
        return hypervisors.machine(str(volume.get(VOLUME_HOST) or "")) != self.origin

    def _look(self, context: Context) -> Wire:
        volume = hypervisors.volume(context.source, self.id)
        if volume is None:
            raise CloudError(f"volume {self.id} has gone from the source since the plan was made")
        return volume


class CheckEmpty(Task):
    """See that nothing is left on a host, and that nothing new comes."""

    def __init__(self, host: str) -> None:
        """``host``: its exact name."""
        super().__init__(host)
        self.host = host

    def execute(self, context: Context) -> None:
        """Raises CloudError that names what is there."""
        context.step(f"looking whether {self.host} is empty")
        if left := what_is_left(context.source, self.host):
            raise CloudError(f"{self.host} is not empty: {', '.join(left)}")
        service = hypervisors.service_of(context.source, self.host)
        if service and service["status"] != "disabled":
            raise CloudError(f"{self.host} is empty, but somebody has enabled its nova-compute")


def what_is_left(cloud: Cloud, host: str) -> list[str]:
    """What is on a host, or still has a place there: "server web-1", "volume data"."""
    left = [f"server {server['name']}" for server in hypervisors.servers_on(cloud, host)]
    left += [f"server {server['name']} (its move away is not confirmed)" for server in
             hypervisors.half_moved(cloud, host)]  # fmt: skip
    if any(hypervisors.machine(one["host"]) == host for one in hypervisors.volume_services(cloud)):
        left += [f"volume {volume['name'] or volume['id']}" for volume in hypervisors.volumes_on(cloud, host)]
    return left


def note_service(context: Context, type_: str, name: str, service: Wire) -> None:
    """Note how a service was. Where an earlier evacuation has disabled it, it is what that one noted that counts."""
    if _noted(context, notes.BEFORE, type_, name):
        return
    noted = {"status": service["status"], "disabled_reason": service.get("disabled_reason")}
    if service["status"] == "disabled" and str(service.get("disabled_reason")).startswith(OURS):
        noted = notes.find(context.store, notes.BEFORE, type_, name) or {"status": "enabled"}
    notes.keep(context.store, notes.BEFORE, context.migration_id, context.unit, type_, name, noted)


def settled(cloud: Cloud, server_id: str, after: tuple[str, int]) -> Move:
    """The server, when Nova does nothing to it any more, and its record agrees."""
    return wait_for(
        lambda: relocation.look(cloud, server_id, after),
        done=lambda move: not move.busy and move.status not in ("confirming", "running", "post-migrating", "reverting"),
        failed=lambda _: None,
        what=f"server {server_id} to be left alone by Nova",
        timeout=SETTLE_TIMEOUT,
        interval=LOOK,
    )


def _tell(context: Context, way: Way, move: Move, told: list[int]) -> None:
    """How much of a live migration's memory is left: once for each halving."""
    if way != "live" or move.record is None or move.status != "running":
        return
    left = relocation.remaining(context.source, move.server["id"], move.record["id"])
    if left and (not told or left <= told[-1] // 2):
        told.append(left)
        context.step(f"live-migrating it: {left >> 20} MiB of memory left")


def _noted(context: Context, kind: str, type_: str, id_: str) -> Any:
    return notes.find(context.store, kind, type_, id_, context.migration_id)


def _ours(context: Context, service: Wire) -> bool:
    return service["status"] == "disabled" and service.get("disabled_reason") == REASON.format(context.migration_id)
