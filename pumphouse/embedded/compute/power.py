"""On and off, awake and asleep, locked and open, rescue, the console."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pumphouse.embedded.compute import schemas
from pumphouse.embedded.compute.build import Build
from pumphouse.embedded.compute.state import Json
from pumphouse.embedded.service import RefusedError

RUNNING, PAUSED, SHUTDOWN = 1, 3, 4
HARD_REBOOT = ("active", "stopped", "paused", "suspended", "error")
#: Tasks during which a hard reboot may begin.
REBOOTABLE = (None, "rebooting", "rebooting_hard", "reboot_pending", "reboot_started", "reboot_pending_hard",
              "reboot_started_hard", "resuming", "unpausing", "pausing", "suspending")  # fmt: skip

Accepted = tuple[None, int]


class Power(Build):
    """Actions that change what a server does, not where it is."""

    def _go(
        self,
        server: Json,
        rule: str,
        action: str,
        states: Collection[str],
        task: str,
        event: str,
        method: str,
    ) -> Accepted:
        """Check, note, begin."""
        self.demand(rule, server["project_id"])
        self.ready(server, action, states, host=action in ("start", "stop"))
        place = self.note(server, action, done=False)
        self.begin(server, task, place, f"compute_{event}_instance", method)
        return None, 202

    def start_server(self, server: Json, given: Any) -> Accepted:
        """From off to on."""
        return self._go(server, "servers:start", "start", ("stopped",), "powering-on", "start", "started")

    def started(self, server: Json) -> None:
        """It runs."""
        self.boot(server)
        self.plugged(server, up=True)
        self.touch(server, vm_state="active", power_state=RUNNING)

    def stop_server(self, server: Json, given: Any) -> Accepted:
        """From on to off."""
        return self._go(server, "servers:stop", "stop", ("active", "error"), "powering-off", "stop", "stopped")

    def stopped(self, server: Json) -> None:
        """It is off."""
        self.plugged(server, up=False)
        self.touch(server, vm_state="stopped", power_state=SHUTDOWN)

    def reboot_server(self, server: Json, given: Any) -> Accepted:
        """Soft or hard."""
        kinds = ("HARD", "Hard", "hard", "SOFT", "Soft", "soft")
        schemas.check(given, schemas.thing(("type",), type={"type": "string", "enum": list(kinds)}))
        self.demand("servers:reboot", server["project_id"])
        hard = given["type"].upper() == "HARD"
        self.ready(server, "reboot", HARD_REBOOT if hard else ("active",), REBOOTABLE if hard else (None,))
        place = self.note(server, "reboot", done=False)
        task = "rebooting_hard" if hard else "rebooting"
        self.begin(server, task, place, "compute_reboot_instance", "started")
        return None, 202

    def pause_server(self, server: Json, given: Any) -> Accepted:
        """Frozen in memory."""
        return self._go(server, "os-pause-server:pause", "pause", ("active",), "pausing", "pause", "paused")

    def paused(self, server: Json) -> None:
        """It stands still."""
        self.touch(server, vm_state="paused", power_state=PAUSED)

    def unpause_server(self, server: Json, given: Any) -> Accepted:
        """Go on."""
        rule = "os-pause-server:unpause"
        return self._go(server, rule, "unpause", ("paused",), "unpausing", "unpause", "awake")

    def suspend_server(self, server: Json, given: Any) -> Accepted:
        """Frozen on disk."""
        rule = "os-suspend-server:suspend"
        return self._go(server, rule, "suspend", ("active",), "suspending", "suspend", "suspended")

    def suspended(self, server: Json) -> None:
        """Its memory is on disk."""
        self.plugged(server, up=False)
        self.touch(server, vm_state="suspended", power_state=SHUTDOWN)

    def resume_server(self, server: Json, given: Any) -> Accepted:
        """Go on."""
        rule = "os-suspend-server:resume"
        return self._go(server, rule, "resume", ("suspended",), "resuming", "resume", "awake")

    def awake(self, server: Json) -> None:
        """It goes on where it was: that is no boot."""
        self.plugged(server, up=True)
        self.touch(server, vm_state="active", power_state=RUNNING)

    def plugged(self, server: Json, up: bool) -> None:
        """Linux bridges tell whether somebody is at a port; OVN calls it ACTIVE as long as it is bound."""
        if self.cloud.release.network == "linuxbridge":
            for nic in server["nics"]:
                self.cloud.network.set_port_status(nic["port_id"], "ACTIVE" if up else "DOWN")

    # --- rescue ---

    def rescue_server(self, server: Json, given: Any) -> Json:
        """Boot another disk, to repair its own."""
        properties = {"adminPass": {"type": "string"}, "rescue_image_ref": schemas.UUID}
        schemas.check(given, {**schemas.thing((), **properties), "type": ["object", "null"]})
        states = ("active", "stopped", "error")
        self._go(server, "os-rescue", "rescue", states, "rescuing", "rescue", "rescued")
        return {"adminPass": (given or {}).get("adminPass") or server["id"][:12]}

    def rescued(self, server: Json) -> None:
        """The other disk runs."""
        self.plugged(server, up=True)
        self.touch(server, vm_state="rescued", power_state=RUNNING)

    def unrescue_server(self, server: Json, given: Any) -> Accepted:
        """Boot its own disk again."""
        return self._go(server, "os-unrescue", "unrescue", ("rescued",), "unrescuing", "unrescue", "started")

    # --- locks ---

    def lock_server(self, server: Json, given: Any) -> Accepted:
        """By its owner, or by an administrator from outside its project: then only those can unlock it."""
        self.demand("os-lock-server:lock", server["project_id"])
        reason = None
        if self.since(73):
            told = {"type": "string", "minLength": 1, "maxLength": 255}
            schemas.check(given, {**schemas.thing((), locked_reason=told), "type": ["object", "null"]})
            reason = (given or {}).get("locked_reason")
        by = self._side(server)
        if server["locked_by"] and by == "owner":
            return None, 202
        self.touch(server, locked_by=by, locked_reason=reason or server["locked_reason"])
        self.note(server, "lock", "api_lock")
        return None, 202

    def unlock_server(self, server: Json, given: Any) -> Accepted:
        """By whom it was locked, or by administrators."""
        project = server["project_id"]
        self.demand("os-lock-server:unlock", project)
        if server["locked_by"] not in (None, self._side(server)):
            self.demand("os-lock-server:unlock:unlock_override", project)
        self.touch(server, locked_by=None, locked_reason=None)
        self.note(server, "unlock", "api_unlock")
        return None, 202

    def _side(self, server: Json) -> str:
        return "owner" if server["project_id"] == self.token.project_id else "admin"

    # --- other ---

    def reset_state(self, server: Json, given: Any) -> Accepted:
        """Call it sound, or broken."""
        self.demand("os-admin-actions:reset_state", server["project_id"])
        schemas.check(given, schemas.thing(("state",), state={"type": "string", "enum": ["active", "error"]}))
        self.touch(server, vm_state=given["state"], task_state=None, turn=server["turn"] + 1)
        if self.cloud.release.name != "zed":
            self.note(server, "resetState")
        return None, 202

    def console_output(self, server: Json, given: Any) -> Json:
        """The last lines that its guest wrote."""
        self.demand("os-console-output", server["project_id"])
        length = {"type": ["integer", "string", "null"], "pattern": "^-?[0-9]+$", "minimum": -1}
        schemas.check(given, schemas.thing((), length=length))
        if not server["host"]:
            raise RefusedError(409, f"Instance {server['id']} is not ready")
        lines = server["console"].splitlines(keepends=True)
        wanted = given.get("length")
        if wanted not in (None, -1, "-1"):
            lines = lines[len(lines) - min(int(wanted), len(lines)) :]
        return {"output": "".join(lines)}
