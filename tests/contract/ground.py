"""What servers stand on: an image, a flavor and a network of the member's; and servers, made and watched."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import pytest

from tests.acceptance.clouds import Account, Json, RefusedError, wait
from tests.acceptance.tenant.images import GUEST, upload
from tests.lab.guest import guest_image

SIZE = {"ram": 64, "vcpus": 1, "disk": 1}
GIB = 1 << 30


class Ground:
    """Of one project."""

    def __init__(self, operator: Account, member: Account, name: Callable[[str], str]) -> None:
        self.operator, self.member, self.name = operator, member, name

    @functools.cached_property
    def bytes(self) -> bytes:
        """Of the image's disk."""
        return guest_image()

    @functools.cached_property
    def image(self) -> Json:
        """The guest that counts its boots."""
        return upload(self.member, self.bytes, "raw", name=self.name("guest"), min_disk=1, **GUEST)

    @functools.cached_property
    def flavor(self) -> Json:
        """The smallest."""
        return self.operator.compute.post("/flavors", "flavor", name=self.name("small"), **SIZE)

    @functools.cached_property
    def network(self) -> Json:
        """With one subnet."""
        return self.make_network("10.90.0.0/24")

    def make_network(self, cidr: str) -> Json:
        """Of the member."""
        network = self.member.network.post("/networks", "network", name=self.name("net"))
        self.member.network.post("/subnets", "subnet", network_id=network["id"], ip_version=4, cidr=cidr)
        return network

    def port(self, **fields: object) -> Json:
        """In the network."""
        given = {"network_id": self.network["id"], "name": self.name("port"), **fields}
        return self.member.network.post("/ports", "port", **given)

    def volume(self, **fields: object) -> Json:
        """One that can be used."""
        given = {"size": 1, "name": self.name("volume"), **fields}
        made = self.member.volume.post("/volumes", "volume", **given)
        return self.volume_in(made["id"], "available")

    def volume_in(self, id_: str, status: str) -> Json:
        """Wait for a status of a volume."""
        look = self.member.volume
        return wait(lambda: look.get(f"/volumes/{id_}"), lambda v: v["status"] == status, f"volume {id_} {status}")

    def fields(self, **fields: object) -> Json:
        """What a request for a server says at least."""
        given: Json = {"name": self.name("server"), "flavorRef": self.flavor["id"]}
        if "networks" not in fields:
            given["networks"] = [{"uuid": self.network["id"]}]
        if "block_device_mapping_v2" not in fields:
            given["imageRef"] = self.image["id"]
        return {**given, **fields}

    def post(self, account: Account | None = None, hints: Json | None = None, **fields: object) -> Json:
        """Ask for a server; the answer."""
        body = {"server": self.fields(**fields), **({"os:scheduler_hints": hints} if hints else {})}
        return (account or self.member).compute.call("POST", "/servers", json=body).json()["server"]

    def boot(self, account: Account | None = None, hints: Json | None = None, **fields: object) -> Json:
        """Make a server and wait until it is ACTIVE."""
        made = self.post(account, hints, **fields)
        return self.state(made["id"], "ACTIVE")

    def show(self, id_: str, microversion: str = "2.90", account: Account | None = None) -> Json:
        """As Nova shows it."""
        return (account or self.member).compute.get(f"/servers/{id_}", microversion=microversion)

    def state(self, id_: str, status: str) -> Json:
        """Wait until a server is in a state, with nothing going on."""
        return wait(
            lambda: self.show(id_),
            lambda s: s["status"] == status and not s["OS-EXT-STS:task_state"],
            f"server {id_} {status}",
        )

    def act(self, id_: str, action: str, given: object = None, account: Account | None = None, **how: object) -> Json:
        """An action; what is answered."""
        path = f"/servers/{id_}/action"
        answer = (account or self.member).compute.call("POST", path, json={action: given}, **how)
        return answer.json() if answer.content else {}

    def gone(self, id_: str) -> None:
        """Wait until a server is no more."""
        wait(lambda: self.member.compute.find(f"/servers/{id_}"), lambda s: s is None, f"end of {id_}")

    def delete(self, id_: str) -> None:
        """And wait."""
        self.operator.compute.delete(f"/servers/{id_}")
        self.gone(id_)

    def settled(self, id_: str) -> Json:
        """Wait until a server is built, or is in ERROR: that is no surprise here."""
        end = time.monotonic() + 120
        while (server := self.show(id_))["status"] == "BUILD":
            assert time.monotonic() < end, f"server {id_} is in BUILD"
            time.sleep(0.4)
        return server


def status(call: Callable[[], object]) -> int:
    """Of a refusal; 0 if there is none."""
    try:
        call()
    except RefusedError as refused:
        return refused.status
    return 0


@pytest.fixture(scope="session")
def ground(operator: Account, member: Account, name: Callable[[str], str]) -> Ground:
    """The member's."""
    return Ground(operator, member, name)
