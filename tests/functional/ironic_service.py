"""A live Ironic in one process: API and conductor, SQLite, no broker; with real IPMI, Redfish and network boot.

It is installed once into ``.cache/ironic`` below the repository (half a minute), from PyPI, as ironic_pins.txt says.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from pumphouse.hosts.inventory import Driver, Host
from pumphouse.hosts.options import Secret
from pumphouse.hosts.power.ipmi import Ipmi
from pumphouse.hosts.provisioners.base import Progress
from pumphouse.hosts.provisioners.ironic import Ironic
from tests.functional import bmc

Json = dict[str, Any]

PINS = Path(__file__).with_name("ironic_pins.txt")
CACHE = Path(__file__).parents[2] / ".cache/ironic"
USER, PASSWORD = "pump", "s3cret-of-ironic"
MAC = "52:54:00:aa:00:07"
HOST = "hv7.example.com"
#: Where machines of QEMU's own network see this one.
GATEWAY = "10.0.2.2"

CONFIG = """\
[DEFAULT]
auth_strategy = {auth}
http_basic_auth_user_file = {run}/users
host = tests
my_ip = 127.0.0.1
state_path = {run}
tempdir = {run}/tmp
log_file = {run}/ironic.log
rpc_transport = none
enabled_hardware_types = fake-hardware,ipmi,redfish
enabled_power_interfaces = fake,ipmitool,redfish
enabled_management_interfaces = fake,ipmitool,redfish,noop
enabled_boot_interfaces = fake,ipxe
enabled_deploy_interfaces = fake,ramdisk
enabled_inspect_interfaces = no-inspect,fake
enabled_network_interfaces = noop
enabled_console_interfaces = no-console
enabled_raid_interfaces = no-raid
enabled_rescue_interfaces = no-rescue
enabled_vendor_interfaces = no-vendor
enabled_bios_interfaces = no-bios
enabled_firmware_interfaces = no-firmware
enabled_storage_interfaces = noop
[database]
connection = sqlite:///{run}/ironic.sqlite
[api]
host_ip = 127.0.0.1
port = {port}
api_workers = 1
[conductor]
automated_clean = false
sync_power_state_interval = 0
power_state_change_timeout = 20
[dhcp]
dhcp_provider = none
[pxe]
tftp_server = 127.0.0.1
tftp_root = {run}/tftp
tftp_master_path = {run}/tftp/master
images_path = {run}/images
instance_master_path = {run}/images/master
[deploy]
http_url = http://{gateway}:{http}
http_root = {run}/http
default_boot_mode = bios
[ipmi]
command_retry_timeout = 3
min_command_interval = 1
[redfish]
connection_attempts = 1
"""


def missing() -> str:
    """Why no Ironic can run here; empty: it can."""
    if importlib.util.find_spec("ensurepip") is None:
        return "LEFT OUT: a live Ironic is installed into a virtual environment, and this Python has no ensurepip"
    return bmc.missing()


needs_ironic = pytest.mark.skipif(bool(missing()), reason=missing() or "all is there")


def install() -> Path:
    """The programs, installed unless they are."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp, python = CACHE / "installed", CACHE / "venv/bin/python"
        wanted = f"{hashlib.sha256(PINS.read_bytes()).hexdigest()} {sys.version}"
        if not python.exists() or not stamp.exists() or stamp.read_text() != wanted:
            stamp.unlink(missing_ok=True)
            shutil.rmtree(CACHE / "venv", ignore_errors=True)
            base = getattr(sys, "_base_executable", sys.executable)
            with (CACHE / "log").open("wb") as log:
                pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", PINS]
                for command in ([base, "-m", "venv", CACHE / "venv"], pip):
                    subprocess.run(command, check=True, timeout=900, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            stamp.write_text(wanted)
    return CACHE / "venv/bin"


class Service:
    """``with Service(directory) as ironic``; ``auth``: noauth or http_basic."""

    def __init__(self, directory: Path, auth: str = "noauth") -> None:
        self.run, self.auth = directory, auth
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        #: What Ironic offers to machines that boot, and what they have fetched: paths, in order.
        self.files = _Files(directory / "http")

    def __enter__(self) -> Service:
        import bcrypt

        programs = install()
        for name in ("tmp", "http", "tftp", "images"):
            (self.run / name).mkdir(parents=True)
        hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4, b"2a")).decode().replace("$2a$", "$2y$")
        (self.run / "users").write_text(f"{USER}:{hashed}\n")
        config = self.run / "ironic.conf"
        words = {"run": self.run, "auth": self.auth, "port": self.port, "http": self.files.port, "gateway": GATEWAY}
        config.write_text(CONFIG.format(**words))
        environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
        with (self.run / "out.log").open("wb") as log:
            more: Json = {"env": environment, "stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            made = [programs / "ironic-dbsync", "--config-file", config, "create_schema"]
            subprocess.run(made, check=True, timeout=120, **more)
            command = [programs / "ironic", "--config-file", config]
            self.process = subprocess.Popen(command, start_new_session=True, **more)
        try:
            bmc.wait(self._answers, 60)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.files.close()

    def _answers(self) -> bool:
        assert self.process is not None and self.process.poll() is None, (self.run / "out.log").read_text()[-3000:]
        with contextlib.suppress(requests.ConnectionError):
            # The conductor is there, too.
            return bool(requests.get(f"{self.url}/v1/drivers", auth=self._account(), timeout=5).json().get("drivers"))
        return False

    def _account(self) -> tuple[str, str] | None:
        return (USER, PASSWORD) if self.auth == "http_basic" else None

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """As somebody else. Raises for a refusal."""
        answer = requests.request(
            method, f"{self.url}/v1{path}", json=body, timeout=60, auth=self._account(),
            headers={"X-OpenStack-Ironic-API-Version": "1.81", "Accept": "application/json"},
        )  # fmt: skip
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def node(self, mac: str = MAC) -> Json:
        """The one node with this MAC."""
        (port,) = self.call("GET", f"/ports?address={mac}&fields=node_uuid")["ports"]
        return dict(self.call("GET", f"/nodes/{port['node_uuid']}"))

    def nodes(self) -> list[Json]:
        return list(self.call("GET", "/nodes?detail=true")["nodes"])

    def patch(self, node: Json, **fields: Any) -> None:
        body = [{"op": "add", "path": f"/{key}", "value": value} for key, value in fields.items()]
        self.call("PATCH", f"/nodes/{node['uuid']}", body)

    def bring(self, node: Json, target: str, state: str) -> None:
        """As another operator, until it is in this state."""
        self.call("PUT", f"/nodes/{node['uuid']}/states/provision", {"target": target})
        bmc.wait(lambda: self.call("GET", f"/nodes/{node['uuid']}")["provision_state"] == state)

    def wipe(self) -> None:
        """Remove all nodes."""
        for node in self.nodes():
            path = f"/nodes/{node['uuid']}"
            bmc.wait(lambda path=path: self.call("GET", path)["reservation"] is None)
            if not node["maintenance"]:
                self.call("PUT", f"{path}/maintenance", {"reason": "test"})
            self.call("DELETE", path)

    def driver(self, **options: Any) -> Ironic:
        """One that remembers nothing, as of a new process of ours."""
        given: Json = {name: option.default for name, option in Ironic.OPTIONS.items()}
        if self.auth == "http_basic":
            given |= {"auth": "http_basic", "username": USER, "password": Secret(PASSWORD)}
        return Ironic({**given, "endpoint": self.url, **options})


class _Files(ThreadingHTTPServer):
    """Serves a directory to machines that boot."""

    daemon_threads = True

    def __init__(self, directory: Path) -> None:
        self.fetched: list[str] = []
        handler = functools.partial(_Handler, directory=str(directory))
        super().__init__(("127.0.0.1", 0), handler)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(SimpleHTTPRequestHandler):
    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        if int(code) == 200 and self.command == "GET":
            self.server.fetched.append(self.path)  # type: ignore[attr-defined]

    def log_message(self, *_: Any) -> None:
        pass


def host(port: int | None = None, mac: str = MAC, name: str = HOST, password: str = bmc.PASSWORD) -> Host:
    """As the inventory has it; with a real BMC at ``port`` of the loopback."""
    if port is None:
        return Host(name, (mac,), Driver("none"), source=True)
    said: Json = {"address": "127.0.0.1", "port": port, "username": bmc.USER, "password": Secret(password)}
    filled = {key: said.get(key, option.default) for key, option in Ipmi.OPTIONS.items()}
    return Host(name, (mac,), Driver("ipmi", filled), source=True)


def discover(ironic: Ironic, one: Host, seconds: float = 60) -> str:
    """As who reassigns does: until it is discovered."""
    found: list[str | None] = [None]

    def look() -> bool:
        found[0] = ironic.discovered(one, 0)
        return found[0] is not None

    bmc.wait(look, seconds)
    return str(found[0])


def follow(ironic: Ironic, one: Host, node: str, seconds: float = 60) -> Progress:
    """To its end."""
    seen: list[Progress] = []

    def ended() -> bool:
        seen.append(ironic.progress(one, node))
        return seen[-1].state in ("done", "failed")

    bmc.wait(ended, seconds)
    return seen[-1]


def _free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])
