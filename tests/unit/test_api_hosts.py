"""Hosts over the API: what of a selection fits together, who is looked up where, and BMCs that take their time."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest
import yaml
from pydantic import ValidationError

from pumphouse.api import host_details, machines
from pumphouse.api.machines import Machines
from pumphouse.api.schemas.hosts import PowerWanted
from pumphouse.api.schemas.plans import SelectionWanted
from pumphouse.engine.requests import refuse_findings
from pumphouse.errors import ConfigError, Refusal
from pumphouse.hosts.inventory import VARIABLE
from pumphouse.hosts.power.base import PowerError
from pumphouse.planning.plan import Finding, Plan
from pumphouse.planning.wanted import at_once, of_a_host
from pumphouse.store import Store, tenancy
from tests.unit.fake_api import PAIR


@pytest.mark.parametrize(
    "selection",
    [
        {"evacuate": "c1"},
        {"evacuate": "c1", "to": ["c2", "c3"], "cold": True, "fenced": True},
        {"reassign": "c1"},
        {"hosts": ["c1"], "domain": "d"},
    ],
)
def test_what_is_sent_is_what_is_kept(selection):
    assert SelectionWanted(**selection).wanted().to_json() == selection
    assert of_a_host(selection) == (None if "hosts" in selection else "c1")
    assert at_once(selection) == (4 if "hosts" in selection else 2)


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        ({"to": ["c2"]}, "to is for evacuate: name a host"),
        ({"cold": True, "fenced": True, "tenant": "acme"}, "cold and fenced are for evacuate"),
        ({"evacuate": "c1", "tenant": "acme", "all": True}, "about one host and nothing else: leave out all, tenant"),
        ({"evacuate": "c1", "reassign": "c1"}, "leave out reassign"),
        ({"reassign": "c1", "cold": True}, "cold is for evacuate"),
        ({"evacuate": ""}, "at least 1 character"),
    ],
)
def test_what_does_not_fit_together_is_refused(selection, said):
    with pytest.raises(ValidationError, match=said):
        SelectionWanted(**selection)


def test_how_a_machine_is_switched_fits_what_is_done():
    assert PowerWanted(action="off", soft=True).model_dump() == {"action": "off", "soft": True, "network": False}
    for wrong in ({"action": "on", "soft": True}, {"action": "off", "network": True}, {"action": "status"}):
        with pytest.raises(ValidationError):
            PowerWanted(**wrong)


def test_of_a_host_that_is_handed_over_no_finding_is_ignored():
    block = Finding("blocks", "host", "c1", "c1", "servers live on it")
    refuse_findings(Plan({"evacuate": "c1"}, findings=[block]), ignore=True)
    with pytest.raises(Refusal, match="servers live on it"):
        refuse_findings(Plan({"reassign": "c1"}, findings=[block]), ignore=True)
    refuse_findings(Plan({"reassign": "c1"}), ignore=False)


def test_the_newest_migration_of_each_host():
    with Store.open("sqlite://") as store:
        for selection, state in (
            ({"evacuate": "c1"}, "reverted"), ({"tenant": "c1"}, "done"), ({"evacuate": "c2"}, "done"),
            ({"evacuate": "c1", "cold": True}, "running"), ({"reassign": "c2"}, "failed"),
        ):  # fmt: skip
            store.start_migration(PAIR, selection, {}, {}, (), state)
        store.start_migration("others -> clouds", {"evacuate": "c1"}, {}, {}, (), "done")
        assert tenancy.newest_of_hosts(store, PAIR, "evacuate") == {"c1": (4, "running"), "c2": (3, "done")}
        assert tenancy.newest_of_hosts(store, PAIR, "reassign") == {"c2": (5, "failed")}
        ties = host_details.Ties(SimpleNamespace(store=store, pair=PAIR))
        assert ties.of("evacuate", "c1.domain", None, "c1") == {"id": 4, "state": "running"}
        assert ties.of("reassign", "c1") is None


def test_a_host_is_found_by_both_of_its_names_and_by_no_other():
    known = [{"hypervisor_hostname": "c1.example.org", "service": {"host": "c1"}}]
    services = [{"host": "c1"}, {"host": "c2"}]
    asked = ("c1.example.org", "c1", "c2", "c", "c1.example")
    assert [host_details.host_name(name, known, services) for name in asked] == ["c1", "c1", "c2", None, None]


# -- machines -----------------------------------------------------------------------------------------------


class Switch:
    """A BMC that says what the test has put there, when it may."""

    def __init__(self):
        self.may, self.asked, self.said = threading.Event(), 0, "on"
        self.may.set()

    def state(self):
        self.asked += 1
        self.may.wait(5)
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


@pytest.fixture
def room(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    hosts = {name: {"macs": [f"52:54:00:00:00:0{n}"], "bmc": {"kind": "none"}} for n, name in enumerate(("c1", "c2"))}
    (tmp_path / "inventory.yaml").write_text(yaml.safe_dump({"hosts": hosts}))
    found = Machines(SimpleNamespace(path=tmp_path / "pumphouse.yaml"))
    yield found
    found.close()


@pytest.fixture
def switch(monkeypatch):
    found = Switch()
    monkeypatch.setattr(machines.power, "of", lambda _host: found)
    monkeypatch.setattr(machines, "PATIENCE", 0.2)
    yield found
    found.may.set()


def test_the_inventory_is_read_again_when_it_has_changed(room, tmp_path):
    file = tmp_path / "inventory.yaml"
    assert room.host("c1").bmc.name == "none"
    assert room.inventory() is room.inventory()
    assert room.host("c") is None
    file.write_text(file.read_text().replace("c1", "c9"))
    assert (room.host("c1"), room.host("c9").name) == (None, "c9")
    file.write_text("hosts: 7")
    assert room.notes()[0] is None
    assert str(file) in room.notes()[1]
    with pytest.raises(ConfigError):
        room.host("c1")
    file.unlink()
    assert (room.inventory(), room.notes()) == (None, (None, ""))


def test_who_asks_meanwhile_gets_the_same_answer(room, switch):
    switch.may.clear()
    silent = room.power(room.host("c1"))
    assert (silent.state, silent.error) == ("unknown", "the BMC of c1 has not answered for 0 s")
    room.power(room.host("c1"))
    assert switch.asked == 1
    switch.may.set()
    assert room.power(room.host("c1")).state == "on"
    assert switch.asked == 1


def test_an_answer_is_kept_for_a_moment_only(room, switch, monkeypatch):
    assert room.power(room.host("c1")).state == "on"
    switch.said = "off"
    assert room.power(room.host("c1")).state == "on"
    assert room.power(room.host("c1"), renew=True).state == "off"
    switch.said = "on"
    assert room.power(room.host("c1")).state == "off"
    monkeypatch.setattr(machines, "KEPT", -1.0)
    asked = room.power(room.host("c1"))
    assert asked.state == "on"
    assert abs(asked.asked - time.time()) < 5


def test_a_bmc_that_fails_is_told_in_its_words(room, switch):
    switch.said = PowerError("the BMC of c1 refuses the password")
    told = room.power(room.host("c1"))
    assert told.state == "unknown"
    assert "refuses the password" in told.error
