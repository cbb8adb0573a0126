"""Images and volumes: with everything that can be said about them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from tests.acceptance.clouds import Account, Json, wait
from tests.acceptance.tenant.images import GUEST, qcow2, upload
from tests.acceptance.tenant.model import Tenant
from tests.acceptance.tenant.volumes import available
from tests.lab.guest import guest_image

GIB = 1 << 30
#: What a guest that boots by UEFI needs to boot again.
UEFI = {"hw_firmware_type": "uefi", "hw_machine_type": "q35", "os_secure_boot": "optional"}


def build(source: Account, tenant: Tenant) -> None:
    """Images, then volumes, which are made from some."""
    images(tenant)
    accept(source, tenant)
    volumes(source, tenant)


def images(tenant: Tenant) -> None:
    """Plain, with everything, and one of three parts; and the one that servers boot from."""
    owner, small = tenant.owner, {0: os.urandom(4096)}
    tenant.keep("image", "plain", upload(owner, qcow2(small, 1 << 20), "qcow2", name=tenant.call("@ plain image")))
    flipped = {
        "name": tenant.call("@ flipped image: é"),
        "min_disk": 3,
        "min_ram": 96,
        "os_hidden": True,
        "protected": True,
        "tags": ["zwei", tenant.call("@ eins")],
        "visibility": "private",
        "container_format": "ovf",
        **UEFI,
        # no certificate: Glance would ask a key manager for it, which the lab has not
        "img_signature": "c2ln",
        "img_signature_hash_method": "SHA-256",
        "img_signature_key_type": "RSA-PSS",
        "custom_empty": "",
        "custom_text": "a: 'b' \"c\" / 日本",
    }
    tenant.keep("image", "flipped", _upload(owner, os.urandom(5000), "vmdk", **flipped))
    tenant.keep("image_member", "flipped", _share(owner, tenant), "image_id")
    community = upload(owner, qcow2(small, 1 << 20), "qcow2", name=tenant.call("@ community"), visibility="community")
    tenant.keep("image", "flipped community", community)
    parts = {
        part: _upload(owner, os.urandom(3000), form, form, name=tenant.call(f"@ {part}"))["id"]
        for part, form in (("kernel", "aki"), ("ramdisk", "ari"))
    }
    for part, id_ in parts.items():
        tenant.ids["image"][part] = id_
    machine = {"kernel_id": parts["kernel"], "ramdisk_id": parts["ramdisk"]}
    made = _upload(owner, os.urandom(9000), "ami", "ami", name=tenant.call("@ machine"), **machine)
    tenant.keep("image", "flipped machine", made)
    tenant.keep("image", "guest", upload(owner, guest_image(), "raw", name=tenant.call("@ guest"), min_disk=1, **GUEST))


def volumes(source: Account, tenant: Tenant) -> None:
    """A type of the tenant's own; volumes with everything; those of the server that boots from one."""
    _types(source, tenant)
    wanted = {
        "plain": {},
        "flipped": {
            "description": "línea 'q'",
            "size": 2,
            "volume_type": tenant.name("volume_type", "flipped"),
            "metadata": {"empty": "", "a/b: c_d-e.f": "½ 日本"},
        },
        "attached": {},
        "root": {"imageRef": tenant.id("image", "guest")},
        "first": {},
        "second": {},
    }
    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(_volume, tenant, short, fields) for short, fields in wanted.items()]
        for job in jobs:
            job.result()
    tenant.ids["volume"]["flipped attached"] = tenant.id("volume", "attached")
    flipped = tenant.id("volume", "flipped")
    act = source.volume
    act.post(f"/volumes/{flipped}/action", "os-set_bootable", bootable=True)
    act.post(f"/volumes/{flipped}/action", "os-set_image_metadata", metadata={**UEFI, "custom": "é"})
    act.post(f"/volumes/{flipped}/action", "os-update_readonly_flag", readonly=True)


def _types(source: Account, tenant: Tenant) -> None:
    volume = source.volume
    tenant.keep("volume_type", "plain", volume.post("/types", "volume_type", name=tenant.call("@ plain type")))
    specs = {"volume_backend_name": "nfs1", "pumphouse:tier": "gold é"}
    made = volume.post(
        "/types",
        "volume_type",
        name=tenant.call("@ flipped type"),
        description="schnell ½",
        extra_specs=specs,
        **{"os-volume-type-access:is_public": False},
    )
    tenant.keep("volume_type", "flipped", made)
    volume.call("POST", f"/types/{made['id']}/action", json={"addProjectAccess": {"project": tenant.project_id}})
    tenant.ids["volume_type_access"] = {"flipped": f"{made['id']}/{tenant.project_id}"}
    limits = {"name": tenant.call("@ limits"), "consumer": "front-end", "total_iops_sec": "5000"}
    qos = tenant.keep("qos_spec", "flipped", volume.post("/qos-specs", "qos_specs", **limits)["qos_specs"])
    volume.call("GET", f"/qos-specs/{qos['id']}/associate?vol_type_id={made['id']}")
    tenant.ids["volume_type_qos"] = {"flipped": f"{made['id']}/{qos['id']}"}


def _volume(tenant: Tenant, short: str, fields: Json) -> None:
    """Random bytes come in by way of an image that is deleted again; an imageRef of its own is taken instead."""
    owner = tenant.owner
    name = tenant.call(f"@ {short} volume")
    if short == "plain":
        made = owner.volume.post("/volumes", "volume", size=1, name=name)
        available(owner, made["id"])
    elif "imageRef" in fields:
        made = owner.volume.post("/volumes", "volume", **{"size": 1, "name": name, **fields})
        available(owner, made["id"])
    else:
        pieces = {0: os.urandom(1 << 20), GIB - 4096: os.urandom(4096)}
        seed = upload(owner, qcow2(pieces, GIB), "qcow2", name=tenant.call(f"@ seed {short}"), hw_disk_bus="virtio")
        made = owner.volume.post("/volumes", "volume", **{"size": 1, "name": name, "imageRef": seed["id"], **fields})
        available(owner, made["id"])
        owner.image.delete(f"/images/{seed['id']}")
        tenant.written[short] = pieces
    tenant.keep("volume", short, made)


def _share(owner: Account, tenant: Tenant) -> Json:
    """An image that the project below has accepted."""
    image = upload(owner, b"x" * 512, "raw", name=tenant.call("@ shared"), visibility="shared")
    tenant.keep("image", "flipped shared", image)
    return owner.image.post(f"/images/{image['id']}/members", member=tenant.id("project", "flipped"))


def accept(source: Account, tenant: Tenant) -> None:
    """By one of the other project: the operator may, too."""
    image, member = tenant.id("image", "flipped shared"), tenant.id("project", "flipped")
    source.image.call("PUT", f"/images/{image}/members/{member}", json={"status": "accepted"})
    tenant.ids["image_member"] = {"flipped": f"{image}/{member}"}


def _upload(account: Account, data: bytes, disk: str, container: str = "", **fields: object) -> Json:
    fields.setdefault("container_format", container or "bare")
    made = account.image.post("/images", disk_format=disk, **fields)
    headers = {"Content-Type": "application/octet-stream"}
    account.image.call("PUT", f"/images/{made['id']}/file", data=data, headers=headers)
    return wait(
        lambda: account.image.get(f"/images/{made['id']}"), lambda i: i["status"] == "active", str(made["name"])
    )
