"""All that an embedded Neutron knows. Plain data."""

from __future__ import annotations

import dataclasses

from pumphouse.embedded.network.tables import Table
from pumphouse.embedded.service import Json

#: Collection -> the fields by which rows are looked for. A field with ``_`` in front is never shown.
INDEXED: dict[str, tuple[str, ...]] = {
    "networks": ("project_id", "qos_policy_id"),
    "subnets": ("project_id", "network_id", "subnetpool_id"),
    "ports": ("project_id", "network_id", "device_id", "security_groups", "qos_policy_id"),
    "security_groups": ("project_id", "name"),
    "security_group_rules": ("project_id", "security_group_id", "remote_group_id", "remote_address_group_id"),
    "address_groups": ("project_id",),
    "routers": ("project_id", "_gateway_network"),
    "floatingips": ("project_id", "port_id", "router_id", "floating_network_id", "qos_policy_id"),
    "subnetpools": ("project_id", "address_scope_id"),
    "address_scopes": ("project_id",),
    "policies": ("project_id",),
    "trunks": ("project_id", "port_id", "_sub_port_ids"),
    "rbac_policies": ("project_id", "object_id", "target_tenant"),
}


@dataclasses.dataclass
class NetworkState:
    """Rows, and what is derived from them so that nothing is searched."""

    tables: dict[str, Table] = dataclasses.field(
        default_factory=lambda: {collection: Table(fields) for collection, fields in INDEXED.items()}
    )
    #: Subnet -> address as a number -> port.
    addresses: dict[str, dict[int, str]] = dataclasses.field(default_factory=dict)
    #: Subnet -> the address behind which the next free one is looked for.
    cursors: dict[str, int] = dataclasses.field(default_factory=dict)
    #: Network -> MAC -> port.
    macs: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)
    #: Kind of network (with its physical network) -> segmentation id -> network.
    segments: dict[str, dict[int, str]] = dataclasses.field(default_factory=dict)
    #: Project -> the limits that are not the defaults.
    quotas: dict[str, Json] = dataclasses.field(default_factory=dict)
    #: Machines that have agents, in the order in which these have reported first.
    hosts: list[str] = dataclasses.field(default_factory=list)
    #: Ids of agents that were deleted, of machines that do not report any more.
    deleted_agents: set[str] = dataclasses.field(default_factory=set)
    #: The last number of a row in the table that all resources share.
    numbers: int = 0
