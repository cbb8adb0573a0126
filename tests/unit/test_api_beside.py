"""The engine beside the service."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from pumphouse.api import beside

#: Says that it runs, and ends when its parent's end of the pipe is closed, or SIGTERM comes.
WAITS = "import sys, pathlib; pathlib.Path(sys.argv[1]).open('a').write('begun\\n'); sys.stdin.read()"
DIES = "import sys, pathlib; pathlib.Path(sys.argv[1]).open('a').write('begun\\n')"


def engine(said: Path, program: str) -> beside.Engine:
    return beside.Engine(SimpleNamespace(path=said), (sys.executable, "-c", program, str(said)))


def wait(true, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def said(tmp_path) -> Path:
    return tmp_path / "said"


def test_one_that_dies_is_started_again_but_not_at_once(said, monkeypatch):
    monkeypatch.setattr(beside, "FIRST", 0.3)
    child = engine(said, DIES)
    child._pause = 0.3
    begun = []
    deadline = time.monotonic() + 10
    while len(begun) < 3 and time.monotonic() < deadline:
        child.look()
        count = said.read_text().count("begun") if said.exists() else 0
        begun += [time.monotonic()] * (count - len(begun))
        time.sleep(0.01)
    child.end()
    # Each time it is given twice as long.
    assert begun[1] - begun[0] >= 0.2
    assert begun[2] - begun[1] >= 0.5


def test_it_ends_when_it_is_asked_to_and_is_not_started_again(said):
    child = engine(said, WAITS)
    child.look()
    wait(said.exists)
    child.end()
    wait(lambda: not child.alive)
    child.look()
    assert not child.alive


def test_one_that_does_not_end_is_killed(said):
    child = engine(
        said, "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + WAITS + "; time.sleep(60)"
    )
    child.look()
    wait(said.exists)
    child.end()
    assert child.alive
    child.kill()
    assert not child.alive
