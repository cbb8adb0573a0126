"""Brings the services' ports to a compute host: `relay.py NETWORK_NAMESPACE PORT...`.

The listening sockets are made inside the host's network namespace, everything else stays outside: what
connects to 127.0.0.1:PORT on the host reaches 127.0.0.1:PORT of the machine, and nothing else does.
Runs alone, without the package.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import sys
from pathlib import Path

CLONE_NEWNET = 0x40000000


def enter(namespace: int) -> None:
    """Move this thread into a network namespace (os.setns is there from Python 3.12 on only)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def listen(namespace: Path, ports: list[int]) -> list[tuple[int, socket.socket]]:
    """Sockets on these ports of the loopback of another network namespace."""
    with Path("/proc/self/ns/net").open() as home, namespace.open() as away:
        enter(away.fileno())
        try:
            return [(port, socket.create_server(("127.0.0.1", port))) for port in ports]
        finally:
            enter(home.fileno())


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes one way until the end."""
    try:
        while data := await reader.read(1 << 18):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def relay(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection."""
    try:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        writer.close()
        return
    await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))


async def serve(sockets: list[tuple[int, socket.socket]]) -> None:
    """Serve until killed."""
    for port, listener in sockets:

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int = port) -> None:
            await relay(port, reader, writer)

        await asyncio.start_server(accept, sock=listener)
    await asyncio.Event().wait()


if __name__ == "__main__":
    os.chdir("/")
    asyncio.run(serve(listen(Path(sys.argv[1]), [int(port) for port in sys.argv[2:]])))
