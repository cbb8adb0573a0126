"""The service of ``pumphouse demo``: its page on the two clouds, and a log-in for it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..config import ApiConfig, load
from ..errors import PumphouseError
from ..store import Store, access

#: Seconds until it must answer, and that it is given to end.
BEGINS, ENDS = 60, 20


@dataclasses.dataclass(frozen=True)
class Page:
    """Where it is, and what is typed into its log-in."""

    url: str
    token: str


@contextlib.contextmanager
def open_page(config: Path, environment: Mapping[str, str], log: Path) -> Iterator[Page]:
    """Run the service of a configuration until the block ends. Raises PumphouseError when it does not begin."""
    port = free_port()
    with Store.open(load(str(config)).database) as store:
        _, token = access.create_token(store, "demo", "admin")
    command = [sys.executable, "-m", "pumphouse.cli.api", "--config", str(config), "serve", "--port", str(port)]
    with log.open("ab") as said:
        process = subprocess.Popen(  # noqa: S603 (our own service)
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            # Ctrl-C is for us: the service ends when we end it.
            start_new_session=True,
        )
    page = Page(f"http://127.0.0.1:{port}/", token)
    try:
        _wait(page, process, log)
        yield page
    finally:
        process.terminate()
        try:
            process.wait(ENDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """The usual one, or any that is free."""
    for port in (ApiConfig.port, 0):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)) as probe:
            return int(probe.getsockname()[1])
    raise PumphouseError("no port is free on the loopback")


def _wait(page: Page, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + BEGINS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{page.url}healthz", timeout=5):  # noqa: S310
            return
        time.sleep(0.1)
    told = log.read_text(errors="replace").strip().splitlines()
    raise PumphouseError(f"the service did not begin: {told[-1] if told else 'it says nothing'}")
