"""What is refused is said by each surface in its own words."""

from __future__ import annotations

import inspect
import re
import string

import pytest

from pumphouse.api.routes import migrations as routes
from pumphouse.cli import main, remedies
from pumphouse.engine import engine, wording
from pumphouse.errors import Refusal, UsageError
from pumphouse.migrations import accepting, undoing
from pumphouse.store import Store, claims
from tests.unit.fake_api import a_migration, a_plan, a_ready_plan, open_api

#: What only an operator at a terminal can do.
OF_THE_COMMANDS = re.compile(r"(^|[\s(])--[a-z]|pumphouse(-bm)? [a-z]")


def test_both_know_every_remedy_with_the_same_blanks():
    assert set(wording.REMEDIES) == set(remedies.REMEDIES)
    known = {"migration", "plan"}
    for table in (wording.REMEDIES, remedies.REMEDIES):
        for text in table.values():
            assert {name for _, name, _, _ in string.Formatter().parse(text) if name} <= known
    assert not any(OF_THE_COMMANDS.search(text) for text in wording.REMEDIES.values())
    assert not any("/v1/" in text or "`" in text for text in remedies.REMEDIES.values())


def test_the_paths_that_the_service_names_are_its_own():
    documented = set(re.findall(r'blueprint\.post\("(/migrations/[^"]+)"', inspect.getsource(routes)))
    for text in wording.REMEDIES.values():
        for path in re.findall(r"POST /v1(/migrations/[^\s),]+)", text):
            assert path.replace("{migration}", "<int:migration_id>") in documented


@pytest.fixture
def store():
    with Store.open("sqlite://") as store:
        yield store


def of(error):
    """(for the commands, for the service)."""
    return remedies.told(error), (error.detail, wording.remedy(error))


def caught(refuse, *arguments):
    with pytest.raises(Refusal) as found:
        refuse(*arguments)
    assert isinstance(found.value, UsageError)
    return found.value


def test_of_a_migration_that_runs(store):
    migration = store.migration(a_migration(store))
    claims.take(store, migration.id, "identity:p1", "elsewhere/7/1/a")
    commands, (detail, remedy) = of(caught(undoing.refuse_running, store, migration))
    assert commands == "migration 1 is running (process 7 on elsewhere); stop it first (pumphouse cancel 1)"
    assert detail == "migration 1 is running (process 7 on elsewhere)"
    assert remedy == "cancel it first: POST /v1/migrations/1/cancel"


def test_of_differences(store):
    found = [accepting.Difference("server:web-1:status", "it runs")]
    commands, (detail, remedy) = of(caught(accepting.refuse_differences, 7, found, ()))
    assert commands.endswith("; mend them and run pumphouse verify 7, or name each with --despite")
    assert "server:web-1:status (it runs)" in detail
    assert remedy == "mend them and verify again (POST /v1/migrations/7/verify), or name each in `despite`"
    commands, (detail, remedy) = of(caught(accepting.refuse_differences, 7, found, ["server:web 2:status"]))
    assert commands.startswith("--despite 'server:web 2:status': there is no such difference")
    assert detail.startswith("despite 'server:web 2:status': ")


def test_the_command_line_says_it_in_its_words(capsys, store):
    migration = store.migration(a_migration(store))
    claims.take(store, migration.id, "identity:p1", "elsewhere/7/1/a")
    error = caught(undoing.refuse_running, store, migration)
    assert main.explain(error, debug=False) == 2
    assert capsys.readouterr().err.endswith("; stop it first (pumphouse cancel 1)\n")


def test_a_job_keeps_it_in_the_words_of_the_service():
    refusal = Refusal("the source has no such server", "did you mean web-1", choice="selection.servers", value="web")
    assert engine.told(refusal) == {
        "code": "invalid", "detail": "servers 'web': the source has no such server", "remedy": "did you mean web-1",
        "field": "selection.servers",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("verb", "state", "body", "remedy"),
    [
        ("resume", "done", {}, "GET /v1/migrations/1 says in `can` what it allows"),
        ("rollback", "done", {"servers": ["nobody"]}, "there are: server s0, server s1"),
        ("accept", "failed", {"delete_source": False, "confirm": 1},
         "mend them and verify again (POST /v1/migrations/1/verify), or name each in `despite`"),
    ],
)  # fmt: skip
def test_what_the_api_refuses_it_explains_in_its_own_terms(store, verb, state, body, remedy):
    api = open_api(store)
    a_migration(store, state=state)
    answer = api.post(f"/v1/migrations/1/{verb}", body)
    assert (answer.status_code, answer.json["code"], answer.json["remedy"]) == (409, "conflict", remedy)
    assert not OF_THE_COMMANDS.search(f"{answer.json['detail']} {remedy}")


def test_what_is_busy_names_the_operation_that_ends_it(store):
    api = open_api(store)
    a_migration(store, state="done")
    assert api.post("/v1/migrations/1/verify", {}).status_code == 202
    answer = api.post("/v1/migrations/1/rollback", {})
    assert answer.json["remedy"] == "cancel it (POST /v1/migrations/1/cancel), or wait for its end"


def test_a_plan_with_findings_names_the_field(store):
    from pumphouse.planning.plan import Finding

    api = open_api(store)
    blocks = Finding("blocks", "project", "p1", "acme", "its quota is too small")
    answer = api.post("/v1/migrations", {"plan_id": a_ready_plan(store, a_plan(blocks))})
    assert answer.status_code == 409
    assert answer.json["remedy"] == "mend what blocks and plan again, or begin with `ignore_findings`"
