"""A small lifelike tenant for a first look: ``acme``, with people, networks, servers, volumes, images and keys.

``python -m tests.acceptance.demo fill``          makes one in a domain of its own on ``src`` of clouds.yaml, and
                                                  prints the options that name it: --tenant acme --domain acme-0001
``python -m tests.acceptance.demo prove DOMAIN``  its people log in to ``dst`` with their old passwords and look round
``python -m tests.acceptance.demo clean DOMAIN``  removes it from both clouds
"""

from __future__ import annotations

import dataclasses
import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from tests.acceptance.cleanup import Cleaner
from tests.acceptance.clouds import Account, Json, operator
from tests.acceptance.tenant.images import GUEST, qcow2, upload
from tests.acceptance.tenant.servers import attach, boot, public_key, state
from tests.acceptance.tenant.volumes import available
from tests.lab.guest import guest_image

PEOPLE = {"alice": ["member", "reader"], "bob": ["member"], "carol": ["reader"]}


@dataclasses.dataclass
class Acme:
    """What the parts of the tenant refer to."""

    domain: Json
    project_id: str
    people: dict[str, Account]
    #: Ids, by name.
    ids: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def alice(self) -> Account:
        """Who makes most of it."""
        return self.people["alice"]


def fill(source: Account) -> Acme:
    """Make the tenant, in the first domain ``acme-NNNN`` that is free."""
    names = [domain["name"] for domain in source.identity.list("/domains", "domains")]
    numbers = [int(match[1]) for name in names if (match := re.fullmatch(r"acme-(\d{4})", name))]
    acme = _people(source, f"acme-{max(numbers, default=0) + 1:04}")
    _tell(f"domain {acme.domain['name']}: {', '.join(PEOPLE)} (carol has left: disabled)")
    _networks(acme)
    _tell("networks office and storage; groups web and default")
    _images(acme)
    _tell("images acme-base and golden-2022")
    specs = {"name": f"{acme.domain['name']}.small", "ram": 64, "vcpus": 1, "disk": 1}
    flavor = source.compute.post("/flavors", "flavor", **specs, **{"os-flavor-access:is_public": False})
    source.compute.post(f"/flavors/{flavor['id']}/os-extra_specs", "extra_specs", **{"quota:cpu_shares": "512"})
    source.compute.post(f"/flavors/{flavor['id']}/action", "addTenantAccess", tenant=acme.project_id)
    acme.ids["small"] = flavor["id"]
    for name in ("alice", "bob"):
        pair = {"name": f"{name}-laptop", "public_key": public_key(), "type": "ssh"}
        acme.people[name].compute.post("/os-keypairs", "keypair", **pair)
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(make, acme) for make in (_web, _database, _builder, _backups)]
        for job in jobs:
            job.result()
    _tell("servers web-1 (with a volume), db-1 (from a volume), build-1 (off); volume backups")
    source.identity.patch(f"/users/{acme.ids['carol']}", "user", enabled=False)
    return acme


def password(domain_id: str, name: str) -> str:
    """Of one of the people, in both clouds; known to whoever may read the domain's id."""
    return f"{name}, {domain_id[:12]}"


def prove(source: Account, destination: Account, domain: str) -> list[str]:
    """Lines that tell what the people find in the destination; the old passwords are all that they bring."""
    (old,) = [d for d in source.identity.list("/domains", "domains") if d["name"] == domain]
    (new,) = [d for d in destination.identity.list("/domains", "domains") if d["name"] == domain]
    (project,) = destination.identity.list("/projects", "projects", domain_id=new["id"])
    lines = []
    for user in destination.identity.list("/users", "users", domain_id=new["id"]):
        secret = password(old["id"], user["name"])
        entered = destination.login(user["id"], secret) == 201
        lines.append(f"{user['name']} {'logs in with the old password' if entered else 'is not let in'}")
        if user["name"] == "alice":
            alice = destination.as_user(user["id"], secret, project["id"])
            lines += [f"  {_one_line(server)}" for server in alice.compute.list("/servers/detail", "servers")]
    return lines


def _one_line(server: Json) -> str:
    addresses = [entry["addr"] for entries in server["addresses"].values() for entry in entries]
    return f"{server['name']:8} {server['status']:8} {', '.join(addresses)}"


def _people(source: Account, name: str) -> Acme:
    identity = source.identity
    domain = identity.post("/domains", "domain", name=name, description="Acme, water works")
    project = identity.post("/projects", "project", name="acme", domain_id=domain["id"])
    roles = {role["name"]: role["id"] for role in identity.list("/roles", "roles")}
    acme = Acme(domain, project["id"], {})
    for person, given in PEOPLE.items():
        secret = password(domain["id"], person)
        fields = {"name": person, "domain_id": domain["id"], "default_project_id": project["id"]}
        user = identity.post("/users", "user", password=secret, email=f"{person}@acme.example", **fields)
        acme.ids[person] = user["id"]
        for role in given:
            identity.put(f"/projects/{project['id']}/users/{user['id']}/roles/{roles[role]}")
        acme.people[person] = source.as_user(user["id"], secret, project["id"])
    return acme


def _networks(acme: Acme) -> None:
    network = acme.alice.network
    for name, cidr, gateway in (("office", "10.20.0.0/24", "10.20.0.1"), ("storage", "10.30.0.0/24", None)):
        made = network.post("/networks", "network", name=name)
        network.post(
            "/subnets",
            "subnet",
            name=f"{name}-v4",
            network_id=made["id"],
            ip_version=4,
            cidr=cidr,
            gateway_ip=gateway,
            dns_nameservers=["9.9.9.9"],
        )
        acme.ids[name] = made["id"]
    group = network.post("/security-groups", "security_group", name="web", description="from everywhere")
    for port in (80, 443):
        rule = {"direction": "ingress", "protocol": "tcp", "port_range_min": port, "port_range_max": port}
        network.post("/security-group-rules", "security_group_rule", security_group_id=group["id"], **rule)
    acme.ids["web"] = group["id"]
    port = {"name": "web-1", "network_id": acme.ids["office"], "security_groups": [group["id"]]}
    made = network.post("/ports", "port", fixed_ips=[{"ip_address": "10.20.0.11"}], **port)
    acme.ids["web-1"] = made["id"]


def _images(acme: Acme) -> None:
    base = upload(acme.alice, guest_image(), "raw", name="acme-base", min_disk=1, tags=["base"], **GUEST)
    acme.ids["acme-base"] = base["id"]
    golden = qcow2({0: os.urandom(48 << 20)}, 256 << 20)
    upload(acme.alice, golden, "qcow2", name="golden-2022", protected=True, os_distro="debian", team="ops")


def _web(acme: Acme) -> None:
    server = boot(
        acme.alice,
        name="web-1",
        imageRef=acme.ids["acme-base"],
        flavorRef=acme.ids["small"],
        networks=[{"port": acme.ids["web-1"]}, {"uuid": acme.ids["storage"]}],
        key_name="alice-laptop",
        metadata={"role": "web", "backup": ""},
        tags=["production"],
        description="the shop",
    )
    attach(acme.alice, server, _volume(acme, "web-data", 24))


def _database(acme: Acme) -> None:
    fields = {"size": 1, "name": "db-root", "imageRef": acme.ids["acme-base"]}
    root = acme.people["bob"].volume.post("/volumes", "volume", **fields)
    available(acme.people["bob"], root["id"])
    disk = {"boot_index": 0, "uuid": root["id"], "source_type": "volume", "destination_type": "volume"}
    server = boot(
        acme.people["bob"],
        name="db-1",
        flavorRef=acme.ids["small"],
        networks=[{"uuid": acme.ids["storage"]}],
        key_name="bob-laptop",
        block_device_mapping_v2=[disk],
    )
    attach(acme.people["bob"], server, _volume(acme, "db-data", 32))


def _builder(acme: Acme) -> None:
    server = boot(
        acme.alice,
        name="build-1",
        imageRef=acme.ids["acme-base"],
        flavorRef=acme.ids["small"],
        networks=[{"uuid": acme.ids["office"]}],
    )
    acme.alice.compute.post(f"/servers/{server['id']}/action", **{"os-stop": None})
    state(acme.alice, server, "SHUTOFF")


def _backups(acme: Acme) -> None:
    _volume(acme, "backups", 64)


def _volume(acme: Acme, name: str, mebibytes: int) -> str:
    """A volume of 1 GiB with random bytes; its id."""
    seed = upload(acme.alice, qcow2({0: os.urandom(mebibytes << 20)}, 1 << 30), "qcow2", name=f"seed-{name}")
    made = acme.alice.volume.post("/volumes", "volume", size=1, name=name, imageRef=seed["id"])
    available(acme.alice, made["id"])
    acme.alice.image.delete(f"/images/{seed['id']}")
    return str(made["id"])


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Fill, prove or clean."""
    match arguments:
        case ["fill"]:
            began = time.monotonic()
            acme = fill(operator("src"))
            _tell(f"filled in {time.monotonic() - began:.0f} s")
            print(f"--tenant acme --domain {acme.domain['name']}")
        case ["prove", domain]:
            print("\n".join(prove(operator("src"), operator("dst"), domain)))
        case ["clean", domain] if re.fullmatch(r"acme-\d{4}", domain):
            for cloud in ("src", "dst"):
                Cleaner(operator(cloud), domain).clean()
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
