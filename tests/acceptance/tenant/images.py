"""Images: without bytes, with everything, protected; and the seeds that volumes are made from."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from tests.acceptance.clouds import Account, Json, wait
from tests.acceptance.tenant.model import Tenant
from tests.lab.guest import guest_image

#: What makes the guest run: it has no drivers but the BIOS's, and wants the older machine type.
GUEST = {"hw_machine_type": "pc", "hw_rng_model": "virtio", "hw_vif_model": "virtio"}


def build(tenant: Tenant) -> None:
    """The tenant's three images, and one that will be gone when it is moved."""
    owner = tenant.owner
    queued = owner.image.post(
        "/images",
        name=tenant.call("""@ "empty": ☃/'\\ """, length=255),
        min_disk=0,
        min_ram=0,
        tags=[tenant.call("@ to do")],
        disk_format="qcow2",
        container_format="bare",
        visibility="private",
        note="",
    )
    tenant.keep("image", "queued", queued)
    _upload(
        tenant,
        "rich",
        guest_image(),
        "raw",
        name=tenant.call("-@ Gast: Größe ½"),
        min_disk=1,
        min_ram=64,
        visibility="shared",
        tags=["zwei", tenant.call("@ eins")],
        os_distro="none",
        os_require_quiesce="False",
        custom_empty="",
        custom_zero="0",
        custom_text="a: 'b' \"c\" / 日本 & <d>",
        **GUEST,
    )
    share(owner, tenant.id("image", "rich"), tenant.id("project", "neighbour"))
    _upload(
        tenant,
        "protected",
        qcow2({0: os.urandom(3 << 20), (64 << 20) - 4096: os.urandom(4096)}, 64 << 20),
        "qcow2",
        name=tenant.call("@"),
        protected=True,
        os_hidden=True,
        visibility="private",
    )
    _upload(tenant, "short-lived", guest_image(), "raw", name=tenant.call("@ soon deleted"), min_disk=1, **GUEST)


def share(owner: Account, image_id: str, project_id: str) -> None:
    """Make a project a member of an image."""
    owner.image.post(f"/images/{image_id}/members", member=project_id)


def qcow2(pieces: dict[int, bytes], size: int) -> bytes:
    """A qcow2 disk of ``size`` bytes with these pieces, zero elsewhere."""
    with tempfile.TemporaryDirectory() as folder:
        raw, packed = Path(folder, "raw"), Path(folder, "qcow2")
        write_raw(raw, pieces, size)
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, packed], check=True)
        return packed.read_bytes()


def write_raw(path: Path, pieces: dict[int, bytes], size: int) -> None:
    """A sparse raw disk with these pieces."""
    with path.open("wb") as disk:
        disk.truncate(size)
        for offset, piece in pieces.items():
            disk.seek(offset)
            disk.write(piece)


def upload(account: Account, data: bytes, disk_format: str, **fields: object) -> Json:
    """Make an image with bytes; gives it as Glance shows it."""
    made = account.image.post("/images", disk_format=disk_format, container_format="bare", **fields)
    headers = {"Content-Type": "application/octet-stream"}
    account.image.call("PUT", f"/images/{made['id']}/file", data=data, headers=headers)
    return wait(lambda: account.image.get(f"/images/{made['id']}"), lambda i: i["status"] == "active", made["name"])


def _upload(tenant: Tenant, short: str, data: bytes, disk_format: str, **fields: object) -> None:
    tenant.keep("image", short, upload(tenant.owner, data, disk_format, **fields))
    tenant.uploaded[short] = data
