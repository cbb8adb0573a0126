"""Quotas that are not the clouds' own."""

from __future__ import annotations

from tests.acceptance.clouds import Account, Json
from tests.acceptance.tenant.model import Tenant

#: Where each service keeps them: (path, envelope, path of its own defaults).
PLACES = {
    "compute": ("/os-quota-sets/{}", "quota_set", "/os-quota-sets/{}/defaults"),
    "volume": ("/os-quota-sets/{}", "quota_set", "/os-quota-sets/{}/defaults"),
    "network": ("/quotas/{}", "quota", "/quotas/{}/default"),
}


def build(source: Account, tenant: Tenant) -> None:
    """One more than the default of each, or a thousand where there is no limit."""
    for service, (path, envelope, _) in PLACES.items():
        given = defaults(source, service, tenant.project_id)
        changed = {key: 1000 if value == -1 else value + 1 for key, value in given.items()}
        getattr(source, service).put(path.format(tenant.project_id), envelope, **changed)
        # the project below has none of its own
        ids = {"flipped": tenant.project_id, "plain": tenant.id("project", "flipped")}
        tenant.ids[f"{service}_quota"] = ids


def read(cloud: Account, service: str, project_id: str) -> Json:
    """The project's limits."""
    answer = getattr(cloud, service).get(PLACES[service][0].format(project_id))
    return {key: value for key, value in answer.items() if isinstance(value, int)}


def defaults(cloud: Account, service: str, project_id: str) -> Json:
    """What a project gets of whom nothing was said."""
    answer = getattr(cloud, service).get(PLACES[service][2].format(project_id))
    return {key: value for key, value in answer.items() if isinstance(value, int)}
