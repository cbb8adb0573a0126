"""Nova: groups of servers, quotas and limits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.acceptance.clouds import Account
from tests.contract.wording import refused

Name = Callable[[str], str]

DEFAULTS = {
    "cores": 20,
    "instances": 10,
    "key_pairs": 100,
    "metadata_items": 128,
    "ram": 51200,
    "server_group_members": 10,
    "server_groups": 10,
}
FILES = {"injected_files": 5, "injected_file_content_bytes": 10240, "injected_file_path_bytes": 255}
NETWORK = dict.fromkeys(("fixed_ips", "floating_ips", "security_group_rules", "security_groups"), -1)


# --- groups


def test_group(member: Account, name: Name) -> None:
    called = name("group")
    group = member.compute.post(
        "/os-server-groups", "server_group", name=called, policy="anti-affinity", rules={"max_server_per_host": 3}
    )
    id_ = group.pop("id")
    assert group == {
        "name": called,
        "policy": "anti-affinity",
        "rules": {"max_server_per_host": 3},
        "members": [],
        "project_id": member.project_id,
        "user_id": member.user_id,
    }
    path = f"/os-server-groups/{id_}"
    old = member.compute.get(path, microversion="2.63")
    assert set(old) == {"id", "name", "policies", "metadata", "members", "project_id", "user_id"}
    assert (old["policies"], old["metadata"]) == (["anti-affinity"], {})
    assert set(member.compute.get(path, microversion="2.12")) == {"id", "name", "policies", "metadata", "members"}
    member.compute.delete(path)
    with refused(404, f"Instance group {id_} could not be found."):
        member.compute.get(path)


@pytest.mark.parametrize("policy", ["affinity", "soft-affinity", "soft-anti-affinity"])
def test_policies(member: Account, name: Name, policy: str) -> None:
    group = member.compute.post("/os-server-groups", "server_group", name=name(policy), policy=policy)
    assert (group["policy"], group["rules"]) == (policy, {})
    with refused(400, "Only anti-affinity policy supports rules."):
        member.compute.post("/os-server-groups", "server_group", name=name(policy), policy=policy,
                            rules={"max_server_per_host": 2})  # fmt: skip
    member.compute.delete(f"/os-server-groups/{group['id']}")


def test_whose_groups(operator: Account, member: Account, other: Account, name: Name) -> None:
    group = member.compute.post("/os-server-groups", "server_group", name=name("mine"), policy="affinity")

    def listed(account: Account, **query: str) -> list[str]:
        return [g["id"] for g in account.compute.list("/os-server-groups", "server_groups", **query)]

    assert group["id"] in listed(member)
    assert group["id"] not in listed(other, all_projects="1")
    assert group["id"] not in listed(operator)
    assert group["id"] in listed(operator, all_projects="1", limit="500")
    with refused(404, f"Instance group {group['id']} could not be found."):
        other.compute.get(f"/os-server-groups/{group['id']}")
    member.compute.delete(f"/os-server-groups/{group['id']}")


def test_malformed_groups(member: Account, name: Name) -> None:
    with refused(400):
        member.compute.post("/os-server-groups", "server_group", name=name("wrong"), policy="love")
    with refused(400, "'policy' is a required property"):
        member.compute.post("/os-server-groups", "server_group", name=name("wrong"))


# --- quotas


def test_defaults(operator: Account, member: Account) -> None:
    path = f"/os-quota-sets/{member.project_id}"
    shown = operator.compute.get(path)
    assert shown == {"id": member.project_id, **DEFAULTS}
    assert member.compute.get(path) == shown
    assert operator.compute.get(f"{path}/defaults") == shown
    assert operator.compute.get(path, microversion="2.56") == {**shown, **FILES}
    assert operator.compute.get(path, microversion="2.35") == {**shown, **FILES, **NETWORK}


def test_change(operator: Account, member: Account, other: Account) -> None:
    path = f"/os-quota-sets/{other.project_id}"
    with refused(403, "Policy doesn't allow os_compute_api:os-quota-sets:update to be performed."):
        member.compute.put(path, "quota_set", cores=1)
    with refused(403, "Policy doesn't allow os_compute_api:os-quota-sets:show to be performed."):
        member.compute.get(path)
    changed = {**DEFAULTS, "cores": 7, "ram": -1}
    assert operator.compute.put(path, "quota_set", cores=7, ram=-1) == changed
    assert operator.compute.get(path) == {"id": other.project_id, **changed}
    assert operator.compute.get(f"{path}/defaults") == {"id": other.project_id, **DEFAULTS}
    with refused(400):
        operator.compute.put(path, "quota_set", cores=-2)
    with refused(400):
        operator.compute.put(path, "quota_set", surprises=1)
    answer = operator.compute.call("DELETE", path)
    assert answer.status_code == 202
    assert operator.compute.get(path) == {"id": other.project_id, **DEFAULTS}


def test_of_no_project(operator: Account) -> None:
    with refused(400, f"Project ID {'0' * 32} is not a valid project."):
        operator.compute.get(f"/os-quota-sets/{'0' * 32}")


def test_too_many_groups(operator: Account, other: Account, name: Name) -> None:
    path = f"/os-quota-sets/{other.project_id}"
    operator.compute.put(path, "quota_set", server_groups=1)
    group = other.compute.post("/os-server-groups", "server_group", name=name("first"), policy="affinity")
    with refused(403, "Quota exceeded, too many server groups."):
        other.compute.post("/os-server-groups", "server_group", name=name("second"), policy="affinity")
    detail = operator.compute.get(f"{path}/detail")
    assert detail["server_groups"] == {"in_use": 1, "limit": 1, "reserved": 0}
    with refused(400, "Quota limit 0 for server_groups must be greater than or equal to already used and reserved 1."):
        operator.compute.put(path, "quota_set", server_groups=0)
    assert operator.compute.put(path, "quota_set", server_groups=0, force=True)["server_groups"] == 0
    operator.compute.delete(path)
    other.compute.delete(f"/os-server-groups/{group['id']}")


def test_limits(other: Account) -> None:
    shown = other.compute.get("/limits")
    assert shown["rate"] == []
    assert set(shown["absolute"]) == {
        "maxServerMeta", "maxTotalInstances", "maxTotalRAMSize", "maxTotalCores", "maxTotalKeypairs",
        "maxServerGroups", "maxServerGroupMembers", "totalRAMUsed", "totalCoresUsed", "totalInstancesUsed",
        "totalServerGroupsUsed",
    }  # fmt: skip
    assert shown["absolute"]["maxTotalCores"] == DEFAULTS["cores"]
    assert shown["absolute"]["totalInstancesUsed"] == 0
