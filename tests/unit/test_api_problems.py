"""Errors as clients see them, and what is not read at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy.exc
from apiflask import APIBlueprint
from keystoneauth1.exceptions import ConnectFailure
from pydantic import Field

from pumphouse.api import app as application
from pumphouse.api import headers, problems, reading
from pumphouse.api.guard import needs
from pumphouse.api.problems import CODES, Problem
from pumphouse.api.schemas.base import Answer, Body
from pumphouse.clouds.errors import RemedyError
from pumphouse.errors import CloudError, ConfigError, PumphouseError, UsageError

from .api_client import World, world


class Wanted(Body):
    """Something."""

    name: str = Field(min_length=1)
    size: int = Field(1, ge=1)


class Inner(Answer):
    """Of something."""

    name: str


class Given(Answer):
    """Something."""

    inner: Inner | None = None


@pytest.fixture
def here(monkeypatch) -> World:
    """With an address that does what ``fail`` says, and one that reads a body."""
    blueprint = APIBlueprint("odd", __name__, url_prefix="/v1")

    @blueprint.get("/fail")
    @needs("viewer")
    def fail():
        FAIL[0]()

    @blueprint.post("/read/<int:number>")
    @needs("viewer")
    @blueprint.input(Wanted, arg_name="wanted")
    @blueprint.output(Given)
    @blueprint.doc(summary="Read", operation_id="read")
    def read(number, wanted):
        return {"inner": {"name": wanted.name}}

    chosen = application.blueprints
    monkeypatch.setattr(application, "blueprints", lambda names: [*chosen(names), blueprint])
    return world()


FAIL: list[Callable[[], None]] = [lambda: None]


def database_error() -> PumphouseError:
    error = PumphouseError("database mysql://pump@db.internal/p: gone away")
    error.__cause__ = sqlalchemy.exc.OperationalError("SELECT secret", {}, Exception("gone"))
    return error


@pytest.mark.parametrize(
    ("error", "status", "code", "words"),
    [
        (Problem(409, "conflict", "it is running", "cancel it"), 409, "conflict", "it is running"),
        (UsageError("there is no tenant acne; did you mean acme?"), 422, "invalid", "did you mean acme?"),
        (RemedyError("no volume service", "check the catalogue"), 502, "cloud-failure", "check the catalogue"),
        (CloudError("Quota exceeded for cores"), 502, "cloud-failure", "Quota exceeded"),
        (ConnectFailure("Unable to establish connection to http://old/v3"), 502, "cloud-failure", "http://old/v3"),
        (ConfigError("pumphouse.yaml: clouds.source: no entry"), 500, "internal", "clouds.source"),
        (database_error(), 503, "unavailable", "database"),
        (ValueError("a fault"), 500, "internal", "went wrong"),
    ],
)
def test_every_exception_is_a_problem_with_a_stable_code(here, error, status, code, words):
    def fail() -> None:
        raise error

    FAIL[0] = fail
    answer = here.client.get("/v1/fail", headers=here.bearer("viewer"))
    assert answer.mimetype == "application/problem+json"
    assert (answer.status_code, answer.json["code"], answer.json["status"]) == (status, code, status)
    assert words in answer.json["detail"] + answer.json["remedy"]
    assert answer.json["type"] == f"/v1/problems/{code}"
    assert {"title", "remedy", "field"} <= answer.json.keys()
    # Where our database is, and what our own faults look like, is for the log.
    assert "db.internal" not in answer.text
    assert "a fault" not in answer.text


def test_a_fault_of_ours_is_found_in_the_log_by_its_id(here, caplog):
    def fail() -> None:
        raise ValueError("a fault")

    FAIL[0] = fail
    answer = here.client.get("/v1/fail", headers=here.bearer())
    assert answer.headers["X-Request-Id"] in caplog.text
    assert "ValueError: a fault" in caplog.text


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "malformed"),
        (b"[" * 100_000, "application/json", 400, "malformed"),
        (b'{"name": "\\u0000"}', "application/json", 400, "malformed"),
        (b'{"name": "\\ud800"}', "application/json", 400, "malformed"),
        (b'{"name": "\xff"}', "application/json", 400, "malformed"),
        (b'{"size": NaN}', "application/json", 400, "malformed"),
        (b'{"size": 1e999}', "application/json", 400, "malformed"),
        (b'{"name": "x"}', "text/plain", 415, "unsupported-media-type"),
        (b"name=x", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
        (b'{"name": "' + b"x" * reading.LARGEST + b'"}', "application/json", 413, "too-large"),
        (b"", "application/json", 422, "invalid"),
        (b"[]", "application/json", 422, "invalid"),
        (b'"text"', "application/json", 422, "invalid"),
        (b'{"name": "x", "nmae": "y"}', "application/json", 422, "invalid"),
        (b'{"name": "x"}', "application/json; charset=utf-8", 200, None),
    ],
)
def test_bodies_that_cannot_be_read_are_told_apart(here, body, kind, status, code):
    answer = here.client.post("/v1/read/1", data=body, headers={**here.bearer(), "Content-Type": kind})
    assert answer.status_code == status, answer.text
    assert answer.json.get("code") == code


def test_all_wrong_fields_are_named(here):
    answer = here.client.post("/v1/read/1", json={"size": 0, "other": 1}, headers=here.bearer())
    assert {error["field"] for error in answer.json["errors"]} == {"name", "size", "other"}
    assert answer.json["field"] == "name"


@pytest.mark.parametrize("path", ["/v1/read/99999999999999999999", "/v1/nix", "/v1/read/x"])
def test_what_is_not_there_is_said_so(here, path):
    answer = here.client.post(path, json={"name": "x"}, headers=here.bearer())
    assert (answer.status_code, answer.json["code"]) == (404, "not-found")


def test_wrong_methods_and_odd_addresses(here):
    answer = here.client.put("/v1/version", json={})
    assert (answer.status_code, answer.json["code"]) == (405, "method-not-allowed")
    assert "GET" in answer.headers["Allow"]
    for path in ("/v1/version?a=%00", "/v1/%00"):
        assert here.client.get(path).json["code"] == "malformed"


def test_codes_are_those_of_the_contract():
    assert {code: status for code, (status, _) in CODES.items()} == {
        "malformed": 400, "not-logged-in": 401, "bad-credentials": 401, "forbidden": 403, "csrf": 403, "not-found": 404,
        "method-not-allowed": 405, "conflict": 409, "precondition-failed": 412, "too-large": 413,
        "unsupported-media-type": 415, "invalid": 422, "idempotency-mismatch": 422, "too-many-attempts": 429,
        "internal": 500, "cloud-failure": 502, "host-failure": 502, "unavailable": 503,
    }  # fmt: skip
    assert set(problems._BY_STATUS.values()) <= CODES.keys()


def test_every_answer_forbids_what_browsers_need_not_do(here):
    for path in ("/v1/version", "/v1/nix", "/v1/tokens"):
        found = here.client.get(path).headers
        policy = dict(part.split(" ", 1) for part in found["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert found["X-Content-Type-Options"] == "nosniff"
        assert found["Cross-Origin-Opener-Policy"] == found["Cross-Origin-Resource-Policy"] == "same-origin"
        assert found["Referrer-Policy"] == "same-origin"
        assert found["Cache-Control"] == "no-store"
    assert headers.policy(style=headers.style_hash("a{}")).count("sha256-") == 1


def test_the_log_of_requests_has_no_query_and_one_line(here, caplog):
    caplog.set_level("INFO", "pumphouse.api.access")
    here.client.get("/v1/version?search=private")
    here.client.get("/v1/a%0Ab")
    lines = [record.getMessage() for record in caplog.records if record.name == "pumphouse.api.access"]
    assert len(lines) == 2
    assert "private" not in caplog.text
    assert not any("\n" in line for line in lines)


def test_the_document_tells_what_all_views_have_in_common(here):
    document = here.client.get("/v1/openapi.json").json
    assert document["openapi"].startswith("3.1")
    read = document["paths"]["/v1/read/{number}"]["post"]
    assert read["security"] == [{"bearer": []}, {"keystone": []}, {"session": []}]
    assert {"200", "400", "401", "403", "413", "415", "422", "default"} <= read["responses"].keys()
    for status, response in read["responses"].items():
        if status != "200":
            assert list(response["content"]) == ["application/problem+json"]
    assert {"Given", "Inner", "Problem"} <= document["components"]["schemas"].keys()
    assert not [name for name in document["components"]["schemas"] if "." in name]
    assert document["paths"]["/healthz"]["get"]["security"] == []
