"""On the real clouds: processes are killed, services and our database go away, tokens expire, the operator cancels."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pumphouse.embedded.demo import fill
from pumphouse.embedded.demo.account import operator
from tests.acceptance.cleanup import Cleaner
from tests.acceptance.clouds import Account
from tests.acceptance.command import Pumphouse
from tests.acceptance.lab import Lab
from tests.acceptance.state_database import StateDatabase
from tests.lab import openstack
from tests.lab.cloud import cloud_services
from tests.lab.guest import guest_image
from tests.lab.layout import Cloud as LabCloud
from tests.lab.layout import open_lab

#: What a server's unit says while it is killed.
MOMENTS = ("taking a snapshot", "copying the bytes of", "booting server")


class Site(Pumphouse):
    """The command, with a tenant."""

    domain = ""
    #: The newest event that was looked at.
    seen = 0

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start it, without waiting for its end."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PUMPHOUSE_", "OS_"))}
        environment["OS_CLIENT_CONFIG_FILE"] = self.clouds_file
        program = Path(sys.executable).with_name("pumphouse")
        return subprocess.Popen(
            [program, "--config", self.config, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def migrate(self, *options: str) -> subprocess.Popen[str]:
        """Start to move the tenant."""
        rows = self.run("list", "-f", "json").json()
        self.seen = max((event["id"] for row in rows for event in self.events(row["id"])), default=0)
        return self.begin("migrate", "--tenant", "acme", "--domain", self.domain, "--yes", *options)

    def events(self, number: str) -> list[dict[str, Any]]:
        """All of a migration."""
        return list(self.run("show", str(number), "-f", "json").json()["events"])

    def reach(self, process: subprocess.Popen[str], moment: str) -> str:
        """The id of the newest migration, as soon as one of its servers has said this since the last time."""
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            listed = self.run("list", "-f", "json").json()
            number = str(listed[-1]["id"]) if listed else ""
            events = self.events(number) if number else []
            fresh = [event for event in events if event["id"] > self.seen]
            if any(moment in event["text"] and str(event["unit"]).startswith("server:") for event in fresh):
                self.seen = events[-1]["id"]
                return number
            assert process.poll() is None, f"ended before it was {moment}: {process.communicate()[0][-3000:]}"
        raise AssertionError(f"no server was {moment}")


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit code and last words."""
    said, _ = process.communicate(timeout=600)
    return process.returncode, said[-4000:]


@pytest.fixture(scope="module")
def site(clouds: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("interrupted"), clouds.clouds_file, clouds.databases)
    site.domain = fill(operator("src"), operator("dst"), "small", guest_image(), say=lambda _: None)
    try:
        yield site
    finally:
        for cloud in (clouds.source, clouds.destination):
            Cleaner(cloud, site.domain).clean()


@pytest.fixture(scope="module", autouse=True)
def short_tokens(clouds: Lab) -> Iterator[None]:
    """Tokens live for a minute here: what takes longer has to get another one on its way."""
    own = open_lab().clouds if clouds.own else ()
    for cloud in own:
        restart_keystone(cloud, 60)
    yield
    for cloud in own:
        restart_keystone(cloud, 14400)


def restart_keystone(cloud: LabCloud, seconds: int) -> None:
    """With tokens that live so long."""
    settings, services = cloud.etc / "keystone" / "keystone.conf", cloud_services(cloud)
    settings.write_text(re.sub(r"(?m)^expiration = \d+$", f"expiration = {seconds}", settings.read_text()))
    services.processes.stop(["keystone"])
    openstack.start_keystone(cloud, services)


def holdings(cloud: Account, domain: str) -> dict[str, list[Any]]:
    """What the tenant has: servers by name with their states, volumes, images, networks, people."""
    projects = [
        project["id"]
        for one in cloud.identity.list("/domains", "domains", name=domain)
        for project in cloud.identity.list("/projects", "projects", domain_id=one["id"])
    ]
    servers = cloud.compute.list("/servers/detail", "servers", all_tenants=1)
    volumes = cloud.volume.list("/volumes/detail", "volumes", all_tenants=1)
    return {
        "projects": [len(projects)],
        "servers": sorted((s["name"], s["status"]) for s in servers if s["tenant_id"] in projects),
        "volumes": sorted((v["name"], v["status"]) for v in volumes if v["os-vol-tenant-attr:tenant_id"] in projects),
        "images": sorted(i["name"] for i in cloud.image.list("/images", "images") if i["owner"] in projects),
        "networks": sorted(
            n["name"] for n in cloud.network.list("/networks", "networks") if n["project_id"] in projects
        ),
    }


@pytest.fixture(scope="module")
def before(clouds: Lab, site: Site) -> dict[str, list[Any]]:
    """The source as it was."""
    return holdings(clouds.source, site.domain)


@pytest.fixture(scope="module")
def killed(site: Site, before: dict[str, list[Any]]) -> str:
    """The migration's id; it was killed amid a snapshot, a copy and a boot, and resumed each time."""
    process, number = site.migrate(), ""
    for moment in MOMENTS:
        number = site.reach(process, moment)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process = site.begin("resume", number)
    code, said = end(process)
    assert code == 0, said
    return number


def test_killed_thrice_and_all_is_there_once(
    site: Site, clouds: Lab, killed: str, before: dict[str, list[Any]]
) -> None:
    assert holdings(clouds.destination, site.domain) == before
    assert site.run("verify", killed).code == 0
    leftovers = site.run("leftovers")
    assert leftovers.code == 0, leftovers.said


def test_rolled_back_nothing_stays_and_the_source_runs_again(
    site: Site, clouds: Lab, killed: str, before: dict[str, list[Any]]
) -> None:
    done = site.run("rollback", killed, "--yes")
    assert done.code == 0, done.said
    assert not any(any(found) for found in holdings(clouds.destination, site.domain).values())
    assert holdings(clouds.source, site.domain) == before
    assert site.run("rollback", killed, "--yes").code == 0


def test_cancelled_what_is_half_made_is_undone(
    site: Site, clouds: Lab, killed: str, before: dict[str, list[Any]]
) -> None:
    process = site.migrate()
    number = site.reach(process, MOMENTS[1])
    done = site.run("cancel", number)
    assert done.code == 0, done.said
    assert end(process)[0] == 130
    assert holdings(clouds.source, site.domain) == before
    assert site.run("rollback", number, "--yes").code == 0


@pytest.mark.parametrize(("role", "moment"), [("source", MOMENTS[0]), ("destination", MOMENTS[1])])
def test_glance_is_away_for_half_a_minute(
    site: Site, clouds: Lab, before: dict[str, list[Any]], role: str, moment: str
) -> None:
    if not clouds.own:
        pytest.skip("LEFT OUT: the image service of clouds that others use too is not stopped")
    cloud = getattr(open_lab(), role)
    services = cloud_services(cloud)
    process = site.migrate()
    number = site.reach(process, moment)
    services.processes.stop(["glance"])
    try:
        time.sleep(30)
    finally:
        openstack.start_control(cloud, services)
        openstack.wait_for_apis(cloud, services)
    code, said = end(process)
    assert code == 0, said
    assert holdings(clouds.destination, site.domain) == before
    assert site.run("rollback", number, "--yes").code == 0


def test_our_own_database_is_restarted(site: Site, clouds: Lab, before: dict[str, list[Any]], tmp_path: Path) -> None:
    """While servers move that are to be left shut off."""
    off = {**before, "servers": [(name, "SHUTOFF") for name, _ in before["servers"]]}
    database = StateDatabase(tmp_path)
    settings = json.loads(site.config.read_text())
    try:
        site.config.write_text(json.dumps({**settings, "database": database.url}))
        process = site.migrate("--power", "off")
        number = site.reach(process, MOMENTS[0])
        for _ in range(3):
            database.stop()
            time.sleep(3)
            database.start()
            time.sleep(2)
        code, said = end(process)
        assert code == 0, said
        assert holdings(clouds.destination, site.domain) == off
        accepted = site.run("accept", number, "--server", "build-1", "--delete-source", "--yes")
        assert accepted.code == 0, accepted.said
        names = [name for name, _ in holdings(clouds.source, site.domain)["servers"]]
        assert names == [name for name, _ in before["servers"] if name != "build-1"]
        refused = site.run("rollback", number, "--server", "build-1", "--yes")
        assert refused.code == 1
        assert "it was accepted" in refused.err
    finally:
        site.config.write_text(json.dumps(settings))
        database.stop()
