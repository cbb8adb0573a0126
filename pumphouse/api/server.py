"""The service as processes: gunicorn's, which answer, and an engine beside them, which ends with them."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import queue
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from ..clouds import calls
from ..errors import UsageError
from .beside import Engine

if TYPE_CHECKING:
    from ..config import Config
    from .services import Services

LOG = logging.getLogger(__name__)

#: Seconds that a process may not say that it lives, and that a connection is kept for the next request.
SILENT, KEPT = 60, 5
#: Connections that wait to be accepted.
BACKLOG = 512


def listen(host: str, port: int) -> socket.socket:
    """The socket that requests come to; ``port`` 0: any that is free. Raises UsageError when it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
        # Gunicorn asks for this only of sockets that it makes itself; accepted ones inherit it. Without it, answers on
        # a kept connection wait for the client's delayed acknowledgement: 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except (OSError, OverflowError) as error:
        number = error.errno if isinstance(error, OSError) else None
        # Names that cannot be resolved have negative ones, and words of their own.
        reason = os.strerror(number) if number and number > 0 else str(error)
        raise UsageError(
            f"{host} port {port} cannot be listened at: {reason.lower()}; name another with --host and --port"
        ) from None


def url_of(listener: socket.socket) -> str:
    """What to type into a browser."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def is_loopback(listener: socket.socket) -> bool:
    """Whether only this machine can reach it."""
    return ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


@contextlib.contextmanager
def counting_together() -> Iterator[None]:
    """Have all processes that are begun within this count as one what they answer and ask the clouds.

    Prometheus' library looks for it once, when somebody imports it: to be entered before anything else is done.
    """
    directory = os.environ[calls.SHARED] = tempfile.mkdtemp(prefix="pumphouse-metrics-")
    parent = os.getpid()
    try:
        yield
    finally:
        # A process that was forked within this comes by here, too, when it ends.
        if os.getpid() == parent:
            del os.environ[calls.SHARED]
            shutil.rmtree(directory, ignore_errors=True)


def serve(config: Config, listener: socket.socket, engine: bool = True) -> int:
    """Answer until SIGTERM or SIGINT comes; ``engine``: with one beside. Returns the exit code.

    Nothing may be open yet that cannot be shared over a fork, but for the listener.
    """
    parent = os.getpid()
    try:
        Master(Server(config, listener), Engine(config) if engine else None).run()
    except SystemExit as end:
        if os.getpid() != parent:
            raise
        return int(end.code or 0)
    return 0


class Server(BaseApplication):
    """What gunicorn runs."""

    def __init__(self, config: Config, listener: socket.socket) -> None:
        """``listener``: see :func:`listen`."""
        self.config = config
        self.listener = listener
        #: In a process that answers: its own.
        self.services: Services | None = None
        super().__init__()

    def load_config(self) -> None:
        """Settings of gunicorn."""
        api = self.config.api
        for name, value in {
            "bind": f"fd://{self.listener.fileno()}",
            "workers": api.workers,
            "threads": api.threads,
            "worker_class": Worker,
            "worker_connections": max(1000, 2 * api.threads),
            "graceful_timeout": max(1, round(api.shutdown_seconds)),
            "timeout": SILENT,
            "keepalive": KEPT,
            # Names of units are in paths, and may be long.
            "limit_request_line": 8190,
            # Who is believed about where a request comes from is our configuration's word, not gunicorn's.
            "forwarded_allow_ips": "",
            "secure_scheme_headers": {},
            "forwarder_headers": "",
            "logger_class": Log,
            "control_socket_disable": True,
            "proc_name": "pumphouse-api",
            "worker_exit": _ended,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The WSGI application of a process that answers; nothing of it comes from before the fork."""
        from .app import create_app
        from .services import Services

        self.services = Services.open(self.config)
        self.services.clouds.warm()
        return create_app(self.services)


def _ended(_server: Any, worker: Any) -> None:
    services, worker.app.services = worker.app.services, None
    if services is not None:
        services.close()


class Worker(ThreadWorker):
    """A process that answers. Event streams never end by themselves: they are ended first, so that it can."""

    def handle_exit(self, sig: int, frame: Any) -> None:
        """It is asked to end."""
        self._end_streams()
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """It is asked to end at once."""
        self._end_streams()
        super().handle_quit(sig, frame)

    def is_parent_alive(self) -> bool:
        """Whether its parent is; else it ends."""
        alive = bool(super().is_parent_alive())
        if not alive:
            self._end_streams()
        return alive

    def _end_streams(self) -> None:
        # In a thread, as this may be within a signal's handler, which must not wait for a lock.
        if (services := self.app.services) is not None:
            threading.Thread(target=services.stream.close, name="end-streams", daemon=True).start()


class Master(Arbiter):
    """The parent of all: gunicorn's, and the engine's."""

    def __init__(self, app: Server, engine: Engine | None) -> None:
        """``engine``: what runs beside, if anything."""
        self._engine = engine
        self._patience = app.config.api.shutdown_seconds
        super().__init__(app)
        self.cfg.set("post_fork", self._forked)

    def _forked(self, _master: Arbiter, _worker: ThreadWorker) -> None:
        if self._engine is not None:
            self._engine.disown()

    def manage_workers(self) -> None:
        """Looks after the children; called once a second, and when one has ended."""
        super().manage_workers()
        if self._engine is not None:
            self._engine.look()

    def handle_int(self) -> None:
        """Ctrl-C is as SIGTERM; when it comes again, nothing is waited for."""
        self.handle_term()

    def stop(self, graceful: bool = True) -> None:
        """End the children: what runs in the engine may go on for a while."""
        # The engine needs a moment beyond what it gives others.
        deadline = time.monotonic() + self._patience + 5
        if self._engine is not None:
            self._engine.end()
        LOG.info("ending; what runs may go on for up to %.0f seconds", self._patience)
        super().stop(graceful)
        if self._engine is not None:
            self._wait(self._engine, deadline)

    def _wait(self, engine: Engine, deadline: float) -> None:
        while engine.alive and time.monotonic() < deadline:
            with contextlib.suppress(queue.Empty):
                if self.SIG_QUEUE.get(timeout=0.1) in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
                    break
        engine.kill()


class Log(Logger):
    """Gunicorn's words, among ours."""

    def setup(self, cfg: Any) -> None:
        """Have them go where ours go."""
        super().setup(cfg)
        self.error_log.handlers = []
        self.error_log.propagate = True
        # What it says of its own course is of use to nobody but who looks for a fault.
        self.error_log.setLevel(logging.DEBUG if LOG.isEnabledFor(logging.DEBUG) else logging.WARNING)
