"""Pumphouse as its users have it: a command line."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


@dataclasses.dataclass
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def said(self) -> str:
        """Its last words, on both channels."""
        return f"exit {self.code} after {self.seconds:.0f} s\n{self.out[-3000:]}\n{self.err[-5000:]}"

    def json(self) -> Any:
        """What it printed for programs."""
        try:
            return json.loads(self.out)
        except ValueError:
            raise AssertionError(f"no JSON on standard output: {self.said}") from None


class Pumphouse:
    """The command with a configuration and a database of its own."""

    def __init__(self, folder: Path, clouds_file: str, databases: dict[str, str]) -> None:
        self.folder, self.clouds_file = folder, clouds_file
        self.database = folder / "pumphouse.sqlite"
        self.config = folder / "pumphouse.yaml"
        clouds = {
            "source": {"cloud": "src", "identity_database": databases["source"]},
            "destination": {"cloud": "dst", "identity_database": databases["destination"]},
        }
        # JSON is YAML
        self.config.write_text(json.dumps({"clouds": clouds, "database": f"sqlite:///{self.database}"}))

    def run(self, *arguments: str, config: Path | None = None, seconds: float = 1500) -> Done:
        """Run it to its end, without a terminal."""
        near = Path(sys.executable).with_name("pumphouse")
        program = str(near) if near.exists() else shutil.which("pumphouse")
        assert program, "the command pumphouse is not installed: pip install ."
        hidden = ("PUMPHOUSE_", "OS_")
        environment = {key: value for key, value in os.environ.items() if not key.startswith(hidden)}
        environment |= {"OS_CLIENT_CONFIG_FILE": self.clouds_file, "PYTHONUTF8": "1", "COLUMNS": "200"}
        began = time.monotonic()
        done = subprocess.run(
            [program, "--config", str(config or self.config), *arguments],
            env=environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - began)
