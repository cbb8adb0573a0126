"""The API is asked whatever its own OpenAPI document allows, and what not: it answers as told, and never fails."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from pumphouse.api import create_app, stream
from pumphouse.api.services import Services
from pumphouse.config import load
from pumphouse.embedded import demo
from pumphouse.embedded.demo.account import operator
from pumphouse.embedded.process import start_pair
from pumphouse.engine.engine import Engine
from pumphouse.engine.requests import begin
from pumphouse.planning import Selection
from pumphouse.store import access, jobs

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
#: Requests of each operation, half of them not as the document says.
EXAMPLES = 20
#: So many parts of a stream, which does not end, are read: it says where it begins, and lives.
HEAD = 3


def heads_of_streams(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """The same application for a client that goes when it has read the beginning of a stream."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        kinds: list[str] = []

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            kinds.append(dict(headers).get("Content-Type", ""))
            return start_response(status, headers, *more)

        body = app(environ, start)
        if not kinds[0].startswith("text/event-stream"):
            return body
        try:
            return list(itertools.islice(body, HEAD))
        finally:
            body.close()  # type: ignore[attr-defined]  # as WSGI has it

    return answer


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, dict[str, str]]]:
    """The document of an application that has a migration behind it, and the headers of an administrator."""
    directory = tmp_path_factory.mktemp("fuzz")
    with start_pair(directory) as pair, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(pair.clouds_file))
        domain = demo.fill(operator("src"), operator("dst"), "small", say=lambda _: None)
        config = load(str(pair.config))
        services = Services.open(config)
        selection = Selection(tenant="acme", domain=domain)
        options = {"concurrency": 4, "source": "src", "destination": "dst"}
        begin(services.store, services.clouds.pair, plan=None, selection=selection, options=options, by="tester")
        engine = Engine(config, services.store)
        job = jobs.take(services.store, engine.owner, lambda _: False, ("migrate",))
        assert job is not None
        engine._do(job)
        migration = services.store.migration(1)
        assert migration is not None
        assert migration.state == "done"
        _, token = access.create_token(services.store, "fuzzer", "admin")
        app = create_app(services)
        try:
            # Where nothing happens a stream says so, soon.
            patch.setattr(stream, "PING", 0.05)
            yield (
                schemathesis.openapi.from_wsgi("/v1/openapi.json", heads_of_streams(app)),
                {"Authorization": f"Bearer {token}"},
            )
            assert services.stream.count() == 0, "those who went are forgotten"
        finally:
            services.close()


def test_no_request_makes_it_fail(asked: tuple[Any, dict[str, str]]) -> None:
    schema, headers = asked
    answers: Counter[int] = Counter()
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in schemathesis.GenerationMode:
            answers += run(operation, mode, headers)
    assert answers[200] + answers[202] > 100, answers
    assert answers[422] > 50, answers


def test_streams_are_asked_too(asked: tuple[Any, dict[str, str]]) -> None:
    schema, headers = asked
    operation = schema["/v1/events"]["GET"]
    assert run(operation, schemathesis.GenerationMode.POSITIVE, headers)[200] > 0


def run(operation: Any, mode: Any, headers: dict[str, str]) -> Counter[int]:
    """Some examples of one operation; how many answers there were of each status."""
    answers: Counter[int] = Counter()

    @hypothesis.settings(
        max_examples=EXAMPLES // 2, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )  # fmt: skip
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        response = case.call(headers=headers)
        answers[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    try:
        ask()
    except hypothesis.errors.Unsatisfiable:
        # Of some there is nothing that is not as the document says.
        assert mode is schemathesis.GenerationMode.NEGATIVE
    return answers
