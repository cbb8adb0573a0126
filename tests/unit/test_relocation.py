"""How servers leave a host: by which way, and when they have arrived. A server's state alone never says so."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pumphouse.clouds import relocation
from pumphouse.clouds.relocation import Move, way

HOST = "OS-EXT-SRV-ATTR:host"


def server(status="ACTIVE", host="c1", task=None, **more):
    return {"id": "w", "name": "web", "status": status, HOST: host, "OS-EXT-STS:task_state": task, **more}


def record(status, kind="live-migration", **more):
    return {"id": 7, "status": status, "migration_type": kind, **more}


@pytest.mark.parametrize(
    ("status", "cold", "how"),
    [
        ("ACTIVE", False, "live"),
        ("ACTIVE", True, "cold"),
        ("PAUSED", False, "live"),
        ("PAUSED", True, "live"),
        ("SHUTOFF", False, "cold"),
        ("SHELVED", False, "offload"),
        *((status, False, None) for status in ("SUSPENDED", "RESCUE", "ERROR", "VERIFY_RESIZE", "BUILD", "UNKNOWN")),
    ],
)
def test_the_way_is_what_nova_allows(status, cold, how):
    found, reason = way(server(status), cold=cold, down=False, fenced=False)
    assert found == how
    assert reason


def test_a_busy_server_is_left_alone():
    found, reason = way(server(task="image_uploading"), cold=False, down=False, fenced=False)
    assert found is None
    assert "image_uploading" in reason


@pytest.mark.parametrize(("status", "how"), [("ACTIVE", "evacuate"), ("ERROR", "evacuate"), ("PAUSED", None)])
def test_from_a_host_that_is_down_nothing_is_rebuilt_unless_it_is_fenced(status, how):
    assert way(server(status), cold=False, down=True, fenced=True)[0] == how
    found, reason = way(server(status), cold=False, down=True, fenced=False)
    assert found is None
    assert "(fenced)" in reason


@pytest.mark.parametrize(
    ("how", "there", "kept", "arrived"),
    [
        ("live", server(host="c2"), record("running"), False),
        ("live", server(host="c2"), record("completed"), True),
        ("live", server(host="c1"), record("completed"), False),
        ("live", server(host="c2", task="migrating"), record("completed"), False),
        ("live", server(host="c2"), None, False),
        ("cold", server("VERIFY_RESIZE", host="c2"), record("post-migrating", "migration"), False),
        ("cold", server("VERIFY_RESIZE", host="c2"), record("finished", "migration"), True),
        ("cold", server("SHUTOFF", host="c2"), record("confirmed", "migration"), True),
        ("live", server("VERIFY_RESIZE", host="c2"), record("finished", "migration"), True),
        ("evacuate", server(host="c2"), record("done", "evacuation"), True),
        ("evacuate", server(host="c2"), record("pre-migrating", "evacuation"), False),
        ("offload", server("SHELVED_OFFLOADED", host=None), None, True),
        ("offload", server("SHELVED"), None, False),
    ],
)
def test_it_has_arrived_when_nova_s_record_says_so_too(how, there, kept, arrived):
    assert Move(there, kept, None).arrived(how, "c1") is arrived


@pytest.mark.parametrize(
    ("kept", "action", "task", "broken"),
    [
        (record("failed"), {"message": None}, None, True),
        (record("error"), {"message": "Error"}, None, True),
        (record("failed"), None, "migrating", False),
        (record("running"), {"message": "Error"}, None, False),
        (None, {"message": "Error"}, None, True),
        (None, {"message": None}, None, False),
    ],
)
def test_it_is_broken_only_when_it_has_ended(kept, action, task, broken):
    assert Move(server(task=task), kept, action).broken is broken


def cloud(*events, now=None):
    actions = SimpleNamespace(get=lambda server_id, request: SimpleNamespace(events=list(events)))
    servers = SimpleNamespace(get=lambda id_: SimpleNamespace(to_dict=lambda: now or server()))
    return SimpleNamespace(compute=SimpleNamespace(instance_action=actions, servers=servers))


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"result": "Error", "details": "No valid host was found."}, "No valid host was found."),
        ({"result": "Error", "traceback": "File x\nnova.NoValidHost: none"}, "nova.NoValidHost: none"),
        ({"result": "Success", "details": "x"}, "Nova gives no reason: see the log of nova-compute on c1"),
        ({"result": "Error", "traceback": ""}, "Nova gives no reason: see the log of nova-compute on c1"),
    ],
)
def test_why_in_nova_s_words(event, said):
    move = Move(server(), record("error"), {"request_id": "r"})
    assert relocation.why(cloud(event, event), move, "c1") == said


def test_a_broken_server_s_fault_is_the_reason_when_nothing_else_is():
    broken = server("ERROR", fault={"message": "qemu is gone"})
    assert relocation.why(cloud(now=broken), Move(server(), record("error"), None), "c1") == "qemu is gone"
