"""The names of one kind that a cloud has, as mappings take them; read each time."""

from __future__ import annotations

from pumphouse.api.clouds.clouds import Clouds
from pumphouse.api.clouds.single import in_time
from pumphouse.clouds.cloud import Service
from pumphouse.config import Role
from pumphouse.planning import mapping
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.registry import TYPES

#: Which service knows the names of a kind; of zones Nova is asked first.
SERVICE: dict[str, Service] = {
    "domains": "identity",
    "roles": "identity",
    "flavors": "compute",
    "volume_types": "volume",
    "networks": "network",
    "availability_zones": "compute",
    "physical_networks": "network",
}


def names(clouds: Clouds, role: Role, kind: str) -> list[str]:
    """Each once, sorted. Raises CloudError, and what the client libraries do, where the service does not answer."""
    inventory = Inventory(clouds.cloud(role), TYPES, lambda _: None)
    return in_time(clouds, role, SERVICE[kind], lambda: mapping.names_of(inventory, kind))
