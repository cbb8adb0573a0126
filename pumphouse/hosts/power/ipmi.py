"""IPMI 2.0 over LAN, by pyghmi.

Seen with pyghmi 1.6.19, and the reason why each action has a process of its own: a log-on to some BMCs never ends; no
call has a deadline; a second session with one BMC hangs when credentials are ``str`` and not ``bytes``; errors are told
apart by their text alone; struct.error, TypeError and socket.gaierror come through.
"""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Any

from pumphouse.hosts.options import Option
from pumphouse.hosts.power import helper

#: What the standard calls them.
PRIVILEGES = {"user": 2, "operator": 3, "administrator": 4}

#: A part of pyghmi's text; what it means; whether it may pass. The first that is found counts.
MEANINGS = (
    ("Incorrect password", "refuses the password of {user}: see bmc.password", False),
    ("Unauthorized name", "does not know the user {user}, or has disabled it: see bmc.username", False),
    ("wrong Kg", "refuses the key: see bmc.kg", False),
    (
        "Insufficient privilege",
        "does not allow {user} to do this: give it the privilege operator or administrator",
        False,
    ),
    ("privilege level requested", "does not give {user} the privilege {privilege}: see bmc.privilege", False),
    ("privelege level", "does not give {user} the privilege {privilege}: see bmc.privilege", False),
    ("Cipher suite", "allows no cipher suite that is offered (17 and 3): allow one of them in its settings", False),
    ("algorithm", "allows no cipher suite that is offered (17 and 3): allow one of them in its settings", False),
    ("MD5 required", "speaks IPMI 1.5 only, or has IPMI over LAN disabled", False),
    ("Insufficient resources", "has no session left: others are logged on, wait a minute", True),
    ("Session no longer connected", "stopped answering", True),
    (
        "did not accomplish power state change",
        "took the command, but the machine is not {wanted} after {patience:g} s",
        True,
    ),
    ("timeout", "does not answer: is IPMI over LAN enabled, and the address right?", True),
    # The text of pyghmi's exception for a BMC that does not answer at all is the word None.
    ("None", "does not answer: is IPMI over LAN enabled, and the address right?", True),
)


class Ipmi(helper.Helped):
    """A BMC that speaks IPMI."""

    name = "ipmi"
    MODULE = "pumphouse.hosts.power.ipmi"
    OPTIONS = {
        "address": Option("text", required=True),
        "port": Option("number", default=623, least=1, most=65535),
        # The standard has room for 16 and 20 bytes.
        "username": Option("text", required=True, longest=16),
        "password": Option("secret", required=True, longest=20),
        "kg": Option("secret", longest=20),
        "privilege": Option("text", default="administrator", choices=tuple(PRIVILEGES)),
        **helper.DEADLINES,
    }


def _act(orders: dict[str, Any]) -> Any:
    """In the helper's process: log on, do one thing, log off."""
    from pyghmi.ipmi import command  # type: ignore[import-untyped]

    session = command.Command(
        bmc=orders["address"],
        port=orders["port"],
        userid=orders["username"].encode(),
        password=orders["password"].encode(),
        kg=orders["kg"].encode() if orders["kg"] else None,
        privlevel=PRIVILEGES[orders["privilege"]],
        keepalive=False,
    )
    try:
        if session.ipmi_session.ipmiversion != 2.0:
            raise helper.Refused("speaks IPMI 1.5 only, which has no encryption; 2.0 is needed")
        return _do(session, orders)
    finally:
        # A BMC has few sessions; but what was done is done.
        with contextlib.suppress(Exception):
            session.ipmi_session.logout()


def _do(session: Any, orders: dict[str, Any]) -> Any:
    action = orders["action"]
    if action == "network":
        return _checked(session.set_bootdev("network", persist=not orders["once"]))
    if action != "state":
        _switch(session, action, orders["wanted"], orders["patience"])
    return _checked(session.get_power())["powerstate"]


def _switch(session: Any, action: str, wanted: str, patience: float) -> None:
    """Send the command, and wait: not by pyghmi's own way, which does not wait after a shutdown of some vendors."""
    if _checked(session.get_power())["powerstate"] == wanted:
        return
    _checked(session.set_power(action, wait=False))
    end = time.monotonic() + patience
    while _checked(session.get_power())["powerstate"] != wanted:
        if time.monotonic() > end:
            raise RuntimeError("did not accomplish power state change")
        time.sleep(1)


def _checked(answer: Any) -> Any:
    """An answer that is no error."""
    if isinstance(answer, dict) and "error" in answer:
        raise RuntimeError(answer["error"])
    return answer


def _explain(error: BaseException, orders: dict[str, Any]) -> tuple[str, bool]:
    """What an exception of pyghmi means, and whether it may pass."""
    if isinstance(error, socket.gaierror):
        return "has an address that cannot be resolved: see bmc.address", False
    text = str(error)
    words = {"user": repr(orders["username"]), "wanted": "", **orders}
    for part, meaning, passing in MEANINGS:
        if part == text or (part != "None" and part.lower() in text.lower()):
            return meaning.format(**words), passing
    if type(error).__module__ == "builtins" or type(error).__name__ == "error":
        # What escapes from pyghmi is its own trouble with what the BMC sent.
        return f"sends what pyghmi does not understand ({type(error).__name__}: {text})", False
    return f"says: {text}", True


if __name__ == "__main__":
    helper.serve(_act, _explain)
