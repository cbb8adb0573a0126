"""Groups of users (Identity API v3, ``/v3/groups``)."""

from __future__ import annotations

from pumphouse.clouds.cloud import Cloud
from pumphouse.resources.base import Wire
from pumphouse.resources.fields import carry, refer, report
from pumphouse.resources.identity.wire import IdentityType


class Group(IdentityType):
    """A group that has a role on the project; one of the same name in its domain's counterpart is used as it is.

    It comes with all its members; see ``membership``.
    """

    type = "group"
    manager = "groups"
    scope = {"domain_id": "domain_id"}
    fields = (
        report("id", "chosen by the destination"),
        carry("name", "unique in its domain", match=True),
        refer("domain_id", "domain", "the domain that owns it", match=True),
        carry("description", "free text"),
        report("links", "addresses in the source's API"),
    )
    # Keystone keeps whatever else was given to a group.
    others = "carry"

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """POST /v3/groups."""
        body = self.body(wanted)
        body["domain"] = body.pop("domain_id")
        return dict(cloud.identity.groups.create(**body).to_dict())
