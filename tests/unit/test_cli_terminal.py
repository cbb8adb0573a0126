"""The command line on a terminal: what it asks, the live display, Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from pumphouse.store import Store

#: Seconds; a machine under load is slow.
PATIENCE = 30


class Terminal:
    """The command line in a process of its own, on a pseudo-terminal."""

    def __init__(self, *arguments: str) -> None:
        ours, theirs = pty.openpty()
        self._fd = ours
        self.text = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.unit.fake_cli", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"},
        )
        os.close(theirs)

    def read_until(self, words: str) -> str:
        """What was written up to these words."""
        deadline = time.monotonic() + PATIENCE
        while words not in self.text:
            assert time.monotonic() < deadline, f"{words!r} never came:\n{self.text}"
            if not self._read():
                break
        assert words in self.text
        return self.text

    def _read(self) -> bool:
        if not select.select([self._fd], [], [], 1)[0]:
            return self.process.poll() is None
        with contextlib.suppress(OSError):
            data = os.read(self._fd, 65536)
            self.text += data.decode(errors="replace")
            return bool(data)
        return False

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def end(self) -> int:
        """Everything to the end; the exit code."""
        while self._read():
            pass
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._fd)


@pytest.fixture
def database(tmp_path):
    return tmp_path / "pumphouse.sqlite"


@pytest.fixture
def terminal(database):
    opened = []

    def start(scenario: str, *arguments: str) -> Terminal:
        opened.append(Terminal(f"database={database},{scenario}", "migrate", "--tenant", "acme", *arguments))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_yes_migrates_with_a_live_display(terminal):
    one = terminal("pace=0.4")
    one.read_until("Migrate? [y/N]")
    one.type("y\n")
    assert one.end() == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", one.text)
    assert "✓ identity of acme  done in" in plain
    assert "> image wéird [red]name[/red]" in plain
    assert "copying part 1" in plain
    assert re.search(r"(256|512|768)\.0 MiB of 1\.0 GiB +[0-9.]+ [MG]iB/s +[0-9.]+ s left", plain)
    assert "of 3 units; " in plain
    assert "Done: 3 created" in plain
    assert one.text.rindex("\x1b[?25h") > one.text.rindex("\x1b[?25l"), "the cursor must come back"


@pytest.mark.parametrize("answer", ["n\n", "\n", "what\n", "\x04"])
def test_anything_but_yes_changes_nothing(terminal, database, answer):
    one = terminal("pace=0")
    one.read_until("Migrate? [y/N]")
    one.type(answer)
    assert one.end() == 1
    assert "Nothing was changed." in one.text
    with Store.open(f"sqlite:///{database}") as store:
        assert store.history() == []


def test_nothing_is_asked_when_nothing_is_to_be_created(terminal):
    one = terminal("action=reuse")
    assert one.end() == 0
    assert "Migrate?" not in one.text
    assert "Nothing to do" in one.text


def test_first_ctrl_c_lets_running_steps_end(terminal, database):
    one = terminal("pace=0.4", "--yes")
    one.read_until("copying part 1")
    one.process.send_signal(signal.SIGINT)
    one.read_until("pumphouse resume goes on")
    one.process.send_signal(signal.SIGINT)
    assert one.end() == 130
    assert one.text.count("letting the running steps end") == 2
    assert "Stopped: 1 created" in one.text
    assert "Traceback" not in one.text
    with Store.open(f"sqlite:///{database}") as store:
        assert [unit.state for unit in store.units(1)] == ["done", "stopped", "stopped"]


def test_third_ctrl_c_ends_at_once(terminal):
    one = terminal("pace=30", "--yes")
    one.read_until("copying part 0")
    for _ in range(3):
        one.process.send_signal(signal.SIGINT)
        time.sleep(0.5)
    started = time.monotonic()
    assert one.end() == 130
    assert time.monotonic() - started < 10
    assert "Traceback" not in one.text
    assert one.text.rindex("\x1b[?25h") > one.text.rindex("\x1b[?25l"), "the cursor must come back"


def test_a_polite_kill_stops_too(terminal):
    one = terminal("pace=0.4", "--yes")
    one.read_until("copying part 1")
    one.process.send_signal(signal.SIGTERM)
    assert one.end() == 130
    assert "Stopped" in one.text
