"""Waiting ends: when it is done, when it failed, when it takes too long, when the operator stops it."""

from __future__ import annotations

import itertools

import keystoneauth1.exceptions as keystoneauth
import pytest

from pumphouse.clouds import waiting
from pumphouse.clouds.waiting import wait_for
from pumphouse.errors import CloudError


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(waiting, "time", clock)
    return clock


def wait(*seen, **options):
    """Wait for a server that is seen in these states; the last for ever."""
    states = itertools.chain(seen, itertools.repeat(seen[-1]))

    def look():
        state = next(states)
        if isinstance(state, Exception):
            raise state
        return state if state is None else {"status": state}

    def failed(server):
        return "ERROR: no valid host" if server["status"] == "ERROR" else None

    options = {"failed": failed, "what": "server x to become ACTIVE", **options}
    return wait_for(look, done=lambda server: server["status"] == "ACTIVE", **options)


def test_done():
    assert wait("BUILD", "BUILD", "ACTIVE") == {"status": "ACTIVE"}


def test_what_comes_soon_is_seen_soon(clock):
    wait("BUILD", "BUILD", "ACTIVE", interval=2)
    assert clock.now < 1


def test_what_takes_long_is_looked_at_no_more_often_than_wished(clock):
    wait(*["BUILD"] * 1000, "ACTIVE", interval=2, timeout=10_000)
    assert 1900 < clock.now < 2000


def test_no_pause_when_it_is_done_already(clock):
    wait("ACTIVE")
    assert clock.now == 0


def test_the_services_own_words_end_it_at_once(clock):
    with pytest.raises(CloudError, match=r"^waited for server x to become ACTIVE: ERROR: no valid host$"):
        wait("BUILD", "ERROR", "ACTIVE")
    assert clock.now < 1


def test_the_deadline_tells_what_was_seen_last(clock):
    with pytest.raises(CloudError, match=r"^waited for server x .* for 90 s, in vain; last seen: BUILD$"):
        wait("BUILD", timeout=90, interval=60)
    assert clock.now == 90


def test_what_disappears_is_told():
    with pytest.raises(CloudError, match="it is not there any more"):
        wait("BUILD", None)


def test_errors_that_pass_are_looked_past():
    wait(keystoneauth.ServiceUnavailable(), keystoneauth.InternalServerError(), keystoneauth.ConnectFailure(), "ACTIVE")


def test_but_not_for_ever(clock):
    with pytest.raises(keystoneauth.ServiceUnavailable):
        wait("BUILD", keystoneauth.ServiceUnavailable())
    assert waiting.PATIENCE <= clock.now <= waiting.PATIENCE + 2


def test_patience_begins_anew_with_every_answer():
    trouble = [keystoneauth.ServiceUnavailable()] * 4 + ["BUILD"]
    wait(*trouble * 5, "ACTIVE", interval=60)


def test_other_errors_are_raised_at_once(clock):
    with pytest.raises(keystoneauth.Forbidden):
        wait(keystoneauth.Forbidden())
    assert clock.now == 0


def test_stopping_does_not_wait_for_the_next_look(clock):
    with pytest.raises(CloudError, match="stopped before it came; last seen: BUILD"):
        wait("BUILD", interval=60, cancelled=lambda: clock.now >= 3)
    assert clock.now == 3
