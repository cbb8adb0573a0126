"""The driver ``fuel`` against embedded Nailguns of all three flavours: what an operator would meet."""

from __future__ import annotations

import dataclasses
import itertools
import logging
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from typing import Any

import pytest

from pumphouse.embedded.nailgun.agent import Machine
from pumphouse.embedded.nailgun.process import NailgunProcess
from pumphouse.hosts.inventory import Layout
from pumphouse.hosts.provisioners.base import Progress, ProvisionerError
from pumphouse.hosts.provisioners.fuel.api import Nailgun
from pumphouse.hosts.provisioners.fuel.books import Books
from tests.functional.fuel import COMPUTE, ENVIRONMENT, NEW, Master, follow, host, until

VERSIONS = ["6.0", "9.2", "11.0"]


@pytest.fixture(scope="module", params=VERSIONS)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    with NailgunProcess(request.param, tmp_path_factory.mktemp("fuel")) as process:
        master = Master(process)
        master.populate()
        process.control("POST", "save/populated")
        yield master
    assert (process.directory / "errors.log").read_text() == ""


@pytest.fixture
def master(running: Master) -> Iterator[Master]:
    """An environment with a controller and a compute node, nothing pending; all at once."""
    running.process.control("POST", "restore/populated")
    running.token = ""
    yield running
    running.faults()
    running.delays(provision=0, deploy=0, delete=0, stop=0, silence=180)


@pytest.fixture
def discovered(master: Master) -> str:
    """The new machine's node."""
    return str(NEW.boots(master.process.url))


def later(master: Master) -> bool:
    return master.process.release != "6.0"


def asked(master: Master, what: str) -> int:
    """How often this was asked of the environment."""
    return int(master.process.control("GET", "requests").get(f"PUT /api/clusters/<int:id_>/{what}", 0))


def installed(master: Master) -> None:
    """The new machine is what it should be, and nothing else was touched."""
    node = master.node(NEW)
    assert (node["status"], node["roles"], node["pending_roles"]) == ("ready", ["compute"], [])
    assert node["cluster"] == master.environment()["id"]
    assert node["name"] == "hv3.example.com"
    if later(master):
        assert node["hostname"] == "hv3"
    assert asked(master, "changes") == 0


def test_from_nothing_to_a_compute_node(master: Master) -> None:
    fuel, one = master.driver(), host()
    assert fuel.check(one) == []
    fuel.prepare(one)
    since = time.time()
    assert fuel.discovered(one, since) is None
    NEW.boots(master.process.url)
    node = fuel.discovered(one, since)
    assert node == str(master.node(NEW)["id"])
    assert fuel.progress(one, node).state == "waiting"
    master.delays(provision=0.3, deploy=0.3)
    fuel.deploy(one, node)
    seen: list[Progress] = []

    def ended() -> bool:
        seen.append(fuel.progress(one, node))
        return seen[-1].state != "deploying"

    until(ended)
    assert seen[-1].state == "done", seen[-1]
    percents = [progress.percent or 0 for progress in seen]
    assert percents == sorted(percents)
    assert len(set(percents)) > 1
    assert (asked(master, "provision"), asked(master, "deploy")) == (1, 1)
    installed(master)


@pytest.mark.parametrize("call", ["progress", "deploy"])
def test_a_deployment_that_ends_while_we_look(
    master: Master, discovered: str, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Between the question for nodes and the one for tasks: it is not begun again."""
    fuel, one = master.driver(), host()
    master.delays(deploy=0.3)
    fuel.deploy(one, discovered)
    until(lambda: fuel.progress(one, discovered) and master.node(NEW)["status"] == "deploying")
    get, cluster = Nailgun.get, master.environment()["id"]

    def slow(self: Nailgun, path: str) -> Any:
        answer = get(self, path)
        if path.startswith(("nodes/", "tasks/")):
            master.settle(cluster)
        return answer

    monkeypatch.setattr(Nailgun, "get", slow)
    getattr(fuel, call)(one, discovered)
    monkeypatch.undo()
    assert (asked(master, "provision"), asked(master, "deploy")) == (1, 1)
    assert fuel.progress(one, discovered).state == "done"


def test_two_who_look_at_once(master: Master, discovered: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sees the node provisioned; before it has seen the tasks, the other has deployed it to its end."""
    fuel, other, one = master.driver(), master.driver(), host()
    fuel.deploy(one, discovered)
    master.settle(master.environment()["id"])
    get = Nailgun.get

    def slow(self: Nailgun, path: str) -> Any:
        answer = get(self, path)
        if path.startswith(("nodes/", "tasks/")):
            monkeypatch.setattr(Nailgun, "get", get)
            follow(other, one, discovered)
        return answer

    monkeypatch.setattr(Nailgun, "get", slow)
    assert fuel.progress(one, discovered).state == "done"
    assert asked(master, "deploy") == 1


def test_two_nodes_that_were_the_machine(master: Master) -> None:
    """One by each of its MACs: both go, and the newer one is the one that counts."""
    old = Machine("52:54:00:bb:00:01", "10.20.0.151").boots(master.process.url)
    new = NEW.boots(master.process.url)
    one = dataclasses.replace(host(), macs=(NEW.mac, "52:54:00:bb:00:01"))
    assert new > old
    assert master.driver().discovered(one, 0) == str(new)
    master.driver().prepare(one)
    assert {node["id"] for node in master.call("GET", "nodes/")}.isdisjoint({old, new})


def test_layout_is_copied(master: Master, discovered: str) -> None:
    fuel, one = master.driver(), host()
    fuel.deploy(one, discovered)
    template = master.node(COMPUTE)["id"]
    for what, names in (("interfaces", "assigned_networks"), ("disks", "volumes")):
        theirs, ours = (master.call("GET", f"nodes/{id_}/{what}/") for id_ in (template, discovered))
        assert [{key: nic[key] for key in ("name", names)} for nic in theirs] \
            == [{key: nic[key] for key in ("name", names)} for nic in ours]  # fmt: skip
    assert [volume["size"] for volume in ours[1]["volumes"] if volume["name"] == "vm"] == [50000]


def test_layout_is_fixed(master: Master, discovered: str) -> None:
    disks = Layout("fixed", None, {"sda": {"os": 30000}, "sdb": {"vm": 40000}})
    networks = ["management", "storage", *(["private"] if later(master) else []), "public"]
    fuel, one = master.driver(), host(disks=disks, nics=Layout("fixed", None, {"eth1": networks}))
    fuel.deploy(one, discovered)
    nics = master.call("GET", f"nodes/{discovered}/interfaces/")
    names = [{network["name"] for network in nic["assigned_networks"]} for nic in nics]
    everywhere = master.process.release != "11.0"
    assert names == [{"fuelweb_admin"}, set(networks) - (set() if everywhere else {"public"}), set()]
    sizes = [{v["name"]: v["size"] for v in d["volumes"]} for d in master.call("GET", f"nodes/{discovered}/disks/")]
    assert sizes == [{"os": 30000, "vm": 0}, {"os": 0, "vm": 40000}]


@pytest.mark.parametrize(
    ("disks", "nics", "words"),
    [
        ({"sdz": {"os": 1, "vm": 1}}, {}, "the layout has disk sdz, the machine has sda, sdb"),
        ({"sda": {"os": 10**6, "vm": 1}}, {}, "the layout needs 1000001 MiB of disk sda, which has 101708"),
        ({"sda": {"os": 1}}, {}, "no room for volume vm"),
        ({"sda": {"os": 1, "vm": 1, "cinder": 1}}, {}, "the layout has volume cinder"),
        (None, {"eth7": []}, "the layout has interface eth7, the machine has eth0, eth1, eth2"),
        (None, {"eth0": ["management"]}, "no interface for network"),
        (None, {"eth1": ["fuelweb_admin"]}, "puts fuelweb_admin on eth1, but the machine boots from eth0"),
        (None, {"eth1": ["nonsense"]}, "the layout has network nonsense"),
    ],
)
def test_layouts_that_do_not_fit(master: Master, discovered: str, disks: Any, nics: Any, words: str) -> None:
    """Said before anything is installed."""
    one = host(disks=Layout("fixed", None, disks) if disks else None, nics=Layout("fixed", None, nics))
    with pytest.raises(ProvisionerError, match=words) as refused:
        master.driver().deploy(one, discovered)
    assert not refused.value.passing
    assert master.node(NEW)["status"] == "discover"
    master.driver().forget(one, discovered)
    assert NEW.mac not in [node["mac"] for node in master.call("GET", "nodes/")]


def test_wrong_password(master: Master, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    fuel = master.driver(password="no-such-secret")
    (sentence,) = fuel.check(host())
    assert "refuses the log-in of 'admin'" in sentence
    for call in (lambda: fuel.prepare(host()), lambda: fuel.discovered(host(), 0), lambda: fuel.deploy(host(), "1"),
                 lambda: fuel.progress(host(), "1"), lambda: fuel.forget(host(), None)):  # fmt: skip
        with pytest.raises(ProvisionerError, match="refuses the log-in") as refused:
            call()
        assert not refused.value.passing
        assert "no-such-secret" not in str(refused.value)
    assert "no-such-secret" not in caplog.text + repr(fuel) + repr(vars(fuel))


def test_a_token_expires(master: Master, discovered: str) -> None:
    fuel = master.driver()
    fuel.discovered(host(), 0)
    master.faults({"kind": "revoke", "path": "/api/nodes/?"})
    assert fuel.discovered(host(), 0) == discovered


def test_log_in_by_version_3(master: Master, discovered: str) -> None:
    """Where v2.0 is gone."""
    if not later(master):
        pytest.skip("6.0 has no v3")
    master.faults({"kind": "status", "status": 404, "path": "/keystone/v2.0/tokens", "count": 100})
    assert master.driver().discovered(host(), 0) == discovered


def test_nothing_answers(master: Master) -> None:
    (sentence,) = master.driver(url="http://127.0.0.1:9").check(host())
    assert sentence == "Fuel at http://127.0.0.1:9 cannot be reached: Connection refused"
    with pytest.raises(ProvisionerError) as refused:
        master.driver(url="http://127.0.0.1:9").prepare(host())
    assert refused.value.passing
    (sentence,) = master.driver(url="http://admin:hunter2@127.0.0.1:9").check(host())
    assert "without account" in sentence
    assert "hunter2" not in sentence


def test_it_stalls(master: Master) -> None:
    master.faults({"kind": "slow", "seconds": 2, "path": "/api/nodes/?", "count": 9})
    fuel, begun = master.driver(deadline=1), time.monotonic()
    with pytest.raises(ProvisionerError, match="has not answered GET within 1 seconds") as refused:
        fuel.discovered(host(), 0)
    assert refused.value.passing
    assert time.monotonic() - begun < 1.9


def test_machine_never_appears(master: Master) -> None:
    fuel, one = master.driver(), host(Machine("52:54:00:aa:00:77", "10.20.0.150"))
    fuel.prepare(one)
    NEW.boots(master.process.url)
    assert fuel.discovered(one, time.time()) is None
    fuel.forget(one, None)


def test_by_any_mac(master: Master, discovered: str) -> None:
    one = host(Machine(NEW.macs[2].upper().lower(), "10.20.0.133"))
    assert master.driver().discovered(one, 0) == discovered


def test_machine_that_is_silent_is_not_there(master: Master, discovered: str) -> None:
    master.delays(silence=0.05)
    time.sleep(0.1)
    assert master.driver().discovered(host(), 0) is None
    with pytest.raises(ProvisionerError, match="is offline: it has to boot") as refused:
        master.driver().deploy(host(), discovered)
    assert refused.value.passing
    master.delays(silence=180)
    NEW.boots(master.process.url)
    assert master.driver().discovered(host(), 0) == discovered


def test_address_of_another_dhcp_server(master: Master) -> None:
    Machine(NEW.mac, "10.20.0.15").boots(master.process.url)
    with pytest.raises(ProvisionerError, match=r"address 10\.20\.0\.15, which it did not give") as refused:
        master.driver().discovered(host(), 0)
    assert refused.value.passing
    node = NEW.boots(master.process.url)
    assert master.driver().discovered(host(), 0) == str(node)


@pytest.mark.parametrize("half", ["provision", "deploy"])
def test_deployment_fails_and_is_begun_again(master: Master, discovered: str, half: str) -> None:
    fuel, one = master.driver(), host()
    master.faults({"kind": "fails", "type": half})
    fuel.deploy(one, discovered)
    failed = follow(fuel, one, discovered)
    assert failed.state == "failed"
    assert f"{half} failed" in failed.text
    assert "Check these nodes: hv3.example.com" in failed.text
    before = asked(master, "provision"), asked(master, "deploy")
    fuel.deploy(one, discovered)
    assert follow(fuel, one, discovered).state == "done"
    # From where it failed: a system that is there is not installed again.
    assert before == ((1, 0) if half == "provision" else (1, 1))
    assert (asked(master, "provision"), asked(master, "deploy")) == ((2, 1) if half == "provision" else (1, 2))
    installed(master)


def test_deployment_fails_and_is_undone(master: Master, discovered: str) -> None:
    fuel, one = master.driver(), host()
    master.faults({"kind": "fails", "type": "deploy"})
    fuel.deploy(one, discovered)
    assert follow(fuel, one, discovered).state == "failed"
    fuel.forget(one, discovered)
    left = [node for node in master.call("GET", "nodes/") if node["mac"] == NEW.mac]
    # Later versions let it boot again: a node that nobody has assigned, under a new id.
    assert [(node["cluster"], node["status"]) for node in left] == ([(None, "discover")] if later(master) else [])
    assert all(str(node["id"]) != discovered for node in left)
    fuel.prepare(one)
    assert [node for node in master.call("GET", "nodes/") if node["mac"] == NEW.mac] == []


def test_task_that_failed_before_it_was_answered(master: Master, discovered: str) -> None:
    """Inside a 200 (9.2, 11.0) or a 202 (6.0)."""
    fuel, one = master.driver(), host()
    master.faults({"kind": "fails", "type": "start"})
    with pytest.raises(ProvisionerError, match="provision failed at once: Provisioning data"):
        fuel.deploy(one, discovered)
    assert fuel.progress(one, discovered).state == "failed"
    fuel.deploy(one, discovered)
    assert follow(fuel, one, discovered).state == "done"


def test_second_half_that_failed_before_it_was_answered(master: Master, discovered: str) -> None:
    fuel, one = master.driver(), host()
    master.faults({"kind": "fails", "type": "start", "after": 1})
    fuel.deploy(one, discovered)
    failed = follow(fuel, one, discovered)
    assert failed.state == "failed"
    assert "failed at once" in failed.text
    assert fuel.progress(one, discovered).state == "failed"
    fuel.deploy(one, discovered)
    assert follow(fuel, one, discovered).state == "done"


def test_somebody_stops_it(master: Master, discovered: str) -> None:
    fuel, one = master.driver(), host()
    master.delays(provision=5)
    fuel.deploy(one, discovered)
    fuel.progress(one, discovered)
    cluster = master.environment()["id"]
    master.call("PUT", f"clusters/{cluster}/stop_deployment/", {})
    master.settle(cluster)
    stopped = fuel.progress(one, discovered)
    assert stopped.state == "failed"
    assert "somebody has stopped" in stopped.text
    master.delays(provision=0)
    fuel.deploy(one, discovered)
    assert follow(fuel, one, discovered).state == "done"


def test_forget_what_runs(master: Master, discovered: str) -> None:
    fuel, one = master.driver(), host()
    # Longer than anybody waits here.
    master.delays(provision=300, stop=0.2)
    fuel.deploy(one, discovered)
    fuel.progress(one, discovered)

    def forgotten() -> bool:
        try:
            fuel.forget(one, discovered)
        except ProvisionerError as error:
            assert error.passing, error
            return False
        return True

    until(forgotten)
    assert asked(master, "stop_deployment") == 1
    until(lambda: all(node["mac"] != NEW.mac or node["cluster"] is None for node in master.call("GET", "nodes/")))
    master.settle(master.environment()["id"])


OTHER = Machine("52:54:00:aa:00:09", "10.20.0.139")


def test_another_operators_addition(master: Master, discovered: str) -> None:
    """It is said, and never carried out by us."""
    cluster = master.environment()["id"]
    theirs = master.add(cluster, OTHER, "cinder", deploy=False)
    (sentence,) = master.driver().check(host())
    assert sentence == (f"somebody is about to add node {theirs} ({OTHER.mac}) to environment {ENVIRONMENT} as cinder: "
                        "deploy or discard that first")  # fmt: skip
    fuel, one = master.driver(), host()
    fuel.deploy(one, discovered)
    assert follow(fuel, one, discovered).state == "done"
    assert master.node(OTHER)["status"] == "discover"
    assert master.node(OTHER)["pending_addition"]


def test_another_operators_removal_and_settings(master: Master) -> None:
    cluster = master.environment()["id"]
    master.call("POST", f"clusters/{cluster}/unassignment/", [{"id": master.node(COMPUTE)["id"]}])
    attributes = master.call("GET", f"clusters/{cluster}/attributes/")
    master.call("PUT", f"clusters/{cluster}/attributes/", attributes)
    removal, settings = master.driver().check(host())
    assert "somebody is about to remove node" in removal
    assert settings == (f"somebody has changed attributes of environment {ENVIRONMENT}: "
                        "deploy or discard that first")  # fmt: skip


def test_another_operators_task(master: Master, discovered: str) -> None:
    cluster = master.environment()["id"]
    master.delays(provision=0.5)
    theirs = master.add(cluster, OTHER, "cinder", deploy=False)
    master.call("PUT", f"clusters/{cluster}/provision/?nodes={theirs}", {})
    sentences = master.driver().check(host())
    assert sentences[0].startswith(f"Fuel is busy in environment {ENVIRONMENT}: provision is at ")
    with pytest.raises(ProvisionerError, match="Fuel is busy") as refused:
        master.driver().deploy(host(), discovered)
    assert refused.value.passing
    assert master.node(NEW)["cluster"] is None


def test_a_task_that_begins_while_we_look(master: Master, discovered: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nailgun's own refusal passes, as what we had seen before would have."""
    if not later(master):
        pytest.skip("6.0 takes any task")
    cluster, fuel = master.environment()["id"], master.driver()
    master.delays(provision=300)
    theirs = master.add(cluster, OTHER, "cinder", deploy=False)
    master.call("PUT", f"clusters/{cluster}/provision/?nodes={theirs}", {})
    monkeypatch.setattr(Books, "tasks", lambda *_: [])
    with pytest.raises(ProvisionerError, match="there are another running tasks") as refused:
        fuel.deploy(host(), discovered)
    assert refused.value.passing


def test_somebody_takes_the_machine(master: Master, discovered: str) -> None:
    other = master.environment("other")["id"]
    master.call("POST", f"clusters/{other}/assignment/", [{"id": int(discovered), "roles": ["compute"]}])
    fuel, one = master.driver(), host()
    assert fuel.discovered(one, 0) is None
    with pytest.raises(ProvisionerError, match="is in environment other: somebody else took it"):
        fuel.deploy(one, discovered)
    assert fuel.progress(one, discovered).state == "failed"
    with pytest.raises(ProvisionerError, match="remove it there, or name that environment in"):
        fuel.prepare(one)
    assert any("in environment other (discover)" in sentence for sentence in fuel.check(one))
    fuel.forget(one, discovered)
    assert master.node(NEW)["cluster"] == other
    allowed = master.driver(take_from=("other",))
    assert allowed.check(one) == []
    allowed.prepare(one)
    assert NEW.mac not in [node["mac"] for node in master.call("GET", "nodes/")]


def test_node_that_was_the_machine_in_a_former_life(master: Master) -> None:
    """Deleted, whatever it was; the machine is found under its new id."""
    fuel, one = master.driver(), host()
    cluster = master.environment()["id"]
    former = master.add(cluster, NEW, "compute")
    assert any("runs in environment destination already" in sentence for sentence in fuel.check(one))
    with pytest.raises(ProvisionerError, match="already"):
        fuel.prepare(one)
    master.call("PUT", f"nodes/{former}/", {"online": False})
    assert fuel.check(one) == []
    fuel.prepare(one)
    until(lambda: NEW.mac not in [node["mac"] for node in master.call("GET", "nodes/")])
    node = str(NEW.boots(master.process.url))
    assert node != str(former)
    assert fuel.discovered(one, time.time()) == node
    fuel.deploy(one, node)
    assert follow(fuel, one, node).state == "done"


def test_node_comes_back_under_a_new_id(master: Master, discovered: str) -> None:
    """While it is deployed: told, and begun again with the new id."""
    fuel, one = master.driver(), host()
    master.delays(provision=0.2)
    fuel.deploy(one, discovered)
    cluster = master.environment()["id"]
    if later(master):
        master.settle(cluster)
    master.call("DELETE", f"nodes/{discovered}/")
    assert fuel.progress(one, discovered).state in ("failed", "deploying")
    master.settle(cluster)
    again = str(NEW.boots(master.process.url))
    assert again != discovered
    lost = fuel.progress(one, discovered)
    assert lost.state == "failed"
    assert f"node {discovered} was removed from Fuel; the machine has come back as node {again}" in lost.text
    fuel.deploy(one, again)
    assert follow(fuel, one, again).state == "done"


@pytest.mark.parametrize(
    ("options", "roles", "words"),
    [
        ({"environment": "nowhere"}, ("compute",), "has no environment 'nowhere'; it has destination, other"),
        ({}, ("compute", "nonsense"), "Fuel knows no role nonsense in environment destination; it knows "),
        ({}, ("compute", "controller"), "Fuel does not allow role controller together with compute"),
        ({"environment": "other"}, ("compute",), "environment other has no controller that runs"),
    ],
)
def test_what_is_in_the_way(master: Master, options: Any, roles: tuple[str, ...], words: str) -> None:
    assert any(words in sentence for sentence in master.driver(**options).check(host(roles=roles)))


def test_nothing_to_copy_from(master: Master) -> None:
    sentences = master.driver().check(host(disks=Layout("discovery", "hv9"), nics=Layout("fixed", None, {})))
    assert sentences == [
        "the layout is to be copied from hv9, but no compute node of that name runs in the environment"
    ]


def test_check_changes_nothing(master: Master, discovered: str) -> None:
    before = master.call("GET", "nodes/")
    master.process.control("POST", "save/before")
    master.process.control("POST", "restore/before")
    assert master.driver().check(host()) == []
    counted = master.process.control("GET", "requests")
    assert {call for call in counted if not call.startswith("GET")} <= {
        "POST /keystone/v2.0/tokens", "POST /_control/restore/<name>",
    }  # fmt: skip
    master.token = ""
    assert master.call("GET", "nodes/") == before


class Killed(BaseException):
    """The process has died."""


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_every_request(master: Master, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    """Before it is sent, or before its answer is read. Another process begins from the start."""
    send = Nailgun._raw
    left = [0]

    def mortal(self: Nailgun, *arguments: Any) -> Any:
        left[0] -= 1
        if left[0] == 0 and when == "before":
            raise Killed
        answer = send(self, *arguments)
        if left[0] == 0:
            raise Killed
        return answer

    monkeypatch.setattr(Nailgun, "_raw", mortal)
    one, killed = host(), 0

    def life() -> Progress:
        fuel = master.driver()
        node = fuel.discovered(one, 0)
        if node is None:
            fuel.prepare(one)
            NEW.boots(master.process.url)
            node = fuel.discovered(one, 0)
        assert node is not None
        fuel.deploy(one, node)
        return follow(fuel, one, node)

    for number in itertools.count(1):
        master.process.control("POST", "restore/populated")
        left[0] = number
        try:
            life()
        except Killed:
            killed += 1
        else:
            break
        assert life().state == "done"
        master.token = ""
        installed(master)
    assert killed > 15


def test_killed_for_good(master: Master, discovered: str) -> None:
    """A process of its own, ended by SIGKILL while Fuel installs; the next one sees it end."""
    program = textwrap.dedent(f"""
        import os, sys
        from tests.functional.fuel import Master, host
        from pumphouse.embedded.nailgun.process import NailgunProcess
        process = NailgunProcess({master.process.release!r}, None)
        process.url, process.password = {master.process.url!r}, os.environ["SECRET"]
        Master(process).driver().deploy(host(), {discovered!r})
        print("begun", flush=True)
        sys.stdin.read()
    """)
    master.delays(provision=0.5, deploy=0.2)
    child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                             env={**os.environ, "SECRET": master.process.password})  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "begun\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    fuel, one = master.driver(), host()
    fuel.deploy(one, discovered)
    assert follow(fuel, one, discovered).state == "done"
    installed(master)
    fuel.deploy(one, discovered)
    assert fuel.progress(one, discovered).state == "done"


@pytest.mark.parametrize("kind", ["lost", "reset", "status", "truncate"])
def test_bad_network(master: Master, discovered: str, kind: str) -> None:
    """Errors that pass are said to; the same call again goes on."""
    one = host()
    for number in range(0, 24, 2):
        master.process.control("POST", "restore/populated")
        node = str(NEW.boots(master.process.url))
        master.faults({"kind": kind, "path": "/api/.*", "method": "PUT|POST|GET", "after": number, "at": 3})
        fuel = master.driver()
        for _ in range(3):
            try:
                fuel.deploy(one, node)
                break
            except ProvisionerError as error:
                assert error.passing, error
        master.faults()
        fuel.deploy(one, node)
        assert follow(fuel, one, node).state == "done"
