"""Redfish services to switch: the emulator of sushy-tools, and a small one of our own with sessions and TLS."""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.functional.bmc import wait

USER, PASSWORD = "admin", "s3cret-of-redfish"
UUID = "27946b59-9e44-4fa7-8e91-f3527a1ef094"
SYSTEM = f"/redfish/v1/Systems/{UUID}"

needs_emulator = pytest.mark.skipif(
    importlib.util.find_spec("sushy_tools") is None,
    reason="LEFT OUT: Redfish is tried with the emulator of sushy-tools (pip install sushy-tools)",
)


@contextlib.contextmanager
def emulator(directory: Path, mac: str) -> Iterator[str]:
    """The URL of sushy-tools' emulator with one system, which is off."""
    import bcrypt

    directory.mkdir()
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    (directory / "users").write_text(f"{USER}:{hashed}\n")
    port = _free_port()
    system = {"uuid": UUID, "name": "compute-1", "power_state": "Off", "external_notifier": False}
    settings = {
        "SUSHY_EMULATOR_LISTEN_IP": "127.0.0.1",
        "SUSHY_EMULATOR_LISTEN_PORT": port,
        "SUSHY_EMULATOR_AUTH_FILE": str(directory / "users"),
        "SUSHY_EMULATOR_STATE_DIR": str(directory),
        "SUSHY_EMULATOR_FAKE_DRIVER": True,
        "SUSHY_EMULATOR_FAKE_SYSTEMS": [{**system, "nics": [{"mac": mac, "ip": "10.0.0.1"}]}],
    }
    (directory / "settings.py").write_text("".join(f"{key} = {value!r}\n" for key, value in settings.items()))
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", "from sushy_tools.emulator.main import main; main()", "--fake",
             "--config", str(directory / "settings.py")],
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        wait(lambda: _answers(f"{url}/redfish/v1/"))
        yield url
    finally:
        process.kill()
        process.wait()


class Small:
    """A BMC with sessions, several systems, and faults: ``with Small({"1": mac}) as service``."""

    def __init__(self, systems: dict[str, str], certificate: tuple[Path, Path] | None = None) -> None:
        #: What it was told: method, path, body.
        self.told: list[tuple[str, str, Any]] = []
        self.states = dict.fromkeys(systems, "Off")
        self.macs = systems
        self.sessions: list[str] = []
        #: Seconds that it waits before each answer, if it answers at all.
        self.silent = threading.Event()
        self.resets = ["On", "ForceOff", "GracefulShutdown"]
        self.scheme = "https" if certificate else "http"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"

    def __enter__(self) -> Small:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.silent.clear()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, headers: Any, body: Any) -> tuple[int, Any, dict[str, str]]:
        """Status, body, headers."""
        path = path.rstrip("/")
        if path == "/redfish/v1":
            links = {"Systems": {"@odata.id": "/redfish/v1/Systems"}}
            sessions = {"Sessions": {"@odata.id": "/redfish/v1/SessionService/Sessions"}}
            service = {"SessionService": {"@odata.id": "/redfish/v1/SessionService"}}
            return (
                200,
                {"Id": "Root", "Name": "Root", "RedfishVersion": "1.6.0", "Links": sessions, **links, **service},
                {},
            )
        if path == "/redfish/v1/SessionService" and method == "GET":
            sessions = {"Sessions": {"@odata.id": f"{path}/Sessions"}}
            return (
                200,
                {"Id": "SessionService", "Name": "S", "ServiceEnabled": True, "SessionTimeout": 60, **sessions},
                {},
            )
        if path == "/redfish/v1/SessionService/Sessions" and method == "POST":
            if (body["UserName"], body["Password"]) != (USER, PASSWORD):
                return 401, {}, {}
            self.sessions.append("open")
            return 201, {"Id": "1", "Name": "1"}, {"X-Auth-Token": "the-token", "Location": f"{path}/1"}
        basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if headers.get("X-Auth-Token") != "the-token" and headers.get("Authorization") != basic:
            return 401, {}, {}
        return self._inside(method, path, body)

    def _inside(self, method: str, path: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        if method == "DELETE":
            self.sessions.append("closed")
            return 204, None, {}
        if path == "/redfish/v1/Systems":
            members = [{"@odata.id": f"{path}/{id_}"} for id_ in self.macs]
            return 200, {"Name": "Systems", "Members": members, "Members@odata.count": len(members)}, {}
        id_, _, rest = path.removeprefix("/redfish/v1/Systems/").partition("/")
        if id_ not in self.macs:
            return 404, {}, {}
        here = f"/redfish/v1/Systems/{id_}"
        if method != "GET":
            self.told.append((method, path, body))
            if rest == "Actions/ComputerSystem.Reset":
                self.states[id_] = "On" if "On" in body["ResetType"] else "Off"
            return 204, None, {}
        if rest == "EthernetInterfaces":
            return 200, {"Name": "E", "Members": [{"@odata.id": f"{here}/EthernetInterfaces/1"}]}, {}
        if rest:
            return 200, {"Id": "1", "Name": "1", "MACAddress": self.macs[id_].upper()}, {}
        reset = {"target": f"{here}/Actions/ComputerSystem.Reset", "ResetType@Redfish.AllowableValues": self.resets}
        boot = {"BootSourceOverrideTarget": "None", "BootSourceOverrideEnabled": "Disabled"}
        said = {"Id": id_, "Name": id_, "PowerState": self.states[id_], "Boot": boot, "UUID": UUID}
        interfaces = {"EthernetInterfaces": {"@odata.id": f"{here}/EthernetInterfaces"}}
        return 200, {**said, **interfaces, "Actions": {"#ComputerSystem.Reset": reset}}, {}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                if service.silent.is_set():
                    wait(lambda: not service.silent.is_set(), 60)
                status, said, headers = service.answer(self.command, self.path, self.headers, body)
                data = b"" if said is None else json.dumps(said).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Type": "application/json"}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_one  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def _answers(url: str) -> bool:
    with contextlib.suppress(requests.ConnectionError):
        return requests.get(url, timeout=5).ok
    return False


def _free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])
