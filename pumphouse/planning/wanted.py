"""What a plan can be asked for: things that are to be moved, a host that is to be emptied, one to be handed over.

Each has its own planning; what comes of it is a plan as any other. Which one is meant stands in the selection.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from pumphouse.planning.evacuating import Wish, make_evacuation
from pumphouse.planning.plan import Plan, Selection
from pumphouse.planning.planner import make_plan
from pumphouse.planning.reassigning import make_reassignment

if TYPE_CHECKING:
    from pumphouse.clouds.cloud import Cloud
    from pumphouse.hosts.inventory import Host
    from pumphouse.store import Store

#: The keys of a selection that name a host, and so say that it is about that.
EVACUATE, REASSIGN = "evacuate", "reassign"
#: Units that run at once where nobody says: servers that leave one host share its network.
AT_ONCE, AT_ONCE_OF_A_HOST = 4, 2


class Wanted(Protocol):
    """A selection of one of these sorts."""

    def to_json(self) -> dict[str, Any]:
        """As it is kept, and shown."""


@dataclasses.dataclass
class Handover:
    """A host of the source that is to be one of the destination."""

    #: Its exact name in the inventory.
    host: str

    def to_json(self) -> dict[str, Any]:
        """As the selection of a migration."""
        return {REASSIGN: self.host}


def of_a_host(selection: Mapping[str, Any]) -> str | None:
    """The host that is emptied or handed over; None: it is about things that are moved."""
    host = selection.get(EVACUATE) or selection.get(REASSIGN)
    return str(host) if host else None


def at_once(selection: Mapping[str, Any]) -> int:
    """How many units run at once where nobody says."""
    return AT_ONCE_OF_A_HOST if of_a_host(selection) else AT_ONCE


def plan_of(
    source: Cloud,
    destination: Cloud,
    store: Store,
    selection: Mapping[str, Any],
    say: Callable[[str], None],
    *,
    hosts: Callable[[str], Host],
    **options: Any,
) -> Plan:
    """Plan what the selection (as the database has it) asks for. Only reads.

    ``hosts``: finds a host in the inventory by its exact name. ``options``: those of ``make_plan``.
    Raises UsageError for what is not there, or cannot be meant.
    """
    if EVACUATE in selection:
        wish = Wish(
            selection[EVACUATE], list(selection.get("to", ())), bool(selection.get("cold")),
            bool(selection.get("fenced")),
        )  # fmt: skip
        return make_evacuation(source, store, wish, say)
    if REASSIGN in selection:
        return make_reassignment(source, destination, store, selection[REASSIGN], hosts, say)
    return make_plan(source, destination, store, Selection(**selection), say, **options)
