"""The same command once more finds everything done."""

from __future__ import annotations

from tests.acceptance.conftest import Again
from tests.acceptance.photograph import differences


def test_the_plan_has_nothing_to_make(again: Again) -> None:
    assert again.plan.code == 0, again.plan.said
    made = [
        (item["type"], item["name"], item["action"], item["reason"])
        for unit in again.plan.json()["units"]
        for item in unit["items"]
        if item["action"] not in ("reuse", "skip")
    ]
    assert made == []


def test_it_succeeds_and_makes_nothing(again: Again) -> None:
    assert again.done.code == 0, again.done.said
    migration = again.done.json()["migration"]
    assert (migration["state"], migration["created_count"]) == ("done", 0)
    assert migration["reused_count"] > 20


def test_nothing_changes(again: Again) -> None:
    """In both clouds, to the field."""
    assert differences(again.before.source, again.after.source, lambda *_: False) == []
    assert differences(again.before.destination, again.after.destination, lambda *_: False) == []
    assert differences(again.before.source_all, again.after.source_all, lambda *_: False) == []
    assert differences(again.before.destination_all, again.after.destination_all, lambda *_: False) == []
