"""What the driver ``fuel`` makes of a node and its environment's tasks, where no embedded Nailgun comes by."""

from __future__ import annotations

from typing import Any

import pytest

from pumphouse.hosts.inventory import Driver, Host
from pumphouse.hosts.options import Secret
from pumphouse.hosts.provisioners.base import ProvisionerError
from pumphouse.hosts.provisioners.fuel import api, layout, work
from pumphouse.hosts.provisioners.fuel.books import Books

Json = dict[str, Any]
HOST = Host("hv", ("52:54:00:aa:00:03",), Driver("none"))


class Told:
    """In the place of Nailgun: what it is told to say; what it is asked to do is kept."""

    url = "http://fuel"

    def __init__(self, node: Json, *tasks: Json) -> None:
        whole = {
            "id": 3, "mac": HOST.macs[0], "name": "hv", "cluster": 1, "pending_addition": False, "online": True,
            "pending_deletion": False, "roles": [], "pending_roles": [], "error_type": None, "progress": 0,
        }  # fmt: skip
        numbered = [_task(number, **task) for number, task in enumerate(tasks, 1)]
        self.answers = {
            "clusters/": [{"id": 1, "name": "e"}],
            "nodes/": [whole | node],
            "tasks/?cluster_id=1": numbered,
        }
        self.begun: list[str] = []

    def get(self, path: str) -> Any:
        return self.answers[path]

    def begin(self, method: str, path: str, body: Any = None) -> Json:
        self.begun.append(path)
        return {}


def _task(number: int, **how: Any) -> Json:
    return {"id": number, "name": "deploy", "status": "running", "progress": 50, "message": None} | how


def follow(node: Json, *tasks: Json) -> tuple[str, str, list[str]]:
    told = Told(node, *tasks)
    progress = work.follow(Books(told, "e"), HOST, "3")  # type: ignore[arg-type]
    return progress.state, progress.text, told.begun


def test_ready_while_the_task_still_runs() -> None:
    """The order in which real ones say so: not done before the task has ended, too."""
    ready = {"status": "ready", "roles": ["compute"], "progress": 100}
    assert follow(ready, {"status": "running"})[0] == "deploying"
    assert follow(ready, {"status": "ready"})[0] == "done"
    state, text, _ = follow(ready, {"status": "error", "message": "Deployment has failed."})
    assert (state, "Deployment has failed." in text) == ("failed", True)


def test_ready_without_the_role() -> None:
    state, text, _ = follow({"status": "ready", "roles": ["cinder"]}, {"status": "ready"})
    assert (state, text) == ("failed", "node 3 (52:54:00:aa:00:03) is ready, but without role compute")


def test_deploying_with_nothing_that_runs() -> None:
    """Looking at it starts nothing: only who calls deploy again does."""
    assert follow({"status": "deploying"}, {"status": "ready"})[::2] == ("deploying", [])


def test_a_provisioned_node_waits_for_others() -> None:
    assert follow({"status": "provisioned"}, {"status": "running"})[2] == []
    assert follow({"status": "provisioned"}, {"name": "provision", "status": "ready"})[2] == [
        "clusters/1/deploy/?nodes=3"
    ]


@pytest.mark.parametrize("status", ["error", "stopped"])
def test_failed_nodes(status: str) -> None:
    assert follow({"status": status, "error_type": "deploy", "error_msg": "no disk"})[0] == "failed"


def test_somebody_removes_it() -> None:
    assert follow({"status": "ready", "pending_deletion": True})[0] == "failed"
    assert follow({"status": "removing"})[0] == "failed"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"message": "Node not found", "errors": []}', "Node not found"),
        (b'{"error": {"code": 401, "message": "Invalid user / password"}}', "Invalid user / password"),
        (b"Cannot perform  the\nactions", "Cannot perform the actions"),
        (b"<html><head><title>502 Bad Gateway</title></head></html>", "502 Bad Gateway"),
        (b"<HTML><body>x</body></HTML>", ""),
        (b"Traceback (most recent call last):\n  File x\nKeyError: 'storage'", "KeyError: 'storage'"),
        (b"", ""),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b'{"message": null}', ""),
    ],
)
def test_refusals_in_one_line(body: bytes, words: str) -> None:
    """Whatever their Content-Type says."""
    assert api.refusal(api.Answer(400, {}, body)) == words


def test_long_refusals_are_cut() -> None:
    assert len(api.refusal(api.Answer(400, {}, b"x" * 10000))) < 310


def test_json_within_json() -> None:
    """As 9.2 answers a PUT of a node."""
    assert api.Answer(200, {}, b'"{\\"id\\": 3}"').parsed() == {"id": 3}


@pytest.mark.parametrize(
    "url", ["", "fuel", "ftp://fuel", "http://", "http://a:b@fuel", "http://fuel:x", "http://f?a=b"]
)
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(ProvisionerError, match=r"provisioner\.url"):
        api.Nailgun(url, "admin", Secret("s"), "admin", True, 1)


def test_bonds_are_not_copied() -> None:
    """They would be lost without a word."""
    nic = {"name": "bond0", "type": "bond", "mac": None, "assigned_networks": []}
    told = Told({"status": "ready", "roles": ["compute"]})
    told.answers["nodes/9/interfaces/"] = [nic]
    like = {"id": 9, "status": "ready", "roles": ["compute"], "name": "hv9"}
    with pytest.raises(ProvisionerError, match="bond0: bonds are not copied"):
        layout._nic_networks(told, HOST, [like])  # type: ignore[arg-type]


def test_who_is_copied_from() -> None:
    """A node with the same roles, rather than the first."""
    members = [{"id": n, "status": s, "roles": r, "name": f"hv{n}"} for n, s, r in [
        (1, "ready", ["controller"]), (2, "error", ["compute"]), (3, "ready", ["compute", "cinder"]),
        (4, "ready", ["compute"]), (5, "ready", ["compute"])]]  # fmt: skip
    assert layout.template(HOST, members, layout.Layout())["id"] == 4
    assert layout.template(HOST, members, layout.Layout("discovery", "hv3"))["id"] == 3
    with pytest.raises(ProvisionerError, match="from hv2"):
        layout.template(HOST, members, layout.Layout("discovery", "hv2"))
