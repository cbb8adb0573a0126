"""A tenant leaves the real source, a hypervisor falls empty, and becomes a compute host of the real destination.

Its machine is QEMU's, with a real BMC and a real boot from the network; what it would install is stood in for: the host
of that name in the source is unplugged when the power is cut, and the lab's next compute host, of the same name, starts
in the destination when the provisioner has deployed it.
"""

from __future__ import annotations

import contextlib
import json
import threading
import traceback
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pumphouse.embedded.demo import fill
from pumphouse.embedded.demo.account import operator
from pumphouse.embedded.nailgun.process import NailgunProcess
from tests.acceptance.cleanup import Cleaner
from tests.acceptance.clouds import Json, wait
from tests.acceptance.command import Done
from tests.acceptance.lab import Lab
from tests.acceptance.racks import PLACE, Racks
from tests.functional import bmc, ironic_service
from tests.functional.fuel import ENVIRONMENT, NEW, Master
from tests.lab.cloud import CloudControl
from tests.lab.guest import guest_image
from tests.lab.layout import open_lab

HOST, OTHER = "src-c2", "src-c1"


class Installer(ABC):
    """What installs machines that boot from its network."""

    #: As the inventory has it.
    provisioner: Json
    #: QEMU's option: the network from which the machine boots.
    netdev = ""

    @abstractmethod
    def look(self, machine: bmc.Machine) -> None:
        """What becomes of the machine now."""

    @abstractmethod
    def deployed(self) -> bool:
        """Whether the machine runs what was to be installed."""

    @abstractmethod
    def proof(self, machine: bmc.Machine) -> None:
        """The machine has really booted from the network."""


class Fuel(Installer):
    """Embedded; the machine's agent speaks when the machine asks the network for something to boot."""

    def __init__(self, process: NailgunProcess, directory: Path) -> None:
        self.master, self.spoke = Master(process), False
        self.master.populate()
        self.master.delays(provision=2, deploy=2)
        (directory / "fuel").write_text(process.password)
        self.provisioner = {"name": "fuel", "url": process.url, "username": "admin",
                            "password": {"file": str(directory / "fuel")}, "environment": ENVIRONMENT}  # fmt: skip

    def look(self, machine: bmc.Machine) -> None:
        if "starts from network" not in machine.told():
            # Without a system on its disk it asks the network, too, and is not answered.
            machine.frames.clear()
        elif not self.spoke and machine.asked_for_network():
            NEW.boots(self.master.process.url)
            self.spoke = True

    def deployed(self) -> bool:
        return self.spoke and self.master.node(NEW)["status"] == "ready"

    def proof(self, machine: bmc.Machine) -> None:
        assert machine.asked_for_network()
        node = self.master.node(NEW)
        assert (node["status"], node["roles"], node["name"]) == ("ready", ["compute"], HOST)


class Ironic(Installer):
    """A real one: it switches the machine by IPMI, and tells it what to boot."""

    def __init__(self, service: ironic_service.Service) -> None:
        self.service = service
        directory = service.run / "http/image"
        directory.mkdir()
        gateway = f"http://{ironic_service.GATEWAY}:{service.files.port}"
        (directory / "kernel").write_text(f"#!ipxe\necho it runs\nimgfetch {gateway}/image/up ||\nsleep 600\n")
        for name in ("ramdisk", "up"):
            (directory / name).write_text(f"{name}\n")
        own = f"http://127.0.0.1:{service.files.port}/image"
        self.netdev = f"user,id=lan,bootfile={gateway}/boot.ipxe"
        self.provisioner = {
            "name": "ironic", "endpoint": service.url, "interfaces": {"deploy": "ramdisk", "boot": "ipxe"},
            "driver_info": {"ipmi_cipher_suite": "3"},
            "instance_info": {"kernel": f"{own}/kernel", "ramdisk": f"{own}/ramdisk"},
        }  # fmt: skip

    def look(self, machine: bmc.Machine) -> None:
        pass

    def deployed(self) -> bool:
        return "/image/up" in self.service.files.fetched

    def proof(self, machine: bmc.Machine) -> None:
        assert "it runs" in machine.serial()
        assert self.service.node(NEW.mac)["provision_state"] == "active"


class Reality(threading.Thread):
    """Does to the lab's hosts what is done to the machine."""

    def __init__(self, machine: bmc.Machine, installer: Installer) -> None:
        super().__init__(daemon=True)
        self.machine, self.installer, self.over = machine, installer, threading.Event()
        self.source, self.destination = (CloudControl(cloud) for cloud in open_lab().clouds)
        self.happened: list[str] = []

    def run(self) -> None:
        try:
            while not self.over.wait(0.5):
                self._look()
        except Exception:
            self.happened.append(traceback.format_exc())

    def _look(self) -> None:
        if not self.happened and "power 0" in self.machine.told():
            self.source.unplug(HOST)
            self.happened.append("unplugged")
        self.installer.look(self.machine)
        if self.happened == ["unplugged"] and self.installer.deployed():
            self.happened.append("plugged in")
            self.destination.add_compute(HOST)

    def end(self) -> None:
        """Both clouds as they were."""
        self.over.set()
        self.join(120)
        self.destination.unplug(HOST)
        for control in (self.destination, self.source):
            control.services.processes.stop(control.services.processes.dead())
        self.source.unplug(HOST)
        self.source.start_rest()


def compute_services(cloud: Any) -> dict[str, Json]:
    """By their hosts."""
    return {one["host"]: one for one in cloud.compute.list("/os-services", "services", binary="nova-compute")}


@pytest.fixture(scope="module")
def datacentre(clouds: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Racks]:
    """The tenant has been moved, its servers are accepted and gone from the source, and the host is evacuated."""
    if reason := bmc.missing() or ironic_service.missing():
        pytest.skip(reason)
    if not clouds.own:
        pytest.skip("LEFT OUT: hosts of clouds that others use too are not given away")
    racks = Racks(tmp_path_factory.mktemp("reassign"), clouds.clouds_file, clouds.databases)
    racks.clouds = clouds
    racks.domain = fill(operator("src"), operator("dst"), "small", guest_image(), say=lambda _: None)
    try:
        moved = racks.run("migrate", "--tenant", "acme", "--domain", racks.domain, "--yes")
        assert moved.code == 0, moved.said
        accepted = racks.run("accept", "1", "--delete-source", "--yes")
        assert accepted.code == 0, accepted.said
        yield racks
    finally:
        for cloud in (clouds.source, clouds.destination):
            Cleaner(cloud, racks.domain).clean()


@pytest.fixture
def fuel(tmp_path: Path) -> Iterator[Fuel]:
    with NailgunProcess("9.2", tmp_path / "nailgun") as process:
        yield Fuel(process, tmp_path)


@pytest.fixture
def ironic(tmp_path: Path) -> Iterator[Ironic]:
    with ironic_service.Service(tmp_path / "ironic") as service:
        yield Ironic(service)


@contextlib.contextmanager
def running(racks: Racks, installer: Installer, directory: Path) -> Iterator[bmc.Machine]:
    """The machine of the host, on, and the inventory that has it."""
    (directory / "bmc-password").write_text(bmc.PASSWORD)
    with bmc.Machine(directory, HOST, NEW.mac, netdev=installer.netdev) as machine:
        host = {
            "source": True, "macs": [NEW.mac], "provisioner": installer.provisioner,
            "bmc": {"kind": "ipmi", "address": "127.0.0.1", "port": machine.port, "username": bmc.USER,
                    "password": {"file": str(directory / "bmc-password")}},
        }  # fmt: skip
        inventory = racks.config.with_name("inventory.yaml")
        inventory.touch(0o600)
        inventory.write_text(json.dumps({"hosts": {HOST: host}}))
        machine.ipmitool("power", "on")
        bmc.wait(lambda: "starts from disk" in machine.told())
        reality = Reality(machine, installer)
        reality.start()
        try:
            yield machine
        finally:
            leave_again(racks)
            reality.end()
        assert reality.happened == ["unplugged", "plugged in"]


def boot_there(racks: Racks) -> Json:
    """A server of the destination on the new host."""
    compute, image = racks.clouds.destination.compute, racks.clouds.destination.image
    (base,) = [one for one in image.list("/images", "images") if one["name"] == "acme-base"]
    (flavor,) = [one for one in compute.list("/flavors", "flavors", is_public="None")
                 if one["name"] == f"{racks.domain}.small"]  # fmt: skip
    server = compute.post(
        "/servers", "server", name=f"{racks.domain}-there", host=HOST,
        imageRef=base["id"], flavorRef=flavor["id"], networks="none",
    )  # fmt: skip
    path = f"/servers/{server['id']}"
    return wait(lambda: compute.get(path), lambda one: one["status"] == "ACTIVE", "a server on the new host")


def leave_again(racks: Racks) -> None:
    """The destination without the host, for whoever comes next."""
    cloud = racks.clouds.destination
    if HOST not in compute_services(cloud):
        return
    for server in cloud.compute.list("/servers/detail", "servers", all_tenants=1):
        if server[PLACE] == HOST:
            cloud.compute.delete(f"/servers/{server['id']}")
    wait(
        lambda: [one for one in cloud.compute.list("/servers/detail", "servers", all_tenants=1) if one[PLACE] == HOST],
        lambda left: not left, "the end of the servers there",
    )  # fmt: skip
    cloud.compute.delete(f"/os-services/{compute_services(cloud)[HOST]['id']}")


@pytest.mark.parametrize("by", ["fuel", "ironic"])
def test_an_empty_host_becomes_one_of_the_destination(
    datacentre: Racks, by: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    racks, installer = datacentre, request.getfixturevalue(by)
    source, destination = racks.clouds.source, racks.clouds.destination
    with running(racks, installer, tmp_path) as machine:
        refused = racks.bm("reassign", HOST, "--yes")
        assert refused.code == 1, refused.said
        assert f"nova-compute on {HOST} is enabled" in refused.said
        assert machine.told().count("power 0") == 0
        evacuated: Done = racks.bm("evacuate", HOST, "--yes")
        assert evacuated.code == 0, evacuated.said
        done = racks.bm("reassign", HOST, "--yes")
        assert done.code == 0, done.said
        assert bmc.PASSWORD not in done.said

        told = machine.told()
        assert told.index("power 0") < told.index("boot pxe") < told.index("starts from network")
        installer.proof(machine)
        assert set(compute_services(source)) == {OTHER}
        assert [one["host"] for one in source.network.list("/agents", "agents") if one["host"] == HOST] == []
        service = compute_services(destination)[HOST]
        assert (service["state"], service["status"]) == ("up", "enabled")
        assert boot_there(racks)[PLACE] == HOST
    assert set(compute_services(source)) == {HOST, OTHER}
