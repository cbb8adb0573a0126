"""The cutover of a server.

Everything that can be made while the server runs is made before it is stopped. Then its disks are copied, side by
side, and it boots in the destination. Whatever fails, TaskFlow undoes in the opposite order: what was made is
removed, and the source server runs again.
"""

from __future__ import annotations

from taskflow.flow import Flow
from taskflow.patterns import linear_flow, unordered_flow

from pumphouse.flows.volume import carry_volume
from pumphouse.planning.plan import Unit
from pumphouse.tasks.access import EnterProject
from pumphouse.tasks.images import CopyTemporaryImage
from pumphouse.tasks.records import MakeResource
from pumphouse.tasks.servers import BootServer, NoteServer, SettleServer, SnapshotServer, StopServer


def server_flow(unit: Unit) -> Flow:
    """Ports, trunks, stop, disks, boot, power."""
    server = next(item for item in unit.items if item.type == "server")
    flow = linear_flow.Flow(unit.name)
    trunks = [MakeResource("trunk", i.id, i.name) for i in unit.items if i.type == "trunk" and i.action == "create"]
    if server.action != "create":
        return flow.add(*trunks)
    ports = [item for item in unit.items if item.type == "port"]
    volumes = [item for item in unit.items if item.type == "volume" and item.action == "create"]
    flow.add(NoteServer(server.id, server.accepted))
    flow.add(*(EnterProject(id_) for kind, id_ in server.needs if kind == "project"))
    flow.add(*(MakeResource("port", port.id, port.name) for port in ports), *trunks)
    flow.add(StopServer(server.id))
    disks = unordered_flow.Flow(f"disks:{server.id}")
    exported, root = f"exported:{server.id}", f"imported:{server.id}"
    disks.add(
        linear_flow.Flow(f"root:{server.id}").add(
            SnapshotServer(server.id, provides=exported),
            CopyTemporaryImage(("server", server.id), server.bytes, exported, provides=root),
        )
    )
    disks.add(*(carry_volume(item) for item in volumes))
    flow.add(disks, BootServer(server.id, [port.id for port in ports], root), SettleServer(server.id))
    return flow
