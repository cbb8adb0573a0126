"""Pumphouse's tables of fields against what the two clouds answer: a field that no table names would be lost.

The one place here that looks into Pumphouse, as its tables are what is tested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pytest

from pumphouse.resources.registry import TYPES
from tests.acceptance.clouds import Account, Json
from tests.acceptance.counterparts import Sides
from tests.acceptance.lab import Lab
from tests.acceptance.specimens import RELATIONS, specimens
from tests.acceptance.tenant.model import Tenant

#: The newest that Pumphouse's clients speak.
NEWEST = {"compute": (2, 96), "block-storage": (3, 71)}
#: What the tenant has added to a thing of its own: users and projects may hold anything.
ADDED = {"email", "cost_centre"}

Specimens = dict[str, Json]
Reader = Callable[[Account, dict[str, list[str]]], Iterable[Json]]


def _one(service: str, path: str, kind: str) -> Reader:
    """Each thing by a request of its own."""
    return lambda cloud, ids: [getattr(cloud, service).get(path.format(id_)) for id_ in ids[kind]]


def _listed(service: str, path: str, key: str, of: str) -> Reader:
    """What each thing of a kind contains."""

    def read(cloud: Account, ids: dict[str, list[str]]) -> Iterable[Json]:
        for id_ in ids[of]:
            for thing in getattr(cloud, service).list(path.format(id_), key):
                yield thing.get("keypair", thing)

    return read


def _image(cloud: Account, ids: dict[str, list[str]]) -> Iterable[Json]:
    """Images may hold any property: the schema names those of the API, and marks those that are only customs."""
    properties = cloud.image.call("GET", "/schemas/image").json()["properties"]
    return [{name: told for name, told in properties.items() if told.get("is_base", True)}]


def _flavors(cloud: Account, ids: dict[str, list[str]]) -> Iterable[Json]:
    return [f for f in cloud.compute.list("/flavors/detail", "flavors", is_public="None") if f["id"] in ids["flavor"]]


READ: dict[str, Reader] = {
    "domain": _one("identity", "/domains/{}", "domain"),
    "project": _one("identity", "/projects/{}", "project"),
    "role": _one("identity", "/roles/{}", "role"),
    "user": _one("identity", "/users/{}", "user"),
    "assignment": _listed("identity", "/role_assignments?scope.project.id={}", "role_assignments", "project"),
    "flavor": _flavors,
    "flavor_access": _listed("compute", "/flavors/{}/os-flavor-access", "flavor_access", "flavor"),
    "keypair": _listed("compute", "/os-keypairs?user_id={}", "keypairs", "user"),
    "image": _image,
    "image_member": _listed("image", "/images/{}/members", "members", "image"),
    "network": _one("network", "/networks/{}", "network"),
    "subnet": _one("network", "/subnets/{}", "subnet"),
    "security_group": _one("network", "/security-groups/{}", "security_group"),
    "security_group_rule": _listed(
        "network", "/security-group-rules?security_group_id={}", "security_group_rules", "security_group"
    ),
    "port": _one("network", "/ports/{}", "port"),
    "volume_type": lambda cloud, ids: cloud.volume.list("/types", "volume_types"),
    "volume": _one("volume", "/volumes/{}", "volume"),
    "server": _one("compute", "/servers/{}", "server"),
}


def newest(cloud: Account) -> Account:
    """The same account, speaking the newest that both the service and Pumphouse know."""
    spoken = {}
    for service, limit in NEWEST.items():
        data = cloud.connection.config.get_session_client(service).get_endpoint_data()
        spoken[service] = ".".join(map(str, min(tuple(data.max_microversion), limit)))
    return Account(cloud.connection, spoken["compute"], spoken["block-storage"])


def unknown(type_: str, things: Iterable[Json]) -> set[str]:
    """Fields that a cloud shows and the table does not name."""
    shown = {name for thing in things for name in thing}
    assert shown, f"nothing to compare {type_} with"
    return shown - {field.name for field in TYPES[type_].fields} - ADDED


@pytest.fixture(scope="module")
def extras(clouds: Lab, built: Tenant) -> Iterator[tuple[Specimens, Specimens]]:
    """Of each type that the tenant has nothing of, one in both clouds."""
    name = built.prefix
    with specimens(newest(clouds.source), name) as here, specimens(newest(clouds.destination), name) as there:
        yield here, there


def test_every_type_is_compared(extras: tuple[Specimens, Specimens]) -> None:
    for side in extras:
        assert set(READ) | set(side) | RELATIONS == set(TYPES)


def test_extras(extras: tuple[Specimens, Specimens]) -> None:
    for side, found in zip(("source", "destination"), extras, strict=True):
        missing = {type_: names for type_, thing in found.items() if (names := unknown(type_, [thing]))}
        assert missing == {}, side


@pytest.mark.parametrize("type_", sorted(READ))
def test_source(clouds: Lab, sides: Sides, type_: str) -> None:
    ids = {kind: list(things) for kind, things in sides.source.items()}
    ids["image"] = [sides.tenant.id("image", "rich")]
    for kind, short in (("server", "failing"), ("port", "failing"), ("volume", "failing")):
        ids[kind].remove(sides.tenant.id(kind, short))  # another test removes them
    assert unknown(type_, READ[type_](newest(clouds.source), ids)) == set()


@pytest.mark.parametrize("type_", sorted(READ))
def test_destination(clouds: Lab, sides: Sides, type_: str) -> None:
    ids = {kind: list(things) for kind, things in sides.destination.items()}
    ids["image"] = [sides.there("image", "rich")["id"]]
    assert unknown(type_, READ[type_](newest(clouds.destination), ids)) == set()
