"""The awkward tenant: what real tenants hold and what tools of this kind lose.

``build`` makes it on the source with the tenant's own users, as real ones are made; :class:`Tenant` says
what was made, secrets and bytes included, so that the assertions know what to look for without asking the
source.
"""

from __future__ import annotations

import secrets
import time

from tests.acceptance.clouds import Account
from tests.acceptance.tenant import images, networks, people, servers, volumes
from tests.acceptance.tenant.model import Tenant


def new_prefix(start: str = "acc") -> str:
    """Letters and digits that occur in every name of one run and in no other: cleaning goes by them."""
    return f"{start}{secrets.token_hex(3)}x"


def build(source: Account, destination: Account, prefix: str, say=print) -> Tenant:
    """Make the whole tenant on the source, and its neighbour on both sides."""
    tenant = Tenant(prefix)
    began = time.monotonic()

    def step(what: str) -> None:
        say(f"{time.monotonic() - began:6.1f} s  {what}")

    people.build(source, destination, tenant)
    step("domains, project, users, roles")
    images.build(tenant)
    step("images")
    networks.build(tenant)
    step("networks, groups, ports")
    volumes.build(tenant)
    step("volumes")
    servers.build(source, tenant)
    step("flavors, keys, servers")
    people.disable(source, tenant)
    step("done")
    return tenant
