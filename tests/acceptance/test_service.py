"""On the real clouds: a tenant goes by dragging, by curl, and by the command: the same plan, the same report."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pumphouse.embedded.demo import fill
from pumphouse.embedded.demo.account import operator
from tests.acceptance.cleanup import Cleaner
from tests.acceptance.command import Pumphouse
from tests.acceptance.lab import ROOT, Lab
from tests.lab.guest import guest_image
from tests.page.service import Service

if shutil.which("chromium") is None:
    pytest.skip("LEFT OUT: chromium is not installed", allow_module_level=True)
from tests.page.browser import Visitor, browser, expect

#: What may be another: how it was named; how long it will take, which is learnt from what was moved before.
OF_ITS_OWN = ("selection", "estimate", "findings")


class Site(Pumphouse):
    """The command, a tenant, and the service on the same database."""

    domain = ""
    service: Service

    @property
    def what(self) -> list[str]:
        return ["--tenant", "acme", "--domain", self.domain]

    def report(self, number: int) -> dict[tuple[str, str], Any]:
        """What became of every resource, without what is another each time: guests write to their disks, and an image
        gets its id but once in a Glance.
        """
        told = self.run("report", str(number), "-f", "json").json()
        return {
            (one["type"], one["source_id"]): (
                one["verdict"],
                sorted(
                    (field["field"], field["verdict"])
                    for field in one["fields"]
                    if field["verdict"] in ("mapped", "differs") and field["field"] != "id"
                ),
                (one["bytes"] or {}).get("source_sha512") if one["type"] == "image" else None,
            )
            for one in told["resources"]
        }

    def undo(self, number: int) -> None:
        done = self.service.job(f"/v1/migrations/{number}/rollback", {})
        assert done["result"] == {"stays": []}, done


@pytest.fixture(scope="module")
def site(clouds: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("service")
    site = Site(folder, clouds.clouds_file, clouds.databases)
    site.domain = fill(operator("src"), operator("dst"), "small", guest_image(), say=lambda _: None)
    try:
        site.service = Service(site.config, clouds.clouds_file)
        try:
            yield site
        finally:
            site.service.stop()
    finally:
        for cloud in (clouds.source, clouds.destination):
            Cleaner(cloud, site.domain).clean()


@pytest.fixture(scope="module")
def dragged(site: Site) -> tuple[dict[str, Any], dict[tuple[str, str], Any]]:
    """Plan and report of a migration by the page; the service is killed amid it, and goes on by itself."""
    with browser() as running:
        visitor = Visitor(running, site.service.url)
        visitor.log_in(site.service.secret)
        card = visitor.card("acme").filter(has_text=site.domain)
        visitor.drag(card, visitor.see("column-destination"))
        number = visitor.start()
        visitor.state(number, "running")
        expect(visitor.see("unit-row", state="done").nth(3)).to_be_visible()
        site.service.kill()
        expect(visitor.see("offline-banner")).to_be_visible()
        site.service.start()
        expect(visitor.see("offline-banner")).not_to_be_visible()
        site.service.ended(number)
        visitor.state(number, "done")
    found = site.service.call(f"/v1/migrations/{number}/plan"), site.report(number)
    site.undo(number)
    return found


def what_is_planned(plan: dict[str, Any]) -> dict[str, Any]:
    """What is the same however, and whenever, it was made."""
    return {name: value for name, value in plan.items() if name not in OF_ITS_OWN}


def test_dragged(dragged: tuple[dict[str, Any], dict[tuple[str, str], Any]]) -> None:
    _, report = dragged
    assert len(report) > 40
    assert {verdict for verdict, _, _ in report.values()} <= {"equal", "mapped", "not carried"}


def test_by_curl_alone(site: Site, dragged: tuple[dict[str, Any], dict[tuple[str, str], Any]]) -> None:
    """By what docs/orchestration.md says, which follows the OpenAPI document only."""
    text = (ROOT / "docs/orchestration.md").read_text()
    _token, move, *_ = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (site.folder / "auth.header").write_text(f"Authorization: Bearer {site.service.secret}\n")
    done = subprocess.run(
        ["bash", "-c", move], cwd=site.folder, capture_output=True, text=True, timeout=600, check=False,
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "API": site.service.url, "TENANT": "acme", "DOMAIN": site.domain, "RUN": "one",
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    number = site.service.call("/v1/migrations")["items"][0]["id"]
    plan, report = dragged
    assert what_is_planned(site.service.call(f"/v1/migrations/{number}/plan")) == what_is_planned(plan)
    assert site.report(number) == report
    site.undo(number)


def test_by_the_command(site: Site, dragged: tuple[dict[str, Any], dict[tuple[str, str], Any]]) -> None:
    plan, report = dragged
    planned = site.run("migrate", *site.what, "--dry-run", "-f", "json").json()
    assert what_is_planned(planned) == what_is_planned(plan)
    moved = site.run("migrate", *site.what, "--yes")
    assert moved.code == 0, moved.said
    number = site.service.call("/v1/migrations")["items"][0]["id"]
    assert site.service.call(f"/v1/migrations/{number}")["state"] == "done", "the page shows it, too"
    assert site.report(number) == report
    site.undo(number)
