"""One of each type that the awkward tenant lacks, made in a cloud, read as its API shows it, and taken away again."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

from tests.acceptance.clouds import Account, Json, wait

#: Types that are relations between two things: the API has calls that make and end them, and no body to read.
RELATIONS = {"membership", "implied_role", "router_interface", "volume_type_qos"}


@contextlib.contextmanager
def specimens(cloud: Account, prefix: str) -> Iterator[dict[str, Json]]:
    """Type -> what its API shows."""
    with contextlib.ExitStack() as stack:
        found: dict[str, Json] = {}
        for part in (_identity, _network, _compute, _volume):
            found |= part(cloud, f"{prefix} specimen", stack)
        yield found


def _identity(cloud: Account, name: str, stack: contextlib.ExitStack) -> dict[str, Json]:
    api = cloud.identity
    group = api.post("/groups", "group", name=name, domain_id="default")
    stack.callback(api.delete, f"/groups/{group['id']}")
    blob = json.dumps({"note": name})
    credential = api.post("/credentials", "credential", type="cert", blob=blob, user_id=cloud.user_id)
    stack.callback(api.delete, f"/credentials/{credential['id']}")
    return {
        "group": api.get(f"/groups/{group['id']}"),
        "credential": api.get(f"/credentials/{credential['id']}"),
    }


def _network(cloud: Account, name: str, stack: contextlib.ExitStack) -> dict[str, Json]:
    def make(collection: str, key: str, **body: object) -> Json:
        made = cloud.network.post(f"/{collection}", key, **body)
        stack.callback(cloud.network.delete, f"/{collection}/{made['id']}")
        return cloud.network.get(f"/{collection}/{made['id']}")

    policy = make("qos/policies", "policy", name=name)
    cloud.network.post(f"/qos/policies/{policy['id']}/bandwidth_limit_rules", "bandwidth_limit_rule", max_kbps=1000)
    outside = make("networks", "network", name=name, **{"router:external": True})
    make("subnets", "subnet", network_id=outside["id"], ip_version=4, cidr="198.18.77.0/24", enable_dhcp=False)
    inside = make("networks", "network", name=name)
    port = make("ports", "port", network_id=inside["id"])
    return {
        "qos_policy": cloud.network.get(f"/qos/policies/{policy['id']}"),
        "address_scope": make("address-scopes", "address_scope", name=name, ip_version=4),
        "subnet_pool": make("subnetpools", "subnetpool", name=name, prefixes=["198.18.78.0/24"]),
        "address_group": make("address-groups", "address_group", name=name, addresses=["198.18.79.0/24"]),
        "router": make("routers", "router", name=name, external_gateway_info={"network_id": outside["id"]}),
        "trunk": make("trunks", "trunk", name=name, port_id=port["id"]),
        "floating_ip": make("floatingips", "floatingip", floating_network_id=outside["id"]),
        "rbac_policy": make(
            "rbac-policies",
            "rbac_policy",
            object_type="network",
            object_id=inside["id"],
            target_tenant=cloud.project_id,
            action="access_as_shared",
        ),
        "network_quota": cloud.network.get(f"/quotas/{cloud.project_id}"),
    }


def _compute(cloud: Account, name: str, stack: contextlib.ExitStack) -> dict[str, Json]:
    api = cloud.compute
    group = api.post("/os-server-groups", "server_group", name=name, policy="anti-affinity")
    stack.callback(api.delete, f"/os-server-groups/{group['id']}")
    return {
        "server_group": api.get(f"/os-server-groups/{group['id']}"),
        "compute_quota": api.get(f"/os-quota-sets/{cloud.project_id}"),
    }


def _volume(cloud: Account, name: str, stack: contextlib.ExitStack) -> dict[str, Json]:
    api = cloud.volume
    specs = api.call("POST", "/qos-specs", json={"qos_specs": {"name": name, "consumer": "front-end"}}).json()[
        "qos_specs"
    ]
    stack.callback(api.delete, f"/qos-specs/{specs['id']}")
    kind = api.post("/types", "volume_type", name=name, **{"os-volume-type-access:is_public": False})
    stack.callback(api.delete, f"/types/{kind['id']}")
    encryption = {"provider": "luks", "control_location": "front-end", "cipher": "aes-xts-plain64", "key_size": 256}
    api.post(f"/types/{kind['id']}/encryption", "encryption", **encryption)
    api.call("POST", f"/types/{kind['id']}/action", json={"addProjectAccess": {"project": cloud.project_id}})
    (access,) = api.list(f"/types/{kind['id']}/os-volume-type-access", "volume_type_access")
    # Limits by volume type are named after the cloud's own types.
    by_type = tuple(f"_{found['name']}" for found in api.list("/types?is_public=None", "volume_types"))
    limits = api.get(f"/os-quota-sets/{cloud.project_id}")
    return {
        "volume_snapshot": _snapshot(cloud, name, stack),
        "qos_spec": api.call("GET", f"/qos-specs/{specs['id']}").json()["qos_specs"],
        "volume_type_encryption": api.call("GET", f"/types/{kind['id']}/encryption").json(),
        "volume_type_access": access,
        "volume_quota": {name: value for name, value in limits.items() if not name.endswith(by_type)},
    }


def _snapshot(cloud: Account, name: str, stack: contextlib.ExitStack) -> Json:
    api = cloud.volume

    def remove(path: str) -> None:
        api.delete(path)
        wait(lambda: api.find(path), lambda seen: seen is None, f"{path} to go")

    volume = api.post("/volumes", "volume", name=name, size=1)
    stack.callback(remove, f"/volumes/{volume['id']}")
    wait(lambda: api.get(f"/volumes/{volume['id']}"), lambda v: v["status"] == "available", "the volume")
    path = f"/snapshots/{api.post('/snapshots', 'snapshot', name=name, volume_id=volume['id'])['id']}"
    stack.callback(remove, path)
    return wait(lambda: api.get(path), lambda snapshot: snapshot["status"] == "available", "the snapshot")
