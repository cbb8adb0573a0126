"""The table of fields: whatever it forgets, a tenant loses without a word."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumphouse.resources.base import ResourceType
from pumphouse.resources.fields import carry, keep, refer, report, some, text, unordered

EMPTY = [False, 0, "", None, [], {}]
IDS = {("network", "n1"): "N1", ("subnet", "a"): "A", ("subnet", "b"): "B", ("project", "p"): "P"}


def lookup(type_, id_):
    return IDS.get((type_, id_))


class Thing(ResourceType):
    type = "thing"
    unit = "thing"
    fields = (
        report("id", "chosen by the destination"),
        keep("uuid", "kept when free"),
        carry("name", "a name", match=True),
        carry("up", "a switch"),
        carry("zone", "a place", loose=True),
        carry("secret", "hush", secret=True),
        carry("state", "of the moment", fleeting=True),
        carry("labels", "simple labels", normal=unordered),
        carry("kind", "not with null", omit_null=True),
        carry("later", "by a call of its own", post=False),
        carry("fancy", "only with an extension", extension="fancy"),
        refer("network_id", "network", "where"),
        refer("home", "project", "whose", loose=True),
        refer("ips", "subnet", "addresses", at="*.subnet_id"),
        report("lost", "not carried yet", worth=some),
        report("password", "cannot be carried", worth=some, secret=True),
    )


class Open(Thing):
    others: ClassVar[str] = "carry"


THING, OPEN = Thing(), Open()


def verdicts(source, destination, type_=THING, **more):
    return {one.field: one.verdict for one in type_.compare(source, destination, lookup, **more)}


# What is asked of the destination


@pytest.mark.parametrize("value", EMPTY)
def test_empty_values_are_carried_like_any_other(value):
    wanted = THING.translate({"up": value}, lookup)
    assert wanted == {"up": value}
    assert THING.body(wanted) == {"up": value}
    assert type(THING.body(wanted)["up"]) is type(value)


def test_a_field_that_the_source_does_not_show_is_not_asked_for():
    assert THING.translate({"name": "a"}, lookup) == {"name": "a"}


def test_reported_fields_are_not_asked_for_and_kept_ones_are():
    assert THING.translate({"id": "1", "uuid": "u", "lost": "x"}, lookup) == {"uuid": "u"}


def test_null_is_left_out_only_where_the_api_refuses_it():
    assert THING.body({"kind": None, "up": None}) == {"up": None}
    assert THING.body({"kind": "", "up": None}) == {"kind": "", "up": None}


def test_the_request_has_neither_later_fields_nor_those_of_missing_extensions():
    wanted = {"name": "a", "later": 1, "fancy": False}
    assert THING.body(wanted) == {"name": "a", "fancy": False}
    assert THING.body(wanted, extensions=set()) == {"name": "a"}
    assert THING.body(wanted, extensions={"fancy"}) == {"name": "a", "fancy": False}


# References


PATHS = [
    ("", "a", ["a"], "A"),
    ("id", {"id": "a", "name": "x"}, ["a"], {"id": "A", "name": "x"}),
    ("project.id", {"project": {"id": "a", "n": 0}}, ["a"], {"project": {"id": "A", "n": 0}}),
    ("*", ["a", "b"], ["a", "b"], ["A", "B"]),
    (
        "*.subnet_id",
        [{"subnet_id": "b", "ip": "1"}, {"subnet_id": "a", "ip": "2"}],
        ["b", "a"],
        [{"subnet_id": "B", "ip": "1"}, {"subnet_id": "A", "ip": "2"}],
    ),
    ("project.id", {"domain": {"id": "a"}}, [], {"domain": {"id": "a"}}),
    ("*", [], [], []),
    ("", None, [], None),
    ("", "", [], ""),
    ("id", None, [], None),
]


@pytest.mark.parametrize(("at", "value", "ids", "translated"), PATHS)
def test_references_are_found_and_replaced_along_the_path(at, value, ids, translated):
    field = refer("f", "subnet", "", at=at)
    before = repr(value)
    assert list(field.references(value)) == ids
    assert field.translate(value, lookup) == translated
    assert repr(value) == before, "the source's own resource was changed"


def test_a_reference_without_counterpart_becomes_none():
    assert refer("f", "subnet", "").translate("gone", lookup) is None


def test_loose_references_do_not_draw_anything_into_the_plan():
    resource = {"network_id": "n1", "home": "p", "ips": [{"subnet_id": "a"}]}
    assert list(THING.references(resource)) == [("network", "n1"), ("subnet", "a")]


@pytest.mark.parametrize("value", [*EMPTY, "x", ["a"], {"id": "a", "b": [{"subnet_id": "a"}]}])
def test_what_refers_to_nothing_passes_untouched(value):
    assert carry("f", "").translate(value, lookup) == value


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["a", "b"])))
def test_every_reference_that_is_found_is_also_replaced(ids):
    value = [{"subnet_id": id_, "ip_address": str(place)} for place, id_ in enumerate(ids)]
    field = refer("f", "subnet", "", at="*.subnet_id")
    assert list(field.references(value)) == ids
    assert list(field.references(field.translate(value, lookup))) == [id_.upper() for id_ in ids]


# Comparing both sides


@pytest.mark.parametrize("value", EMPTY)
def test_an_empty_value_that_arrives_as_another_differs(value):
    assert verdicts({"up": value}, {"up": value}) == {"up": "equal"}
    assert verdicts({"up": value}, {"up": "else"}) == {"up": "differs"}
    assert verdicts({"up": "else"}, {"up": value}) == {"up": "differs"}


def test_a_disabled_thing_that_arrives_enabled_differs():
    assert verdicts({"up": False}, {"up": True}) == {"up": "differs"}


def test_references_are_compared_through_their_counterparts():
    assert verdicts({"network_id": "n1"}, {"network_id": "N1"}) == {"network_id": "mapped"}
    assert verdicts({"network_id": "n1"}, {"network_id": "N2"}) == {"network_id": "differs"}
    assert verdicts({"network_id": None}, {"network_id": None}) == {"network_id": "equal"}
    assert verdicts({"network_id": "n1"}, {"network_id": None}) == {"network_id": "differs"}
    ips = [{"subnet_id": "a", "ip_address": "10.0.0.5"}]
    assert verdicts({"ips": ips}, {"ips": [{"subnet_id": "A", "ip_address": "10.0.0.5"}]}) == {"ips": "mapped"}
    assert verdicts({"ips": ips}, {"ips": [{"subnet_id": "A", "ip_address": "10.0.0.6"}]}) == {"ips": "differs"}


@pytest.mark.parametrize("there", ["N1", None])
def test_a_reference_that_was_lost_differs(there):
    assert verdicts({"network_id": "gone"}, {"network_id": there}) == {"network_id": "differs"}


def test_a_kept_id_may_be_another():
    assert verdicts({"uuid": "1"}, {"uuid": "1"}) == {"uuid": "equal"}
    assert verdicts({"uuid": "1"}, {"uuid": "2"}) == {"uuid": "mapped"}


def test_loose_fields_are_no_difference_but_are_named():
    zone = THING.compare({"zone": "rack-1"}, {"zone": "nova"}, lookup)[0]
    assert (zone.verdict, zone.source, zone.destination) == ("not carried", "rack-1", "nova")
    assert zone.reason
    for source, destination in (("stays", None), ("p", "Q")):
        home = THING.compare({"home": source}, {"home": destination}, lookup)[0]
        assert (home.verdict, "project" in home.reason) == ("not carried", True)


def test_fleeting_fields_count_right_after_the_move_only():
    assert verdicts({"state": "on"}, {"state": "off"}) == {"state": "differs"}
    assert verdicts({"state": "on"}, {"state": "off"}, later=True) == {}


def test_lists_without_order_and_texts_without_value():
    assert verdicts({"labels": ["a", "b"]}, {"labels": ["b", "a"]}) == {"labels": "equal"}
    assert verdicts({"labels": ["a", "a"]}, {"labels": ["a"]}) == {"labels": "differs"}
    assert unordered([{"a": 1, "b": 2}, {"a": 0}]) == unordered([{"a": 0}, {"b": 2, "a": 1}])
    assert unordered(None) is None
    assert text(None) == text("") == ""


def test_secrets_are_compared_and_never_shown():
    for one in (
        *THING.compare({"secret": "s3cret", "password": "s3cret"}, {"secret": "0ther"}, lookup),
        *THING.compare({"secret": "s3cret"}, {"secret": "s3cret", "password": "s3cret"}, lookup),
    ):
        assert "s3cret" not in repr(one)
        assert "0ther" not in repr(one)
    assert verdicts({"secret": "s3cret"}, {"secret": "0ther"}) == {"secret": "differs"}
    assert list(THING.losses({"password": "s3cret"})) == [("password", "(hidden)", "cannot be carried")]


# What the table does not know


@pytest.mark.parametrize("value", ["x", 1, True, ["x"], {"x": 1}])
def test_an_unknown_field_that_holds_something_is_a_loss(value):
    assert list(THING.losses({"name": "a", "brand_new": value})) == [
        ("brand_new", value, "unknown to this release of Pumphouse")
    ]
    found = THING.compare({"brand_new": value}, {}, lookup)
    assert [(one.field, one.verdict, one.source) for one in found] == [("brand_new", "not carried", value)]
    assert found[0].reason


def test_an_unknown_field_of_either_side_is_in_the_comparison():
    assert verdicts({"new": 1}, {"new": 1}) == {"new": "equal"}
    assert verdicts({}, {"new": 1}) == {"new": "not carried"}


def test_unknown_fields_are_never_sent():
    assert THING.translate({"name": "a", "brand_new": 1}, lookup) == {"name": "a"}


def test_users_own_fields_are_carried_where_the_api_lets_them_add_some():
    resource = {"name": "a", "cost_center": "", "vip": False}
    assert OPEN.body(OPEN.translate(resource, lookup)) == resource
    assert list(OPEN.losses(resource)) == []
    assert verdicts({"vip": False}, {}, OPEN) == {"vip": "differs"}
    assert verdicts({"vip": False}, {"vip": False}, OPEN) == {"vip": "equal"}


def test_losses_are_what_holds_something_of_worth():
    for value in EMPTY:
        assert list(THING.losses({"lost": value})) == []
    assert list(THING.losses({"lost": "x", "id": "1"})) == [("lost", "x", "not carried yet")]


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([f.name for f in Thing.fields] + ["other"]), st.sampled_from(["x", "", None]), min_size=1
    )
)
def test_no_field_that_one_side_shows_is_passed_over(wire):
    plain = {name: value for name, value in wire.items() if name != "ips"}
    assert {one.field for one in THING.compare(plain, {}, lookup)} == set(plain)
    assert {one.field for one in THING.compare({}, plain, lookup)} == set(plain)
