"""Nova: root disks and volumes, what guests write to them, and the images that are made of them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance import disks
from tests.acceptance.clouds import Account, Json, wait
from tests.acceptance.disks import Disk, expected, server_disk
from tests.acceptance.tenant.images import qcow2, upload
from tests.contract.ground import GIB, SIZE, Ground
from tests.contract.wording import refused
from tests.lab.guest import guest_image


def attachments(ground: Ground, id_: str, microversion: str = "2.90") -> list[Json]:
    """Of a server."""
    path = f"/servers/{id_}/os-volume_attachments"
    return ground.member.compute.call("GET", path, microversion=microversion).json()["volumeAttachments"]


def attach(ground: Ground, id_: str, volume: Json, **fields: object) -> Json:
    """A volume; the answer when it is in use."""
    path = f"/servers/{id_}/os-volume_attachments"
    made = ground.member.compute.post(path, "volumeAttachment", volumeId=volume["id"], **fields)
    ground.volume_in(volume["id"], "in-use")
    return made


@pytest.fixture(scope="module")
def server(ground: Ground) -> Iterator[Json]:
    """Booted from an image."""
    made = ground.boot()
    yield made
    ground.delete(made["id"])


@pytest.fixture(scope="module")
def from_volume(ground: Ground) -> Iterator[Json]:
    """Booted from a volume, with a second one."""
    root = ground.volume(imageRef=ground.image["id"])
    second = ground.volume()
    mapping = [
        {"boot_index": 0, "uuid": root["id"], "source_type": "volume", "destination_type": "volume", "tag": "wurzel"},
        {"boot_index": -1, "uuid": second["id"], "source_type": "volume", "destination_type": "volume",
         "delete_on_termination": True},
    ]  # fmt: skip
    made = ground.boot(block_device_mapping_v2=mapping)
    yield {**made, "root": root["id"], "second": second["id"]}
    ground.delete(made["id"])
    ground.volume_in(root["id"], "available")
    wait(lambda: ground.member.volume.find(f"/volumes/{second['id']}"), lambda v: v is None, "end of a volume")


# --- root disks


def test_the_guest_counts(ground: Ground, operator: Account, server: Json) -> None:
    """Booted once; a reboot is one more. All else of the disk is the image's, zeros up to its size."""
    disk = server_disk(operator, server["id"])
    before = disk.boots
    assert before is not None and before >= 1
    assert disk.unlike(expected({0: ground.bytes}, GIB)) == []
    ground.act(server["id"], "os-stop")
    ground.state(server["id"], "SHUTOFF")
    ground.act(server["id"], "os-start")
    ground.state(server["id"], "ACTIVE")
    wait(lambda: server_disk(operator, server["id"]).boots, lambda boots: boots == before + 1, "the guest's count")


def test_snapshot(ground: Ground, server: Json, name: Callable[[str], str]) -> None:
    called = name("snapshot")
    body = {"createImage": {"name": called, "metadata": {"own": "x"}}}
    answer = ground.member.compute.call("POST", f"/servers/{server['id']}/action", json=body)
    assert answer.status_code == 202
    id_ = answer.json()["image_id"]
    image = wait(lambda: ground.member.image.get(f"/images/{id_}"), lambda i: i["status"] == "active", called)
    assert (image["name"], image["visibility"], image["owner"]) == (called, "private", ground.member.project_id)
    assert (image["disk_format"], image["container_format"]) == ("qcow2", "bare")
    assert (image["virtual_size"], image["min_disk"]) == (GIB, 1)
    own = {"own": "x", "instance_uuid": server["id"], "user_id": ground.member.user_id, "image_type": "snapshot",
           "base_image_ref": ground.image["id"], "image_location": "snapshot", "image_state": "available",
           "owner_id": ground.member.project_id, "hw_machine_type": "pc", "hw_disk_bus": "virtio",
           "hw_cdrom_bus": "ide", "hw_input_bus": "usb", "hw_pointer_model": "usbtablet",
           "hw_video_model": "virtio"}  # fmt: skip
    assert {key: image[key] for key in own} == own
    assert {"owner_user_name", "owner_project_name", "boot_roles"} <= set(image)
    ground.state(server["id"], "ACTIVE")
    old = ground.member.compute.call("POST", f"/servers/{server['id']}/action", json=body, microversion="2.44")
    assert old.content == b""
    assert "/images/" in old.headers["Location"]
    ground.state(server["id"], "ACTIVE")
    for image_id in (id_, old.headers["Location"].rpartition("/")[2]):
        ground.member.image.delete(f"/images/{image_id}")


def test_an_operators_snapshot(ground: Ground, operator: Account, server: Json, name: Callable[[str], str]) -> None:
    """It is his, and shared with the project."""
    made = ground.act(server["id"], "createImage", {"name": name("from outside")}, account=operator)
    path = f"/images/{made['image_id']}"
    image = wait(lambda: operator.image.get(path), lambda i: i["status"] == "active", "image")
    assert (image["visibility"], image["owner"]) == ("shared", operator.project_id)
    assert [m["member_id"] for m in operator.image.list(f"{path}/members", "members")] == [ground.member.project_id]
    ground.state(server["id"], "ACTIVE")
    operator.image.delete(path)


def test_a_lock_does_not_keep_from_snapshots(ground: Ground, server: Json) -> None:
    ground.act(server["id"], "lock")
    made = ground.act(server["id"], "createImage", {"name": ground.name("locked")})
    ground.state(server["id"], "ACTIVE")
    ground.act(server["id"], "unlock")
    ground.member.image.delete(f"/images/{made['image_id']}")


def test_shelf(ground: Ground, operator: Account) -> None:
    """Its disk becomes an image of the project, and it boots from that."""
    made = ground.boot()
    ground.act(made["id"], "shelve")
    shelved = ground.state(made["id"], "SHELVED_OFFLOADED")
    assert shelved["OS-EXT-STS:power_state"] == 4
    wait(lambda: ground.show(made["id"]), lambda s: not s["hostId"], "end on its host")
    shown = ground.show(made["id"], account=operator)
    assert (shown["OS-EXT-SRV-ATTR:host"], shown["host_status"]) == (None, "")
    (image,) = ground.member.image.list("/images", "images", name=f"{made['name']}-shelved")
    assert (image["status"], image["instance_uuid"], image["visibility"]) == ("active", made["id"], "private")
    (port,) = ground.member.network.list("/ports", "ports", device_id=made["id"])
    assert port["fixed_ips"]
    with refused(409, f"Instance {made['id']} is not ready"):
        ground.act(made["id"], "os-start")
    for action in ("shelve", "createImage"):
        with refused(409, "while it is in vm_state shelved_offloaded"):
            ground.act(made["id"], action, {"name": "x"} if action == "createImage" else None)
    ground.act(made["id"], "unshelve")
    ground.state(made["id"], "ACTIVE")
    assert ground.member.image.list("/images", "images", name=f"{made['name']}-shelved") == []
    wait(lambda: server_disk(operator, made["id"]).boots, lambda boots: boots == 2, "the guest's count")
    ground.delete(made["id"])


def test_packed_images(ground: Ground, operator: Account) -> None:
    """A qcow2 image is what is in it."""
    pieces = {0: guest_image(), (64 << 20) - 4096: b"x" * 4096}
    image = upload(ground.member, qcow2(pieces, 64 << 20), "qcow2", name=ground.name("packed"), hw_machine_type="pc")
    made = ground.boot(imageRef=image["id"])
    disk = server_disk(operator, made["id"])
    assert disk.unlike(expected(pieces, GIB)) == []
    ground.delete(made["id"])
    ground.member.image.delete(f"/images/{image['id']}")


# --- volumes


def test_from_a_volume(ground: Ground, from_volume: Json) -> None:
    id_ = from_volume["id"]
    assert ground.show(id_)["image"] == ""
    assert ground.show(id_)["os-extended-volumes:volumes_attached"] == [
        {"id": from_volume["root"], "delete_on_termination": False},
        {"id": from_volume["second"], "delete_on_termination": True},
    ]
    found = attachments(ground, id_)
    assert [(a["volumeId"], a["device"], a["tag"], a["delete_on_termination"]) for a in found] == [
        (from_volume["root"], "/dev/vda", "wurzel", False),
        (from_volume["second"], "/dev/vdb", None, True),
    ]
    root = ground.volume_in(from_volume["root"], "in-use")
    (attachment,) = root["attachments"]
    assert (attachment["server_id"], attachment["device"]) == (id_, "/dev/vda")
    assert attachment["attachment_id"] == found[0]["attachment_id"]
    with refused(400, "Cannot detach a root device volume"):
        ground.member.compute.call("DELETE", f"/servers/{id_}/os-volume_attachments/{from_volume['root']}")


def test_the_guest_counts_on_its_volume(ground: Ground, operator: Account, from_volume: Json) -> None:
    found = disks.read(operator, {}, {"root": from_volume["root"]})["volume root"]
    assert found.boots == 1
    assert found.unlike(expected({0: ground.bytes}, GIB)) == []


def test_volumes_that_nova_makes(ground: Ground, operator: Account) -> None:
    mapping = [
        {"boot_index": 0, "uuid": ground.image["id"], "source_type": "image", "destination_type": "volume",
         "volume_size": 1, "delete_on_termination": True},
    ]  # fmt: skip
    made = ground.boot(block_device_mapping_v2=mapping)
    (attached,) = ground.show(made["id"])["os-extended-volumes:volumes_attached"]
    volume = operator.volume.get(f"/volumes/{attached['id']}")
    assert (volume["os-vol-tenant-attr:tenant_id"], volume["size"], volume["name"]) == (ground.member.project_id, 1, "")
    assert volume["volume_image_metadata"]["image_id"] == ground.image["id"]
    ground.delete(made["id"])
    wait(lambda: operator.volume.find(f"/volumes/{volume['id']}"), lambda v: v is None, "end of the volume")


def test_attach_and_detach(ground: Ground, server: Json) -> None:
    """The next free name, whatever was asked for."""
    volume = ground.volume()
    path = f"/servers/{server['id']}/os-volume_attachments"
    made = attach(ground, server["id"], volume, device="/dev/vdq", tag="daten", delete_on_termination=True)
    assert made == {
        "id": volume["id"],
        "serverId": server["id"],
        "volumeId": volume["id"],
        "device": "/dev/vdb",
        "tag": "daten",
        "delete_on_termination": True,
    }
    (shown,) = attachments(ground, server["id"])
    assert set(shown) == set(made) - {"id"} | {"attachment_id", "bdm_uuid"}
    (old,) = attachments(ground, server["id"], "2.88")
    assert old == made
    assert set(attachments(ground, server["id"], "2.69")[0]) == {"id", "serverId", "volumeId", "device"}
    assert set(attachments(ground, server["id"], "2.78")[0]) == {"id", "serverId", "volumeId", "device", "tag"}
    assert ground.member.compute.get(f"{path}/{volume['id']}") == shown
    with refused(400, f"volume {volume['id']} is already attached to instances: {server['id']}"):
        ground.member.compute.post(path, "volumeAttachment", volumeId=volume["id"])
    ground.member.compute.put(f"{path}/{volume['id']}", "volumeAttachment", volumeId=volume["id"],
                              delete_on_termination=False)  # fmt: skip
    assert attachments(ground, server["id"])[0]["delete_on_termination"] is False
    assert ground.member.compute.call("DELETE", f"{path}/{volume['id']}").status_code == 202
    ground.volume_in(volume["id"], "available")
    wait(lambda: ground.member.compute.find(f"{path}/{volume['id']}"), lambda found: found is None, "detachment")
    with refused(404, f"Instance {server['id']} is not attached to volume {volume['id']}"):
        ground.member.compute.get(f"{path}/{volume['id']}")
    ground.member.volume.delete(f"/volumes/{volume['id']}")


def test_what_cannot_be_attached(ground: Ground, server: Json, from_volume: Json, other: Account) -> None:
    path = f"/servers/{server['id']}/os-volume_attachments"
    nothing = "6a1f0d4e-0000-4000-8000-000000000000"
    with refused(404, f"Volume {nothing} could not be found."):
        ground.member.compute.post(path, "volumeAttachment", volumeId=nothing)
    theirs = other.volume.post("/volumes", "volume", size=1, name=ground.name("theirs"))
    with refused(404, f"Volume {theirs['id']} could not be found."):
        ground.member.compute.post(path, "volumeAttachment", volumeId=theirs["id"])
    with refused(400, "is already attached to instances"):
        ground.member.compute.post(path, "volumeAttachment", volumeId=from_volume["second"])
    wait(lambda: other.volume.get(f"/volumes/{theirs['id']}"), lambda v: v["status"] == "available", "their volume")
    other.volume.delete(f"/volumes/{theirs['id']}")


def mapping(**fields: object) -> Json:
    """Of a root volume."""
    return {"boot_index": 0, "source_type": "volume", "destination_type": "volume", **fields}


def test_what_cannot_be_booted(ground: Ground, from_volume: Json) -> None:
    empty = ground.volume()
    with refused(400, f"Block Device {empty['id']} is not bootable."):
        ground.post(block_device_mapping_v2=[mapping(uuid=empty["id"])])
    with refused(400, "Boot sequence for the instance and image/block device mapping combination is not valid."):
        ground.post(block_device_mapping_v2=[mapping(uuid=empty["id"], boot_index=-1)])
    with refused(400, from_volume["root"]):
        ground.post(block_device_mapping_v2=[mapping(uuid=from_volume["root"])])
    with refused(400, "Missing device UUID."):
        ground.post(block_device_mapping_v2=[mapping()])
    with refused(400, "failed to get volume"):
        ground.post(block_device_mapping_v2=[mapping(uuid="6a1f0d4e-0000-4000-8000-000000000000")])
    ground.member.volume.delete(f"/volumes/{empty['id']}")


def test_images_that_do_not_fit(ground: Ground, operator: Account) -> None:
    image = upload(ground.member, guest_image(), "raw", name=ground.name("large"), min_disk=2, min_ram=65)
    with refused(400, "Flavor's memory is too small for requested image."):
        ground.post(imageRef=image["id"])
    flavor = operator.compute.post("/flavors", "flavor", name=ground.name("more"), **{**SIZE, "ram": 65})
    with refused(400, "Flavor's disk is smaller than the minimum size specified in image metadata."):
        ground.post(imageRef=image["id"], flavorRef=flavor["id"])
    queued = ground.member.image.post("/images", name=ground.name("queued"))
    with refused(400, f"Image {queued['id']} is not active."):
        ground.post(imageRef=queued["id"])
    for one in (image, queued):
        ground.member.image.delete(f"/images/{one['id']}")


def test_the_witness_reads_files(ground: Ground) -> None:
    """The tests' own eye: what :class:`Disk` tells of a disk that was never booted."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "disk")
        path.write_bytes(ground.bytes)
        assert Disk(path).boots == 0


def test_snapshot_of_volumes(ground: Ground, from_volume: Json) -> None:
    """An image without bytes, and a snapshot of each volume. The server stays off: it is the last test with it."""
    ground.act(from_volume["id"], "os-stop")
    ground.state(from_volume["id"], "SHUTOFF")
    made = ground.act(from_volume["id"], "createImage", {"name": ground.name("of volumes")})
    image = ground.member.image.get(f"/images/{made['image_id']}")
    assert (image["status"], image["size"], image["bdm_v2"]) == ("active", 0, "True")
    mapping = json.loads(image["block_device_mapping"])
    assert {(one["source_type"], one["destination_type"]) for one in mapping} == {("snapshot", "volume")}
    assert [one["boot_index"] for one in mapping if one["boot_index"] == 0] == [0]
    snapshots = ground.member.volume.list("/snapshots", "snapshots")
    assert {one["snapshot_id"] for one in mapping} == {one["id"] for one in snapshots}
    assert {one["volume_id"] for one in snapshots} == {from_volume["root"], from_volume["second"]}
    for one in snapshots:
        path = f"/snapshots/{one['id']}"
        wait(lambda path=path: ground.member.volume.get(path), lambda s: s["status"] == "available", path)
        ground.member.volume.delete(path)
        wait(lambda path=path: ground.member.volume.find(path), lambda s: s is None, path)
    ground.member.image.delete(f"/images/{image['id']}")
