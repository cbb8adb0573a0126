"""Nova: what servers do, who may make them do it, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.clouds import Account, Json, wait
from tests.contract.ground import Ground
from tests.contract.wording import refused

ACTION = {"action", "instance_uuid", "request_id", "user_id", "project_id", "start_time", "message", "updated_at"}
#: Status -> vm_state and power_state.
STATES = {"ACTIVE": ("active", 1), "SHUTOFF": ("stopped", 4), "PAUSED": ("paused", 3), "SUSPENDED": ("suspended", 4)}


@pytest.fixture(scope="module")
def server(ground: Ground) -> Iterator[Json]:
    """One for all tests here, each of which leaves it ACTIVE."""
    made = ground.boot()
    yield made
    ground.operator.compute.post(f"/servers/{made['id']}/action", unlock=None)
    ground.delete(made["id"])


@pytest.mark.parametrize(
    ("there", "status", "back"),
    [("os-stop", "SHUTOFF", "os-start"), ("pause", "PAUSED", "unpause"), ("suspend", "SUSPENDED", "resume")],
)
def test_there_and_back(ground: Ground, server: Json, there: str, status: str, back: str) -> None:
    id_ = server["id"]
    path = f"/servers/{id_}/action"
    assert ground.member.compute.call("POST", path, json={there: None}).status_code == 202
    shown = ground.state(id_, status)
    assert (shown["OS-EXT-STS:vm_state"], shown["OS-EXT-STS:power_state"]) == STATES[status]
    assert "progress" not in shown
    verb = there.removeprefix("os-")
    with refused(409, f"Cannot '{verb}' instance {id_} while it is in vm_state {STATES[status][0]}"):
        ground.act(id_, there)
    ground.act(id_, back)
    ground.state(id_, "ACTIVE")


@pytest.mark.parametrize("action", ["os-start", "unpause", "resume", "unrescue", "unshelve", "revertResize"])
def test_not_from_active(ground: Ground, server: Json, action: str) -> None:
    verb = action.removeprefix("os-")
    with refused(409, f"Cannot '{verb}' instance {server['id']} while it is in vm_state active"):
        ground.act(server["id"], action)


@pytest.mark.parametrize("kind", ["SOFT", "HARD"])
def test_reboot(ground: Ground, server: Json, kind: str) -> None:
    ground.act(server["id"], "reboot", {"type": kind})
    ground.state(server["id"], "ACTIVE")
    with refused(400):
        ground.act(server["id"], "reboot", {"type": "GENTLE"})


def test_port_of_a_stopped_server(ground: Ground, server: Json, release: str) -> None:
    """Linux bridges tell that nobody is there; OVN calls a port ACTIVE as long as it is on a host."""

    def port() -> str:
        (found,) = ground.member.network.list("/ports", "ports", device_id=server["id"])
        return str(found["status"])

    off = "DOWN" if release == "zed" else "ACTIVE"
    for action, status, seen in (("os-stop", "SHUTOFF", off), ("os-start", "ACTIVE", "ACTIVE")):
        ground.act(server["id"], action)
        ground.state(server["id"], status)
        wait(port, lambda now, seen=seen: now == seen, f"port {seen}")


def test_console(ground: Ground, server: Json) -> None:
    assert "LABGUEST booted" in ground.act(server["id"], "os-getConsoleOutput", {"length": 50})["output"]
    assert ground.act(server["id"], "os-getConsoleOutput", {"length": 0})["output"] == ""


def test_rescue(ground: Ground, server: Json) -> None:
    answer = ground.member.compute.call("POST", f"/servers/{server['id']}/action", json={"rescue": None})
    assert answer.status_code == 200
    assert set(answer.json()) == {"adminPass"}
    ground.state(server["id"], "RESCUE")
    ground.act(server["id"], "unrescue")
    ground.state(server["id"], "ACTIVE")


def test_reset_state(ground: Ground, operator: Account, server: Json) -> None:
    with refused(403, "Policy doesn't allow os_compute_api:os-admin-actions:reset_state to be performed."):
        ground.act(server["id"], "os-resetState", {"state": "error"})
    ground.act(server["id"], "os-resetState", {"state": "error"}, account=operator)
    assert ground.show(server["id"])["status"] == "ERROR"
    assert "fault" not in ground.show(server["id"])
    ground.act(server["id"], "os-resetState", {"state": "active"}, account=operator)
    assert ground.show(server["id"])["status"] == "ACTIVE"


def test_no_such_action(ground: Ground, server: Json) -> None:
    with refused(400, "There is no such action: dance"):
        ground.act(server["id"], "dance")


# --- locks


def test_a_members_lock(ground: Ground, server: Json) -> None:
    id_ = server["id"]
    ground.act(id_, "lock", {"locked_reason": "Beweis é"})
    shown = ground.show(id_)
    assert (shown["locked"], shown["locked_reason"]) == (True, "Beweis é")
    for action in ("os-stop", "pause", "suspend", "shelve"):
        with refused(409, f"Instance {id_} is locked"):
            ground.act(id_, action)
    with refused(409, f"Instance {id_} is locked"):
        ground.member.compute.call("DELETE", f"/servers/{id_}")
    with refused(409, f"Instance {id_} is locked"):
        ground.member.compute.post(f"/servers/{id_}/metadata", "metadata", a="b")
    ground.act(id_, "unlock")
    shown = ground.show(id_)
    assert (shown["locked"], shown["locked_reason"]) == (False, None)


def test_administrators_stop_what_is_locked(ground: Ground, operator: Account, server: Json) -> None:
    ground.act(server["id"], "lock")
    ground.act(server["id"], "os-stop", account=operator)
    ground.state(server["id"], "SHUTOFF")
    ground.act(server["id"], "os-start", account=operator)
    ground.state(server["id"], "ACTIVE")
    ground.act(server["id"], "unlock")


def test_an_administrators_lock(ground: Ground, operator: Account, server: Json) -> None:
    """Those who lock from outside the project are the only ones who can unlock."""
    ground.act(server["id"], "lock", account=operator)
    with refused(403, "Policy doesn't allow os_compute_api:os-lock-server:unlock:unlock_override to be performed."):
        ground.act(server["id"], "unlock")
    assert ground.show(server["id"])["locked"] is True
    ground.act(server["id"], "unlock", account=operator)
    assert ground.show(server["id"])["locked"] is False


def test_an_administrator_within_the_project(ground: Ground, operator: Account, server: Json) -> None:
    """His lock is the project's own."""
    identity, project = operator.identity, ground.member.project_id
    (role,) = identity.list("/roles", "roles", name="admin")
    path = f"/projects/{project}/users/{operator.user_id}/roles/{role['id']}"
    identity.put(path)
    try:
        ground.act(server["id"], "lock", account=operator.scoped(project))
    finally:
        identity.delete(path)
    ground.act(server["id"], "unlock")
    assert ground.show(server["id"])["locked"] is False


# --- remembered


def test_actions(ground: Ground, operator: Account, server: Json) -> None:
    id_ = server["id"]
    ground.act(id_, "lock", account=operator)
    ground.act(id_, "unlock", account=operator)
    found = ground.member.compute.list(f"/servers/{id_}/os-instance-actions", "instanceActions")
    assert [action["action"] for action in found[:2]] == ["unlock", "lock"]
    assert found[-1]["action"] == "create"
    assert all(set(action) == ACTION for action in found)
    assert (found[0]["project_id"], found[0]["user_id"]) == (operator.project_id, operator.user_id)
    assert (found[-1]["project_id"], found[-1]["user_id"]) == (ground.member.project_id, ground.member.user_id)
    assert found[0]["request_id"].startswith("req-")
    one = ground.member.compute.get(f"/servers/{id_}/os-instance-actions/{found[0]['request_id']}")
    assert set(one) == ACTION | {"events"}
    (event,) = one["events"]
    assert set(event) == {"event", "start_time", "finish_time", "result", "hostId", "details"} - {"details"}
    assert (event["event"], event["result"]) == ("api_unlock", "Success")
    path = f"/servers/{id_}/os-instance-actions/{found[0]['request_id']}"
    (event,) = operator.compute.get(path)["events"]
    assert {"traceback", "host", "details"} <= set(event)
    with refused(404, "Action req-nothing not found"):
        ground.member.compute.get(f"/servers/{id_}/os-instance-actions/req-nothing")


def test_the_action_is_the_request(ground: Ground, server: Json) -> None:
    answer = ground.member.compute.call("POST", f"/servers/{server['id']}/action", json={"os-stop": None})
    ground.state(server["id"], "SHUTOFF")
    path = f"/servers/{server['id']}/os-instance-actions/{answer.headers['x-compute-request-id']}"
    stop = ground.member.compute.get(path)
    assert (stop["action"], stop["message"]) == ("stop", None)
    assert [event["event"] for event in stop["events"]] == ["compute_stop_instance"]
    ground.act(server["id"], "os-start")
    ground.state(server["id"], "ACTIVE")


def test_others(ground: Ground, other: Account, server: Json) -> None:
    with refused(404, f"Instance {server['id']} could not be found."):
        ground.act(server["id"], "os-stop", account=other)
    with refused(404):
        other.compute.list(f"/servers/{server['id']}/os-instance-actions", "instanceActions")


# --- groups


def test_group(ground: Ground) -> None:
    compute = ground.member.compute
    group = compute.post("/os-server-groups", "server_group", name=ground.name("g"), policy="soft-affinity")
    made = ground.boot(hints={"group": group["id"]})
    assert ground.show(made["id"])["server_groups"] == [group["id"]]
    assert compute.get(f"/os-server-groups/{group['id']}")["members"] == [made["id"]]
    ground.delete(made["id"])
    assert compute.get(f"/os-server-groups/{group['id']}")["members"] == []
    compute.delete(f"/os-server-groups/{group['id']}")
    with refused(400, f"Instance group {group['id']} could not be found."):
        ground.post(hints={"group": group["id"]})


def test_apart(ground: Ground, release: str, operator: Account) -> None:
    """As many as there are hosts, and no more."""
    hosts = 2 if release == "zed" else 1
    fields = {"name": ground.name("apart"), "policy": "anti-affinity"}
    group = ground.member.compute.post("/os-server-groups", "server_group", **fields)
    made = [ground.post(hints={"group": group["id"]})["id"] for _ in range(hosts + 1)]
    try:
        servers = [ground.settled(id_) for id_ in made]
        assert sorted(server["status"] for server in servers) == ["ACTIVE"] * hosts + ["ERROR"]
        (refused_one,) = [server for server in servers if server["status"] == "ERROR"]
        assert refused_one["fault"]["message"].startswith("No valid host was found.")
        running = [id_ for id_, server in zip(made, servers, strict=True) if server["status"] == "ACTIVE"]
        places = {ground.show(id_, account=operator)["OS-EXT-SRV-ATTR:host"] for id_ in running}
        assert len(places) == hosts
    finally:
        for id_ in made:
            ground.delete(id_)
        ground.member.compute.delete(f"/os-server-groups/{group['id']}")
