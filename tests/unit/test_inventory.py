"""The inventory: a public contract, and complaints that an operator can act upon."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from pathlib import Path

import pytest
import yaml

from pumphouse.errors import ConfigError, UsageError
from pumphouse.hosts import inventory
from pumphouse.hosts.inventory import Layout
from pumphouse.hosts.options import Secret

EXAMPLE = Path(__file__).parents[2] / "inventory.yaml.example"
GOOD = """
defaults:
  bmc: {kind: ipmi, username: admin, password: def4ult-pw}
hosts:
  c1:
    source: true
    macs: ["52:54:00:AA:00:01"]
    bmc: {address: 10.0.0.1}
  c2.example.com:
    macs: ["52:54:00:aa:00:02", "52:54:00:aa:00:03"]
    bmc: {kind: none}
    provisioner: {name: command, command: [/bin/true]}
    roles: [compute, cinder]
    disks: {layout: fixed, volumes: {sda: {os: 51200}}}
    nics: {layout: discovery, from: c9}
"""


@pytest.fixture(autouse=True)
def _nobodys(monkeypatch):
    monkeypatch.delenv("PUMPHOUSE_INVENTORY", raising=False)


def write(tmp_path, text=GOOD, mode=0o600):
    file = tmp_path / "inventory.yaml"
    file.write_text(text)
    file.chmod(mode)
    return file


def complaint(tmp_path, change):
    """What is said of the good inventory after a change; never a password."""
    data = yaml.safe_load(GOOD)
    change(data)
    file = write(tmp_path, yaml.safe_dump(data))
    with pytest.raises(ConfigError) as caught:
        inventory.load(file)
    line = str(caught.value)
    assert "\n" not in line
    assert "def4ult-pw" not in line
    return line.removeprefix(f"{file}: ")


def test_reads_what_the_contract_promises(tmp_path):
    found = inventory.load(write(tmp_path))
    one, two = found.host("c1"), found.host("c2.example.com")
    assert (one.name, one.macs, one.source, one.roles) == ("c1", ("52:54:00:aa:00:01",), True, ("compute",))
    assert one.bmc.name == "ipmi"
    assert {key: one.bmc.options[key] for key in ("address", "port", "username")} == {
        "address": "10.0.0.1", "port": 623, "username": "admin",
    }  # fmt: skip
    assert one.bmc.options["password"].reveal() == "def4ult-pw"
    assert one.provisioner is None
    assert (one.disks, one.nics) == (Layout(), Layout())
    assert (two.source, two.bmc.name, two.bmc.options) == (False, "none", {})
    assert two.provisioner.options["command"] == ("/bin/true",)
    assert two.disks == Layout("fixed", None, {"sda": {"os": 51200}})
    assert two.nics == Layout("discovery", "c9")
    assert found.notes == ()
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.source = False


def test_the_example_is_right(tmp_path):
    for name in ("bmc-password", "redfish-password"):
        (tmp_path / name).write_text("a-secret\n")
    file = write(tmp_path, EXAMPLE.read_text())
    found = inventory.load(file)
    assert [host.bmc.name for host in found.hosts.values()] == ["ipmi", "redfish", "command", "ipmi", "none"]
    assert found.host("compute-1.example.com").bmc.options["password"].reveal() == "a-secret"
    # Of another driver's defaults nothing is taken.
    assert found.host("compute-3.example.com").bmc.options["username"] is None
    assert [host.source for host in found.hosts.values()] == [True, True, True, True, False]


def test_no_secret_gets_out_by_accident(tmp_path):
    host = inventory.load(write(tmp_path)).host("c1")
    for shown in (repr(host), str(dataclasses.asdict(host)), json.dumps(inventory.describe(host))):
        assert "def4ult-pw" not in shown
    assert copy.deepcopy(host.bmc.options["password"]).reveal() == "def4ult-pw"
    with pytest.raises(TypeError):
        json.dumps(dataclasses.asdict(host))
    with pytest.raises(TypeError):
        pickle.dumps(Secret("x"))


def test_passwords_that_others_can_read_are_noted(tmp_path):
    file = write(tmp_path, mode=0o644)
    assert inventory.load(file).notes == (f"{file} holds passwords and can be read by others: chmod 600 {file}",)
    (tmp_path / "pw").write_text("from-file\n")
    file.write_text(GOOD.replace("password: def4ult-pw", "password: {file: pw}"))
    found = inventory.load(file)
    assert found.notes == ()
    assert found.host("c1").bmc.options["password"].reveal() == "from-file"


def test_where_it_is_looked_for(tmp_path, monkeypatch):
    config = tmp_path / "etc/pumphouse.yaml"
    config.parent.mkdir()
    with pytest.raises(ConfigError, match=f"no inventory was found.*make {config.parent}/inventory.yaml"):
        inventory.load(beside=config)
    write(config.parent)
    assert inventory.load(beside=config).path == config.parent / "inventory.yaml"
    other = tmp_path / "other.yaml"
    monkeypatch.setenv("PUMPHOUSE_INVENTORY", str(other))
    with pytest.raises(ConfigError, match="there is no such file; it was named by PUMPHOUSE_INVENTORY"):
        inventory.load(beside=config)
    other.write_text("hosts: {}")
    assert inventory.load(beside=config).hosts == {}
    assert inventory.load(config.parent / "inventory.yaml", config).host("c1")


def test_names_are_exact(tmp_path):
    found = inventory.load(write(tmp_path))
    for name, hint in (("c2", "did you mean c2.example.com?"), ("C1", "did you mean c1?"), ("", "it has c1, c2")):
        with pytest.raises(UsageError, match="there is no host") as caught:
            found.host(name)
        assert hint in str(caught.value)


def host(**changes):
    return lambda data: data["hosts"]["c1"].update(changes)


def bmc(**changes):
    return lambda data: data["hosts"]["c1"]["bmc"].update(changes)


def second(**changes):
    return lambda data: data["hosts"]["c2.example.com"].update(changes)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: data.pop("hosts"), "hosts: this key is missing; allowed: hosts, defaults"),
        (lambda data: data.update(hosts=[]), "hosts: is a list; it must be a mapping of names to hosts"),
        (
            lambda data: data["hosts"].update({7: {}}),
            "hosts.7: the name is a number; allowed: a text; write it in quotes",
        ),
        (lambda data: data["hosts"].update({"../x": {}}), "hosts: '../x' is no name of a host"),
        (host(mac="x"), "hosts.c1.mac: there is no such key; did you mean macs?"),
        (lambda data: data["hosts"]["c1"].pop("macs"), "hosts.c1.macs: this key is missing"),
        (host(macs=[]), "hosts.c1.macs: is empty; allowed: a list such as"),
        (host(macs=["52:54"]), "hosts.c1.macs.0: '52:54' is no MAC"),
        (host(macs=[690687122994]), "hosts.c1.macs.0: is a number; write it in quotes"),
        (host(source="yes"), "hosts.c1.source: is a string; allowed: true or false"),
        (host(roles="compute"), "hosts.c1.roles: is a string; allowed: a list of texts"),
        (host(roles=[1]), "hosts.c1.roles.0: is a number; allowed: a text; write it in quotes"),
        (host(bmc={"kind": "ipni"}), "hosts.c1.bmc.kind: is something else; allowed: command, ipmi, none, redfish"),
        (bmc(adress="x"), "hosts.c1.bmc.adress: there is no such key; did you mean address?"),
        (lambda data: data["hosts"]["c1"].update(bmc={}), "hosts.c1.bmc.address: this key is missing"),
        (bmc(port=0), "hosts.c1.bmc.port: is a number; allowed: a whole number from 1 to 65535"),
        (bmc(port=True), "hosts.c1.bmc.port: is true or false; allowed: a whole number"),
        (bmc(address=10.1), "hosts.c1.bmc.address: is a number; allowed: a text; write it in quotes"),
        (bmc(password=1234), "hosts.c1.bmc.password: is a number; allowed: a string, {env: NAME} or {file: PATH}"),
        (bmc(password={"env": "NOT_THERE"}), "hosts.c1.bmc.password.env: the environment has no variable NOT_THERE"),
        (bmc(password="x" * 21), "hosts.c1.bmc.password: is longer than 20 bytes"),
        (bmc(privilege="root"), "hosts.c1.bmc.privilege: is something else; allowed: user, operator, administrator"),
        (lambda data: data["defaults"]["bmc"].pop("kind"), "defaults.bmc.kind: this key is missing"),
        (lambda data: data["defaults"]["bmc"].update(x=1), "defaults.bmc.x: there is no such key"),
        (lambda data: data["defaults"].update(macs=[]), "defaults.macs: there is no such key"),
        (
            lambda data: data["hosts"].update(c3={"macs": ["52:54:00:00:00:09"]}),
            "hosts.c3.bmc.address: this key is missing",
        ),
        (second(provisioner={"command": ["x"]}), "hosts.c2.example.com.provisioner.name: this key is missing"),
        (
            second(provisioner={"name": "x"}),
            "hosts.c2.example.com.provisioner.name: is something else; allowed: command",
        ),
        (
            second(provisioner={"name": "command", "command": ["x"], "actions": ["explode"]}),
            "hosts.c2.example.com.provisioner.actions.0: is something else; allowed: check, prepare, discovered",
        ),
        (
            second(provisioner={"name": "command", "command": ["x"], "parameters": {1: 2}}),
            "hosts.c2.example.com.provisioner.parameters.1: the key is a number; write it in quotes",
        ),
        (second(disks="all"), "hosts.c2.example.com.disks: is something else; allowed: discovery, {layout: discovery"),
        (second(disks={"layout": "fixed"}), "hosts.c2.example.com.disks.volumes: this key is missing"),
        (
            second(disks={"layout": "fixed", "volumes": {"sda": {"os": "50G"}}}),
            "hosts.c2.example.com.disks.volumes.sda.os: is a string; allowed: a whole number",
        ),
        (
            second(nics={"layout": "fixed", "networks": {"eth0": "admin"}}),
            "hosts.c2.example.com.nics.networks.eth0: is a string; allowed: a list of texts",
        ),
        (
            second(macs=["52:54:00:aa:00:01"]),
            "hosts.c2.example.com.macs: 52:54:00:aa:00:01 is given twice: c1 has it, too",
        ),
        (
            second(bmc={"kind": "ipmi", "address": "10.0.0.1"}),
            "hosts.c2.example.com.bmc.address: this BMC is given twice: c1 has it, too",
        ),
    ],
)
def test_complaints(tmp_path, change, says):
    assert complaint(tmp_path, change).startswith(says)


def test_a_mac_without_quotes_is_a_number_in_yaml(tmp_path):
    file = write(tmp_path, GOOD.replace('"52:54:00:AA:00:01"', "52:54:00:12:34:56"))
    with pytest.raises(ConfigError, match=r"hosts.c1.macs.0: is a number; write it in quotes"):
        inventory.load(file)
