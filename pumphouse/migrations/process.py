"""Which process runs a migration, and whether it still does: a killed one cannot say that it has ended."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path
from typing import Any


def stamp() -> dict[str, Any]:
    """What tells this process from all others of its host, later ones with the same number included."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "since": _since(os.getpid())}


def runs(stamp: dict[str, Any] | None) -> bool | None:
    """Whether the process that this stamp is of still runs; None where that cannot be told from here."""
    if not stamp or stamp.get("host") != socket.gethostname():
        return None
    pid = int(stamp["pid"])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is there, and somebody else's
    return _since(pid) == stamp.get("since")


def _since(pid: int) -> str | None:
    """When a process was started, in ticks since the boot; None where the system does not tell (no /proc)."""
    with contextlib.suppress(OSError, IndexError):
        # The program's name, in brackets, may hold anything.
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    return None
