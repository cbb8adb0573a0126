"""What all parts of one embedded Nailgun share: its state, its clock, its faults; and how its calls are found."""

from __future__ import annotations

import collections
import dataclasses
import functools
import pickle
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from flask import Blueprint, Response, request

from pumphouse.embedded.faults import Faults
from pumphouse.embedded.nailgun.flavours import FLAVOURS, Json
from pumphouse.embedded.nailgun.wording import answer, found, refusal
from pumphouse.embedded.service import RefusedError, Route
from pumphouse.embedded.timers import Timers

#: Seconds that things take; each can be set. ``silence``: after so long without its agent a machine is offline.
DELAYS = {"provision": 0.0, "deploy": 0.0, "delete": 0.0, "stop": 0.0, "silence": 180.0}

#: The one account, besides its password.
USER = "admin"


@dataclasses.dataclass
class State:
    """All that Nailgun keeps. Plain data."""

    clusters: dict[int, Json] = dataclasses.field(default_factory=dict)
    nodes: dict[int, Json] = dataclasses.field(default_factory=dict)
    tasks: dict[int, Json] = dataclasses.field(default_factory=dict)
    notifications: list[Json] = dataclasses.field(default_factory=list)
    #: The last number that was given to each kind of thing: numbers are not used again.
    numbers: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)


class Master:
    """One Fuel master node. Every request holds ``lock``."""

    #: The parts, each of its own class: ``whole.Nailgun`` puts them together.
    keystone: Any
    environments: Any
    nodes: Any
    layout: Any
    tasks: Any
    work: Any

    def __init__(self, version: str, directory: Path) -> None:
        """``directory`` is its own."""
        self.flavour, self.directory = FLAVOURS[version], directory
        directory.mkdir(parents=True, exist_ok=True)
        #: Where it is reached; set when it listens.
        self.url = ""
        self.lock = threading.RLock()
        self.delays = dict(DELAYS)
        self.timers, self.faults = Timers(), Faults()
        #: How often each call came.
        self.requests: collections.Counter[str] = collections.Counter()
        self.state = State()
        self.notify("done", "Master node installation has been completed successfully.")

    def number(self, kind: str) -> int:
        """A fresh one."""
        self.state.numbers[kind] += 1
        return self.state.numbers[kind]

    def notify(self, topic: str, message: str, cluster: int | None = None, node: int | None = None) -> None:
        """Note it, as the web page shows it."""
        self.state.notifications.append({
            "id": self.number("notification"), "topic": topic, "message": message, "cluster": cluster, "node_id": node,
            "task_id": None, "status": "unread", "date": time.strftime("%d-%m-%Y", time.gmtime()),
            "time": time.strftime("%H:%M:%S", time.gmtime()),
        })  # fmt: skip

    def later(self, delay: float, part: str, method: str, *arguments: Any) -> None:
        """Call a method of a part when so many seconds are over; without a delay at the next request."""
        self.timers.add(delay, part, method, *arguments)

    def tick(self) -> None:
        """Let happen whose time has come; machines that have been silent for long are offline."""
        for timer in self.timers.due():
            getattr(getattr(self, timer.service), timer.method)(*timer.arguments)
        for node in self.state.nodes.values():
            # An installed machine has an agent of its own, which is not asked for.
            speaks = node["status"] in ("provisioning", "provisioned", "deploying", "ready")
            if node["online"] and not speaks and time.monotonic() - node["seen"] > self.delays["silence"]:
                node["online"] = False

    def save(self) -> bytes:
        """Everything, for :meth:`restore`."""
        with self.lock:
            self.tick()
            return pickle.dumps((self.state, self.timers))

    def restore(self, saved: bytes) -> None:
        """Be as when it was saved."""
        with self.lock:
            self.state, self.timers = pickle.loads(saved)  # noqa: S301 (our own, kept in this process)


class Part:
    """Some calls of the API."""

    #: Below the server's root.
    root: ClassVar[str] = "/api"

    def __init__(self, master: Master) -> None:
        """``master`` has all state."""
        self.master, self.flavour = master, master.flavour

    @property
    def state(self) -> State:
        """The master's."""
        return self.master.state

    def node(self, id_: Any) -> Json:
        """One node, or a refusal."""
        return found(self.state.nodes.get(int(id_)), "Node")

    def cluster(self, id_: Any) -> Json:
        """One environment, or a refusal."""
        return found(self.state.clusters.get(int(id_)), "Cluster")

    def members(self, cluster: int | None) -> list[Json]:
        """The nodes of an environment; None: those of none."""
        return [node for node in self.state.nodes.values() if node["cluster"] == cluster]

    def blueprint(self) -> Blueprint:
        """All calls of the class."""
        blueprint = Blueprint(type(self).__name__, __name__, url_prefix=self.root)
        for name in dir(type(self)):
            for one in getattr(getattr(type(self), name), "routes", ()):
                blueprint.add_url_rule(one.path, f"{name} {one.method} {one.path}".replace(".", "_"),
                                       self._handler(getattr(self, name), one), methods=[one.method],
                                       strict_slashes=False)  # fmt: skip
        return blueprint

    def _handler(self, function: Callable[..., Any], one: Route) -> Callable[..., Response]:
        @functools.wraps(function)
        def handle(**arguments: str) -> Response:
            try:
                with self.master.lock:
                    self.master.tick()
                    if not one.open:
                        self.master.keystone.validate(request.headers.get("X-Auth-Token"))
                    return answer(self.flavour, function(**arguments))
            except RefusedError as error:
                return refusal(self.flavour, error)

        return handle


def unique() -> str:
    """A fresh UUID."""
    return str(uuid.uuid4())
