"""A MariaDB of a test's own, for Pumphouse's state: one that can be restarted in the middle of a migration."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path


class StateDatabase:
    """One server on the loopback, with an empty database ``pumphouse``."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        # Each server that starts removes the temporary tables that it finds in its place for them.
        (directory / "tmp").mkdir()
        options = ["--no-defaults", "--user=root", f"--datadir={directory}/data", f"--tmpdir={directory}/tmp"]
        install = ["mariadb-install-db", *options, "--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run(install, check=True, capture_output=True)
        self._command = [
            "/usr/sbin/mariadbd",
            *options,
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            f"--socket={directory}/socket",
        ]
        self.start()
        self._client(
            "CREATE DATABASE pumphouse; CREATE USER ph@'127.0.0.1'; GRANT ALL ON pumphouse.* TO ph@'127.0.0.1'"
        )

    @property
    def url(self) -> str:
        """For ``database`` in the configuration."""
        return f"mysql+pymysql://ph@127.0.0.1:{self.port}/pumphouse"

    def start(self) -> None:
        """It answers when this returns."""
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while self._client("SELECT 1", check=False):
            if time.monotonic() > deadline:
                raise AssertionError((self.directory / "log").read_text()[-2000:])
            time.sleep(0.2)

    def stop(self) -> None:
        """As ``systemctl stop`` does."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def _client(self, statement: str, check: bool = True) -> int:
        command = ["mariadb", "--no-defaults", "-uroot", f"--socket={self.directory}/socket", "-e", statement]
        return subprocess.run(command, check=check, capture_output=True).returncode
