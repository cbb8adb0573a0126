"""Faults on demand: what shall go wrong, at which requests, how often.

A fault is a dict, sent to ``POST /_control/faults``:

| key | meaning |
|---|---|
| kind | one of KINDS |
| method, path | regular expressions that the request's method and path must match in full (default: any) |
| after | so many matching requests pass first (default 0) |
| count | how many times it strikes (default 1) |
| status, message | of ``status`` |
| at | bytes: of ``reset``, ``truncate``: so many of the answer (``where: answer``) or the request come through |
| where | ``answer`` (default) or ``request`` |
| seconds | of ``slow`` and ``stall`` |
| type | of ``fails``: the type of resource that goes into its error state when it next changes by itself |
"""

from __future__ import annotations

import dataclasses
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

#: kind -> what it does.
KINDS = {
    "status": "the service answers with an error status and does nothing",
    "reset": "the connection is reset after some bytes",
    "truncate": "the answer ends early, its length says otherwise",
    "corrupt": "a byte of the answer (of the request, before the service sees it) is another",
    "stall": "nothing comes for so many seconds, then the connection is closed",
    "slow": "the answer is late",
    "revoke": "the token of the request is not valid any more",
    "lost": "the call takes effect, and the connection is reset before the answer",
    "fails": "a resource goes into its error state",
}


@dataclasses.dataclass
class Fault:
    """One entry, and how often it has struck."""

    kind: str
    method: str = ".*"
    path: str = ".*"
    after: int = 0
    count: int = 1
    status: int = 503
    message: str = "The service is unavailable (a fault that was asked for)"
    at: int = 0
    where: str = "answer"
    seconds: float = 0
    type: str = ""
    #: So many matching requests have been seen.
    seen: int = 0
    struck: int = 0

    def strikes(self) -> bool:
        """Count one matching request; whether it is hit."""
        self.seen += 1
        if self.seen <= self.after or self.struck >= self.count:
            return False
        self.struck += 1
        return True


class Faults:
    """All that shall go wrong. Threads may share it."""

    def __init__(self) -> None:
        """None yet."""
        self._lock = threading.Lock()
        self.entries: list[Fault] = []

    def add(self, **fields: Any) -> None:
        """Raises ValueError for an unknown kind or key."""
        if fields.get("kind") not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}, not {fields.get('kind')!r}")
        try:
            fault = Fault(**fields)
        except TypeError as error:
            raise ValueError(str(error)) from None
        with self._lock:
            self.entries.append(fault)

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self.entries = []

    def of(self, method: str, path: str) -> Fault | None:
        """What hits a request."""
        with self._lock:
            for fault in self.entries:
                if fault.kind == "fails":
                    continue
                if re.fullmatch(fault.method, method) and re.fullmatch(fault.path, path) and fault.strikes():
                    return fault
        return None

    def fails(self, type_: str) -> bool:
        """Whether a resource of this type shall go into its error state now: asked once for each change."""
        with self._lock:
            return any(fault.strikes() for fault in self.entries if fault.kind == "fails" and fault.type == type_)


def reset(connection: socket.socket) -> None:
    """End a connection with RST, as a crashed peer or a firewall does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


Start = Callable[..., Any]


class FaultyApp:
    """WSGI around an application: lets faults strike."""

    def __init__(self, app: Callable[..., Iterable[bytes]], faults: Faults, revoke: Callable[[str], None]) -> None:
        """``revoke``: makes a token invalid."""
        self.app, self.faults, self.revoke = app, faults, revoke

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Answer one request, or not."""
        path = environ["PATH_INFO"]
        fault = None if path.startswith("/_control/") else self.faults.of(environ["REQUEST_METHOD"], path)
        if fault is None:
            return self.app(environ, start)
        connection = environ["werkzeug.socket"]
        if fault.kind == "slow":
            time.sleep(fault.seconds)
        elif fault.kind == "revoke":
            self.revoke(environ.get("HTTP_X_AUTH_TOKEN", ""))
        elif fault.kind == "status":
            environ["pumphouse.refuse"] = (fault.status, fault.message)
        elif fault.kind == "stall":
            time.sleep(fault.seconds)
            return self._cut(connection)
        elif fault.kind == "reset" and fault.where == "request":
            environ["wsgi.input"].read(fault.at)
            return self._cut(connection)
        elif fault.kind == "corrupt" and fault.where == "request":
            environ["wsgi.input"] = _Spoiled(environ["wsgi.input"], fault.at)
        elif fault.kind == "lost":
            for _ in self.app(environ, lambda *_: None):
                pass
            return self._cut(connection)
        if fault.where == "request" or fault.kind not in ("reset", "truncate", "corrupt"):
            return self.app(environ, start)
        return self._spoil(self.app(environ, start), fault, connection)

    def _cut(self, connection: socket.socket) -> Iterable[bytes]:
        reset(connection)
        raise ConnectionResetError("a fault that was asked for")

    def _spoil(self, chunks: Iterable[bytes], fault: Fault, connection: socket.socket) -> Iterator[bytes]:
        passed = 0
        for chunk in chunks:
            here = fault.at - passed
            passed += len(chunk)
            if passed <= fault.at or here < 0:
                yield chunk
            elif fault.kind == "corrupt":
                yield chunk[:here] + bytes([chunk[here] ^ 1]) + chunk[here + 1 :]
            else:
                yield chunk[:here]
                if fault.kind == "reset":
                    self._cut(connection)
                connection.shutdown(socket.SHUT_WR)
                raise ConnectionResetError("a fault that was asked for")


class _Spoiled:
    """A request's body with one byte changed."""

    def __init__(self, stream: Any, at: int) -> None:
        self._stream, self._left = stream, at

    def read(self, size: int = -1) -> bytes:
        """Like the stream's."""
        return self._change(self._stream.read(size))

    def readline(self, size: int = -1) -> bytes:
        """Like the stream's."""
        return self._change(self._stream.readline(size))

    def _change(self, data: bytes) -> bytes:
        at, self._left = self._left, self._left - len(data)
        if 0 <= at < len(data):
            return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        return data
