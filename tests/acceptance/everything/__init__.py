"""A tenant with everything: of each type one resource as it is by default, and one with every field otherwise.

The first is called ``plain``, the others ``flipped``: what differs between them is what has been flipped.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tests.acceptance.clouds import Account
from tests.acceptance.command import Done, Pumphouse
from tests.acceptance.everything import networks, people, quotas, servers, storage
from tests.acceptance.everything.networks import Networks
from tests.acceptance.tenant.model import Tenant


def build(source: Account, destination: Account, prefix: str, say=print) -> Tenant:
    """Make it on the source, and on both sides the external network that it uses."""
    tenant = Tenant(prefix)
    began = time.monotonic()

    def step(what: str) -> None:
        say(f"{time.monotonic() - began:6.1f} s  {what}")

    people.build(source, tenant)
    quotas.build(source, tenant)
    step("people, quotas")
    outside = {side: networks.outside(cloud, tenant.call("@ outside"))
               for side, cloud in (("source", source), ("destination", destination))}  # fmt: skip
    tenant.notes["outside"] = outside
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(Networks(source, tenant).build, outside["source"]),
            pool.submit(storage.build, source, tenant),
        ]
        for job in jobs:
            job.result()
    step("networks, images, volumes")
    servers.build(source, tenant)
    step("servers")
    people.close(source, tenant)
    return tenant


def chosen(tenant: Tenant) -> list[str]:
    """The options that name the tenant, and the flavor that none of its servers uses."""
    return [
        *("--tenant", tenant.name("project", "tenant"), "--domain", tenant.name("domain", "plain")),
        *("--flavor", tenant.name("flavor", "flipped")),
    ]


def move(pumphouse: Pumphouse, tenant: Tenant) -> Done:
    """The migration, in one command; before it the project below, with which an image and a network are shared."""
    below = pumphouse.run("migrate", "--tenant", tenant.id("project", "flipped"), "--yes", "-f", "json")
    assert below.code == 0, below.said
    return pumphouse.run("migrate", *chosen(tenant), "--yes", "-f", "json")
