"""The page in a real Chromium, on embedded clouds: what people do with it, by mouse and by key, and what goes wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pumphouse.config import load
from pumphouse.embedded import demo
from pumphouse.embedded.demo.account import operator
from pumphouse.embedded.process import Pair, start_pair
from pumphouse.store import Store

playwright = pytest.importorskip("playwright.sync_api")
from tests.page.browser import NARROW, WIDE, Visitor, browser, chromium  # noqa: E402
from tests.page.service import Service  # noqa: E402

expect = playwright.expect
#: Screenshots are made there, if at all: docs/img has them for README.
PICTURES = os.environ.get("PUMPHOUSE_PICTURES")

pytestmark = pytest.mark.skipif(chromium() is None, reason="LEFT OUT: chromium is not installed")


class Place:
    """Two clouds with a tenant in one, and the service."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.domain = demo.fill(operator("src"), operator("dst"), "small", say=lambda _: None)
        self.clouds = (pair.source, pair.destination)
        for cloud in self.clouds:
            cloud.control("POST", "save/begin")
        self.service = Service(pair.config, str(pair.clouds_file))

    def slow(self, seconds: float) -> None:
        """So that something can be seen, and broken, meanwhile."""
        for cloud in self.clouds:
            cloud.control("POST", "delays", {"server": seconds, "volume": seconds / 2})

    def undo(self, number: int) -> None:
        """All of it back."""
        for cloud in self.clouds:
            cloud.control("POST", "faults", [])
        done = self.service.job(f"/v1/migrations/{number}/rollback", {})
        assert done["result"] == {"stays": []}, done


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("page")
    with start_pair(directory) as pair, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(pair.clouds_file))
        place = Place(pair)
        try:
            yield place
        finally:
            place.service.stop()


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    with browser() as running:
        yield running


@pytest.fixture(autouse=True)
def as_it_was(place: Place) -> Iterator[None]:
    """Whatever a test moved goes back, however it ended."""
    yield
    place.slow(0)
    if place.service.process is None:
        place.service.start()
    for migration in place.service.call("/v1/migrations")["items"]:
        place.service.ended(migration["id"])
        if place.service.call(f"/v1/migrations/{migration['id']}")["can"]["rollback"]:
            place.undo(migration["id"])


@pytest.fixture
def visitor(place: Place, running: Any) -> Iterator[Visitor]:
    """Somebody who has logged in; nothing may be complained of."""
    visitor = Visitor(running, place.service.url)
    visitor.log_in(place.service.secret)
    yield visitor
    assert visitor.complaints == []
    visitor.context.close()


def picture(visitor: Visitor, name: str) -> None:
    if PICTURES:
        visitor.page.wait_for_timeout(400)
        visitor.page.screenshot(path=Path(PICTURES) / f"{name}.png")


def test_who_may_not_in(place: Place, running: Any) -> None:
    visitor = Visitor(running, place.service.url)
    visitor.open("#/migrations")
    visitor.see("login-token").fill("ph_000000000000_wrong")
    visitor.see("login-submit").click()
    expect(visitor.page.get_by_role("alert")).to_contain_text("token")
    expect(visitor.see("login-token")).to_be_focused()
    visitor.see("login-token").fill(place.service.secret)
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_role("heading", name="Migrations")).to_be_visible()
    cookie = visitor.context.cookies()[0]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    visitor.context.close()


def test_a_tenant_is_dragged_to_its_new_cloud(place: Place, visitor: Visitor) -> None:
    place.slow(0.4)
    visitor.drag(visitor.card("acme"), visitor.see("column-destination"))
    expect(visitor.see("plan-sheet")).to_contain_text("43")
    assert place.service.call("/v1/migrations")["items"] == [], "only Start starts"
    picture(visitor, "plan")
    number = visitor.start()
    expect(visitor.card("acme")).to_have_attribute("data-state", "running")
    visitor.state(number, "running")
    picture(visitor, "running")
    visitor.state(number, "done")
    # The other column shows it without being asked to.
    visitor.open("#/")
    expect(visitor.card("acme", "destination")).to_be_visible()
    visitor.state(number, "done")
    report = visitor.see("report-link")
    with visitor.context.expect_page() as opened:
        report.click()
    expect(opened.value.get_by_text("web-1").first).to_be_visible()
    picture(visitor, "done")
    visitor.see("action-rollback").click()
    visitor.see("dialog-confirm").click()
    visitor.state(number, "reverted")


def test_all_of_it_by_keys(place: Place, visitor: Visitor) -> None:
    place.slow(0)
    card = visitor.card("acme")
    card.focus()
    visitor.page.keyboard.press("ArrowRight")
    expect(visitor.see("plan-start")).to_be_enabled()
    visitor.page.keyboard.press("Escape")
    expect(visitor.see("plan-sheet")).not_to_be_visible()
    expect(card).to_be_focused()
    visitor.page.keyboard.press("m")
    start = visitor.see("plan-start")
    expect(start).to_be_enabled()
    start.focus()
    with visitor.page.expect_response(lambda answer: answer.url.endswith("/v1/migrations")) as answer:
        visitor.page.keyboard.press("Enter")
    number = answer.value.json()["id"]
    place.service.ended(number)
    expect(visitor.see("live-region")).to_contain_text("done", ignore_case=True)


def test_a_failure_is_told_in_the_services_own_words(place: Place, visitor: Visitor) -> None:
    place.slow(0)
    place.pair.destination.control("POST", "faults", [{"kind": "fails", "type": "build", "count": 9}])
    visitor.card("acme").get_by_test_id("migrate-button").click()
    number = visitor.start()
    visitor.state(number, "failed")
    expect(visitor.see("migration-page")).to_contain_text("ERROR: Build of instance")
    picture(visitor, "failed")
    place.pair.destination.control("POST", "faults", [])
    visitor.see("action-resume").click()
    if visitor.see("dialog-confirm").is_visible():
        visitor.see("dialog-confirm").click()
    visitor.state(number, "done")


def test_it_goes_on_when_the_service_was_killed(place: Place, running: Any) -> None:
    place.slow(0.6)
    visitor = Visitor(running, place.service.url)
    visitor.log_in(place.service.secret)
    visitor.card("acme").get_by_test_id("migrate-button").click()
    number = visitor.start()
    visitor.state(number, "running")
    expect(visitor.see("unit-row", state="done").first).to_be_visible()
    place.service.kill()
    expect(visitor.see("offline-banner")).to_be_visible()
    place.service.start()
    expect(visitor.see("offline-banner")).not_to_be_visible()
    visitor.state(number, "done")
    visitor.context.close()


def test_two_browsers_see_the_same(place: Place, visitor: Visitor, running: Any) -> None:
    place.slow(0.4)
    other = Visitor(running, place.service.url)
    other.log_in(place.service.secret)
    visitor.card("acme").get_by_test_id("migrate-button").click()
    number = visitor.start()
    expect(other.card("acme")).to_have_attribute("data-state", "running")
    other.state(number, "running")
    other.see("action-cancel").click()
    if other.see("dialog-confirm").is_visible():
        other.see("dialog-confirm").click()
    visitor.state(number, "cancelled")
    other.state(number, "cancelled")
    assert other.complaints == []
    other.context.close()


def test_names_are_mapped_and_servers_left_off_by_the_sheet(place: Place, visitor: Visitor) -> None:
    place.slow(0)
    there = operator("dst").network
    name = f"{place.domain} outside"
    (known,) = operator("src").network.list("/v2.0/networks", "networks", name=name)
    with Store.open(load(str(place.pair.config)).database) as store:
        # As if nothing had been moved before: what was found once is found by its id.
        for row in store.history():
            store.unmap(row.pair, "network", known["id"])
    (outside,) = there.list("/v2.0/networks", "networks", name=name)
    path = f"/v2.0/networks/{outside['id']}"
    there.call("PUT", path, json={"network": {"name": "elsewhere"}})
    try:
        visitor.card("acme").get_by_test_id("migrate-button").click()
        sheet, wanted = visitor.see("plan-sheet"), visitor.see("map-row", kind="networks", name=name)
        expect(wanted).to_contain_text("the destination has no external network of this name")
        visitor.see("map-others").click()
        expect(visitor.see("map-name", kind="volume_types").first).to_be_enabled()
        assert visitor.findings() == []
        wanted.get_by_test_id("map-name").select_option("elsewhere")
        visitor.see("power-off").check()
        expect(visitor.see("plan-start")).to_be_disabled()
        picture(visitor, "choices")
        visitor.see("choices-apply").click()
        expect(sheet).to_contain_text("Servers are left shut off in the destination")
        expect(wanted).not_to_contain_text("has no external network")
        # It can be taken back, and is chosen again.
        wanted.get_by_test_id("map-back").click()
        visitor.see("choices-apply").click()
        expect(wanted).to_contain_text("has no external network")
        expect(visitor.see("power-off")).to_be_checked()
        wanted.get_by_test_id("map-name").select_option("elsewhere")
        visitor.see("choices-apply").click()
        expect(wanted).not_to_contain_text("has no external network")
        visitor.see("after-delete").check()
        number = visitor.start()
        visitor.state(number, "done")
    finally:
        there.call("PUT", path, json={"network": {"name": name}})
    migration = place.service.call(f"/v1/migrations/{number}")
    assert (migration["selection"]["mappings"], migration["selection"]["power"]) == (
        {"networks": {name: "elsewhere"}}, "off",
    )  # fmt: skip
    servers = operator("dst").compute.list("/servers/detail", "servers", all_tenants=1)
    assert {server["name"]: server["status"] for server in servers}["web-1"] == "SHUTOFF"
    assert not any(server["status"] == "ACTIVE" for server in servers)
    visitor.see("action-accept").click()
    expect(visitor.see("accept-meant")).to_be_visible()
    expect(visitor.see("accept-delete")).to_be_checked()
    expect(visitor.see("dialog-confirm")).to_be_disabled()
    visitor.page.keyboard.press("Escape")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "viewport"), [("wide", WIDE), ("narrow", NARROW)])
def test_everybody_can_read_it(place: Place, running: Any, scheme: str, width: str, viewport: dict[str, int]) -> None:
    visitor = Visitor(running, place.service.url, color_scheme=scheme, viewport=viewport)
    visitor.open()
    expect(visitor.see("login-token")).to_be_visible()
    wrong = {"log-in": visitor.findings()}
    picture(visitor, f"login-{scheme}-{width}")
    visitor.log_in(place.service.secret)
    expect(visitor.card("acme")).to_be_visible()
    number = place.service.call("/v1/migrations")["items"][0]["id"]
    for view in ("#/", "#/migrations", f"#/migrations/{number}"):
        visitor.open(view)
        visitor.page.wait_for_timeout(700)
        wrong[view] = visitor.findings()
        overflow = visitor.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{view} is wider than the screen"
        picture(visitor, f"{view.strip('#/').replace('/', '-') or 'clouds'}-{scheme}-{width}")
    visitor.open("#/")
    visitor.card("acme").get_by_test_id("migrate-button").click()
    expect(visitor.see("plan-start")).to_be_enabled()
    wrong["plan"] = visitor.findings()
    picture(visitor, f"plan-{scheme}-{width}")
    assert {view: found for view, found in wrong.items() if found} == {}
    assert visitor.complaints == []
    visitor.context.close()
