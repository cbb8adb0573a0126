"""The types as a whole: each declaration is complete in itself, and points only to what exists."""

from __future__ import annotations

import inspect

import pytest

from pumphouse.flows import FACTORIES
from pumphouse.planning import units
from pumphouse.resources import registry
from pumphouse.resources.base import ResourceType
from pumphouse.resources.registry import TYPES

EVERY = pytest.mark.parametrize("type_", TYPES.values(), ids=list(TYPES))

NETWORK_KINDS = (
    "qos_policy", "address_scope", "subnet_pool", "address_group", "trunk", "floating_ip", "rbac_policy",
)  # fmt: skip


def subclasses(cls):
    for sub in cls.__subclasses__():
        yield sub
        yield from subclasses(sub)


def test_names_are_unique():
    assert len(TYPES) == len(registry._ALL)


def test_every_type_that_is_written_is_registered():
    written = {
        cls for cls in subclasses(ResourceType) if "type" in vars(cls) and cls.__module__.startswith("pumphouse.")
    }
    assert written == {type(type_) for type_ in registry.TEMPORARY.values()}


@EVERY
def test_no_field_twice(type_):
    names = [field.name for field in type_.fields]
    assert sorted(set(names)) == sorted(names)


@EVERY
def test_every_field_is_explained_and_declared_in_a_known_way(type_):
    for field in type_.fields:
        assert field.doc.strip(), field.name
        assert field.how in ("carry", "keep", "map", "report"), field.name
        assert (field.how == "map") == (field.to is not None), field.name
        assert not (field.worth and field.how != "report"), field.name


@EVERY
def test_references_and_parents_are_types(type_):
    for field in type_.fields:
        assert field.to is None or field.to in TYPES, field.name
    assert type_.parent is None or type_.parent in TYPES
    assert type_.soft <= set(TYPES)


@EVERY
def test_things_can_be_made_in_the_order_of_the_registry(type_):
    """But for projects, whose parents are projects, and groups in rules."""
    earlier = list(TYPES)[: list(TYPES).index(type_.type)]
    for field in type_.fields:
        assert field.to is None or field.loose or field.to in (*earlier, type_.type), field.name


@EVERY
def test_a_contained_type_is_found_by_its_parents(type_):
    if type_.parent:
        assert type(type_).list_for is not ResourceType.list_for
    if type_.owned:
        assert type(type_).list is not ResourceType.list
    assert type(type_).get is not ResourceType.get


@EVERY
def test_a_counterpart_can_be_recognised(type_):
    """By fields, or by a method of its own."""
    assert type_.matching or type(type_).find is not ResourceType.find
    assert set(type_.scope.values()) <= {field.name for field in type_.fields}
    for field in type_.matching:
        assert field.how in ("carry", "map"), field.name


@EVERY
def test_what_is_made_can_be_removed(type_):
    assert (type(type_).create is ResourceType.create) <= (type_.type in ("server", "volume_type"))
    assert (type(type_).delete is ResourceType.delete) <= (type_.type == "volume_type")


@EVERY
def test_it_has_a_kind_of_unit_and_tells_what_it_is(type_):
    assert type_.unit in {
        *FACTORIES,
        "identity",
        "flavor",
        "network",
        "security_groups",
        "keypairs",
        *NETWORK_KINDS,
        "credentials",
        "volume_type",
        "quotas",
        "server_group",
    }
    assert inspect.getdoc(type_)
    assert inspect.getmodule(type(type_)).__doc__


@EVERY
def test_a_guest_field_refers_to_a_project(type_):
    if guest := getattr(type_, "guest", None):
        assert next(field for field in type_.fields if field.name == guest).to == "project"


def test_people_are_kept_in_one_unit():
    assert {type_.type for type_ in TYPES.values() if type_.unit == "identity"} == set(units.IDENTITY)


def test_user_data_is_a_secret():
    """It holds passwords and keys as often as not."""
    assert next(f for f in TYPES["server"].fields if f.name.endswith("user_data")).secret
