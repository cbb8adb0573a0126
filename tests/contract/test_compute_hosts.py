"""Nova: services, hypervisors, availability zones, aggregates."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from tests.acceptance.clouds import Account
from tests.contract.ground import Ground
from tests.contract.wording import refused

HOSTS = {"zed": {"src-c1", "src-c2"}, "2026.1": {"dst-c1"}}
SERVICE = {"binary", "host", "id", "zone", "status", "state", "updated_at", "disabled_reason"}


def test_services(operator: Account, release: str) -> None:
    found = operator.compute.list("/os-services", "services")
    assert all(set(one) == SERVICE | {"forced_down"} for one in found)
    assert {one["binary"] for one in found} == {"nova-scheduler", "nova-conductor", "nova-compute"}
    computes = [one for one in found if one["binary"] == "nova-compute"]
    assert {one["host"] for one in computes} == HOSTS[release]
    assert {(one["zone"], one["status"], one["state"], one["forced_down"]) for one in computes} == {
        ("nova", "enabled", "up", False)
    }
    assert {one["zone"] for one in found if one["binary"] != "nova-compute"} == {"internal"}
    old = operator.compute.call("GET", "/os-services?binary=nova-compute", microversion="2.10").json()["services"]
    assert all(set(one) == SERVICE and isinstance(one["id"], int) for one in old)
    assert {one["host"] for one in old} == HOSTS[release]


def test_services_are_the_operators(member: Account) -> None:
    for path, rule in (
        ("/os-services", "os-services:list"),
        ("/os-hypervisors", "os-hypervisors:list"),
        ("/os-availability-zone/detail", "os-availability-zone:detail"),
        ("/os-aggregates", "os-aggregates:index"),
    ):
        with refused(403, f"Policy doesn't allow os_compute_api:{rule} to be performed."):
            member.compute.call("GET", path)


def test_hypervisors(operator: Account, release: str) -> None:
    found = operator.compute.list("/os-hypervisors", "hypervisors")
    assert {one["hypervisor_hostname"] for one in found} == HOSTS[release]
    assert all(set(one) == {"id", "hypervisor_hostname", "state", "status"} for one in found)
    assert {(one["state"], one["status"]) for one in found} == {("up", "enabled")}
    one = operator.compute.get(f"/os-hypervisors/{found[0]['id']}")
    assert set(one) >= {"hypervisor_type", "hypervisor_version", "host_ip", "service", "uptime"}
    assert one["service"]["host"] == one["hypervisor_hostname"]
    with refused(404, f"Hypervisor with ID '{'0' * 8}-0000-0000-0000-{'0' * 12}' could not be found."):
        operator.compute.get(f"/os-hypervisors/{'0' * 8}-0000-0000-0000-{'0' * 12}")


def test_statistics(operator: Account, release: str) -> None:
    numbers = operator.compute.get("/os-hypervisors/statistics", microversion="2.87")
    assert set(numbers) == {
        "count", "vcpus", "memory_mb", "local_gb", "vcpus_used", "memory_mb_used", "local_gb_used", "free_ram_mb",
        "free_disk_gb", "current_workload", "running_vms", "disk_available_least",
    }  # fmt: skip
    assert numbers["count"] == len(HOSTS[release])
    assert numbers["free_ram_mb"] == numbers["memory_mb"] - numbers["memory_mb_used"]
    detail = operator.compute.list("/os-hypervisors/detail", "hypervisors")
    assert "vcpus" not in detail[0]


def test_zones(operator: Account, member: Account) -> None:
    for account in (operator, member):
        found = account.compute.list("/os-availability-zone", "availabilityZoneInfo")
        assert found == [{"zoneName": "nova", "zoneState": {"available": True}, "hosts": None}]


def test_zones_in_detail(operator: Account, release: str) -> None:
    found = operator.compute.list("/os-availability-zone/detail", "availabilityZoneInfo")
    by_name = {zone["zoneName"]: zone["hosts"] for zone in found}
    assert set(by_name) == {"internal", "nova"}
    assert set(by_name["nova"]) == HOSTS[release]
    assert {name for host in by_name["internal"].values() for name in host} == {"nova-conductor", "nova-scheduler"}


def test_aggregates(operator: Account, name: Callable[[str], str]) -> None:
    called = name("aggregate")
    made = operator.compute.post("/os-aggregates", "aggregate", name=called, availability_zone="elsewhere")
    path = f"/os-aggregates/{made['id']}"
    try:
        assert {"id", "uuid", "name", "availability_zone", "created_at", "updated_at"} <= set(made)
        assert "hosts" not in made
        shown = operator.compute.get(path)
        assert (shown["hosts"], shown["metadata"]) == ([], {"availability_zone": "elsewhere"})
        with refused(409, f"Aggregate {called} already exists."):
            operator.compute.post("/os-aggregates", "aggregate", name=called)
        changed = operator.compute.post(f"{path}/action", "set_metadata", metadata={"disk": "fast"})
        assert changed["metadata"] == {"availability_zone": "elsewhere", "disk": "fast"}
        with refused(404):
            operator.compute.post(f"{path}/action", "add_host", host="nowhere")
    finally:
        operator.compute.delete(path)
    with refused(404, f"Aggregate {made['id']} could not be found."):
        operator.compute.get(path)


def test_a_service_can_be_disabled_and_enabled(operator: Account, release: str) -> None:
    service = operator.compute.list("/os-services", "services", binary="nova-compute")[0]
    path = f"/os-services/{service['id']}"
    try:
        shown = operator.compute.put(path, status="disabled", disabled_reason="contract")
        assert (shown["status"], shown["disabled_reason"], shown["state"]) == ("disabled", "contract", "up")
        with refused(400, "Specifying 'disabled_reason' with status 'enabled' is invalid."):
            operator.compute.put(path, status="enabled", disabled_reason="why")
        with refused(400, "No updates were requested."):
            operator.compute.put(path)
    finally:
        shown = operator.compute.put(path, status="enabled")
    assert (shown["status"], shown["disabled_reason"]) == ("enabled", None)


def test_a_service_is_deleted_only_from_an_empty_host(operator: Account, ground: Ground) -> None:
    nobody = uuid.uuid4()
    with refused(404, f"Service {nobody} not found."):
        operator.compute.call("DELETE", f"/os-services/{nobody}")
    made = ground.boot()
    try:
        host = ground.show(made["id"], account=operator)["OS-EXT-SRV-ATTR:host"]
        (service,) = operator.compute.list("/os-services", "services", binary="nova-compute", host=host)
        with refused(409, "Unable to delete compute service that is hosting instances."):
            operator.compute.call("DELETE", f"/os-services/{service['id']}")
        with refused(403, "os_compute_api:os-services:delete"):
            ground.member.compute.call("DELETE", f"/os-services/{service['id']}")
    finally:
        ground.delete(made["id"])
