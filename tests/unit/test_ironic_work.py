"""What the driver ``ironic`` makes of a node's states and of Ironic's answers, where no live Ironic comes by."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import requests
import requests_mock

from pumphouse.hosts.inventory import Driver, Host
from pumphouse.hosts.options import Secret
from pumphouse.hosts.power.ipmi import Ipmi
from pumphouse.hosts.power.redfish import Redfish
from pumphouse.hosts.provisioners.base import ProvisionerError
from pumphouse.hosts.provisioners.ironic import Ironic, api, checks, enrolment, work
from pumphouse.hosts.provisioners.ironic.books import Books

Json = dict[str, Any]
URL = "http://ironic.test:6385"
HOST = Host("hv7.example.com", ("52:54:00:aa:00:07", "52:54:00:aa:00:08"), Driver("none"))
UUID = "11111111-2222-3333-4444-555555555555"
SOMEBODY = "99999999-2222-3333-4444-555555555555"


def options(**said: Any) -> Json:
    given = {name: option.default for name, option in Ironic.OPTIONS.items()}
    return {**given, "endpoint": URL, **said}


def host(kind: type[Ipmi] | type[Redfish], **said: Any) -> Host:
    filled = {key: said.get(key, option.default) for key, option in kind.OPTIONS.items()}
    return Host(HOST.name, HOST.macs, Driver(kind.name, filled))


class Told:
    """In the place of Ironic, with one node; what it is asked to do is kept."""

    name = "Ironic"

    def __init__(self, **node: Any) -> None:
        self.node: Json = {
            "uuid": UUID, "name": "hv7", "driver": "ipmi", "instance_uuid": None, "provision_state": "available",
            "target_provision_state": None, "power_state": "power off", "target_power_state": None, "extra": {},
            "maintenance": False, "maintenance_reason": None, "last_error": None, "reservation": None,
            "protected": False, "inspection_finished_at": None, "deploy_interface": "fake", **node,
        }  # fmt: skip
        self.asked: list[str] = []
        #: What the next PUT raises, and what the node is then.
        self.refusal: ProvisionerError | None = None
        self.then: Json = {}

    def words(self, text: Any) -> str:
        return str(text or "")

    def get(self, path: str) -> Any:
        if path.startswith("/ports?"):
            return {"ports": [{"node_uuid": UUID}]}
        if path == f"/nodes/{UUID}/ports":
            return {"ports": [{"address": mac} for mac in HOST.macs]}
        if path == "/drivers/ipmi":
            return {"default_deploy_interface": "direct"}
        assert path == f"/nodes/{UUID}", path
        return self.node

    def call(self, method: str, path: str, body: Any = None) -> Any:
        if method == "PATCH":
            self.asked += [f"{one['path']}={json.dumps(one.get('value'))}" for one in body]
            mark = [one.get("value") for one in body if one["path"] == "/extra/pumphouse"]
            return {**self.node, "extra": {"pumphouse": mark[0]}}
        self.asked.append(f"{method} {path.removeprefix(f'/nodes/{UUID}')} {body['target'] if method == 'PUT' else ''}")
        if self.refusal:
            self.node |= self.then
            raise self.refusal
        return None


def books(told: Told, **said: Any) -> Books:
    return Books(told, HOST, options(**said))  # type: ignore[arg-type]


CLAIM = books(Told()).claim


def ours(asked: str | None = None, **node: Any) -> Told:
    mark = {"host": HOST.name, "asked": asked, "inspected": None, "enrolled": True}
    return Told(**{"instance_uuid": CLAIM, "extra": {"pumphouse": mark}, **node})


# --- whose it is ---


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ({}, None),
        ({"provision_state": "enroll"}, None),
        ({"instance_uuid": SOMEBODY}, f"available as instance {SOMEBODY}; undeploy it there first"),
        ({"provision_state": "active"}, "is active, and not by Pumphouse: undeploy it there first"),
        ({"provision_state": "cleaning"}, "is cleaning, and not by Pumphouse: somebody else is at it"),
        ({"provision_state": "rescue"}, "is rescue, and not by Pumphouse"),
        ({"provision_state": "deploy failed"}, "is deploy failed, and not by Pumphouse"),
        ({"maintenance": True, "maintenance_reason": "the fan"}, "is in maintenance (the fan): end that in Ironic"),
        ({"instance_uuid": CLAIM, "provision_state": "active"}, None),
        ({"instance_uuid": CLAIM, "provision_state": "cleaning"}, None),
        ({"instance_uuid": CLAIM, "provision_state": "clean failed", "maintenance": True}, "is in maintenance"),
        # Undeployed, and being cleaned: Ironic has let go of the claim.
        ({"provision_state": "cleaning", "extra": {"pumphouse": {"host": HOST.name}}}, None),
        # Another host's mark, or something of somebody else by this name.
        ({"provision_state": "cleaning", "extra": {"pumphouse": {"host": "hv8"}}}, "not by Pumphouse"),
        ({"provision_state": "cleaning", "extra": {"pumphouse": "x"}}, "not by Pumphouse"),
    ],
)
def test_whose_it_is(node: Json, words: str | None) -> None:
    told = Told(**node)
    reason = books(told).taken(told.node)
    assert (reason is None) if words is None else words in str(reason)


def test_the_claim_is_of_the_name_alone() -> None:
    """Whichever process asks; and no two hosts have the same."""
    assert Books(Told(), HOST, {}).claim == CLAIM  # type: ignore[arg-type]
    other = Host("hv8.example.com", HOST.macs, Driver("none"))
    assert Books(Told(), other, {}).claim != CLAIM  # type: ignore[arg-type]


def test_macs_at_two_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter(("a", "b"))
    monkeypatch.setattr(Books, "_node_of", lambda self, mac: next(found))
    with pytest.raises(ProvisionerError, match="at several nodes: 52:54:00:aa:00:07 is of node a, "):
        books(Told()).node()


# --- how far it is ---


@pytest.mark.parametrize(
    ("asked", "node", "state", "words"),
    [
        (None, {"provision_state": "manageable"}, "waiting", "was not begun"),
        (None, {"provision_state": "available"}, "waiting", "was not begun"),
        (None, {"provision_state": "deploy failed", "last_error": "no"}, "waiting", "from before"),
        ("provide", {"provision_state": "cleaning"}, "deploying", "Ironic cleans the machine"),
        ("active", {"provision_state": "wait call-back"}, "deploying", "boots Ironic's agent"),
        ("active", {"provision_state": "somehow", "target_power_state": "power on"}, "deploying", "is somehow"),
        ("active", {"provision_state": "deploy failed", "last_error": "no disk"}, "failed", "deploy failed: no disk"),
        ("active", {"provision_state": "deploy failed"}, "failed", "Ironic does not say why"),
        ("active", {"last_error": "no disk"}, "failed", "no disk"),
        ("active", {"instance_uuid": None}, "failed", "somebody has undeployed"),
        ("adopt", {"provision_state": "adopt failed", "last_error": "no image"}, "failed", "adopt failed: no image"),
        ("adopt", {"provision_state": "active"}, "done", "adopted"),
        ("active", {"provision_state": "active", "maintenance": True}, "done", "deployed"),
        (
            "provide", {"provision_state": "clean failed", "maintenance": True, "maintenance_reason": "step x"},
            "failed", "is in maintenance (step x)",
        ),
    ],
)  # fmt: skip
def test_how_far_it_is(asked: str | None, node: Json, state: str, words: str) -> None:
    """Looking at it changes nothing in any of these."""
    told = ours(asked, **node)
    progress = work.follow(books(told), UUID)
    assert (progress.state, words in progress.text) == (state, True), progress
    assert told.asked == []


@pytest.mark.parametrize("asked", ["provide", "active", "deleted"])
def test_the_second_half(asked: str) -> None:
    """Also where a process was killed between noting and asking."""
    told = ours(asked, instance_uuid=None if asked == "deleted" else CLAIM)
    progress = work.follow(
        books(told, instance_info={"image_source": "http://i"}, configdrive={"user_data": "x"}), UUID
    )
    assert progress.state == "deploying"
    assert f"/instance_info={json.dumps({'display_name': HOST.name, 'image_source': 'http://i'})}" in told.asked
    assert (f'/instance_uuid="{CLAIM}"' in told.asked) == (asked == "deleted")
    assert told.asked[-1] == "PUT /states/provision active"


@pytest.mark.parametrize(("passing", "state"), [(True, "deploying"), (False, "failed")])
def test_the_second_half_refused(passing: bool, state: str) -> None:
    told = ours("provide")
    told.refusal = api.Refused("no conductor is free", passing=passing)
    progress = work.follow(books(told), UUID)
    assert (progress.state, "no conductor is free" in progress.text) == (state, True)


def test_percent_by_steps() -> None:
    internal = {"deploy_steps": [{}, {}, {}, {}], "deploy_step_index": 2}
    step = {"interface": "deploy", "step": "write_image"}
    told = ours("active", provision_state="deploying", driver_internal_info=internal, deploy_step=step)
    progress = work.follow(books(told), UUID)
    assert (progress.percent, progress.text) == (62, "Ironic deploys: deploy.write_image")


# --- steps ---


def test_begun_by_somebody_in_between() -> None:
    """A refusal because it is on its way already is none."""
    told = ours()
    told.refusal, told.then = api.Refused("400"), {"provision_state": "deploying"}
    work.ask(books(told), dict(told.node), "active")
    told = ours()
    told.refusal = api.Refused("400")
    with pytest.raises(api.Refused):
        work.ask(books(told), dict(told.node), "active")


@pytest.mark.parametrize(
    ("node", "said", "asked"),
    [
        ({"provision_state": "enroll"}, {}, "PUT /states/provision manage"),
        ({"provision_state": "manageable", "power_state": "power on"}, {}, "PUT /states/power power off"),
        ({"provision_state": "manageable", "power_state": None}, {}, "PUT /states/power power off"),
        ({"provision_state": "manageable"}, {"inspect": True}, "PUT /states/provision inspect"),
        ({"provision_state": "available"}, {"inspect": True}, "PUT /states/provision manage"),
        ({"provision_state": "available", "power_state": "power on"}, {"adopt": True}, "PUT /states/provision manage"),
        ({"provision_state": "inspect failed"}, {"inspect": True}, "PUT /states/provision manage"),
        # An error from before we asked for anything.
        ({"provision_state": "enroll", "last_error": "old"}, {}, "PUT /states/provision manage"),
    ],
)
def test_what_is_next(node: Json, said: Json, asked: str) -> None:
    told = ours(**node)
    assert work.discover(books(told, driver_info={"x": 1}, **said)) is None
    assert told.asked[-1] == asked


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ({"provision_state": "manageable"}, {}),
        ({"provision_state": "manageable", "power_state": "power on"}, {"adopt": True}),
        ({"provision_state": "manageable", "inspection_finished_at": "2026"}, {"inspect": True}),
        ({"provision_state": "deploying"}, {}),
        ({"provision_state": "active"}, {}),
    ],
)
def test_discovered(node: Json, said: Json) -> None:
    told = ours(**node)
    assert work.discover(books(told, **said)) == UUID
    assert told.asked == []


@pytest.mark.parametrize(
    ("asked", "node", "words"),
    [
        (
            "manage",
            {"provision_state": "enroll", "last_error": "IPMI call failed"},
            "BMC of hv7.example.com: IPMI call",
        ),
        ("inspect", {"provision_state": "inspect failed", "last_error": "no lease"}, "not be inspected: no lease"),
        ("deleted", {"provision_state": "clean failed", "last_error": "no agent"}, "not be cleaned: no agent"),
        (
            "power off",
            {"provision_state": "manageable", "power_state": "power on", "last_error": "e"},
            "switched off: e",
        ),
    ],
)
def test_said_once_and_tried_again(asked: str, node: Json, words: str) -> None:
    told = ours(asked, **node)
    with pytest.raises(ProvisionerError) as caught:
        work.discover(books(told))
    assert words in str(caught.value) and not caught.value.passing
    assert len(told.asked) == 1
    assert '"asked": null' in told.asked[0]


def test_not_prepared() -> None:
    told = Told()
    assert work.discover(books(told)) is None
    assert told.asked == []


def test_what_is_to_be_adopted_is_not_undeployed() -> None:
    told = ours("active", provision_state="deploy failed")
    with pytest.raises(ProvisionerError, match="it cannot be adopted"):
        work.prepare(books(told, adopt=True))
    assert not [line for line in told.asked if line.startswith("PUT")]


@pytest.mark.parametrize("state", ["verifying", "cleaning", "inspecting"])
def test_prepared_while_that_is_under_way(state: str) -> None:
    told = ours("manage", provision_state=state)
    work.prepare(books(told))
    assert told.asked == []


def test_prepared_while_it_is_deployed() -> None:
    for state, words in (
        ("deploying", "is being deployed right now"),
        ("active", "is active as hv7.example.com already"),
    ):
        told = ours("active", provision_state=state)
        with pytest.raises(ProvisionerError, match=words):
            work.prepare(books(told))
        assert told.asked == []


def test_after_a_failed_cleaning() -> None:
    told = ours("provide", provision_state="clean failed")
    with pytest.raises(ProvisionerError, match="made manageable again") as caught:
        work.deploy(books(told))
    assert caught.value.passing
    assert told.asked[-1] == "PUT /states/provision manage"


def test_forgetting() -> None:
    told = ours("active", provision_state="deploying")
    with pytest.raises(ProvisionerError, match="when that has ended") as caught:
        work.forget(books(told))
    assert caught.value.passing and told.asked == []
    told = ours("deleted", provision_state="error", last_error="the BMC is gone")
    with pytest.raises(ProvisionerError, match="could not be undeployed: the BMC is gone"):
        work.forget(books(told))
    mark = {"host": HOST.name, "asked": "adopt"}
    told = ours(provision_state="active", extra={"pumphouse": mark})
    with pytest.raises(ProvisionerError, match="was adopted and runs; Ironic knows no way back") as caught:
        work.forget(books(told))
    assert not caught.value.passing and told.asked == []
    told = Told(provision_state="active", instance_uuid=SOMEBODY)
    work.forget(books(told))
    assert told.asked == []


def test_what_a_check_sees_of_the_node() -> None:
    told = Told(reservation="conductor-1", protected=True, protected_reason="of finance", deploy_interface="direct")
    lines = list(checks.obstacles(books(told)))
    assert "is locked by Ironic's conductor conductor-1" in lines[0]
    assert "is protected (of finance)" in lines[1]
    assert lines[2].endswith("the deploy interface direct needs image_source")
    assert len(lines) == 3
    told = ours("active", provision_state="deploying")
    first = next(checks.obstacles(books(told)))
    assert first.startswith("hv7.example.com is being deployed right now, as Ironic's")
    assert list(checks.obstacles(books(Told(deploy_interface="direct"), adopt=True))) == []


# --- how a host is described ---


def test_an_ipmi_bmc() -> None:
    one = host(Ipmi, address="10.0.0.7", username="u", password=Secret("p"), kg=Secret("key"), privilege="operator")
    made = enrolment.node(one, options(driver_info={"ipmi_cipher_suite": "3", "ipmi_port": 6230},
                                       interfaces={"deploy": "direct"}, resource_class="big"))  # fmt: skip
    assert made["driver"] == "ipmi"
    assert made["driver_info"] == {
        "ipmi_address": "10.0.0.7", "ipmi_port": 6230, "ipmi_username": "u", "ipmi_password": "p",
        "ipmi_priv_level": "OPERATOR", "ipmi_hex_kg_key": b"key".hex(), "ipmi_cipher_suite": "3",
    }  # fmt: skip
    assert (made["name"], made["deploy_interface"], made["resource_class"]) == (HOST.name, "direct", "big")
    assert sorted(enrolment.secrets(one)) == ["key", "p"]
    assert [enrolment.port(one, mac, UUID)["pxe_enabled"] for mac in one.macs] == [True, False]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"address": "10.0.0.7"}, {"redfish_address": "https://10.0.0.7"}),
        ({"address": "http://b:8000"}, {"redfish_address": "http://b:8000"}),
        ({"address": "b", "system": "1"}, {"redfish_system_id": "/redfish/v1/Systems/1"}),
        ({"address": "b", "system": "/redfish/v1/Systems/2"}, {"redfish_system_id": "/redfish/v1/Systems/2"}),
        (
            {"address": "b", "verify": False, "auth": "basic"},
            {"redfish_verify_ca": False, "redfish_auth_type": "basic"},
        ),
    ],
)
def test_a_redfish_bmc(said: Json, expected: Json) -> None:
    made = enrolment.driver_info(host(Redfish, username="u", password=Secret("p"), **said), options())
    assert expected.items() <= made.items()
    assert ("redfish_system_id" in made) == ("system" in said)


def test_what_cannot_be_described() -> None:
    for said, words in (
        ({}, "cannot log on to a BMC of kind none: enrol it there, or name provisioner.driver"),
        (
            {"driver": "ipmi", "interfaces": {"deply": "x"}},
            r"provisioner\.interfaces\.deply: there is no such interface",
        ),
        ({"driver": "ipmi", "interfaces": {"deploy": 3}}, r"provisioner\.interfaces\.deploy is to be a text"),
    ):
        with pytest.raises(ProvisionerError, match=words):
            enrolment.node(HOST, options(**said))


def test_the_name_for_cloud_init() -> None:
    assert enrolment.configdrive(HOST, options()) is None
    made = enrolment.configdrive(HOST, options(configdrive={"user_data": "#!", "meta_data": {"role": "compute"}}))
    assert made == {"user_data": "#!", "meta_data": {"name": HOST.name, "hostname": "hv7", "role": "compute"}}


# --- answers ---


def ask(mock: requests_mock.Mocker, status: int = 200, **answer: Any) -> ProvisionerError:
    made = api.connect(options())
    made.hide('s3"cret')
    mock.put(f"{URL}/v1/nodes/x", **({} if "exc" in answer else {"status_code": status}), **answer)
    with pytest.raises(ProvisionerError) as caught:
        made.call("PUT", "/nodes/x", {"driver_info": {"ipmi_password": 's3"cret'}})
    assert "\n" not in str(caught.value) and "cret" not in str(caught.value)
    return caught.value


LOCKED = {
    "error_message": json.dumps({"faultcode": "Client", "faultstring": "Node x is locked by host c, please retry."})
}
TAKEN = {"error_message": {"faultcode": "Client", "faultstring": "Node x is associated with instance y."}}
ECHO = {"error_message": {"faultstring": "Schema error for driver_info: {'ipmi_password': 's3\\\"cret'} or s3\"cret"}}


@pytest.mark.parametrize(
    ("status", "answer", "words", "passing"),
    [
        (409, {"json": LOCKED}, "answers 409 to PUT /v1/nodes/x: Node x is locked by host c, please retry.", True),
        (409, {"json": TAKEN}, "Node x is associated with instance y.", False),
        (400, {"json": ECHO}, "Schema error for driver_info", False),
        (401, {"json": {"error": {"message": "Incorrect username or password"}}}, "refuses the log-in", False),
        (403, {"text": "Forbidden"}, "does not allow PUT /v1/nodes/x: the account needs the role admin", False),
        (404, {"json": {}}, "answers 404", False),
        (406, {"text": "x"}, "is older than OpenStack Stein", False),
        (302, {"headers": {"Location": "https://x"}}, "redirects PUT /v1/nodes/x elsewhere", False),
        (502, {"text": "<html><title>502 Bad Gateway</title></html>"}, "answers 502 to PUT", True),
        (503, {"text": ""}, "answers 503 to PUT /v1/nodes/x", True),
        (200, {"text": "<html>a web page</html>"}, "does not answer as Ironic does", False),
        (200, {"exc": requests.exceptions.ConnectTimeout}, "cannot be asked", True),
        (200, {"exc": requests.exceptions.SSLError}, "its certificate cannot be verified", False),
    ],
)
def test_refusals(status: int, answer: Json, words: str, passing: bool) -> None:
    with requests_mock.Mocker() as mock:
        error = ask(mock, status, **answer)
    assert words in str(error)
    assert error.passing == passing


def test_an_ironic_that_is_silent() -> None:
    """It is not waited for longer than the deadline, nor asked again within a call."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        made = Ironic(options(endpoint=f"http://127.0.0.1:{server.getsockname()[1]}", deadline=1))
        began = time.monotonic()
        with pytest.raises(ProvisionerError, match="cannot be asked") as caught:
            made.prepare(HOST)
    assert time.monotonic() - began < 3
    assert caught.value.passing


def test_what_is_sent() -> None:
    with requests_mock.Mocker() as mock:
        mock.get(f"{URL}/v1/drivers", json={"drivers": []})
        said = {"endpoint": f"{URL}/v1/", "auth": "http_basic", "username": "u", "password": Secret("p")}
        assert api.connect(options(**said)).get("/drivers") == {"drivers": []}
        sent = mock.request_history[0].headers
    assert sent["X-OpenStack-Ironic-API-Version"] == api.VERSION
    assert sent["Authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"endpoint": None}, "provisioner.cloud (an entry of clouds.yaml) or provisioner.endpoint (a URL) is needed"),
        ({"cloud": "new"}, "and not both"),
        ({"endpoint": None, "cloud": "new", "username": "u"}, "are for provisioner.endpoint"),
        ({"adopt": True, "inspect": True}, "provisioner.inspect restarts the machine"),
        ({"auth": "http_basic"}, "belong to provisioner.auth: http_basic"),
        ({"username": "u", "password": Secret("p")}, "belong to provisioner.auth: http_basic"),
        ({"auth": "http_basic", "username": "u"}, "belong to provisioner.auth: http_basic"),
        *(({"endpoint": url}, "provisioner.endpoint is to be like http://10.0.0.2:6385") for url in (
            "ironic", "ftp://ironic", "http://", "http://a:b@ironic", "http://ironic:x", "http://i?a=b")),
    ],
)  # fmt: skip
def test_options_that_do_not_go_together(said: Json, words: str) -> None:
    (line,) = Ironic(options(**said)).check(HOST)
    assert words in line


def test_every_option_is_explained() -> None:
    page = (Path(__file__).parents[2] / "docs/ironic.md").read_text()
    for option in Ironic.OPTIONS:
        assert f"| `{option}` |" in page or f"`{option}`, " in page or f", `{option}`" in page, option
