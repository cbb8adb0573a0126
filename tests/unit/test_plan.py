"""The plan as data: what is stored, shown and run is the same."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumphouse.planning.plan import Action, Item, Loss, Plan, Selection, Unit

ACTIONS = get_args(Action)
NAMES = st.sampled_from(["", "a", "Zoë ", "x/y", "\x1b[2J", "null"])
VALUES = st.sampled_from([None, False, 0, "", "x", [1], {"a": None}])
LOSSES = st.builds(Loss, NAMES, VALUES, NAMES)
ITEMS = st.builds(
    Item,
    NAMES,
    NAMES,
    NAMES,
    st.sampled_from(ACTIONS),
    NAMES,
    destination_id=st.none() | NAMES,
    bytes=st.integers(0, 2**50),
    losses=st.lists(LOSSES, max_size=2),
    needs=st.lists(st.tuples(NAMES, NAMES), max_size=2),
    move=st.sampled_from([{}, {"from": "c1", "to": None}]),
)
UNITS = st.builds(Unit, NAMES, NAMES, NAMES, items=st.lists(ITEMS, max_size=3), needs=st.lists(NAMES, max_size=2))
PLANS = st.builds(
    Plan,
    st.just({"tenant": "Zoë"}),
    st.lists(UNITS, max_size=3),
    st.lists(ITEMS, max_size=2),
    st.lists(NAMES, max_size=2),
)


@settings(max_examples=50, deadline=None)
@given(PLANS)
def test_a_plan_comes_back_from_the_database_as_it_was(plan):
    back = Plan.from_json(json.loads(json.dumps(plan.to_json())))
    assert back == plan
    assert [item.key for item in back.items] == [item.key for item in plan.items]
    assert all(isinstance(need, tuple) for item in back.items for need in item.needs), "keys of dicts"


def item(action, size=0):
    return Item("network", "n", "net", action, "", bytes=size)


@pytest.mark.parametrize(
    ("actions", "gravest"),
    [
        (["reuse", "create", "conflict", "skip"], "conflict"),
        (["reuse", "move", "create", "skip"], "create"),
        (["skip", "reuse", "move"], "move"),
        (["skip", "reuse"], "reuse"),
        (["skip"], "skip"),
        ([], "skip"),
    ],
)
def test_a_unit_is_as_grave_as_its_gravest_item(actions, gravest):
    assert Unit("u", "network", "", [item(action) for action in actions]).action == gravest


def test_only_what_will_be_made_is_counted_in_bytes():
    units = [Unit("u", "image", "", [item("create", 5), item("reuse", 7), item("conflict", 11)])]
    plan = Plan({}, [*units, Unit("w", "image", "", [item("create", 1)])])
    assert (units[0].bytes, plan.bytes) == (5, 6)
    assert [plan.count(action) for action in ("create", "reuse", "conflict", "skip")] == [2, 1, 1, 0]


def test_a_selection_keeps_only_what_was_chosen():
    assert Selection(tenant="acme", servers=["w"]).to_json() == {"tenant": "acme", "servers": ["w"]}
    assert Selection(all=True).to_json() == {"all": True}
    assert Selection(hosts=["c1"]).to_json() == {"hosts": ["c1"]}


def test_what_does_not_move_says_nothing_of_moving():
    plan = Plan({}, [Unit("u", "network", "", [item("create")])], [item("skip")])
    assert all("move" not in one for one in (*plan.to_json()["units"][0]["items"], *plan.to_json()["not_carried"]))
