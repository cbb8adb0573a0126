"""Flavors, keys, and four servers: running, off, booted from a volume, and one that cannot run elsewhere."""

from __future__ import annotations

import base64
import os
from concurrent.futures import ThreadPoolExecutor

from tests.acceptance.clouds import Account, Json, wait
from tests.acceptance.tenant.model import Tenant
from tests.acceptance.tenant.volumes import available
from tests.lab.guest import GREETING

USER_DATA = "#cloud-config\n# ünïcödé 🚰\nruncmd: []\n"
METADATA = {"empty": "", "zero": "0", "Gr.sse: x_y-z": "½ 'q' \"d\" 日本", "role": "web"}


def build(source: Account, tenant: Tenant) -> None:
    """The four servers at once, each by one of the tenant's people."""
    _flavors(source, tenant)
    _keys(tenant)
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(make, tenant) for make in (_web, _off, _bfv, _failing)]
        for job in jobs:
            job.result()
    tenant.owner.image.delete(f"/images/{tenant.id('image', 'short-lived')}")


def _flavors(source: Account, tenant: Tenant) -> None:
    """``pinned`` names the source's hypervisors, as flavors of licensed software do."""
    hosts = [h["hypervisor_hostname"] for h in source.compute.list("/os-hypervisors", "hypervisors")]
    _flavor(source, tenant, "small", tenant.call('@ klein "s" / ½'), "",
            {"hw:cpu_policy": "shared", "quota:cpu_shares": "512", f"{tenant.prefix}:zero": "0"})  # fmt: skip
    _flavor(source, tenant, "pinned", tenant.call("-@ pinned"), "only on the old hosts",
            {"capabilities:hypervisor_hostname": " ".join(f"<or> {host}" for host in hosts)})  # fmt: skip


def _flavor(source: Account, tenant: Tenant, short: str, name: str, description: str, specs: Json) -> None:
    fields = {"name": name, "ram": 64, "vcpus": 1, "disk": 1, "swap": 0, "OS-FLV-EXT-DATA:ephemeral": 0}
    fields |= {"os-flavor-access:is_public": False, "description": description or None}
    made = tenant.keep("flavor", short, source.compute.post("/flavors", "flavor", **fields))
    source.compute.post(f"/flavors/{made['id']}/os-extra_specs", "extra_specs", **specs)
    source.compute.post(f"/flavors/{made['id']}/action", "addTenantAccess", tenant=tenant.project_id)


def _keys(tenant: Tenant) -> None:
    for short, name in {
        "owner": tenant.call("@ key - 1_"),
        "guest": tenant.call("-@"),
        "leaver": tenant.call("@"),
    }.items():
        made = tenant.accounts[short].compute.post(
            "/os-keypairs", "keypair", name=name, public_key=public_key(), type="ssh"
        )
        tenant.keep("keypair", short, made)
        tenant.notes.setdefault("fingerprints", {})[short] = made["fingerprint"]


def public_key() -> str:
    """A well-formed ed25519 key of nobody."""
    blob = b"".join(len(x).to_bytes(4, "big") + x for x in (b"ssh-ed25519", os.urandom(32)))
    return f"ssh-ed25519 {base64.b64encode(blob).decode()} nobody@example.org"


def _web(tenant: Tenant) -> None:
    """ACTIVE, two ports in an order that is not theirs, a data volume, everything a server can carry."""
    server = boot(
        tenant.owner,
        name=tenant.call("""@ wéb-1 "a" / 'b': 50% 水"""),
        imageRef=tenant.id("image", "rich"),
        flavorRef=tenant.id("flavor", "small"),
        networks=[{"port": tenant.id("port", "back")}, {"port": tenant.id("port", "front"), "tag": "vorn"}],
        key_name=tenant.name("keypair", "owner"),
        metadata=METADATA,
        tags=[tenant.call("@ étiquette"), "b"],
        description='línea 1; "q" ☃',
        user_data=base64.b64encode(USER_DATA.encode()).decode(),
        config_drive=True,
        availability_zone="nova",
        hostname="a-host-of-its-own",
    )
    tenant.keep("server", "web", server)
    attach(tenant.owner, server, tenant.id("volume", "web"), device="/dev/vdc", delete_on_termination=True)


def _off(tenant: Tenant) -> None:
    """SHUTOFF; its port was made by Nova, its maker has left, its image is gone."""
    leaver = tenant.accounts["leaver"]
    server = boot(
        leaver,
        name=tenant.call("-@ off", length=255),
        imageRef=tenant.id("image", "short-lived"),
        flavorRef=tenant.id("flavor", "small"),
        networks=[{"uuid": tenant.id("network", "front")}],
        security_groups=[{"name": tenant.name("security_group", "db")}],
        key_name=tenant.name("keypair", "leaver"),
    )
    tenant.keep("server", "off", server)
    leaver.compute.post(f"/servers/{server['id']}/action", **{"os-stop": None})
    state(leaver, server, "SHUTOFF")


def _bfv(tenant: Tenant) -> None:
    """ACTIVE, from a volume, with a second one; of a person from another domain."""
    guest = tenant.accounts["guest"]
    root = guest.volume.post(
        "/volumes",
        "volume",
        size=1,
        name=tenant.call("@ root ½"),
        imageRef=tenant.id("image", "rich"),
        metadata={"empty": "", "of": "bfv"},
    )
    available(guest, root["id"])
    tenant.keep("volume", "root", root)
    disks = [
        {"boot_index": 0, "uuid": root["id"], "source_type": "volume", "destination_type": "volume",
         "delete_on_termination": False, "tag": "wurzel"},
        {"boot_index": -1, "uuid": tenant.id("volume", "bfv"), "source_type": "volume",
         "destination_type": "volume", "delete_on_termination": True},
    ]  # fmt: skip
    server = boot(
        guest,
        name=tenant.call("@ bfv"),
        flavorRef=tenant.id("flavor", "small"),
        networks=[{"uuid": tenant.id("network", "front"), "fixed_ip": "10.61.0.33"}],
        key_name=tenant.name("keypair", "guest"),
        block_device_mapping_v2=disks,
    )
    tenant.keep("server", "bfv", server)


def _failing(tenant: Tenant) -> None:
    """ACTIVE here; no host of the destination will take it."""
    server = boot(
        tenant.owner,
        name=tenant.call("@ failing / 失敗"),
        imageRef=tenant.id("image", "rich"),
        flavorRef=tenant.id("flavor", "pinned"),
        networks=[{"port": tenant.id("port", "failing")}],
        metadata={"fails": ""},
    )
    tenant.keep("server", "failing", server)
    attach(tenant.owner, server, tenant.id("volume", "failing"))


def boot(account: Account, **fields: object) -> Json:
    """Make a server and wait until its guest runs; gives it as Nova shows it."""
    made = account.compute.post("/servers", "server", **fields)
    server = state(account, {**made, "name": fields["name"]}, "ACTIVE")
    wait(lambda: booted(account, server["id"]), bool, f"boot of {server['name']}", 120)
    return server


def booted(account: Account, server_id: str) -> bool:
    """Has the guest told so on its console?"""
    said = account.compute.post(f"/servers/{server_id}/action", "os-getConsoleOutput", length=50)
    return GREETING in (said.get("output") or "")


def state(account: Account, server: Json, status: str) -> Json:
    """Wait until a server is in a state, with nothing going on."""
    return wait(
        lambda: account.compute.get(f"/servers/{server['id']}"),
        lambda s: s["status"] == status and not s["OS-EXT-STS:task_state"],
        f"server {server['name']}",
    )


def attach(account: Account, server: Json, volume_id: str, **fields: object) -> None:
    """Attach a volume and wait until it is in use."""
    account.compute.post(
        f"/servers/{server['id']}/os-volume_attachments", "volumeAttachment", volumeId=volume_id, **fields
    )
    wait(
        lambda: account.volume.get(f"/volumes/{volume_id}"),
        lambda v: v["status"] == "in-use",
        f"volume {volume_id}",
    )


def destroy_failing(operator: Account, tenant: Tenant) -> None:
    """The tenant gives up the server that cannot run elsewhere, with its volume and port."""
    server, volume = tenant.id("server", "failing"), tenant.id("volume", "failing")
    operator.compute.delete(f"/servers/{server}")
    wait(lambda: operator.compute.find(f"/servers/{server}"), lambda s: s is None, "end of the failing server")
    available(operator, volume)
    operator.volume.delete(f"/volumes/{volume}")
    wait(lambda: operator.volume.find(f"/volumes/{volume}"), lambda v: v is None, "end of its volume")
    operator.network.delete(f"/ports/{tenant.id('port', 'failing')}")
