"""A cloud with tokens and images over real HTTP, which can be told to fail in every way that networks do."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class ImageService(ThreadingHTTPServer):
    """Keystone's token call and Glance's image calls; see ``faults``."""

    daemon_threads = True

    def __init__(self, **image: Any) -> None:
        """``image``: fields of the records of new images; None takes a field away, as an older Glance has it."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.fields = image
        self.records: dict[str, dict[str, Any]] = {}
        self.data: dict[str, bytes] = {}
        #: Tokens that were given out, and those that are refused.
        self.tokens = 0
        self.refused: set[str] = set()
        #: "PUT" or "GET" of image data -> what happens to the next such requests; None: nothing special.
        self.faults: dict[str, list[Callable[[Handler], None] | None]] = {"PUT": [], "GET": []}
        #: "PUT /v2/images/x/file" and so on, as they came.
        self.log: list[str] = []
        #: Which hash new data gets.
        self.algorithm: str | None = "sha512"
        #: What becomes of data on its way into the store.
        self.spoil: Callable[[bytes], bytes] = bytes

    def __enter__(self) -> ImageService:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A lost connection is what many of the tests are about."""

    def clouds_yaml(self) -> dict[str, Any]:
        """An entry for clouds.yaml."""
        auth = {"auth_url": f"{self.url}/v3", "username": "u", "password": "p", "project_name": "p"}
        domains = {"user_domain_name": "Default", "project_domain_name": "Default"}
        return {"auth_type": "v3password", "auth": {**auth, **domains}, "region_name": "R"}

    def make(self, image_id: str, data: bytes | None = None, **fields: Any) -> str:
        """A queued image, or an active one with data."""
        record = {"id": image_id, "status": "queued", "size": None, "checksum": None}
        record |= {"os_hash_algo": None, "os_hash_value": None} if self.algorithm else {}
        self.records[image_id] = record
        if data is not None:
            self.store(image_id, data)
        record.update(fields)
        return image_id

    def store(self, image_id: str, data: bytes) -> None:
        """Data has come: the image becomes active."""
        data = self.spoil(data)
        self.data[image_id] = data
        record = self.records[image_id]
        record.update(status="active", size=len(data), checksum=hashlib.md5(data).hexdigest())
        if self.algorithm:
            record.update(os_hash_algo=self.algorithm, os_hash_value=hashlib.new(self.algorithm, data).hexdigest())

    def count(self, request: str) -> int:
        return sum(entry.startswith(request) for entry in self.log)


class Handler(BaseHTTPRequestHandler):
    server: ImageService
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        pass

    def answer(self, status: int, body: Any = None, **headers: str) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status: int, words: str) -> None:
        """An error as Glance words it."""
        title = f"{status} {self.responses[status][0]}"
        page = (
            f"<html>\n <head>\n  <title>{title}</title>\n </head>\n <body>\n  <h1>{title}</h1>\n  {words}<br /><br />\n"
        )
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=UTF-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page.encode())

    def hang_up(self) -> None:
        """No answer, no more bytes."""
        self.close_connection = True
        self.connection.shutdown(2)

    def body(self) -> Iterator[bytes]:
        """The request's body. An end that comes too early raises EOFError, as with a real server."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            yield self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return
        while line := self.rfile.readline():
            size = int(line, 16)
            chunk = self.rfile.read(size)
            if self.rfile.read(2) != b"\r\n":
                break
            if not size:
                return
            yield chunk
        raise EOFError

    def refused(self) -> bool:
        if self.headers.get("X-Auth-Token") in self.server.refused:
            self.answer(401, {"error": {"message": "The request you have made requires authentication."}})
            self.close_connection = True
            return True
        return False

    def fault(self, method: str) -> bool:
        faults = self.server.faults[method]
        happens = faults.pop(0) if faults else None
        if happens:
            happens(self)
        return happens is not None

    def do_GET(self) -> None:
        self.server.log.append(f"GET {self.path}")
        if self.refused():
            return
        image_id, _, what = self.path.removeprefix("/v2/images/").partition("/")
        if image_id not in self.server.records:
            self.refuse(404, "No image found")
        elif what != "file":
            self.answer(200, self.server.records[image_id])
        elif not self.fault("GET"):
            self.send_data(self.server.data[image_id])

    def send_data(self, data: bytes, length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)

    def do_PUT(self) -> None:
        self.server.log.append(f"PUT {self.path}")
        image_id = self.path.split("/")[3]
        if self.refused() or self.fault("PUT"):
            return
        self.receive(image_id)
        self.answer(204)

    def receive(self, image_id: str) -> None:
        """Take an upload in. One that breaks off leaves the image queued."""
        record = self.server.records[image_id]
        record["status"] = "saving"
        try:
            data = self.take()
        except (EOFError, OSError):
            record["status"] = "queued"
            raise
        self.server.store(image_id, data)

    def take(self) -> bytes:
        return b"".join(self.body())

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        self.server.log.append(f"POST {self.path}")
        if self.path == "/v3/auth/tokens":
            self.server.tokens += 1
            self.answer(201, self._token(), X_Subject_Token=f"token-{self.server.tokens}")
        elif self.path.endswith("/actions/deactivate"):
            self.server.records[self.path.split("/")[3]]["status"] = "deactivated"
            self.answer(204)

    def _token(self) -> dict[str, Any]:
        where = {"interface": "public", "region": "R", "region_id": "R", "url": self.server.url, "id": "e"}
        user = {"id": "u", "name": "u", "domain": {"id": "default", "name": "Default"}}
        times = {"issued_at": "2020-01-01T00:00:00.000000Z", "expires_at": "2999-01-01T00:00:00.000000Z"}
        services = [{"type": "image", "name": "glance", "id": "s", "endpoints": [where]}]
        project = {"id": "p", "name": "p", "domain": user["domain"]}
        return {"token": {**times, "methods": ["password"], "user": user, "project": project, "catalog": services}}


def stall(seconds: float) -> Callable[[Handler], None]:
    """Promise data, send some of it, then none for a while."""

    def happens(handler: Handler) -> None:
        handler.send_data(b"x" * 4096, length=1 << 24)
        handler.wfile.flush()
        time.sleep(seconds)
        handler.hang_up()

    return happens
