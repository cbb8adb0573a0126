"""Ports for what the tests start."""

from __future__ import annotations

import socket


def free_port() -> int:
    """One that nobody listens on, and that no other test is likely to take meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
