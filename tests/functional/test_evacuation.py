"""``pumphouse-bm`` on embedded clouds: whatever happens to an evacuation, every server is where it should be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pumphouse.embedded import demo
from pumphouse.embedded.demo.account import Service, operator
from pumphouse.embedded.process import Pair, start_pair
from tests.functional.waiting import PATIENCE, until

HOST, OTHER = "src-c1", "src-c2"
PLACE = "OS-EXT-SRV-ATTR:host"


class Site:
    """A source whose servers are all on one of its two hosts."""

    def __init__(self, pair: Pair, directory: Path) -> None:
        self.pair, self.directory = pair, directory
        self.nova: Service = operator("src").compute
        demo.fill(operator("src"), operator("dst"), "small", say=lambda _: None)
        web = self.servers()["web-1"]
        pair.source.control("POST", "populate", {"server": web["id"], "count": 2})
        for name, server in self.servers().items():
            if server[PLACE] != HOST:
                self.move(name)
        pair.source.control("POST", "save/begin")

    def fresh(self, number: int) -> None:
        """As at the beginning, with a database of its own."""
        self.pair.source.control("POST", "restore/begin")
        self.pair.source.control("POST", "delays", {"server": 0.0})
        self.pair.source.control("POST", "faults", [])
        settings = self.pair.config.read_text().replace("/pumphouse.sqlite", f"/state-{number}.sqlite")
        self.config = self.directory / f"pumphouse-{number}.yaml"
        self.config.write_text(settings)

    def servers(self) -> dict[str, dict[str, Any]]:
        return {one["name"]: one for one in self.nova.list("/servers/detail", "servers", all_tenants=1)}

    def places(self) -> dict[str, tuple[str, str, str]]:
        """Name -> id, status, host."""
        return {name: (one["id"], one["status"], one[PLACE]) for name, one in self.servers().items()}

    def service(self, host: str = HOST) -> dict[str, Any]:
        (found,) = self.nova.list("/os-services", "services", binary="nova-compute", host=host)
        return found

    def act(self, name: str, **action: Any) -> None:
        self.nova.act(f"/servers/{self.servers()[name]['id']}", **action)

    def move(self, name: str) -> None:
        """To the other host."""
        status = self.servers()[name]["status"]
        if status == "ACTIVE":
            self.act(name, **{"os-migrateLive": {"host": None, "block_migration": "auto"}})
        else:
            self.act(name, migrate={})
            self.act(name, confirmResize=None)
        self.servers()

    def moves(self, name: str) -> list[str]:
        """What became of each of its moves, the newest first."""
        id_ = self.servers()[name]["id"]
        return [one["status"] for one in self.nova.list("/os-migrations", "migrations", instance_uuid=id_)]

    def command(self, module: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", f"pumphouse.cli.{module}", "--config", str(self.config), *arguments]

    def run(self, *arguments: str, module: str = "hosts") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(module, *arguments), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120,
            check=False,
        )  # fmt: skip

    def begin(self, *arguments: str, module: str = "hosts") -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(module, *arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def events(self) -> list[str]:
        done = self.run("show", "1", "-f", "json", module="main")
        return [event["text"] for event in json.loads(done.stdout)["events"]] if done.returncode == 0 else []


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("evacuation")
    with start_pair(directory) as pair, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(pair.clouds_file))
        for name in ("PUMPHOUSE_CONFIG", "PUMPHOUSE_DATABASE"):
            patch.delenv(name, raising=False)
        patch.setenv("PUMPHOUSE_NUMBER", "0")
        yield Site(pair, directory)


@pytest.fixture
def site(shared: Site) -> Site:
    number = int(os.environ["PUMPHOUSE_NUMBER"]) + 1
    os.environ["PUMPHOUSE_NUMBER"] = str(number)
    shared.fresh(number)
    return shared


def gone(before: dict[str, tuple[str, str, str]]) -> dict[str, tuple[str, str, str]]:
    """The same servers on the other host."""
    return {name: (id_, status, OTHER) for name, (id_, status, _) in before.items()}


def test_a_dry_run_shows_everything_and_changes_nothing(site: Site) -> None:
    before = site.places()
    assert {host for _, _, host in before.values()} == {HOST}
    done = site.run("evacuate", HOST, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "ACTIVE: is live-migrated" in done.stdout
    assert "SHUTOFF: is cold-migrated" in done.stdout
    assert f"Plan: {len(before)} to move to other hosts" in done.stdout
    plan = json.loads(site.run("evacuate", HOST, "--dry-run", "-f", "json").stdout)
    assert plan["selection"] == {"evacuate": HOST}
    assert plan["units"][-1]["needs"] == [unit["name"] for unit in plan["units"][:-1]]
    assert (site.places(), site.service()["status"]) == (before, "enabled")


def test_all_leave_and_nothing_new_comes_then_it_is_used_again(site: Site) -> None:
    before = site.places()
    done = site.run("evacuate", HOST, "--yes", "-f", "json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["migration"]["state"], report["migration"]["moved_count"]) == ("done", len(before))
    assert {one["verdict"] for one in report["resources"]} == {"equal"}
    assert site.places() == gone(before)
    service = site.service()
    assert (service["status"], service["disabled_reason"]) == ("disabled", "pumphouse: evacuated (migration 1)")
    verified = site.run("verify", "1", module="main")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    page = site.run("report", "1", "-f", "html", module="main")
    assert f"evacuation of {HOST}" in page.stdout
    again = site.run("evacuate", HOST, "--yes")
    assert again.returncode == 0, again.stderr
    undone = site.run("evacuate", HOST, "--undo", "--yes")
    assert undone.returncode == 0, undone.stderr
    assert "stay where they are" in undone.stderr
    assert (site.service()["status"], site.service()["disabled_reason"]) == ("enabled", None)
    assert site.places() == gone(before)
    listed = site.run("hosts", "-f", "json")
    servers = {row["host"]: row["servers"] for row in json.loads(listed.stdout)}
    assert servers == {HOST: 0, OTHER: len(before), "dst-c1": 0}


def test_a_host_that_was_disabled_before_is_so_again(site: Site) -> None:
    path = f"/os-services/{site.service()['id']}"
    site.nova.call("PUT", path, json={"status": "disabled", "disabled_reason": "new disks"})
    assert site.run("evacuate", HOST, "--yes").returncode == 0
    assert site.service()["disabled_reason"] == "pumphouse: evacuated (migration 1)"
    assert site.run("evacuate", HOST, "--undo", "--yes").returncode == 0
    assert (site.service()["status"], site.service()["disabled_reason"]) == ("disabled", "new disks")


def test_what_others_changed_since_is_left(site: Site) -> None:
    assert site.run("evacuate", HOST, "--yes").returncode == 0
    path = f"/os-services/{site.service()['id']}"
    site.nova.call("PUT", path, json={"status": "disabled", "disabled_reason": "broken fan"})
    assert site.run("evacuate", HOST, "--undo", "--yes").returncode == 0
    assert site.service()["disabled_reason"] == "broken fan"


@pytest.mark.parametrize("moment", ["live-migrating it", "cold-migrating it", "confirming that it stays"])
def test_killed_in_the_middle_and_resumed_each_has_moved_once(site: Site, moment: str) -> None:
    before = site.places()
    asked = {name: len(site.moves(name)) for name in before}
    site.pair.source.control("POST", "delays", {"server": 0.7})
    process = site.begin("evacuate", HOST, "--yes", "--concurrency", "4")
    until(moment, lambda: any(text.startswith(moment) for text in site.events()))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = site.run("resume", "1", module="main")
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.places() == gone(before)
    assert {name: len(site.moves(name)) for name in before} == {name: count + 1 for name, count in asked.items()}
    assert site.service()["disabled_reason"] == "pumphouse: evacuated (migration 1)"


def test_cancelled_what_is_on_its_way_comes_back_and_can_go_on_later(site: Site) -> None:
    before = site.places()
    site.pair.source.control("POST", "delays", {"server": 6.0})
    process = site.begin("evacuate", HOST, "--yes", "--concurrency", "8")
    until("servers on their way", lambda: {"MIGRATING", "RESIZE"} <= {s["status"] for s in site.servers().values()})
    cancelled = site.run("cancel", "1", module="main")
    assert cancelled.returncode == 0, cancelled.stderr
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, said
    assert site.places() == before
    assert {site.moves(name)[0] for name in ("web-1", "build-1")} == {"cancelled", "reverted"}
    site.pair.source.control("POST", "delays", {"server": 0.0})
    done = site.run("resume", "1", module="main")
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.places() == gone(before)


def test_a_killed_one_is_cancelled_by_another_process(site: Site) -> None:
    before = site.places()
    site.pair.source.control("POST", "delays", {"server": 3.0})
    process = site.begin("evacuate", HOST, "--yes", "--concurrency", "8")
    until("servers on their way", lambda: {"MIGRATING", "RESIZE"} <= {s["status"] for s in site.servers().values()})
    process.send_signal(signal.SIGKILL)
    process.communicate()
    cancelled = site.run("cancel", "1", module="main")
    assert cancelled.returncode == 0, cancelled.stderr
    # Those that had arrived meanwhile stay there; none is in between.
    assert {name: place[:2] for name, place in site.places().items()} == {n: place[:2] for n, place in before.items()}
    # Some had not begun to move when it was killed.
    ends = {"cancelled", "reverted", "completed", "confirmed"}
    assert {move for name in before for move in site.moves(name)[:1]} <= ends
    undone = site.run("evacuate", HOST, "--undo", "--yes")
    assert undone.returncode == 0, undone.stderr
    assert site.service()["status"] == "enabled"


def test_one_that_cannot_move_is_named_and_the_others_go_on(site: Site) -> None:
    before = site.places()
    site.pair.source.control("POST", "faults", [{"kind": "fails", "type": "migration"}])
    done = site.run("evacuate", HOST, "--yes", "--concurrency", "1")
    assert done.returncode == 1
    assert f"its migration ended as failed: Nova gives no reason: see the log of nova-compute on {HOST}" in done.stdout
    after = site.places()
    left = {name: place for name, place in after.items() if place[2] == HOST}
    assert len(left) == 1
    (name,) = left
    assert after == {**gone(before), name: before[name]}
    assert f"{HOST} is empty: blocked: needs server {name}" in done.stdout
    assert site.service()["status"] == "disabled"
    assert site.run("resume", "1", module="main").returncode == 0
    assert site.places() == gone(before)


def test_nova_s_own_words_say_why(site: Site) -> None:
    """All other hosts are disabled after the plan was made: as if another operator did it."""
    site.nova.call("PUT", f"/os-services/{site.service(OTHER)['id']}", json={"status": "disabled"})
    refused = site.run("evacuate", HOST, "--yes")
    assert refused.returncode == 1
    assert "blocks: no other host of the source is up and enabled" in refused.stderr
    assert site.service()["status"] == "enabled", "nothing was changed"
    done = site.run("evacuate", HOST, "--yes", "--ignore-findings")
    assert done.returncode == 1
    assert "its migration ended as error: No valid host was found" in done.stdout
    before = site.places()
    assert {host for _, _, host in before.values()} == {HOST}
    assert {status for _, status, _ in before.values()} == {"ACTIVE", "SHUTOFF"}, "all run on as they ran"


def test_what_nova_does_not_move_is_a_conflict_beforehand(site: Site) -> None:
    site.act("web-1", suspend=None)
    site.servers()
    done = site.run("evacuate", HOST, "--yes")
    assert done.returncode == 1
    assert "server web-1: conflict: Nova moves no suspended server: resume it, or shut it off" in done.stdout
    assert [name for name, (_, _, host) in site.places().items() if host == HOST] == ["web-1"]


def test_paused_servers_move_and_stay_paused_and_cold_stops_what_runs(site: Site) -> None:
    site.act("db-1", pause=None)
    before = site.places()
    done = site.run("evacuate", HOST, "--yes", "--cold", "--to", OTHER)
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.places() == gone(before)
    assert site.moves("web-1")[0] == "confirmed"
    assert site.moves("db-1")[0] == "completed"


def test_a_host_that_is_down_is_emptied_only_when_it_is_fenced(site: Site) -> None:
    before = site.places()
    site.nova.call("PUT", f"/os-services/{site.service()['id']}", json={"forced_down": True})
    done = site.run("evacuate", HOST, "--yes")
    assert done.returncode == 1
    assert "its nova-compute is down: where the machine is surely off, say so (fenced)" in done.stdout
    assert site.places() == before
    done = site.run("evacuate", HOST, "--yes", "--fenced")
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.places() == gone(before)


def test_names_are_exact(site: Site) -> None:
    assert "no compute host of exactly this name; did you mean" in site.run("evacuate", "src-c", "--dry-run").stderr
    assert "is to be emptied" in site.run("evacuate", HOST, "--to", HOST, "--dry-run").stderr
    assert "nova-compute on src-c1 is up" in site.run("evacuate", HOST, "--fenced", "--dry-run").stderr
    undo = site.run("evacuate", HOST, "--undo", "--yes")
    assert (undo.returncode, "there is no evacuation of it to undo" in undo.stderr) == (2, True)


def test_a_tenant_s_servers_leave_by_host(site: Site) -> None:
    site.move("build-1")
    done = site.run("migrate", "--host", HOST, "--dry-run", "-f", "json", module="main")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    servers = {item["name"] for unit in plan["units"] for item in unit["items"] if item["type"] == "server"}
    assert servers == set(site.places()) - {"build-1"}
    assert any(unit["kind"] == "identity" for unit in plan["units"])
    wrong = site.run("migrate", "--host", "src-c", "--dry-run", module="main")
    assert (wrong.returncode, "servers live on src-c1" in wrong.stderr) == (2, True)
