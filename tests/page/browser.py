"""The page as people use it: Debian's Chromium, driven by Playwright. Whatever its console complains of is kept."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

#: Milliseconds that something on the page may take.
PATIENCE = 60_000
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
expect.set_options(timeout=PATIENCE)


def chromium() -> str | None:
    """Where it is."""
    return shutil.which("chromium")


@contextmanager
def browser() -> Iterator[Browser]:
    """One that nobody sees."""
    with sync_playwright() as playwright:
        # The sandbox cannot be had as root.
        running = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        try:
            yield running
        finally:
            running.close()


class Visitor:
    """Somebody in front of the page."""

    def __init__(self, browser: Browser, url: str, **more: Any) -> None:
        """``more``: of the browser's context, as ``color_scheme``."""
        more.setdefault("viewport", WIDE)
        self.url = url
        self.context: BrowserContext = browser.new_context(**more)
        self.context.set_default_timeout(PATIENCE)
        self.page: Page = self.context.new_page()
        #: What the console and scripts complained of.
        self.complaints: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} ({message.location.get('url')})")

    def see(self, testid: str, **having: Any) -> Locator:
        """What is called so, and has these data attributes."""
        found = self.page.get_by_test_id(testid)
        marks = "".join(f'[data-{name.replace("_", "-")}="{value}"]' for name, value in having.items())
        return self.page.locator(f'[data-testid="{testid}"]{marks}') if marks else found

    def open(self, place: str = "#/") -> None:
        """A view of the page."""
        self.page.goto(f"{self.url}/{place}")

    def log_in(self, token: str) -> None:
        """With a token."""
        self.open()
        self.see("login-token").fill(token)
        self.see("login-submit").click()
        expect(self.see("column-source")).to_be_visible()

    def card(self, name: str, column: str = "source") -> Locator:
        """A tenant's."""
        return self.see(f"column-{column}").locator(f'[data-testid="tenant-card"][data-name="{name}"]')

    def drag(self, what: Locator, to: Locator) -> None:
        """With the mouse, as a hand does."""
        expect(what).to_be_visible()
        here, there = what.bounding_box(), to.bounding_box()
        assert here is not None
        assert there is not None
        mouse = self.page.mouse
        mouse.move(here["x"] + 60, here["y"] + 12)
        mouse.down()
        for step in range(1, 11):
            x = here["x"] + 60 + (there["x"] + there["width"] / 2 - here["x"] - 60) * step / 10
            mouse.move(x, here["y"] + 12 + step * 8)
        mouse.up()

    def start(self) -> int:
        """Start what the plan's sheet shows; the migration's number."""
        button = self.see("plan-start")
        expect(button).to_be_enabled()
        with self.page.expect_response(lambda answer: answer.url.endswith("/v1/migrations")) as answer:
            button.click()
        assert answer.value.status == 202, answer.value.text()
        return int(answer.value.json()["id"])

    def state(self, number: int, state: str) -> None:
        """The migration's page, when it is in this state: what fails in a cloud is ordered anew before."""
        if not re.search(rf"#/migrations/{number}$", self.page.url):
            self.open(f"#/migrations/{number}")
        expect(self.see("migration-page")).to_have_attribute("data-state", state, timeout=3 * PATIENCE)

    def findings(self) -> list[str]:
        """What axe calls serious or critical."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{one['id']} ({one['impact']}): {', '.join(node['html'][:120] for node in one['nodes'][:3])}"
            for one in found
            if one["impact"] in ("serious", "critical")
        ]
