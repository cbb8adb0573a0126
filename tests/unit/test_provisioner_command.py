"""The operator's own program: what it is told, what is understood of it, and that it outlives us."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pumphouse.errors import UsageError
from pumphouse.hosts import provisioners
from pumphouse.hosts.inventory import Driver, Host, Layout
from pumphouse.hosts.options import Secret
from pumphouse.hosts.provisioners.base import ProvisionerError
from pumphouse.hosts.provisioners.command import Command
from pumphouse.hosts.provisioners.detached import Job
from tests.unit.test_power import gone

PATIENCE = 20


@pytest.fixture
def make(tmp_path):
    """A host whose provisioner is this shell script; whatever still runs is ended."""
    made = []

    def make(text, name="c1", **options):
        program = tmp_path / f"{name}.sh"
        program.write_text(f"#!/bin/sh\ncd {tmp_path}\n{text}\n")
        program.chmod(0o700)
        said = {"command": (str(program),), "state_directory": str(tmp_path / "state"), "deadline": 30, **options}
        filled = {key: said.get(key, option.default) for key, option in Command.OPTIONS.items()}
        host = Host(
            name, ("52:54:00:aa:00:01",), Driver("none"), True, Driver("command", filled), ("compute", "ceph"),
            disks=Layout("fixed", None, {"sda": {"os": 51200}}), nics=Layout("discovery", "c9"),
        )  # fmt: skip
        made.append(host)
        return provisioners.of(host), host

    yield make
    for host in made:
        Job(tmp_path / "state", host.name).stop()


def ended(driver, host):
    end = time.monotonic() + PATIENCE
    while (now := driver.progress(host, host.name)).state == "deploying":
        assert time.monotonic() < end
        time.sleep(0.02)
    return now


def seen(driver, host, text):
    end = time.monotonic() + PATIENCE
    while (now := driver.progress(host, host.name)).text != text:
        assert now.state == "deploying"
        assert time.monotonic() < end
        time.sleep(0.02)
    return now


def test_from_nothing_to_done(make, tmp_path):
    driver, host = make(
        "cat > given; echo 'progress 40 installing packages'; while [ ! -e go ]; do sleep 0.05; done; echo done",
        parameters={"limit": "rack-1"}, token=Secret("t0ken"),
    )  # fmt: skip
    assert driver.check(host) == []
    driver.prepare(host)
    assert driver.progress(host, "c1").state == "waiting"
    assert driver.discovered(host, time.time()) == "c1"
    driver.deploy(host, "c1")
    now = seen(driver, host, "installing packages")
    assert (now.state, now.percent) == ("deploying", 40)
    assert driver.check(host) == ["c1 is being deployed right now"]
    with pytest.raises(ProvisionerError, match="c1 is being deployed right now"):
        driver.prepare(host)
    (tmp_path / "go").touch()
    assert ended(driver, host).state == "done"
    assert json.loads((tmp_path / "given").read_text()) == {
        "action": "deploy", "node": "c1", "parameters": {"limit": "rack-1"}, "token": "t0ken",
        "host": {
            "name": "c1", "macs": ["52:54:00:aa:00:01"], "source": True, "roles": ["compute", "ceph"],
            "disks": {"layout": "fixed", "volumes": {"sda": {"os": 51200}}},
            "nics": {"layout": "discovery", "from": "c9"},
        },
    }  # fmt: skip
    for file in (tmp_path / "state").iterdir():
        assert file.stat().st_mode & 0o077 == 0, file
        assert "t0ken" not in file.read_text()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("echo 'failed the disk is too small'", "the disk is too small; its log: "),
        ("echo 'progress 90 nearly'; echo oh no; exit 3", "it ended with code 3: oh no; its log: "),
        ("echo 'done'; exit 1", "it ended with code 1: done; its log: "),
        ("echo 'progress 50 halfway'", "it ended without the line 'done'; its log: "),
        ("echo 'failed to reach t0ken'", "to reach ***; its log: "),
        ("kill -9 $$", "it ended with code -9: "),
    ],
)
def test_what_fails(make, text, says):
    driver, host = make(text, token=Secret("t0ken"))
    driver.deploy(host, "c1")
    now = ended(driver, host)
    assert now.state == "failed"
    assert now.text.startswith(says)


def test_words_of_ansible_are_not_ours(make):
    driver, host = make("echo 'failed: [c1] (item=x) => ignored'; echo 'c1 : ok=3 failed=0'; echo ' done '")
    driver.deploy(host, "c1")
    assert ended(driver, host).state == "done"


def test_a_deadline(make, tmp_path):
    driver, host = make("sleep 60 & echo $! > pid; wait", deadline=1)
    driver.deploy(host, "c1")
    now = ended(driver, host)
    assert now.state == "failed"
    assert "it took longer than 1 s" in now.text
    assert gone(tmp_path / "pid")


def test_a_program_that_cannot_be_started(make):
    driver, host = make("", command=("/nowhere/kolla",))
    assert driver.check(host) == ["/nowhere/kolla (provisioner.command) is not there, or is not executable"]
    driver.deploy(host, "c1")
    assert "/nowhere/kolla cannot be started: No such file or directory" in ended(driver, host).text


def test_begun_once_whoever_asks(make, tmp_path):
    driver, host = make("echo x >> starts; while [ ! -e go ]; do sleep 0.05; done; echo done")
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: driver.deploy(host, "c1"), range(6)))
    driver.deploy(host, "c1")
    (tmp_path / "go").touch()
    assert ended(driver, host).state == "done"
    # What is done is not done again before somebody prepares for it anew.
    driver.deploy(host, "c1")
    assert driver.progress(host, "c1").state == "done"
    assert (tmp_path / "starts").read_text() == "x\n"
    driver.prepare(host)
    assert driver.progress(host, "c1").state == "waiting"


def test_after_a_failure_it_begins_again(make, tmp_path):
    driver, host = make("test -e fixed || { echo failed once; exit 1; }; echo done")
    driver.deploy(host, "c1")
    assert ended(driver, host).state == "failed"
    (tmp_path / "fixed").touch()
    driver.deploy(host, "c1")
    assert ended(driver, host).state == "done"


DEPLOY = """
import sys, time
from tests.unit.test_provisioner_command import Command, Host, Driver
options = {key: option.default for key, option in Command.OPTIONS.items()}
options.update(command=(sys.argv[1],), state_directory=sys.argv[2])
host = Host("c1", ("52:54:00:aa:00:01",), Driver("none"), True, Driver("command", options))
Command(options).deploy(host, "c1")
print("begun", flush=True)
time.sleep(60)
"""


def test_it_outlives_us(make, tmp_path):
    driver, host = make("echo 'progress 10 begun'; while [ ! -e go ]; do sleep 0.05; done; cat > given; echo done")
    ours = subprocess.Popen(
        [sys.executable, "-c", DEPLOY, host.provisioner.options["command"][0], str(tmp_path / "state")],
        stdout=subprocess.PIPE, text=True, start_new_session=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert ours.stdout.readline() == "begun\n"
    os.killpg(ours.pid, signal.SIGKILL)
    ours.wait()
    assert seen(driver, host, "begun").percent == 10
    driver.deploy(host, "c1")
    (tmp_path / "go").touch()
    assert ended(driver, host).state == "done"
    assert json.loads((tmp_path / "given").read_text())["action"] == "deploy"


def test_a_keeper_that_was_killed(make, tmp_path):
    driver, host = make(
        "echo $$ > pid; echo x >> starts; echo 'progress 1 on'; [ -e go ] && echo done || exec sleep 60"
    )
    driver.deploy(host, "c1")
    seen(driver, host, "on")
    keeper, _ = json.loads((tmp_path / "state/c1.json").read_text())["keeper"]
    os.kill(keeper, signal.SIGKILL)
    now = ended(driver, host)
    assert now.state == "failed"
    assert "it was killed, or this machine was restarted" in now.text
    (tmp_path / "pid").rename(tmp_path / "orphan")
    assert Path(f"/proc/{(tmp_path / 'orphan').read_text().strip()}").exists()
    # Two at once would be worse than one that is cut off.
    (tmp_path / "go").touch()
    driver.deploy(host, "c1")
    assert ended(driver, host).state == "done"
    assert gone(tmp_path / "orphan")


def test_forget_stops_it(make, tmp_path):
    driver, host = make("echo 'progress 1 on'; sleep 60")
    driver.deploy(host, "c1")
    seen(driver, host, "on")
    driver.forget(host, "c1")
    assert driver.progress(host, "c1").state == "waiting"
    assert {file.name for file in (tmp_path / "state").iterdir()} == {"c1.lock"}
    driver.forget(host, None)


def test_other_actions_are_asked_for_where_the_program_knows_them(make, tmp_path):
    text = """
    given=$(cat); echo "$given" | grep -o '"action": "[a-z]*"' >> asked
    case "$given" in
      *'"action": "check"'*) echo 'the playbook is not there'; echo; echo 'no SSH key: t0ken' ;;
      *'"action": "discovered"'*) echo looking; [ -e booted ] && echo node-7 || echo '' ;;
      *'"action": "forget"'*) echo 'cannot forget t0ken' >&2; exit 4 ;;
    esac
    """
    actions = ("check", "prepare", "discovered", "forget")
    driver, host = make(text.replace("echo looking;", ""), actions=actions, token=Secret("t0ken"))
    assert driver.check(host) == ["the playbook is not there", "no SSH key: ***"]
    driver.prepare(host)
    assert driver.discovered(host, time.time()) is None
    (tmp_path / "booted").touch()
    assert driver.discovered(host, time.time()) == "node-7"
    with pytest.raises(ProvisionerError, match=r"\(forget\) failed with code 4: cannot forget \*\*\*"):
        driver.forget(host, "node-7")
    asked = [line.split('"')[3] for line in (tmp_path / "asked").read_text().splitlines()]
    assert asked == ["check", "prepare", "discovered", "discovered", "forget"]


def test_an_action_has_a_deadline(make):
    driver, host = make("sleep 60", actions=("check", "prepare"), action_deadline=1)
    assert driver.check(host)[0].endswith("(check) took longer than 1 s")
    with pytest.raises(ProvisionerError, match=r"\(prepare\) took longer than 1 s") as caught:
        driver.prepare(host)
    assert caught.value.passing


def test_a_host_without_a_provisioner():
    with pytest.raises(UsageError, match="the inventory has no provisioner for c1: it cannot be reassigned"):
        provisioners.of(Host("c1", ("52:54:00:aa:00:01",), Driver("none")))
