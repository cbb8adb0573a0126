"""What only an embedded Nova lets one do: failures on demand, time in between, lost hosts, going back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pumphouse.embedded.process import CloudProcess
from tests.acceptance.clouds import Account, Service
from tests.acceptance.disks import server_disk
from tests.contract.conftest import Contractor
from tests.contract.ground import Ground
from tests.contract.wording import refused
from tests.lab.guest import boots


@pytest.fixture
def process(contractor: Contractor) -> Iterator[CloudProcess]:
    """The embedded cloud's; afterwards nothing fails, and nothing takes time."""
    if contractor.process is None:
        pytest.skip("a real cloud does not fail on demand")
    yield contractor.process
    contractor.process.control("POST", "faults", [])
    contractor.process.control("POST", "delays", dict.fromkeys(("server", "snapshot", "delete"), 0.0))


def fail(process: CloudProcess, type_: str = "server") -> None:
    """The next one."""
    process.control("POST", "faults", [{"kind": "fails", "type": type_}])


def test_a_build_that_fails(ground: Ground, process: CloudProcess) -> None:
    """It has no host, no volumes, and its port is free again."""
    port, volume = ground.port(), ground.volume(imageRef=ground.image["id"])
    root = {"boot_index": 0, "uuid": volume["id"], "source_type": "volume", "destination_type": "volume"}
    fail(process)
    made = ground.post(networks=[{"port": port["id"]}], block_device_mapping_v2=[root])
    server = ground.settled(made["id"])
    assert (server["status"], server["hostId"], server["addresses"]) == ("ERROR", "", {})
    assert server["fault"]["message"].startswith(f"Build of instance {made['id']} aborted: ")
    assert ground.member.network.get(f"/ports/{port['id']}")["device_id"] == ""
    ground.volume_in(volume["id"], "available")
    ground.delete(made["id"])
    ground.member.network.delete(f"/ports/{port['id']}")
    ground.member.volume.delete(f"/volumes/{volume['id']}")


def test_a_stop_that_fails(ground: Ground, operator: Account, process: CloudProcess) -> None:
    made = ground.boot()
    fail(process)
    ground.act(made["id"], "os-stop")
    shown = ground.show(made["id"])
    assert (shown["status"], shown["fault"]["code"]) == ("ERROR", 500)
    assert shown["hostId"] != ""
    actions = operator.compute.list(f"/servers/{made['id']}/os-instance-actions", "instanceActions")
    assert (actions[0]["action"], actions[0]["message"]) == ("stop", "Error")
    ground.act(made["id"], "os-resetState", {"state": "active"}, account=operator)
    ground.act(made["id"], "os-stop")
    ground.state(made["id"], "SHUTOFF")
    ground.delete(made["id"])


def test_a_snapshot_that_fails(ground: Ground, process: CloudProcess) -> None:
    """There is no image, and the server is as before."""
    made = ground.boot()
    fail(process, "snapshot")
    image = ground.act(made["id"], "createImage", {"name": ground.name("lost")})["image_id"]
    ground.state(made["id"], "ACTIVE")
    assert ground.member.image.find(f"/images/{image}") is None
    ground.delete(made["id"])


def test_time_in_between(ground: Ground, process: CloudProcess) -> None:
    """States and tasks that pass can be seen; what has begun keeps others out."""
    process.control("POST", "delays", {"server": 1.0, "snapshot": 0.5, "delete": 0.5})
    made = ground.post()
    shown = ground.show(made["id"])
    assert (shown["status"], shown["OS-EXT-STS:vm_state"], shown["addresses"]) == ("BUILD", "building", {})
    assert (shown["progress"], shown["OS-SRV-USG:launched_at"]) == (0, None)
    with refused(409, f"Instance {made['id']} is not ready"):
        ground.act(made["id"], "os-stop")
    with refused(409, "while it is in vm_state building"):
        ground.act(made["id"], "pause")
    ground.state(made["id"], "ACTIVE")
    image = ground.act(made["id"], "createImage", {"name": ground.name("slow")})["image_id"]
    assert ground.show(made["id"])["OS-EXT-STS:task_state"] in ("image_snapshot_pending", "image_uploading")
    with refused(409, "while it is in task_state image_"):
        ground.act(made["id"], "os-stop")
    seen = _until_active(ground, made["id"], image)
    assert "image_uploading" in seen, "Glance is done before Nova"
    ground.act(made["id"], "os-stop")
    assert ground.show(made["id"])["OS-EXT-STS:task_state"] == "powering-off"
    assert ground.show(made["id"])["status"] == "ACTIVE"
    ground.state(made["id"], "SHUTOFF")
    ground.member.compute.call("DELETE", f"/servers/{made['id']}")
    assert ground.show(made["id"])["OS-EXT-STS:task_state"] == "deleting"
    ground.gone(made["id"])
    ground.member.image.delete(f"/images/{image}")


def _until_active(ground: Ground, server_id: str, image_id: str) -> str:
    """The server's task at the moment at which its image became active."""
    while ground.member.image.get(f"/images/{image_id}")["status"] != "active":
        pass
    task = str(ground.show(server_id)["OS-EXT-STS:task_state"])
    ground.state(server_id, "ACTIVE")
    return task


def test_deleted_while_it_is_built(ground: Ground, process: CloudProcess) -> None:
    process.control("POST", "delays", {"server": 0.5})
    made = ground.post()
    ground.delete(made["id"])
    assert ground.member.network.list("/ports", "ports", device_id=made["id"]) == []


def test_a_lost_host(ground: Ground, operator: Account, release: str, process: CloudProcess) -> None:
    """Its servers can be brought up on another one, with their disks."""
    if release != "zed":
        pytest.skip("this cloud has one host")
    made = ground.boot()
    lost = ground.show(made["id"], account=operator)["OS-EXT-SRV-ATTR:host"]
    (service,) = operator.compute.list("/os-services", "services", binary="nova-compute", host=lost)
    operator.compute.put(f"/os-services/{service['id']}", forced_down=True)
    try:
        assert ground.show(made["id"], account=operator)["host_status"] == "DOWN"
        operator.compute.call("POST", f"/servers/{made['id']}/action", json={"evacuate": {}}, microversion="2.90")
        ground.state(made["id"], "ACTIVE")
        assert ground.show(made["id"], account=operator)["OS-EXT-SRV-ATTR:host"] != lost
        assert server_disk(operator, made["id"]).boots == 2
    finally:
        operator.compute.put(f"/os-services/{service['id']}", forced_down=False)
    ground.delete(made["id"])


def test_going_back(ground: Ground, operator: Account, process: CloudProcess) -> None:
    """Servers and their bytes are as they were when they were saved."""
    made = ground.boot()
    process.control("POST", "save/compute")
    ground.act(made["id"], "reboot", {"type": "HARD"})
    ground.state(made["id"], "ACTIVE")
    assert _boots(process, made["id"]) == 2
    ground.delete(made["id"])
    process.control("POST", "restore/compute")
    assert ground.show(made["id"])["status"] == "ACTIVE"
    assert _boots(process, made["id"]) == 1
    ground.delete(made["id"])


def _boots(process: CloudProcess, server_id: str) -> int:
    with open(process.control("GET", f"blobs/server/{server_id}")["path"], "rb") as disk:  # noqa: PTH123 (a text)
        return boots(disk.read(1024))


def test_placement_counts(operator: Account, ground: Ground, process: CloudProcess) -> None:
    """What servers take of hosts is what Placement tells."""

    def used() -> int:
        return int(operator.compute.get("/os-hypervisors/statistics", microversion="2.87")["vcpus_used"])

    before = used()
    made = ground.boot()
    assert used() == before + 1
    ground.delete(made["id"])
    assert used() == before


def test_a_host_comes_and_goes(operator: Account, process: CloudProcess) -> None:
    """Its agents stay when Nova forgets it, and go for good only when it is off."""
    process.control("POST", "save/hosts")

    def agents() -> list[tuple[str, bool]]:
        found = operator.network.list("/agents", "agents")
        return [(one["id"], one["alive"]) for one in found if one["host"] == "new-c9"]

    def providers() -> list[str]:
        placement = Service(operator.connection.placement)
        return [one["uuid"] for one in placement.list("/resource_providers", "resource_providers", name="new-c9")]

    try:
        process.control("POST", "hosts/new-c9", {"alive": True})
        (service,) = operator.compute.list("/os-services", "services", binary="nova-compute", host="new-c9")
        assert (service["state"], service["status"]) == ("up", "enabled")
        ((agent, alive),) = agents()
        operator.network.delete(f"/agents/{agent}")
        assert alive and agents() == [(agent, True)], "it reports again"
        process.control("POST", "hosts/new-c9", {"alive": False})
        fail(process, "provider")
        operator.compute.call("DELETE", f"/os-services/{service['id']}")
        assert operator.compute.list("/os-services", "services", binary="nova-compute", host="new-c9") == []
        assert agents() == [(agent, False)]
        operator.network.delete(f"/agents/{agent}")
        assert agents() == []
        (left,) = providers()
        Service(operator.connection.placement).call("DELETE", f"/resource_providers/{left}")
        assert providers() == []
    finally:
        process.control("POST", "restore/hosts")
