"""Cinder: volumes, what is told of them, and what they come to."""

from __future__ import annotations

import uuid

import pytest
import requests

from tests.acceptance.clouds import Account, Json, wait
from tests.acceptance.disks import expected, volume_disk
from tests.acceptance.tenant.images import qcow2, upload
from tests.contract.storage import GIB, PIECES, Name, Volumes, root
from tests.contract.wording import refused

#: What a member sees of a volume, in the version that these tests speak; and what an administrator sees beside.
FIELDS = {
    "id", "status", "size", "availability_zone", "created_at", "updated_at", "name", "description", "volume_type",
    "snapshot_id", "source_volid", "metadata", "links", "user_id", "bootable", "encrypted", "replication_status",
    "consistencygroup_id", "multiattach", "attachments", "group_id", "shared_targets", "service_uuid",
    "volume_type_id", "consumes_quota",
}  # fmt: skip
EXTENDED = {"os-vol-tenant-attr:tenant_id"}
OPERATORS = {
    "migration_status", "provider_id", "cluster_name", "os-vol-mig-status-attr:migstat",
    "os-vol-mig-status-attr:name_id", "os-vol-host-attr:host",
}  # fmt: skip
# --- versions and addresses ---


def test_the_newest_version_is_told_without_a_token(member: Account, release: str) -> None:
    answer = requests.get(f"{root(member)}/", timeout=60)
    assert answer.status_code == 300
    (version,) = answer.json()["versions"]
    assert (version["id"], version["status"], version["min_version"]) == ("v3.0", "CURRENT", "3.0")
    assert version["version"] == {"zed": "3.70", "2026.1": "3.71"}[release]
    assert requests.get(f"{root(member)}/v3/", timeout=60).status_code == 401


def test_the_version_of_an_answer_stands_in_its_headers(volumes: Volumes) -> None:
    look = volumes.owner.volume
    assert look.call("GET", "/volumes").headers["OpenStack-API-Version"] == "volume 3.68"
    assert look.call("GET", "/volumes", microversion="3.5").headers["OpenStack-API-Version"] == "volume 3.5"
    with refused(406, "Version 3.999 is not supported by the API. Minimum is 3.0 and maximum is"):
        look.call("GET", "/volumes", microversion="3.999")


def test_only_the_tokens_project_is_in_addresses(volumes: Volumes, other: Account) -> None:
    headers = {"X-Auth-Token": volumes.owner.connection.auth_token}
    answer = requests.get(f"{root(other)}/v3/{other.project_id}/volumes", headers=headers, timeout=60)
    assert (answer.status_code, answer.json()) == (
        400, {"badRequest": {"code": 400, "message": "Malformed request url"}},
    )  # fmt: skip
    answer = requests.get(f"{root(other)}/v3/{other.project_id}/volumes", timeout=60)
    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == "The request you have made requires authentication."


# --- volumes ---


def test_the_answer_to_making_one(volumes: Volumes, name: Name) -> None:
    called = name("answered")
    answer = volumes.owner.volume.call("POST", "/volumes", json={"volume": {"size": 1, "name": f" {called} "}})
    made = answer.json()["volume"]
    assert answer.status_code == 202
    assert set(made) == FIELDS
    assert (made["status"], made["size"], made["name"], made["description"]) == ("creating", 1, called, None)
    assert (made["availability_zone"], made["volume_type"], made["bootable"]) == ("nova", "lab-nfs", "false")
    assert (made["encrypted"], made["multiattach"], made["metadata"], made["attachments"]) == (False, False, {}, [])
    assert (made["shared_targets"], made["service_uuid"], made["updated_at"]) == (True, None, None)
    project, id_ = volumes.owner.project_id, made["id"]
    assert [link["href"] for link in made["links"]] == [
        f"{root(volumes.owner)}/v3/{project}/volumes/{id_}", f"{root(volumes.owner)}/{project}/volumes/{id_}",
    ]  # fmt: skip
    done = volumes.state(made, "available")
    assert (done["shared_targets"], done["created_at"][19:]) == (False, ".000000")
    assert uuid.UUID(done["service_uuid"])
    volumes.gone("volumes", made)


def test_who_sees_what_of_it(volumes: Volumes, written: Json, operator: Account, other: Account) -> None:
    more = {"volume_image_metadata"}
    assert set(volumes.show(written)) == FIELDS | EXTENDED | more
    seen = operator.volume.get(f"/volumes/{written['id']}")
    assert set(seen) == FIELDS | EXTENDED | OPERATORS | more
    assert seen["os-vol-tenant-attr:tenant_id"] == volumes.owner.project_id
    assert seen["os-vol-host-attr:host"].endswith("@nfs1#nfs1")
    with refused(404, f"Volume {written['id']} could not be found."):
        other.volume.get(f"/volumes/{written['id']}")


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        ("3.12", "group_id"),
        ("3.47", "shared_targets"),
        ("3.62", "volume_type_id"),
        ("3.64", "consumes_quota"),
    ],
)
def test_fields_came_with_versions(volumes: Volumes, written: Json, version: str, fields: str) -> None:
    look, path = volumes.owner.volume, f"/volumes/{written['id']}"
    newer = f"3.{int(version[2:]) + 1}"
    assert fields not in look.get(path, microversion=version)
    assert fields in look.get(path, microversion=newer)


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"size": 0}, 400, "less than the minimum"),
        ({"size": "much"}, 400, "size"),
        ({"colour": "red"}, 400, "Additional properties are not allowed ('colour' was unexpected)"),
        ({"name": "x" * 256}, 400, ""),
        ({"metadata": {"k": 1}}, 400, ""),
        ({"metadata": {"k": "x" * 256}}, 400, ""),
        ({"volume_type": "none of these"}, 404, "Volume type with name none of these could not be found."),
        ({"availability_zone": "mars"}, 400, "Availability zone 'mars' is invalid."),
        ({"imageRef": "00000000-0000-4000-8000-000000000000"}, 400, "Invalid image identifier or unable to access"),
        ({"source_volid": "00000000-0000-4000-8000-000000000000"}, 404, "could not be found."),
        ({"snapshot_id": "00000000-0000-4000-8000-000000000000"}, 404, "could not be found."),
        ({"multiattach": True}, 400, "multiattach parameter has been removed"),
    ],
    ids=lambda given: str(given)[:40],
)
def test_what_cannot_be_is_refused(volumes: Volumes, fields: Json, status: int, words: str) -> None:
    with refused(status, words):
        volumes.make(**fields)


def test_it_is_made_of_an_image(volumes: Volumes, written: Json, seed: Json, operator: Account) -> None:
    assert written["bootable"] == "true"
    assert written["volume_image_metadata"] == {
        "signature_verified": "False",
        "hw_disk_bus": "virtio",
        "note": "ü",
        "image_id": seed["id"],
        "image_name": seed["name"],
        "checksum": seed["checksum"],
        "container_format": "bare",
        "disk_format": "qcow2",
        "min_disk": "0",
        "min_ram": "0",
        "size": str(seed["size"]),
    }
    assert volume_disk(operator, written["id"]).unlike(expected(PIECES, GIB)) == []


def test_a_larger_one_is_zero_behind_the_image(volumes: Volumes, name: Name, operator: Account) -> None:
    image = upload(volumes.owner, PIECES[0][:65536], "raw", name=name("raw seed"), note="")
    made = volumes.ready(size=2, name=name("larger"), imageRef=image["id"])
    assert volume_disk(operator, made["id"]).unlike(expected({0: PIECES[0][:65536]}, 2 * GIB)) == []
    volumes.gone("volumes", made)


def test_the_image_must_fit(volumes: Volumes, name: Name) -> None:
    owner = volumes.owner
    image = upload(owner, qcow2({0: b"x"}, 2 * GIB), "qcow2", name=name("two"))
    with refused(400, "Image virtual size is 2GB and doesn't fit in a volume of size 1GB."):
        volumes.make(imageRef=image["id"])
    image = upload(owner, b"x" * 512, "raw", name=name("min disk"), min_disk=3)
    with refused(400, "Volume size 1GB cannot be smaller than the image minDisk size 3GB."):
        volumes.make(imageRef=image["id"])
    queued = owner.image.post("/images", name=name("queued"), disk_format="raw", container_format="bare")
    with refused(400, f"Image {queued['id']} is not active."):
        volumes.make(imageRef=queued["id"])


def test_it_is_renamed_by_its_owner(volumes: Volumes, written: Json) -> None:
    called = written["name"]
    path = f"/volumes/{written['id']}"
    changed = volumes.owner.volume.put(path, "volume", name=f"{called} again", description=" línea 'q' ")
    assert (changed["name"], changed["description"]) == (f"{called} again", "línea 'q'")
    assert volumes.owner.volume.put(path, "volume", name=called)["description"] == "línea 'q'"


def test_its_owners_metadata(volumes: Volumes, blank: Json) -> None:
    look, path = volumes.owner.volume, f"/volumes/{blank['id']}/metadata"
    assert look.post(path, "metadata", one="1", two="ü") == {"one": "1", "two": "ü"}
    assert look.post(path, "metadata", one="") == {"one": "", "two": "ü"}
    assert look.call("GET", path).json() == {"metadata": {"one": "", "two": "ü"}}
    look.call("DELETE", f"{path}/one")
    with refused(404, f"Volume {blank['id']} has no metadata with key one."):
        look.call("DELETE", f"{path}/one")
    assert look.put(path, "metadata", three="3") == {"three": "3"}
    assert volumes.show(blank)["metadata"] == {"three": "3"}


def test_a_flag_is_shown_among_the_metadata_but_is_not_the_owners(volumes: Volumes, blank: Json) -> None:
    for flag in (True, False):
        volumes.act(blank, "os-update_readonly_flag", readonly=flag)
        assert volumes.show(blank)["metadata"] == {"readonly": str(flag)}
    assert volumes.owner.volume.get(f"/volumes/{blank['id']}/metadata") == {}


def test_what_is_told_of_its_bytes(volumes: Volumes, blank: Json) -> None:
    path = f"/volumes/{blank['id']}/action"
    for flag in (True, False):
        volumes.act(blank, "os-set_bootable", bootable=flag)
        assert volumes.show(blank)["bootable"] == str(flag).lower()
    assert "volume_image_metadata" not in volumes.show(blank)
    told = volumes.act(blank, "os-set_image_metadata", metadata={"hw_firmware_type": "uefi", "x": "é"})
    assert told == {"hw_firmware_type": "uefi", "x": "é"}
    assert volumes.act(blank, "os-set_image_metadata", metadata={"x": "2"}) == {"hw_firmware_type": "uefi", "x": "2"}
    assert volumes.act(blank, "os-show_image_metadata") == {"hw_firmware_type": "uefi", "x": "2"}
    answer = volumes.owner.volume.call("POST", path, json={"os-unset_image_metadata": {"key": "x"}})
    assert (answer.status_code, answer.content) == (200, b"")
    with refused(404):
        volumes.act(blank, "os-unset_image_metadata", key="x")
    assert volumes.show(blank)["volume_image_metadata"] == {"hw_firmware_type": "uefi"}


def test_states_are_set_by_administrators(volumes: Volumes, blank: Json, operator: Account) -> None:
    with refused(403, "Policy doesn't allow volume_extension:volume_admin_actions:reset_status to be performed."):
        volumes.act(blank, "os-reset_status", status="error")
    path = f"/volumes/{blank['id']}/action"
    operator.volume.post(path, "os-reset_status", status="maintenance")
    assert volumes.show(blank)["status"] == "maintenance"
    with refused(400, "Invalid volume: "):
        volumes.owner.volume.call("DELETE", f"/volumes/{blank['id']}")
    with refused(400):
        operator.volume.post(path, "os-reset_status", status="perfect")
    operator.volume.post(path, "os-reset_status", status="available", attach_status="detached")
    assert volumes.show(blank)["status"] == "available"


def test_it_grows(volumes: Volumes, blank: Json) -> None:
    with refused(400, "New size for extend must be greater than current size. (current: 1, extended: 1)."):
        volumes.act(blank, "os-extend", new_size=1)
    volumes.act(blank, "os-extend", new_size=2)
    grown = wait(lambda: volumes.show(blank), lambda v: (v["status"], v["size"]) == ("available", 2), "a larger volume")
    assert grown["size"] == 2


def test_a_reservation(volumes: Volumes, blank: Json) -> None:
    volumes.act(blank, "os-reserve")
    assert volumes.show(blank)["status"] == "attaching"
    with refused(400, "Volume status must be available to reserve, but the status is attaching."):
        volumes.act(blank, "os-reserve")
    volumes.act(blank, "os-unreserve")
    assert volumes.show(blank)["status"] == "available"


def test_it_is_gone_after_a_while(volumes: Volumes, blank: Json, other: Account) -> None:
    with refused(404):
        other.volume.call("DELETE", f"/volumes/{blank['id']}")
    answer = volumes.owner.volume.call("DELETE", f"/volumes/{blank['id']}")
    assert (answer.status_code, answer.content) == (202, b"")
    wait(lambda: volumes.owner.volume.find(f"/volumes/{blank['id']}"), lambda seen: seen is None, "its end")
    with refused(404, f"Volume {blank['id']} could not be found."):
        volumes.owner.volume.call("DELETE", f"/volumes/{blank['id']}")
