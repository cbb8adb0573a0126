"""What is found of blobs: once, and in the background when it takes long."""

from __future__ import annotations

import threading
import time

import pytest

from pumphouse.embedded.derived import AT_ONCE, Derived


def settled(derived: Derived, key: str):
    """Look until there is a result."""
    end = time.monotonic() + 10
    while (found := derived.soon(key, AT_ONCE + 1, lambda: "again")) is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    return found


def test_a_result_is_found_once():
    derived, calls = Derived(), []
    for _ in range(2):
        assert derived.now("key", lambda: calls.append(1) or "result") == "result"
    assert derived.soon("key", AT_ONCE + 1, lambda: "other") == "result"
    assert calls == [1]


def test_little_is_found_at_once():
    assert Derived().soon("key", AT_ONCE, lambda: "result") == "result"


def test_much_is_found_in_the_background():
    derived, go = Derived(), threading.Event()

    def find():
        go.wait(10)
        return "result"

    assert derived.soon("key", AT_ONCE + 1, find) is None
    assert derived.soon("key", AT_ONCE + 1, lambda: "other") is None
    go.set()
    assert settled(derived, "key") == "result"


def test_a_failure_is_told_once_and_may_be_tried_again():
    derived = Derived()

    def find():
        raise ValueError("torn")

    derived.soon("key", AT_ONCE + 1, find)
    with pytest.raises(ValueError, match="torn"):
        settled(derived, "key")
    assert settled(derived, "key") == "again"
