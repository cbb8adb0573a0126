"""The operator's own program: for Kolla-Ansible, MAAS and whatever else installs compute hosts.

It gets one JSON text on stdin, ``{"action": "deploy", "host": {...}}``, and tells on stdout how far it is::

    progress 40 installing packages
    failed the disk is too small
    done

It has succeeded when its last word is ``done`` and its exit code 0. What else it writes is kept in its log. It runs on
when our process dies: see :mod:`pumphouse.hosts.provisioners.detached`.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pumphouse.hosts import processes
from pumphouse.hosts.inventory import Host, describe
from pumphouse.hosts.options import Option, Secret
from pumphouse.hosts.provisioners.base import Progress, Provisioner, ProvisionerError
from pumphouse.hosts.provisioners.detached import Job

#: What the program may be asked to do beside ``deploy``.
ACTIONS = ("check", "prepare", "discovered", "forget")

_PROGRESS = re.compile(r"progress\s+(\d{1,3})%?(?:\s+(.*))?")
#: Not "failed: [host]" or "failed=0", which Ansible writes of things that may not matter.
_FAILED = re.compile(r"failed(?:\s+(.*))?")


class Command(Provisioner):
    """A program."""

    name = "command"
    OPTIONS = {
        "command": Option("texts", required=True),
        # What of ACTIONS the program knows, too; the others are nothing.
        "actions": Option("texts", default=(), choices=ACTIONS),
        # Handed on as they are; secrets by names.
        "parameters": Option("mapping", default={}),
        "token": Option("secret"),
        # Seconds that a deployment may take, and any other action.
        "deadline": Option("number", default=7200, least=1, most=7 * 86400),
        "action_deadline": Option("number", default=60, least=1, most=3600),
        # Default: pumphouse/hosts below the user's state directory.
        "state_directory": Option("text"),
    }

    def check(self, host: Host) -> list[str]:
        """That the program is there; what it says, if it knows ``check``: each line of stdout is in the way."""
        program = self.options["command"][0]
        if shutil.which(program) is None:
            return [f"{program} (provisioner.command) is not there, or is not executable"]
        found = []
        if self._job(host).running():
            found.append(f"{host.name} is being deployed right now")
        if "check" in self.options["actions"]:
            try:
                done = self._run("check", host)
            except ProvisionerError as error:
                return [*found, str(error)]
            found += [self._safe(line.strip()) for line in done.out.splitlines() if line.strip()]
        return found

    def prepare(self, host: Host) -> None:
        """Forget how an earlier deployment ended."""
        job = self._job(host)
        if job.running():
            raise ProvisionerError(f"{host.name} is being deployed right now; its log: {job.log}")
        job.remove()
        if "prepare" in self.options["actions"]:
            self._run("prepare", host)

    def discovered(self, host: Host, since: float) -> str | None:
        """What the program says, if it knows ``discovered``: an id, or nothing. Otherwise nobody looks: at once."""
        if "discovered" not in self.options["actions"]:
            return host.name
        return processes.last_line(self._run("discovered", host, since=since).out) or None

    def deploy(self, host: Host, node: str) -> None:
        """Start the program, unless it runs or has done its work."""
        job = self._job(host)
        if self.progress(host, node).state in ("waiting", "failed"):
            given = self._given("deploy", host, node=node)
            try:
                job.start(self.options["command"], given, self.options["deadline"])
            except OSError as error:
                raise ProvisionerError(f"{job.directory} cannot be used: {error.strerror}") from None

    def progress(self, host: Host, node: str) -> Progress:
        """What the program said last, and whether it still runs."""
        job = self._job(host)
        # In this order: what ends between the two has ended.
        running = job.running()
        ended, said = job.ended(), job.said()
        percent, text, failed, done = self._understood(said)
        if running and ended is None:
            return Progress("deploying", percent, failed or text)
        if ended is None:
            if not job.begun():
                return Progress("waiting")
            return Progress("failed", percent, f"it was killed, or this machine was restarted; its log: {job.log}")
        if ended.why:
            return Progress("failed", percent, f"{ended.why}; its log: {job.log}")
        if failed is not None or ended.code != 0:
            why = failed or f"it ended with code {ended.code}: {self._safe(processes.last_line(said))}"
            return Progress("failed", percent, f"{why}; its log: {job.log}")
        if not done:
            return Progress("failed", percent, f"it ended without the line 'done'; its log: {job.log}")
        return Progress("done", 100, text)

    def forget(self, host: Host, node: str | None) -> None:
        """Stop what runs; have the program undo, if it knows ``forget``."""
        self._job(host).stop()
        if "forget" in self.options["actions"]:
            self._run("forget", host, node=node)
        self._job(host).remove()

    # --- the parts ---

    def _job(self, host: Host) -> Job:
        chosen = self.options["state_directory"]
        state = Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser()
        return Job(Path(chosen).expanduser() if chosen else state / "pumphouse" / "hosts", host.name)

    def _run(self, action: str, host: Host, **more: Any) -> processes.Done:
        """A short action. Raises ProvisionerError."""
        program, deadline = self.options["command"][0], self.options["action_deadline"]
        try:
            done = processes.run(self.options["command"], self._given(action, host, **more), deadline)
        except OSError as error:
            raise ProvisionerError(f"{program} cannot be started: {error.strerror}") from None
        if done.code is None:
            raise ProvisionerError(f"{program} ({action}) took longer than {deadline} s", passing=True)
        if done.code != 0:
            last = self._safe(processes.last_line(done.err) or done.last)
            raise ProvisionerError(f"{program} ({action}) failed with code {done.code}: {last}")
        return done

    def _given(self, action: str, host: Host, **more: Any) -> Mapping[str, Any]:
        token = self.options["token"]
        said = {"parameters": self.options["parameters"], **({"token": token.reveal()} if token else {})}
        return {"action": action, **more, "host": describe(host), **said}

    def _understood(self, said: str) -> tuple[int | None, str, str | None, bool]:
        """Percent, text, why it failed, and whether it is done, of the lines that are for us: the last ones count."""
        percent: int | None = None
        text = ""
        failed: str | None = None
        done = False
        for line in map(str.strip, said.splitlines()):
            if found := _PROGRESS.fullmatch(line):
                percent, text, failed, done = min(int(found[1]), 100), self._safe(found[2] or ""), None, False
            elif found := _FAILED.fullmatch(line):
                failed, done = self._safe(found[1] or "") or "it says that it failed", False
            elif line == "done":
                percent, failed, done = 100, None, True
        return percent, text, failed, done

    def _safe(self, line: str) -> str:
        """What it said, short and without the token."""
        token = self.options["token"]
        line = line.replace(token.reveal(), "***") if isinstance(token, Secret) and token else line
        return line[:300]
