"""The two clouds that the tests run on: the project's own lab, or ones that are named.

``PUMPHOUSE_CLOUDS_FILE`` (a clouds.yaml with ``src`` and ``dst``), ``PUMPHOUSE_SOURCE_DATABASE`` and
``PUMPHOUSE_DESTINATION_DATABASE`` (SQLAlchemy URLs of the Keystones) name running ones, which others may
use too.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

from tests.acceptance.clouds import Account, operator

ROOT = Path(__file__).resolve().parents[2]


@dataclasses.dataclass
class Lab:
    """Both clouds, as their operator."""

    source: Account
    destination: Account
    clouds_file: str
    #: URLs of the two Keystone databases: "source", "destination".
    databases: dict[str, str]
    #: Nobody else uses them: whatever appears there is ours.
    own: bool


def start() -> Lab:
    """The clouds, running. Raises CalledProcessError with the lab's own words when they do not start."""
    clouds_file = os.environ.get("PUMPHOUSE_CLOUDS_FILE")
    own = not clouds_file
    if clouds_file:
        databases = {side: os.environ[f"PUMPHOUSE_{side.upper()}_DATABASE"] for side in ("source", "destination")}
    else:
        clouds_file, databases = _own()
    os.environ["OS_CLIENT_CONFIG_FILE"] = clouds_file
    return Lab(operator("src"), operator("dst"), clouds_file, databases, own)


def missing() -> str | None:
    """Why the lab cannot run on this machine, in its own words, or None."""
    if os.environ.get("PUMPHOUSE_CLOUDS_FILE"):
        return None
    asked = subprocess.run(
        [sys.executable, "-m", "tests.lab", "check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return asked.stderr.strip() if asked.returncode else None


def _own() -> tuple[str, dict[str, str]]:
    from tests.lab.layout import open_lab

    subprocess.run([sys.executable, "-m", "tests.lab", "up"], cwd=ROOT, check=True)
    lab = open_lab()
    databases = {
        "source": lab.source.database("keystone"),
        "destination": lab.destination.database("keystone"),
    }
    return str(lab.directory / "clouds.yaml"), databases
