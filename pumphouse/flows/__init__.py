"""How the tasks of each kind of unit are put together. Each factory makes a flow from a unit alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from taskflow.flow import Flow

from pumphouse.flows.host import empty_flow, host_flow, move_flow, move_volume_flow
from pumphouse.flows.image import image_flow
from pumphouse.flows.reassign import install_flow, join_flow, leave_flow, switch_off_flow
from pumphouse.flows.records import records_flow
from pumphouse.flows.router import router_flow
from pumphouse.flows.server import server_flow
from pumphouse.flows.volume import volume_flow
from pumphouse.planning.plan import Unit
from pumphouse.tasks.base import Task

#: Kind of unit -> factory; every other kind consists of records only.
FACTORIES: dict[str, Callable[[Unit], Flow]] = {
    "image": image_flow,
    "volume": volume_flow,
    "server": server_flow,
    "router": router_flow,
    "host": host_flow,
    "move": move_flow,
    "move_volume": move_volume_flow,
    "empty": empty_flow,
    "switch_off": switch_off_flow,
    "leave": leave_flow,
    "install": install_flow,
    "join": join_flow,
}
#: Kinds whose work stays when a migration is undone: servers and volumes stay where they have come to.
STAYING = ("move", "move_volume")


def flow_of(unit: Unit) -> Flow:
    """The flow that carries a unit."""
    return FACTORIES.get(unit.kind, records_flow)(unit)


def tasks_of(flow: Flow) -> Iterator[Task]:
    """All tasks of a flow, in an order in which they can run."""
    for node, _ in flow.iter_nodes():
        if isinstance(node, Flow):
            yield from tasks_of(node)
        else:
            yield node
