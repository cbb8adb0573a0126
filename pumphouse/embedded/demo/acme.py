"""A small lifelike tenant: ``acme``, with people, networks, a way out, servers, volumes, images and keys."""

from __future__ import annotations

import base64
import dataclasses
import os
import re
import struct
from collections.abc import Callable

from pumphouse.embedded.demo.account import Account, Json, at_once, wait

PEOPLE = {"alice": ["member", "reader"], "bob": ["member"], "carol": ["reader"]}
#: What is outside, the same in both clouds, and the part of it that each gives out.
OUTSIDE, RANGE = "203.0.113.0/24", {"start": "203.0.113.10", "end": "203.0.113.250"}
MIB = 1 << 20
BYTES = {"Content-Type": "application/octet-stream"}
#: What the guest of the lab needs; others take it, too.
HARDWARE = {"hw_machine_type": "pc", "hw_rng_model": "virtio", "hw_vif_model": "virtio"}


@dataclasses.dataclass
class Acme:
    """What the parts of the tenant refer to."""

    operator: Account
    domain: Json
    project_id: str
    people: dict[str, Account] = dataclasses.field(default_factory=dict)
    #: Ids, by name.
    ids: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def alice(self) -> Account:
        """Who makes most of it."""
        return self.people["alice"]


def fill(source: Account, destination: Account, disk: bytes, say: Callable[[str], None]) -> Acme:
    """Make the tenant in the source, in the first domain ``acme-NNNN`` that is free.

    ``disk``: a raw one that servers boot from. In the destination only the network outside is made.
    """
    names = [domain["name"] for domain in source.identity.list("/domains", "domains")]
    numbers = [int(match[1]) for name in names if (match := re.fullmatch(r"acme-(\d{4})", name))]
    acme = add_domain(source, f"acme-{max(numbers, default=0) + 1:04}")
    for person, roles in PEOPLE.items():
        add_person(acme, person, roles)
    say(f"domain {acme.domain['name']}: {', '.join(PEOPLE)} (carol has left: disabled)")
    acme.ids["outside"] = _outside(source, acme)
    _outside(destination, acme)
    _networks(acme)
    _way_out(acme)
    say("networks office and storage, router gate with a floating IP; groups web and default")
    upload(acme, "acme-base", disk, min_disk=1, tags=["base"], **HARDWARE)
    upload(acme, "golden-2022", os.urandom(24 * MIB), protected=True, os_distro="debian", team="ops")
    say("images acme-base and golden-2022")
    add_flavor(acme)
    for name in ("alice", "bob"):
        pair = {"name": f"{name}-laptop", "public_key": public_key(), "type": "ssh"}
        acme.people[name].compute.make("/os-keypairs", "keypair", **pair)
    at_once([lambda make=make: make(acme) for make in (_web, _database, _builder, _backups)])  # type: ignore[misc]
    say("servers web-1 (with a volume), db-1 (from a volume), build-1 (off); volume backups")
    source.identity.call("PATCH", f"/users/{acme.ids['carol']}", json={"user": {"enabled": False}})
    return acme


def password(domain_id: str, name: str) -> str:
    """Of one of the people, in both clouds; known to whoever may read the domain's id."""
    return f"{name}, {domain_id[:12]}"


def public_key() -> str:
    """An SSH key of the right form, to which nobody has the other half."""
    kind = b"ssh-ed25519"
    blob = struct.pack(">I", len(kind)) + kind + struct.pack(">I", 32) + os.urandom(32)
    return f"ssh-ed25519 {base64.b64encode(blob).decode()} demo"


def add_domain(source: Account, name: str) -> Acme:
    """The project in a domain of its own, without people."""
    domain = source.identity.make("/domains", "domain", name=name, description="Acme, water works")
    project = source.identity.make("/projects", "project", name="acme", domain_id=domain["id"])
    acme = Acme(source, domain, project["id"])
    acme.ids |= {f"role {role['name']}": role["id"] for role in source.identity.list("/roles", "roles")}
    return acme


def add_person(acme: Acme, name: str, roles: list[str]) -> None:
    """A user with roles on the project."""
    identity, domain = acme.operator.identity, acme.domain["id"]
    secret, fields = password(domain, name), {"domain_id": domain, "default_project_id": acme.project_id}
    user = identity.make("/users", "user", name=name, password=secret, email=f"{name}@acme.example", **fields)
    for role in roles:
        identity.call("PUT", f"/projects/{acme.project_id}/users/{user['id']}/roles/{acme.ids[f'role {role}']}")
    acme.ids[name] = user["id"]
    acme.people[name] = acme.operator.person(user["id"], secret, acme.project_id)


def add_network(acme: Acme, name: str, cidr: str, gateway: str | None) -> None:
    """A network with a subnet."""
    network = acme.alice.network
    made = network.make("/v2.0/networks", "network", name=name)
    subnet = network.make(
        "/v2.0/subnets",
        "subnet",
        name=f"{name}-v4",
        network_id=made["id"],
        ip_version=4,
        cidr=cidr,
        gateway_ip=gateway,
        dns_nameservers=["9.9.9.9"],
    )
    acme.ids[name], acme.ids[f"{name}-v4"] = made["id"], subnet["id"]


def upload(acme: Acme, name: str, data: bytes, **fields: object) -> None:
    """An image with these bytes."""
    image = acme.alice.image
    made = image.make("/v2/images", "", name=name, disk_format="raw", container_format="bare", **fields)
    image.call("PUT", f"/v2/images/{made['id']}/file", data=data, headers=BYTES)
    wait(image, f"/v2/images/{made['id']}", "active")
    acme.ids[name] = made["id"]


def add_volume(acme: Acme, name: str, image: str, owner: str = "alice") -> str:
    """A volume of 1 GiB that begins with the bytes of an image; its id."""
    volume = acme.people[owner].volume
    made = volume.make("/volumes", "volume", size=1, name=name, imageRef=acme.ids[image])
    wait(volume, f"/volumes/{made['id']}", "available")
    return str(made["id"])


def add_flavor(acme: Acme) -> None:
    """A private one, ``small``."""
    compute = acme.operator.compute
    fields = {"name": f"{acme.domain['name']}.small", "ram": 64, "vcpus": 1, "disk": 1}
    flavor = compute.make("/flavors", "flavor", **fields, **{"os-flavor-access:is_public": False})
    compute.make(f"/flavors/{flavor['id']}/os-extra_specs", "extra_specs", **{"quota:cpu_shares": "512"})
    compute.act(f"/flavors/{flavor['id']}", addTenantAccess={"tenant": acme.project_id})
    acme.ids["small"] = flavor["id"]


def boot(acme: Acme, owner: str = "alice", **fields: object) -> str:
    """Make a server and wait until it runs; its id."""
    compute = acme.people[owner].compute
    made = compute.make("/servers", "server", flavorRef=acme.ids["small"], **fields)
    wait(compute, f"/servers/{made['id']}", "ACTIVE")
    return str(made["id"])


def attach(acme: Acme, server: str, volume: str) -> None:
    """Give a server a volume."""
    path = f"/servers/{server}/os-volume_attachments"
    acme.alice.compute.make(path, "volumeAttachment", volumeId=volume)
    wait(acme.alice.volume, f"/volumes/{volume}", "in-use")


def _outside(cloud: Account, acme: Acme) -> str:
    """The operator's network that leads out. No migration makes one: it is known by its name."""
    fields = {"name": f"{acme.domain['name']} outside", "router:external": True}
    made = cloud.network.make("/v2.0/networks", "network", **fields)
    subnet = {"cidr": OUTSIDE, "ip_version": 4, "enable_dhcp": False, "allocation_pools": [RANGE]}
    cloud.network.make("/v2.0/subnets", "subnet", name="outside", network_id=made["id"], **subnet)
    return str(made["id"])


def _networks(acme: Acme) -> None:
    add_network(acme, "office", "10.20.0.0/24", "10.20.0.1")
    add_network(acme, "storage", "10.30.0.0/24", None)
    network = acme.alice.network
    group = network.make("/v2.0/security-groups", "security_group", name="web", description="from everywhere")
    for port in (80, 443):
        rule = {"direction": "ingress", "protocol": "tcp", "port_range_min": port, "port_range_max": port}
        network.make("/v2.0/security-group-rules", "security_group_rule", security_group_id=group["id"], **rule)
    fields = {"name": "web-1", "network_id": acme.ids["office"], "security_groups": [group["id"]]}
    made = network.make("/v2.0/ports", "port", fixed_ips=[{"ip_address": "10.20.0.11"}], **fields)
    acme.ids["port web-1"] = made["id"]


def _way_out(acme: Acme) -> None:
    network, outside = acme.alice.network, {"network_id": acme.ids["outside"]}
    router = network.make("/v2.0/routers", "router", name="gate", external_gateway_info=outside)
    subnet = {"subnet_id": acme.ids["office-v4"]}
    network.call("PUT", f"/v2.0/routers/{router['id']}/add_router_interface", json=subnet)
    fields = {"floating_network_id": acme.ids["outside"], "port_id": acme.ids["port web-1"]}
    network.make("/v2.0/floatingips", "floatingip", description="www.acme.example", **fields)


def _web(acme: Acme) -> None:
    server = boot(
        acme,
        name="web-1",
        imageRef=acme.ids["acme-base"],
        networks=[{"port": acme.ids["port web-1"]}, {"uuid": acme.ids["storage"]}],
        key_name="alice-laptop",
        metadata={"role": "web", "backup": ""},
        tags=["production"],
        description="the shop",
    )
    attach(acme, server, _filled_volume(acme, "web-data", 12))


def _database(acme: Acme) -> None:
    root = add_volume(acme, "db-root", "acme-base", "bob")
    disk = {"boot_index": 0, "uuid": root, "source_type": "volume", "destination_type": "volume"}
    networks = [{"uuid": acme.ids["storage"]}]
    server = boot(acme, "bob", name="db-1", networks=networks, key_name="bob-laptop", block_device_mapping_v2=[disk])
    attach(acme, server, _filled_volume(acme, "db-data", 16))


def _builder(acme: Acme) -> None:
    server = boot(acme, name="build-1", imageRef=acme.ids["acme-base"], networks=[{"uuid": acme.ids["office"]}])
    acme.alice.compute.act(f"/servers/{server}", **{"os-stop": None})
    wait(acme.alice.compute, f"/servers/{server}", "SHUTOFF")


def _backups(acme: Acme) -> None:
    _filled_volume(acme, "backups", 32)


def _filled_volume(acme: Acme, name: str, mebibytes: int) -> str:
    """A volume of 1 GiB with random bytes, which come by way of an image; its id."""
    upload(acme, f"seed-{name}", os.urandom(mebibytes * MIB))
    made = add_volume(acme, name, f"seed-{name}")
    acme.alice.image.call("DELETE", f"/v2/images/{acme.ids.pop(f'seed-{name}')}")
    return made
