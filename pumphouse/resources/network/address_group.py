"""Address groups (Networking API v2.0, ``/v2.0/address-groups``), to which rules of security groups refer."""

from __future__ import annotations

from pumphouse.resources.fields import carry, refer, report, unordered
from pumphouse.resources.network.wire import BOOKKEEPING, NetworkType


class AddressGroup(NetworkType):
    """Named addresses, for the other side of a rule."""

    type = "address_group"
    unit = "address_group"
    collection = "address-groups"
    extension = "address-group"
    owned = True
    fields = (
        *BOOKKEEPING,
        carry("name", "not unique", match=True),
        refer("project_id", "project", "the project that owns it", match=True),
        carry("description", "free text"),
        carry("addresses", "ranges", normal=unordered),
        report("shared", "follows from RBAC policies, each a resource of its own"),
    )
