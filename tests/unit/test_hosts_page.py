"""docs/hosts.md: it names all options, and its two programs do what it says, with stand-ins for what they call."""

from __future__ import annotations

import os
import re
import shutil
import time
from pathlib import Path

import pytest

from pumphouse.hosts import drivers, provisioners
from pumphouse.hosts.inventory import Driver, Host
from pumphouse.hosts.provisioners.command import Command
from pumphouse.hosts.provisioners.detached import Job

PAGE = (Path(__file__).parents[2] / "docs/hosts.md").read_text()

needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="LEFT OUT: the programs of docs/hosts.md need jq")

#: What the programs call: each notes how, and answers as the real ones do.
STAND_INS = {
    "kolla-ansible": 'echo "kolla-ansible $*" >> $STAGE/calls; echo "PLAY RECAP: failed=0"; test ! -e $STAGE/$1.fails',
    "ssh": "test -e $STAGE/uptime && cat $STAGE/uptime",
    "maas": """
    echo "maas $*" >> $STAGE/calls
    case "$2 $3" in
      "machines read") cat $STAGE/machines ;;
      "machine read") head -1 $STAGE/states | sed 's/.*/{"status_name": "&"}/'; sed -i '1{$!d}' $STAGE/states ;;
    esac
    """,
}


@pytest.fixture
def stage(tmp_path, monkeypatch):
    programs = re.findall(r"```bash\n(#!/bin/bash\n.*?)```", PAGE, re.DOTALL)
    texts = dict(zip(("pumphouse-kolla", "pumphouse-maas"), programs, strict=True))
    texts |= {name: f"#!/bin/sh\n{text}\n" for name, text in STAND_INS.items()}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "multinode").write_text("[compute]\nc1 ansible_host=10.0.0.1\n")
    (tmp_path / "machines").write_text("[]")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("STAGE", str(tmp_path))
    monkeypatch.setenv("PAUSE", "0.01")
    yield tmp_path
    Job(tmp_path / "state", "c1").stop()


def make(stage, program, *actions):
    said = {
        "command": (program,), "actions": actions, "state_directory": str(stage / "state"),
        "parameters": {"inventory": str(stage / "multinode")},
    }  # fmt: skip
    options = {key: said.get(key, option.default) for key, option in Command.OPTIONS.items()}
    host = Host("c1", ("52:54:00:aa:00:01",), Driver("none"), True, Driver("command", options))
    return provisioners.of(host), host


def deploy(driver, host, node):
    driver.deploy(host, node)
    end = time.monotonic() + 20
    while (now := driver.progress(host, node)).state == "deploying":
        assert time.monotonic() < end
        time.sleep(0.02)
    return now


def calls(stage):
    return (stage / "calls").read_text().splitlines()


@needs_jq
def test_kolla_ansible(stage):
    driver, host = make(stage, "pumphouse-kolla", "check", "discovered")
    assert driver.check(host) == []
    assert driver.discovered(host, time.time()) is None
    (stage / "uptime").write_text("5000.25 1.0\n")
    assert driver.discovered(host, time.time() - 300) is None
    assert driver.discovered(host, time.time() - 6000) == "c1"
    (stage / "pull.fails").touch()
    now = deploy(driver, host, "c1")
    assert (now.state, now.percent) == ("failed", 30)
    assert now.text.startswith("while pulling images; its log: ")
    (stage / "pull.fails").unlink()
    assert deploy(driver, host, "c1").state == "done"
    limit = f"-i {stage}/multinode --limit c1"
    assert calls(stage)[-3:] == [f"kolla-ansible {what} {limit}" for what in ("bootstrap-servers", "pull", "deploy")]
    (stage / "multinode").write_text("[compute]\nc11\n")
    assert driver.check(host) == [f"c1 is not in {stage}/multinode: add it to the group compute"]


@needs_jq
def test_maas(stage):
    driver, host = make(stage, "pumphouse-maas", "check", "prepare", "discovered")
    assert driver.check(host) == []
    (stage / "machines").write_text('[{"system_id": "old7"}]')
    driver.prepare(host)
    assert calls(stage)[-1] == "maas admin machine delete old7"
    (stage / "machines").write_text("[]")
    driver.prepare(host)
    assert driver.discovered(host, time.time()) is None
    (stage / "machines").write_text('[{"system_id": "abc1"}]')
    assert driver.discovered(host, time.time()) == "abc1"
    assert calls(stage)[-1] == "maas admin machines read mac_address=52:54:00:aa:00:01"
    (stage / "states").write_text("New\nCommissioning\nTesting\nFailed testing\n")
    now = deploy(driver, host, "abc1")
    assert now.text.startswith("MAAS says: Failed testing; its log: ")
    (stage / "states").write_text("Failed commissioning\nCommissioning\nTesting\nReady\nReady\nDeploying\nDeployed\n")
    (stage / "calls").unlink()
    assert deploy(driver, host, "abc1").state == "done"
    changes = [call for call in calls(stage) if "read" not in call]
    assert changes[:2] == ["maas admin machine commission abc1", "maas admin machine deploy abc1"]
    assert [call.split()[1] for call in changes[2:]] == ["bootstrap-servers", "pull", "deploy"]


def test_every_option_is_explained():
    known = [(drivers.POWER, name) for name in ("ipmi", "redfish", "command", "none")]
    known.append((drivers.PROVISIONER, "command"))
    for group, name in known:
        for option in drivers.find(group, name).OPTIONS:
            assert f"`{option}`" in PAGE, (group, name, option)
