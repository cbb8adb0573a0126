"""``pumphouse-bm reassign``: a host changes sides, or whatever happens it is intact, or a resume goes on with it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pumphouse.cli import hosts as cli
from pumphouse.embedded.demo.account import Service, operator
from pumphouse.embedded.process import Pair, start_pair
from pumphouse.tasks import installing, machines
from tests.functional import bmc
from tests.functional.fuel import ENVIRONMENT, Master
from tests.functional.pretended import Pretended
from tests.functional.waiting import until

HOST, OTHER = "src-c1", "src-c2"
MAC = "52:54:00:aa:00:03"
PROGRAM = Path(__file__).with_name("pretended.py")


class Site:
    """Two clouds; of the source's hosts one is empty and disabled. A machine that stands for that host."""

    def __init__(self, pair: Pair, directory: Path) -> None:
        self.pair, self.directory = pair, directory
        self.begun: list[subprocess.Popen[str]] = []
        pair.source.control("POST", "restore/begin")
        pair.destination.control("POST", "restore/begin")
        for cloud in (pair.source, pair.destination):
            cloud.control("POST", "faults", [])
        self.machine = Pretended.make(directory / "machine", HOST, pair.source.url, pair.destination.url)
        self.config = directory / "pumphouse.yaml"
        self.config.write_text(pair.config.read_text().replace("/pumphouse.sqlite", f"/{directory.name}.sqlite"))
        self.bmc: dict[str, Any] = {"kind": "command", "command": self.program("power"), "deadline": 20}
        self.provisioner: dict[str, Any] = {
            "name": "command",
            "command": self.program("install"),
            "actions": ["prepare", "discovered", "forget"],
            "state_directory": str(directory / "state"),
        }
        self.write()

    def program(self, which: str) -> list[str]:
        return [sys.executable, "-I", "-S", str(PROGRAM), which, str(self.machine.directory)]

    def write(self, **host: Any) -> None:
        """The inventory, beside the configuration."""
        about = {"source": True, "macs": [MAC], "bmc": self.bmc, "provisioner": self.provisioner, **host}
        about = {key: value for key, value in about.items() if value is not None}
        (self.directory / "inventory.yaml").write_text(yaml.safe_dump({"hosts": {HOST: about}}))

    def command(self, module: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", f"pumphouse.cli.{module}", "--config", str(self.config), *arguments]

    def run(self, *arguments: str, module: str = "hosts") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(module, *arguments), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120,
            check=False,
        )  # fmt: skip

    def begin(self, *arguments: str, module: str = "hosts") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            self.command(module, *arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.begun.append(process)
        return process

    def end(self) -> None:
        """Whatever became of a test, nothing of it runs on."""
        for process in self.begun:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def reassign(self) -> subprocess.CompletedProcess[str]:
        return self.run("reassign", HOST, "--yes")

    def shown(self) -> dict[str, Any]:
        done = self.run("show", "1", "-f", "json", module="main")
        return dict(json.loads(done.stdout)) if done.returncode == 0 else {"events": []}

    def steps(self) -> list[str]:
        return [event["text"] for event in self.shown()["events"]]

    # --- the clouds ---

    def nova(self, cloud: str) -> Service:
        return operator(cloud).compute

    def service(self, cloud: str, host: str = HOST) -> dict[str, Any] | None:
        found = self.nova(cloud).list("/os-services", "services", binary="nova-compute", host=host)
        return found[0] if found else None

    def agents(self) -> list[str]:
        return [agent["host"] for agent in operator("src").network.list("/v2.0/agents", "agents")]

    def providers(self) -> list[str]:
        placement = Service(operator("src")._session, "placement")
        return [one["name"] for one in placement.list("/resource_providers", "resource_providers")]

    def intact(self, power: str = "on") -> bool:
        """Whether the host is the source's as it was."""
        service = self.service("src")
        return (
            service is not None
            and (service["status"], service["state"]) == ("disabled", "up" if power == "on" else "down")
            and self.machine.get("power") == power
            and HOST in self.agents()
            and HOST in self.providers()
            and self.service("dst") is None
        )

    def arrived(self, name: str = HOST) -> bool:
        """Whether it is the destination's, and nothing of it is left in the source."""
        service = self.service("dst", name)
        known = [one["hypervisor_hostname"] for one in self.nova("src").list("/os-hypervisors", "hypervisors")]
        return (
            service is not None
            and (service["status"], service["state"]) == ("enabled", "up")
            and self.service("src") is None
            and HOST not in [*self.agents(), *self.providers(), *known]
            and OTHER in self.agents()
        )


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with start_pair(tmp_path_factory.mktemp("reassign")) as pair, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(pair.clouds_file))
        for name in ("PUMPHOUSE_CONFIG", "PUMPHOUSE_DATABASE", "PUMPHOUSE_INVENTORY"):
            patch.delenv(name, raising=False)
        nova = operator("src").compute
        (service,) = nova.list("/os-services", "services", binary="nova-compute", host=HOST)
        body = {"status": "disabled", "disabled_reason": "pumphouse: evacuated (migration 0)"}
        nova.call("PUT", f"/os-services/{service['id']}", json=body)
        operator("src").network.list("/v2.0/agents", "agents")
        for cloud in (pair.source, pair.destination):
            cloud.control("POST", "save/begin")
        yield pair


@pytest.fixture
def site(pair: Pair, tmp_path: Path) -> Iterator[Site]:
    site = Site(pair, tmp_path)
    yield site
    site.end()


def test_a_dry_run_shows_everything_and_changes_nothing(site: Site) -> None:
    done = site.run("reassign", HOST, "--dry-run")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    for words in (
        "is switched off by command",
        "no way back",
        "boots from the network",
        "must be up in the destination",
    ):
        assert words in said
    assert "All that is on the disks of src-c1 will be lost" in said
    assert "to be given to the destination in 4 units" in said
    plan = json.loads(site.run("reassign", HOST, "--dry-run", "-f", "json").stdout)
    assert plan["selection"] == {"reassign": HOST}
    assert plan["findings"] == []
    assert [unit["kind"] for unit in plan["units"]] == ["switch_off", "leave", "install", "join"]
    assert site.intact()
    assert site.machine.told() == []


def test_a_host_changes_sides(site: Site) -> None:
    # Each percentage is there for longer than we take from one look to the next.
    site.machine.set(pace=1.2)
    done = site.run("reassign", HOST, "--yes", "-f", "json")
    assert done.returncode == 0, done.stderr
    assert site.arrived()
    assert site.machine.told() == ["off", "prepare", "boot from network", "on, from network", "deploy"]
    report = json.loads(done.stdout)
    assert report["migration"]["state"] == "done"
    assert {one["verdict"] for one in report["resources"]} <= {"equal", "mapped"}
    steps = site.steps()
    assert any(re.match(r"deploying: \d+ % copying what is needed", step) for step in steps), steps
    assert "command has discovered it as node-of-mine" in steps
    verified = site.run("verify", "1", module="main")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    page = site.run("report", "1", "-f", "html", module="main")
    assert f"reassignment of {HOST}" in page.stdout
    told = json.loads(site.run("status", HOST, "-f", "json").stdout)
    assert told["reassignment"] == "migration 1 is done"
    back = site.run("rollback", "1", "--yes", module="main")
    assert back.returncode == 2
    assert "is a compute host of the destination, and is not given back" in back.stderr
    again = site.reassign()
    assert again.returncode == 1
    assert "knows no hypervisor of exactly the name src-c1" in again.stderr
    assert site.arrived()


MOMENTS = [
    "switching it off",
    "removing its nova-compute",
    "preparing command",
    "setting it to boot from the network",
    "switching it on",
    "waiting until command has discovered it",
    "deploying: 10 %",
    "waiting for its nova-compute in the destination",
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_each_step_and_resumed(site: Site, moment: str) -> None:
    site.machine.set(pace=0.8)
    if "waiting for its nova-compute" in moment:
        site.machine.fault("does not join")
    process = site.begin("reassign", HOST, "--yes")
    until(moment, lambda: any(step.startswith(moment) for step in site.steps()))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    if "waiting for its nova-compute" in moment:
        site.machine.alive("destination", True)
    done = site.run("resume", "1", module="main")
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.arrived()
    told = site.machine.told()
    assert told.count("deploy") == 1
    assert told.count("on, from network") == 1
    assert "on, from disk" not in told
    assert told.index("off") < told.index("on, from network")


@pytest.mark.parametrize("lost", ["DELETE /compute/v2.1/os-services/.*", "DELETE /network/v2.0/agents/.*"])
def test_an_answer_that_is_lost(site: Site, lost: str) -> None:
    """What has had its effect is not done again, and is no failure."""
    method, path = lost.split()
    site.pair.source.control("POST", "faults", [{"kind": "lost", "method": method, "path": path}])
    done = site.reassign()
    assert done.returncode == 0, done.stderr
    assert site.pair.source.control("GET", "faults")[0]["struck"] == 1
    assert site.arrived()


def test_what_nova_leaves_is_removed(site: Site) -> None:
    site.pair.source.control("POST", "faults", [{"kind": "fails", "type": "provider"}])
    done = site.reassign()
    assert done.returncode == 0, done.stderr
    assert "removing its resource provider, which Nova has left" in site.steps()
    assert site.arrived()


# --- what is refused ---


def blocked(site: Site, words: str) -> None:
    """Nothing was done, and it is said why."""
    done = site.reassign()
    assert done.returncode == 1, done.stdout + done.stderr
    assert words in done.stderr
    assert "is not reassigned for what blocks" in done.stderr
    assert site.machine.told() == []


def test_hosts_that_are_not_to_be_touched(site: Site) -> None:
    site.write(source=False)
    blocked(site, "src-c1 is not noted as a host of the source in the inventory (source: true)")
    site.write(provisioner=None)
    blocked(site, "the inventory has no provisioner for src-c1: it cannot be reassigned")
    site.write(bmc={"kind": "none"})
    blocked(site, "src-c1 has no BMC in the inventory (bmc.kind: none)")
    site.write(provisioner={**site.provisioner, "command": ["/nowhere/program"]})
    blocked(site, "/nowhere/program (provisioner.command) is not there")
    site.write()
    site.machine.alive("destination", True)
    blocked(site, "the destination has a nova-compute on src-c1 already")
    nova, path = site.nova("src"), f"/os-services/{(site.service('src') or {})['id']}"
    nova.call("PUT", path, json={"status": "enabled"})
    blocked(site, "nova-compute on src-c1 is enabled, so that new servers may come")
    done = site.run("reassign", "src-c", "--yes")
    assert done.returncode == 2
    assert "there is no host 'src-c'; did you mean src-c1?" in done.stderr
    assert site.run("reassign", HOST).returncode == 2


def test_another_inventory(site: Site) -> None:
    """Named by the option, in all commands that need it; without one, in one line."""
    other = site.directory / "inventory.yaml"
    elsewhere = other.rename(site.directory / "other.yaml")
    done = site.reassign()
    assert done.returncode == 2
    assert "no inventory was found; name one with --inventory" in done.stderr
    site.machine.fault("cannot be deployed")
    done = site.run("reassign", HOST, "--yes", "--inventory", str(elsewhere))
    assert done.returncode == 1, done.stderr
    done = site.run("resume", "1", module="main")
    assert "no inventory was found" in done.stdout
    site.machine.fault("cannot be deployed", False)
    done = site.run("resume", "1", "--inventory", str(elsewhere), module="main")
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.arrived()


def test_a_host_that_nova_does_not_let_go(site: Site) -> None:
    """It is off then, and still the source's; whoever has enabled it meanwhile keeps it."""
    path = f"/os-services/{(site.service('src') or {})['id']}"
    nova = site.nova("src")
    site.pair.source.control(
        "POST", "faults", [{"kind": "status", "method": "DELETE", "path": "/compute/v2.1/os-services/.*", "status": 409,
                            "message": "Unable to delete compute service that is hosting instances."}],
    )  # fmt: skip
    done = site.reassign()
    assert done.returncode == 1
    assert "Unable to delete compute service that is hosting instances" in " ".join(done.stdout.split())
    assert site.intact(power="off")
    nova.call("PUT", path, json={"status": "enabled"})
    done = site.run("resume", "1", module="main")
    assert done.returncode == 1
    said = " ".join(done.stdout.split())
    assert "is enabled, so that new servers may come (evacuate it first): it is not removed" in said
    assert site.machine.told() == ["off"]
    nova.call("PUT", path, json={"status": "disabled"})
    done = site.run("rollback", "1", "--yes", module="main")
    assert done.returncode == 0, done.stderr
    assert site.intact()
    assert site.machine.told() == ["off", "on, from disk"]


# --- faults ---


def test_a_machine_that_never_appears(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(installing, "DISCOVERY", 2)
    monkeypatch.setattr(machines, "LOOK", 0.2)
    site.machine.fault("does not boot")
    assert cli.main(["--config", str(site.config), "reassign", HOST, "--yes"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert f"waited for command to discover {HOST} by {MAC} (does it boot from its network?) for 2 s, in vain" in said
    assert site.service("src") is None
    assert "failed" in json.loads(site.run("status", HOST, "-f", "json").stdout)["reassignment"]
    site.machine.fault("does not boot", False)
    done = site.run("resume", "1", module="main")
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.arrived()
    cycle = ["off", "prepare", "boot from network", "on, from network"]
    assert site.machine.told() == [*cycle, *cycle, "deploy"]


def test_a_service_that_never_comes_up(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(installing, "JOINING", 1)
    site.machine.fault("does not join")
    assert cli.main(["--config", str(site.config), "reassign", HOST, "--yes"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "nova-manage cell_v2 discover_hosts) for 1 s, in vain; last seen: no nova-compute of that name" in said
    site.machine.alive("destination", True)
    path = f"/os-services/{(site.service('dst') or {})['id']}"
    site.nova("dst").call("PUT", path, json={"status": "disabled", "disabled_reason": "new"})
    done = site.run("resume", "1", module="main")
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.arrived()
    assert site.machine.told().count("deploy") == 1


def test_a_deployment_that_fails(site: Site) -> None:
    """It is said why; a resume deploys again, without switching anything."""
    site.machine.fault("cannot be deployed")
    done = site.reassign()
    assert done.returncode == 1
    assert "waited for command to deploy src-c1: the disk is too small; its log: " in " ".join(done.stdout.split())
    before = site.machine.told()
    assert before == ["off", "prepare", "boot from network", "on, from network", "deploy"]
    assert (site.directory / "state" / f"{HOST}.log").exists()
    site.machine.fault("cannot be deployed", False)
    done = site.run("resume", "1", module="main")
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.machine.told() == [*before, "deploy"]
    assert site.arrived()


def test_there_is_no_way_back_and_it_is_said(site: Site) -> None:
    site.machine.fault("cannot be deployed")
    assert site.reassign().returncode == 1
    done = site.run("rollback", "1", "--yes", module="main")
    assert done.returncode == 1
    assert "src-c1 stays as it is, on or off: it is not in the source any more" in done.stderr
    assert site.machine.told()[-1] == "forget"
    assert site.service("src") is None
    assert site.machine.get("power") == "on"
    site.machine.fault("cannot be deployed", False)
    done = site.run("resume", "1", module="main")
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.arrived()
    cycle = ["off", "prepare", "boot from network", "on, from network", "deploy"]
    assert site.machine.told() == [*cycle, "forget", *cycle]


def test_cancelled_while_it_is_deployed(site: Site) -> None:
    site.machine.set(pace=1.5)
    process = site.begin("reassign", HOST, "--yes")
    until("the deployment", lambda: any(step.startswith("deploying") for step in site.steps()))
    begun = time.monotonic()
    done = site.run("cancel", "1", module="main")
    assert done.returncode == 0, done.stderr
    output, _ = process.communicate(timeout=60)
    assert time.monotonic() - begun < 15
    assert process.returncode == 130, output
    assert site.machine.told()[-1] == "forget"
    assert site.service("dst") is None
    site.machine.set(pace=0.0)
    done = site.run("resume", "1", module="main")
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.arrived()


def test_a_switch_that_fails_in_the_middle(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machines, "AGAIN", (0.1,))
    site.machine.fault("cannot be switched")
    assert cli.main(["--config", str(site.config), "reassign", HOST, "--yes"]) == 1
    assert "failed with code 1: the PDU does not answer" in " ".join(capsys.readouterr().out.split())
    assert site.intact()
    site.machine.fault("cannot be switched", False)
    done = site.run("resume", "1", module="main")
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.arrived()


# --- a real BMC's software ---


@bmc.needs_simulator
def test_over_ipmi_it_really_boots_from_the_network(site: Site, tmp_path: Path) -> None:
    with bmc.Machine(tmp_path / "ipmi", HOST, MAC) as machine:
        ipmi = {"kind": "ipmi", "address": "127.0.0.1", "port": machine.port, "username": bmc.USER, "deadline": 5}
        site.bmc = {**ipmi, "password": "wrong"}
        site.write()
        blocked(site, "the BMC of src-c1 (127.0.0.1:")
        site.bmc = {**ipmi, "password": bmc.PASSWORD}
        site.write()
        machine.hang()
        blocked(site, "does not answer")
        machine.go_on()
        assert machine.told() == []
        machine.ipmitool("power", "on")
        # Of the pretended machine only what installs it is used.
        site.machine.put("power", "off")
        site.machine.alive("source", False)
        process = site.begin("reassign", HOST, "--yes")
        until("its second start", lambda: process.poll() is not None or "starts from network" in machine.told())
        machine.frames.clear()
        until("its call for the network", lambda: process.poll() is not None or machine.asked_for_network())
        site.machine.put("booted", str(time.time()))
        output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert bmc.PASSWORD not in output
    assert site.arrived()
    assert machine.told() == [
        "power 1", "starts from disk", "power 0", "boot pxe", "power 1", "starts from network",
    ]  # fmt: skip


# --- Fuel ---


@pytest.fixture(scope="module", params=["9.2", "6.0"])
def master(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    from pumphouse.embedded.nailgun.process import NailgunProcess

    with NailgunProcess(request.param, tmp_path_factory.mktemp("nailgun")) as process:
        master = Master(process)
        master.populate()
        process.control("POST", "save/populated")
        yield master


def with_fuel(site: Site, master: Master) -> None:
    """The machine's agent speaks to this Fuel; what it has installed joins the destination."""
    from tests.functional.fuel import NEW

    master.process.control("POST", "restore/populated")
    master.token = ""
    master.faults()
    site.provisioner = {
        "name": "fuel", "url": master.process.url, "password": master.process.password, "environment": ENVIRONMENT,
    }  # fmt: skip
    site.write(macs=[NEW.mac])


def installed(
    site: Site, master: Master, process: subprocess.Popen[str], ends: tuple[str, ...] = ("ready", "error")
) -> tuple[int, str]:
    """Stand in for the machine: its agent, and in the end its nova-compute. Exit code and output."""
    from tests.functional.fuel import NEW

    until("a network boot", lambda: process.poll() is not None or site.machine.get("booted"))
    if process.poll() is None:
        NEW.boots(master.process.url)
    until("the node", lambda: process.poll() is not None or master.node(NEW)["status"] in ends)
    if process.poll() is None and master.node(NEW)["status"] == "ready":
        early = master.process.release == "6.0"
        site.machine.set(joins_as=f"node-{master.node(NEW)['id']}.domain.tld" if early else f"{HOST}.domain.tld")
        site.machine.alive("destination", True)
    output, _ = process.communicate(timeout=60)
    return process.returncode, output


def test_with_fuel(site: Site, master: Master) -> None:
    with_fuel(site, master)
    master.delays(provision=1, deploy=1)
    code, output = installed(site, master, site.begin("reassign", HOST, "--yes"))
    master.delays(provision=0, deploy=0)
    assert code == 0, output
    assert site.arrived(site.machine.settings["joins_as"])
    assert any(step.startswith("deploying:") for step in site.steps())


def test_with_fuel_and_somebody_elses_change(site: Site, master: Master) -> None:
    from pumphouse.embedded.nailgun.agent import Machine as Agent

    with_fuel(site, master)
    stranger = Agent("52:54:00:cc:00:01", "10.20.0.160")
    master.add(master.environment()["id"], stranger, "compute", deploy=False)
    blocked(site, "somebody is about to add")
    assert site.intact()


def test_with_fuel_whose_deployment_fails(site: Site, master: Master) -> None:
    with_fuel(site, master)
    master.faults({"kind": "fails", "type": "deploy"})
    code, output = installed(site, master, site.begin("reassign", HOST, "--yes"))
    assert code == 1, output
    assert "waited for fuel to deploy src-c1: " in " ".join(output.split())
    code, output = installed(site, master, site.begin("resume", "1", module="main"), ("ready",))
    assert code == 0, output
    assert site.arrived(site.machine.settings["joins_as"])
    assert site.machine.told().count("on, from network") == 1


def test_the_service_runs_it_and_goes_on_with_it(site: Site) -> None:
    """An engine finds the inventory as the commands do."""
    site.machine.set(pace=0.5)
    process = site.begin("reassign", HOST, "--yes")
    until("its removal", lambda: any("preparing command" in step for step in site.steps()))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    engine = subprocess.Popen(
        [sys.executable, "-c", ENGINE, str(site.config)], stdin=subprocess.DEVNULL, env={**os.environ}
    )
    assert engine.wait(90) == 0
    assert site.arrived()


#: What the engine does with a job to resume.
ENGINE = """
import sys, threading
from pumphouse import config
from pumphouse.engine import requests
from pumphouse.engine.work import Work
from pumphouse.store import Store
from pumphouse.store import jobs

settings = config.load(sys.argv[1])
with Store.open(settings.database) as store:
    requests.resume(store, store.migration(1), "alice")
    (job,) = jobs.newest(store, migration_id=1)
    Work(settings, store, job, threading.Event())()
    assert store.migration(1).state == "done", store.migration(1).state
"""
