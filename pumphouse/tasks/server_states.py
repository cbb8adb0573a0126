"""The states of a server: waiting for one, and bringing it to one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import or_none
from pumphouse.clouds.waiting import wait_for
from pumphouse.resources.base import Wire
from pumphouse.resources.compute.server import SHELVED, Server

SERVER = Server()
#: Seconds for a server to stop, start or boot.
STATE_TIMEOUT = 1800
#: Seconds for a snapshot, which copies the whole root disk inside the source.
SNAPSHOT_TIMEOUT = 24 * 3600


def bring(cloud: Cloud, id_: str, state: str, cancelled: Callable[[], bool] | None = None) -> None:
    """Bring a server from whichever state it is in to another, by way of ACTIVE where that takes it."""
    servers = cloud.compute.servers
    now = wait_idle(cloud, id_)["status"]
    if now == state or {now, state} <= set(SHELVED):
        return
    wake = {"SHUTOFF": servers.start, "PAUSED": servers.unpause, "SUSPENDED": servers.resume}
    if now in wake:
        _act(cloud, id_, wake[now], "ACTIVE", cancelled)
    settle = {"SHUTOFF": servers.stop, "PAUSED": servers.pause, "SUSPENDED": servers.suspend}
    if state in SHELVED:
        _act(cloud, id_, servers.shelve, SHELVED, cancelled)
    elif state in settle:
        _act(cloud, id_, settle[state], state, cancelled)


def _act(
    cloud: Cloud,
    id_: str,
    action: Callable[[str], Any],
    state: str | tuple[str, ...],
    cancelled: Callable[[], bool] | None,
) -> None:
    """Ask Nova to do something to a server, and wait for the state in which it is then."""
    requests = getattr(action(id_), "request_ids", None) or [None]
    wait_server(cloud, id_, state, cancelled, request=requests[0])


def wait_server(
    cloud: Cloud,
    id_: str,
    state: str | tuple[str, ...],
    cancelled: Callable[[], bool] | None = None,
    request: str | None = None,
) -> Wire:
    """Wait until a server has come to a state (or one of several) and nothing is being done to it.

    ``request``: the id of the request that is to bring it there. A start that fails on the host changes no state: only
    the server's actions tell.
    """
    states = (state,) if isinstance(state, str) else state

    def failed(server: Wire) -> str | None:
        if server["status"] == "ERROR":
            return f"ERROR: {(server.get('fault') or {}).get('message', 'Nova gives no reason')}"
        if request and not server.get("OS-EXT-STS:task_state") and server["status"] not in states:
            action = or_none(lambda: cloud.compute.instance_action.get(id_, request))
            if action is not None and getattr(action, "message", None):
                return f"Nova could not {action.action} it ({action.message}; see the log of nova-compute on its host)"
        return None

    return wait_for(
        lambda: SERVER.get(cloud, id_),
        done=lambda server: server["status"] in states and not server.get("OS-EXT-STS:task_state"),
        failed=failed,
        what=f"server {id_} of the {cloud.role} to become {' or '.join(states)}",
        timeout=STATE_TIMEOUT,
        interval=1,
        cancelled=cancelled,
    )


def wait_idle(cloud: Cloud, id_: str) -> Wire:
    """Wait until Nova has let go of a server (a snapshot is active a moment earlier)."""
    return wait_for(
        lambda: SERVER.get(cloud, id_),
        done=lambda server: not server.get("OS-EXT-STS:task_state"),
        failed=lambda _: None,
        what=f"server {id_} of the {cloud.role} to be idle",
        timeout=SNAPSHOT_TIMEOUT,
        interval=0.5,
    )
