"""The services: whether each answers, with which versions, and whether it obeys us as an administrator."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from pumphouse.clouds import releases
from pumphouse.clouds.cloud import Cloud, Service
from pumphouse.clouds.errors import is_missing, status
from pumphouse.clouds.probes.finding import FAILED, OK, Finding, failure, needs_admin

#: The oldest microversions that will do, and what needs them.
LEAST: dict[Service, tuple[tuple[int, int], str]] = {
    "compute": ((2, 10), "key pairs of other users"),
    "volume": ((3, 0), "the Block Storage API v3"),
}

#: An id that nobody has: an administrator is told that there is nothing, anybody else that it is forbidden.
NOBODY = "0" * 32

Call = Callable[[Cloud], Any]

#: What a migration needs to be allowed to do, by service; each is tried, and none changes anything. Where a list
#: shows somebody without rights less, instead of refusing it, something near to it that is refused stands for it.
NEEDS: dict[Service, dict[str, Call]] = {
    "identity": {
        "list domains": lambda cloud: cloud.identity.domains.list(),
        "list projects": lambda cloud: cloud.identity.projects.list(),
        "list users": lambda cloud: cloud.identity.users.list(limit=1),
        "list roles": lambda cloud: cloud.identity.roles.list(),
        "list role assignments": lambda cloud: cloud.identity.role_assignments.list(project=cloud.project_id),
    },
    "image": {"see all images": lambda cloud: cloud.image.http_client.get("/v2/tasks?limit=1")},
    "compute": {
        "list servers of all projects": lambda cloud: cloud.compute.servers.list(
            search_opts={"all_tenants": 1}, limit=1
        ),
        "list key pairs of other users": lambda cloud: cloud.compute.keypairs.list(user_id=NOBODY),
        "list private flavors": lambda cloud: cloud.compute.flavors.list(is_public=None, limit=1),
        "list compute services": lambda cloud: cloud.compute.services.list(),
    },
    "network": {"read and make networks of other projects": lambda cloud: cloud.network.get("quotas", NOBODY)},
    "volume": {
        "list volumes of all projects": lambda cloud: cloud.volume.volumes.list(
            search_opts={"all_tenants": 1}, limit=1
        ),
        "list volume services": lambda cloud: cloud.volume.services.list(),
    },
    "placement": {"list resource providers": lambda cloud: cloud.adapter("placement").get("/resource_providers")},
}


def versions(cloud: Cloud, service: Service) -> Iterator[Finding]:
    """Where a service is, its versions, and the release that these imply."""
    oldest, newest = cloud.versions(service)
    shown = f"API {_dotted(newest)}" if oldest == newest else f"microversions {_dotted(oldest)} to {_dotted(newest)}"
    release = releases.release(service, newest)
    detail = f"{cloud.url(service)}, {shown}{f' ({release})' if release else ''}"
    least, what = LEAST.get(service, ((0, 0), ""))
    if newest < least:
        yield Finding(
            cloud.role,
            service,
            FAILED,
            f"{detail}: too old for {what}, which need {_dotted(least)}",
            "upgrade the service",
        )
    else:
        yield Finding(cloud.role, service, OK, detail)


def rights(cloud: Cloud, service: Service) -> Iterator[Finding]:
    """Try what a migration needs to do."""
    refused, allowed, broken = [], [], False
    for what, call in NEEDS[service].items():
        try:
            call(cloud)
        except Exception as error:
            if status(error) == 403:
                refused.append(what)
            elif not is_missing(error):
                broken = True
                found = failure(error, cloud, f"{service} rights")
                yield dataclasses.replace(found, detail=f"could not {what}: {found.detail}")
        else:
            allowed.append(what)
    if refused:
        detail = f"the account may not {_and(refused)}"
        yield Finding(cloud.role, f"{service} rights", FAILED, detail, needs_admin(cloud))
    elif allowed and not broken:
        yield Finding(cloud.role, f"{service} rights", OK, f"may {_and(allowed)}")


def _and(parts: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def _dotted(version: tuple[int, int]) -> str:
    return "{}.{}".format(*version)
