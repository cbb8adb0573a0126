"""Much more of everything in the same tenant: some 400 servers, 100 volumes, 20 networks, 50 people."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from pumphouse.embedded.demo.account import at_once
from pumphouse.embedded.demo.acme import MIB, Acme, add_network, add_person, add_volume, attach, boot, upload

PEOPLE, NETWORKS, SERVERS, VOLUMES = 47, 18, 397, 96
#: The tenant's limits, where the defaults of the releases are too small.
COMPUTE = {"instances": 500, "cores": 500}
VOLUME = {"volumes": 200}


def grow(acme: Acme, say: Callable[[str], None]) -> None:
    """Add it."""
    operator, project = acme.operator, acme.project_id
    operator.compute.call("PUT", f"/os-quota-sets/{project}", json={"quota_set": COMPUTE})
    operator.volume.call("PUT", f"/os-quota-sets/{project}", json={"quota_set": VOLUME})
    upload(acme, "acme-thin", os.urandom(MIB))
    at_once(_jobs(PEOPLE, lambda n: add_person(acme, f"person-{n}", ["member"])))
    at_once(_jobs(NETWORKS, lambda n: add_network(acme, f"floor-{n}", f"10.40.{n}.0/24", f"10.40.{n}.1")))
    say(f"{PEOPLE} more people, {NETWORKS} more networks")
    at_once(_jobs(SERVERS, lambda n: _node(acme, n)))
    say(f"{SERVERS} more servers, {VOLUMES} more volumes, most of them attached")


def _jobs(count: int, make: Callable[[int], Any]) -> list[Callable[[], Any]]:
    return [lambda n=n: make(n) for n in range(1, count + 1)]  # type: ignore[misc]


def _node(acme: Acme, number: int) -> None:
    """A server; the first of them with a volume each, of which every fourth waits to be attached."""
    networks = [{"uuid": acme.ids[f"floor-{number % NETWORKS + 1}"]}]
    server = boot(acme, name=f"node-{number}", imageRef=acme.ids["acme-thin"], networks=networks)
    if number <= VOLUMES:
        volume = add_volume(acme, f"data-{number}", "acme-thin")
        if number % 4:
            attach(acme, server, volume)
