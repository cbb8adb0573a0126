"""Cinder: how volumes are listed."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.acceptance.clouds import Account, Json
from tests.contract.conftest import Contractor
from tests.contract.storage import Name, Volumes, root
from tests.contract.wording import refused


@pytest.fixture(scope="module")
def many(contractor: Contractor, name: Name) -> tuple[Account, list[Json]]:
    """Somebody with four volumes."""
    owner = contractor.person("lists")
    volumes, called = Volumes(owner, contractor.operator), name("list")
    made = [
        volumes.make(size=1 + number % 2, name=f"{called} {number}", metadata={"n": str(number)}) for number in range(4)
    ]
    return owner, [volumes.state(volume, "available") for volume in made]


def ids(account: Account, **query: Any) -> list[str]:
    return [volume["id"] for volume in account.volume.list("/volumes/detail", "volumes", **query)]


def test_a_list_without_details(many: tuple[Account, list[Json]]) -> None:
    owner, made = many
    listed = owner.volume.list("/volumes", "volumes")
    assert {volume["id"] for volume in listed} == {volume["id"] for volume in made}
    assert set(listed[0]) == {"id", "name", "links"}


def test_pages_follow_each_other(many: tuple[Account, list[Json]]) -> None:
    owner, made = many
    first = owner.volume.call("GET", "/volumes/detail?limit=3").json()
    (link,) = first["volumes_links"]
    assert link["rel"] == "next"
    assert link["href"].startswith(f"{root(owner)}/v3/{owner.project_id}/volumes/detail?")
    assert link["href"].endswith(f"limit=3&marker={first['volumes'][-1]['id']}")
    second = owner.volume.call("GET", link["href"]).json()
    assert "volumes_links" not in second
    seen = [volume["id"] for volume in [*first["volumes"], *second["volumes"]]]
    assert sorted(seen) == sorted(volume["id"] for volume in made)
    assert len(ids(owner, limit=1)) == 4
    with refused(404, "could not be found"):
        owner.volume.call("GET", f"/volumes?marker={uuid.uuid4()}")
    with refused(400, "limit param must be an integer"):
        owner.volume.call("GET", "/volumes?limit=some")


@pytest.mark.parametrize(
    ("query", "expected_"),
    [
        ({"status": "available"}, {0, 1, 2, 3}),
        ({"status": "error"}, set()),
        ({"metadata": "{'n': '2'}"}, {2}),
        ({"metadata": "{'n': '2', 'm': ''}"}, set()),
        ({"bootable": "true"}, set()),
        ({"bootable": "false"}, {0, 1, 2, 3}),
        ({"size": "2"}, {1, 3}),
        ({"availability_zone": "nova"}, {0, 1, 2, 3}),
        ({"all_tenants": "1"}, {0, 1, 2, 3}),
    ],
    ids=str,
)
def test_lists_are_filtered(many: tuple[Account, list[Json]], query: Json, expected_: set[int]) -> None:
    owner, made = many
    seen = set(ids(owner, **query))
    assert {number for number, volume in enumerate(made) if volume["id"] in seen} == expected_
    assert len(seen) == len(expected_)


def test_a_name_is_a_filter(many: tuple[Account, list[Json]]) -> None:
    owner, made = many
    assert ids(owner, name=made[2]["name"]) == [made[2]["id"]]
    with refused(400, "Invalid filters user_id are found in query options."):
        ids(owner, user_id="x")


def test_lists_are_sorted(many: tuple[Account, list[Json]]) -> None:
    owner, made = many
    assert ids(owner, sort="name:asc") == [volume["id"] for volume in made]
    assert ids(owner, sort="name:desc", offset=1) == [volume["id"] for volume in reversed(made)][1:]


def test_administrators_see_all_when_they_say_so(
    many: tuple[Account, list[Json]], operator: Account, other: Account
) -> None:
    owner, made = many
    mine = {volume["id"] for volume in made}
    assert set(ids(operator, all_tenants=1)) >= mine
    assert set(ids(operator, all_tenants=1, project_id=owner.project_id)) == mine
    assert mine.isdisjoint(ids(operator))
    assert mine.isdisjoint(ids(other, all_tenants=1))


def test_how_many_there_are(many: tuple[Account, list[Json]]) -> None:
    owner, _ = many
    told = owner.volume.call("GET", "/volumes/summary").json()["volume-summary"]
    assert (told["total_count"], told["total_size"]) == (4, 6)
    assert sorted(told["metadata"]["n"]) == ["0", "1", "2", "3"]
