"""A cloud: what is asked of it, how often, and with whose credentials. On real sockets."""

from __future__ import annotations

import shutil
import subprocess
import threading

import pytest
from keystoneauth1 import exceptions as keystoneauth

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import explain
from pumphouse.clouds.http import CheckedSession
from pumphouse.config import CloudConfig
from pumphouse.errors import CloudError, ConfigError
from tests.unit.cloud_server import PROJECT, USER, CloudServer, entry, open_cloud, write_clouds

TOKENS = ("POST", "/v3/auth/tokens")


@pytest.fixture
def server():
    server = CloudServer()
    yield server
    server.close()


@pytest.fixture
def cloud(server, tmp_path, monkeypatch):
    write_clouds(tmp_path, monkeypatch, old=entry(server.url))
    cloud = open_cloud()
    yield cloud
    cloud.close()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr("urllib3.util.retry.Retry.get_backoff_time", lambda self: 0)


def test_opening_makes_no_request(server, cloud):
    assert server.requests == []
    assert cloud.name == "old"
    assert cloud.role == "source"
    assert cloud.auth_url == f"{server.url}/v3"


def test_tells_who_we_are(cloud):
    assert (cloud.user_id, cloud.project_id, cloud.domain_id) == (USER, PROJECT, "default")
    assert cloud.roles == [{"id": "r1", "name": "admin"}]


def test_many_threads_share_one_token_one_discovery_and_one_client(server, cloud):
    server.on("GET", "/compute/v2.1/servers/detail", (200, {"servers": []}))
    failures, clients = [], set()

    def work():
        try:
            clients.add(id(cloud.compute))
            cloud.compute.servers.list()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(clients) == 1
    assert server.count()[TOKENS] == 1
    assert server.count()["GET", "/compute/v2.1"] == 1


def test_microversions_are_clamped_to_what_both_sides_know(server, cloud):
    assert cloud.microversion("compute") == (2, 93)
    assert cloud.compute.api_version.get_string() == "2.93"
    assert cloud.compute_at("2.46").api_version.get_string() == "2.46"
    assert cloud.compute_at("2.96").api_version.get_string() == "2.93"
    assert cloud.volume.api_version.get_string() == "3.70"
    newer = server.version("v2.1", "/compute/v2.1", "2.50", "2.200")
    server.on("GET", "/compute/v2.1", (200, {"version": newer}))
    other = open_cloud()
    assert other.compute.api_version.get_string() == "2.96"
    assert other.compute_at("2.1").api_version.get_string() == "2.50"


def test_the_microversion_is_sent(server, cloud):
    server.on("GET", "/compute/v2.1/servers/detail", (200, {"servers": []}))
    cloud.compute_at("2.46").servers.list()
    sent = server.last("GET", "/compute/v2.1/servers/detail").headers
    assert sent["OpenStack-API-Version"] == "compute 2.46"


def test_a_service_that_does_not_answer_is_not_taken_for_an_old_one(server, cloud):
    server.on("GET", "/compute/v2.1", (503, {}))
    with pytest.raises(keystoneauth.ServiceUnavailable):
        cloud.microversion("compute")
    server.on("GET", "/compute/v2.1", (200, {"version": server.version("v2.1", "/", "2.1", "2.93")}))
    assert cloud.microversion("compute") == (2, 93)


def test_a_nova_without_microversions(server, cloud):
    server.on("GET", "/compute/v2.1", (200, {"version": server.version("v2.0", "/compute/v2.1")}))
    assert cloud.versions("compute") == ((2, 0), (2, 0))


def test_a_region_without_the_service_is_told(server, tmp_path, monkeypatch):
    write_clouds(tmp_path, monkeypatch, old={**entry(server.url), "region_name": "R2"})
    with pytest.raises(CloudError, match=r"has no compute service .* region R2\); check region_name and interface"):
        open_cloud().microversion("compute")


def test_an_endpoint_of_the_entry_is_used(server, tmp_path, monkeypatch):
    write_clouds(tmp_path, monkeypatch, old={**entry(server.url), "image_endpoint_override": f"{server.url}/other/v2"})
    server.on("GET", "/other/v2/images/x", (200, {"id": "x"}))
    assert open_cloud().image.http_client.get("/v2/images/x")[1] == {"id": "x"}


def test_image_client_does_not_double_the_version(server, cloud):
    server.on("GET", "/image/v2/images/x", (200, {"id": "x"}))
    assert cloud.image.http_client.get("/v2/images/x")[1] == {"id": "x"}


def test_logs_in_again_when_the_token_has_expired(server, cloud):
    server.on("GET", "/v3/projects", (200, {"projects": [], "links": {}}))
    cloud.identity.projects.list()
    server.good_tokens.clear()
    assert cloud.identity.projects.list() == []
    assert server.count()[TOKENS] == 2


def test_a_fresh_token_for_a_long_transfer(server, cloud):
    before = cloud.session.get_token()
    cloud.fresh_token()
    assert cloud.session.get_token() != before
    assert server.count()[TOKENS] == 2


# What passes by itself


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_reads_are_repeated(server, cloud, status):
    server.on("GET", "/v3/projects", (status, {}), (status, {}), (200, {"projects": [], "links": {}}))
    assert cloud.identity.projects.list() == []
    assert server.count()["GET", "/v3/projects"] == 3


def test_reads_are_repeated_after_a_lost_connection(server, cloud):
    server.on("GET", "/v3/projects", lambda _: None, (200, {"projects": [], "links": {}}))
    assert cloud.identity.projects.list() == []


def test_what_creates_is_sent_once(server, cloud):
    server.on("POST", "/v3/projects", (503, {}), (201, {"project": {"id": "p"}}))
    with pytest.raises(keystoneauth.ServiceUnavailable):
        cloud.identity.projects.create("p", "default")
    server.on("POST", "/v3/projects", lambda _: None, (201, {"project": {"id": "p"}}))
    with pytest.raises(keystoneauth.ConnectFailure):
        cloud.identity.projects.create("p", "default")
    assert server.count()["POST", "/v3/projects"] == 2


def test_asking_for_a_token_is_repeated(server, cloud):
    server.on("POST", "/v3/auth/tokens", (503, {}), server.token)
    assert cloud.user_id == USER


def test_an_error_that_stays_is_handed_on(server, cloud):
    server.on("GET", "/v3/projects", (503, {}))
    with pytest.raises(keystoneauth.ServiceUnavailable):
        cloud.identity.projects.list()
    assert server.count()["GET", "/v3/projects"] == 5


def test_a_service_cannot_send_us_to_sleep_for_hours(server, cloud, monkeypatch):
    pauses = []
    monkeypatch.setattr("time.sleep", pauses.append)
    server.on("GET", "/v3/projects", (503, {}, {"Retry-After": "86400"}), (200, {"projects": [], "links": {}}))
    cloud.identity.projects.list()
    assert pauses == [60]


def test_every_request_has_time_limits(cloud, monkeypatch):
    seen = []
    original = "requests.adapters.HTTPAdapter.send"
    from requests.adapters import HTTPAdapter

    send = HTTPAdapter.send

    def spy(self, request, **options):
        seen.append(options["timeout"])
        return send(self, request, **options)

    monkeypatch.setattr(original, spy)
    cloud.user_id  # noqa: B018
    assert set(seen) == {(10, 60)}


def test_certificates_are_verified_unless_the_entry_says_otherwise(server, tmp_path, monkeypatch):
    ca = tmp_path / "ca.pem"
    ca.write_text("")
    write_clouds(
        tmp_path,
        monkeypatch,
        usual=entry(server.url),
        own={**entry(server.url), "cacert": str(ca)},
        none={**entry(server.url), "verify": False},
    )
    assert open_cloud("usual").session.verify is True
    assert open_cloud("own").session.verify == str(ca)
    assert open_cloud("none").session.verify is False


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_tls(tmp_path, monkeypatch):
    key, cert = str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=cloud -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([*command.split(), "-keyout", key, "-out", cert], check=True, capture_output=True)
    server = CloudServer((cert, key))
    write_clouds(tmp_path, monkeypatch, usual=entry(server.url), own={**entry(server.url), "cacert": cert})
    with pytest.raises(keystoneauth.SSLError) as caught:
        open_cloud("usual").user_id  # noqa: B018
    assert "certificate verify failed" in explain(caught.value)
    assert open_cloud("own").user_id == USER
    server.close()


# Another project


def test_as_project_asks_for_a_token_of_that_project_only(server, cloud):
    other = cloud.as_project("c" * 32)
    assert other.project_id == "c" * 32
    scope = server.last(*TOKENS).json["auth"]["scope"]
    assert scope == {"project": {"id": "c" * 32}}
    assert other.key == cloud.key
    assert cloud.project_id == PROJECT
    assert cloud.as_project("c" * 32) is other
    assert other.as_project("c" * 32) is other


def test_as_project_knows_the_versions_already(server, cloud):
    cloud.microversion("compute")
    assert cloud.as_project("c" * 32).compute.api_version.get_string() == "2.93"
    assert server.count()["GET", "/compute/v2.1"] == 1


@pytest.mark.parametrize("scope", [{"system_scope": "all"}, {"domain_id": "default"}, {"project_id": "d" * 32}])
def test_as_project_leaves_no_other_scope(server, tmp_path, monkeypatch, scope):
    auth = {key: value for key, value in entry(server.url)["auth"].items() if not key.startswith("project_")}
    write_clouds(tmp_path, monkeypatch, old={"auth": auth | scope, "region_name": "R1"})
    assert open_cloud().as_project("c" * 32).project_id == "c" * 32
    assert server.last(*TOKENS).json["auth"]["scope"] == {"project": {"id": "c" * 32}}


def test_an_application_credential_cannot_enter_another_project(server, tmp_path, monkeypatch):
    auth = {"auth_url": server.url, "application_credential_id": "i", "application_credential_secret": "s"}
    write_clouds(tmp_path, monkeypatch, old={"auth_type": "v3applicationcredential", "auth": auth})
    with pytest.raises(CloudError, match=r"'old' .* is an application credential, .*: use a password"):
        open_cloud().as_project("c" * 32)


# clouds.yaml


def test_an_entry_that_is_not_there(server, tmp_path, monkeypatch):
    write_clouds(tmp_path, monkeypatch, old=entry(server.url), new=entry(server.url))
    config = CloudConfig("odl", where="p.yaml: clouds.source")
    with pytest.raises(ConfigError) as caught:
        Cloud.open("source", config)
    assert str(caught.value) == (
        f"p.yaml: clouds.source.cloud: {tmp_path}/clouds.yaml has no entry 'odl'; did you mean 'old'? "
        "there are 'new', 'old'"
    )


def test_no_clouds_yaml(tmp_path, monkeypatch):
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "none.yaml"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("openstack.config.loader.CONFIG_FILES", [])
    with pytest.raises(ConfigError, match=r"no clouds.yaml with an entry 'old' was found; looked at .*none.yaml"):
        open_cloud()


def test_an_entry_that_lacks_something(tmp_path, monkeypatch):
    write_clouds(tmp_path, monkeypatch, old={"auth": {"username": "admin", "password": "entry-secret"}})
    with pytest.raises(ConfigError, match=r"the entry 'old' of clouds.yaml cannot be used: .*auth.url") as caught:
        open_cloud()
    assert "entry-secret" not in str(caught.value)


def test_a_clouds_yaml_that_is_no_yaml(tmp_path, monkeypatch):
    write_clouds(tmp_path, monkeypatch)
    (tmp_path / "clouds.yaml").write_text("clouds:\n  old: {auth: {password: entry-secret]\n")
    with pytest.raises(ConfigError, match=r"clouds.yaml is not YAML, line 2: expected") as caught:
        open_cloud()
    assert "entry-secret" not in str(caught.value)


def test_the_secret_file_is_read_too(server, tmp_path, monkeypatch):
    wanted = entry(server.url)
    del wanted["auth"]["password"]
    write_clouds(tmp_path, monkeypatch, old=wanted)
    (tmp_path / "secure.yaml").write_text("clouds: {old: {auth: {password: from-secure}}}")
    assert open_cloud().user_id == USER
    assert server.last(*TOKENS).json["auth"]["identity"]["password"]["user"]["password"] == "from-secure"


def test_variables_for_another_cloud_do_not_leak_in(server, tmp_path, monkeypatch):
    write_clouds(tmp_path, monkeypatch, old=entry(server.url))
    for name, value in {"USERNAME": "else", "PASSWORD": "else", "PROJECT_NAME": "else", "CLOUD": "else"}.items():
        monkeypatch.setenv(f"OS_{name}", value)
    cloud = open_cloud()
    assert cloud.auth_url == f"{server.url}/v3"
    assert cloud.as_project("c" * 32).project_id == "c" * 32
    assert server.last(*TOKENS).json["auth"]["identity"]["password"]["user"]["name"] == "admin"


def test_the_key_is_stable_and_without_credentials(tmp_path, monkeypatch):
    write_clouds(
        tmp_path,
        monkeypatch,
        one=entry("https://someone:secret@Old.Example:5000"),
        two={**entry("x"), "auth": {**entry("x")["auth"], "auth_url": "https://old.example:5000/"}},
        three={**entry("https://old.example:5000"), "region_name": "R2"},
    )
    keys = [open_cloud(name).key for name in ("one", "two", "three")]
    assert keys == ["https://old.example:5000 R1", "https://old.example:5000 R1", "https://old.example:5000 R2"]
    assert "secret" not in open_cloud("one").auth_url


def test_a_wrong_password_is_told_in_the_services_words(server, cloud):
    body = {"error": {"code": 401, "message": "The request you have made requires authentication."}}
    server.on("POST", "/v3/auth/tokens", (401, body))
    with pytest.raises(keystoneauth.Unauthorized) as caught:
        cloud.user_id  # noqa: B018
    assert explain(caught.value).startswith("The request you have made requires authentication. (HTTP 401)")
    assert "entry-secret" not in explain(caught.value)


def test_a_new_token_leaves_no_other_thread_without_one():
    """Keystoneauth fails by an assertion where a thread asks for the token just when there is none."""
    seen = []

    class Plugin:
        auth_ref = "old"

        def get_auth_ref(self, _session):
            seen.append(self.auth_ref)
            return "new"

    session = CheckedSession(auth=Plugin())
    assert session.invalidate()
    assert (seen, session.auth.auth_ref) == (["old"], "new")
