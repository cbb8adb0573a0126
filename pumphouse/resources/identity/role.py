"""Roles (Identity API v3, ``/v3/roles``)."""

from __future__ import annotations

from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.resources.base import Wire, Wires
from pumphouse.resources.fields import carry, refer, report
from pumphouse.resources.identity.wire import IdentityType


class Role(IdentityType):
    """A role; one of the same name (and domain) is used as it is: what it allows is the destination's policy."""

    type = "role"
    manager = "roles"
    mapping = "roles"
    scope = {"domain_id": "domain_id"}
    fields = (
        report("id", "chosen by the destination"),
        carry("name", "unique among the global roles, or in its domain", match=True),
        refer("domain_id", "domain", "null for a global role", match=True),
        carry("description", "free text"),
        carry("options", "resource options such as immutable"),
        report("links", "addresses in the source's API"),
    )

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """Global roles without a domain, else those of the domain: Keystone never lists both at once."""
        filters = {"domain_id": scope["domain_id"]} if scope.get("domain_id") else {}
        return [role.to_dict() for role in cloud.identity.roles.list(**filters)]

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """POST /v3/roles."""
        body = self.body(wanted)
        body["domain"] = body.pop("domain_id", None)
        return dict(cloud.identity.roles.create(**body).to_dict())
