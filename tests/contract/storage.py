"""Volumes of somebody who has room for them, as tests make and watch them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.clouds import Account, Json, LateError, ignore, wait
from tests.acceptance.tenant.images import qcow2, upload

if TYPE_CHECKING:
    from tests.contract.conftest import Contractor

Name = Callable[[str], str]
GIB = 1 << 30
#: What is on the volumes of which the bytes are known.
PIECES = {0: os.urandom(70_000), (GIB // 2) + 512: os.urandom(5000), GIB - 4096: os.urandom(4096)}


class Volumes:
    """Those of one account."""

    def __init__(self, owner: Account, operator: Account) -> None:
        self.owner, self.operator = owner, operator

    def make(self, **fields: Any) -> Json:
        """Ask for one."""
        return self.owner.volume.post("/volumes", "volume", **{"size": 1, **fields})

    def show(self, volume: Json) -> Json:
        return self.owner.volume.get(f"/volumes/{volume['id']}")

    def state(self, volume: Json, status: str) -> Json:
        """Wait for it."""
        return wait(lambda: self.show(volume), lambda v: v["status"] == status, f"{volume['id']} {status}")

    def ready(self, **fields: Any) -> Json:
        """One that can be used."""
        return self.state(self.make(**fields), "available")

    def ended(self, volume: Json) -> Json:
        """Wait until it is made, or could not be."""
        try:
            return self.state(volume, "available")
        except LateError:
            return self.show(volume)

    def act(self, volume: Json, action: str, **given: Any) -> Json:
        return self.owner.volume.post(f"/volumes/{volume['id']}/action", action, **given)

    def snapshot(self, volume: Json, **fields: Any) -> Json:
        """One that can be used."""
        made = self.owner.volume.post("/snapshots", "snapshot", volume_id=volume["id"], **fields)
        look = self.owner.volume
        return wait(lambda: look.get(f"/snapshots/{made['id']}"), lambda s: s["status"] == "available", "a snapshot")

    def gone(self, kind: str, thing: Json) -> None:
        """Remove it and wait."""
        path = f"/{kind}/{thing['id']}"
        self.owner.volume.call("DELETE", path)
        wait(lambda: self.owner.volume.find(path), lambda seen: seen is None, f"end of {path}")


@pytest.fixture(scope="session")
def volumes(contractor: Contractor, operator: Account) -> Volumes:
    """Of somebody with room for them."""
    owner = contractor.person("volumes")
    operator.volume.put(f"/os-quota-sets/{owner.project_id}", "quota_set", volumes=100, snapshots=50)
    return Volumes(owner, operator)


@pytest.fixture(scope="session")
def seed(volumes: Volumes, name: Name) -> Json:
    """An image that volumes are made from."""
    return upload(volumes.owner, qcow2(PIECES, GIB), "qcow2", name=name("seed"), hw_disk_bus="virtio", note="ü")


@pytest.fixture(scope="session")
def written(volumes: Volumes, seed: Json, name: Name) -> Json:
    """A volume with known bytes."""
    return volumes.ready(name=name("written"), imageRef=seed["id"], metadata={"a/b: c": "", "of": "seed"})


@pytest.fixture
def blank(volumes: Volumes, name: Name) -> Iterator[Json]:
    """A volume that nobody else uses."""
    made = volumes.ready(name=name("blank"))
    yield made
    with ignore(400, 404):
        volumes.owner.volume.delete(f"/volumes/{made['id']}")


def root(account: Account) -> str:
    """The address without version and project."""
    return str(account.connection.block_storage.get_endpoint()).partition("/v3")[0]
