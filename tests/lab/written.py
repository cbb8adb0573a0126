"""The files the lab writes for its users, for the owner's eyes only: clouds.yaml, pumphouse.yaml, lab.json."""

from __future__ import annotations

import json
import shutil

from .cloud import CloudControl
from .layout import REGION, Cloud, Lab, write_private
from .waiting import LabError

#: JSON is YAML too: no YAML library is needed to write it.
FILES = ("clouds.yaml", "pumphouse.yaml", "lab.json")


def write(lab: Lab) -> None:
    """Write them all."""
    clouds = {cloud.name: _entry(cloud) for cloud in lab.clouds}
    write_private(lab.directory / "clouds.yaml", _text({"clouds": clouds}))
    pumphouse = {
        "clouds": {
            "source": _identity(lab.source),
            "destination": _identity(lab.destination),
        },
        "database": f"sqlite:///{lab.directory}/pumphouse.sqlite",
    }
    write_private(lab.directory / "pumphouse.yaml", _text(pumphouse))
    description = {
        "directory": str(lab.directory),
        "port_base": lab.port_base,
        "python": str(lab.venv / "bin/python"),
        "clouds_yaml": str(lab.directory / "clouds.yaml"),
        "pumphouse_yaml": str(lab.directory / "pumphouse.yaml"),
        "clouds": {cloud.name: CloudControl(cloud).description() for cloud in lab.clouds},
    }
    write_private(lab.directory / "lab.json", _text(description))


def remove(lab: Lab, everything: bool) -> None:
    """Remove them, the broker's state, and what Pumphouse remembers of the wiped clouds."""
    shutil.rmtree(lab.broker, ignore_errors=True)
    for pattern in (*FILES, "pumphouse.sqlite*"):
        for path in lab.directory.glob(pattern):
            path.unlink()
    if everything:
        for directory in (lab.templates, lab.venv):
            shutil.rmtree(directory, ignore_errors=True)
        for name in ("apt.log", "venv.log", "lock", "settled.json"):
            (lab.directory / name).unlink(missing_ok=True)
        try:
            lab.directory.rmdir()
        except OSError as error:
            raise LabError(f"{lab.directory} stays: it holds something that is not the lab's") from error


def _entry(cloud: Cloud) -> dict[str, object]:
    auth = {
        "auth_url": cloud.auth_url,
        "username": "admin",
        "password": cloud.admin_password,
        "project_name": "admin",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }
    return {"auth": auth, "region_name": REGION, "identity_api_version": "3"}


def _identity(cloud: Cloud) -> dict[str, str]:
    return {"cloud": cloud.name, "identity_database": cloud.database("keystone")}


def _text(value: object) -> str:
    return json.dumps(value, indent=1) + "\n"
