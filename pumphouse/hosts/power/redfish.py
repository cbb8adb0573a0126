"""Redfish, by sushy.

Sushy has time limits of requests, but repeats them up to ten times: each action has a process of its own, that ends
when its deadline has come.
"""

from __future__ import annotations

import ssl
import time
from typing import Any
from urllib.parse import urlsplit

from pumphouse.hosts.options import Option
from pumphouse.hosts.power import helper

#: Redfish's words, in lower case; what else there is (PoweringOn, Paused) is neither.
STATES = {"on": "on", "off": "off"}
#: What is asked for, and in whose place what a system does not offer: the first that it has is used.
RESETS = {"on": ("ON", "FORCE_ON"), "off": ("FORCE_OFF",), "shutdown": ("GRACEFUL_SHUTDOWN",)}


class Redfish(helper.Helped):
    """A BMC that speaks Redfish."""

    name = "redfish"
    MODULE = "pumphouse.hosts.power.redfish"
    OPTIONS = {
        # A name, an IP address, or a URL without path: https://10.0.0.1:8443.
        "address": Option("text", required=True),
        "port": Option("number", least=1, most=65535),
        "username": Option("text", required=True),
        "password": Option("secret", required=True),
        # auto: a session where the BMC has such.
        "auth": Option("text", default="auto", choices=("auto", "session", "basic")),
        # False, or the path of the CA's certificate.
        "verify": Option("text or flag", default=True),
        # Its Id or path, where the BMC has more than one.
        "system": Option("text"),
        **helper.DEADLINES,
    }

    def orders(self) -> dict[str, Any]:
        """With the MACs, by which the system is found."""
        return {**super().orders(), "macs": list(self.host.macs)}


def url(address: str, port: int | None) -> str:
    """The root of the service. https unless the address says otherwise."""
    if "://" in address:
        return address.rstrip("/")
    host = f"[{address}]" if ":" in address and not address.startswith("[") else address
    return f"https://{host}:{port}" if port else f"https://{host}"


def _act(orders: dict[str, Any]) -> Any:
    """In the helper's process: log on, do one thing, log off."""
    import sushy  # type: ignore[import-untyped]

    kinds = {"auto": "SessionOrBasicAuth", "session": "SessionAuth", "basic": "BasicAuth"}
    auth = getattr(sushy.auth, kinds[orders["auth"]])(username=orders["username"], password=orders["password"])
    root = sushy.Sushy(
        url(orders["address"], orders["port"]),
        auth=auth,
        verify=orders["verify"],
        server_side_retries=2,
        server_side_retries_delay=1,
        # Two tries.
        read_timeout=max(1, orders["deadline"] / 2),
    )
    try:
        return _do(_system(root, orders), orders)
    finally:
        auth.close()


def _do(system: Any, orders: dict[str, Any]) -> Any:
    import sushy

    action = orders["action"]
    if action == "network":
        frequency = "ONCE" if orders["once"] else "CONTINUOUS"
        system.set_system_boot_options(
            sushy.BootSource.PXE, enabled=getattr(sushy.BootSourceOverrideEnabled, frequency)
        )
        return None
    if action != "state":
        _switch(system, action, orders["wanted"], orders["patience"])
    return _state(system)


def _switch(system: Any, action: str, wanted: str, patience: float) -> None:
    """Send the command, and wait until it has come true."""
    import sushy

    if _state(system) == wanted:
        return
    offered = system.get_allowed_reset_system_values()
    resets = [reset for name in RESETS[action] if (reset := getattr(sushy.ResetType, name)) in offered]
    if not resets:
        raise helper.Refused(f"does not offer to switch its system so ({action})")
    system.reset_system(resets[0])
    end = time.monotonic() + patience
    while _state(system) != wanted:
        if time.monotonic() > end:
            raise helper.Refused(
                f"took the command, but the machine is not {wanted} after {patience:g} s", passing=True
            )
        time.sleep(1)
        system.refresh()


def _state(system: Any) -> str:
    return STATES.get(str(getattr(system.power_state, "value", system.power_state)).lower(), "unknown")


def _system(root: Any, orders: dict[str, Any]) -> Any:
    """The named system, or the only one, or the one that has one of the MACs."""
    paths = [str(path) for path in root.get_system_collection().members_identities]
    if wanted := orders["system"]:
        paths = [path for path in paths if wanted in (path, path.rstrip("/").rpartition("/")[2])]
        if not paths:
            raise helper.Refused(f"has no system {wanted!r}: see bmc.system")
    systems = [root.get_system(path) for path in paths]
    if len(systems) == 1:
        return systems[0]
    mine = [one for one in systems if _macs(one) & set(orders["macs"])]
    if len(mine) == 1:
        return mine[0]
    names = ", ".join(path.rstrip("/").rpartition("/")[2] for path in paths) or "none"
    raise helper.Refused(
        f"has {len(systems)} systems ({names}), none or several of them with these MACs: see bmc.system"
    )


def _macs(system: Any) -> set[str]:
    return {str(nic.mac_address).lower() for nic in system.ethernet_interfaces.get_members()}


def _explain(error: BaseException, orders: dict[str, Any]) -> tuple[str, bool]:
    """What an exception of sushy means, and whether it may pass."""
    import sushy

    text = str(error)
    if isinstance(error, sushy.exceptions.AccessError):
        status = getattr(error, "status_code", 401)
        if status == 403:
            return f"does not allow {orders['username']!r} to do this", False
        return f"refuses the user {orders['username']!r} or its password: see bmc.username and bmc.password", False
    if isinstance(error, sushy.exceptions.ConnectionError):
        if "CERTIFICATE_VERIFY_FAILED" in text or isinstance(error.__cause__, ssl.SSLError):
            return "has a certificate that cannot be verified: see bmc.verify", False
        if "SSL" in text:
            return "does not speak TLS as expected: see bmc.address", False
        return "does not answer: is the address right, and Redfish enabled?", True
    if isinstance(error, sushy.exceptions.ResourceNotFoundError):
        return f"has no Redfish service at {urlsplit(text.split(' ')[1]).path if ' ' in text else 'its address'}", False
    passing = isinstance(error, sushy.exceptions.ServerSideError)
    return f"says: {text}", passing


if __name__ == "__main__":
    helper.serve(_act, _explain)
