"""Requests of a plan are for lists: they hardly grow with the tenant, and its things can be many."""

from __future__ import annotations

import json

from benchmarks.plan import Cost, new_ground
from pumphouse.embedded.demo.account import operator


def cost(servers: int) -> Cost:
    """Of the plan for a project with so many servers."""
    with new_ground() as ground:
        ground.add_servers(servers)
        spent = ground.run("--quiet", "migrate", "--tenant", "acme", "--dry-run", "-f", "json")
        plan = json.loads((ground.pair.config.parent / "said").read_text())
        items = [item["type"] for unit in plan["units"] for item in unit["items"]]
        assert [items.count(type_) for type_ in ("server", "port", "volume")] == [servers, servers, servers // 5]
    return spent


def test_requests_of_a_plan_hardly_grow() -> None:
    few, many = cost(50), cost(650)
    assert few.requests.total() < 150
    # Ports, trunks and floating IPs are asked for by a hundred servers or ports at a time.
    assert (many.requests - few.requests).total() <= 3 * 6


def test_many_networks() -> None:
    """They are the project's, each with a place of its own underneath, and come along."""
    with new_ground() as ground:
        ground.add_networks(30)
        ground.run("--quiet", "migrate", "--tenant", "acme", "--yes")
        found = operator("dst").network.list("/v2.0/networks", "networks")
    assert sorted(one["name"] for one in found) == sorted(["net", *(f"net-{n}" for n in range(30))])
    assert len({one["provider:segmentation_id"] for one in found}) == 31
