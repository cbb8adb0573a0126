"""The command lines of the OpenStack services of one cloud."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from .layout import APIS, Cloud
from .services import Services
from .settings import settings_files

#: Directories below a cloud's state; `disk` is what the compute hosts see as `shared`.
STATE = (
    *("images", "staging", "tasks", "disk/instances", "disk/volumes", "shared", "lock", "fernet"),
    *("credential", "nova", "nova-volumes", "cinder", "cinder/conversion", "cinder-volumes", "neutron"),
)


def write_settings(cloud: Cloud) -> None:
    """Make the cloud's directories and write all its settings anew; they are for root's eyes only."""
    for directory in (cloud.root, cloud.etc, cloud.log, cloud.run, *(cloud.state / name for name in STATE)):
        directory.mkdir(parents=True, exist_ok=True)
    cloud.root.chmod(0o700)
    for compute in cloud.computes:
        for service in ("nova", "neutron"):
            (cloud.state / service / compute).mkdir(exist_ok=True)
    for name, text in settings_files(cloud).items():
        path = cloud.etc / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    # from 2026.1 on Nova looks for it beside nova.conf only
    shutil.copy(cloud.samples / "nova/api-paste.ini", cloud.etc / "nova")


def uwsgi(cloud: Cloud, service: str, target: str) -> list[str | Path]:
    """An API under uWSGI: a script's path, or a module's application."""
    if cloud.packaged:
        program: list[str | Path] = [cloud.programs / "uwsgi_python3"]
    else:
        program = [cloud.programs / "uwsgi", "-H", cloud.lab.venv]
    return [
        *program,
        *(("--wsgi-file", target) if target.startswith("/") else ("--module", target)),
        *("--http-socket", f"127.0.0.1:{cloud.port(service)}", "--listen", "64"),
        *("--need-app", "--lazy-apps", "--die-on-term", "--disable-logging"),
        *("--threads", "8", "--enable-threads", "--buffer-size", "65535"),
        # without it uWSGI drops connections that clients want to use again
        *("--add-header", "Connection: close"),
        # Neutron with OVN asks when its workers began
        *("--set", f"start-time={time.time():.0f}"),
        *("--pyargv", f"--config-file {cloud.etc}/{service}/{service}.conf"),
    ]


def start_keystone(cloud: Cloud, services: Services) -> None:
    """Start Keystone and wait for its port."""
    target = "/usr/bin/keystone-wsgi-public" if cloud.packaged else "keystone.wsgi.api:application"
    services.start("keystone", uwsgi(cloud, "keystone", target))
    services.wait_for_port("keystone", cloud.port("keystone"))


def start_control(cloud: Cloud, services: Services) -> None:
    """Start the other APIs, the schedulers, the conductor and the volume service."""
    for name, command in (_packaged_apis(cloud) if cloud.packaged else _venv_apis(cloud)).items():
        services.start(name, command)
    for name, service in (
        ("nova-conductor", "nova"),
        ("nova-scheduler", "nova"),
        ("cinder-scheduler", "cinder"),
        ("cinder-volume", "cinder"),
    ):
        services.start(name, program(cloud, name, f"{service}/{service}.conf"))


def wait_for_apis(cloud: Cloud, services: Services) -> None:
    """Wait until every API's port accepts connections."""
    for name in APIS:
        services.wait_for_port(name, cloud.port(name))


def program(cloud: Cloud, name: str, *settings: str) -> list[str | Path]:
    """One of the services' programs with its settings files."""
    return [cloud.programs / name, *(f"--config-file={cloud.etc}/{file}" for file in settings)]


def _packaged_apis(cloud: Cloud) -> dict[str, list[str | Path]]:
    return {
        "placement": uwsgi(cloud, "placement", "/usr/bin/placement-api"),
        "glance": program(cloud, "glance-api", "glance/glance-api.conf", "glance/glance-image-import.conf"),
        "neutron": program(cloud, "neutron-server", "neutron/neutron.conf"),
        "nova": program(cloud, "nova-api", "nova/nova.conf"),
        "cinder": program(cloud, "cinder-api", "cinder/cinder.conf"),
    }


def _venv_apis(cloud: Cloud) -> dict[str, list[str | Path]]:
    return {
        "placement": uwsgi(cloud, "placement", "placement.wsgi.api:application"),
        # not uWSGI, whose chunked input fails on what Nova and Cinder upload
        "glance": [
            *(cloud.programs / "gunicorn", "-b", f"127.0.0.1:{cloud.port('glance')}"),
            *("-w", "1", "-k", "gthread", "--threads", "8", "--timeout", "600", "--keep-alive", "0"),
            *("--no-control-socket", "glance.wsgi.api:application"),
        ],
        "neutron": uwsgi(cloud, "neutron", "neutron.wsgi.api:application"),
        "neutron-ovn": program(cloud, "neutron-ovn-maintenance-worker", "neutron/neutron.conf"),
        "nova": uwsgi(cloud, "nova", "nova.wsgi.osapi_compute:application"),
        "cinder": uwsgi(cloud, "cinder", "cinder.wsgi.api:application"),
    }
