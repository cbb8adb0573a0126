"""A MariaDB for our own state, which can go away and come back."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path


class StateDatabase:
    """Below a directory, on a free port of the loopback."""

    def __init__(self, directory: Path) -> None:
        """It runs, with an empty database."""
        # Its server's user must be able to look into it.
        self.directory = directory / "state"
        self.directory.mkdir(mode=0o755)
        (self.directory / "tmp").mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"mysql+pymysql://root@127.0.0.1:{self.port}/pumphouse"
        self._data = f"--datadir={self.directory}/data"
        self._as = ["--no-defaults", self._data, f"--tmpdir={self.directory}/tmp", "--user=root"]
        subprocess.run(
            ["mariadb-install-db", *self._as, "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True,
            capture_output=True,
        )
        self.start()
        subprocess.run(
            ["mariadb", "--no-defaults", f"--socket={self.directory}/socket", "--user=root"],
            input="CREATE DATABASE pumphouse CHARACTER SET utf8mb4",
            text=True,
            check=True,
        )

    def start(self) -> None:
        """Returns once it answers."""
        log = (self.directory / "log").open("a")
        self._process = subprocess.Popen(
            [
                "mariadbd",
                *self._as,
                f"--port={self.port}",
                "--bind-address=127.0.0.1",
                f"--socket={self.directory}/socket",
                f"--pid-file={self.directory}/pid",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        log.close()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError((self.directory / "log").read_text())

    def stop(self) -> None:
        """Connections are cut off."""
        self._process.terminate()
        self._process.wait(timeout=60)
