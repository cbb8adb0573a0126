"""Cinder: what is made of volumes: images, snapshots, other volumes; also of those that servers have."""

from __future__ import annotations

import pytest

from tests.acceptance.clouds import Account, Json, wait
from tests.acceptance.disks import expected, volume_disk
from tests.acceptance.tenant.images import upload
from tests.contract.ground import Ground
from tests.contract.storage import GIB, PIECES, Name, Volumes
from tests.contract.wording import refused

NO_BACKEND = "schedule allocate volume:Could not find any available weighted backend."
SNAPSHOT = {
    "id", "created_at", "updated_at", "name", "description", "volume_id", "status", "size", "metadata",
    "group_snapshot_id", "user_id", "consumes_quota",
}  # fmt: skip


# --- uploads ---


def test_an_upload_to_an_image(volumes: Volumes, written: Json, name: Name, release: str) -> None:
    owner, called = volumes.owner, name("uploaded")
    body = {"image_name": called, "disk_format": "qcow2", "container_format": "bare", "visibility": "shared"}
    path = f"/volumes/{written['id']}/action"
    answer = owner.volume.call("POST", path, json={"os-volume_upload_image": body})
    told = answer.json()["os-volume_upload_image"]
    assert answer.status_code == 202
    assert set(told) == {
        "id", "updated_at", "status", "display_description", "size", "volume_type", "image_id", "container_format",
        "disk_format", "image_name", "protected", "visibility",
    }  # fmt: skip
    assert (told["id"], told["status"], told["image_name"]) == (written["id"], "uploading", called)
    assert (told["visibility"], told["protected"], told["volume_type"]["name"]) == ("shared", False, "lab-nfs")
    image = wait(lambda: owner.image.get(f"/images/{told['image_id']}"), lambda i: i["status"] == "active", "the image")
    assert (image["owner"], image["name"], image["disk_format"]) == (owner.project_id, called, "qcow2")
    assert (image["hw_disk_bus"], image["note"]) == ("virtio", "ü")
    assert ("signature_verified" in image) == (release == "zed")
    assert (image["virtual_size"], "image_id" in image) == (GIB, False)
    volumes.state(written, "available")


def test_a_raw_upload_is_as_large_as_the_volume(volumes: Volumes, blank: Json, name: Name) -> None:
    told = volumes.act(blank, "os-volume_upload_image", image_name=name("raw"))
    with refused(400, "Invalid volume: "):
        volumes.owner.volume.call("DELETE", f"/volumes/{blank['id']}")
    look = volumes.owner.image
    image = wait(lambda: look.get(f"/images/{told['image_id']}"), lambda i: i["status"] == "active", "the image")
    assert (image["disk_format"], image["size"], image["visibility"]) == ("raw", GIB, "private")
    volumes.state(blank, "available")


def test_public_images_are_for_administrators(volumes: Volumes, blank: Json, name: Name) -> None:
    with refused(403):
        volumes.act(blank, "os-volume_upload_image", image_name=name("public"), visibility="public")
    with refused(400):
        volumes.act(blank, "os-volume_upload_image", image_name=name("floppy"), disk_format="floppy")
    assert volumes.show(blank)["status"] == "available"


# --- snapshots, and volumes made of others ---


@pytest.fixture(scope="module")
def original(volumes: Volumes, seed: Json, name: Name) -> Json:
    """A volume with known bytes, of which there is a snapshot for a while."""
    return volumes.ready(name=name("original"), imageRef=seed["id"])


def test_a_snapshot(volumes: Volumes, original: Json, name: Name, operator: Account, other: Account) -> None:
    look, called = volumes.owner.volume, name("snapshot")
    body = {"volume_id": original["id"], "name": called, "metadata": {"k": "v"}}
    answer = look.call("POST", "/snapshots", json={"snapshot": body})
    made = answer.json()["snapshot"]
    assert (answer.status_code, set(made)) == (202, SNAPSHOT)
    assert (made["status"], made["size"], made["name"], made["metadata"]) == ("creating", 1, called, {"k": "v"})
    path = f"/snapshots/{made['id']}"
    done = wait(lambda: look.get(path), lambda s: s["status"] == "available", "the snapshot")
    attributes = {f"os-extended-snapshot-attributes:{key}" for key in ("project_id", "progress")}
    assert set(done) == SNAPSHOT | attributes
    assert done["os-extended-snapshot-attributes:progress"] == "100%"
    with refused(404, f"Snapshot {made['id']} could not be found."):
        other.volume.get(path)
    with refused(400, "have snapshots"):
        look.call("DELETE", f"/volumes/{original['id']}")
    query = {"all_tenants": 1, "volume_id": original["id"]}
    assert [one["id"] for one in operator.volume.list("/snapshots/detail", "snapshots", **query)] == [made["id"]]
    _a_volume_from(volumes, made, operator)
    volumes.gone("snapshots", made)


def _a_volume_from(volumes: Volumes, snapshot: Json, operator: Account) -> None:
    copy = volumes.ready(size=None, snapshot_id=snapshot["id"])
    assert (copy["snapshot_id"], copy["size"], copy["bootable"]) == (snapshot["id"], 1, "true")
    assert copy["volume_image_metadata"]["hw_disk_bus"] == "virtio"
    assert volume_disk(operator, copy["id"]).unlike(expected(PIECES, GIB)) == []
    volumes.gone("volumes", copy)


def test_a_clone(volumes: Volumes, original: Json, name: Name, operator: Account) -> None:
    made = volumes.make(source_volid=original["id"], name=name("clone"))
    assert (made["source_volid"], made["bootable"], made["volume_type"]) == (original["id"], "true", "lab-nfs")
    done = volumes.state(made, "available")
    assert done["volume_image_metadata"] == original["volume_image_metadata"]
    assert volume_disk(operator, made["id"]).unlike(expected(PIECES, GIB)) == []
    volumes.gone("volumes", made)


def test_a_volume_with_snapshots_cannot_be_read(volumes: Volumes, blank: Json, name: Name, release: str) -> None:
    """The driver, NFS, finds qcow2 files with others below them dangerous; in Zed even for clones."""
    owner, snapshot = volumes.owner, volumes.snapshot(blank, name=name("in the way"))
    clone = volumes.ended(volumes.make(source_volid=blank["id"], name=name("a clone")))
    assert clone["status"] == ("error" if release == "zed" else "available")
    messages = [one["user_message"] for one in owner.volume.list("/messages", "messages", resource_uuid=clone["id"])]
    assert messages == ([NO_BACKEND] if release == "zed" else [])
    volumes.gone("volumes", clone)
    told = volumes.act(blank, "os-volume_upload_image", image_name=name("nothing"), disk_format="qcow2")
    path = f"/images/{told['image_id']}"
    wait(lambda: (owner.image.find(path) or {}).get("status", "gone"), lambda s: s == "gone", "end of the image")
    volumes.state(blank, "available")
    (message,) = owner.volume.list("/messages", "messages", resource_uuid=blank["id"])
    assert message["user_message"] == "copy volume to image:Failed to upload volume to image at backend."
    volumes.gone("snapshots", snapshot)


def test_a_second_snapshot_stands_on_the_first(volumes: Volumes, blank: Json, name: Name, release: str) -> None:
    """So Zed makes no volume of it."""
    first, second = (volumes.snapshot(blank, name=name(which)) for which in ("first", "second"))
    made = {s["id"]: volumes.ended(volumes.make(snapshot_id=s["id"], name=name("of one"))) for s in (first, second)}
    assert made[first["id"]]["status"] == "available"
    assert made[second["id"]]["status"] == ("error" if release == "zed" else "available")
    for volume in made.values():
        volumes.gone("volumes", volume)
    for snapshot in (second, first):
        volumes.gone("snapshots", snapshot)


def test_a_plain_images_volume_is_not_uploaded_by_the_newer_cinder(volumes: Volumes, name: Name, release: str) -> None:
    """It filters out what it noted itself, and stumbles over there being nothing else."""
    image = upload(volumes.owner, b"x" * 512, "raw", name=name("plain seed"))
    volume = volumes.ready(imageRef=image["id"], name=name("of a plain image"))
    body = {"image_name": name("of a plain image"), "disk_format": "qcow2"}
    if release == "zed":
        volumes.act(volume, "os-volume_upload_image", **body)
    else:
        with refused(400, "Unable to set 'properties' to {}."):
            volumes.act(volume, "os-volume_upload_image", **body)
    volumes.state(volume, "available")
    volumes.act(volume, "os-set_image_metadata", metadata={"os_distro": "none"})
    volumes.act(volume, "os-volume_upload_image", **body)
    volumes.state(volume, "available")


def test_a_copy_is_no_smaller(volumes: Volumes, name: Name) -> None:
    large = volumes.ready(size=2, name=name("two"))
    with refused(400, "They must be >= original volume size."):
        volumes.make(size=1, source_volid=large["id"])
    larger = volumes.ready(size=3, source_volid=large["id"])
    assert larger["size"] == 3
    for volume in (large, larger):
        volumes.gone("volumes", volume)


# --- volumes of servers ---


@pytest.fixture(scope="module")
def attached(ground: Ground, name: Name) -> tuple[Json, Json]:
    """(volume, server) of the member; the server runs."""
    volume, server = ground.volume(), ground.boot()
    path = f"/servers/{server['id']}/os-volume_attachments"
    ground.member.compute.post(path, "volumeAttachment", volumeId=volume["id"])
    return ground.volume_in(volume["id"], "in-use"), server


def test_who_has_it(attached: tuple[Json, Json], ground: Ground, operator: Account) -> None:
    volume, server = attached
    (attachment,) = volume["attachments"]
    assert set(attachment) == {"id", "attachment_id", "volume_id", "server_id", "host_name", "device", "attached_at"}
    assert (attachment["server_id"], attachment["device"]) == (server["id"], "/dev/vdb")
    assert (attachment["id"], attachment["volume_id"], attachment["host_name"]) == (volume["id"], volume["id"], None)
    (shown,) = operator.volume.get(f"/volumes/{volume['id']}")["attachments"]
    host = operator.compute.get(f"/servers/{server['id']}")["OS-EXT-SRV-ATTR:host"]
    assert shown["host_name"] == host
    query = {"volume_id": volume["id"]}
    (listed,) = ground.member.volume.list("/attachments", "attachments", **query)
    assert listed == {
        "id": attachment["attachment_id"], "status": "attached", "instance": server["id"], "volume_id": volume["id"],
    }  # fmt: skip


def test_what_is_attached_stays(attached: tuple[Json, Json], ground: Ground, name: Name) -> None:
    volume, _ = attached
    look, path = ground.member.volume, f"/volumes/{volume['id']}"
    with refused(400, "must not be migrating, attached"):
        look.call("DELETE", path)
    with refused(400, "Volume status must be available to reserve, but the status is in-use."):
        look.post(f"{path}/action", "os-reserve")
    with refused(400, f"Volume {volume['id']} status must be available"):
        look.post(f"{path}/action", "os-volume_upload_image", image_name=name("no force"))
    with refused(400, "must be available, but current status is: in-use."):
        look.call("POST", "/snapshots", json={"snapshot": {"volume_id": volume["id"]}}, microversion="3.60")


def test_what_is_attached_is_not_cloned_but_its_snapshot_is(
    attached: tuple[Json, Json], ground: Ground, operator: Account, name: Name
) -> None:
    """NFS makes no clones of it."""
    volumes, (volume, _) = Volumes(ground.member, operator), attached
    clone = volumes.ended(volumes.make(source_volid=volume["id"]))
    assert clone["status"] == "error"
    shown = operator.volume.get(f"/volumes/{clone['id']}")
    assert (shown["os-vol-host-attr:host"], shown["service_uuid"]) == (None, None)
    volumes.gone("volumes", clone)
    snapshot = volumes.snapshot(volume, name=name("of an attached one"), force=True)
    copy = volumes.ready(snapshot_id=snapshot["id"], name=name("of its snapshot"))
    volumes.gone("volumes", copy)
    volumes.gone("snapshots", snapshot)


def test_a_running_servers_volume_cannot_be_read(
    attached: tuple[Json, Json], ground: Ground, operator: Account, name: Name
) -> None:
    volumes, (volume, _) = Volumes(ground.member, operator), attached
    told = volumes.act(volume, "os-volume_upload_image", image_name=name("nothing"), force=True, disk_format="qcow2")
    path, look = f"/images/{told['image_id']}", ground.member.image
    wait(lambda: (look.find(path) or {}).get("status", "gone"), lambda s: s == "gone", "end of the image")
    assert volumes.state(volume, "in-use")["attachments"] == volume["attachments"]


def test_by_force_it_is_read_while_the_server_is_off(
    attached: tuple[Json, Json], ground: Ground, operator: Account, name: Name
) -> None:
    volume, server = attached
    ground.act(server["id"], "os-stop")
    ground.state(server["id"], "SHUTOFF")
    assert volume_disk(operator, volume["id"]).unlike(expected({}, GIB)) == []
    assert ground.volume_in(volume["id"], "in-use")["attachments"] == volume["attachments"]
