"""What is found before anything moves. Each check is tried alone, on answers as the services give them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pumphouse.planning import checks
from pumphouse.planning.checks import addresses, disks, features, quotas, room, services
from pumphouse.planning.checks.subject import Subject
from pumphouse.planning.discovery import Found
from pumphouse.planning.plan import Item

FLAVOR = {"id": "f", "vcpus": 2, "ram": 512, "disk": 5}
SERVER = {"name": "web", "tenant_id": "p", "flavor": {"id": "f"}, "image": {"id": "i"}, "status": "ACTIVE"}
VOLUME = {"size": 3, "os-vol-tenant-attr:tenant_id": "p", "volume_type_id": "t", "status": "available"}


def subject(*resources, source=None, destination=None, project_there=None, action="create"):
    """``resources``: (type, id, wire)."""
    found, items = Found(), [Item("project", "p", "acme", "reuse" if project_there else "create", "")]
    items[0].destination_id = project_there
    found.resources["project", "p"] = {"id": "p"}
    for type_, id_, wire in resources:
        found.resources[type_, id_] = wire
        items.append(Item(type_, id_, f"the {type_}", action, ""))
    clouds = [cloud or SimpleNamespace() for cloud in (source, destination)]
    return Subject(
        *(SimpleNamespace(cloud=cloud, list=getattr(cloud, "listed", None)) for cloud in clouds), items, found
    )


def said(findings):
    return [(finding.level, finding.type, finding.id, finding.reason) for finding in findings]


class Quotas:
    """Nova's and Cinder's, as their clients show them."""

    def __init__(self, limits, used):
        self.limits, self.used = limits, used

    def _answer(self, shown):
        return SimpleNamespace(to_dict=lambda: {"id": "x", **shown})

    def get(self, project, detail=False, usage=False):
        if not (detail or usage):
            return self._answer(self.limits)
        used = {n: {"limit": v, "in_use": self.used.get(n, 0), "reserved": 0} for n, v in self.limits.items()}
        return self._answer(used)

    def defaults(self, project):
        return self._answer(self.limits)


def cloud(limits, used=None):
    quotas = Quotas(limits, used or {})
    return SimpleNamespace(
        project_id="admin",
        compute=SimpleNamespace(quotas=quotas),
        volume=SimpleNamespace(
            quotas=quotas, volume_types=SimpleNamespace(list=lambda is_public: [SimpleNamespace(id="t", name="lvm")])
        ),
    )


# Quotas


@pytest.mark.parametrize(("limit", "blocks"), [(3, True), (4, False), (-1, False)])
def test_a_quota_too_small_by_one_blocks(limit, blocks):
    there = cloud({"instances": 10, "cores": limit, "ram": 51200})
    plan = subject(("flavor", "f", FLAVOR), ("server", "a", SERVER), ("server", "b", SERVER), destination=there)
    found = list(quotas.compute(plan))
    assert bool(found) == blocks
    if blocks:
        reason = "needs 4 of cores: the quota that it will have in the destination is 3"
        assert said(found) == [("blocks", "project", "p", reason)]
        assert found[0].remedy.startswith("raise cores to at least 4 in the destination (the default, or in the source")


def test_what_a_project_has_there_already_counts():
    there = cloud({"instances": 10, "cores": 10, "ram": 1500}, {"ram": 1000, "cores": 8})
    plan = subject(("flavor", "f", FLAVOR), ("server", "a", SERVER), destination=there, project_there="P")
    (found,) = quotas.compute(plan)
    assert found.reason == "needs 512 MiB of ram: its quota in the destination is 1500 MiB, 1000 MiB are in use"


def test_limits_that_are_carried_along_come_first():
    there = cloud({"instances": 1, "cores": 1, "ram": 51200})
    limits = {"id": "p", "cores": 20, "instances": 1, "defaults": {"cores": 1, "instances": 1}}
    plan = subject(("flavor", "f", FLAVOR), ("server", "a", SERVER), ("compute_quota", "p", limits), destination=there)
    assert list(quotas.compute(plan)) == []
    plan = subject(("flavor", "f", FLAVOR), ("server", "a", SERVER), destination=there)
    assert len(list(quotas.compute(plan))) == 1


def test_volumes_count_by_size_and_type():
    there = cloud({"volumes": 10, "gigabytes": 100, "gigabytes_lvm": 5, "volumes_lvm": -1})
    plan = subject(("volume", "a", VOLUME), ("volume", "b", VOLUME), destination=there)
    plan.items.append(Item("volume_type", "t", "lvm", "reuse", "", destination_id="t"))
    (found,) = quotas.volume(plan)
    assert found.reason.startswith("needs 6 GiB of gigabytes_lvm: the quota that it will have in the destination is 5")


def test_neutron_tells_what_is_used_in_its_details():
    def get(collection, id_):
        if id_.endswith("/details"):
            return {"network": {"used": 2, "reserved": 0, "limit": 3}}
        return {"network": 3, "subnet": -1}

    network = SimpleNamespace(extensions=lambda: {"quota_details"}, get=get)
    there = SimpleNamespace(project_id="admin", network=network)
    nets = [("network", str(number), {"project_id": "p"}) for number in range(2)]
    (found,) = quotas.network(subject(*nets, destination=there, project_there="P"))
    assert found.reason == "needs 2 of network: its quota in the destination is 3, 2 are in use"
    assert list(quotas.network(subject(nets[0], destination=there, project_there="P"))) == []


def test_nothing_new_needs_no_quota():
    assert list(quotas.compute(subject(("server", "a", SERVER), action="reuse"))) == []


# Room


def placement(fits, free):
    """``fits``: whether a host has room for one; ``free``: on all hosts, by class."""
    resources = {name: {"capacity": amount + 7, "used": 7} for name, amount in free.items()}

    def get(url, headers):
        asked = url.partition("resources=")[2]
        answer = {"allocation_requests": [{}] if fits else [], "provider_summaries": {"h": {"resources": resources}}}
        answer["provider_summaries"]["h"]["resources"] = {n: r for n, r in resources.items() if n in asked}
        return SimpleNamespace(json=lambda: answer)

    return SimpleNamespace(adapter=lambda service: SimpleNamespace(get=get))


def test_a_server_that_no_host_can_take():
    plan = subject(("flavor", "f", FLAVOR), ("server", "a", SERVER), destination=placement(False, {}))
    reason = "no host of the destination has 2 vCPUs, 512 MiB of memory, 5 GiB of disk free"
    assert said(room.servers(plan)) == [("blocks", "server", "a", reason)]


@pytest.mark.parametrize(("memory", "blocks"), [(1023, True), (1024, False)])
def test_servers_that_fit_one_by_one_but_not_together(memory, blocks):
    there = placement(True, {"VCPU": 100, "MEMORY_MB": memory, "DISK_GB": 10})
    plan = subject(("flavor", "f", FLAVOR), ("server", "a", SERVER), ("server", "b", SERVER), destination=there)
    found = list(room.servers(plan))
    assert bool(found) == blocks
    if blocks:
        assert found[0].reason == (
            "the servers need 1024 MiB of memory: all hosts of the destination together have 1023 MiB of memory free"
        )


def test_a_server_that_boots_from_a_volume_needs_no_disk_of_the_host():
    there = placement(True, {"VCPU": 2, "MEMORY_MB": 512})
    plan = subject(("flavor", "f", FLAVOR), ("server", "a", {**SERVER, "image": ""}), destination=there)
    assert list(room.servers(plan)) == []


def pools(*capabilities):
    found = [SimpleNamespace(to_dict=lambda one=one: {"name": "pool", "capabilities": one}) for one in capabilities]
    manager = SimpleNamespace(list=lambda detailed: found)
    return SimpleNamespace(volume=SimpleNamespace(pools=manager))


THICK = {"total_capacity_gb": 10, "free_capacity_gb": 4.5}


@pytest.mark.parametrize(
    ("capabilities", "blocks"),
    [
        ([THICK], True),
        ([THICK, THICK], False),
        ([{**THICK, "reserved_percentage": 20}, THICK], False),
        ([{"free_capacity_gb": "infinite", "total_capacity_gb": "infinite"}], False),
        ([{"free_capacity_gb": "unknown"}], False),
        ([{**THICK, "thin_provisioning_support": True, "max_over_subscription_ratio": "2.0",
           "provisioned_capacity_gb": 14}], False),
        ([{**THICK, "thin_provisioning_support": True, "max_over_subscription_ratio": "1.0",
           "provisioned_capacity_gb": 5}], True),
        ([{**THICK, "thin_provisioning_support": True, "max_over_subscription_ratio": "auto"}], False),
        ([], True),
    ],
)  # fmt: skip
def test_pools(capabilities, blocks):
    plan = subject(("volume", "a", VOLUME), ("volume", "b", VOLUME), destination=pools(*capabilities))
    assert [finding.level for finding in room.volumes(plan)] == ["blocks"] * blocks


def test_a_volume_larger_than_any_pool():
    small = {"total_capacity_gb": 10, "free_capacity_gb": 2}
    plan = subject(("volume", "a", VOLUME), destination=pools(small, small))
    (found,) = room.volumes(plan)
    assert (found.type, found.id) == ("volume", "a")


# Services


def running(binary, **states):
    rows = [
        SimpleNamespace(
            binary=binary, host=host, state=state.partition(" ")[0], status=state.partition(" ")[2] or "enabled"
        )
        for host, state in states.items()
    ]
    manager = SimpleNamespace(list=lambda binary: rows)
    return SimpleNamespace(services=manager)


@pytest.mark.parametrize(
    ("states", "levels"),
    [
        ({"a": "up"}, []),
        ({"a": "up", "b": "down"}, ["note"]),
        ({"a": "down", "b": "down"}, ["blocks"]),
        ({"a": "up", "b": "down disabled"}, []),
        ({"a": "up disabled"}, ["blocks"]),
        ({}, ["blocks"]),
    ],
)
def test_services_that_are_down(states, levels):
    there = SimpleNamespace(compute=running("nova-compute", **states), volume=running("cinder-volume", **states))
    plan = subject(("server", "a", SERVER), ("volume", "v", VOLUME), destination=there)
    assert [finding.level for finding in services.compute(plan)] == levels
    assert [finding.level for finding in services.volume(plan)] == levels
    idle = subject(("server", "a", SERVER), ("volume", "v", VOLUME), destination=there, action="reuse")
    assert list(services.compute(idle)) == list(services.volume(idle)) == []


def test_agents_by_program():
    agents = [
        {"binary": "l3", "host": "a", "alive": False, "admin_state_up": True},
        {"binary": "dhcp", "host": "a", "alive": True, "admin_state_up": True},
        {"binary": "dhcp", "host": "b", "alive": True, "admin_state_up": False},
    ]
    there = SimpleNamespace(network=SimpleNamespace(list=lambda collection: agents))
    found = list(services.network(subject(("network", "n", {}), destination=there)))
    assert [(finding.level, finding.reason[:20]) for finding in found] == [
        ("note", "dhcp of the destinat"), ("blocks", "l3 of the destinatio"),
    ]  # fmt: skip


def test_a_server_on_a_host_that_is_down_in_the_source():
    here = SimpleNamespace(
        compute=running("nova-compute", a="down", b="up"), volume=running("cinder-volume", **{"a@lvm": "down"})
    )
    plan = subject(
        ("server", "a", {**SERVER, "OS-EXT-SRV-ATTR:host": "a"}),
        ("server", "b", {**SERVER, "OS-EXT-SRV-ATTR:host": "b"}),
        ("volume", "v", {**VOLUME, "os-vol-host-attr:host": "a@lvm#pool"}),
        source=here,
    )
    assert said(services.source_compute(plan)) == [("blocks", "server", "a", "its host a in the source is down")]
    assert said(services.source_volume(plan)) == [("blocks", "volume", "v", "its backend a@lvm in the source is down")]


# APIs


def test_a_field_whose_extension_is_missing_is_lost():
    there = SimpleNamespace(network=SimpleNamespace(extensions=lambda: {"external-net"}))
    net = {"name": "n", "dns_domain": "example.org.", "router:external": True, "port_security_enabled": False}
    (found,) = features.extensions(subject(("network", "n", net), destination=there))
    assert (found.level, found.reason) == (
        "loses", "dns_domain = example.org.: the destination's Neutron has no extension dns-integration",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("newest", "lost"),
    [
        ((2, 96), []),
        ((2, 89), ["hostname"]),
        ((2, 51), ["hostname", "tags"]),
        ((2, 1), ["description", "hostname", "tags"]),
    ],
)
def test_microversions_that_are_too_old(newest, lost):
    server = {**SERVER, "description": "d", "tags": ["t"], "OS-EXT-SRV-ATTR:hostname": "other"}
    here = SimpleNamespace(microversion=lambda service: (2, 1))
    there = SimpleNamespace(microversion=lambda service: newest)
    found = list(features.microversions(subject(("server", "a", server), source=here, destination=there)))
    assert sorted(finding.reason.split(" ")[0].rpartition(":")[2] for finding in found) == lost
    same = {**SERVER, "OS-EXT-SRV-ATTR:hostname": "web"}
    assert list(features.microversions(subject(("server", "a", same), source=here, destination=there))) == []


# The rest


def test_overlaps_with_shared_networks_only():
    lists = {
        "network": [{"id": "s", "name": "corp", "shared": True}, {"id": "o", "name": "other"}],
        "subnet": [
            {"network_id": "s", "cidr": "10.0.0.0/8"},
            {"network_id": "o", "cidr": "10.1.0.0/24"},
            {"network_id": "s", "cidr": "fd00::/64"},
        ],
    }
    there = SimpleNamespace(listed=lists.__getitem__)
    plan = subject(
        ("subnet", "a", {"cidr": "10.1.0.0/24"}), ("subnet", "b", {"cidr": "192.168.0.0/24"}), destination=there
    )
    (found,) = addresses.overlaps(plan)
    assert (found.level, found.id) == ("note", "a")
    assert found.reason.startswith("overlaps with 10.0.0.0/8 of the network 'corp'")


def test_bytes():
    plan = subject(
        ("image", "q", {"status": "queued"}),
        ("image", "a", {"status": "active"}),
        ("volume", "v", {**VOLUME, "status": "in-use"}),
        ("volume", "w", VOLUME),
    )
    assert [finding.id for finding in disks.empty_images(plan)] == ["q"]
    (found,) = disks.attached_volumes(plan)
    assert found.reason.startswith("1 attached volume (3 GiB) will be read by force")


def test_volumes_with_snapshots_are_named_before_they_fail():
    here = SimpleNamespace(listed={"volume_snapshot": [{"volume_id": "v"}, {"volume_id": "other"}]}.__getitem__)
    plan = subject(("volume", "v", VOLUME), ("volume", "w", VOLUME), source=here)
    (found,) = disks.volumes_with_snapshots(plan)
    assert (found.level, found.id) == ("note", "v")
    assert "1 snapshot" in found.reason


def test_a_check_that_fails_is_a_note_that_names_it(monkeypatch):
    def broken(_):
        yield checks.disks.whole("loses", "before")
        raise RuntimeError("the service is away")

    monkeypatch.setattr(checks, "CHECKS", (("the weather", broken), ("all", lambda _: [disks.whole("blocks", "no")])))
    found = checks.run_checks(subject())
    assert [(finding.level, finding.reason) for finding in found] == [
        ("blocks", "no"),
        ("loses", "before"),
        ("note", "could not check the weather: RuntimeError: the service is away"),
    ]  # fmt: skip
