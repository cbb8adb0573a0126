"""HTTP/1.1 for an embedded cloud: connections stay open, as those of real services do."""

from __future__ import annotations

import io
import sys
import traceback
from collections.abc import Iterable
from typing import Any

from werkzeug.serving import WSGIRequestHandler

#: So much of a request that nobody read is read for the next one's sake; of more, the connection is closed.
LEFT = 64 << 20


class Handler(WSGIRequestHandler):
    """One connection: request after request."""

    protocol_version = "HTTP/1.1"
    #: Answers go out at once: they are small, and clients wait for them.
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: Any) -> None:
        """Silent: what was asked for is counted elsewhere."""

    def run_wsgi(self) -> None:
        """Answer one request."""
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        environ = self.make_environ()
        if not environ.get("wsgi.input_terminated"):
            environ["wsgi.input"] = io.BufferedReader(_Body(self.rfile, int(environ.get("CONTENT_LENGTH") or 0)))
            environ["wsgi.input_terminated"] = True
        given = environ["wsgi.input"]
        answer = _Answer(self)
        try:
            chunks = self.server.app(environ, answer.start)
            try:
                answer.send(chunks)
            finally:
                if hasattr(chunks, "close"):
                    chunks.close()
            self._drain(given)
        except (OSError, ValueError) as error:
            self.close_connection = True
            self.connection_dropped(error, environ)
        except Exception:
            # An application that handles its errors does not come here.
            self.close_connection = True
            traceback.print_exc(file=sys.stderr)

    def _drain(self, given: Any) -> None:
        """Read what the application has left of the request."""
        left = LEFT
        while left > 0 and (data := given.read(min(left, 1 << 20))):
            left -= len(data)
        if left <= 0:
            self.close_connection = True


class _Body(io.RawIOBase):
    """So many bytes of a connection."""

    def __init__(self, stream: Any, length: int) -> None:
        self._stream, self._left = stream, length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read1(min(len(buffer), self._left)) if self._left else b""
        if self._left and not data:
            raise ConnectionError("the request ended early")
        buffer[: len(data)] = data
        self._left -= len(data)
        return len(data)


class _Answer:
    """What goes back: with its length, or in chunks."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._status, self._headers = "", list[tuple[str, str]]()
        self._chunked = self._begun = False

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """WSGI's start_response."""
        self._status, self._headers = status, headers
        return self._write

    def send(self, chunks: Iterable[bytes]) -> None:
        """All of it."""
        for chunk in chunks:
            self._write(chunk)
        if not self._begun:
            self._begin()
        if self._chunked:
            self._handler.wfile.write(b"0\r\n\r\n")

    def _begin(self) -> None:
        handler, self._begun = self._handler, True
        code, _, phrase = self._status.partition(" ")
        handler.send_response(int(code), phrase)
        names = {name.lower() for name, _ in self._headers}
        empty = handler.command == "HEAD" or code in ("204", "304")
        self._chunked = not empty and "content-length" not in names
        for name, value in self._headers:
            handler.send_header(name, value)
        if self._chunked:
            handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()

    def _write(self, chunk: bytes) -> None:
        if not self._begun:
            self._begin()
        if not chunk:
            return
        self._handler.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if self._chunked else chunk)
