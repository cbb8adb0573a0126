"""Which process runs a migration, and whether it still does: a killed one cannot say that it has ended."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from pathlib import Path
from typing import Any


def owner() -> str:
    """A name for what claims units in this process: host/pid/since/number."""
    return f"{_host()}/{os.getpid()}/{_since(os.getpid()) or ''}/{secrets.token_hex(4)}"


def is_dead(owner: str) -> bool:
    """Whether the process of that name is known to have ended: it was on this host."""
    host, pid, since, _ = owner.split("/")
    return runs({"host": host, "pid": pid, "since": since or None}) is False


def stamp() -> dict[str, Any]:
    """What tells this process from all others of its host, later ones with the same number included."""
    return {"host": _host(), "pid": os.getpid(), "since": _since(os.getpid())}


def runs(stamp: dict[str, Any] | None) -> bool | None:
    """Whether the process that this stamp is of still runs; None where that cannot be told from here."""
    if not stamp or stamp.get("host") != _host():
        return None
    pid = int(stamp["pid"])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is there, and somebody else's
    return _since(pid) == stamp.get("since")


def _host() -> str:
    """The host; in a container, whose processes have numbers of their own, that one."""
    with contextlib.suppress(OSError):
        return f"{socket.gethostname()[:64]} {Path('/proc/self/ns/pid').readlink().name}"
    return socket.gethostname()[:64]


def _since(pid: int) -> str | None:
    """When a process was started, in ticks since the boot; None where the system does not tell (no /proc)."""
    with contextlib.suppress(OSError, IndexError):
        # The program's name, in brackets, may hold anything.
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    return None
