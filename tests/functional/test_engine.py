"""The engine, a process: what is asked for is done, whatever becomes of it and of others in between."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pumphouse.clouds.cloud import Cloud
from pumphouse.config import load
from pumphouse.embedded import demo
from pumphouse.embedded.demo.account import operator
from pumphouse.embedded.process import Pair, start_pair
from pumphouse.engine import requests
from pumphouse.errors import UsageError
from pumphouse.migrations import report
from pumphouse.planning import Selection
from pumphouse.planning.planner import pair_of
from pumphouse.store import Migration, Store, jobs, plans
from pumphouse.store.plans import PlanRow
from tests.functional.waiting import PATIENCE, until

OPTIONS = {"concurrency": 4, "ignore_findings": False, "source": "src", "destination": "dst"}


class Site:
    """Two clouds with a tenant in one, and engines."""

    def __init__(self, pair: Pair, directory: Path) -> None:
        self.pair, self.directory = pair, directory
        self.domain = demo.fill(operator("src"), operator("dst"), "small", say=lambda _: None)
        for cloud in (pair.source, pair.destination):
            cloud.control("POST", "delays", {"server": 0.3, "volume": 0.1})
        self.config = load(str(pair.config))
        self.store = Store.open(self.config.database)
        source, destination = (Cloud.open(role, self.config.clouds[role]) for role in ("source", "destination"))
        self.name = pair_of(source, destination)
        self.processes: list[subprocess.Popen[bytes]] = []

    def engine(self, *options: str) -> subprocess.Popen[bytes]:
        return self.run(sys.executable, "-m", "pumphouse.engine", "--config", str(self.pair.config), *options)

    def run(self, *command: str) -> subprocess.Popen[bytes]:
        log = (self.directory / "said.log").open("ab")
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()

    def plan(self) -> PlanRow:
        asked = requests.ask_plan(self.store, self.name, Selection(tenant="acme", domain=self.domain), "alice")
        return until("a plan", lambda: (row := plans.get(self.store, asked.id)) and row.state != plans.MAKING and row)

    def begin(self) -> int:
        """A migration that plans for itself."""
        selection = Selection(tenant="acme", domain=self.domain)
        return requests.begin(self.store, self.name, plan=None, selection=selection, options=OPTIONS, by="alice")

    def migration(self, number: int) -> Migration:
        found = self.store.migration(number)
        assert found is not None
        return found

    def reached(self, number: int, *states: str) -> Migration:
        return until(f"migration {number} to be {states}", lambda: (m := self.migration(number)).state in states and m)

    def job(self, job: jobs.Job) -> jobs.Job:
        return until(
            f"job {job.id}", lambda: (j := jobs.get(self.store, job.id)) and j.state in ("done", "failed") and j
        )

    def units(self, number: int) -> dict[str, str]:
        return {row.name: row.state for row in self.store.units(number)}

    def some_done(self, number: int) -> bool:
        """It is in its midst."""
        states = list(self.units(number).values())
        return states.count("done") > 3 and "running" in states


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with start_pair(tmp_path) as pair:
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(pair.clouds_file))
        site = Site(pair, tmp_path)
        try:
            yield site
        finally:
            site.end()
            site.store.close()


def test_from_a_plan_to_a_report_and_back(site: Site) -> None:
    site.engine()
    plan = site.plan()
    assert (plan.state, plan.error) == (plans.READY, None)
    number = requests.begin(site.store, site.name, plan=plan, selection=None, options=OPTIONS, by="alice")
    with pytest.raises(UsageError, match="was used already"):
        requests.begin(site.store, site.name, plan=plan, selection=None, options=OPTIONS, by="alice")
    assert site.reached(number, "done", "failed").state == "done"
    built = report.build(site.store, number)
    assert {resource["verdict"] for resource in built["resources"]} <= {"equal", "mapped", "not carried"}
    with pytest.raises(UsageError, match="is done: resume needs"):
        requests.resume(site.store, site.migration(number), "alice")
    verified = site.job(requests.verify(site.store, site.migration(number), "alice", bytes=True))
    assert verified.state == "done"
    assert {one["verdict"] for one in (verified.result or {})["bytes"]} <= {"equal", "not comparable"}
    undone = site.job(requests.roll_back(site.store, site.migration(number), "alice"))
    assert (undone.state, undone.result) == ("done", {"stays": []})
    assert site.migration(number).state == "reverted"


def test_what_cannot_be_planned_is_told(site: Site) -> None:
    site.engine()
    asked = requests.ask_plan(site.store, site.name, Selection(tenant="nobody"), "alice")
    row = until("a plan", lambda: (row := plans.get(site.store, asked.id)) and row.state == plans.FAILED and row)
    assert "nobody" in row.error["detail"]
    number = requests.begin(
        site.store, site.name, plan=None, selection=Selection(tenant="nobody"), options=OPTIONS, by="alice"
    )
    assert site.reached(number, "failed").plan == {}


@pytest.mark.parametrize("how", ["killed", "asked to end", "its parent has ended"])
def test_another_engine_goes_on(site: Site, how: str) -> None:
    first = site.engine("--child")
    number = site.begin()
    until("its midst", lambda: site.some_done(number))
    if how == "killed":
        first.kill()
    elif how == "asked to end":
        first.send_signal(signal.SIGTERM)
    else:
        assert first.stdin is not None
        first.stdin.close()
    assert first.wait(PATIENCE) == (-signal.SIGKILL if how == "killed" else 0)
    assert site.migration(number).state == "running"
    done = [name for name, state in site.units(number).items() if state == "done"]
    site.engine()
    assert site.reached(number, "done", "failed").state == "done"
    events = [(event.unit, event.text) for event in site.store.events(number) if event.kind == "running"]
    assert all(sum(unit == name for unit, _ in events) == 1 for name in done), "what was done is not done again"


def test_what_a_command_left_when_it_was_killed_goes_on(site: Site) -> None:
    program = Path(sys.executable).with_name("pumphouse")
    command = site.run(
        str(program), "--config", str(site.pair.config), "migrate", "--tenant", "acme", "--domain", site.domain, "--yes"
    )
    until("its midst", lambda: site.store.history() and site.some_done(1))
    os.kill(command.pid, signal.SIGKILL)
    command.wait()
    site.engine()
    assert site.reached(1, "done", "failed").state == "done"


def test_cancelled_and_resumed(site: Site) -> None:
    site.engine()
    number = site.begin()
    until("its midst", lambda: site.some_done(number))
    with pytest.raises(UsageError, match="is busy"):
        requests.verify(site.store, dataclasses.replace(site.migration(number), state="done"), "alice")
    cancelled = site.job(requests.cancel(site.store, site.migration(number), "alice"))
    assert (cancelled.state, cancelled.result) == ("done", {"stays": []})
    assert site.migration(number).state == "cancelled"
    assert "running" not in site.units(number).values()
    requests.resume(site.store, site.migration(number), "alice")
    assert site.reached(number, "done", "failed").state == "done"


def test_cancelled_before_it_began(site: Site) -> None:
    number = site.begin()
    job = requests.cancel(site.store, site.migration(number), "alice")
    site.engine()
    assert site.job(job).state == "done"
    assert site.reached(number, "cancelled").options["operator"] == "alice"
    assert site.units(number) == {}


def test_accepted(site: Site) -> None:
    site.engine()
    number = site.begin()
    site.reached(number, "done")
    with pytest.raises(UsageError, match="no server of this migration"):
        requests.accept(site.store, site.migration(number), "alice", servers=["nobody"])
    accepted = site.job(requests.accept(site.store, site.migration(number), "alice", delete_source=True))
    assert (accepted.state, accepted.result) == ("done", {"stays": []})
    undone = site.job(requests.roll_back(site.store, site.migration(number), "alice"))
    assert "it was accepted" in json.dumps(undone.result)
