"""A sample of ``make chaos``, always the same: whatever happens to a run, it ends as if nothing had."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import time
from collections.abc import Iterator

import pytest

from tests.chaos.__main__ import sample
from tests.chaos.injections import Injection
from tests.chaos.world import Child, World

SEED = 20


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("chaos")) as world:
        yield world


@pytest.mark.parametrize(("kind", "number"), [("points", 8), ("reverts", 3), ("requests", 8), ("bytes", 6)])
def test_nothing_is_lost_doubled_or_left(world: World, kind: str, number: int) -> None:
    lost = {}
    for injection in sample(world, [kind], number, SEED):
        outcome = world.run(injection)
        if outcome.problems:
            lost[str(injection)] = [*outcome.problems, outcome.said[-2000:]]
    assert lost == {}


def running(world: World, number: int) -> None:
    """Wait until so many units are done, and others run."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        states = list(world.units().values())
        if states.count("done") >= number and "running" in states:
            return
        time.sleep(0.05)
    raise AssertionError(f"no {number} units are done: {world.units()}")


def pause(world: World, process: Child) -> None:
    """Stop it, though not while it writes: SQLite would let nobody else write either."""
    while True:
        process.signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        try:
            with contextlib.closing(sqlite3.connect(world.database, timeout=0.2, isolation_level=None)) as connection:
                connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError:
            process.signal(signal.SIGCONT)
            time.sleep(0.01)


def test_another_process_takes_over_from_one_that_was_killed(world: World) -> None:
    world.restore()
    first = world.start(Injection(), *world.options, lease=3)
    running(world, 10)
    second = world.start(Injection(), "resume", str(world.number), lease=3)
    time.sleep(1)
    first.signal(signal.SIGKILL)
    first.wait()
    assert second.wait().code == 0, world.log.read_text()
    assert world.compare() == []


def test_a_process_that_was_paused_too_long_does_nothing_more(world: World) -> None:
    """It wakes up when another one has done all that it had begun."""
    world.restore()
    first = world.start(Injection(), *world.options, lease=2)
    running(world, 10)
    pause(world, first)
    try:
        second = world.start(Injection(), "resume", str(world.number), lease=2)
        assert second.wait().code == 0, world.log.read_text()
        done = world.compare()
    finally:
        first.signal(signal.SIGCONT)
        first.wait()
    assert done == []
    assert world.compare() == []


def test_two_processes_share_the_units_and_do_none_twice(world: World) -> None:
    world.restore()
    first = world.start(Injection(), *world.options)
    running(world, 3)
    second = world.start(Injection(), "resume", str(world.number))
    assert (first.wait().code, second.wait().code) == (0, 0), world.log.read_text()
    assert world.compare() == []
