"""A small OpenStack on a real socket: Keystone's tokens and catalogue, and answers that a test lays out."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import yaml

from pumphouse.clouds.cloud import Cloud
from pumphouse.config import CloudConfig

#: Status, body, headers; or a function of the request that gives them.
Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]]

USER, PROJECT = "a" * 32, "b" * 32

#: The path of each service below the server.
SERVICES = {
    "identity": "/v3",
    "image": "/image",
    "compute": "/compute/v2.1",
    "network": "/network",
    "volumev3": f"/volume/v3/{PROJECT}",
    "placement": "/placement",
}


class Request:
    """What came in."""

    def __init__(self, method: str, path: str, query: str, headers: Any, body: bytes) -> None:
        self.method, self.path, self.query, self.headers = method, path, query, headers
        self.json = json.loads(body) if body and headers.get("Content-Type") == "application/json" else None


class CloudServer:
    """Answers; counts what it was asked."""

    def __init__(self, certificate: tuple[str, str] | None = None) -> None:
        """``certificate``: files of a certificate and its key, to speak TLS."""
        self.requests: list[Request] = []
        #: Answers by method and path; of several, each is given once and the last for ever.
        self.answers: dict[tuple[str, str], list[Answer | Callable[[Request], Answer]]] = defaultdict(list)
        self.tokens = 0
        self.good_tokens: set[str] = set()
        self.extra_token: dict[str, Any] = {}
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                path, _, query = self.path.partition("?")
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = Request(self.command, path, query, self.headers, body)
                answer = server.answer(request)
                if answer is None:
                    # No answer at all: the connection is lost.
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                status, content, *more = answer
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                for name, value in (more[0] if more else {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = handle_one  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()
        self._usual()

    def _usual(self) -> None:
        self.on("GET", "/v3", (200, {"version": self.version("v3.14", "/v3")}))
        self.on("POST", "/v3/auth/tokens", self.token)
        self.on("GET", "/compute/v2.1", (200, {"version": self.version("v2.1", "/compute/v2.1", "2.1", "2.93")}))
        self.on("GET", "/image", (300, {"versions": [self.version("v2.15", "/image/v2")]}))
        self.on("GET", "/network", (200, {"versions": [self.version("v2.0", "/network/v2.0")]}))
        self.on("GET", "/volume/v3", (200, {"versions": [self.version("v3.0", "/volume/v3", "3.0", "3.70")]}))
        self.on("GET", "/placement", (200, {"versions": [self.version("v1.0", "", "1.0", "1.39")]}))

    def version(self, id_: str, path: str, least: str = "", most: str = "") -> dict[str, Any]:
        links = [{"rel": "self", "href": f"{self.url}{path}/"}]
        return {"id": id_, "status": "CURRENT", "links": links, "min_version": least, "version": most}

    def on(self, method: str, path: str, *answers: Any) -> None:
        """From now on these are the answers."""
        self.answers[method, path] = list(answers)

    def answer(self, request: Request) -> Answer | None:
        with self._lock:
            self.requests.append(request)
            token = request.headers.get("X-Auth-Token")
            if token and token not in self.good_tokens:
                return 401, {"error": {"code": 401, "message": "token"}}
            choices = self.answers.get((request.method, request.path.rstrip("/") or "/"))
            if not choices:
                return 404, {"error": {"code": 404, "message": f"no {request.path}"}}
            chosen = choices.pop(0) if len(choices) > 1 else choices[0]
        return chosen(request) if callable(chosen) else chosen

    def token(self, request: Request) -> Answer:
        auth = request.json["auth"]
        self.tokens += 1
        name = f"token-{self.tokens}"
        self.good_tokens.add(name)
        catalog = [
            {
                "type": type_,
                "id": type_,
                "name": type_,
                "endpoints": [
                    {"id": "e", "interface": "public", "region": "R1", "region_id": "R1", "url": self.url + path}
                ],
            }
            for type_, path in SERVICES.items()
        ]
        project = auth.get("scope", {}).get("project", {}).get("id", PROJECT)
        token = {
            "methods": ["password"],
            "user": {"id": USER, "name": "admin", "domain": {"id": "default", "name": "Default"}},
            "project": {"id": project, "name": "admin", "domain": {"id": "default", "name": "Default"}},
            "roles": [{"id": "r1", "name": "admin"}],
            "catalog": catalog,
            "issued_at": "2026-01-01T00:00:00.000000Z",
            "expires_at": "2100-01-01T00:00:00.000000Z",
        }
        return 201, {"token": token | self.extra_token}, {"X-Subject-Token": name}

    def count(self) -> Counter[tuple[str, str]]:
        """How often each thing was asked."""
        return Counter((request.method, request.path) for request in self.requests)

    def last(self, method: str, path: str) -> Request:
        return [r for r in self.requests if (r.method, r.path) == (method, path)][-1]

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()


def entry(url: str, **auth: Any) -> dict[str, Any]:
    """An entry of clouds.yaml with a password."""
    return {
        "auth": {
            "auth_url": f"{url}/v3",
            "username": "admin",
            "password": "entry-secret",
            "project_name": "admin",
            "user_domain_name": "Default",
            "project_domain_name": "Default",
            **auth,
        },
        "region_name": "R1",
    }


def write_clouds(path: Any, monkeypatch: Any, **entries: Any) -> None:
    """A clouds.yaml that is found, and no other."""
    file = path / "clouds.yaml"
    file.write_text(yaml.safe_dump({"clouds": entries}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(file))
    monkeypatch.setenv("OS_CLIENT_SECURE_FILE", str(path / "secure.yaml"))


def open_cloud(name: str = "old", role: str = "source", database: str | None = None) -> Cloud:
    return Cloud.open(role, CloudConfig(name, database))
