"""Flavors, keys, groups of servers, and servers in the states in which servers are."""

from __future__ import annotations

import base64
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.acceptance.clouds import Account
from tests.acceptance.tenant.model import Tenant
from tests.acceptance.tenant.servers import attach, boot, public_key, state

SIZE = {"ram": 64, "vcpus": 1, "disk": 1}
OTHER = {"ram": 96, "vcpus": 2, "disk": 2, "swap": 64, "rxtx_factor": 2.5, "description": "größer \"q\"",
         "OS-FLV-EXT-DATA:ephemeral": 1, "os-flavor-access:is_public": False}  # fmt: skip


def build(source: Account, tenant: Tenant) -> None:
    """The servers at once."""
    _flavors(source, tenant)
    _keys(tenant)
    groups = {
        "plain": {"policy": "soft-affinity"},
        "flipped": {"policy": "anti-affinity", "rules": {"max_server_per_host": 3}},
    }
    for short, fields in groups.items():
        made = tenant.owner.compute.post("/os-server-groups", "server_group", name=tenant.call(f"@ {short}"), **fields)
        tenant.keep("server_group", short, made)
    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(make, tenant) for make in (_plain, _flipped, _bfv)]
        for job in jobs:
            job.result()


def _flavors(source: Account, tenant: Tenant) -> None:
    compute = source.compute
    for short, fields in {
        "plain": SIZE,
        "flipped": OTHER,
        "used": {**SIZE, "os-flavor-access:is_public": False},
    }.items():
        made = compute.post("/flavors", "flavor", name=tenant.call(f"@ {short} flavor"), **fields)
        tenant.keep("flavor", short, made)
    specs = {"quota:cpu_shares": "512", f"{tenant.prefix}:zero": "0"}
    compute.post(f"/flavors/{tenant.id('flavor', 'flipped')}/os-extra_specs", "extra_specs", **specs)
    for short in ("flipped", "used"):
        compute.post(f"/flavors/{tenant.id('flavor', short)}/action", "addTenantAccess", tenant=tenant.project_id)
    tenant.ids["flavor_access"] = {"flipped": f"{tenant.id('flavor', 'flipped')}/{tenant.project_id}"}


def _keys(tenant: Tenant) -> None:
    for short, type_, key in (("plain", "ssh", public_key()), ("flipped", "x509", certificate())):
        name = tenant.call(f"@ {short} key")
        made = tenant.owner.compute.post("/os-keypairs", "keypair", name=name, public_key=key, type=type_)
        tenant.keep("keypair", short, made)
        tenant.ids["keypair"][short] = f"{tenant.id('user', 'plain')}/{name}"


def certificate() -> str:
    """A certificate of nobody, as PEM."""
    with tempfile.TemporaryDirectory() as folder:
        key, made = Path(folder, "key"), Path(folder, "certificate")
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=nobody", "-days", "30"]
        subprocess.run([*command, "-keyout", key, "-out", made], check=True, capture_output=True)
        return made.read_text()


def _plain(tenant: Tenant) -> None:
    """ACTIVE, as the API makes one by default."""
    server = boot(
        tenant.owner,
        name=tenant.call("@ plain server"),
        imageRef=tenant.id("image", "guest"),
        flavorRef=tenant.id("flavor", "plain"),
        networks=[{"port": tenant.id("port", "server")}],
    )
    tenant.keep("server", "plain", server)


def _flipped(tenant: Tenant) -> None:
    """Off, locked, in a group, with two cards; everything about it said."""
    compute = tenant.owner.compute
    fields = {
        "name": tenant.call("@ flipped server é"),
        "imageRef": tenant.id("image", "guest"),
        "flavorRef": tenant.id("flavor", "used"),
        "networks": [
            {"port": tenant.id("port", "second"), "tag": "vorn"},
            {"uuid": tenant.id("network", "tagged")},
        ],
        "key_name": tenant.name("keypair", "plain"),
        "metadata": {"empty": "", "zero": "0", "x": "½ 日本"},
        "tags": ["b", tenant.call("@ étiquette")],
        "description": 'línea; "q"',
        "user_data": base64.b64encode(b"#cloud-config\n").decode(),
        "config_drive": True,
        "availability_zone": "nova",
        "hostname": "a-name-of-its-own",
        "OS-DCF:diskConfig": "AUTO",
        "accessIPv4": "203.0.113.7",
        "accessIPv6": "2001:db8::7",
        "security_groups": [{"name": tenant.name("security_group", "plain")}],
    }
    hints = {"group": tenant.id("server_group", "flipped")}
    made = compute.call("POST", "/servers", json={"server": fields, "os:scheduler_hints": hints}).json()["server"]
    server = {**made, "name": fields["name"]}
    state(tenant.owner, server, "ACTIVE")
    attach(tenant.owner, server, tenant.id("volume", "attached"), delete_on_termination=True, tag="daten")
    compute.post(f"/servers/{server['id']}/action", **{"os-stop": None})
    state(tenant.owner, server, "SHUTOFF")
    compute.post(f"/servers/{server['id']}/action", "lock", locked_reason="Beweis é")
    tenant.keep("server", "flipped", server)


def _bfv(tenant: Tenant) -> None:
    """ACTIVE, from a volume, with two more whose order is not that of their names."""
    disks = [
        {"boot_index": 0, "uuid": tenant.id("volume", "root"), "source_type": "volume",
         "destination_type": "volume", "delete_on_termination": True},
        *({"boot_index": -1, "uuid": tenant.id("volume", short), "source_type": "volume",
           "destination_type": "volume", "delete_on_termination": False, "tag": short}
          for short in ("second", "first")),
    ]  # fmt: skip
    server = boot(
        tenant.owner,
        name=tenant.call("@ bfv"),
        flavorRef=tenant.id("flavor", "used"),
        networks=[{"port": tenant.id("port", "bfv")}],
        block_device_mapping_v2=disks,
    )
    tenant.keep("server", "flipped bfv", server)
