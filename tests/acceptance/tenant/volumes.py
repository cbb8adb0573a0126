"""Volumes with known bytes at their start, in the middle and at their very end."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from tests.acceptance.clouds import Account, wait
from tests.acceptance.tenant.images import qcow2, upload
from tests.acceptance.tenant.model import Tenant

GIB = 1 << 30


def build(tenant: Tenant) -> None:
    """One that is attached nowhere, and one for each server that has data."""
    wanted = {
        "detached": {
            "name": tenant.call("@ Gröse: /dev/vdz ", length=255),
            "description": "línea 'q' \"d\"",
            "metadata": {"empty": "", "a/b: c_d-e.f": "0", "quoted": "\"v\" 'q' 日本"},
        },
        "web": {"name": tenant.call("-@ data"), "description": "", "metadata": {}},
        "bfv": {"name": "", "description": None, "metadata": {"x": tenant.call("@")}},
        "failing": {
            "name": tenant.call("@ failing"),
            "description": "must come back",
            "metadata": {"keep": ""},
        },
    }
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(_volume, tenant, short, fields) for short, fields in wanted.items()]
        for job in jobs:
            job.result()
    owner = tenant.owner
    # a data disk that cannot be booted, and one that must not be written to
    owner.volume.post(f"/volumes/{tenant.id('volume', 'web')}/action", "os-set_bootable", bootable=False)
    owner.volume.post(f"/volumes/{tenant.id('volume', 'detached')}/action", "os-update_readonly_flag", readonly=True)


def available(account: Account, volume_id: str) -> dict:
    """Wait until a volume can be used."""
    return wait(lambda: account.volume.get(f"/volumes/{volume_id}"), lambda v: v["status"] == "available",
                f"volume {volume_id}")  # fmt: skip


def _volume(tenant: Tenant, short: str, fields: dict) -> None:
    """Random bytes come in by way of an image that is deleted again."""
    pieces = {0: os.urandom(1 << 20), (GIB // 2) + 512: os.urandom(70_000), GIB - 4096: os.urandom(4096)}
    owner = tenant.owner
    seed = upload(owner, qcow2(pieces, GIB), "qcow2", name=tenant.call(f"@ seed {short}"), hw_disk_bus="virtio")
    made = owner.volume.post("/volumes", "volume", size=1, imageRef=seed["id"], **fields)
    available(owner, made["id"])
    owner.image.delete(f"/images/{seed['id']}")
    tenant.keep("volume", short, made)
    tenant.written[short] = pieces
