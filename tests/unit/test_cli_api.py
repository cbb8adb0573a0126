"""``pumphouse-api``: what it prints, and what it refuses."""

from __future__ import annotations

import json
import socket
import time

import pytest

from pumphouse.cli import api
from pumphouse.store import Store, access, events

CONFIG = "clouds: {source: {cloud: src}, destination: {cloud: dst}}\ndatabase: sqlite:///state.sqlite\n"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    file = tmp_path / "pumphouse.yaml"
    file.write_text(CONFIG)
    entry = {"auth": {"auth_url": "http://127.0.0.1:1/v3", "username": "u", "password": "p", "project_name": "p"}}
    clouds = tmp_path / "clouds.yaml"
    clouds.write_text(json.dumps({"clouds": {"src": entry, "dst": entry}}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))

    def run(*arguments: str):
        code = api.main(["--config", str(file), *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def store(tmp_path):
    with Store.open(f"sqlite:///{tmp_path}/state.sqlite") as store:
        yield store


def test_the_token_alone_is_on_stdout_and_works(run, store):
    code, out, err = run("token", "create", "--name", "ann", "--role", "operator", "--expires", "30d")
    assert code == 0
    token = access.check_token(store, out.removesuffix("\n"))
    assert token is not None
    assert (token.name, token.role) == ("ann", "operator")
    assert token.expires == pytest.approx(time.time() + 30 * 86400, abs=60)
    assert out.strip() not in err


def test_tokens_are_listed_and_revoked_and_both_is_recorded(run, store):
    run("token", "create", "--name", "ann", "--role", "viewer")
    (token,) = json.loads(run("token", "list", "-f", "json")[1])
    assert "ann" in run("token", "list")[1]
    assert run("token", "revoke", token["key"])[0] == 0
    assert access.tokens(store)[0].revoked
    assert "revoked" in run("token", "list")[1]
    recorded = [row.data for row in events.newest(store, kinds=[events.AUDIT])]
    assert [row["action"] for row in recorded] == ["token.revoke", "token.create"]
    assert {row["via"] for row in recorded} == {"command"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("token", "create", "--name", "a", "--role", "viewer", "--expires", "soon"), "30d"),
        (("token", "create", "--name", "a\nb", "--role", "viewer"), "printable"),
        (("token", "revoke", "nix"), "token list"),
        (("tokn", "list"), "not a command"),
        (("serve", "--port", "99999"), "99999"),
        (("serve", "--host", "192.0.2.1"), "192.0.2.1"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_2(run, arguments, said):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_port_in_use_is_refused(run):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        code, _, err = run("serve", "--port", port)
    assert code == 2
    assert port in err
    assert "in use" in err.lower()


def test_an_entry_that_clouds_yaml_lacks_is_said_before_anything_starts(run, tmp_path):
    (tmp_path / "pumphouse.yaml").write_text(CONFIG.replace("dst", "dts"))
    code, _, err = run("serve", "--port", "0")
    assert code == 2
    assert "dts" in err


def test_the_document_needs_no_configuration(run, monkeypatch):
    code, out, _ = run("--config", "/nowhere.yaml", "openapi")
    assert code == 0
    assert json.loads(out)["openapi"].startswith("3.1")
