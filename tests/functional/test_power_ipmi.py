"""IPMI against a real BMC's software: what it was told, in which order, and that a machine booted from the network."""

from __future__ import annotations

import time

import pytest

from pumphouse.hosts import power
from pumphouse.hosts.inventory import Driver, Host
from pumphouse.hosts.options import Secret
from pumphouse.hosts.power.base import Power, PowerError
from tests.functional import bmc

MAC = "52:54:00:aa:00:01"

pytestmark = bmc.needs_simulator


@pytest.fixture
def machine(tmp_path):
    with bmc.Machine(tmp_path, "compute-1", MAC) as made:
        yield made


def ipmi(port: int, user: str = bmc.USER, password: str = bmc.PASSWORD, **options: object) -> Power:
    from pumphouse.hosts.power.ipmi import Ipmi

    said = {"address": "127.0.0.1", "port": port, "username": user, "password": Secret(password), **options}
    filled = {key: said.get(key, option.default) for key, option in Ipmi.OPTIONS.items()}
    return power.of(Host("compute-1", (MAC,), Driver("ipmi", filled)))


def refusal(call, *arguments) -> PowerError:
    """What it says; one line, without the password."""
    with pytest.raises(PowerError) as caught:
        call(*arguments)
    line = str(caught.value)
    assert line.startswith("the BMC of compute-1 (127.0.0.1:")
    assert "\n" not in line
    for secret in (bmc.PASSWORD, "wr0ng-pass"):
        assert secret not in line
    return caught.value


def test_a_machine_boots_from_the_network(machine):
    switch = ipmi(machine.port)
    switch.check()
    assert switch.state() == "off"
    switch.boot_from_network()
    switch.on()
    assert switch.state() == "on"
    assert machine.ipmitool("power", "status") == "Chassis Power is on"
    bmc.wait(machine.asked_for_network, 60)
    switch.off()
    assert switch.state() == "off"
    assert machine.ipmitool("power", "status") == "Chassis Power is off"
    assert machine.told() == ["boot pxe", "power 1", "starts from network", "power 0"]
    # Once: the next start is from the disk again.
    machine.frames.clear()
    switch.on()
    assert machine.told()[4:] == ["power 1", "starts from disk"]


def test_a_machine_runs_what_the_network_gives_it(tmp_path):
    (tmp_path / "boot.ipxe").write_text("#!ipxe\necho hello from ${net0/mac}\nshell\n")
    netdev = f"user,id=lan,net=10.20.0.0/24,tftp={tmp_path},bootfile=boot.ipxe"
    with bmc.Machine(tmp_path / "machines", "compute-1", MAC, netdev) as machine:
        switch = ipmi(machine.port)
        switch.boot_from_network()
        switch.on()
        bmc.wait(lambda: f"hello from {MAC}" in machine.serial(), 60)


def test_what_is_so_already_is_not_done_again(machine):
    switch = ipmi(machine.port)
    switch.off()
    assert machine.told() == []
    switch.on()
    switch.on()
    assert machine.told() == ["power 1", "starts from disk"]


def test_a_shutdown_is_waited_for(machine):
    switch = ipmi(machine.port, shutdown_deadline=2)
    switch.on()
    error = refusal(switch.off, True)
    assert error.passing
    assert "took the command, but the machine is not off after 2 s" in str(error)
    assert switch.state() == "on"
    machine.obey_shutdown()
    switch.off(True)
    assert switch.state() == "off"
    assert machine.told()[2:] == ["shutdown 1", "shutdown 1"]


def test_many_at_once_on_one_bmc(machine):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: ipmi(machine.port).state(), range(4))) == ["off"] * 4


@pytest.mark.parametrize(
    ("user", "password", "says"),
    [
        (bmc.USER, "wr0ng-pass", "refuses the password of 'admin': see bmc.password"),
        ("nobody", "wr0ng-pass", "does not know the user 'nobody', or has disabled it: see bmc.username"),
    ],
)
def test_who_may_not(machine, user, password, says):
    error = refusal(ipmi(machine.port, user, password).check)
    assert says in str(error)
    assert not error.passing
    assert machine.told() == []


def test_privileges(machine):
    ipmi(machine.port, *bmc.OPERATOR, privilege="operator").on()
    # With the privilege that it has: ipmi_sim gives everybody whatever is asked for.
    viewer = ipmi(machine.port, *bmc.VIEWER, privilege="user")
    assert viewer.state() == "on"
    error = refusal(viewer.off)
    assert "does not allow 'viewer' to do this: give it the privilege operator or administrator" in str(error)
    assert not error.passing
    assert machine.told() == ["power 1", "starts from disk"]


def test_a_silent_bmc():
    with bmc.silent() as port:
        began = time.monotonic()
        error = refusal(ipmi(port).check)
        assert time.monotonic() - began < 20
        assert error.passing
        assert "does not answer: is IPMI over LAN enabled, and the address right?" in str(error)


def test_our_own_deadline_comes_first(monkeypatch):
    from pumphouse.hosts.power import helper

    monkeypatch.setattr(helper, "START", 1)
    with bmc.silent() as port:
        began = time.monotonic()
        error = refusal(ipmi(port, deadline=1).check)
        assert time.monotonic() - began < 4
        assert error.passing
        assert "did not answer within 1 seconds" in str(error)


def test_a_closed_port():
    assert refusal(ipmi(bmc.free_port()).check).passing


def test_a_bmc_that_answers_late(machine):
    with bmc.late(machine.port, 0.4) as port:
        switch = ipmi(port)
        switch.check()
        switch.boot_from_network()
        switch.on()
        assert switch.state() == "on"
    # What is answered late is asked again, and done again.
    assert list(dict.fromkeys(machine.told())) == ["boot pxe", "power 1", "starts from network"]


def test_a_bmc_that_stops_and_answers_again(machine):
    switch = ipmi(machine.port)
    switch.check()
    machine.hang()
    assert refusal(switch.state).passing
    machine.go_on()
    assert switch.state() == "off"


def test_a_name_that_is_none():
    error = refusal_of_name()
    assert "has an address that cannot be resolved: see bmc.address" in str(error)
    assert not error.passing


def refusal_of_name() -> PowerError:
    with pytest.raises(PowerError) as caught:
        ipmi(623, address="no-such-bmc.invalid").check()
    return caught.value
