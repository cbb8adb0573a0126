"""Role inference rules: that who has one role has another one too (Identity API v3, ``/v3/role_inferences``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing, or_none
from pumphouse.resources.base import Named, Wire, Wires, unnamed
from pumphouse.resources.fields import refer
from pumphouse.resources.identity.wire import IdentityType


class ImpliedRole(IdentityType):
    """That one role implies another; both come along. "prior/implied" stands for it.

    Made only where the prior role is one that Pumphouse made. A role that the destination had already keeps the
    meaning that it has there: a rule added to it would give more to everybody who has it.
    """

    type = "implied_role"
    again = True
    parent = "role"
    manager = "inference_rules"
    fields = (
        refer("prior_role_id", "role", "who has this role", match=True),
        refer("implied_role_id", "role", "has this role too", match=True),
    )

    def id(self, resource: Wire) -> str:
        """prior/implied."""
        return f"{resource['prior_role_id']}/{resource['implied_role_id']}"

    def name(self, resource: Wire, named: Named = unnamed) -> str:
        """What implies what."""
        return f"{named('role', resource['prior_role_id'])} implies {named('role', resource['implied_role_id'])}"

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """All of the cloud; none where Keystone is older than implied roles (Newton)."""
        rules = or_none(lambda: [r.to_dict() for r in cloud.identity.inference_rules.list_inference_roles()])
        return [
            {"prior_role_id": rule["prior_role"]["id"], "implied_role_id": implied["id"]}
            for rule in rules or ()
            for implied in rule["implies"]
        ]

    def list_for(self, cloud: Cloud, parents: Iterable[Wire]) -> Wires:
        """What these roles imply."""
        roles = {role["id"] for role in parents}
        return [rule for rule in self.list(cloud) if rule["prior_role_id"] in roles]

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One of them."""
        return next((rule for rule in self.list(cloud) if self.id(rule) == id_), None)

    def leave(self, resource: Wire, made: Callable[[str, str], bool]) -> str | None:
        """What an existing role implies is the destination's policy."""
        if made("role", resource["prior_role_id"]):
            return None
        return "the destination has that role already, and what it implies there is left as it is; add the rule there"

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """PUT /v3/roles/{prior}/implies/{implied}: harmless when it is there already."""
        cloud.identity.inference_rules.create(wanted["prior_role_id"], wanted["implied_role_id"])
        return wanted

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Remove the rule; the roles stay."""
        with ignore_missing():
            cloud.identity.inference_rules.delete(*id_.split("/"))
