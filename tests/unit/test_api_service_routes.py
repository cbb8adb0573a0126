"""What the service says of itself, and the page's files."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

import pumphouse_ui
from pumphouse.api import headers
from pumphouse.api.routes import service
from pumphouse.store import jobs, models

from .api_client import World, world


@pytest.fixture
def here() -> World:
    return world()


def samples(here: World) -> dict[str, float]:
    text = here.client.get("/metrics", headers=here.bearer("viewer")).text
    return {
        sample.name + "".join(f",{value}" for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def age(here: World, seconds: float) -> None:
    """All jobs were asked for so long ago."""
    here.store.write(lambda session: session.execute(sa.update(models.Job).values(created=time.time() - seconds)))


def test_it_is_ready_unless_what_was_asked_for_waits_and_nothing_is_done(here):
    assert here.client.get("/readyz").json == {"status": "ready", "database": "ok", "engine": "ok"}
    jobs.add(here.store, "plan", "ann")
    assert here.client.get("/readyz").status_code == 200
    age(here, service.LATE + 5)
    late = here.client.get("/readyz")
    assert (late.status_code, late.json["engine"]) == (503, "late")
    # An engine that is busy is there.
    jobs.add(here.store, "plan", "ann")
    jobs.take(here.store, "engine", lambda _: False, ["plan"])
    age(here, service.LATE + 5)
    assert here.client.get("/readyz").status_code == 200


def test_without_its_database_it_is_not_ready_but_healthy(here, monkeypatch):
    def away():
        raise sa.exc.OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(here.store.engine, "connect", away)
    answer = here.client.get("/readyz")
    assert (answer.status_code, answer.json["database"]) == (503, "down")
    assert here.client.get("/healthz").json == {"status": "ok"}


def test_metrics_count_what_is_in_the_database(here):
    store = here.store
    number = store.start_migration("p", {}, {}, {}, [("server:1", "server", "s", 100), ("image:1", "image", "i", 50)])
    store.update_unit(number, "server:1", state="done", bytes_done=100, downtime=42.0)
    jobs.add(store, "plan", "ann")
    found = samples(here)
    assert found["pumphouse_migrations,running"] == 1
    assert found["pumphouse_migrations,failed"] == 0
    assert (found["pumphouse_units,done"], found["pumphouse_units,pending"]) == (1, 1)
    assert found["pumphouse_moved_bytes_total"] == 100
    assert found["pumphouse_jobs,plan,queued"] == 1
    assert (found["pumphouse_cutover_seconds_count"], found["pumphouse_cutover_seconds_sum"]) == (1, 42)
    assert (found["pumphouse_cutover_seconds_bucket,30.0"], found["pumphouse_cutover_seconds_bucket,60.0"]) == (0, 1)


def test_metrics_tell_the_rate_since_the_scrape_before(here):
    number = here.store.start_migration("p", {}, {}, {}, [("image:1", "image", "i", 10**9)])
    assert samples(here)["pumphouse_moving_bytes_per_second"] == 0
    here.store.update_unit(number, "image:1", bytes_done=10**6)
    assert samples(here)["pumphouse_moving_bytes_per_second"] > 0


def test_requests_are_counted_by_their_route(here):
    before = samples(here).get("pumphouse_api_requests_total,GET,/ui/<path:path>,404", 0)
    for path in ("/ui/a", "/ui/b"):
        here.client.get(path)
    here.client.open("/healthz", method="MADEUP")
    found = samples(here)
    assert found["pumphouse_api_requests_total,GET,/ui/<path:path>,404"] == before + 2
    assert not [name for name in found if "MADEUP" in name]


def test_the_page_is_served_and_asked_for_anew_after_an_upgrade(here, tmp_path, monkeypatch):
    (tmp_path / "js").mkdir()
    (tmp_path / "index.html").write_text("<title>Pumphouse</title>")
    (tmp_path / "js" / "main.js").write_text("export {}")
    monkeypatch.setattr(pumphouse_ui, "STATIC", tmp_path)
    page, script = here.client.get("/"), here.client.get("/ui/js/main.js")
    assert (page.mimetype, script.mimetype) == ("text/html", "text/javascript")
    assert "Content-Security-Policy" in page.headers
    assert script.headers["Cache-Control"] == "no-cache"
    same = here.client.get("/ui/js/main.js", headers={"If-None-Match": script.headers["ETag"]})
    assert same.status_code == 304
    (tmp_path.parent / "outside.txt").write_text("private")
    for path in ("/ui/../outside.txt", "/ui/%2e%2e/outside.txt", "/ui//etc/passwd", "/ui/js", "/ui/nix.js"):
        assert here.client.get(path).status_code == 404, path


def test_the_documentation_names_every_operation_and_needs_no_other_host(here):
    page, document = here.client.get("/v1/docs"), here.client.get("/v1/openapi.json").json
    for path, operations in document["paths"].items():
        assert path in page.text
        for operation in operations.values():
            assert operation["operationId"]
            assert operation["summary"] in page.text
    assert "<script" not in page.text
    assert "src=" not in page.text
    style = page.text.partition("<style>")[2].partition("</style>")[0]
    assert headers.style_hash(style) in page.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
