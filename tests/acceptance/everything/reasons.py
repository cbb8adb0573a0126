"""Why a field cannot be set otherwise, or does not arrive. The page ``docs/fields.md`` tells it."""

from __future__ import annotations

#: In every type.
OF_THE_SERVICE = (
    *("id", "links", "self", "file", "schema", "revision_number"),
    *("created_at", "updated_at", "created", "updated"),
)


def _all(reason: str, *fields: str) -> dict[str, str]:
    return dict.fromkeys(fields, reason)


OLDER = _all("an older name of project_id", "tenant_id")
STATUS = _all("what the service makes of it", "status")
ONE_IN_A_CLOUD = "one in a cloud may be it, which would change what other tenants get"
NO_ZONES = "zones of network agents: the destination of the lab has none"
OWN_TYPE = "each is a resource of its own"
HARDWARE = "set by Nova and the agents, from the hosts' hardware"
ZONE = "both clouds of the lab have one zone of this name"

#: What no request of a tenant or its operator sets, or what cannot be set in the lab.
FIXED: dict[str, dict[str, str]] = {
    "domain": _all("an immutable domain can never be changed again, nor deleted", "options"),
    "project": _all("true only of domains", "is_domain"),
    "user": _all("the service's own policy", "password_expires_at"),
    "credential": _all("null for all that belong to a user", "trust_id"),
    "compute_quota": _all("the project's", "name"),
    "volume_quota": _all("the project's", "name"),
    "network_quota": _all("the project's", "name"),
    "flavor": _all("no request sets it any more", "OS-FLV-DISABLED:disabled"),
    "keypair": _all("of the row in the database", "deleted", "deleted_at")
    | _all("follows from the key", "fingerprint"),
    "image": STATUS
    | _all("follows from the bytes", "size", "virtual_size", "checksum", "os_hash_value")
    | _all("the service's choice", "os_hash_algo", "stores"),
    "qos_policy": OLDER | _all(ONE_IN_A_CLOUD, "is_default"),
    "address_scope": OLDER,
    "subnet_pool": OLDER | _all(ONE_IN_A_CLOUD, "is_default") | _all("follows from its prefixes", "ip_version"),
    "address_group": OLDER,
    "network": OLDER
    | STATUS
    | _all(OWN_TYPE, "subnets")
    | _all(NO_ZONES, "availability_zones", "availability_zone_hints")
    | _all("follows from its subnets", "ipv4_address_scope", "ipv6_address_scope")
    | _all("external networks are the operator's: they are found by name, never made", "router:external"),
    "subnet": OLDER,
    "security_group": OLDER | _all(OWN_TYPE, "security_group_rules") | _all("follows from RBAC policies", "shared"),
    "security_group_rule": OLDER | _all("follows from remote_ip_prefix", "normalized_cidr"),
    "port": OLDER
    | STATUS
    | _all(HARDWARE, "binding:host_id", "binding:profile", "binding:vif_details", "binding:vif_type")
    | _all("set by the service that takes the port", "device_id", "device_owner")
    | _all("follows from the network's QoS policy", "qos_network_policy_id", "resource_request"),
    "router": OLDER
    | STATUS
    | _all(NO_ZONES, "availability_zones", "availability_zone_hints")
    | _all("the lab's routers are neither, and can be neither", "distributed", "ha")
    | _all("the lab has none", "flavor_id"),
    "floating_ip": OLDER | STATUS | _all("follows from its port", "port_details"),
    "trunk": OLDER | STATUS,
    "rbac_policy": OLDER,
    "volume_type": _all("another name of os-volume-type-access:is_public", "is_public"),
    "volume": STATUS
    | _all(ZONE, "availability_zone")
    | _all("the lab's driver cannot", "multiattach", "encrypted", "group_id", "consistencygroup_id", "cluster_name")
    | _all(
        "where and how the service keeps it",
        *("os-vol-host-attr:host", "os-vol-mig-status-attr:migstat", "os-vol-mig-status-attr:name_id"),
        *("migration_status", "provider_id", "replication_status", "service_uuid", "shared_targets"),
        "consumes_quota",
    )
    | _all("what it was once made from: its bytes are its own", "snapshot_id", "source_volid"),
    "server": _all(ZONE, "OS-EXT-AZ:availability_zone")
    | _all(
        "of the moment, and of its host",
        *("OS-EXT-SRV-ATTR:host", "OS-EXT-SRV-ATTR:hypervisor_hostname", "OS-EXT-SRV-ATTR:instance_name"),
        *("OS-EXT-SRV-ATTR:reservation_id", "OS-EXT-SRV-ATTR:launch_index", "OS-EXT-STS:power_state"),
        *("OS-EXT-STS:task_state", "OS-EXT-STS:vm_state", "OS-SRV-USG:launched_at", "OS-SRV-USG:terminated_at"),
        *("hostId", "host_status", "progress"),
    )
    | _all("the first disk's device in all that the lab's driver makes", "OS-EXT-SRV-ATTR:root_device_name")
    | _all("the lab's guest boots from its disk alone", "OS-EXT-SRV-ATTR:kernel_id", "OS-EXT-SRV-ATTR:ramdisk_id")
    | _all("certificates need a key manager, which the lab has not", "trusted_image_certificates"),
}

#: What has been set, and does not arrive.
LOST: dict[str, dict[str, str]] = {
    "network": _all(
        "the destination's own choice", "provider:network_type", "provider:physical_network", "provider:segmentation_id"
    ),
    "volume": _all("the account that Pumphouse works with", "user_id"),
    "server": _all("the account that Pumphouse works with", "user_id")
    | _all("its root disk comes from a snapshot of the server", "image"),
    "server_group": _all("the account that Pumphouse works with", "user_id"),
}
