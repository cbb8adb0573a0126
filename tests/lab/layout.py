"""Where everything of the lab is: directories, ports, the two clouds' particulars, passwords."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .waiting import LabError

#: This package's directory: shims, pins and lists lie beside the modules.
HERE = Path(__file__).resolve().parent

DEFAULT_DIRECTORY = "/var/tmp/pumphouse-testbed"
DEFAULT_PORT_BASE = 21000
#: A Unix socket's path must fit in 107 bytes, and the longest below the lab's directory takes 43.
LONGEST_DIRECTORY = 64

#: A cloud's ports, in this order from its base on.
SERVICES = ("keystone", "glance", "placement", "nova", "cinder", "neutron", "mariadb")
#: Those of them that answer HTTP.
APIS = SERVICES[:-1]
#: The broker's ports, in this order from the lab's base on.
BROKER = ("amqp", "erlang", "epmd")

REGION = "RegionOne"
VOLUME_TYPE = "lab-nfs"
#: The user of the databases and of the broker, the same in both clouds.
DATABASE_USER = "lab"


@dataclass(frozen=True)
class Cloud:
    """One of the two clouds."""

    lab: Lab
    name: str
    release: str
    #: Debian's packages; otherwise the virtual environment.
    packaged: bool
    #: The compute hosts' names.
    computes: tuple[str, ...]
    #: The ML2 mechanism driver: `linuxbridge` or `ovn`.
    mechanism: str
    port_base: int

    @property
    def root(self) -> Path:
        """Everything of this cloud."""
        return self.lab.directory / self.name

    @property
    def state(self) -> Path:
        """What outlives a stop: databases, images, disks."""
        return self.root / "state"

    @property
    def etc(self) -> Path:
        """The services' settings, written anew at each start."""
        return self.root / "etc"

    @property
    def log(self) -> Path:
        """One log for each process."""
        return self.root / "log"

    @property
    def run(self) -> Path:
        """Process records and sockets."""
        return self.root / "run"

    @property
    def shared(self) -> Path:
        """The compute hosts' common disk: servers' disks and volumes, seen through bindfs."""
        return self.state / "shared"

    @property
    def programs(self) -> Path:
        """Where the services' programs are."""
        return Path("/usr/bin") if self.packaged else self.lab.venv / "bin"

    @property
    def samples(self) -> Path:
        """Where the services' own api-paste files are."""
        return Path("/etc") if self.packaged else self.lab.venv / "etc"

    def host(self, compute: str) -> Path:
        """A compute host's own files."""
        return self.root / "hosts" / compute

    def port(self, service: str) -> int:
        """The port of one of SERVICES, on 127.0.0.1."""
        return self.port_base + SERVICES.index(service)

    def url(self, service: str) -> str:
        """The root URL of one of APIS."""
        return f"http://127.0.0.1:{self.port(service)}"

    @property
    def auth_url(self) -> str:
        """Keystone's URL."""
        return self.url("keystone") + "/v3"

    def database(self, name: str) -> str:
        """The SQLAlchemy URL of one of the databases."""
        password = self.lab.passwords["database"]
        return f"mysql+pymysql://{DATABASE_USER}:{password}@127.0.0.1:{self.port('mariadb')}/{name}"

    @property
    def admin_password(self) -> str:
        """The password of this cloud's `admin`."""
        return self.lab.passwords[self.name]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every process of this cloud, complete."""
        path = [HERE / "shims", *([] if self.packaged else [self.programs])]
        return {
            "PATH": ":".join(map(str, [*path, "/usr/sbin", "/usr/bin", "/sbin", "/bin"])),
            "PYTHONPATH": str(HERE / "python"),
            "PYTHONWARNINGS": "ignore",
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "OS_KEYSTONE_CONFIG_DIR": f"{self.etc}/keystone",
            "OS_GLANCE_CONFIG_DIR": f"{self.etc}/glance",
            "OS_PLACEMENT_CONFIG_DIR": f"{self.etc}/placement",
            "OS_NOVA_CONFIG_DIR": f"{self.etc}/nova",
            "OS_NEUTRON_CONFIG_FILES": f"{self.etc}/neutron/neutron.conf",
        }


@dataclass(frozen=True)
class Lab:
    """The lab of one directory."""

    directory: Path
    port_base: int
    #: `src` and `dst`: the admins'; `service`: the service users'; `database`: SQL and broker.
    passwords: Mapping[str, str] = field(repr=False, hash=False)

    @property
    def venv(self) -> Path:
        """The destination cloud's virtual environment."""
        return self.directory / "venv"

    @property
    def templates(self) -> Path:
        """Prepared states."""
        return self.directory / "template"

    @property
    def broker(self) -> Path:
        """Everything of RabbitMQ."""
        return self.directory / "rabbitmq"

    def port(self, what: str) -> int:
        """One of BROKER's ports."""
        return self.port_base + BROKER.index(what)

    @property
    def source(self) -> Cloud:
        """The older cloud."""
        return Cloud(
            lab=self,
            name="src",
            release="zed",
            packaged=True,
            computes=("src-c1", "src-c2"),
            mechanism="linuxbridge",
            port_base=self.port_base + 100,
        )

    @property
    def destination(self) -> Cloud:
        """The newer cloud."""
        return Cloud(
            lab=self,
            name="dst",
            release="2026.1",
            packaged=False,
            computes=("dst-c1",),
            mechanism="ovn",
            port_base=self.port_base + 200,
        )

    @property
    def clouds(self) -> tuple[Cloud, Cloud]:
        """Both."""
        return self.source, self.destination


def open_lab() -> Lab:
    """The lab of the environment's PUMPHOUSE_LAB_DIR; its directory and passwords are made at first.

    The ports and passwords were settled when the directory was made: the databases hold them.
    Raises LabError for a directory that is not a lab's, or other ports than the settled ones.
    """
    directory = Path(os.environ.get("PUMPHOUSE_LAB_DIR") or DEFAULT_DIRECTORY)
    wanted = os.environ.get("PUMPHOUSE_LAB_PORT_BASE")
    if not re.fullmatch(r"/[\w./+-]+", str(directory)) or len(str(directory)) > LONGEST_DIRECTORY:
        raise LabError(
            f"PUMPHOUSE_LAB_DIR={directory}: give an absolute path of at most {LONGEST_DIRECTORY} characters, "
            "without spaces"
        )
    if wanted is not None and not (wanted.isdigit() and 1024 <= int(wanted) <= 65000):
        raise LabError(f"PUMPHOUSE_LAB_PORT_BASE={wanted}: give a number from 1024 to 65000")
    settled = directory / "settled.json"
    if not settled.exists():
        _settle(directory, settled, int(wanted or DEFAULT_PORT_BASE))
    known = json.loads(settled.read_text())
    if wanted and int(wanted) != known["port_base"]:
        raise LabError(
            f"the lab in {directory} has its ports from {known['port_base']} on, not {wanted}; "
            "unset PUMPHOUSE_LAB_PORT_BASE, or begin anew after `python3 -m tests.lab wipe --all`"
        )
    return Lab(directory, known["port_base"], known["passwords"])


def _settle(directory: Path, settled: Path, port_base: int) -> None:
    if directory.exists() and any(directory.iterdir()):
        raise LabError(f"{directory} holds other things than a lab; give PUMPHOUSE_LAB_DIR another directory")
    directory.mkdir(parents=True, exist_ok=True)
    passwords = {name: secrets.token_hex(10) for name in ("src", "dst", "service", "database")}
    write_private(settled, json.dumps({"port_base": port_base, "passwords": passwords}, indent=1))


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
    fresh.replace(path)
