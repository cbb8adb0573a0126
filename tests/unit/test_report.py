"""The report: a proof, so nothing may be missing in it, and nothing may break out of the page."""

from __future__ import annotations

import re
import threading
from html.parser import HTMLParser

import pytest

from pumphouse.errors import UsageError
from pumphouse.migrations import report
from pumphouse.planning.plan import Item, Plan, Unit
from pumphouse.store import Store
from pumphouse.transfer.progress import Progress
from tests.unit import fake_cli


@pytest.fixture
def store():
    with Store.open("sqlite://") as store:
        yield store


def migrate(store, plan, **more):
    return fake_cli.run(
        plan,
        store,
        concurrency=2,
        progress=Progress(),
        stop=threading.Event(),
        on_start=lambda _: None,
        **more,
    )


def test_everything_is_in_it(store):
    built = report.build(store, migrate(store, fake_cli.plan()))
    head = built["migration"]
    assert (head["state"], head["created_count"], head["reused_count"], head["bytes"]) == ("done", 3, 0, 2**31)
    assert (head["source"], head["destination"]) == ("old at http://old", "new at http://new")
    assert head["seconds"] == head["finished"] - head["created"]
    assert [one["source_id"] for one in built["resources"]] == ["u1", "i1", "s1"]
    assert [one["destination_id"] for one in built["resources"]] == ["d-u1", "d-i1", "d-s1"]
    assert built["resources"][1]["bytes"]["destination_sha512"] == fake_cli.SUM
    assert built["units"][2]["downtime"] == 4.2
    assert built["not_carried"] == [{"type": "router", "id": "r1", "name": "gate", "reason": "routers do not move yet"}]
    assert built["notes"]


def test_what_failed_is_in_it_too(store):
    built = report.build(store, migrate(store, fake_cli.plan(conflict=True), fail=["image:i1"]))
    assert built["migration"]["created_count"] == 2
    image = built["resources"][1]
    assert (image["verdict"], image["destination_id"]) == ("failed", None)
    assert image["reason"] == "no valid host was found"


def test_skipped_items_within_units_are_not_carried(store):
    plan = Plan({"all": True}, [Unit("a", "image", "a", [Item("image", "i", "i", "skip", "too old")])])
    built = report.build(store, migrate(store, plan))
    assert built["not_carried"] == [{"type": "image", "id": "i", "name": "i", "reason": "too old"}]


def test_what_could_not_be_removed_is_in_it_once_the_migration_has_ended(store):
    migration = store.start_migration("a -> b", {}, Plan({}).to_json(), {})
    store.add_temporary(migration, "a", "destination", "image", "i1", "pumphouse-1-bytes-s1")
    assert report.build(store, migration)["left_over"] == []
    store.set_migration_state(migration, "done")
    built = report.build(store, migration)
    assert built["left_over"] == [{"cloud": "destination", "type": "image", "id": "i1", "name": "pumphouse-1-bytes-s1"}]
    assert "image pumphouse-1-bytes-s1: left over in the destination" in " ".join(
        Page(report.render_html(built)).text.split()
    )


def test_running_migration_has_no_end(store):
    migration = store.start_migration("a -> b", {}, Plan({}).to_json(), {})
    head = report.build(store, migration)["migration"]
    assert (head["finished"], head["seconds"], head["source"], head["destination"]) == (None, None, "a", "b")


def test_unknown_migration(store):
    with pytest.raises(UsageError):
        report.build(store, 5)


class Page(HTMLParser):
    """Text and tags of a page; complains about tags that do not match."""

    VOID = ("meta", "br", "link", "img")

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.text, self.urls = [], [], "", []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.urls += [value for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_page_is_whole_self_contained_and_escaped(store):
    plan = fake_cli.plan()
    plan.units[0].items[0].name = "<script>alert(1)</script>"
    plan.units[0].title = '"><img src=x onerror=alert(1)>'
    html = report.render_html(report.build(store, migrate(store, plan, fail=["server:s1"])))
    page = Page(html)
    assert "script" not in page.tags
    assert "img" not in page.tags
    assert page.urls == []
    assert "url(" not in html
    assert page.tags.count("details") == 3
    assert "<script>alert(1)</script>" in page.text
    assert "<b>node</b>" in page.text
    assert 'class="differs"' not in html
    for words in (fake_cli.SUM, "no valid host was found", "routers do not move yet", "Passwords cannot move"):
        assert words in page.text
    assert re.search(r"4\.2 s", page.text)


def test_falsy_values_are_shown(store):
    migration = migrate(store, fake_cli.plan())
    fields = [
        {"field": name, "verdict": "differs", "source": value, "destination": None, "reason": ""}
        for name, value in (("a", False), ("b", 0), ("c", ""), ("d", []), ("e", {"k": None}))
    ]
    store.save_result(migration, "server:s1", "server", "s1", "web-1", "d", "differs", fields, None)
    html = report.render_html(report.build(store, migration))
    page = Page(html)
    for words in ("a differs: false became null", 'c differs: "" became null', 'e differs: {"k": null}'):
        assert words in page.text
