"""Nailgun, Fuel's API: every answer of a host's whole life, held to what real ones of three versions answered.

The recorded answers are in ``nailgun/``, trimmed where ``_omitted_keys`` says so. The embedded Nailguns always have to
answer like them. A real one, fresh or not, has to with PUMPHOUSE_CONTRACT_NAILGUN=URL (and ..._VERSION: 6.0, 9.2 or
11.0; ..._PASSWORD: of admin). It gets an environment and three pretended machines, which are removed again; nothing
else of it is touched. It must deploy pretended machines ("fake tasks"), not real ones.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from pumphouse.embedded.nailgun.agent import Machine
from pumphouse.embedded.nailgun.process import NailgunProcess

Json = dict[str, Any]

REAL = "PUMPHOUSE_CONTRACT_NAILGUN"
VERSIONS = ["6.0", "9.2", "11.0"]
SAMPLES: dict[str, Json] = {
    v: json.loads((Path(__file__).parent / "nailgun" / f"{v}.json").read_text()) for v in VERSIONS
}
#: Recorded, but nothing that Pumphouse asks for.
LEFT_OUT = {"release-create", "provisioning-info"}
#: True of a fresh one only, or of a moment.
FRESH = {"clusters-list-empty", "nodes-allocation-stats", "notifications", "deploy-no-controller", "tasks-after-stop",
         "deploy-no-controller-task", "node-after-stop", "deploy-empty-cluster", "auth-with-token"}  # fmt: skip
#: 6.0 takes a second task while the first runs: what was recorded is how that one failed.
OTHERWISE = {("6.0", "deploy-changes-while-running")}
#: Fields whose values count, beside that they are there and of what type.
EXACT = {"status", "online", "pending_addition", "pending_deletion", "pending_roles", "roles", "error_type", "message",
         "auth_required", "cached", "is_deployable", "state", "operating_system", "version", "conflicts", "pxe", "size",
         "net_provider", "mode", "changes"}  # fmt: skip
#: What differs from run to run, or is of the machine.
FREE = {"meta", "result", "network_data", "ui_settings", "networking_parameters", "vips", "release", "serviceCatalog",
        "attributes", "volumes_roles_mapping", "labels"}  # fmt: skip


class Nailgun:
    """One of them, and what it has answered."""

    def __init__(self, url: str, version: str, password: str) -> None:
        self.url, self.version, self.later = url.rstrip("/"), version, version != "6.0"
        self.answers: dict[str, requests.Response] = {}
        self.session = requests.Session()
        who = {"username": "admin", "password": password}
        self.call("auth-no-token", "GET", "nodes/")
        self.call("version", "GET", "version")
        body = {"auth": {"tenantName": "admin", "passwordCredentials": who}}
        token = self.call("auth-token", "POST", "/keystone/v2.0/tokens", body)["access"]["token"]["id"]
        self.session.headers["X-Auth-Token"] = token
        self.call("auth-with-token", "GET", "nodes/")

    def call(self, name: str, method: str, path: str, body: Any = None, raw: bytes | None = None) -> Any:
        """Ask; keep the answer under the sample's name. Gives its JSON, or its text."""
        url = self.url + (path if path.startswith("/") else f"/api/{path}")
        sent = {"data": raw} if raw is not None else {"json": body} if body is not None else {}
        answer = self.session.request(method, url, timeout=60, **sent)
        if name:
            self.answers[name] = answer
        return content(answer)

    def wait(self, task: Any) -> None:
        """Until a task has ended, or is history."""
        for _ in range(1200):
            found = self.call("", "GET", f"tasks/{task['id']}/")
            if not isinstance(found, dict) or found.get("status") not in ("pending", "running"):
                return
            time.sleep(0.05)
        raise AssertionError(f"task {task} does not end")

    def deploy(self, name: str, path: str) -> None:
        """Start something and see it end."""
        self.wait(self.call(name, "PUT", path, {}))


def content(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text or None


KINDS = [(version, version) for version in VERSIONS]
if os.environ.get(REAL):
    KINDS.append(("real", os.environ[f"{REAL}_VERSION"]))


def recorded_answers() -> list[tuple[str, str]]:
    """Which, and the name: each answer that was recorded of a version, of that version."""
    return [(kind, name) for kind, version in KINDS for name, sample in SAMPLES[version].items()
            if "response" in sample and name not in LEFT_OUT | FRESH and (version, name) not in OTHERWISE]  # fmt: skip


@pytest.fixture(scope="module")
def nailguns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Nailgun]]:
    """Each by its kind, after a host's life in it."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def one(kind: str) -> Nailgun:
            if kind == "real":
                found = Nailgun(os.environ[REAL], os.environ[f"{REAL}_VERSION"], os.environ[f"{REAL}_PASSWORD"])
            else:
                process = stack.enter_context(NailgunProcess(kind, tmp_path_factory.mktemp("nailgun")))
                # Slow enough for what is asked while a task runs.
                process.control("POST", "delays", {"provision": 0.4, "deploy": 0.4, "delete": 0.1})
                found = Nailgun(process.url, kind, process.password)
            live(found)
            if kind != "real":
                assert (process.directory / "errors.log").read_text() == ""
            return found

        yield one


def machines() -> list[Machine]:
    """Three that nobody has seen, with addresses that Fuel gives out."""
    number = secrets.randbelow(250)
    return [Machine(f"52:54:0{n}:{secrets.token_hex(1)}:00:{number:02x}", f"10.20.0.{130 + n}") for n in range(3)]


def live(n: Nailgun) -> None:
    """All calls, in the order in which the answers were recorded."""
    releases = n.call("releases-list", "GET", "releases/")
    release = next(r["id"] for r in releases if r["operating_system"] == "Ubuntu" and r["state"] == "available")
    n.call("release-get", "GET", f"releases/{release}/")
    name, segment = f"contract{secrets.token_hex(3)}", "tun" if n.later else "gre"
    wanted = {"name": name, "release": release, "mode": "ha_compact", "net_provider": "neutron",
              "net_segment_type": segment}  # fmt: skip
    cluster = n.call("cluster-create", "POST", "clusters/", wanted)["id"]
    n.call("cluster-create-duplicate-name", "POST", "clusters/", {"name": name, "release": release})
    n.call("clusters-list", "GET", "clusters/")
    n.call("cluster-get", "GET", f"clusters/{cluster}/")
    n.call("cluster-roles", "GET", f"clusters/{cluster}/roles/")
    n.call("release-role-compute", "GET", f"releases/{release}/roles/compute/")
    three = controller, compute, second = machines()
    _controller(n, cluster, controller)
    _compute(n, cluster, compute)
    _second(n, cluster, second)
    _removal(n, cluster, three)
    _tidy(n, cluster, three)


def _controller(n: Nailgun, cluster: int, machine: Machine) -> None:
    facts = machine.facts()
    node = n.call("node-discover", "POST", "nodes/", facts)["id"]
    n.call("node-discover-again", "POST", "nodes/", facts)
    strange = Machine(f"52:54:09:{secrets.token_hex(1)}:00:00", "10.20.0.250").facts()
    n.call("node-discover-not-bootstrap", "POST", "nodes/", {**strange, "status": "ready"})
    n.call("nodes-unallocated", "GET", "nodes/?cluster_id=")
    n.call("notifications-after-discover", "GET", "notifications/")
    n.call("node-agent-heartbeat", "PUT", "nodes/agent/", facts)
    n.call("node-agent-update", "PUT", "nodes/agent/", {**facts, "agent_checksum": "f" * 40})
    n.call("node-agent-unknown", "PUT", "nodes/agent/", strange)
    n.call("assign-controller", "POST", f"clusters/{cluster}/assignment/", [{"id": node, "roles": ["controller"]}])
    n.call("node-pending-addition", "GET", f"nodes/{node}/")
    path = f"clusters/{cluster}/network_configuration/neutron/"
    n.call("network-verify", "PUT", f"{path}verify/", n.call("network-config", "GET", path))
    task = n.call("deploy-changes", "PUT", f"clusters/{cluster}/changes/", {})
    if n.later:
        n.call("deploy-changes-while-running", "PUT", f"clusters/{cluster}/changes/", {})
        n.call("fail-delete-node-while-deploying", "DELETE", f"nodes/{node}/")
    n.call("tasks-while-deploying", "GET", f"tasks/?cluster_id={cluster}")
    n.wait(task)
    n.call("controller-after-deploy", "GET", f"nodes/{node}/")
    n.call("cluster-after-deploy", "GET", f"clusters/{cluster}/")


def _compute(n: Nailgun, cluster: int, machine: Machine) -> None:
    node = n.call("hypervisor-discover", "POST", "nodes/", machine.facts())["id"]
    n.call("nodes-list", "GET", "nodes/")
    assignment = f"clusters/{cluster}/assignment/"
    n.call("assign-bad-role", "POST", assignment, [{"id": node, "roles": ["compute", "nonsense"]}])
    n.call("assign-conflicting-roles", "POST", assignment, [{"id": node, "roles": ["compute", "controller"]}])
    n.call("assign-unknown-node", "POST", assignment, [{"id": 9999, "roles": ["compute"]}])
    n.call("assign-compute-cinder", "POST", assignment, [{"id": node, "roles": ["compute", "cinder"]}])
    words = {"hostname": f"hv-{node}", "name": f"hv-{node}.source", "labels": {"pumphouse": "evacuated"}}
    n.call("node-rename", "PUT", f"nodes/{node}/", words)
    nics = n.call("node-interfaces", "GET", f"nodes/{node}/interfaces/")
    networks = {one["name"]: one for nic in nics for one in nic["assigned_networks"]}
    for nic in nics:
        named = {"eth1": ("management", "storage"), "eth2": ("private", "public")}.get(nic["name"], ("fuelweb_admin",))
        nic["assigned_networks"] = [networks[one] for one in named if one in networks]
    n.call("node-interfaces-put", "PUT", f"nodes/{node}/interfaces/", nics)
    first, other = nics[0]["assigned_networks"], nics[1]["assigned_networks"]
    nics[0]["assigned_networks"], nics[1]["assigned_networks"] = other, first
    n.call("node-interfaces-put-admin-off-pxe", "PUT", f"nodes/{node}/interfaces/", nics)
    disks = n.call("node-disks", "GET", f"nodes/{node}/disks/")
    n.call("node-disks-put", "PUT", f"nodes/{node}/disks/", disks)
    disks[0]["volumes"][0]["size"] += 10**6
    n.call("node-disks-put-too-big", "PUT", f"nodes/{node}/disks/", disks)
    n.call("node-disks-defaults", "GET", f"nodes/{node}/disks/defaults/")
    n.call("hypervisor-pending-addition", "GET", f"nodes/{node}/")
    task = n.call("deploy-hypervisor", "PUT", f"clusters/{cluster}/changes/", {})
    n.wait(task)
    n.call("task-ready", "GET", f"tasks/{task['id']}/")
    n.call("tasks-list", "GET", f"tasks/?cluster_id={cluster}")
    n.call("task-unknown", "GET", "tasks/99999/")
    n.call("nodes-of-cluster", "GET", f"nodes/?cluster_id={cluster}")
    n.call("hypervisor-ready", "GET", f"nodes/{node}/")
    n.call("transactions-list", "GET", f"transactions/?cluster_id={cluster}")
    n.deploy("deploy-nothing-to-do", f"clusters/{cluster}/changes/") if n.later else n.call(
        "deploy-nothing-to-do", "PUT", f"clusters/{cluster}/changes/", {}
    )


def _second(n: Nailgun, cluster: int, machine: Machine) -> None:
    wrong = machine.facts() | {"ip": "10.20.0.15"}
    node = n.call("fail-node-ip-outside-admin-network", "POST", "nodes/", wrong)["id"]
    right = machine.facts()
    n.call("node-ip-repaired-by-agent", "PUT", "nodes/agent/", right)
    n.call("node-after-ip-repaired", "GET", f"nodes/{node}/")
    n.call("", "POST", f"clusters/{cluster}/assignment/", [{"id": node, "roles": ["compute"]}])
    n.deploy("provision-selected", f"clusters/{cluster}/provision/?nodes={node}")
    n.call("hypervisor-provisioned", "GET", f"nodes/{node}/")
    n.deploy("deploy-selected", f"clusters/{cluster}/deploy/?nodes={node}")
    n.call("hypervisor3-ready", "GET", f"nodes/{node}/")
    n.call("node-set-offline", "PUT", f"nodes/{node}/", {"online": False})
    if n.later:
        n.call("fail-deploy-offline-node", "PUT", f"clusters/{cluster}/changes/", {})
    n.call("", "PUT", f"nodes/{node}/", {"online": True})
    n.call("unassign-ready-node", "POST", f"clusters/{cluster}/unassignment/", [{"id": node}])
    n.call("node-pending-deletion", "GET", f"nodes/{node}/")
    n.deploy("deploy-removal", f"clusters/{cluster}/changes/")
    n.call("nodes-after-removal", "GET", "nodes/")


def _tidy(n: Nailgun, cluster: int, three: tuple[Machine, ...]) -> None:
    """The machines go too: those of an environment that was removed boot again, and are discovered."""
    for _ in range(1200):
        if cluster not in [one["id"] for one in n.call("", "GET", "clusters/")]:
            break
        time.sleep(0.05)
    for node in _ours(n, three):
        n.call("", "DELETE", f"nodes/{node['id']}/")
    assert _ours(n, three) == []


def _ours(n: Nailgun, three: tuple[Machine, ...]) -> list[Json]:
    """The nodes that are these machines, and in no environment."""
    macs = {machine.mac for machine in three}
    return [one for one in n.call("", "GET", "nodes/") if one["mac"] in macs and one["cluster"] is None]


def _removal(n: Nailgun, cluster: int, three: tuple[Machine, ...]) -> None:
    members = n.call("", "GET", f"nodes/?cluster_id={cluster}")
    node = next(one["id"] for one in members if "compute" in one["roles"])
    if n.later:
        n.call("", "PUT", f"clusters/{cluster}/changes/", {})
        n.call("assign-while-deploying", "POST", f"clusters/{cluster}/assignment/", [{"id": node, "roles": ["cinder"]}])
        n.wait(n.call("stop-deployment", "PUT", f"clusters/{cluster}/stop_deployment/", {}))
    task = n.call("nodes-delete", "DELETE", f"nodes/?ids={node}")
    if not n.later:
        n.call("node-delete", "DELETE", f"nodes/{node}/")
    elif isinstance(task, dict):
        n.wait(task)
    n.call("nodes-after-delete", "GET", "nodes/")
    n.call("node-delete-unknown", "DELETE", "nodes/99999/")
    n.call("bad-json", "POST", "nodes/", raw=b"{broken")
    left = _ours(n, three)[0]
    n.call("", "POST", f"clusters/{cluster}/assignment/", [{"id": left["id"], "roles": ["compute"]}])
    n.call("unassign-discovered-node", "POST", f"clusters/{cluster}/unassignment/", [{"id": left["id"]}])
    n.call("cluster-delete", "DELETE", f"clusters/{cluster}/")
    n.call("nodes-after-cluster-delete", "GET", "nodes/")


def unlike(recorded: Any, given: Any, where: str = "", exact: bool | None = False) -> list[str]:
    """In what an answer is not as recorded. ``exact``: None counts types only, all the way down."""
    if isinstance(recorded, dict) and isinstance(given, dict):
        omitted = set(recorded.get("_omitted_keys", []))
        keys = set(recorded) - {"_omitted_keys"}
        said = [f"{where}: lacks {key}" for key in sorted(keys - set(given))]
        said += [f"{where}: has {key} too" for key in sorted(set(given) - keys - omitted - FREE)]
        for key in sorted(keys & set(given) - FREE):
            strict = None if exact is None else exact or key in EXACT
            said += unlike(recorded[key], given[key], f"{where}.{key}", strict)
        return said
    if isinstance(recorded, list) and isinstance(given, list):
        if exact:
            return [] if _sorted(recorded) == _sorted(given) else [f"{where}: {given} and not {recorded}"]
        named = recorded and isinstance(recorded[0], dict) and "name" in recorded[0] and "status" not in recorded[0]
        if named and exact is not None:
            return _unlike_named(recorded, given, where)
        # Of many nodes, tasks or the like, the first has the right fields; which they are is another test's.
        return [
            words for one in given[:1] for words in (unlike(recorded[0], one, f"{where}[0]", None) if recorded else [])
        ]
    if exact:
        same = _plain(recorded) == _plain(given)
    else:
        same = recorded is None or given is None or type(recorded) is type(given)
    return [] if same else [f"{where}: {given!r} and not {recorded!r}"]


def _unlike_named(recorded: list[Json], given: list[Json], where: str) -> list[str]:
    ours, theirs = ({one["name"]: one for one in many} for many in (given, recorded))
    if set(ours) != set(theirs):
        return [f"{where}: {sorted(ours)} and not {sorted(theirs)}"]
    return [words for name in theirs for words in unlike(theirs[name], ours[name], f"{where}[{name}]")]


def _sorted(values: list[Any]) -> list[str]:
    return sorted(json.dumps(value, sort_keys=True) for value in values)


def _plain(value: Any) -> Any:
    """Without what is only of this run: numbers, names of environments and machines."""
    if not isinstance(value, str):
        return value
    text = re.sub(r"([0-9a-fA-F]{2}:){1,5}[0-9a-fA-F]{2}", "MAC", value)
    text = re.sub(r"environment '[^']*'", "environment 'X'", text).partition(" Access the OpenStack")[0]
    text = re.sub(r"(Provision) of .*? is done", r"\1 is done", text)
    text = re.sub(r"disk: .*|by-id.*", "disk", text, flags=re.DOTALL)
    return re.sub(r"\d+", "N", text).rstrip(".")


@pytest.mark.parametrize(("kind", "name"), recorded_answers())
def test_answers(nailguns: Callable[[str], Nailgun], kind: str, name: str) -> None:
    nailgun = nailguns(kind)
    sample = SAMPLES[nailgun.version][name]
    if name == "version" and nailgun.version == "6.0":
        # Recorded without authentication.
        sample["response"]["body"]["auth_required"] = True
    recorded, answer = sample["response"], nailgun.answers[name]
    given_type = (answer.headers.get("Content-Type") or "").partition(";")[0] or None
    assert (answer.status_code, given_type) == (recorded["status"], recorded["content_type"])
    body, expected = content(answer), recorded["body"]
    if isinstance(body, str) and isinstance(expected, str) and expected.startswith("{"):
        body, expected = json.loads(body), json.loads(expected)
        del expected["meta"]
        body.pop("meta")
    assert unlike(expected, body, exact=isinstance(expected, str)) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_progress_falls(version: str) -> None:
    """Recorded of real ones: what clients must not rely on."""
    rows = SAMPLES[version]["deploy-hypervisor-progress"]["rows"]
    states = list(dict.fromkeys(row[2] for row in rows))
    assert states == ["provisioning", "provisioned", "deploying", "ready"]
    assert any(later[3] < earlier[3] for earlier, later in itertools.pairwise(rows))
