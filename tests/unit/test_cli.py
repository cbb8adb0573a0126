"""The command line: what it says, where, and with which exit code."""

from __future__ import annotations

import functools
import importlib
import json
import logging
import subprocess
import sys
import warnings

import pytest
import yaml
from keystoneauth1.exceptions import ConnectFailure

from pumphouse import logs, planning
from pumphouse.cli import main
from pumphouse.errors import CloudError, UsageError
from pumphouse.migrations import again, leftovers
from pumphouse.planning.plan import Finding
from pumphouse.store import Store
from tests.unit import fake_cli


@pytest.fixture(autouse=True)
def quiet_again():
    """The command line sets up logging for its process; put it back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with warnings.catch_warnings():
        yield
    root.handlers, root.level = handlers, level
    logging.captureWarnings(False)


@pytest.fixture
def database(tmp_path):
    return tmp_path / "pumphouse.sqlite"


@pytest.fixture
def fake(monkeypatch, database):
    """Install the stand-ins: ``fake(the_plan=..., fail=...)``."""

    def patch(module, name, value):
        # Not setattr, which would import what stands there now.
        monkeypatch.setitem(vars(importlib.import_module(module)), name, value)

    install = functools.partial(fake_cli.install, patch, str(database))
    install()
    return install


def test_help_names_the_commands(capsys):
    assert main.main([]) == 0
    out = capsys.readouterr().out
    for name in ("check", "migrate", "list", "show", "report", "verify", "leftovers"):
        assert f"\n  {name} " in out
    assert main.main(["migrate", "--help"]) == 0
    assert "--dry-run" in capsys.readouterr().out
    assert main.main(["help", "show"]) == 0
    assert "usage: pumphouse show" in capsys.readouterr().out


def test_no_client_library_is_imported_for_help():
    look = "import sys; from pumphouse.cli.main import main; main(['--help']); print(sorted(sys.modules))"
    out = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True).stdout
    for heavy in ("keystoneauth1", "openstack", "novaclient", "taskflow", "sqlalchemy", "jinja2"):
        assert f"'{heavy}'" not in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lst"], "did you mean list?"),
        (["zzz"], "there are accept, cancel, check"),
        (["--nope"], "--nope is no global option"),
        (["migrate", "--tenant", "x", "--all", "--dry-run"], "leave out"),
        (["migrate", "--dry-run"], "what is to be moved?"),
        (["migrate", "--domain", "d", "--dry-run"], "what is to be moved?"),
        (["migrate", "--tenant", "acme"], "add --yes"),
        (["show", "7"], "none has been started yet"),
    ],
)
def test_bad_input_is_one_line_and_2(fake, capsys, monkeypatch, arguments, words):
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert main.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("pumphouse: ")
    assert captured.err.count("\n") == 1
    assert words in captured.err


@pytest.mark.parametrize("arguments", [["show", "x"], ["migrate", "--concurrency", "0"], ["report", "1", "-f", "pdf"]])
def test_argument_errors_are_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main.main(arguments)
    assert caught.value.code == 2
    assert "error: argument" in capsys.readouterr().err


def test_config_may_stand_before_and_after(fake, monkeypatch, capsys, database):
    seen = []

    def load(path=None):
        seen.append(path)
        raise UsageError("enough")

    monkeypatch.setattr("pumphouse.config.load", load)
    assert main.main(["--config", "a.yaml", "list"]) == 2
    assert main.main(["list", "--config", "b.yaml"]) == 2
    assert main.main(["list"]) == 2
    assert seen == ["a.yaml", "b.yaml", None]


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (CloudError("quota\nexceeded"), 1, "pumphouse: quota exceeded\n"),
        (UsageError("no such tenant"), 2, "pumphouse: no such tenant\n"),
        (ConnectFailure("Unable to reach http://u:s3cret@x"), 1, "pumphouse: "),
        (ZeroDivisionError("by zero"), 1, "ZeroDivisionError: by zero; run again with --debug"),
        (KeyboardInterrupt(), 130, "pumphouse: interrupted\n"),
    ],
)
def test_failures_are_one_line(fake, monkeypatch, capsys, error, code, words):
    def make_plan(*_, **__):
        raise error

    monkeypatch.setattr(planning, "make_plan", make_plan)
    assert main.main(["migrate", "--tenant", "x", "--dry-run"]) == code
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.err.count("\n") == 1
    assert "s3cret" not in captured.err
    assert captured.out == ""


def test_debug_gives_the_traceback(fake, monkeypatch, capsys):
    def make_plan(*_, **__):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(planning, "make_plan", make_plan)
    assert main.main(["--debug", "migrate", "--tenant", "x", "--dry-run"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_dry_run_shows_everything_and_changes_nothing(fake, capsys, database):
    fake(the_plan=fake_cli.plan(conflict=True))
    assert main.main(["migrate", "--tenant", "acme", "--dry-run"]) == 0
    captured = capsys.readouterr()
    for words in (
        "server web-1",
        "[red]name[/red]",
        "1.0 GiB",
        "why not",
        "10.0.0.5 is taken",
        "default_project_id = p9: of another tenant",
        "router gate: routers do not move yet",
        "Passwords cannot move",
        "Plan: 3 to create, 0 to reuse, 1 conflict, 1 field lost, 1 not carried; 2.0 GiB to move",
    ):
        assert words in captured.out
    assert "\x1b" not in captured.out
    assert "reading the source: servers..." in captured.err
    with Store.open(f"sqlite:///{database}") as store:
        assert store.history() == []


@pytest.mark.parametrize("format", ["json", "yaml"])
def test_dry_run_for_programs(fake, capsys, format):
    assert main.main(["migrate", "--tenant", "acme", "--dry-run", "-f", format]) == 0
    out = capsys.readouterr().out
    data = json.loads(out) if format == "json" else yaml.safe_load(out)
    assert data["units"][0]["items"][0]["name"] == "Zoë"
    assert data["not_carried"][0]["reason"] == "routers do not move yet"


def test_migrate_tells_how_it_went(fake, capsys):
    assert main.main(["migrate", "--tenant", "acme", "--yes"]) == 0
    captured = capsys.readouterr()
    assert "Done: 3 created, 0 reused; 2.0 GiB moved in" in captured.out
    assert "4.2 s" in captured.out
    assert "pumphouse report 1" in captured.out
    assert "image wéird [red]name[/red]: copying part 2" in captured.err
    assert fake_cli.Cloud.closed >= 2


def test_a_failure_is_named_and_1(fake, capsys):
    fake(fail=["server:s1"])
    assert main.main(["migrate", "--tenant", "acme", "--yes"]) == 1
    out = capsys.readouterr().out
    assert "! server web-1: failed: no valid host was found" in out
    assert "Failed: 2 created, 0 reused, 1 unit not finished" in out


def test_a_conflict_is_named_and_1(fake, capsys):
    fake(the_plan=fake_cli.plan(conflict=True))
    assert main.main(["migrate", "--tenant", "acme", "--yes"]) == 1
    assert "! port eth0: conflict: 10.0.0.5 is taken" in capsys.readouterr().out


def test_what_could_not_be_removed_is_named_and_1(fake, capsys):
    fake(left=["pumphouse-1-bytes-s1"])
    assert main.main(["migrate", "--tenant", "acme", "--yes"]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "! image pumphouse-1-bytes-s1: left over in the destination; pumphouse leftovers --remove removes it" in out
    assert main.main(["report", "1"]) == 0
    assert "Left over in the destination: image pumphouse-1-bytes-s1" in capsys.readouterr().out


def test_second_run_says_nothing_to_do(fake, capsys):
    fake(the_plan=fake_cli.plan("reuse"))
    assert main.main(["migrate", "--tenant", "acme", "--yes"]) == 0
    out = capsys.readouterr().out
    assert "Plan: 0 to create, 3 to reuse" in out
    assert "Nothing to do: everything is there already (0 to create)." in out


def test_result_for_programs_is_alone_on_stdout(fake, capsys):
    assert main.main(["migrate", "--tenant", "acme", "--yes", "-f", "json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["migration"]["created_count"] == 3
    assert "Plan: 3 to create" in captured.err


def test_quiet_leaves_out_plan_and_progress(fake, capsys):
    assert main.main(["-q", "migrate", "--tenant", "acme", "--yes"]) == 0
    captured = capsys.readouterr()
    assert "Plan" not in captured.out
    assert captured.err == ""
    assert "Done" in captured.out


def test_history(fake, capsys):
    assert main.main(["list"]) == 0
    assert "No migration" in capsys.readouterr().err
    fake(fail=["server:s1"])
    main.main(["migrate", "--tenant", "acme", "--yes"])
    capsys.readouterr()
    assert main.main(["list"]) == 0
    out = capsys.readouterr().out
    assert "2 of 3" in out
    assert "tenant acme" in out
    assert main.main(["list", "-f", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["units_failed"] == 1
    assert main.main(["show", "1"]) == 0
    out = capsys.readouterr().out
    assert "no valid host was found" in out
    assert "the end" in out
    assert main.main(["show", "1", "-f", "yaml"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["units"][2]["state"] == "failed"
    assert main.main(["show", "12"]) == 2
    assert "there are 1 " in capsys.readouterr().err


def test_report_is_written(fake, capsys, tmp_path):
    main.main(["migrate", "--tenant", "acme", "--yes"])
    capsys.readouterr()
    assert main.main(["report", "1"]) == 0
    out = capsys.readouterr().out
    assert f"sha512 destination {fake_cli.SUM}" in out
    assert "mapped: owner: p1 -> p2 (project)" in out
    assert "\x1b" not in out
    path = tmp_path / "report.html"
    assert main.main(["report", "1", "-f", "html", "-o", str(path)]) == 0
    assert path.read_text().startswith("<!doctype html>")
    assert main.main(["report", "1", "-o", str(tmp_path / "no" / "where")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_error(database):
    command = [sys.executable, "-m", "tests.unit.fake_cli", f"database={database}", "migrate", "--tenant", "a"]
    with subprocess.Popen(
        [*command, "--dry-run", "-f", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.wait(30) == 141
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.parametrize(
    "text",
    [
        'REQ: curl -d \'{"password": "s3cret", "name": "x"}\'',
        "{'adminPass': 's3cret'}",
        r"{\"password\": \"s3cret\"}",
        '{"original_password": "a\\"s3cret"}',
        "X-Auth-Token: s3cret",
        '-H "X-Subject-Token: s3cret"',
        "mysql+pymysql://lab:s3cret@127.0.0.1/keystone",
        "Authorization: s3cret",
        "password=s3cret&x=1",
        "token gAAAAABns3cret" + "x" * 60,
        "hash $2b$12$s3cret" + "x" * 50,
    ],
)
def test_secrets_do_not_reach_the_terminal(text):
    assert "s3cret" not in logs.redact(text)
    assert "***" in logs.redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "HTTP 404: image 1234 was not found (http://10.0.0.1:9292/v2/images/1234)",
        "X-Auth-Token: {SHA256}0123abcd",
        "the password of alice cannot move",
    ],
)
def test_what_is_no_secret_is_left(text):
    assert logs.redact(text) == text


def test_library_noise_is_kept_away(capsys):
    logs.set_up(verbose=False, debug=False)
    logging.getLogger("keystoneauth.session").warning("noise")
    warnings.warn("old", DeprecationWarning, stacklevel=1)
    logging.getLogger("pumphouse.tasks").info("detail")
    logging.getLogger("pumphouse.tasks").warning("look: password=s3cret")
    assert capsys.readouterr().err == "look: password=***\n"
    logs.set_up(verbose=True, debug=False)
    logging.getLogger("pumphouse.tasks").info("detail")
    logging.getLogger("keystoneauth.session").debug("noise")
    assert capsys.readouterr().err == "detail\n"
    logs.set_up(verbose=False, debug=True)
    logging.getLogger("sqlalchemy.engine").info("SELECT password")
    logging.getLogger("keystoneauth.session").debug("X-Auth-Token: s3cret")
    err = capsys.readouterr().err
    assert "SELECT" not in err
    assert "X-Auth-Token: ***" in err


# What the checks found


def blocked():
    plan = fake_cli.plan()
    plan.findings = [
        Finding("blocks", "project", "p1", "acme", "needs 4 of cores: its quota is 3", "raise cores to at least 4"),
        Finding("loses", "network", "n1", "net", "no extension dns-integration", ""),
        Finding("note", "", "", "", "cinder-volume is down on b", "the others do its work"),
    ]
    plan.estimate = {
        "bytes": 2**30, "seconds": 100, "bytes_per_second": 1, "basis": ["1 B/s: assumed"],
        "servers": [{"id": "s1", "name": "web-1", "bytes": 2**20, "downtime": 65}],
    }  # fmt: skip
    return plan


def test_findings_are_shown_by_level_with_their_remedies(fake, capsys):
    fake(the_plan=blocked())
    assert main.main(["migrate", "--tenant", "acme", "--dry-run"]) == 0
    out = capsys.readouterr().out
    order = [
        "project acme: needs 4 of cores: its quota is 3\n",
        "-> raise cores to at least 4\n",
        "network net: no extension dns-integration\n",
        "cinder-volume is down on b\n",
        "down for at most 1 min 05 s (1.0 MiB)\n",
        "basis: 1 B/s: assumed\n",
        "1 finding that blocks",
    ]
    places = [out.index(words) for words in order]
    assert places == sorted(places)


def test_findings_and_the_estimate_are_in_the_json(fake, capsys):
    fake(the_plan=blocked())
    assert main.main(["migrate", "--tenant", "acme", "--dry-run", "-f", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(blocked().to_json()))


def test_what_blocks_refuses_a_run_that_nobody_is_asked_about(fake, database, capsys):
    fake(the_plan=blocked())
    assert main.main(["migrate", "--tenant", "acme", "--yes"]) == 1
    err = capsys.readouterr().err
    assert "pumphouse: blocks: project acme: needs 4 of cores: its quota is 3\n" in err
    assert "--ignore-findings" in err
    with Store.open(f"sqlite:///{database}") as store:
        assert store.history() == []
    assert main.main(["migrate", "--tenant", "acme", "--yes", "--ignore-findings"]) == 0


def test_leftovers_asks_nobody_where_nobody_is(fake, capsys):
    assert main.main(["leftovers", "--remove"]) == 2
    assert "add --yes" in capsys.readouterr().err


@pytest.mark.parametrize(("keep", "removed", "force", "code"), [
    ("", 1, [], 0),
    ("its migration is running", 0, ["--force"], 1),
    ("its migration may still be running on b", 0, [], 1),
    ("its migration may still be running on b", 1, ["--force"], 0),
    ("no migration of this database made it", 0, ["--force"], 1),
])  # fmt: skip
def test_leftovers(fake, monkeypatch, capsys, keep, removed, force, code):
    one = leftovers.Leftover("source", "image", "i", "pumphouse-1-root-w", "2026", 1, keep)
    gone = []
    monkeypatch.setattr("pumphouse.planning.planner.pair_of", lambda *_: "pair")
    monkeypatch.setattr(leftovers, "find", lambda *_: [one])
    monkeypatch.setattr(leftovers, "remove", lambda one, *_: gone.append(one) or "")
    assert main.main(["leftovers"]) == 1
    out = capsys.readouterr().out
    assert "pumphouse-1-root-w" in out
    assert keep in out
    assert main.main(["leftovers", "--remove", "--yes", *force]) == code
    assert len(gone) == removed


@pytest.mark.parametrize("verdict", ["equal", "differs", "not comparable"])
def test_verify_tells_and_exits_by_what_it_finds(fake, monkeypatch, capsys, verdict):
    main.main(["migrate", "--tenant", "acme", "--yes"])
    capsys.readouterr()
    compared = again.Compared("image", "i1", "img", verdict, "why" if verdict != "equal" else "", 7, "ab" * 64)
    monkeypatch.setattr(again, "verify", lambda *_, **__: None)
    monkeypatch.setattr(again, "verify_bytes", lambda *_: [compared])
    assert main.main(["verify", "1"]) == 0
    assert "Verified: 3 equal\n" in capsys.readouterr().out
    assert main.main(["verify", "1", "--bytes", "-f", "json"]) == int(verdict == "differs")
    assert json.loads(capsys.readouterr().out)["bytes"][0]["verdict"] == verdict
    assert main.main(["verify", "2"]) == 2
