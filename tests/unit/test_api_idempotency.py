"""Creating requests that are sent twice; lists; answers that have not changed."""

from __future__ import annotations

import pytest
from apiflask import APIBlueprint

from pumphouse.api import app as application
from pumphouse.api.etags import respond
from pumphouse.api.guard import needs
from pumphouse.api.idempotency import idempotent
from pumphouse.api.paging import PageQuery, marker_id, page
from pumphouse.api.problems import conflict
from pumphouse.api.schemas.base import Answer, Body
from pumphouse.store import requests

from .api_client import World, world


class Wanted(Body):
    """A thing."""

    name: str


class Made(Answer):
    """A thing."""

    id: int
    name: str


class Shop:
    """An application that makes things."""

    def __init__(self, monkeypatch) -> None:
        self.made: list[str] = []
        self.state = 1
        blueprint = APIBlueprint("things", __name__, url_prefix="/v1")

        @blueprint.post("/things")
        @needs("operator")
        @idempotent
        @blueprint.input(Wanted, arg_name="wanted")
        @blueprint.output(Made, status_code=202)
        @blueprint.doc(operation_id="createThing")
        def create(wanted):
            if wanted.name == "busy":
                raise conflict("it is busy")
            if wanted.name == "broken":
                raise ValueError("broken")
            self.made.append(wanted.name)
            return {"id": len(self.made), "name": wanted.name}, 202, {"Location": f"/v1/things/{len(self.made)}"}

        @blueprint.get("/things")
        @needs("viewer")
        @blueprint.input(PageQuery, location="query", arg_name="query")
        @blueprint.doc(operation_id="listThings")
        def list_(query):
            first = marker_id(query.marker) or 0
            end = first + query.limit
            return page(range(first, min(end, 7)), end if end < 7 else None, 7)

        @blueprint.get("/state")
        @needs("viewer")
        @blueprint.doc(operation_id="showState")
        def state():
            return respond({"state": self.state}, [self.state])

        chosen = application.blueprints
        monkeypatch.setattr(application, "blueprints", lambda names: [*chosen(names), blueprint])
        self.world: World = world()
        self.headers = self.world.bearer("operator")

    def post(self, name: str, key: str = "k1", headers: dict[str, str] | None = None, **options):
        sent = {**(headers or self.headers), "Idempotency-Key": key}
        return self.world.client.post("/v1/things", json={"name": name}, headers=sent, **options)

    def get(self, path: str, **headers: str):
        return self.world.client.get(path, headers={**self.headers, **headers})


@pytest.fixture
def shop(monkeypatch) -> Shop:
    return Shop(monkeypatch)


def test_a_request_sent_twice_makes_one_thing(shop):
    first, second = shop.post("a"), shop.post("a")
    assert shop.made == ["a"]
    assert (second.status_code, second.json, second.headers["Location"]) == (202, first.json, "/v1/things/1")
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"


def test_another_body_with_the_same_key_is_refused(shop):
    shop.post("a")
    for answer in (shop.post("b"), shop.post("a", query_string={"x": "1"})):
        assert (answer.status_code, answer.json["code"]) == (422, "idempotency-mismatch")
    assert shop.made == ["a"]


def test_keys_are_each_callers_own(shop):
    shop.post("a")
    shop.post("b", headers=shop.world.bearer("operator"))
    shop.post("c", key="k2")
    assert shop.made == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["busy", "broken"])
def test_what_failed_may_be_sent_again(shop, name):
    assert shop.post(name).status_code in (409, 500)
    assert shop.post("a").status_code == 202


def test_one_that_is_still_being_answered_is_said_so(shop, monkeypatch):
    monkeypatch.setattr(requests, "answer", lambda *_: None)
    shop.post("a")
    answer = shop.post("a")
    assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (409, "conflict", "1")


@pytest.mark.parametrize("key", ["", "x" * 129])
def test_keys_that_cannot_be_kept_are_refused(shop, key):
    assert shop.post("a", key=key).json["field"] == "Idempotency-Key"
    assert shop.made == []


def test_without_a_key_each_request_makes_one(shop):
    for _ in range(2):
        shop.world.client.post("/v1/things", json={"name": "a"}, headers=shop.headers)
    assert shop.made == ["a", "a"]


def test_lists_are_read_in_parts_to_their_end(shop):
    path, found = "/v1/things?limit=3", []
    while path:
        part = shop.get(path).json
        assert part["total"] == 7
        found += part["items"]
        path = part["next"]
        assert path is None or path.startswith("/v1/things?limit=3&marker=")
    assert found == list(range(7))


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "marker=x", "marker=" + "9" * 30, "marker=-1", "lmit=3"]
)
def test_lists_are_bounded_and_misspelt_filters_refused(shop, query):
    assert shop.get(f"/v1/things?{query}").status_code == 422


def test_what_has_not_changed_is_not_sent_again(shop):
    first = shop.get("/v1/state")
    tag = first.headers["ETag"]
    again = shop.get("/v1/state", **{"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert "no-cache" in again.headers["Cache-Control"]
    shop.state = 2
    changed = shop.get("/v1/state", **{"If-None-Match": tag})
    assert (changed.status_code, changed.json) == (200, {"state": 2})


def test_the_document_names_the_header(shop):
    operation = shop.world.client.get("/v1/openapi.json").json["paths"]["/v1/things"]["post"]
    assert "Idempotency-Key" in [parameter["name"] for parameter in operation["parameters"]]
