"""Redfish: the emulator of sushy-tools, and a small service with what that has not: sessions, TLS, several systems."""

from __future__ import annotations

import subprocess
import time

import pytest
import requests

from pumphouse.hosts import power
from pumphouse.hosts.inventory import Driver, Host
from pumphouse.hosts.options import Secret
from pumphouse.hosts.power import helper
from pumphouse.hosts.power.base import Power, PowerError
from pumphouse.hosts.power.redfish import Redfish
from tests.functional import redfish_service as service

MAC = "52:54:00:aa:00:01"
OTHER = "52:54:00:aa:00:02"


def redfish(url: str, password: str = service.PASSWORD, **options: object) -> Power:
    said = {"address": url, "username": service.USER, "password": Secret(password), **options}
    filled = {key: said.get(key, option.default) for key, option in Redfish.OPTIONS.items()}
    return power.of(Host("compute-1", (MAC,), Driver("redfish", filled)))


def refusal(call, *arguments) -> PowerError:
    """What it says; one line, without the password."""
    with pytest.raises(PowerError) as caught:
        call(*arguments)
    line = str(caught.value)
    assert line.startswith("the BMC of compute-1 (")
    assert "\n" not in line
    for secret in (service.PASSWORD, "wr0ng-pass", "the-token"):
        assert secret not in line
    return caught.value


@service.needs_emulator
def test_the_emulator(tmp_path):
    with service.emulator(tmp_path / "emulator", MAC) as url:
        switch = redfish(url)
        switch.check()
        assert switch.state() == "off"
        switch.boot_from_network()
        switch.on()
        shown = requests.get(url + service.SYSTEM, auth=(service.USER, service.PASSWORD), timeout=10).json()
        assert shown["PowerState"] == "On"
        assert shown["Boot"]["BootSourceOverrideTarget"] == "Pxe"
        switch.off()
        assert switch.state() == "off"
        error = refusal(redfish(url, "wr0ng-pass").check)
        assert "refuses the user 'admin' or its password: see bmc.username and bmc.password" in str(error)
        assert not error.passing


def test_what_is_asked_for():
    with service.Small({"1": MAC}) as small:
        switch = redfish(small.url)
        switch.boot_from_network()
        switch.on()
        switch.on()
        switch.off(soft=True)
        switch.off()
        path = "/redfish/v1/Systems/1"
        override = {"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once"}
        assert small.told == [
            ("PATCH", path, {"Boot": override}),
            ("POST", f"{path}/Actions/ComputerSystem.Reset", {"ResetType": "On"}),
            ("POST", f"{path}/Actions/ComputerSystem.Reset", {"ResetType": "GracefulShutdown"}),
        ]
        # Each log-on is followed by a log-off: BMCs have few sessions.
        assert small.sessions == ["open", "closed"] * 5
        redfish(small.url, auth="basic").check()
        assert len(small.sessions) == 10
        small.resets = ["On"]
        small.states["1"] = "On"
        assert "does not offer to switch its system so (off)" in str(refusal(switch.off))


def test_which_system():
    with service.Small({"blade-1": OTHER, "blade-2": MAC}) as small:
        redfish(small.url).on()
        assert small.states == {"blade-1": "Off", "blade-2": "On"}
        redfish(small.url, system="blade-1").on()
        assert small.states == {"blade-1": "On", "blade-2": "On"}
        assert "has no system 'blade-3': see bmc.system" in str(refusal(redfish(small.url, system="blade-3").check))
    with service.Small({"1": OTHER, "2": OTHER}) as small:
        line = str(refusal(redfish(small.url).off))
        assert "has 2 systems (1, 2), none or several of them with these MACs: see bmc.system" in line
        assert small.told == []


def test_certificates_are_verified(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=bmc",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    with service.Small({"1": MAC}, (certificate, key)) as small:
        where = {"url": "127.0.0.1", "port": small.port}
        error = refusal(redfish(**where).check)
        assert "has a certificate that cannot be verified: see bmc.verify" in str(error)
        assert not error.passing
        assert small.sessions == []
        redfish(**where, verify=str(certificate)).check()
        redfish(**where, verify=False).check()


def test_faults(monkeypatch):
    with service.Small({"1": MAC}) as small:
        assert "refuses the user 'admin'" in str(refusal(redfish(small.url, "wr0ng-pass").check))
        assert not small.told
        monkeypatch.setattr(helper, "START", 1)
        small.silent.set()
        began = time.monotonic()
        error = refusal(redfish(small.url, deadline=1).check)
        assert time.monotonic() - began < 5
        assert error.passing
        assert "did not answer" in str(error) or "does not answer" in str(error)
    error = refusal(redfish(small.url).check)
    assert error.passing
    assert "does not answer: is the address right, and Redfish enabled?" in str(error)
