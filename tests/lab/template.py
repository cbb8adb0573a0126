"""Prepared states: a cloud's filled databases and keys as a tar file, so that a later start skips them.

A template is of use only with the settings, versions and programs that made it; a digest of those is in
its name.
"""

from __future__ import annotations

import hashlib
import shutil
from functools import cache
from pathlib import Path

from . import bootstrap
from .layout import HERE, Cloud
from .settings import settings_files
from .waiting import run

#: The modules that decide what is in the databases.
MAKERS = ("database.py", "identity.py")
#: What is kept, below a cloud's root.
PARTS = ("state/mysql", "state/fernet", "state/credential")


@cache
def digest(cloud: Cloud) -> str:
    """What a template of this cloud depends on, in short."""
    total = hashlib.sha256()
    for name, text in sorted(settings_files(cloud).items()):
        total.update(f"{name}\0{text}\0".encode())
    for name in MAKERS:
        total.update((HERE / name).read_bytes())
    versions = bootstrap.installed() if cloud.packaged else {}
    names = bootstrap.OPENSTACK_PACKAGES if cloud.packaged else ()
    total.update(repr([(name, versions.get(name)) for name in names]).encode())
    total.update(b"" if cloud.packaged else bootstrap.PINS.read_bytes())
    total.update(repr(bootstrap.installed().get("mariadb-server")).encode())
    return total.hexdigest()[:16]


def path(cloud: Cloud) -> Path:
    """Where this cloud's template is, or would be."""
    return cloud.lab.templates / f"{cloud.name}-{digest(cloud)}.tar"


def freeze(cloud: Cloud) -> None:
    """Keep the state of a cloud whose database is stopped, in place of any older template of it."""
    file = path(cloud)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    fresh = file.with_suffix(".new")
    run(["tar", "-C", cloud.root, "--sparse", "-cf", fresh, *PARTS])
    for old in file.parent.glob(f"{cloud.name}-*.tar"):
        old.unlink()
    fresh.rename(file)


def lay(cloud: Cloud) -> bool:
    """Put the template in place of the state; False when there is none that fits."""
    file = path(cloud)
    if not file.exists():
        return False
    for part in PARTS:
        shutil.rmtree(cloud.root / part, ignore_errors=True)
    run(["tar", "-C", cloud.root, "-xf", file])
    return True
