"""Hosts on the page, in a real Chromium on embedded clouds: emptied, given back, switched, dragged across."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pumphouse.embedded import demo
from pumphouse.embedded.demo.account import operator
from pumphouse.embedded.process import Pair, start_pair
from tests.functional.machine_room import MachineRoom

playwright = pytest.importorskip("playwright.sync_api")
from tests.page.browser import NARROW, WIDE, Visitor, browser, chromium  # noqa: E402
from tests.page.service import Service  # noqa: E402

expect = playwright.expect
PICTURES = os.environ.get("PUMPHOUSE_PICTURES")
HOST, OTHER = "src-c1", "src-c2"
PLACE = "OS-EXT-SRV-ATTR:host"

pytestmark = pytest.mark.skipif(chromium() is None, reason="LEFT OUT: chromium is not installed")


class Place:
    """Two clouds, the machines of the source's hosts, and the service."""

    def __init__(self, pair: Pair, directory: Path) -> None:
        self.pair = pair
        demo.fill(operator("src"), operator("dst"), "small", say=lambda _: None)
        pair.source.control("POST", "save/begin")
        self.nova = operator("src").compute
        pair.destination.control("POST", "save/begin")
        self.room = MachineRoom(pair, directory, {HOST: {"source": True}, OTHER: {"source": True}})
        self.service = Service(pair.config, str(pair.clouds_file))

    def servers(self, host: str) -> set[str]:
        found = self.nova.list("/servers/detail", "servers", all_tenants=1)
        return {server["name"] for server in found if server[PLACE] == host}

    def host(self, host: str = HOST) -> dict[str, Any]:
        (one,) = self.nova.list("/os-services", "services", binary="nova-compute", host=host)
        return one


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("page-hosts")
    with start_pair(directory) as pair, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(pair.clouds_file))
        place = Place(pair, directory)
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
    """Whatever a test did to a host is undone, however it ended."""
    yield
    for migration in place.service.call("/v1/migrations")["items"]:
        place.service.ended(migration["id"])
    place.pair.source.control("POST", "delays", {"server": 0.0})
    for cloud in (place.pair.source, place.pair.destination):
        cloud.control("POST", "restore/begin")
    place.room.forget()
    place.service.call("/v1/clouds/source/hosts?refresh=true")


@pytest.fixture
def visitor(place: Place, running: Any) -> Iterator[Visitor]:
    """Somebody who has logged in and looks at the source's hosts; nothing may be complained of."""
    visitor = Visitor(running, place.service.url)
    visitor.log_in(place.service.secret)
    show_hosts(visitor)
    yield visitor
    assert visitor.complaints == []
    visitor.context.close()


def show_hosts(visitor: Visitor, column: str = "source") -> None:
    visitor.see(f"column-{column}").get_by_role("button", name="Hosts", exact=True).click()
    expect(visitor.see("host-row").first).to_be_visible()


def row(visitor: Visitor, name: str = HOST, column: str = "source") -> Any:
    return visitor.see(f"column-{column}").locator(f'[data-testid="host-row"][data-name="{name}"]')


def picture(visitor: Visitor, name: str) -> None:
    if PICTURES:
        visitor.page.wait_for_timeout(400)
        visitor.page.screenshot(path=Path(PICTURES) / f"{name}.png")


def test_a_host_is_emptied_by_its_button_and_given_back(place: Place, visitor: Visitor) -> None:
    before = place.servers(HOST)
    expect(row(visitor)).to_have_attribute("data-state", "up")
    expect(row(visitor).get_by_test_id("power")).to_have_attribute("data-state", "on")
    place.pair.source.control("POST", "delays", {"server": 0.5})
    row(visitor).get_by_test_id("evacuate-button").click()
    sheet = visitor.see("plan-sheet")
    expect(sheet).to_contain_text(f"Plan for evacuation of {HOST}")
    expect(visitor.see("first-emptied")).to_be_visible()
    expect(visitor.see("plan-concurrency")).to_have_value("2")
    assert place.service.call("/v1/migrations")["items"] == [], "only Start starts"
    picture(visitor, "host-plan")
    number = visitor.start()
    expect(row(visitor)).to_contain_text("being emptied")
    visitor.state(number, "done")
    expect(visitor.see("migration-page")).to_contain_text("The host is empty, and disabled")
    expect(visitor.see("action-accept")).to_have_count(0)
    assert (place.servers(HOST), before <= place.servers(OTHER)) == (set(), True)
    visitor.open("#/")
    expect(row(visitor)).to_have_attribute("data-state", "evacuated")
    expect(row(visitor).get_by_test_id("reassign-button")).to_be_enabled()
    picture(visitor, "hosts")
    row(visitor).get_by_test_id("undo-button").click()
    dialog = visitor.see("action-dialog")
    expect(dialog).to_contain_text(f"Undo the evacuation of {HOST}?")
    expect(dialog).to_contain_text("stay where they are")
    visitor.see("dialog-confirm").click()
    visitor.state(number, "reverted")
    assert (place.host()["status"], place.servers(HOST)) == ("enabled", set())


def test_how_it_is_emptied_is_chosen_in_the_sheet(place: Place, visitor: Visitor) -> None:
    row(visitor).get_by_test_id("evacuate-button").click()
    visitor.see("host-choices").locator("summary").click()
    visitor.see("to-host", name=OTHER).check()
    visitor.see("evacuate-cold").check()
    with visitor.page.expect_response(lambda answer: answer.url.endswith("/v1/plans")) as answer:
        visitor.see("plan-anew").click()
    assert answer.value.json()["selection"] == {"evacuate": HOST, "to": [OTHER], "cold": True}
    expect(visitor.see("plan-start")).to_be_enabled()
    expect(visitor.see("plan-anew")).to_have_count(0)
    expect(visitor.see("to-host", name=OTHER)).to_be_checked()


def test_a_full_host_that_is_dragged_must_be_emptied_first(place: Place, visitor: Visitor) -> None:
    visitor.drag(row(visitor), visitor.see("column-destination"))
    expect(visitor.see("first-emptied")).to_contain_text("only when it is empty and disabled")
    expect(visitor.see("plan-sheet")).to_contain_text(f"evacuation of {HOST}")
    visitor.see("plan-cancel").click()
    # The same by keys, with the focus back where it was.
    row(visitor).focus()
    visitor.page.keyboard.press("m")
    expect(visitor.see("plan-start")).to_be_enabled()
    expect(visitor.see("live-region")).to_contain_text("to move to other hosts")
    visitor.page.keyboard.press("Escape")
    expect(visitor.see("plan-sheet")).to_have_count(0)
    expect(row(visitor)).to_be_focused()
    assert place.service.call("/v1/migrations?state=running")["items"] == []


def test_an_empty_host_is_dragged_and_becomes_one_of_the_destination(place: Place, visitor: Visitor) -> None:
    number = place.service.call("/v1/migrations", {"selection": {"evacuate": HOST}})["id"]
    expect(row(visitor)).to_have_attribute("data-state", "evacuated")
    assert place.service.ended(number)["state"] == "done"
    visitor.drag(row(visitor), visitor.see("column-destination"))
    sheet = visitor.see("plan-sheet")
    expect(sheet).to_contain_text(f"reassignment of {HOST}")
    expect(visitor.see("plan-start")).to_be_enabled()
    expect(sheet).to_contain_text(f"All that is on the disks of {HOST} will be lost")
    picture(visitor, "host-reassign-plan")
    number = visitor.start()
    visitor.open(f"#/migrations/{number}")
    # How far the deployment is stands in the unit that waits for it.
    expect(visitor.see("migration-page")).to_contain_text("installing packages")
    picture(visitor, "host-reassign")
    visitor.state(number, "done")
    expect(visitor.see("migration-page")).to_contain_text("a compute host of the destination")
    assert [action for _, action, _ in place.room.told()] == ["off", "boot_from_network", "on"]
    visitor.open("#/")
    show_hosts(visitor, "destination")
    expect(row(visitor, HOST, "destination")).to_have_attribute("data-state", "up")
    expect(row(visitor)).to_have_count(0)


def test_a_host_of_the_destination_stays_there(place: Place, visitor: Visitor) -> None:
    show_hosts(visitor, "destination")
    there = row(visitor, "dst-c1", "destination")
    there.focus()
    visitor.page.keyboard.press("ArrowLeft")
    expect(visitor.page.get_by_text("it is not sent to the source").first).to_be_visible()
    expect(visitor.see("plan-sheet")).to_have_count(0)


def test_all_that_is_known_of_it_and_its_power(place: Place, visitor: Visitor) -> None:
    row(visitor).focus()
    visitor.page.keyboard.press("Enter")
    sheet = visitor.see("host-sheet")
    expect(sheet).to_contain_text("a host of the source")
    expect(sheet).to_contain_text("Nova does not know it")
    expect(sheet.get_by_test_id("power")).to_have_attribute("data-state", "on")
    picture(visitor, "host")
    visitor.see("power-off").click()
    visitor.see("dialog-confirm").click()
    expect(sheet.get_by_role("alert")).to_contain_text(f"of the source live on {HOST}")
    assert place.room.told() == []
    assert visitor.findings() == []
    # What can be done with it is there, too; the focus comes back to its card.
    visitor.see("sheet-evacuate").click()
    expect(sheet).to_have_count(0)
    expect(visitor.see("plan-start")).to_be_enabled()
    visitor.page.keyboard.press("Escape")
    expect(visitor.see("plan-sheet")).to_have_count(0)
    expect(row(visitor)).to_be_focused()


def test_an_empty_host_is_switched_off_and_on(place: Place, visitor: Visitor) -> None:
    number = place.service.call("/v1/migrations", {"selection": {"evacuate": HOST}})["id"]
    assert place.service.ended(number)["state"] == "done"
    row(visitor).get_by_test_id("host-open").click()
    sheet = visitor.see("host-sheet")
    for action, state in (("soft", "off"), ("on", "on")):
        visitor.see(f"power-{action}").click()
        visitor.see("dialog-confirm").click()
        expect(sheet.get_by_test_id("power")).to_have_attribute("data-state", state)
    assert place.room.told() == [[HOST, "off", True], [HOST, "on", False]]
    expect(visitor.see("live-region")).to_contain_text(f"Host {HOST} is on")


def test_which_hosts_fall_empty_first_is_told_and_a_tenant_planned(place: Place, visitor: Visitor) -> None:
    (first, *_) = place.service.call("/v1/host-order")["items"]
    (tenant, *_) = first["tenants"]
    visitor.see("host-order-link").click()
    step = visitor.see("order-step").first
    expect(step).to_contain_text(f"Then empty: {', '.join(first['hosts'])}")
    expect(step).to_contain_text(f"{tenant['name']} {tenant['servers']} server")
    step.get_by_role("button", name=f"Plan the move of {tenant['name']}").click()
    expect(visitor.see("plan-start")).to_be_enabled()
    expect(visitor.see("plan-sheet")).to_contain_text(f"tenant {tenant['name']}")
    visitor.page.keyboard.press("Escape")
    expect(visitor.see("plan-sheet")).to_have_count(0)
    expect(visitor.page.get_by_role("heading", name="Hosts that fall empty")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "viewport"), [("wide", WIDE), ("narrow", NARROW)])
def test_everybody_can_read_it(place: Place, running: Any, scheme: str, width: str, viewport: dict[str, int]) -> None:
    visitor = Visitor(running, place.service.url, color_scheme=scheme, viewport=viewport)
    visitor.log_in(place.service.secret)
    show_hosts(visitor)
    expect(row(visitor).get_by_test_id("power")).to_have_attribute("data-state", "on")
    wrong = {"hosts": visitor.findings()}
    overflow = visitor.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    picture(visitor, f"hosts-{scheme}-{width}")
    row(visitor).get_by_test_id("evacuate-button").click()
    expect(visitor.see("plan-start")).to_be_enabled()
    wrong["plan"] = visitor.findings()
    picture(visitor, f"host-plan-{scheme}-{width}")
    visitor.open("#/host-order")
    expect(visitor.see("order-step").first).to_be_visible()
    wrong["order"] = visitor.findings()
    overflow += visitor.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    picture(visitor, f"host-order-{scheme}-{width}")
    assert ({view: found for view, found in wrong.items() if found}, max(0, overflow)) == ({}, 0)
    assert visitor.complaints == []
    visitor.context.close()
