"""inventory.yaml: the hosts, how each is switched, and what makes a compute host of it.

Its shape is a public contract, see ``docs/hosts.md``. Complaints are those of the configuration: one line with the
file, the path of the key and what is allowed, and no secret.
"""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pumphouse.errors import ConfigError, UsageError
from pumphouse.hosts.inventory_reader import Reader
from pumphouse.hosts.options import Secret
from pumphouse.yaml_file import parse

#: Names an inventory where ``--inventory`` does not.
VARIABLE = "PUMPHOUSE_INVENTORY"
NAME = "inventory.yaml"


@dataclass(frozen=True)
class Driver:
    """A driver, and what the inventory says to it."""

    #: Its entry point: ipmi, redfish, fuel, ...
    name: str
    #: A value for every key of its OPTIONS; passwords are Secrets.
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """How disks are divided, or which NIC leads to which networks."""

    #: fixed: as the inventory says. discovery: copied from a compute host of the destination that runs.
    kind: Literal["fixed", "discovery"] = "discovery"
    #: Of discovery: the host to copy from; None: any.
    like: str | None = None
    #: Of fixed: disk -> volume -> MiB, or NIC -> names of networks.
    fixed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Host:
    """One machine."""

    #: Exactly the hypervisor_hostname that Nova shows.
    name: str
    #: Of its NICs, in lower case; the first one boots from the network.
    macs: tuple[str, ...]
    bmc: Driver
    #: It belongs to the source, and may be emptied, switched off and given away. No other host is ever switched off.
    source: bool = False
    #: None: it cannot be reassigned.
    provisioner: Driver | None = None
    #: What it becomes, in the provisioner's words.
    roles: tuple[str, ...] = ("compute",)
    disks: Layout = Layout()
    nics: Layout = Layout()


@dataclass(frozen=True)
class Inventory:
    """All hosts."""

    path: Path
    hosts: Mapping[str, Host]
    #: What should be better, but is no fault: sentences.
    notes: tuple[str, ...] = ()

    def host(self, name: str) -> Host:
        """The host of exactly this name. Raises UsageError, which names what may have been meant."""
        if name in self.hosts:
            return self.hosts[name]
        lower = {one.lower(): one for one in self.hosts}
        alike = difflib.get_close_matches(name.lower(), lower, 1) or [
            one for one in lower if name and name.lower() in one
        ]
        near = [lower[one] for one in alike]
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(self.hosts)) or 'no hosts'}"
        raise UsageError(f"{self.path}: there is no host {name!r}; {hint}")


def load(path: str | Path | None = None, beside: Path | None = None) -> Inventory:
    """Read the file that :func:`find` finds. Raises ConfigError."""
    file = find(path, beside)
    reader = Reader(file)
    described = reader.hosts(parse(file))
    hosts = {name: _host(name, said) for name, said in described.items()}
    notes = []
    if reader.plain_secrets and stat.S_IMODE(file.stat().st_mode) & 0o077:
        notes.append(f"{file} holds passwords and can be read by others: chmod 600 {file}")
    return Inventory(file, hosts, tuple(notes))


def finder(path: str | Path | None = None, beside: Path | None = None) -> Callable[[str], Host]:
    """What finds a host by its exact name. The file is read at each call: it may have been corrected since the last.

    The arguments are those of :func:`load`, and so is what is raised; UsageError for a host that it does not have.
    """
    return lambda name: load(path, beside).host(name)


def find(path: str | Path | None = None, beside: Path | None = None) -> Path:
    """``path``, or the file that $PUMPHOUSE_INVENTORY names, or inventory.yaml beside the configuration ``beside``."""
    for origin, named in (("--inventory", path), (VARIABLE, os.environ.get(VARIABLE))):
        if named:
            file = Path(named).expanduser()
            if not file.exists():
                raise ConfigError(f"{file}: there is no such file; it was named by {origin}")
            return file
    file = (beside.parent if beside else Path()) / NAME
    if not file.exists():
        raise ConfigError(
            f"no inventory was found; name one with --inventory or {VARIABLE}, or make {file} (docs/hosts.md)"
        )
    return file


def describe(host: Host) -> dict[str, Any]:
    """A host for programs of the operator and for JSON: no secrets, no options of drivers."""
    return {
        "name": host.name,
        "macs": list(host.macs),
        "source": host.source,
        "roles": list(host.roles),
        "disks": _describe(host.disks, "volumes"),
        "nics": _describe(host.nics, "networks"),
    }


def plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options with their secrets in the open: for nothing but the standard input of the operator's own program."""
    return {key: value.reveal() if isinstance(value, Secret) else value for key, value in options.items()}


def _describe(layout: Layout, what: str) -> dict[str, Any]:
    said: dict[str, Any] = {"layout": layout.kind}
    if layout.like:
        said["from"] = layout.like
    if layout.kind == "fixed":
        said[what] = {key: value if isinstance(value, Mapping) else list(value) for key, value in layout.fixed.items()}
    return said


def _host(name: str, said: dict[str, Any]) -> Host:
    provisioner = said["provisioner"]
    return Host(
        name=name,
        macs=said["macs"],
        bmc=Driver(*said["bmc"]),
        source=said["source"],
        provisioner=Driver(*provisioner) if provisioner else None,
        roles=said["roles"],
        disks=Layout(*said["disks"]),
        nics=Layout(*said["nics"]),
    )
