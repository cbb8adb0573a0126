"""Embedded clouds as processes of their own, started and ended by who needs them."""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests
import yaml

#: What the environment of the process gives it the administrator's password by: no list of processes shows it.
PASSWORD = "PUMPHOUSE_EMBEDDED_PASSWORD"  # noqa: S105 (a name)


class StartError(Exception):
    """The process did not come up."""


class CloudProcess:
    """One embedded cloud. It ends with its last user: when ``stop`` is called, or this process dies."""

    def __init__(self, name: str, release: str, directory: Path, port: int = 0) -> None:
        """``directory`` becomes its own; ``port`` 0: any that is free. Nothing is started before ``start``."""
        self.name, self.release, self.directory, self.port = name, release, directory, port
        self.password = secrets.token_urlsafe(12)
        #: Of the HTTP server, of Keystone, and of Keystone's database (SQLAlchemy's).
        self.url = self.auth_url = self.database = ""
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> Self:
        """Start it and wait until it listens. Raises StartError with its last words."""
        self.directory.mkdir(parents=True, exist_ok=True)
        errors = self.directory / "errors.log"
        with errors.open("w") as log:
            self._process = subprocess.Popen(  # noqa: S603 (our own program)
                [sys.executable, "-m", *self._module(), "--directory", str(self.directory), "--port", str(self.port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, PASSWORD: self.password},
                # Ctrl-C is for who uses it: it ends when they are done.
                start_new_session=True,
            )
        assert self._process.stdout is not None  # noqa: S101 (for mypy)
        line = self._process.stdout.readline()
        if not line:
            self.stop()
            raise StartError(f"the embedded cloud {self.name} did not start: {errors.read_text()[-2000:]}")
        self._described(json.loads(line))
        return self

    def _module(self) -> list[str]:
        """The module that is run, and what makes it this one."""
        return ["pumphouse.embedded", "serve", "--name", self.name, "--release", self.release]

    def _described(self, described: dict[str, str]) -> None:
        """Keep what it says of itself when it listens."""
        self.url, self.auth_url, self.database = described["url"], described["auth_url"], described["database"]

    def stop(self) -> None:
        """End it; its directory stays."""
        if self._process is None:
            return
        process, self._process = self._process, None
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        """Started."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stopped."""
        self.stop()

    def clouds_entry(self) -> dict[str, Any]:
        """Its entry for clouds.yaml, of the administrator."""
        return entry(self.auth_url, self.password)

    def control(self, method: str, path: str, json: Any = None) -> Any:
        """Ask ``/_control``: "POST", "faults", [...]. Gives what it answers."""
        answer = requests.request(method, f"{self.url}/_control/{path}", json=json, timeout=60)
        answer.raise_for_status()
        return answer.json()


@dataclasses.dataclass
class Pair:
    """A source and a destination, and the files that tell Pumphouse of them."""

    source: CloudProcess
    destination: CloudProcess
    clouds_file: Path
    config: Path

    def stop(self) -> None:
        """End both."""
        self.source.stop()
        self.destination.stop()

    def __enter__(self) -> Pair:
        """They run."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stopped."""
        self.stop()


def start_pair(directory: Path, source: str = "zed", destination: str = "2026.1") -> Pair:
    """Start the clouds ``src`` and ``dst`` of these releases, and write clouds.yaml and pumphouse.yaml beside them."""
    clouds = [CloudProcess("src", source, directory / "src"), CloudProcess("dst", destination, directory / "dst")]
    try:
        for cloud in clouds:
            cloud.start()
    except BaseException:
        for cloud in clouds:
            cloud.stop()
        raise
    here, there = clouds
    entries = {cloud.name: cloud.clouds_entry() for cloud in clouds}
    clouds_file = write_private(directory / "clouds.yaml", {"clouds": entries})
    sides = {
        "source": {"cloud": "src", "identity_database": here.database},
        "destination": {"cloud": "dst", "identity_database": there.database},
    }
    database = f"sqlite:///{(directory / 'pumphouse.sqlite').resolve()}"
    config = write_private(directory / "pumphouse.yaml", {"clouds": sides, "database": database})
    return Pair(here, there, clouds_file, config)


def entry(auth_url: str, password: str) -> dict[str, Any]:
    """An administrator's entry for clouds.yaml."""
    who = {"username": "admin", "user_domain_name": "Default", "password": password}
    where = {"project_name": "admin", "project_domain_name": "Default"}
    return {
        "auth": {"auth_url": auth_url, **who, **where},
        "region_name": "RegionOne",
        "identity_api_version": "3",
    }


def write_private(path: Path, content: Mapping[str, Any]) -> Path:
    """Write YAML into a file that only its owner can read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        yaml.safe_dump(dict(content), stream, sort_keys=False)
    return path
