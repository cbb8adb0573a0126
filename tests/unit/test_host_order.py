"""Which tenants leave first: the host that takes the least to empty is free first, and its room counts from then on."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from pumphouse.cli.plan_hosts import show
from pumphouse.clouds.hypervisors import Room
from pumphouse.planning.host_order import host_order

HOST = "OS-EXT-SRV-ATTR:host"


def server(tenant, host, ram=100):
    return {"tenant_id": tenant, HOST: host, "image": "", "flavor": {"vcpus": 1, "ram": ram, "disk": 0}}


def rooms(**capacity):
    return {host: {"MEMORY_MB": Room(amount, 0)} for host, amount in capacity.items()}


def order(servers, here, there):
    return host_order(servers, {"a": "acme", "b": "bolt"}, here, there, {})


def test_the_lightest_host_comes_first_with_all_tenants_on_it():
    servers = [server("a", "h1"), server("b", "h2", 300), server("a", "h2"), server("gone", None)]
    first, second = order(servers, rooms(h1=1000, h2=1000), rooms(d=250))
    assert ([one.name for one in first.tenants], first.hosts) == (["acme"], ["h1"])
    assert (first.tenants[0].servers, first.tenants[0].hosts, first.tenants[0].needs["MEMORY_MB"]) == (
        2,
        ["h1", "h2"],
        200,
    )
    assert ([one.name for one in second.tenants], second.hosts) == (["bolt"], ["h2"])
    assert (first.short, second.short) == ({}, {}), "what the first host gives is there for the second step"
    assert first.free == {"MEMORY_MB": 250 - 200 + 1000}


def test_empty_hosts_are_free_at_once_and_a_lack_of_room_is_told():
    steps = order([server("a", "h1", 500)], rooms(h1=1000, spare=100), rooms(d=50))
    assert ([one.tenants for one in steps[:1]], steps[0].hosts) == ([[]], ["spare"])
    assert steps[1].short == {"MEMORY_MB": 350}
    out = StringIO()
    show(steps, Console(file=out, width=200))
    said = out.getvalue()
    assert "Step 2: move 1 tenant" in said
    assert "! the destination lacks 350 MiB of memory for it" in said
    assert "then empty: h1; gives 1000 MiB of memory" in said


def test_one_step_can_free_several_hosts():
    (step,) = order([server("a", "h1"), server("a", "h2")], rooms(h1=10, h2=10), rooms(d=500))
    assert step.hosts == ["h1", "h2"]
