"""``pumphouse-bm power``, ``status`` and ``inventory``, on embedded clouds and a real BMC's software."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import yaml

from pumphouse.embedded import demo
from pumphouse.embedded.demo.account import operator
from pumphouse.embedded.process import start_pair
from tests.functional import bmc

pytestmark = bmc.needs_simulator

HOST, OTHER, NOBODYS = "src-c1", "src-c2", "dst-c1"
MACS = {HOST: "52:54:00:aa:00:01", OTHER: "52:54:00:aa:00:02", NOBODYS: "52:54:00:aa:00:03"}
PLACE = "OS-EXT-SRV-ATTR:host"


class Site:
    """Two clouds, the machine of HOST, and an inventory."""

    def __init__(self, pair, machine, directory):
        self.pair, self.machine = pair, machine
        self.nova = operator("src").compute
        (directory / "pw").write_text(f"{bmc.PASSWORD}\n")
        ipmi = {
            "kind": "ipmi",
            "address": "127.0.0.1",
            "username": bmc.USER,
            "password": {"file": str(directory / "pw")},
        }
        hosts = {
            name: {"macs": [mac], "source": name != NOBODYS, "bmc": {"kind": "none"}} for name, mac in MACS.items()
        }
        hosts[HOST].update(
            bmc={**ipmi, "port": machine.port}, provisioner={"name": "command", "command": ["/bin/true"]}
        )
        hosts[NOBODYS]["bmc"] = {**ipmi, "port": bmc.free_port()}
        self.inventory = directory / "inventory.yaml"
        self.inventory.write_text(yaml.safe_dump({"hosts": hosts}))
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("OS_", "PUMPHOUSE_"))},
            "OS_CLIENT_CONFIG_FILE": str(pair.clouds_file),
            "PUMPHOUSE_CONFIG": str(pair.config),
            "PUMPHOUSE_INVENTORY": str(self.inventory),
            "XDG_STATE_HOME": str(directory / "state"),
        }

    def run(self, *arguments):
        """Exit code, stdout, stderr; no secret in any of them."""
        done = subprocess.run(
            [sys.executable, "-m", "pumphouse.cli.hosts", *arguments],
            env=self.environment, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert bmc.PASSWORD not in done.stdout + done.stderr
        return done.returncode, done.stdout, done.stderr

    def refused(self, *arguments):
        """What it says, and that nothing was switched."""
        before = self.machine.told()
        code, out, err = self.run(*arguments)
        assert (code, out) == (1, "")
        assert self.machine.told() == before
        return err

    def on_host(self, host=HOST):
        found = self.nova.list("/servers/detail", "servers", all_tenants=1)
        return [server for server in found if server[PLACE] == host]

    def disable(self, host=HOST, status="disabled"):
        (service,) = self.nova.list("/os-services", "services", binary="nova-compute", host=host)
        self.nova.call("PUT", f"/os-services/{service['id']}", json={"status": status})

    def move_away(self):
        """All servers, each in a way of Nova's; at least one can still come back."""
        for number, server in enumerate(self.on_host()):
            path = f"/servers/{server['id']}"
            if number and server["status"] == "ACTIVE":
                self.nova.act(path, **{"os-migrateLive": {"host": None, "block_migration": "auto"}})
            else:
                self.nova.act(path, migrate={})
        bmc.wait(lambda: not self.on_host())

    def confirm_moves(self):
        for server in self.on_host(OTHER):
            if server["status"] == "VERIFY_RESIZE":
                self.nova.act(f"/servers/{server['id']}", confirmResize=None)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    directory = tmp_path_factory.mktemp("bare-metal")
    with start_pair(directory / "clouds") as pair, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(pair.clouds_file))
        demo.fill(operator("src"), operator("dst"), "small", say=lambda _: None)
        pair.source.control("POST", "save/begin")
        yield pair


@pytest.fixture
def site(shared, tmp_path):
    shared.source.control("POST", "restore/begin")
    with bmc.Machine(tmp_path, HOST, MACS[HOST]) as machine:
        yield Site(shared, machine, tmp_path)


def test_the_inventory_is_checked(site):
    code, out, _ = site.run("inventory")
    assert code == 0
    assert f"{site.inventory}: 3 hosts, nothing wrong with the file" in out
    code, out, _ = site.run("inventory", "--reach", "-f", "json")
    assert code == 1
    ways = {row["name"]: row["in_the_way"] for row in json.loads(out)}
    assert ways[HOST] == []
    assert ways[OTHER] == ["src-c2 has no BMC in the inventory (bmc.kind: none): it cannot be switched from here, or "
                           "describe its BMC"]  # fmt: skip
    assert "the BMC of dst-c1 (127.0.0.1:" in ways[NOBODYS][0]
    assert "does not answer" in ways[NOBODYS][0]
    assert site.machine.told() == []
    site.inventory.write_text("hosts: {c1: {}}")
    code, out, err = site.run("inventory")
    assert (code, out) == (2, "")
    allowed = "macs, bmc, provisioner, source, roles, disks, nics"
    assert err == f"pumphouse-bm: {site.inventory}: hosts.c1.macs: this key is missing; allowed: {allowed}\n"


def test_on_from_the_network(site):
    assert site.run("power", HOST, "status")[:2] == (0, "off\n")
    assert site.run("power", HOST, "on", "--network")[:2] == (0, "on\n")
    bmc.wait(site.machine.asked_for_network, 60)
    assert site.machine.told() == ["boot pxe", "power 1", "starts from network"]
    code, _, err = site.run("power", HOST, "on", "--network")
    assert code == 2
    assert "--network: src-c1 is on; it would boot from the network at some later start" in err


def test_off_only_when_nobody_is_on_it(site):
    assert site.run("power", HOST, "on")[0] == 0
    assert len(site.on_host()) > 0
    assert f"of the source live on {HOST}: " in site.refused("power", HOST, "off", "--yes")
    site.move_away()
    assert f"of the source may still come back on {HOST}: " in site.refused("power", HOST, "off", "--yes")
    site.confirm_moves()
    assert f"nova-compute on {HOST} is enabled, so that new servers may come" in site.refused(
        "power", HOST, "off", "--yes"
    )
    site.disable()
    code, _, err = site.run("power", HOST, "off")
    assert code == 2
    assert "nobody can be asked" in err
    code, out, err = site.run("power", HOST, "off", "--yes")
    assert (code, out) == (0, "off\n"), err
    assert site.machine.told() == ["power 1", "starts from disk", "power 0"]


def test_off_only_for_hosts_of_the_source(site):
    site.disable()
    described = yaml.safe_load(site.inventory.read_text())
    described["hosts"][HOST]["source"] = False
    site.inventory.write_text(yaml.safe_dump(described))
    for action in (("off", "--yes"), ("on", "--network")):
        assert "src-c1 is not noted as a host of the source in the inventory" in site.refused("power", HOST, *action)
    described["hosts"][HOST]["source"] = True
    site.inventory.write_text(yaml.safe_dump(described))
    err = site.refused("power", NOBODYS, "off", "--yes")
    assert "dst-c1 is not noted as a host of the source in the inventory (source: true): it is not switched off" in err
    code, _, err = site.run("power", "src-c", "off", "--yes")
    assert code == 2
    assert "there is no host 'src-c'; did you mean src-c" in err
    # A name that Nova does not know: perhaps that of a full host without its domain.
    described["hosts"] = {"src-c1.example": described["hosts"][HOST]}
    site.inventory.write_text(yaml.safe_dump(described))
    err = site.refused("power", "src-c1.example", "off", "--yes")
    assert "the source's Nova knows no hypervisor of exactly the name src-c1.example: it is not switched off" in err


def test_a_cloud_that_cannot_be_asked_has_not_agreed(site):
    site.environment["OS_CLIENT_CONFIG_FILE"] = str(site.inventory.with_name("clouds.yaml"))
    clouds = yaml.safe_load(site.pair.clouds_file.read_text())
    clouds["clouds"]["dst"]["auth"]["auth_url"] = "http://127.0.0.1:1/v3"
    site.inventory.with_name("clouds.yaml").write_text(yaml.safe_dump(clouds))
    site.disable()
    site.run("power", HOST, "on")
    site.move_away()
    site.confirm_moves()
    assert "127.0.0.1" in site.refused("power", HOST, "off", "--yes")


def test_what_is_known_of_a_host(site):
    site.disable()
    code, out, _ = site.run("status", HOST, "-f", "json")
    assert code == 0
    told = json.loads(out)
    count = len(site.on_host())
    assert told["power"] == "off"
    assert told["source"].startswith("up, disabled") and told["source"].endswith(f", {count} servers")
    assert told["destination"] == "Nova does not know it"
    assert told["may_be_switched_off"][0].startswith(f"{count} servers of the source live on src-c1: ")
    assert told["provisioner_check"] == "nothing is in the way"
    site.machine.hang()
    code, out, _ = site.run("status", HOST)
    assert code == 0
    assert "cannot be told: the BMC of src-c1" in out
