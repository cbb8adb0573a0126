"""What ``pumphouse check`` finds: nothing hides anything else, and each failing line says what to do."""

from __future__ import annotations

import datetime
import json

import pytest

from pumphouse.cli.main import main
from pumphouse.clouds.check import check_all, check_cloud
from tests.unit.cloud_server import PROJECT, SERVICES, USER, CloudServer, entry, open_cloud, write_clouds
from tests.unit.test_passwords import BCRYPT, RANDOM, SHA512, YOGA, Database, row

COMPUTE, VOLUME = "/compute/v2.1", SERVICES["volumev3"]
HYPERVISORS = {
    "count": 1,
    "running_vms": 2,
    "vcpus": 4,
    "vcpus_used": 1,
    "memory_mb": 8192,
    "memory_mb_used": 512,
    "local_gb": 100,
    "local_gb_used": 3,
}


def service(binary, state="up", status="enabled"):
    return {"binary": binary, "host": "h1", "state": state, "status": status}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr("urllib3.util.retry.Retry.get_backoff_time", lambda self: 0)


@pytest.fixture
def server():
    """A cloud in which everything is as it should be."""
    server = CloudServer()
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    server.extra_token = {"issued_at": now}
    for name in ("domains", "projects", "roles", "role_assignments"):
        server.on("GET", f"/v3/{name}", (200, {name: [], "links": {}}))
    server.on("GET", "/v3/users", (200, {"users": [{"id": USER, "name": "admin"}], "links": {}}))
    server.on("GET", "/image/v2/tasks", (200, {"tasks": []}))
    server.on("GET", f"{COMPUTE}/servers/detail", (200, {"servers": []}))
    server.on("GET", f"{COMPUTE}/os-keypairs", (200, {"keypairs": []}))
    server.on("GET", f"{COMPUTE}/flavors/detail", (200, {"flavors": []}))
    server.on("GET", f"{COMPUTE}/os-services", (200, {"services": [service("nova-compute")]}))
    server.on("GET", f"{COMPUTE}/os-hypervisors/statistics", (200, {"hypervisor_statistics": HYPERVISORS}))
    server.on("GET", "/network/v2.0/quotas/" + "0" * 32, (200, {"quota": {}}))
    server.on("GET", "/network/v2.0/agents", (200, {"agents": []}))
    server.on("GET", f"{VOLUME}/volumes/detail", (200, {"volumes": []}))
    server.on("GET", f"{VOLUME}/os-services", (200, {"services": [service("cinder-volume")]}))
    pool = {"name": "p", "capabilities": {"free_capacity_gb": 75.0, "total_capacity_gb": 250.0}}
    server.on("GET", f"{VOLUME}/scheduler-stats/get_pools", (200, {"pools": [pool]}))
    server.on("GET", "/placement/resource_providers", (200, {"resource_providers": []}))
    yield server
    server.close()


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / "keystone.sqlite", YOGA, "742c857f1dfb", "c88cdce8f248")
    database.user(USER, row(BCRYPT))
    return database


@pytest.fixture
def check(server, tmp_path, monkeypatch, database):
    """The findings, by subject."""
    write_clouds(tmp_path, monkeypatch, old=entry(server.url))

    def check(role="destination", url=database.url):
        cloud = open_cloud(role=role, database=url)
        found = check_cloud(cloud)
        cloud.close()
        assert all(finding.cloud == role for finding in found)
        assert all(finding.remedy for finding in found if finding.result != "ok")
        return {finding.subject: finding for finding in found}

    return check


def trouble(found):
    return {subject for subject, finding in found.items() if finding.result != "ok"}


def test_all_is_well(check):
    found = check()
    assert trouble(found) == set()
    assert found["authentication"].detail.startswith("admin in project admin, roles: admin; the token lasts ")
    assert found["compute"].detail.endswith(f"{COMPUTE}, microversions 2.1 to 2.93 (Zed)")
    assert found["volume"].detail.endswith(f"{VOLUME}, microversions 3.0 to 3.70 (Zed to 2023.2)")
    assert found["hypervisors"].detail.startswith("1 with 2 servers; 1 of 4 vCPUs, 0.5 GiB of 8.0 GiB memory")
    assert found["volume pools"].detail == "p: 75 GiB of 250 GiB free"
    assert found["identity database"].detail == "Keystone 2026.1; passwords: 1 (1 bcrypt)"


def test_nothing_is_changed(check, server):
    check()
    assert {request.method for request in server.requests} <= {"GET", "HEAD", "POST"}
    assert {request.path for request in server.requests if request.method == "POST"} == {"/v3/auth/tokens"}


def test_a_wrong_password_leaves_the_database_to_look_at(check, server):
    server.on("POST", "/v3/auth/tokens", (401, {"error": {"message": "no", "code": 401}}))
    found = check()
    assert set(found) == {"authentication", "identity database"}
    assert trouble(found) == {"authentication"}
    assert "check the credentials in the entry 'old' of clouds.yaml" in found["authentication"].remedy


def test_a_dead_service_hides_no_other(check, server):
    server.on("GET", "/volume/v3", lambda _: None)
    found = check()
    assert trouble(found) == {"volume"}
    assert found["volume"].remedy == "check that the service runs, and that its endpoint can be reached from here"
    assert "volume rights" not in found


def test_without_rights(check, server):
    for path in (f"{COMPUTE}/servers/detail", f"{COMPUTE}/os-keypairs", "/v3/domains", "/image/v2/tasks"):
        server.on("GET", path, (403, {"forbidden": {"code": 403, "message": "Policy doesn't allow"}}))
    found = check()
    assert trouble(found) == {"compute rights", "identity rights", "image rights"}
    assert found["compute rights"].detail == (
        "the account may not list servers of all projects and list key pairs of other users"
    )
    assert f"openstack role add --user {USER} --project {PROJECT} admin" in found["compute rights"].remedy


def test_an_error_in_one_call_is_told_in_the_services_words(check, server):
    server.on(
        "GET", f"{COMPUTE}/os-keypairs", (500, {"computeFault": {"code": 500, "message": "Unexpected API Error"}})
    )
    found = check()
    assert trouble(found) == {"compute rights"}
    assert found["compute rights"].detail.startswith("could not list key pairs of other users: Unexpected API Error")


def test_a_nova_that_is_too_old(check, server):
    server.on("GET", COMPUTE, (200, {"version": server.version("v2.1", COMPUTE, "2.1", "2.3")}))
    assert check()["compute"].detail.endswith("(Kilo): too old for key pairs of other users, which need 2.10")


def test_services_that_are_down(check, server):
    services = [service("nova-compute"), service("nova-conductor", "down"), service("nova-compute", "down", "disabled")]
    server.on("GET", f"{COMPUTE}/os-services", (200, {"services": services}))
    agents = [{"id": "1", "binary": "dhcp", "host": "h1", "alive": False, "admin_state_up": True}]
    server.on("GET", "/network/v2.0/agents", (200, {"agents": agents}))
    found = check()
    assert trouble(found) == {"compute services", "network agents"}
    assert found["compute services"].detail == "1 of 3 up, 1 disabled; down: nova-conductor on h1"
    assert found["network agents"].detail == "0 of 1 up; down: dhcp on h1"


def test_no_hypervisor(check, server):
    server.on("GET", f"{COMPUTE}/os-services", (200, {"services": [service("nova-compute", status="disabled")]}))
    assert check()["hypervisors"].result == "failed"


def test_no_room_for_volumes(check, server):
    pool = {"name": "p", "capabilities": {"free_capacity_gb": 5.0, "total_capacity_gb": 250.0}}
    server.on("GET", f"{VOLUME}/scheduler-stats/get_pools", (200, {"pools": [pool]}))
    assert check()["volume pools"].result == "warning"
    assert check("source")["volume pools"].result == "ok"
    pool["capabilities"]["free_capacity_gb"] = "infinite"
    assert check()["volume pools"].detail == "p: free space infinite"
    server.on("GET", f"{VOLUME}/scheduler-stats/get_pools", (200, {"pools": []}))
    assert check()["volume pools"].result == "failed"


@pytest.mark.parametrize(("seconds", "direction"), [(3600, "ahead of"), (-3600, "behind")])
def test_clock_skew(check, server, seconds, direction):
    then = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    server.extra_token = {"issued_at": then.strftime("%Y-%m-%dT%H:%M:%S.000000Z")}
    found = check()["clock"]
    assert found.result == "warning"
    assert f"{direction} ours" in found.detail
    assert "NTP" in found.remedy


def test_an_application_credential(check, server, tmp_path, monkeypatch):
    auth = {"auth_url": server.url, "application_credential_id": "i", "application_credential_secret": "s"}
    write_clouds(tmp_path, monkeypatch, old={"auth_type": "v3applicationcredential", "auth": auth, "region_name": "R1"})
    server.on("GET", "/", (300, {"versions": {"values": [server.version("v3.14", "/v3")]}}))
    assert trouble(check()) == {"application credential"}


def test_without_identity_database(check):
    found = check(url=None)["identity database"]
    assert (found.result, found.detail) == (
        "warning",
        "not configured: passwords cannot move, and users will need new ones",
    )


def test_the_database_of_another_cloud(check, database):
    database.run("UPDATE local_user SET user_id = 'somebody else'")
    found = check()["identity database"]
    assert "it knows none of the users" in found.detail


def test_a_database_that_may_only_be_read(check, tmp_path):
    url = f"sqlite:///file:{tmp_path}/keystone.sqlite?mode=ro&uri=true"
    assert check("source", url)["identity database"].result == "ok"
    found = check("destination", url)["identity database"]
    assert found.result == "failed"
    assert "GRANT SELECT, UPDATE" in found.remedy


# Both clouds, and the command


@pytest.fixture
def pair(server, tmp_path, monkeypatch):
    """A function that opens two clouds whose Keystones hold these hashes."""
    other = entry(server.url) | {"region_name": "R1"}
    other["auth"]["auth_url"] = server.url.replace("127.0.0.1", "localhost") + "/v3"
    write_clouds(tmp_path, monkeypatch, old=entry(server.url), new=other)

    def pair(*hashes):
        urls = []
        for name, revision in (("old", "29e87d24a316"), ("new", "742c857f1dfb")):
            made = Database(tmp_path / f"{name}.sqlite", YOGA, revision)
            made.user(USER, row(RANDOM))
            for number, hash_ in enumerate(hashes):
                made.user(f"u{number}", row(hash_))
            urls.append(made.url)
        return urls

    return pair


def test_passwords_that_the_destination_cannot_verify_are_counted(pair):
    old, new = pair(SHA512, SHA512, BCRYPT)
    found = check_all(open_cloud("old", "source", old), open_cloud("new", "destination", new))
    said = next(finding for finding in found if finding.subject == "passwords")
    assert said.result == "warning"
    assert said.detail == "2 of 4 cannot be verified by Keystone 2026.1: 2 sha512_crypt"
    assert not any("$6$" in finding.detail for finding in found)


def test_the_same_cloud_twice(server, tmp_path, monkeypatch):
    write_clouds(tmp_path, monkeypatch, old=entry(server.url))
    found = check_all(open_cloud("old", "source"), open_cloud("old", "destination"))
    said = next(finding for finding in found if finding.subject == "clouds")
    assert said.result == "failed"


def test_the_command(pair, server, tmp_path, capsys):
    old, new = pair()
    file = tmp_path / "pumphouse.yaml"
    file.write_text(
        f"clouds:\n  source: {{cloud: old, identity_database: '{old}'}}\n"
        f"  destination: {{cloud: new, identity_database: '{new}'}}\ndatabase: sqlite:///our.sqlite\n"
    )
    assert main(["--config", str(file), "check", "-f", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {finding["result"] for finding in found} == {"ok"}
    assert set(found[0]) == {"cloud", "subject", "result", "detail", "remedy"}

    server.on("GET", "/placement/resource_providers", (403, {"errors": []}))
    assert main(["--config", str(file), "check"]) == 1
    output = capsys.readouterr()
    assert "the account may not list resource providers" in output.out
    assert "-> give the account the role admin" in output.out
    assert "2 failures, 0 warnings" in output.err
    assert "entry-secret" not in output.out + output.err
