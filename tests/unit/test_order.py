"""The order in which things are made: a thing before what refers to it."""

from __future__ import annotations

import graphlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumphouse.planning.order import in_order


@st.composite
def graphs(draw, size=12):
    """Acyclic, in an order that has nothing to do with the arrows."""
    names = draw(st.permutations(range(draw(st.integers(1, size)))))
    arrows = {
        name: draw(st.lists(st.sampled_from(names[:place]), unique=True, max_size=3)) if place else []
        for place, name in enumerate(names)
    }
    return {name: arrows[name] for name in draw(st.permutations(names))}


@settings(max_examples=100, deadline=None)
@given(graphs())
def test_everything_comes_once_and_after_its_needs(needs):
    ordered = in_order(needs)
    assert sorted(ordered) == sorted(needs)
    for name, wanted in needs.items():
        assert all(ordered.index(one) < ordered.index(name) for one in wanted)


def test_what_needs_nothing_stays_in_the_order_given():
    assert in_order({"c": [], "a": [], "b": []}) == ["c", "a", "b"]


def test_needs_outside_are_passed_over():
    assert in_order({"a": ["elsewhere"], "b": ["a"]}) == ["a", "b"]


def test_a_circle_is_an_error_and_not_an_endless_loop():
    with pytest.raises(graphlib.CycleError):
        in_order({"a": ["b"], "b": ["a"]})
