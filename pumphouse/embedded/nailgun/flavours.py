"""What differs between the versions of Nailgun, as far as clients can tell."""

from __future__ import annotations

import dataclasses
from typing import Any

Json = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Role:
    """One role that a node may have."""

    title: str
    group: str
    weight: int
    conflicts: tuple[str, ...] = ()


CONTROLLER = Role("Controller", "base", 10, ("compute",))
COMPUTE = Role("Compute", "compute", 20)
CINDER = Role("Cinder", "storage", 30)
CEPH = Role("Ceph OSD", "storage", 50)
MONGO = Role("Telemetry - MongoDB", "other", 60, ("compute", "ceph-osd"))

ROLES_6 = {
    "controller": CONTROLLER,
    "compute": COMPUTE,
    "cinder": CINDER,
    "ceph-osd": CEPH,
    "mongo": MONGO,
    "zabbix-server": Role("Zabbix Server", "other", 70, ("controller", "compute", "cinder", "ceph-osd", "mongo")),
}
ROLES_11 = {
    "controller": CONTROLLER,
    "compute": COMPUTE,
    "cinder": CINDER,
    "cinder-block-device": Role("Cinder Block Device", "storage", 35, ("controller", "cinder", "ceph-osd")),
    "ceph-osd": CEPH,
    "mongo": MONGO,
    "base-os": Role("Operating System", "other", 70),
    "virt": Role("Virtual", "compute", 80, ("controller", "base-os")),
    "ironic": Role("Ironic", "compute", 100, ("compute",)),
}
ROLES_9 = {
    **ROLES_11,
    "cinder-vmware": Role("Cinder Proxy to VMware Datastore", "storage", 40),
    "compute-vmware": Role("Compute VMware", "compute", 90, ("controller", "compute", "cinder", "ceph-osd", "ironic")),
}


def _release(id_: int, name: str, version: str, deployable: bool = True) -> Json:
    system, state = "CentOS" if "CentOS" in name else "Ubuntu", "available" if deployable else "unavailable"
    return {"id": id_, "name": name, "version": version, "operating_system": system, "state": state,
            "is_deployable": deployable}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Flavour:
    """One version of Nailgun."""

    name: str
    #: What it calls itself in ``fuel_version``, run from its source tree.
    says: str
    releases: tuple[Json, ...]
    roles: dict[str, Role]
    #: Names of an environment's networks, which get their ids in this order; fuelweb_admin is 1.
    networks: tuple[str, ...]
    #: Accepted ``net_segment_type``.
    segments: tuple[str, ...]
    #: 8.0 and later. Errors are JSON, tasks start as pending and remember their times and parents, roles have calls of
    #: their own, nodes have hostnames and labels, many nodes are deleted with one call, wrong NICs are refused,
    #: a busy environment refuses tasks, and one without changes is deployed again (LCM).
    later: bool = True
    #: GET version is answered without a token.
    public_version: bool = False
    #: PUT nodes/N answers with a JSON text that is JSON.
    twice_encoded: bool = False
    #: Every node, not only controllers, is in the public network.
    public_everywhere: bool = True
    #: What a new environment has as pending changes.
    changes: tuple[str, ...] = ("attributes", "networks")


#: By their names. What they answer is in the recorded samples.
FLAVOURS = {
    "6.0": Flavour(
        "6.0",
        "5.0",
        (_release(2, "Juno on Ubuntu 12.04.4", "2014.2-6.0"), _release(1, "Juno on CentOS 6.5", "2014.2-6.0")),
        ROLES_6,
        ("public", "management", "storage"),
        ("gre", "vlan"),
        later=False,
        public_version=True,
    ),
    "9.2": Flavour(
        "9.2",
        "9.1",
        (
            _release(2, "Mitaka on Ubuntu 14.04", "mitaka-9.0"),
            _release(3, "Mitaka on Ubuntu+UCA 14.04", "mitaka-9.0", False),
            _release(1, "Mitaka on CentOS 6.5", "mitaka-9.0", False),
        ),
        ROLES_9,
        ("public", "management", "storage", "private"),
        ("tun", "vlan", "gre"),
        twice_encoded=True,
        changes=("attributes", "networks", "vmware_attributes"),
    ),
    "11.0": Flavour(
        "11.0",
        "10.0",
        (
            _release(2, "Newton on Ubuntu 16.04", "ocata-11.0"),
            _release(3, "Ocata on Ubuntu+UCA 16.04", "ocata-11.0"),
            _release(1, "Ocata on CentOS 6.5", "ocata-11.0", False),
        ),
        ROLES_11,
        ("public", "management", "storage", "private"),
        ("tun", "vlan", "gre"),
        public_everywhere=False,
    ),
}
