"""Power drivers that need no BMC, what pyghmi's words mean, and helpers that do not answer as they should."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest

from pumphouse.errors import UsageError
from pumphouse.hosts import drivers, power, processes
from pumphouse.hosts.inventory import Driver, Host
from pumphouse.hosts.options import Secret
from pumphouse.hosts.power import helper, ipmi, redfish
from pumphouse.hosts.power.base import PowerError
from pumphouse.hosts.power.command import Command

#: A machine of which nothing but the state is there, and what it was told.
PROGRAM = """
import json, pathlib, sys
given = json.load(sys.stdin)
state = pathlib.Path("{state}")
with state.with_name("told").open("a") as told:
    told.write(json.dumps([sys.argv[1:], given]) + chr(10))
if given["action"] in ("on", "off"):
    state.write_text(given["action"])
print("log: I am at it")
print((state.read_text() if state.exists() else "off").upper() + "  ")
"""


def host(kind="none", options=None, name="c1"):
    return Host(name, ("52:54:00:aa:00:01",), Driver(kind, options or {}))


def command(*program, **options):
    said = {"command": program, **options}
    return power.of(host("command", {key: said.get(key, option.default) for key, option in Command.OPTIONS.items()}))


def script(tmp_path, text=PROGRAM):
    file = tmp_path / "program.py"
    file.write_text(text.replace("{state}", str(tmp_path / "state")))
    return sys.executable, str(file)


def test_the_drivers_are_found_by_entry_points():
    assert {"command", "ipmi", "none", "redfish"} <= set(drivers.names(drivers.POWER))
    with pytest.raises(UsageError, match=r"there is no pumphouse.power driver 'ipni'; there are command, ipmi"):
        power.of(host("ipni"))


def test_by_hand():
    switch = power.of(host())
    assert switch.state() == "unknown"
    for call, says in (
        (switch.on, "switch it on by hand"),
        (switch.off, "switch it off by hand"),
        (switch.boot_from_network, "choose network boot"),
        (switch.check, "cannot be switched"),
    ):
        with pytest.raises(PowerError, match=rf"c1 has no BMC in the inventory \(bmc.kind: none\): .*{says}"):
            call()


def test_a_command_is_given_everything_on_stdin(tmp_path):
    program = script(tmp_path)
    switch = command(*program, "--rack", "7", password=Secret("pdu-pw"), address="pdu", parameters={"outlet": 12})
    switch.check()
    assert switch.state() == "off"
    switch.boot_from_network()
    switch.on()
    assert switch.state() == "on"
    switch.off(soft=True)
    told = [json.loads(line) for line in (tmp_path / "told").read_text().splitlines()]
    assert [arguments for arguments, _ in told] == [["--rack", "7"]] * len(told)
    assert [given["action"] for _, given in told] == ["status", "status", "boot_from_network", "on", "status", "off"]
    assert told[2][1]["once"] is True
    assert told[5][1]["soft"] is True
    assert told[0][1]["host"] == {
        "name": "c1", "macs": ["52:54:00:aa:00:01"], "source": False, "roles": ["compute"],
        "disks": {"layout": "discovery"}, "nics": {"layout": "discovery"},
        "bmc": {"address": "pdu", "password": "pdu-pw", "parameters": {"outlet": 12}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says", "passing"),
    [
        ("print('maybe')", "said 'maybe'; its last line must be on or off", False),
        ("", "said nothing; its last line must be on or off", False),
        ("import sys; print('on'); sys.exit('no outlet for pdu-pw')", "failed with code 1: no outlet for ***", True),
        ("import time; time.sleep(60)", "(status) took longer than 1 s", True),
    ],
)
def test_commands_that_fail(tmp_path, text, says, passing):
    with pytest.raises(PowerError) as caught:
        command(*script(tmp_path, text), password=Secret("pdu-pw"), deadline=1).state()
    assert says in str(caught.value)
    assert str(caught.value).startswith("c1: ")
    assert "pdu-pw" not in str(caught.value)
    assert caught.value.passing is passing


def test_a_command_that_is_not_there():
    with pytest.raises(PowerError, match="c1: /nowhere/pdu cannot be started: No such file or directory"):
        command("/nowhere/pdu").check()


def test_a_command_whose_machine_does_not_obey(tmp_path, monkeypatch):
    monkeypatch.setattr("pumphouse.hosts.power.command.PAUSE", 0.05)
    with pytest.raises(PowerError, match="c1 was told on, but is off after 1 s"):
        command(*script(tmp_path, "print('off')"), switch_deadline=1).on()


# --- programs with a deadline ---


def test_a_program_is_ended_with_all_that_it_started(tmp_path):
    pid = tmp_path / "pid"
    done = processes.run(["/bin/sh", "-c", f"sleep 60 & echo $! > {pid}; wait"], {}, 0.5)
    assert done.code is None
    assert gone(pid)


def test_what_a_program_leaves_running_is_not_waited_for():
    began = time.monotonic()
    done = processes.run(["/bin/sh", "-c", "sleep 20 & echo on"], {}, 10)
    assert (done.code, done.out) == (0, "on\n")
    assert time.monotonic() - began < 5


def test_much_output_and_input_do_no_harm():
    done = processes.run(["/bin/sh", "-c", "yes | head -c 3000000; echo; wc -c"], {"x": "y" * 300000}, 20)
    assert done.last == str(300000 + len('{"x": ""}\n'))
    assert len(done.out) <= processes.READ


def gone(pid):
    """Whether the process whose number is in this file ends within some seconds."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid.read_text().strip()}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False


# --- helpers ---


class Odd(ipmi.Ipmi):
    MODULE = "tests.unit.test_power"


def _odd(**options):
    said = {"address": "b", "username": "u", "password": Secret("s3cret"), **options}
    filled = {key: said.get(key, option.default) for key, option in ipmi.Ipmi.OPTIONS.items()}
    return Odd(host("ipmi", filled))


@pytest.mark.parametrize(
    ("way", "says"), [("dies", "the helper ended with code 3: ValueError: too bad"), ("leaks", "***")]
)
def test_helpers_that_go_wrong(monkeypatch, way, says):
    monkeypatch.setenv("ODD", way)
    with pytest.raises(PowerError) as caught:
        _odd().check()
    assert str(caught.value).startswith("the BMC of c1 (b:623) ")
    assert says in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_the_secret_is_on_no_command_line_and_in_no_environment(monkeypatch):
    monkeypatch.setenv("ODD", "shows")
    assert _odd().ask("state") == {"argv": True, "environment": True, "password": "s3cret"}


def _misbehave():
    if os.environ["ODD"] == "dies":
        print("ValueError: too bad", file=sys.stderr)
        sys.exit(3)

    def act(orders):
        if os.environ["ODD"] == "leaks":
            raise ValueError(f"cannot use {orders['password']}")
        here = Path("/proc/self")
        hidden = {name: b"s3cret" not in (here / file).read_bytes() for name, file in
                  (("argv", "cmdline"), ("environment", "environ"))}  # fmt: skip
        return {**hidden, "password": orders["password"]}

    helper.serve(act, ipmi._explain)


# --- what libraries say ---

ORDERS = {"username": "adm", "privilege": "operator", "wanted": "off", "patience": 9}


@pytest.mark.parametrize(
    ("error", "says", "passing"),
    [
        (RuntimeError("Incorrect password provided"), "refuses the password of 'adm'", False),
        (RuntimeError("Unauthorized name in RAKP2"), "does not know the user 'adm'", False),
        (RuntimeError("Insufficient privilege level or firmware firewall"), "does not allow 'adm'", False),
        (RuntimeError("Unauthorized role or privilege level requested"), "the privilege operator", False),
        (RuntimeError("No Cipher suite match with proposed security algorithms"), "allows no cipher suite", False),
        (RuntimeError("Invalid RAKP4 integrity code (wrong Kg?)"), "refuses the key", False),
        (RuntimeError("None"), "does not answer", True),
        (RuntimeError("timeout"), "does not answer", True),
        (RuntimeError("Session no longer connected"), "stopped answering", True),
        (RuntimeError("did not accomplish power state change"), "is not off after 9 s", True),
        (TypeError("'<' not supported between NoneType"), "sends what pyghmi does not understand", False),
    ],
)
def test_what_pyghmi_means(error, says, passing):
    words, may_pass = ipmi._explain(error, ORDERS)
    assert says in words
    assert may_pass is passing


@pytest.mark.parametrize(
    ("address", "port", "url"),
    [
        ("10.0.0.1", None, "https://10.0.0.1"),
        ("bmc.example", 8443, "https://bmc.example:8443"),
        ("fd00::1", 443, "https://[fd00::1]:443"),
        ("http://10.0.0.1:8000/", None, "http://10.0.0.1:8000"),
    ],
)
def test_where_redfish_is(address, port, url):
    assert redfish.url(address, port) == url


if __name__ == "__main__":
    _misbehave()
