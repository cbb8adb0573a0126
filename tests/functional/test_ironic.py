"""The driver ``ironic`` against a live Ironic: pretended machines, real IPMI and network boot, Redfish, faults."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pumphouse.hosts.inventory import Driver, Host
from pumphouse.hosts.options import Secret
from pumphouse.hosts.power.redfish import Redfish
from pumphouse.hosts.provisioners.base import Progress, ProvisionerError
from pumphouse.hosts.provisioners.ironic.api import BareMetal
from tests.functional import bmc, redfish_service
from tests.functional.image_service import ImageService
from tests.functional.ironic_service import (
    GATEWAY,
    HOST,
    MAC,
    PASSWORD,
    USER,
    Service,
    discover,
    follow,
    host,
    needs_ironic,
)

pytestmark = needs_ironic

#: A machine that is only pretended.
FAKE: dict[str, Any] = {"driver": "fake-hardware"}
#: ipmi_sim knows no newer suite; without this ipmitool looks for one, 10 seconds each time.
IPMI: dict[str, Any] = {"driver_info": {"ipmi_cipher_suite": "3"}}
BOOT = {"deploy": "ramdisk", "boot": "ipxe"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("ironic") / "run") as service:
        yield service


@pytest.fixture
def ironic(running: Service) -> Iterator[Service]:
    """Without nodes."""
    running.wipe()
    running.files.fetched.clear()
    yield running


@pytest.fixture
def machine(running: Service, tmp_path: Path) -> Iterator[bmc.Machine]:
    """With a real BMC; off; when it boots from the network it asks this Ironic what."""
    lan = f"user,id=lan,bootfile=http://{GATEWAY}:{running.files.port}/boot.ipxe"
    with bmc.Machine(tmp_path, "hv7", MAC, netdev=lan) as one:
        yield one


@pytest.fixture
def image(running: Service) -> dict[str, str]:
    """What is deployed: its kernel is a program of iPXE's, which fetches a file to say that it runs."""
    directory = running.run / "http/image"
    directory.mkdir(exist_ok=True)
    up = f"http://{GATEWAY}:{running.files.port}/image/up"
    (directory / "kernel").write_text(f"#!ipxe\necho it runs\nimgfetch {up} ||\nsleep 600\n")
    for name in ("ramdisk", "up"):
        (directory / name).write_text(f"{name}\n")
    return {what: f"http://127.0.0.1:{running.files.port}/image/{what}" for what in ("kernel", "ramdisk")}


def enrol(ironic: Service, state: str = "available", **fields: Any) -> dict[str, Any]:
    """A node of another operator's, with the host's MAC."""
    node = ironic.call("POST", "/nodes", {"name": "rack-7", "driver": "fake-hardware", "extra": {"rack": 7}, **fields})
    ironic.call("POST", "/ports", {"node_uuid": node["uuid"], "address": MAC})
    for target, then in (("manage", "manageable"), ("provide", "available"), ("active", "active")):
        if ironic.node()["provision_state"] != state:
            ironic.bring(node, target, then)
    return ironic.node()


def whole(driver: Any, one: Host) -> Progress:
    """All steps, as who reassigns takes them."""
    driver.prepare(one)
    node = discover(driver, one)
    if driver.progress(one, node).state == "waiting":
        driver.deploy(one, node)
    return follow(driver, one, node)


def gone(driver: Any, one: Host, node: str | None) -> None:
    """Forgotten, however long Ironic takes."""

    def over() -> bool:
        try:
            driver.forget(one, node)
        except ProvisionerError as error:
            assert error.passing, error
            return False
        return True

    bmc.wait(over)


# --- what goes right ---


def test_from_nothing_to_active(ironic: Service) -> None:
    driver, one = ironic.driver(**FAKE, properties={"cpu_arch": "x86_64"}), host()
    assert driver.owns_power
    assert driver.check(one) == []
    assert ironic.nodes() == []
    assert driver.discovered(one, 0) is None
    driver.prepare(one)
    discover(driver, one)
    driver.prepare(one)
    node = discover(driver, one)
    assert len(ironic.nodes()) == 1
    assert driver.progress(one, node).state == "waiting"
    assert ironic.node()["provision_state"] == "manageable"
    driver.deploy(one, node)
    driver.deploy(one, node)
    seen: list[Progress] = []

    def ended() -> bool:
        seen.append(driver.progress(one, node))
        return seen[-1].state != "deploying"

    bmc.wait(ended)
    assert seen[-1].state == "done", seen[-1]
    percents = [progress.percent or 0 for progress in seen]
    assert percents == sorted(percents)
    made = ironic.node()
    assert (made["uuid"], made["name"], made["provision_state"]) == (node, HOST, "active")
    assert (made["driver"], made["properties"]) == ("fake-hardware", {"cpu_arch": "x86_64"})
    assert made["instance_info"]["display_name"] == HOST
    # Nothing more happens, whoever calls.
    driver.deploy(one, node)
    assert driver.progress(one, node).state == "done"
    assert driver.check(one) == [f"Ironic's node {HOST} ({node}) is active as {HOST} already"]
    with pytest.raises(ProvisionerError, match="already"):
        driver.prepare(one)
    gone(driver, one, node)
    assert ironic.nodes() == []
    driver.forget(one, node)


def test_installed_over_the_network(ironic: Service, machine: bmc.Machine, image: dict[str, str]) -> None:
    """Real IPMI, a machine that runs, and that then boots what Ironic says."""
    machine.ipmitool("power", "on")
    bmc.wait(lambda: machine.ipmitool("power", "status") == "Chassis Power is on")
    driver, one = ironic.driver(**IPMI, interfaces=BOOT, instance_info=image), host(machine.port)
    assert driver.check(one) == []
    driver.prepare(one)
    node = discover(driver, one)
    # It is off before anything else is done to it.
    assert machine.told() == ["power 1", "starts from disk", "power 0"]
    driver.deploy(one, node)
    assert follow(driver, one, node).state == "done"
    assert machine.told()[3:] == ["boot pxe", "power 1", "starts from network"]
    bmc.wait(lambda: "/image/up" in ironic.files.fetched, 60)
    own = [path for path in ironic.files.fetched if not path.startswith("/image/")]
    assert own == ["/boot.ipxe", f"/pxelinux.cfg/{MAC.replace(':', '-')}", f"/{node}/kernel", f"/{node}/ramdisk"]
    assert "it runs" in machine.serial()
    gone(driver, one, node)
    assert machine.told()[-1] == "power 0"
    assert ironic.nodes() == []


def test_a_running_machine_is_adopted(ironic: Service, machine: bmc.Machine, image: dict[str, str]) -> None:
    """It is neither switched nor installed, also when it is forgotten again."""
    machine.ipmitool("power", "on")
    bmc.wait(lambda: machine.ipmitool("power", "status") == "Chassis Power is on")
    driver = ironic.driver(**IPMI, interfaces=BOOT, adopt=True, instance_info=image)
    one = host(machine.port)
    assert driver.check(one) == []
    done = whole(driver, one)
    assert done.state == "done", done
    assert done.text.endswith("is active: adopted")
    node = ironic.node()
    assert (node["provision_state"], node["power_state"]) == ("active", "power on")
    gone(driver, one, node["uuid"])
    assert ironic.nodes() == []
    assert machine.told() == ["power 1", "starts from disk"]
    assert machine.ipmitool("power", "status") == "Chassis Power is on"


@redfish_service.needs_emulator
def test_over_redfish(ironic: Service, tmp_path: Path) -> None:
    with redfish_service.emulator(tmp_path / "emulator", MAC) as url:
        said = {"address": url, "username": redfish_service.USER, "password": Secret(redfish_service.PASSWORD),
                "auth": "basic", "system": redfish_service.UUID}  # fmt: skip
        filled = {key: said.get(key, option.default) for key, option in Redfish.OPTIONS.items()}
        one = Host(HOST, (MAC,), Driver("redfish", filled), source=True)
        driver = ironic.driver(interfaces={"boot": "ipxe"}, instance_info={"kernel": "x", "ramdisk": "x"})
        assert driver.check(one) == []
        driver.prepare(one)
        node = discover(driver, one)
        assert ironic.node()["driver_info"]["redfish_password"] == "******"
        gone(driver, one, node)
        filled["password"] = Secret("wr0ng-pass")
        driver.prepare(one)
        with pytest.raises(ProvisionerError, match="cannot log on to the BMC") as caught:
            discover(driver, one)
        assert "wr0ng-pass" not in str(caught.value)


def test_a_node_that_was_there(ironic: Service) -> None:
    """It is found by the MAC, whatever its name; it stays when it is forgotten, as it was described."""
    before = enrol(ironic)
    driver, one = ironic.driver(), host()
    assert driver.check(one) == []
    assert whole(driver, one).state == "done"
    node = ironic.node()
    assert (node["uuid"], node["name"], node["extra"]["rack"]) == (before["uuid"], "rack-7", 7)
    gone(driver, one, node["uuid"])
    node = ironic.node()
    assert (node["provision_state"], node["instance_uuid"], node["instance_info"]) == ("available", None, {})
    assert node["extra"] == {"rack": 7}
    # And once more.
    assert whole(driver, one).state == "done"


def test_inspected_when_asked_for(ironic: Service) -> None:
    """Also a node whose last inspection was long ago."""
    node = enrol(ironic, "manageable", inspect_interface="fake")
    ironic.bring(node, "inspect", "manageable")
    bmc.wait(lambda: ironic.node()["inspection_finished_at"])
    first = ironic.node()["inspection_finished_at"]
    ironic.bring(node, "provide", "available")
    driver, one = ironic.driver(inspect=True), host()
    driver.prepare(one)
    assert discover(driver, one) == node["uuid"]
    second = ironic.node()["inspection_finished_at"]
    assert second > first
    # Not again in what follows.
    driver.deploy(one, node["uuid"])
    assert follow(driver, one, node["uuid"]).state == "done"
    assert ironic.node()["inspection_finished_at"] == second


# --- what is in the way ---


def test_what_is_in_the_way(ironic: Service) -> None:
    one = host()
    (line,) = ironic.driver().check(one)
    assert line.startswith(f"Ironic does not know {HOST}, and cannot log on to a BMC of kind none")
    (line,) = ironic.driver(driver="ilo").check(one)
    assert "has no conductor with the driver ilo (enabled_hardware_types); it has fake-hardware, ipmi, redfish" in line
    chosen = {"deploy": "direct", "power": "fake"}
    lines = ironic.driver(**FAKE, interfaces=chosen, instance_info={"image_source": "http://x"}).check(one)
    assert len(lines) == 1
    assert "has no deploy interface direct enabled for the driver fake-hardware; it has fake, ramdisk" in lines[0]
    (line,) = ironic.driver(**FAKE, interfaces=BOOT).check(one)
    assert line == ("provisioner.instance_info does not say what to deploy; the deploy interface ramdisk needs kernel "
                    "and ramdisk, or boot_iso, or image_source")  # fmt: skip
    node = enrol(ironic)
    (line,) = ironic.driver(interfaces={"power": "ipmitool"}).check(one)
    assert f"Ironic's node rack-7 ({node['uuid']}) has the power interface fake, and not ipmitool" in line
    assert ironic.node()["updated_at"] == node["updated_at"]


@pytest.mark.parametrize("hands", ["instance", "active", "maintenance", "moves"])
def test_somebody_elses(ironic: Service, hands: str) -> None:
    """Nothing is done to it, whatever is called."""
    words = {"instance": "in somebody else's hands: available as instance", "active": "is active, and not by Pumphouse",
             "maintenance": "is in maintenance (the fan is loose)", "moves": "has the name"}[hands]  # fmt: skip
    node = enrol(ironic, "active" if hands == "active" else "available")
    if hands == "instance":
        ironic.patch(node, instance_uuid=str(uuid.uuid4()))
    elif hands == "maintenance":
        ironic.call("PUT", f"/nodes/{node['uuid']}/maintenance", {"reason": "the fan is loose"})
    driver, one = ironic.driver(), host()
    if hands == "moves":
        # Another machine's node with this one's name.
        one = dataclasses.replace(one, name="rack-7", macs=("52:54:00:aa:00:99",))
    before = ironic.node()
    (line,) = driver.check(one)
    assert words in line, line
    for call in (lambda: driver.prepare(one), lambda: driver.discovered(one, 0), lambda: driver.deploy(one, "x")):
        with pytest.raises(ProvisionerError) as caught:
            call()
        assert words in str(caught.value)
        assert not caught.value.passing
    if hands != "moves":
        assert driver.progress(one, "x").state == "failed"
        driver.forget(one, node["uuid"])
    assert ironic.node() == before


def test_taken_while_it_is_deployed(ironic: Service) -> None:
    driver, one = ironic.driver(**FAKE), host()
    driver.prepare(one)
    node = discover(driver, one)
    body = [{"op": "remove", "path": "/instance_uuid"}]
    ironic.call("PATCH", f"/nodes/{node}", body)
    ironic.patch(ironic.node(), instance_uuid=str(uuid.uuid4()))
    with pytest.raises(ProvisionerError, match="somebody else's hands"):
        driver.deploy(one, node)
    progress = driver.progress(one, node)
    assert progress.state == "failed" and "somebody else's hands" in progress.text
    ironic.wipe()
    progress = driver.progress(one, node)
    assert progress.state == "failed" and f"node {node} was removed" in progress.text


# --- what goes wrong ---


def test_a_wrong_password_of_the_bmc(ironic: Service, machine: bmc.Machine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    driver = ironic.driver(**IPMI, interfaces=BOOT)
    wrong = host(machine.port, password="wr0ng-pass")
    driver.prepare(wrong)
    with pytest.raises(ProvisionerError) as caught:
        discover(driver, wrong)
    line = str(caught.value)
    assert line.startswith(f"Ironic cannot log on to the BMC of {HOST}: Failed to get power state")
    assert "IPMI call failed: power status" in line
    assert ironic.node()["provision_state"] == "enroll"
    assert machine.told() == []
    # The inventory is corrected: the next call goes on.
    right = host(machine.port)
    assert discover(ironic.driver(**IPMI, interfaces=BOOT), right) == ironic.node()["uuid"]
    for secret in ("wr0ng-pass", bmc.PASSWORD):
        assert secret not in line + caplog.text


def test_a_deployment_that_fails(ironic: Service, image: dict[str, str]) -> None:
    missing = {**image, "kernel": image["kernel"] + "-that-is-not-there"}
    one = host()
    driver = ironic.driver(**FAKE, interfaces=BOOT, instance_info=missing)
    failed = whole(driver, one)
    assert failed.state == "failed"
    node = ironic.node()
    assert node["provision_state"] == "deploy failed"
    assert failed.text.startswith(f"Ironic's node {HOST} ({node['uuid']}): deploy failed: ")
    assert "kernel-that-is-not-there" in failed.text and "404" in failed.text
    # Asked again, it says the same; deployed again with what is there, it succeeds.
    assert driver.progress(one, node["uuid"]) == failed
    driver = ironic.driver(**FAKE, interfaces=BOOT, instance_info=image)
    driver.deploy(one, node["uuid"])
    assert follow(driver, one, node["uuid"]).state == "done"


def test_from_its_beginning_after_a_failure(ironic: Service, image: dict[str, str]) -> None:
    """Prepared anew: what has failed is undeployed first."""
    missing = {**image, "kernel": image["kernel"] + "-that-is-not-there"}
    assert whole(ironic.driver(**FAKE, interfaces=BOOT, instance_info=missing), host()).state == "failed"
    driver = ironic.driver(**FAKE, interfaces=BOOT, instance_info=image)
    assert whole(driver, host()).state == "done"


class Killed(BaseException):
    """As a process that is killed: nothing of ours runs any more."""


def test_killed_after_each_request(ironic: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes next goes on, and there is one node in the end."""
    call = BareMetal.call
    requests = 0

    def counted(api: BareMetal, method: str, path: str, body: Any = None) -> Any:
        nonlocal requests
        answer = call(api, method, path, body)
        if method != "GET":
            requests += 1
            if requests == point:
                raise Killed
        return answer

    monkeypatch.setattr(BareMetal, "call", counted)
    one, point, kills = host(), 0, 0
    while True:
        point, requests = point + 1, 0
        ironic.wipe()
        killed = False
        try:
            whole(ironic.driver(**FAKE), one)
        except Killed:
            killed = True
        if not killed:
            break
        kills += 1
        driver = ironic.driver(**FAKE)
        # As who reassigns: prepared anew, unless the machine has come further.
        if ironic.nodes() and ironic.nodes()[0]["provision_state"] not in ("enroll", "manageable"):
            node = discover(driver, one)
            if driver.progress(one, node).state == "waiting":
                driver.deploy(one, node)
            done = follow(driver, one, node)
        else:
            done = whole(driver, one)
        assert done.state == "done", (point, done)
        assert [node["provision_state"] for node in ironic.nodes()] == ["active"]
    assert kills > 8


STEPS = """
import sys, time
from pumphouse.hosts.inventory import Driver, Host
from pumphouse.hosts.provisioners.ironic import Ironic
from tests.functional.ironic_service import HOST, MAC, discover, follow
options = {name: option.default for name, option in Ironic.OPTIONS.items()}
driver = Ironic({**options, "endpoint": sys.argv[1], "driver": "fake-hardware"})
one = Host(HOST, (MAC,), Driver("none"), source=True)
driver.prepare(one)
node = discover(driver, one)
driver.deploy(one, node)
print("begun", flush=True)
time.sleep(60)
"""


def test_it_outlives_us(ironic: Service) -> None:
    ours = subprocess.Popen([sys.executable, "-c", STEPS, ironic.url], stdout=subprocess.PIPE, text=True,
                            start_new_session=True, cwd=Path(__file__).parents[2])  # fmt: skip
    assert ours.stdout is not None
    assert ours.stdout.readline() == "begun\n"
    os.killpg(ours.pid, signal.SIGKILL)
    ours.wait()
    driver, one = ironic.driver(**FAKE), host()
    node = discover(driver, one)
    assert follow(driver, one, node).state == "done"


# --- ways to log in ---


def test_log_in_with_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP basic, as a standalone Ironic has it: from the inventory, or from clouds.yaml."""
    with Service(tmp_path / "run", "http_basic") as ironic:
        assert ironic.driver(**FAKE).check(host()) == []
        (line,) = ironic.driver(**FAKE, password=Secret("wr0ng")).check(host())
        assert line == f"Ironic at {ironic.url} refuses the log-in: are auth, username and password right?"
        nobody = {"auth": "none", "username": None, "password": None}
        (line,) = ironic.driver(**FAKE, **nobody).check(host())
        assert "refuses the log-in" in line
        entry = {"auth_type": "http_basic", "auth": {"endpoint": ironic.url, "username": USER, "password": PASSWORD}}
        clouds(tmp_path, monkeypatch, bare=entry)
        cloud = {**nobody, "endpoint": None, "cloud": "bare"}
        assert ironic.driver(**FAKE, **cloud).check(host()) == []
        assert whole(ironic.driver(**FAKE, **cloud), host()).state == "done"


def test_log_in_with_keystone(ironic: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ImageService() as keystone:
        entry = keystone.clouds_yaml()
        clouds(tmp_path, monkeypatch, new=entry, here={**entry, "baremetal_endpoint_override": f"{ironic.url}/v1"})
        said = {"endpoint": None, **FAKE}
        assert ironic.driver(cloud="here", **said).check(host()) == []
        assert keystone.tokens == 1
        (line,) = ironic.driver(cloud="new", **said).check(host())
        assert line.startswith("Ironic of cloud new: the catalogue has no baremetal service")
    (line,) = ironic.driver(cloud="here", **said).check(host())
    assert line.startswith("Ironic of cloud here cannot be asked: ") and "Connection refused" in line
    (line,) = ironic.driver(cloud="hear", **said).check(host())
    assert "has no entry 'hear'; did you mean 'here'?" in line


def clouds(directory: Path, monkeypatch: pytest.MonkeyPatch, **entries: Any) -> None:
    file = directory / "clouds.yaml"
    file.write_text(yaml.safe_dump({"clouds": entries}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(file))


def test_what_an_operator_sees(ironic: Service, machine: bmc.Machine, tmp_path: Path) -> None:
    """``pumphouse-bm inventory --reach``: it is Ironic that must reach the BMC, not we."""
    (tmp_path / "pw").write_text(f"{bmc.PASSWORD}\n")
    secret = {"file": str(tmp_path / "pw")}
    described = {
        "macs": [MAC], "source": True, "roles": ["compute"],
        "bmc": {"kind": "ipmi", "address": "192.0.2.1", "username": bmc.USER, "password": secret},
        "provisioner": {"name": "ironic", "endpoint": ironic.url, **IPMI, "interfaces": {"deploy": "direct"}},
    }  # fmt: skip
    inventory = tmp_path / "inventory.yaml"
    inventory.write_text(yaml.safe_dump({"hosts": {HOST: described}}))
    done = subprocess.run(
        [sys.executable, "-m", "pumphouse.cli.hosts", "inventory", "--inventory", str(inventory), "--reach",
         "-f", "json"],
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    (row,) = json.loads(done.stdout)
    assert row["provisioner"] == "ironic"
    assert [line.partition(" has no ")[2] for line in row["in_the_way"]][:1] == [
        "deploy interface direct enabled for the driver ipmi; it has ramdisk"
    ]
    assert bmc.PASSWORD not in done.stdout + done.stderr
