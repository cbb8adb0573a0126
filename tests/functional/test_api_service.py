"""The service as a process: logging in, staying out, ending."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import keystoneauth1.identity
import keystoneauth1.session
import pytest
import requests

from pumphouse.embedded.process import Pair, start_pair
from tests.page.process import Service, alive, wait


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> Iterator[Pair]:
    with start_pair(tmp_path_factory.mktemp("service")) as pair:
        yield pair


@pytest.fixture(scope="module")
def service(pair) -> Iterator[Service]:
    with Service(pair.config, str(pair.clouds_file)) as service:
        yield service


def log_in(service: Service, role: str = "admin") -> tuple[requests.Session, str]:
    page = requests.Session()
    answer = page.post(f"{service.url}/v1/session", json={"token": service.token(role)}, timeout=30)
    assert answer.status_code == 201, answer.text
    return page, answer.json()["csrf_token"]


def test_a_new_token_reads_the_clouds(service):
    answer = service.session("viewer").get(f"{service.url}/v1/clouds", timeout=30)
    assert answer.status_code == 200
    assert [cloud["role"] for cloud in answer.json()["items"]] == ["source", "destination"]


def test_nobody_is_let_in_without_one_though_it_is_this_machine(service):
    for path in ("/v1/clouds", "/v1/migrations", "/v1/events", "/metrics"):
        answer = requests.get(f"{service.url}{path}", timeout=30)
        assert (answer.status_code, answer.json()["code"]) == (401, "not-logged-in")
    wrong = {"Authorization": "Bearer ph_123456_wrong"}
    assert requests.get(f"{service.url}/v1/clouds", headers=wrong, timeout=30).json()["code"] == "bad-credentials"


def test_the_page_logs_in_and_changes_nothing_without_its_csrf_token(service):
    page, csrf = log_in(service)
    new, url = {"name": "made by the page", "role": "viewer"}, f"{service.url}/v1/tokens"
    assert page.post(url, json=new, timeout=30).json()["code"] == "csrf"
    assert page.post(url, json=new, headers={"X-CSRF-Token": csrf}, timeout=30).status_code == 201
    assert page.delete(f"{service.url}/v1/session", headers={"X-CSRF-Token": csrf}, timeout=30).status_code == 204
    assert page.get(url, timeout=30).status_code == 401


def test_a_token_revoked_by_command_is_refused_at_once(service):
    session = service.session()
    (key,) = [
        token["key"]
        for token in session.get(f"{service.url}/v1/tokens", timeout=30).json()["items"]
        if f"ph_{token['key']}_" in session.headers["Authorization"]
    ]
    service.command("token", "revoke", key)
    assert session.get(f"{service.url}/v1/tokens", timeout=30).status_code == 401


def test_a_keystone_token_of_either_cloud_is_taken_as_configured(pair):
    with Service(pair.config, str(pair.clouds_file), "--no-engine", keystone_roles={"admin": "operator"}) as service:
        for role, cloud in (("source", pair.source), ("destination", pair.destination)):
            login = keystoneauth1.identity.V3Password(
                cloud.auth_url, username="admin", password=cloud.password, user_domain_name="Default",
                project_name="admin", project_domain_name="Default",
            )  # fmt: skip
            token = keystoneauth1.session.Session(login).get_token()
            answer = requests.get(f"{service.url}/v1/session", headers={"X-Auth-Token": token}, timeout=30).json()
            assert (answer["name"], answer["role"], answer["via"]) == ("admin", "operator", f"keystone:{role}")
            page = requests.post(f"{service.url}/v1/session", json={"token": token}, timeout=30)
            assert page.status_code == 201
            assert token not in service.log.read_text()
        wrong = requests.get(f"{service.url}/v1/session", headers={"X-Auth-Token": token + "x"}, timeout=30)
        assert (wrong.status_code, wrong.json()["code"]) == (401, "bad-credentials")


def test_the_page_and_its_headers_are_there(service):
    page = requests.get(f"{service.url}/", timeout=30)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    for found in (page, requests.get(f"{service.url}/v1/docs", timeout=30)):
        assert found.status_code == 200
        assert "unsafe" not in found.headers["Content-Security-Policy"]
        assert found.headers["X-Content-Type-Options"] == "nosniff"


def test_the_log_tells_who_asked_for_what_and_holds_no_secret(service):
    session = service.session("viewer")
    session.get(f"{service.url}/v1/tokens?search=private", timeout=30)
    wait(lambda: "GET /v1/tokens 403" in service.log.read_text())
    text = service.log.read_text()
    assert "private" not in text
    assert session.headers["Authorization"].split("_", 2)[2] not in text


def test_a_port_in_use_is_refused_in_one_line(service):
    port = service.url.rpartition(":")[2]
    done = subprocess.run(
        [sys.executable, "-m", "pumphouse.cli.api", "serve", "--port", port],
        env=service.environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert port in done.stderr


def test_a_dead_engine_is_replaced(service):
    def engines() -> list[int]:
        return [pid for pid in service.children() if "pumphouse.engine" in _command(pid)]

    wait(lambda: len(engines()) == 1)
    (before,) = engines()
    os.kill(before, signal.SIGKILL)
    wait(lambda: engines() not in ([], [before]))


def test_failed_log_ins_are_limited_in_all_processes_together(pair):
    with Service(pair.config, str(pair.clouds_file), "--no-engine", workers=2) as service:
        codes = [
            requests.post(f"{service.url}/v1/session", json={"token": "ph_a_b"}, timeout=30).status_code
            for _ in range(14)
        ]
        # Other tests have failed, too.
        assert codes == sorted(codes)
        assert codes.count(429) >= 4
        assert codes.count(401) > 1
        # Who has a token is not kept out by others on the same machine.
        session = service.session()
        assert session.get(f"{service.url}/v1/session", timeout=30).status_code == 200
        # The counters of both processes are told as one.
        text = session.get(f"{service.url}/metrics", timeout=30).text
        counted = 'pumphouse_api_requests_total{method="POST",route="/v1/session",status="%d"} %.1f'
        assert counted % (401, codes.count(401)) in text
        assert counted % (429, codes.count(429)) in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_and_soon_though_somebody_listens(pair, number):
    service = Service(pair.config, str(pair.clouds_file)).start()
    wait(lambda: len(service.children()) == 2)
    children = service.children()
    session = service.session("viewer")
    listening, ended = threading.Event(), threading.Event()

    def listen() -> None:
        with session.get(f"{service.url}/v1/events", stream=True, timeout=60) as answer:
            for line in answer.iter_lines():
                if line.startswith(b"retry"):
                    listening.set()
        ended.set()

    threading.Thread(target=listen, daemon=True).start()
    assert listening.wait(20)
    began = time.monotonic()
    assert service.stop(number) == 0
    # Without being told, the stream would have gone on for all of the 30 seconds.
    assert time.monotonic() - began < 20
    assert ended.wait(5)
    assert not any(map(alive, children))


def test_nothing_is_left_when_its_parent_is_killed(pair):
    service = Service(pair.config, str(pair.clouds_file)).start()
    wait(lambda: len(service.children()) == 2)
    children = service.children()
    with service.session("viewer").get(f"{service.url}/v1/events", stream=True, timeout=60) as answer:
        assert answer.status_code == 200
        service.stop(signal.SIGKILL)
        wait(lambda: not any(map(alive, children)), 20)


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""
