"""Tenants of a cloud: its projects, with what they have, their counterparts, and the migrations that move them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pumphouse.api.clouds.clouds import Clouds
from pumphouse.api.clouds.listing import Listing, View
from pumphouse.api.clouds.rows import Row
from pumphouse.api.clouds.shown import Asked, cut, until
from pumphouse.config import Role
from pumphouse.store import tenancy

#: What is counted for each, and in which service.
COUNTED = ("server", "volume", "image")
#: Seconds that an answer waits for the counts.
COUNTS = 0.4
#: The state of a tenant that no migration has.
NEVER = "none"

Json = dict[str, Any]


@dataclass(frozen=True)
class Ties:
    """What our database knows of the projects of a cloud."""

    #: Project -> its counterpart in the other cloud.
    counterparts: Mapping[str, str]
    #: Project -> id and state of the newest migration that has it.
    migrations: Mapping[str, tuple[int, str]]


def ties(clouds: Clouds, role: Role) -> Ties:
    """Of the projects of one cloud; migrations are about the source's."""
    pair = clouds.pair
    there = tenancy.counterparts(clouds.store, pair, "project")
    moved = tenancy.newest_of_projects(clouds.store, pair)
    if role == "source":
        return Ties(there, moved)
    return Ties(
        {new: old for old, new in there.items()}, {there[old]: found for old, found in moved.items() if old in there}
    )


def page(
    clouds: Clouds, role: Role, asked: Asked, domain: str | None = None, state: str | None = None
) -> tuple[list[Json], str | None, int | None, Json]:
    """(the tenants, the marker of what follows, how many there are, what else stands at the top).

    ``domain``: id or name; ``state``: of its newest migration, "none" for those without. However slow a service is,
    this takes a moment: what it would have told is null, and it is named.
    """
    began = time.monotonic()
    projects, domains = clouds.listing(role, "project"), clouds.listing(role, "domain")
    counted = {type_: clouds.listing(role, type_) for type_ in COUNTED}
    asked_for = [(one, one.ask(renew=asked.renew)) for one in (projects, domains, *counted.values())]
    end = until(renew=asked.renew)
    for listing, number in asked_for:
        patience = end if listing is projects or asked.renew else min(end, began + COUNTS)
        listing.wait_for(number, patience, renew=asked.renew)
    view, known = projects.view(), ties(clouds, role)
    test = _test(asked.search, domain, state, domains, known)
    rows, marker, total = cut(view.rows, asked, test)
    moving = {known.migrations[row.id][0] for row in rows if row.id in known.migrations}
    totals = tenancy.totals(clouds.store, moving)
    items = [_tenant(row, domains, counted, known, totals) for row in rows]
    views = [listing.view() for listing in (domains, *counted.values())]
    top = _top([view, *views], ["identity", "identity", "compute", "volume", "image"])
    return items, marker, total if view.complete else None, top


def _test(
    search: str | None, domain: str | None, state: str | None, domains: Listing, known: Ties
) -> Callable[[Row], bool]:
    """Whether a project is a tenant, and one that is looked for."""
    text = (search or "").casefold()

    def test(row: Row) -> bool:
        domain_id, _enabled, _description, of_the_cloud = row.values
        if of_the_cloud or (text and text not in row.folded and text not in row.id):
            return False
        if domain and domain != domain_id and domain != _name(domains, domain_id):
            return False
        return not state or state == known.migrations.get(row.id, (0, NEVER))[1]

    return test


def _name(domains: Listing, domain_id: str) -> str | None:
    found = domains.find(domain_id)
    return found.name if found else None


def _tenant(
    row: Row, domains: Listing, counted: Mapping[str, Listing], known: Ties, totals: Mapping[int, tenancy.Totals]
) -> Json:
    domain_id, enabled, description, _of_the_cloud = row.values
    numbers = {type_: listing.counted(row.id) or (None, None) for type_, listing in counted.items()}
    migration = known.migrations.get(row.id)
    return {
        "id": row.id,
        "name": row.name,
        "domain_id": domain_id,
        "domain_name": _name(domains, domain_id),
        "enabled": enabled,
        "description": description,
        "servers": numbers["server"][0],
        "volumes": numbers["volume"][0],
        "volume_gib": numbers["volume"][1],
        "images": numbers["image"][0],
        "counterpart_id": known.counterparts.get(row.id),
        "migration": _migration(*migration, totals[migration[0]]) if migration else None,
    }


def _migration(id_: int, state: str, totals: tenancy.Totals) -> Json:
    return {
        "id": id_,
        "state": state,
        "units": totals.units,
        "units_done": totals.done,
        "units_failed": totals.failed,
        "bytes_done": totals.bytes_done,
        "bytes_total": totals.bytes_total,
    }


def _top(views: list[View], services: list[str]) -> Json:
    """Whether all was read, what failed, and how old the oldest of it is."""
    failures: dict[str, str] = {}
    for view, service in zip(views, services, strict=True):
        if view.error is not None:
            failures.setdefault(service, view.error)
    return {
        "complete": all(view.complete for view in views),
        "failures": [{"service": service, "error": error} for service, error in failures.items()],
        "age": round(max(view.age for view in views), 1),
    }
