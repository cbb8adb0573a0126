"""``pumphouse demo`` as people use it: in one terminal, with what it tells to try in another."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

BIN = Path(sys.executable).parent
PATIENCE = 180


class Demo:
    """One that runs."""

    def __init__(self, directory: Path, *options: str) -> None:
        """``directory``: where all temporary files are."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "PUMPHOUSE_"))}
        # Not the environment's own: the path that it tells is needed.
        self.environment = {**plain, "TMPDIR": str(directory), "PYTHONUTF8": "1", "PATH": "/usr/bin:/bin"}
        self.process = subprocess.Popen(
            [BIN / "pumphouse", "demo", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            cwd=directory,
        )
        self.directory = directory
        self.told = ""

    def read(self) -> None:
        """All that it tells until it waits."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.told += line
            if line.startswith("Ctrl-C here"):
                return
        raise AssertionError(f"it ended: {self.told}")

    @property
    def exports(self) -> list[str]:
        """As told."""
        return re.findall(r"^  (export .*)$", self.told, re.MULTILINE)

    @property
    def commands(self) -> list[str]:
        """As told, without what they are for."""
        return re.findall(r"^  ((?:pumphouse|python) .*?) +# ", self.told, re.MULTILINE)

    def try_(self, command: str, more: str = "") -> str:
        """In another terminal; its output."""
        line = "; ".join([*self.exports, f"{command} {more}"])
        done = subprocess.run(
            line, shell=True, capture_output=True, text=True, env=self.environment, cwd=self.directory,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def end(self, number: int = signal.SIGINT) -> int:
        """Its exit code after a signal."""
        self.process.send_signal(number)
        self.process.communicate(timeout=60)
        return self.process.returncode

    def clouds(self) -> list[int]:
        """Its processes that still live."""
        mine = str(self.directory).encode()
        found = []
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = file.read_bytes().split(b"\0")
            except OSError:
                continue
            if any(word.startswith(b"pumphouse.") for word in words) and any(word.startswith(mine) for word in words):
                found.append(int(file.parent.name))
        return found


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """One that waits."""
    running = Demo(tmp_path)
    running.read()
    yield running
    running.process.kill()
    running.process.wait()


def test_what_it_tells_works(demo: Demo) -> None:
    """The commands that it names do what is said of them, and nothing is left of it in the end."""
    check, dry_run, migrate, resume, prove, report, verify, rollback = demo.commands
    address, token = re.findall(r"^  (http://\S+/)\n  log in with  (\S+)$", demo.told, re.MULTILINE)[0]
    tenants = Request(f"{address}v1/clouds/source/tenants", headers={"Authorization": f"Bearer {token}"})
    with urlopen(tenants) as answer:
        assert "acme" in [tenant["name"] for tenant in json.load(answer)["items"]]
    demo.try_(check)
    assert "Plan: 43 to create, 5 to reuse" in demo.try_(dry_run)
    moved = demo.try_(migrate, "--yes")
    assert re.search(r"Done: 43 created, 5 reused; .* moved", moved)
    assert resume == "pumphouse resume"
    people = demo.try_(prove)
    for name in ("alice", "bob"):
        assert f"{name} logs in with the old password" in people
    assert "carol (disabled) is not let in" in people
    assert re.search(r"web-1 +ACTIVE +10.20.0.11", people)
    demo.try_(report)
    assert "web-1" in (demo.directory / "acme.html").read_text()
    demo.try_(verify)
    demo.try_(rollback, "--yes")
    (migration,) = json.loads(demo.try_("pumphouse list -f json"))
    assert migration["state"] == "reverted"
    (demo.directory / "acme.html").unlink()
    # Two clouds, and the service with its engine.
    assert len(demo.clouds()) >= 4
    assert demo.end() == 0
    assert demo.clouds() == []
    assert list(demo.directory.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_politely(tmp_path: Path, number: int) -> None:
    """Also while it begins."""
    running = Demo(tmp_path)
    assert running.process.stderr is not None
    assert running.process.stderr.readline().startswith("Starting")
    assert running.end(number) == 130
    assert running.clouds() == []
    assert list(tmp_path.iterdir()) == []


def test_a_directory_stays(tmp_path: Path) -> None:
    """And is not used twice; a command that was given sees the clouds, and its exit code is ours."""
    where = tmp_path / "kept"
    running = Demo(tmp_path, "--directory", str(where), "--run", 'test -s "$PUMPHOUSE_CONFIG" && exit 7')
    running.process.communicate(timeout=PATIENCE)
    assert running.process.returncode == 7
    assert running.clouds() == []
    assert {path.name for path in where.iterdir()} >= {"clouds.yaml", "pumphouse.yaml", "src", "dst"}
    again = Demo(tmp_path, "--directory", str(where))
    said = again.process.communicate(timeout=60)[1]
    assert again.process.returncode == 2
    assert "is not empty" in said
