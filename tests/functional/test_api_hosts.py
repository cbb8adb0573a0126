"""Hosts over the API, on embedded clouds: emptied, given back, switched; seen with all that is known of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from pumphouse.embedded import demo
from pumphouse.embedded.demo.account import operator
from pumphouse.embedded.process import Pair, start_pair
from tests.functional.machine_room import PASSWORD, MachineRoom
from tests.page.service import Service

HOST, OTHER, NOBODYS = "src-c1", "src-c2", "dst-c1"
PLACE = "OS-EXT-SRV-ATTR:host"


class Site:
    """A source with two hosts, their machines, and the service."""

    def __init__(self, pair: Pair, room: MachineRoom) -> None:
        self.pair, self.room = pair, room
        self.nova = operator("src").compute
        self.service = Service(pair.config, str(pair.clouds_file))
        self.operator, self.viewer = self.service.session("operator"), self.service.session("viewer")

    def ask(self, session: requests.Session, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return session.request(method, f"{self.service.url}/v1/{path}", json=body, headers=headers, timeout=60)

    def get(self, path: str) -> Any:
        answer = self.ask(self.viewer, "GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def plan(self, selection: dict[str, Any]) -> Any:
        """A plan that was asked for by an operator, when it is made."""
        answer = self.ask(self.operator, "POST", "plans", {"selection": selection})
        assert answer.status_code == 202, answer.text
        return self.service.until("the plan", lambda: self._made(answer.headers["Location"]))

    def _made(self, path: str) -> Any:
        found = self.service.call(path)
        return found if found["state"] != "making" else None

    def begin(self, body: dict[str, Any]) -> Any:
        answer = self.ask(self.operator, "POST", "migrations", body)
        assert answer.status_code == 202, answer.text
        return self.service.ended(answer.json()["id"])

    def roll_back(self, number: int) -> None:
        done = self.service.job(f"/v1/migrations/{number}/rollback", {})
        assert (done["state"], done["result"]) == ("done", {"stays": []})

    def switch(self, host: str, **wanted: Any) -> Any:
        return self.service.job(f"/v1/hosts/{host}/power", wanted)

    def servers(self, host: str) -> set[str]:
        found = self.nova.list("/servers/detail", "servers", all_tenants=1)
        return {server["name"] for server in found if server[PLACE] == host}

    def disable(self, host: str, status: str = "disabled") -> None:
        (one,) = self.nova.list("/os-services", "services", binary="nova-compute", host=host)
        self.nova.call("PUT", f"/os-services/{one['id']}", json={"status": status})


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("hosts")
    with start_pair(directory) as pair, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(pair.clouds_file))
        demo.fill(operator("src"), operator("dst"), "small", say=lambda _: None)
        pair.source.control("POST", "save/begin")
        hosts = {HOST: {"source": True}, OTHER: {"source": True}, NOBODYS: {}}
        pair.destination.control("POST", "save/begin")
        site = Site(pair, MachineRoom(pair, directory, hosts))
        try:
            yield site
        finally:
            site.service.stop()
    assert PASSWORD not in site.service.log.read_text()


@pytest.fixture
def site(shared: Site) -> Site:
    for cloud in (shared.pair.source, shared.pair.destination):
        cloud.control("POST", "restore/begin")
    shared.room.forget()
    return shared


def listed(site: Site, role: str = "source") -> dict[str, Any]:
    """Host -> its entry, read anew."""
    return {host["name"]: host for host in site.get(f"clouds/{role}/hosts?refresh=true")["items"]}


def test_a_host_is_emptied_and_given_back(site: Site) -> None:
    before = site.servers(HOST)
    assert before
    plan = site.plan({"evacuate": HOST})
    assert (plan["state"], plan["selection"]) == ("ready", {"evacuate": HOST})
    assert (plan["summary"]["move"], plan["summary"]["create"]) == (len(before), 0)
    done = site.begin({"plan_id": plan["id"]})
    assert (done["state"], done["concurrency"], done["selection"]) == ("done", 2, {"evacuate": HOST})
    assert (site.servers(HOST), before <= site.servers(OTHER)) == (set(), True)
    newest = {"id": done["id"], "state": "done"}
    host = listed(site)[HOST]
    assert (host["status"], host["servers"], host["evacuation"]) == ("disabled", 0, newest)
    assert host["disabled_reason"] == f"pumphouse: evacuated (migration {done['id']})"
    whole = site.get(f"hosts/{HOST}")
    assert (whole["evacuation"], whole["reassignment"]) == (newest, None)
    site.roll_back(done["id"])
    host = listed(site)[HOST]
    assert (host["status"], host["evacuation"]["state"], site.servers(HOST)) == ("enabled", "reverted", set())


def test_how_it_is_emptied_can_be_chosen_and_is_planned_first_where_no_plan_was_made(site: Site) -> None:
    done = site.begin({"selection": {"evacuate": HOST, "to": [OTHER], "cold": True}, "concurrency": 1})
    assert (done["state"], done["concurrency"]) == ("done", 1)
    plan = site.get(f"migrations/{done['id']}/plan")
    assert plan["selection"] == {"evacuate": HOST, "to": [OTHER], "cold": True}
    moves = [item["move"] for unit in plan["units"] for item in unit["items"] if item["type"] == "server"]
    assert {(move["to"], move["cold"]) for move in moves} == {(OTHER, True)}
    site.roll_back(done["id"])


def test_the_servers_of_a_host_can_be_moved_to_the_destination(site: Site) -> None:
    plan = site.plan({"hosts": [HOST]})
    items = [item for unit in plan["plan"]["units"] for item in unit["items"] if item["type"] == "server"]
    assert {item["name"] for item in items} == site.servers(HOST)
    assert {item["action"] for item in items} == {"create"}


def test_an_empty_host_is_handed_over(site: Site) -> None:
    refused = site.plan({"reassign": HOST})
    assert (refused["state"], refused["summary"]["ignorable"]) == ("ready", False)
    answer = site.ask(site.operator, "POST", "migrations", {"plan_id": refused["id"], "ignore_findings": True})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert f"live on {HOST}" in answer.json()["detail"]
    assert site.begin({"selection": {"evacuate": HOST}})["state"] == "done"
    site.room.breaks(True)
    failed = site.begin({"selection": {"reassign": HOST}})
    assert (failed["state"], "the disk is too small" in failed["error"]) == ("failed", True)
    assert site.get(f"hosts/{HOST}")["reassignment"] == {"id": failed["id"], "state": "failed"}
    site.room.breaks(False)
    assert site.service.job(f"/v1/migrations/{failed['id']}/resume", {})["state"] == "done"
    assert site.service.ended(failed["id"])["state"] == "done"
    log = site.get(f"migrations/{failed['id']}/events?limit=1000")["items"]
    steps = " ".join(event["text"] for event in log)
    assert "80" in steps
    assert "configuring services" in steps
    assert site.room.told()[:2] == [[HOST, "off", False], [HOST, "boot_from_network", False]]
    source, destination = site.get(f"hosts/{HOST}")["clouds"]
    assert (source["known"], destination["known"]) == (False, True)
    assert {(one["state"], one["status"]) for one in destination["services"]} == {("up", "enabled")}
    assert HOST not in listed(site)
    assert listed(site, "destination")[HOST]["reassignment"] == {"id": failed["id"], "state": "done"}


def test_what_cannot_be_meant_is_refused(site: Site) -> None:
    wrong = site.plan({"evacuate": "src-c"})
    assert (wrong["state"], wrong["error"]["code"]) == ("failed", "invalid")
    assert "no compute host of exactly this name" in wrong["error"]["detail"]
    for selection, detail in (
        ({"evacuate": HOST, "tenant": "acme"}, "leave out tenant"),
        ({"cold": True, "tenant": "acme"}, "cold is for evacuate"),
        ({"to": [OTHER]}, "to is for evacuate"),
        ({"reassign": HOST, "evacuate": OTHER}, "leave out reassign"),
        ({"reassign": HOST, "hosts": [OTHER]}, "leave out hosts"),
    ):
        answer = site.ask(site.operator, "POST", "plans", {"selection": selection})
        assert (answer.status_code, answer.json()["field"]) == (422, "selection")
        assert detail in answer.json()["detail"]
    for body in ({"action": "on", "soft": True}, {"action": "off", "network": True}, {"action": "reset"}, {}):
        answer = site.ask(site.service.requests, "POST", f"hosts/{HOST}/power", body)
        assert answer.status_code == 422, answer.text


def test_all_that_is_known_of_a_host(site: Site) -> None:
    assert listed(site)[HOST]["inventory"] == {"source": True, "bmc": "command", "provisioner": "command"}
    assert listed(site, "destination")[NOBODYS]["inventory"]["source"] is False
    whole = site.get(f"hosts/{HOST}")
    source, destination = whole["clouds"]
    assert (source["known"], source["servers"]) == (True, len(site.servers(HOST)))
    assert source["services"][0]["binary"] == "nova-compute"
    assert {(one["state"], one["status"]) for one in source["services"]} == {("up", "enabled")}
    assert set(source["room"]) == {"VCPU", "MEMORY_MB", "DISK_GB"}
    assert (destination["known"], destination["services"], destination["failures"]) == (False, [], [])
    assert (whole["inventory"]["name"], whole["inventory"]["roles"]) == (HOST, ["compute"])
    answer = site.ask(site.viewer, "GET", f"hosts/{HOST}")
    assert PASSWORD not in answer.text
    again = site.ask(site.viewer, "GET", f"hosts/{HOST}", **{"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert site.ask(site.viewer, "GET", "hosts/src-c").status_code == 404


def test_a_cloud_that_fails_empties_nothing(site: Site) -> None:
    site.pair.source.control(
        "POST", "faults", [{"kind": "status", "status": 503, "path": "/compute/.*", "count": 1000}]
    )
    try:
        source, destination = site.get(f"hosts/{NOBODYS}")["clouds"]
    finally:
        site.pair.source.control("POST", "faults", [])
    assert (source["known"], destination["known"]) == (None, True)
    assert "503" in source["failures"][0]["error"]


def test_the_power_is_asked_and_switched_as_far_as_the_guard_lets(site: Site) -> None:
    assert (site.get(f"hosts/{HOST}/power")["state"], site.get(f"hosts/{HOST}/power")["kind"]) == ("on", "command")
    refused = site.switch(HOST, action="off")
    assert (refused["state"], refused["error"]["code"]) == ("failed", "host-failure")
    assert "of the source live on src-c1" in refused["error"]["detail"]
    assert site.room.told() == []
    site.roll_back(site.begin({"selection": {"evacuate": HOST}})["id"])
    site.disable(HOST)
    assert site.switch(HOST, action="off", soft=True)["result"] == {"power": "off"}
    assert site.get(f"hosts/{HOST}/power?refresh=true")["state"] == "off"
    assert site.switch(HOST, action="on", network=True)["result"] == {"power": "on"}
    assert site.room.told() == [[HOST, "off", True], [HOST, "boot_from_network", False], [HOST, "on", False]]
    said = site.service.call("/v1/audit")["items"]
    done = [one["action"] for one in reversed(said) if one["target"] == f"host {HOST}"]
    assert done == ["host.off", "host.off", "host.on"]


def test_who_may_what(site: Site) -> None:
    for session, path, body, status in (
        (site.viewer, "plans", {"selection": {"evacuate": HOST}}, 403),
        (site.operator, f"hosts/{HOST}/power", {"action": "off"}, 403),
        (site.service.requests, f"hosts/{NOBODYS}/power", {"action": "off"}, 409),
        (site.service.requests, "hosts/nobody/power", {"action": "on"}, 404),
    ):
        answer = site.ask(session, "POST", path, body)
        assert answer.status_code == status, answer.text
    assert site.room.told() == []


def test_a_silent_bmc_slows_nothing_but_its_own_answer(site: Site) -> None:
    site.room.be(OTHER, "silent")
    began = time.monotonic()
    assert OTHER in listed(site)
    assert site.get(f"hosts/{OTHER}")["inventory"]["bmc"] == "command"
    assert site.get(f"hosts/{NOBODYS}/power")["state"] == "on"
    assert time.monotonic() - began < 8
    told = site.get(f"hosts/{OTHER}/power")
    assert (told["state"], told["error"]) == ("unknown", f"the BMC of {OTHER} has not answered for 10 s")


def test_in_which_order_hosts_fall_empty(site: Site) -> None:
    steps = site.get("host-order")["items"]
    assert sorted(host for step in steps for host in step["hosts"]) == [HOST, OTHER]
    assert [tenant["name"] for step in steps for tenant in step["tenants"]] == ["acme"]
    assert steps[-1]["gives"]["VCPU"] > 0


def test_a_broken_inventory_is_named_beside_the_list(site: Site) -> None:
    inventory = site.room.inventory
    good = inventory.read_text()
    inventory.write_text(good.replace("kind: command", "kind: commando"))
    try:
        found = site.get("clouds/source/hosts")
        assert (len(found["items"]), found["failures"][-1]["service"]) == (2, "inventory")
        assert "bmc.kind: is something else; allowed:" in found["failures"][-1]["error"]
        assert site.get(f"hosts/{HOST}")["inventory_error"]
    finally:
        inventory.write_text(good)
    assert listed(site)[HOST]["inventory"]
