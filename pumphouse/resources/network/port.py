"""Ports (Networking API v2.0, ``/v2.0/ports``) of servers, and those that wait for one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.resources.base import Named, Wire, Wires, unnamed
from pumphouse.resources.fields import Lookup, carry, refer, report, some, text, unordered
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.network.wire import BOOKKEEPING, NetworkType, without_automatic


def is_tenants(port: Wire) -> bool:
    """Whether a port is a tenant's; those of DHCP, routers and metadata are the cloud's own."""
    owner = port.get("device_owner") or ""
    return owner.startswith("compute:") or owner in ("", "trunk:subport")


def _profile(value: Any) -> bool:
    """A binding profile that says more than what follows from a trunk."""
    return bool(set(value or ()) - {"parent_name", "tag"})


def _takes(port: Wire) -> list[str]:
    """What nobody else on its network can have."""
    return [port["mac_address"], *(ip["ip_address"] for ip in port.get("fixed_ips", ()))]


class Port(NetworkType):
    """A port with its MAC and fixed addresses; in the unit of its server, if it has one."""

    type = "port"
    collection = "ports"
    parent = "server"
    parent_field = "device_id"
    owned = True
    scope = {"network_id": "network_id"}
    fields = (
        *BOOKKEEPING,
        carry("name", "not unique"),
        refer("network_id", "network", "where it is plugged", match=True),
        refer("project_id", "project", "the project that owns it"),
        carry("mac_address", "kept, so that guests find their devices", match=True),
        refer("fixed_ips", "subnet", "its addresses, in order", at="*.subnet_id"),
        refer("security_groups", "security_group", "what may pass", at="*", normal=unordered),
        carry("allowed_address_pairs", "addresses that it may also use", extension="allowed-address-pairs"),
        carry("port_security_enabled", "whether anything is filtered", extension="port-security"),
        carry("admin_state_up", "whether it forwards packets"),
        carry("description", "free text"),
        carry("binding:vnic_type", "normal, direct, ..."),
        carry("extra_dhcp_opts", "told to its guest", extension="extra_dhcp_opt", normal=unordered),
        carry("propagate_uplink_status", "for SR-IOV", extension="uplink-status-propagation", omit_null=True),
        carry("numa_affinity_policy", "for pinned guests", extension="port-numa-affinity-policy", omit_null=True),
        carry("dns_domain", "where its name is published", extension="dns-domain-ports", omit_null=True),
        carry("tags", "simple labels", normal=unordered),
        carry("dns_name", "published name; of a server's port Nova sets it from the hostname",
              extension="dns-integration", omit_null=True, loose=True, normal=text),
        # Nova sets the next two when the server takes the port.
        report("device_id", "set by Nova when the server takes it"),
        report("device_owner", "set by Nova when the server takes it"),
        report("dns_assignment", "follows from its name and addresses"),
        report("binding:host_id", "where the destination runs its server"),
        report("binding:profile", "of the source's hardware", worth=_profile),
        report("binding:vif_type", "the destination's own choice"),
        report("binding:vif_details", "the destination's own choice"),
        refer("qos_policy_id", "qos_policy", "its limits", extension="qos"),
        report("qos_network_policy_id", "follows from its network"),
        report("resource_request", "follows from the QoS policy"),
        report("trunk_details", "a trunk is a resource of its own"),
        report("ip_allocation", "immediate for all that have addresses"),
        report("data_plane_status", "set by a fault monitor"),
        report("hints", "of the source's driver", worth=some),
        report("trusted", "of the source's hardware", worth=some),
        report("hardware_offload_type", "of the source's hardware", worth=some),
        report("device_profile", "of the source's hardware", worth=some),
        report("status", "ACTIVE once its server runs"),
    )  # fmt: skip

    def name(self, resource: Wire, named: Named = unnamed) -> str:
        """The addresses, and the name if it has one."""
        addresses = ", ".join(ip["ip_address"] for ip in resource.get("fixed_ips", ()))
        return f"{resource.get('name') or ''} {addresses or resource['mac_address']}".strip()

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """Tenants' ports only, but all of them when a network is asked for what is taken."""
        found = super().list(cloud, **scope)
        return found if scope.get("network_id") else [port for port in found if is_tenants(port)]

    def list_for(self, cloud: Cloud, parents: Any) -> Wires:
        """The ports of servers."""
        return [port for port in super().list_for(cloud, parents) if is_tenants(port)]

    def translate(self, resource: Wire, lookup: Lookup) -> Wire:
        """Without the name that Nova will give a server's port, and refuses to find there."""
        wanted = super().translate(resource, lookup)
        if resource.get("device_id"):
            wanted.pop("dns_name", None)
        return wanted

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """Automatic addresses follow from its MAC."""
        return super().create(cloud, {**wanted, "fixed_ips": without_automatic(cloud, wanted.get("fixed_ips") or [])})

    def obstacle(self, resource: Wire, source: Inventory, destination: Inventory) -> str | None:
        """A port of another service is made by that service."""
        if is_tenants(resource):
            return None
        return f"belongs to {resource['device_owner']}, which Pumphouse does not move"

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """Whatever has its MAC or one of its addresses on the same network."""
        taken = inventory.index(self.type, "taken", _takes, network_id=wanted["network_id"])
        return next((taken[one][0] for one in _takes(wanted) if one in taken), None)

    def clash(self, found: Wire, wanted: Wire, source: Wire) -> Sequence[str]:
        """A port that is in use, or has other addresses, cannot stand in."""
        different = [name for name in ("mac_address", "fixed_ips") if found.get(name) != wanted.get(name)]
        return different + (["device_id"] if found.get("device_id") else [])
