"""Choices of a migration on embedded clouds: other names, servers that are left off; by command and over the API."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pumphouse.api import create_app
from pumphouse.api.services import Services
from pumphouse.config import load
from pumphouse.embedded import demo
from pumphouse.embedded.demo.account import operator
from pumphouse.embedded.process import Pair, start_pair
from pumphouse.names import KINDS
from pumphouse.store import access

PUMPHOUSE = Path(sys.executable).parent / "pumphouse"


class Site:
    """Two clouds with a tenant in one; in the other the way out has another name."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.domain = demo.fill(operator("src"), operator("dst"), "small", say=lambda _: None)
        self.outside = f"{self.domain} outside"
        there = operator("dst").network
        (network,) = there.list("/v2.0/networks", "networks", name=self.outside)
        there.call("PUT", f"/v2.0/networks/{network['id']}", json={"network": {"name": "uplink"}})

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command, on the pair's configuration."""
        command = [str(PUMPHOUSE), "--config", str(self.pair.config), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)

    def migrate(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Of the tenant."""
        return self.run("migrate", "--tenant", "acme", "--domain", self.domain, *options)

    def statuses(self, cloud: str) -> dict[str, str]:
        """Server -> status."""
        servers = operator(cloud).compute.list("/servers/detail", "servers", all_tenants=1)
        return {server["name"]: server["status"] for server in servers}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with start_pair(tmp_path_factory.mktemp("choices")) as pair, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(pair.clouds_file))
        yield Site(pair)


@pytest.fixture(scope="module")
def api(site: Site) -> Iterator[Any]:
    """GET and POST as an operator: (status, body)."""
    services = Services.open(load(str(site.pair.config)))
    _, token = access.create_token(services.store, "test", "operator")
    client = create_app(services).test_client()

    def ask(path: str, body: Any = None) -> tuple[int, Any]:
        method = "GET" if body is None else "POST"
        answer = client.open(path, method=method, json=body, headers={"Authorization": f"Bearer {token}"})
        return answer.status_code, answer.json

    yield ask
    services.close()


def test_the_names_of_each_kind_are_listed(site: Site, api: Any) -> None:
    found = {kind: api(f"/v1/clouds/destination/names/{kind}") for kind in KINDS}
    assert {status for status, _ in found.values()} == {200}
    listed = {kind: body["items"] for kind, (_, body) in found.items()}
    assert listed["networks"] == ["uplink"]
    assert "Default" in listed["domains"]
    assert "admin" in listed["roles"]
    assert listed["availability_zones"] == ["nova"]
    assert all(listed[kind] == sorted(set(listed[kind])) for kind in KINDS)
    (_, flavors) = api("/v1/clouds/source/names/flavors")
    assert len(flavors["items"]) == flavors["total"] > 0
    status, one = api("/v1/clouds/destination/names/networks?search=UPL&limit=1")
    assert (status, one) == (200, {"items": ["uplink"], "total": 1})
    assert api("/v1/clouds/destination/names/servers")[0] == 404
    assert api("/v1/clouds/elsewhere/names/flavors")[0] == 404


def test_a_wrong_name_is_one_line_with_what_may_have_been_meant(site: Site, api: Any) -> None:
    done = site.migrate("--map", f"networks:{site.outside}=uplnik", "--dry-run")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("pumphouse:")]
    assert "the destination has no network 'uplnik'; did you mean 'uplink'? it has: uplink" in line
    done = site.migrate("--map", "nets:a=b", "--dry-run")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "there are domains, roles" in done.stderr
    wanted = {"tenant": "acme", "domain": site.domain, "mappings": {"networks": {site.outside: "uplnik"}}}
    status, problem = api("/v1/plans", {"selection": wanted})
    assert (status, problem["code"], problem["field"]) == (422, "invalid", "selection.mappings.networks")
    assert problem["remedy"] == "did you mean 'uplink'? it has: uplink"


def test_a_plan_says_which_name_is_missing(site: Site) -> None:
    plan = json.loads(site.migrate("--dry-run", "-f", "json").stdout)
    items = [item for unit in plan["units"] for item in unit["items"]]
    (network,) = [item for item in items if item.get("mapping") == ["networks", site.outside]]
    assert network["action"] == "conflict"
    assert "has no external network of this name" in network["reason"]


def test_a_tenant_moves_to_other_names_and_is_left_off(site: Site) -> None:
    before = site.statuses("src")
    done = site.migrate("--map", f"networks:{site.outside}=uplink", "--power", "off", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Servers are left shut off in the destination, as was asked for" in done.stdout
    there = site.statuses("dst")
    assert there.keys() == before.keys()
    assert "ACTIVE" in before.values()
    assert set(there.values()) <= {"SHUTOFF", "SHELVED_OFFLOADED"}
    report = json.loads(site.run("report", "1", "-f", "json").stdout)
    assert report["migration"]["state"] == "done"
    servers = {one["name"]: one for one in report["resources"] if one["type"] == "server"}
    status = next(field for field in servers["web-1"]["fields"] if field["field"] == "status")
    assert (status["verdict"], status["source"], status["destination"], status["reason"]) == (
        "mapped", "ACTIVE", "SHUTOFF", "left shut off, as was asked for",
    )  # fmt: skip
    downtimes = {unit["title"]: unit["downtime"] for unit in report["units"]}
    assert downtimes["server web-1"] > 0
    # Compared again they are right, too; and a second run finds all of it there.
    done = site.run("verify", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    again = site.migrate("--map", f"networks:{site.outside}=uplink", "--yes")
    assert again.returncode == 0, again.stdout + again.stderr
    assert site.statuses("dst") == there


def test_rolled_back_everything_runs_as_it_ran(site: Site) -> None:
    done = site.run("rollback", "1", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.statuses("dst") == {}
    assert site.statuses("src")["web-1"] == "ACTIVE"
