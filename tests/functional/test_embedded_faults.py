"""An embedded cloud as a process: what it is asked to do wrong, to do late, and to be again as it was."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openstack
import pytest
import requests
import yaml

from pumphouse.embedded.process import CloudProcess, StartError, start_pair
from tests.acceptance.clouds import Account, Json, RefusedError

pytestmark = pytest.mark.filterwarnings("ignore:The .service_type. parameter is", "ignore:Support for InfluxDB")

DATA = os.urandom(3 << 20)


def account(cloud: CloudProcess) -> Account:
    """Its administrator."""
    return Account(openstack.connect(load_yaml_config=False, load_envvars=False, **cloud.clouds_entry()))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudProcess]:
    with CloudProcess("one", "zed", tmp_path_factory.mktemp("embedded")) as cloud:
        cloud.control("POST", "save/fresh")
        yield cloud


@pytest.fixture
def cloud(running: CloudProcess) -> Iterator[CloudProcess]:
    """As fresh, without faults and delays."""
    running.control("POST", "restore/fresh")
    yield running
    running.control("POST", "faults", [])
    running.control("POST", "delays", dict.fromkeys(running.control("POST", "delays", {}), 0))


@pytest.fixture
def admin(cloud: CloudProcess) -> Account:
    return account(cloud)


def faults(cloud: CloudProcess, *entries: Json) -> None:
    """What goes wrong from now on."""
    cloud.control("POST", "faults", list(entries))


def image(admin: Account, data: bytes = DATA) -> str:
    """A new one with bytes; its id."""
    made = admin.image.post("/images", name="x", container_format="bare", disk_format="raw")
    admin.image.call("PUT", f"/images/{made['id']}/file", data=data, headers=STREAM)
    return str(made["id"])


STREAM = {"Content-Type": "application/octet-stream"}


def plain(admin: Account, method: str, path: str, **how: Any) -> requests.Response:
    """A request of the image service that nothing repeats."""
    url = f"{admin.connection.image.get_endpoint().rstrip('/').removesuffix('/v2')}/v2{path}"
    headers = {"X-Auth-Token": admin.connection.auth_token, **how.pop("headers", {})}
    return requests.request(method, url, headers=headers, timeout=20, **how)


def test_a_status(cloud: CloudProcess, admin: Account) -> None:
    """In the words of the service; nothing is done."""
    words = "out of order"
    faults(cloud, {"kind": "status", "status": 500, "message": words, "method": "POST", "path": "/identity/v3/users"})
    with pytest.raises(RefusedError, match=words):
        admin.identity.post("/users", "user", name="somebody")
    assert admin.identity.list("/users", "users", name="somebody") == []
    assert admin.identity.post("/users", "user", name="somebody")["name"] == "somebody"


@pytest.mark.parametrize(
    ("path", "where"),
    [("/identity/v3/users", "error"), ("/compute/v2.1/servers", "serviceUnavailable"),
     ("/network/v2.0/networks", "NeutronError"), ("/volume/v3/{project}/volumes", "serviceUnavailable"),
     ("/placement/resource_providers", "errors")],
)  # fmt: skip
def test_each_service_says_it_in_its_way(cloud: CloudProcess, admin: Account, path: str, where: str) -> None:
    faults(cloud, {"kind": "status", "status": 503, "message": "out of order"})
    url = cloud.url + path.format(project=admin.project_id)
    answer = requests.get(url, headers={"X-Auth-Token": admin.connection.auth_token}, timeout=20)
    assert answer.status_code == 503
    assert "out of order" in str(answer.json()[where])


def test_what_it_strikes(cloud: CloudProcess, admin: Account) -> None:
    fault = {"kind": "status", "status": 500, "path": "/identity/v3/(users|groups)", "method": "GET"}
    faults(cloud, {**fault, "after": 1, "count": 2})
    statuses = []
    for path in ("/users", "/projects", "/groups", "/users", "/users"):
        try:
            statuses.append(admin.identity.call("GET", path).status_code)
        except RefusedError as refused:
            statuses.append(refused.status)
    assert statuses == [200, 200, 500, 500, 200]
    assert cloud.control("GET", "faults") == [{"kind": "status", "seen": 4, "struck": 2}]


def test_a_late_answer(cloud: CloudProcess, admin: Account) -> None:
    faults(cloud, {"kind": "slow", "seconds": 0.5, "path": ".*/users"})
    began = time.monotonic()
    assert admin.identity.call("GET", "/users").status_code == 200
    assert time.monotonic() - began >= 0.5


def test_a_connection_is_reset(cloud: CloudProcess, admin: Account) -> None:
    """After some bytes of the answer."""
    id_ = image(admin)
    faults(cloud, {"kind": "reset", "at": 2_000_000, "path": ".*/file"})
    got = 0
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)) as caught:
        for chunk in plain(admin, "GET", f"/images/{id_}/file", stream=True).iter_content(100_000):
            got += len(chunk)
    assert "reset" in str(caught.value)
    assert got <= 2_000_000
    assert plain(admin, "GET", f"/images/{id_}/file").content == DATA


def test_an_answer_ends_early(cloud: CloudProcess, admin: Account) -> None:
    id_ = image(admin)
    faults(cloud, {"kind": "truncate", "at": 2_000_001, "path": ".*/file"})
    got = b""
    with contextlib.suppress(requests.exceptions.ChunkedEncodingError):
        for chunk in plain(admin, "GET", f"/images/{id_}/file", stream=True).iter_content(100_000):
            got += chunk
    assert DATA.startswith(got)
    assert 1_900_000 < len(got) <= 2_000_001


def test_a_byte_comes_as_another(cloud: CloudProcess, admin: Account) -> None:
    id_ = image(admin)
    faults(cloud, {"kind": "corrupt", "at": 2_000_000, "path": ".*/file"})
    got = plain(admin, "GET", f"/images/{id_}/file").content
    assert [at for at in range(len(DATA)) if got[at] != DATA[at]] == [2_000_000]


def test_a_byte_arrives_as_another(cloud: CloudProcess, admin: Account) -> None:
    faults(cloud, {"kind": "corrupt", "where": "request", "at": 1_500_000, "path": ".*/file"})
    id_ = image(admin)
    got = plain(admin, "GET", f"/images/{id_}/file").content
    assert [at for at in range(len(DATA)) if got[at] != DATA[at]] == [1_500_000]


def test_a_request_is_cut(cloud: CloudProcess, admin: Account) -> None:
    """While its bytes are on their way; the service does not see it end."""
    made = admin.image.post("/images", name="x", container_format="bare", disk_format="raw")
    faults(cloud, {"kind": "reset", "where": "request", "at": 1_000_000, "path": ".*/file"})
    with pytest.raises(requests.ConnectionError):
        plain(admin, "PUT", f"/images/{made['id']}/file", data=DATA, headers=STREAM)
    assert admin.image.get(f"/images/{made['id']}")["status"] == "queued"


def test_nothing_comes(cloud: CloudProcess, admin: Account) -> None:
    faults(cloud, {"kind": "stall", "seconds": 0.4, "path": ".*/images"})
    began = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        plain(admin, "GET", "/images")
    assert time.monotonic() - began >= 0.4


def test_a_token_ends(cloud: CloudProcess, admin: Account) -> None:
    """Plain clients are refused; good ones get a new one."""
    faults(cloud, {"kind": "revoke", "path": ".*/images"})
    assert plain(admin, "GET", "/images").status_code == 401
    assert plain(admin, "GET", "/images").status_code == 401
    assert admin.image.list("/images", "images") == []


def test_an_answer_is_lost(cloud: CloudProcess, admin: Account) -> None:
    """What was asked for is done."""
    faults(cloud, {"kind": "lost", "method": "POST", "path": ".*/images"})
    with pytest.raises(requests.ConnectionError):
        plain(admin, "POST", "/images", json={"name": "lost", "container_format": "bare", "disk_format": "raw"})
    assert [one["name"] for one in admin.image.list("/images", "images")] == ["lost"]


def test_a_resource_fails(cloud: CloudProcess, admin: Account) -> None:
    faults(cloud, {"kind": "fails", "type": "volume"})
    states = []
    for _ in range(2):
        made = admin.volume.post("/volumes", "volume", size=1)
        states.append(admin.volume.get(f"/volumes/{made['id']}")["status"])
    assert states == ["error", "available"]


@pytest.mark.parametrize("fault", [{"kind": "nothing such"}, {"kind": "slow", "minutes": 1}, {}])
def test_unknown_faults(cloud: CloudProcess, fault: Json) -> None:
    answer = requests.post(f"{cloud.url}/_control/faults", json=[fault], timeout=20)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_delays(cloud: CloudProcess, admin: Account) -> None:
    assert cloud.control("POST", "delays", {"volume": 0.6})["volume"] == 0.6
    made = admin.volume.post("/volumes", "volume", size=1)
    assert admin.volume.get(f"/volumes/{made['id']}")["status"] == "creating"
    time.sleep(0.7)
    assert admin.volume.get(f"/volumes/{made['id']}")["status"] == "available"
    assert requests.post(f"{cloud.url}/_control/delays", json={"lunch": 1}, timeout=20).status_code == 400


def test_a_cloud_is_saved_and_restored(cloud: CloudProcess, admin: Account) -> None:
    """With its people, their passwords in the database, its bytes and its tokens."""
    user = admin.identity.post("/users", "user", name="somebody", password="first")
    id_ = image(admin)
    old = admin.connection.auth_token
    cloud.control("POST", "save/here")
    admin.identity.patch(f"/users/{user['id']}", "user", password="second", email="e")
    admin.identity.post("/projects", "project", name="later")
    admin.image.delete(f"/images/{id_}")
    later = account(cloud)
    assert later.login(user["id"], "second") == 201
    for _ in range(2):
        cloud.control("POST", "restore/here")
        assert admin.login(user["id"], "first") == 201
        assert admin.login(user["id"], "second") == 401
        assert admin.connection.auth_token == old
        assert "email" not in admin.identity.get(f"/users/{user['id']}")
        assert admin.identity.list("/projects", "projects", name="later") == []
        assert plain(admin, "GET", f"/images/{id_}/file").content == DATA
    assert plain(later, "GET", "/images").status_code == 401
    assert requests.post(f"{cloud.url}/_control/restore/nothing", timeout=20).status_code == 404


def test_what_is_under_way_is_saved_too(cloud: CloudProcess, admin: Account) -> None:
    cloud.control("POST", "delays", {"volume": 1})
    made = admin.volume.post("/volumes", "volume", size=1)
    cloud.control("POST", "save/under way")
    time.sleep(1.1)
    assert admin.volume.get(f"/volumes/{made['id']}")["status"] == "available"
    cloud.control("POST", "restore/under way")
    assert admin.volume.get(f"/volumes/{made['id']}")["status"] == "available"


def test_requests_are_counted(cloud: CloudProcess, admin: Account) -> None:
    for path in ("/users", "/users", "/users/nobody"):
        with contextlib.suppress(RefusedError):
            admin.identity.call("GET", path)
    counted = cloud.control("GET", "requests")
    assert counted["GET /identity/v3/users"] == 2
    assert counted["GET /identity/v3/users/<user_id>"] == 1


def test_where_bytes_are(cloud: CloudProcess, admin: Account) -> None:
    id_ = image(admin)
    assert Path(cloud.control("GET", f"blobs/image/{id_}")["path"]).read_bytes() == DATA
    assert cloud.control("GET", "blobs/image/nothing")["path"] is None


def test_connections_stay_open(cloud: CloudProcess) -> None:
    """Also when nobody has read what came with a request."""
    connection = http.client.HTTPConnection(cloud.url.removeprefix("http://"), timeout=20)
    connection.connect()
    socket = connection.sock
    for method, body in (("GET", None), ("PUT", b"x" * 100_000), ("HEAD", None), ("GET", None)):
        connection.request(method, "/identity/v3", body)
        answer = connection.getresponse()
        assert answer.status == (405 if method == "PUT" else 200)
        answer.read()
        assert connection.sock is socket
    connection.close()


def test_a_cloud_ends_with_who_needs_it(tmp_path: Path) -> None:
    cloud = CloudProcess("one", "2026.1", tmp_path / "one").start()
    assert requests.get(cloud.auth_url, timeout=20).status_code == 200
    assert oct((tmp_path / "one/clouds.yaml").stat().st_mode)[-3:] == "600"
    entry = yaml.safe_load((tmp_path / "one/clouds.yaml").read_text())["clouds"]["one"]
    assert entry == cloud.clouds_entry()
    cloud.stop()
    cloud.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(cloud.auth_url, timeout=20)


def test_a_cloud_that_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one/blobs").write_text("in the way")
    with pytest.raises(StartError, match="the embedded cloud one did not start"):
        CloudProcess("one", "zed", tmp_path / "one").start()


def test_a_pair(tmp_path: Path) -> None:
    """The command finds both, by the files that are written for it."""
    with start_pair(tmp_path) as pair:
        assert [cloud.release for cloud in (pair.source, pair.destination)] == ["zed", "2026.1"]
        for file in (pair.clouds_file, pair.config):
            assert oct(file.stat().st_mode)[-3:] == "600"
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("OS_", "PUMPHOUSE_"))}
        done = subprocess.run(
            [Path(sys.executable).with_name("pumphouse"), "--config", str(pair.config), "check", "-f", "json"],
            env={**environment, "OS_CLIENT_CONFIG_FILE": str(pair.clouds_file), "PYTHONUTF8": "1"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert not re.search(r'"result": "failed"', done.stdout)
