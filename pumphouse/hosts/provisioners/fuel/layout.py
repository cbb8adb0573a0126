"""Disks and interfaces of a node: as the inventory says, or as on a compute node that runs.

Both are read after roles were assigned: volumes and networks depend on them. Sizes are in MiB, as in Nailgun.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

from pumphouse.hosts.inventory import Host, Layout
from pumphouse.hosts.provisioners.base import ProvisionerError
from pumphouse.hosts.provisioners.fuel.api import Json, Nailgun

#: The network that machines boot from: it stays where the machine boots.
ADMIN = "fuelweb_admin"


def template(host: Host, members: list[Json], layout: Layout) -> Json:
    """The node to copy from: it runs, is a compute node, and is like ``host`` in its roles as far as there is one.

    Raises ProvisionerError.
    """
    ready = [node for node in members if node["status"] == "ready" and "compute" in node["roles"]]
    if layout.like:
        named = [node for node in ready if layout.like in names(node)]
        if not named:
            raise ProvisionerError(f"the layout is to be copied from {layout.like}, but no compute node of that name "
                                   "runs in the environment")  # fmt: skip
        ready = named
    if not ready:
        raise ProvisionerError("the layout is to be copied from a compute node of the environment, but none runs "
                               "there: give it a fixed layout")  # fmt: skip
    wanted = set(host.roles)
    return min(ready, key=lambda node: (len(wanted ^ set(node["roles"])), node["id"]))


def names(node: Json) -> set[str]:
    """All that a node is called."""
    fqdn = node.get("fqdn") or ""
    return {name for name in (node["name"], node.get("hostname"), fqdn, fqdn.partition(".")[0]) if name}


def configure(nailgun: Nailgun, host: Host, node: Json, members: list[Json]) -> None:
    """Lay out a node that is to be provisioned. What is right already is left alone. Raises ProvisionerError."""
    path = f"nodes/{node['id']}"
    disks = nailgun.get(f"{path}/disks/")
    wanted = _disk_sizes(nailgun, host, members)
    if (laid := lay_disks(disks, wanted, host.disks.kind == "fixed")) != disks:
        nailgun.call("PUT", f"{path}/disks/", laid)
    nics = nailgun.get(f"{path}/interfaces/")
    networks = _nic_networks(nailgun, host, members)
    if (connected := connect(nics, networks, node["mac"], host.nics.kind == "fixed")) != nics:
        nailgun.call("PUT", f"{path}/interfaces/", connected)


def _disk_sizes(nailgun: Nailgun, host: Host, members: list[Json]) -> Mapping[str, Mapping[str, int]]:
    if host.disks.kind == "fixed":
        return host.disks.fixed
    like = template(host, members, host.disks)
    disks = nailgun.get(f"nodes/{like['id']}/disks/")
    return {disk["name"]: {volume["name"]: volume["size"] for volume in disk["volumes"]} for disk in disks}


def _nic_networks(nailgun: Nailgun, host: Host, members: list[Json]) -> Mapping[str, list[str]]:
    if host.nics.kind == "fixed":
        return host.nics.fixed
    like = template(host, members, host.nics)
    nics = nailgun.get(f"nodes/{like['id']}/interfaces/")
    if bonds := [nic["name"] for nic in nics if nic.get("type") == "bond"]:
        raise ProvisionerError(f"node {like['id']}, whose layout is to be copied, has {', '.join(bonds)}: bonds are "
                               "not copied; give the host a fixed layout, or another one to copy from")  # fmt: skip
    return {nic["name"]: [one["name"] for one in nic["assigned_networks"]] for nic in nics}


def lay_disks(disks: list[Json], wanted: Mapping[str, Mapping[str, int]], fixed: bool) -> list[Json]:
    """The disks with the wanted sizes of volumes. What is copied may name volumes that this node has not.

    Raises ProvisionerError where it does not fit.
    """
    laid = copy.deepcopy(disks)
    have = {disk["name"] for disk in laid}
    if missing := sorted(set(wanted) - have):
        raise ProvisionerError(f"the layout has disk {', '.join(missing)}, the machine has {', '.join(sorted(have))}")
    known = {volume["name"] for disk in laid for volume in disk["volumes"]}
    placed = {name for sizes in wanted.values() for name in sizes}
    if fixed and (unknown := sorted(placed - known)):
        raise ProvisionerError(f"the layout has volume {', '.join(unknown)}; with its roles the machine has "
                               f"{', '.join(sorted(known))}")  # fmt: skip
    if lacking := sorted(known - placed):
        raise ProvisionerError(f"the layout has no room for volume {', '.join(lacking)}, which the host's roles need")
    for disk in laid:
        for volume in disk["volumes"]:
            volume["size"] = wanted.get(disk["name"], {}).get(volume["name"], 0)
        needed = sum(volume["size"] for volume in disk["volumes"])
        if needed > disk["size"]:
            raise ProvisionerError(f"the layout needs {needed} MiB of disk {disk['name']}, which has {disk['size']}")
    return laid


def connect(nics: list[Json], wanted: Mapping[str, list[str]], boots: str, fixed: bool) -> list[Json]:
    """The interfaces with the wanted networks. ``boots``: the MAC that the machine boots from.

    fuelweb_admin stays there, whatever is copied: 6.0 would take it elsewhere, and the machine would be lost.
    Networks that the node is not to be in are not copied. Raises ProvisionerError where it does not fit.
    """
    connected = copy.deepcopy(nics)
    have = {nic["name"]: nic for nic in connected}
    if missing := sorted(set(wanted) - set(have)):
        raise ProvisionerError(f"the layout has interface {', '.join(missing)}, the machine has "
                               f"{', '.join(sorted(have))}")  # fmt: skip
    booting = next((nic for nic in connected if _boots(nic, boots)), connected[0])
    networks = {one["name"]: one for nic in nics for one in nic["assigned_networks"]}
    places = {network: name for name, many in wanted.items() for network in many}
    if fixed:
        _check_fixed(places, networks, booting["name"])
    places[ADMIN] = booting["name"]
    if lacking := sorted(set(networks) - set(places)):
        raise ProvisionerError(f"the layout has no interface for network {', '.join(lacking)}")
    for nic in connected:
        # In the order in which they were, so that what is right is seen to be.
        kept = [one for one in nic["assigned_networks"] if places[one["name"]] == nic["name"]]
        came = [one for name, one in networks.items() if places[name] == nic["name"] and one not in kept]
        nic["assigned_networks"] = kept + came
    return connected


def _check_fixed(places: Mapping[str, str], networks: Mapping[str, Json], booting: str) -> None:
    if unknown := sorted(set(places) - set(networks) - {"public"}):
        raise ProvisionerError(f"the layout has network {', '.join(unknown)}; the environment has for this host "
                               f"{', '.join(sorted(networks))}")  # fmt: skip
    if places.get(ADMIN, booting) != booting:
        raise ProvisionerError(f"the layout puts {ADMIN} on {places[ADMIN]}, but the machine boots from {booting}")


def _boots(nic: Json, mac: str) -> bool:
    # Before 6.1 or so, interfaces do not say ``pxe``; the node's MAC is that of the one that has booted.
    return bool(nic["pxe"]) if "pxe" in nic else str(nic["mac"]).lower() == mac.lower()
