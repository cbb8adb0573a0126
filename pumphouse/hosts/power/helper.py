"""Drivers whose library has no deadline of its own: each action runs in a process that can be killed.

The process gets its orders, and the credentials, as JSON on stdin; nothing of them is on a command line. It answers
with one line of JSON: ``{"answer": ...}`` or ``{"error": "...", "passing": true}``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, cast

from pumphouse.hosts import processes
from pumphouse.hosts.options import Option, Secret
from pumphouse.hosts.power.base import Power, PowerError, State

#: Seconds for Python to start and to import the library, on a slow machine.
START = 10

#: How long things may take, in seconds; of every driver of this sort.
DEADLINES = {
    "deadline": Option("number", default=30, least=1, most=600),
    "switch_deadline": Option("number", default=120, least=1, most=3600),
    "shutdown_deadline": Option("number", default=600, least=1, most=7200),
}

#: Gets the orders, gives the answer; the second: what an exception means, in words, and whether it may pass.
Act = Callable[[dict[str, Any]], Any]
Explain = Callable[[BaseException, dict[str, Any]], tuple[str, bool]]


class Refused(Exception):  # noqa: N818 (an answer, not a fault)
    """Raised in the helper's process: the message is for people already."""

    def __init__(self, message: str, passing: bool = False) -> None:
        """See PowerError."""
        super().__init__(message)
        self.passing = passing


class Helped(Power):
    """A driver whose actions run in a process of their own: its module, run as a program."""

    #: The module.
    MODULE: str

    def orders(self) -> dict[str, Any]:
        """What the process must know beside the action: where, who; secrets in the open."""
        return {key: value.reveal() if isinstance(value, Secret) else value for key, value in self.options.items()}

    def ask(self, action: str, patience: float | None = None, **more: Any) -> Any:
        """Have an action done. ``patience``: seconds that the machine may take, beside those for the requests.

        Raises PowerError.
        """
        program, env = processes.own_module(self.MODULE)
        orders = {**self.orders(), "action": action, "patience": patience or 0, **more}
        limit = self.options["deadline"] + (patience or 0)
        done = processes.run(program, orders, START + limit, env)
        if done.code is None:
            raise PowerError(f"{self.where()} did not answer within {limit:g} seconds", passing=True)
        try:
            said = json.loads(done.out)
        except ValueError:
            # Of a traceback, the last line; before orders were read it holds no secret.
            raise PowerError(
                f"{self.where()} could not be asked: the helper ended with code {done.code}: "
                f"{processes.last_line(done.err)[:200]}"
            ) from None
        if "error" in said:
            raise PowerError(f"{self.where()} {said['error']}", passing=said["passing"])
        return said["answer"]

    def check(self) -> None:
        """Log on, and ask for the state."""
        self.ask("state")

    def state(self) -> State:
        """As the BMC says."""
        return cast("State", self.ask("state"))

    def on(self) -> None:
        """On, and wait until it is."""
        self.ask("on", self.options["switch_deadline"], wanted="on")

    def off(self, soft: bool = False) -> None:
        """Off, at once or by way of the operating system, and wait until it is."""
        key = "shutdown_deadline" if soft else "switch_deadline"
        self.ask("shutdown" if soft else "off", self.options[key], wanted="off")

    def boot_from_network(self, once: bool = True) -> None:
        """Set the boot device. It is not read back: some BMCs show another one than that which they will use."""
        self.ask("network", once=once)

    def where(self) -> str:
        """The other side, for messages."""
        port = self.options.get("port")
        return f"the BMC of {self.host.name} ({self.options['address']}{f':{port}' if port else ''})"


def serve(act: Act, explain: Explain) -> None:
    """The process's whole life: read orders, act, answer."""
    orders = json.load(sys.stdin)
    answer: dict[str, Any]
    try:
        answer = {"answer": act(orders)}
    except Refused as error:
        answer = {"error": str(error), "passing": error.passing}
    except BaseException as error:
        words, passing = explain(error, orders)
        # Whatever a library says, it does not say a secret.
        for secret in filter(None, (orders.get("password"), orders.get("kg"))):
            words = words.replace(secret, "***")
        answer = {"error": " ".join(words.split())[:400], "passing": passing}
    print(json.dumps(answer), flush=True)
