"""Compute hosts: a set of Linux namespaces each, with a libvirtd of its own.

A host has its own mounts, name, network devices and processes.  The one process we hold is its pid 1:
when it is killed, the kernel ends everything that ran on the host, its servers included, as if the plug
were pulled.  Nothing is routed into a host: a relay outside (relay.py) brings it the services' ports.
"""

from __future__ import annotations

import shutil
import sys
import uuid
from pathlib import Path

from .layout import APIS, HERE, Cloud
from .services import Services

#: {directory of the host: where the host sees it}; what is in VOLATILE is emptied at each start.
BINDS = {
    "etc": "/etc/libvirt",
    "lib": "/var/lib/libvirt",
    "cache": "/var/cache/libvirt",
    "log": "/var/log/libvirt",
    "run": "/run/libvirt",
    "openvswitch": "/run/openvswitch",
    "ovn": "/run/ovn",
    "netns": "/run/netns",
}
VOLATILE = ("run", "openvswitch", "ovn", "netns")

LIBVIRTD = """\
unix_sock_group = "root"
auth_unix_rw = "none"
auth_unix_ro = "none"
log_outputs = "2:file:/var/log/libvirt/libvirtd.log"
host_uuid = "{uuid}"
max_clients = 50
"""

QEMU = """\
security_driver = "none"
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
seccomp_sandbox = 0
max_core = 0
"""


def binds(cloud: Cloud) -> dict[str, str]:
    """BINDS, and where Nova mounts volumes.

    With one place for all hosts, the host that a server has left would remove the mount point of the one that has it.
    """
    return {**BINDS, "volumes": f"{cloud.state}/nova-volumes"}


def holder(compute: str) -> str:
    """The name of a host's process record."""
    return f"host-{compute}"


def inside(services: Services, compute: str) -> list[str]:
    """What to put before a command to run it on a host."""
    record = services.processes.running(holder(compute))
    if record is None:
        raise RuntimeError(f"host {compute} is not running")
    namespaces = f"/proc/{record.pid}/ns"
    return [
        *("nsenter", f"--mount={namespaces}/mnt", f"--uts={namespaces}/uts", f"--net={namespaces}/net"),
        f"--pid={namespaces}/pid_for_children",
    ]


def start_shared(cloud: Cloud, services: Services) -> None:
    """Show the disks to all hosts through FUSE, calling itself GlusterFS.

    libvirt live-migrates a server whose disks are files only where it takes the file system for shared.
    """
    services.start(
        "shared",
        ["bindfs", "-f", "-o", "subtype=glusterfs,allow_other", cloud.state / "disk", cloud.shared],
    )
    services.wait(cloud.shared.is_mount, "bindfs")


def start_host(cloud: Cloud, services: Services, compute: str) -> None:
    """Start a host, the relay of the services' ports into it, and its libvirtd."""
    place = cloud.host(compute)
    if not services.running(holder(compute)):
        services.processes.stop([f"relay-{compute}", f"libvirtd-{compute}"], grace=0)
        _prepare(cloud, compute)
        namespaces = ["--mount", "--uts", "--net", "--pid", "--propagation=private"]
        script = ["bash", "-c", _script(cloud, compute)]
        services.start(holder(compute), ["unshare", *namespaces, "--fork", "--kill-child=SIGKILL", *script])
        services.wait((place / "ready").exists, f"namespaces of {compute}", seconds=20)
    record = services.processes.record(holder(compute))
    ports = [cloud.lab.port("amqp"), *map(cloud.port, APIS)]
    relay = [sys.executable, "-I", str(HERE / "relay.py"), f"/proc/{record.pid if record else 0}/ns/net"]
    services.start(f"relay-{compute}", [*relay, *map(str, ports)])
    libvirtd = ["/usr/sbin/libvirtd", "-f", "/etc/libvirt/libvirtd.conf", "-p", "/run/libvirt/libvirtd.pid"]
    services.start(f"libvirtd-{compute}", [*inside(services, compute), *libvirtd])


def _prepare(cloud: Cloud, compute: str) -> None:
    place = cloud.host(compute)
    (place / "ready").unlink(missing_ok=True)
    for name in VOLATILE:
        shutil.rmtree(place / name, ignore_errors=True)
    for name, target in binds(cloud).items():
        (place / name).mkdir(parents=True, exist_ok=True)
        # a mount point outside; nothing is ever put there
        Path(target).mkdir(parents=True, exist_ok=True)
    identity = place / "uuid"
    if not identity.exists():
        identity.write_text(str(uuid.uuid4()))
    (place / "etc/libvirtd.conf").write_text(LIBVIRTD.format(uuid=identity.read_text()))
    (place / "etc/qemu.conf").write_text(QEMU)
    names = [name for other in cloud.lab.clouds for name in other.computes]
    (place / "hosts").write_text(f"127.0.0.1 localhost {' '.join(names)}\n")


def _script(cloud: Cloud, compute: str) -> str:
    """What the host's pid 1 does: set the host up, then reap whatever dies on it, for ever."""
    place = cloud.host(compute)
    mounts = "\n".join(f"mount --bind '{place}/{name}' '{target}'" for name, target in binds(cloud).items())
    return f"""\
set -e
hostname {compute}
mount -t proc proc /proc
# sysfs shows the network devices of the namespace it was mounted in; the L2 agent reads it
mount -t sysfs sysfs /sys
ip link set lo up
# the host's "network card", on which provider networks are
ip link add pub0 type veth peer name pub1
ip link set pub0 up
ip link set pub1 up
{mounts}
mount --bind '{place}/hosts' /etc/hosts
: > '{place}/ready'
while :; do sleep 86400 & wait $!; done
"""
