"""What the lab needs on the machine: Debian packages, and the destination cloud's virtual environment."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from .layout import HERE, Lab
from .waiting import LabError, run, say

PACKAGES = HERE / "packages.txt"
PINS = HERE / "destination.txt"
#: Where the source cloud's programs come from: their versions decide on its tables.
OPENSTACK_PACKAGES = (
    "keystone",
    "glance-api",
    "placement-api",
    "nova-api",
    "neutron-server",
    "cinder-api",
)
#: KiB: both clouds take 5.2 GiB, servers and the tests come on top.
NEEDED_MEMORY = 7 << 20
POLICY = Path("/usr/sbin/policy-rc.d")
POLICY_KEPT = Path("/usr/sbin/policy-rc.d.before-pumphouse-lab")
UNITS = Path("/etc/systemd/system")
#: Denies every start of a service by a package's installation (invoke-rc.d(8)).
DENY = "#!/bin/sh\n# Put here by Pumphouse's lab while it installs packages.\nexit 101\n"


def why_not() -> str | None:
    """Why the lab cannot run on this machine, or None when it can."""
    if os.geteuid() != 0:
        return "the lab needs root: it makes network namespaces, mounts and virtual machines"
    system = Path("/etc/os-release")
    values = dict(
        line.split("=", 1) for line in (system.read_text() if system.exists() else "").splitlines() if "=" in line
    )
    if (values.get("ID"), values.get("VERSION_ID", "").strip('"')) != ("debian", "12"):
        name = values.get("PRETTY_NAME", "this system").strip('"')
        return f"the lab needs Debian 12, whose packages the source cloud is made of; this is {name}"
    if os.uname().machine != "x86_64":
        return f"the lab's guest is a program for x86_64; this machine is {os.uname().machine}"
    memory = int(Path("/proc/meminfo").read_text().split("MemTotal:")[1].split()[0])
    if memory < NEEDED_MEMORY:
        return f"the lab needs {NEEDED_MEMORY >> 20} GiB of memory; this machine has {memory / (1 << 20):.1f}"
    if not Path("/dev/fuse").exists():
        return "the lab needs FUSE (/dev/fuse) for the compute hosts' common disk"
    return None


def prepare(lab: Lab) -> None:
    """Install what is missing; next to nothing is done when all is there."""
    if reason := why_not():
        raise LabError(reason)
    missing = [name for name in wanted() if name not in installed()]
    stamp = lab.venv / "lab-stamp"
    wanted_stamp = _stamp()
    runnable = (lab.venv / "bin/python").exists()  # not when the Python it was made from is gone
    fresh_venv = not runnable or not stamp.exists() or stamp.read_text() != wanted_stamp
    if missing:
        install(missing, lab.directory / "apt.log")
        installed.cache_clear()
    if fresh_venv:
        stamp.unlink(missing_ok=True)
        make_venv(lab)
        stamp.write_text(wanted_stamp)


def _stamp() -> str:
    return hashlib.sha256(PINS.read_bytes()).hexdigest()


def wanted() -> list[str]:
    """The packages of packages.txt."""
    lines = (line.split("#")[0].strip() for line in PACKAGES.read_text().splitlines())
    return [line for line in lines if line]


@cache
def installed() -> dict[str, str]:
    """{package: version} of what dpkg has installed."""
    listing = run(["dpkg-query", "-W", "-f", "${Package}\t${Version}\t${db:Status-Status}\n"])
    rows = (line.split("\t") for line in listing.splitlines())
    return {row[0]: row[1] for row in rows if row[2:] == ["installed"]}


@contextmanager
def nothing_starts() -> Iterator[None]:
    """While it lasts, installing a package starts no service, nor makes one start at the next boot.

    Afterwards policy-rc.d is as it was.
    """
    enabled = _enabled_units()
    if POLICY.exists() and POLICY.read_text() != DENY:
        POLICY.replace(POLICY_KEPT)
    POLICY.write_text(DENY)
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        if POLICY_KEPT.exists():
            POLICY_KEPT.replace(POLICY)
        else:
            POLICY.unlink(missing_ok=True)
        if shutil.which("systemctl") and (fresh := sorted(_enabled_units() - enabled)):
            run(["systemctl", "disable", *fresh], check=False)


def _enabled_units() -> set[str]:
    """The systemd units that start at boot because something wants them."""
    return {link.name for link in UNITS.glob("*.wants/*")}


def install(packages: list[str], log: Path) -> None:
    """Install Debian packages, without recommendations."""
    say(f"apt: installing {len(packages)} packages and what they depend on; log in {log}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    apt = ["apt-get", "-y", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Options::=--force-confold"]
    with nothing_starts():
        run([*apt, "update"], environment=environment, log=log, seconds=600)
        command = [*apt, "install", "--no-install-recommends", *packages]
        run(command, environment=environment, log=log, seconds=1800)
    say("apt: done")


def make_venv(lab: Lab) -> None:
    """The destination cloud's virtual environment, by uv, which takes a quarter of pip's time."""
    say("venv: installing the destination cloud from PyPI")
    log, python = lab.directory / "venv.log", lab.venv / "bin/python"
    # an environment left by an interrupted installation or another Python is not mended but made anew
    shutil.rmtree(lab.venv, ignore_errors=True)
    run([_base_python(), "-m", "venv", lab.venv], log=log)
    run([python, "-m", "pip", "install", "--quiet", "uv"], log=log, seconds=600)
    command: list[str | Path] = [
        lab.venv / "bin/uv",
        "pip",
        "install",
        "--compile-bytecode",
        "--python",
        python,
        "-r",
        PINS,
    ]
    run(command, environment={**os.environ, "VIRTUAL_ENV": str(lab.venv)}, log=log, seconds=1800)
    say("venv: done")


def _base_python() -> Path:
    """This Python, or the one its virtual environment was made from."""
    return Path(getattr(sys, "_base_executable", sys.executable))
