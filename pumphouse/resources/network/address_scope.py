"""Address scopes (Networking API v2.0, ``/v2.0/address-scopes``)."""

from __future__ import annotations

from pumphouse.resources.base import Wire
from pumphouse.resources.fields import carry, refer
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.network.wire import BOOKKEEPING, NetworkType, shared_twin


class AddressScope(NetworkType):
    """Ranges between which routers need not translate; a shared one of the same name stands in."""

    type = "address_scope"
    unit = "address_scope"
    collection = "address-scopes"
    rbac = "address_scope"
    extension = "address-scope"
    owned = True
    fields = (
        *BOOKKEEPING,
        carry("name", "not unique", match=True),
        refer("project_id", "project", "the project that owns it", match=True),
        carry("ip_version", "4 or 6", match=True),
        carry("shared", "whether every project may use it"),
    )

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """The project's own, else a shared one."""
        return super().find(inventory, wanted, source) or shared_twin(self, inventory, wanted)
