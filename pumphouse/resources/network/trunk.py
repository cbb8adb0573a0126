"""Trunks with their sub-ports (Networking API v2.0, ``/v2.0/trunks``)."""

from __future__ import annotations

from pumphouse.clouds.cloud import Cloud
from pumphouse.resources.base import Named, Wire, unnamed
from pumphouse.resources.fields import carry, refer, report, unordered
from pumphouse.resources.network.wire import BOOKKEEPING, NetworkType


class Trunk(NetworkType):
    """Several networks through one port of a server. In the server's unit, as its port must not be in use yet."""

    type = "trunk"
    unit = "trunk"
    collection = "trunks"
    extension = "trunk"
    owned = True
    parent = "port"
    parent_field = "port_id"
    fields = (
        *BOOKKEEPING,
        carry("name", "not unique"),
        refer("project_id", "project", "the project that owns it"),
        refer("port_id", "port", "the port that the server has", match=True),
        refer("sub_ports", "port", "what else comes through it, each with its tag", at="*.port_id", normal=unordered),
        carry("admin_state_up", "whether it forwards packets"),
        carry("description", "free text"),
        carry("tags", "simple labels", normal=unordered),
        report("status", "ACTIVE once its server runs"),
    )

    def name(self, resource: Wire, named: Named = unnamed) -> str:
        """Its name, or its port's."""
        return str(resource.get("name") or named("port", resource["port_id"]))

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Neutron removes no trunk that is disabled: it is enabled first."""
        trunk = self.get(cloud, id_)
        if trunk and not trunk["admin_state_up"]:
            cloud.network.update(self.collection, id_, {"admin_state_up": True})
        super().delete(cloud, id_)
