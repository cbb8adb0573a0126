"""A host that is given to the destination: from where there is no way back, and what is looked at afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pumphouse.clouds import hypervisors
from pumphouse.errors import Refusal
from pumphouse.planning.plan import Item, Plan
from pumphouse.resources.base import FieldVerdict
from pumphouse.store import Migration, Store
from pumphouse.tasks.context import Context
from pumphouse.tasks.machines import INSTALL, JOINED, POWER, has_left, noted
from pumphouse.tasks.reassign import agents_of
from pumphouse.transfer.progress import DONE

#: Kinds of units that are not undone once the host has left the source.
BEFORE = ("switch_off", "leave")


def refuse_arrived(store: Store, migration: Migration, plan: Plan) -> None:
    """Raises Refusal where the host is a compute host of the destination: it is not taken back from there."""
    host = plan.selection.get("reassign")
    joins = [unit.name for unit in plan.units if unit.kind == "join"]
    if host and any(row.name in joins and row.state == DONE for row in store.states(migration.id)):
        raise Refusal(
            f"{host} is a compute host of the destination, and is not given back",
            remedy="state", migration=migration.id,
        )  # fmt: skip


def no_way_back(context: Context, plan: Plan) -> str:
    """A sentence that says so, where the host has left the source; else nothing. Raises what Nova answers with."""
    host = plan.selection.get("reassign")
    if not host or not has_left(context, host, _move(plan)["service"]):
        return ""
    return (
        f"{host} stays as it is, on or off: it is not in the source any more, and there is no way back to it; a resume "
        "goes on with it"
    )


def _move(plan: Plan) -> dict[str, Any]:
    return plan.units[0].items[0].move


# --- what is looked at afterwards ---


def _machine(context: Context, item: Item, later: bool) -> Iterator[FieldVerdict]:
    """It runs again since: what is told is how it was."""
    del later
    was = noted(context, POWER, item.move["host"])
    yield FieldVerdict("power", "mapped", was, "off", "" if was else "its provisioner switches it")


def _nova_compute(context: Context, item: Item, later: bool) -> Iterator[FieldVerdict]:
    del later
    yield _gone(item.id, hypervisors.service_of(context.source, item.id) is None)


def _provider(context: Context, item: Item, later: bool) -> Iterator[FieldVerdict]:
    del later
    yield _gone(item.id, hypervisors.provider(context.source, item.name) != item.id)


def _agent(context: Context, item: Item, later: bool) -> Iterator[FieldVerdict]:
    del later
    left = agents_of(context, (item.move["service"], item.move["host"]))
    yield _gone(item.id, all(agent["id"] != item.id for agent in left))


def _installation(context: Context, item: Item, later: bool) -> Iterator[FieldVerdict]:
    del later
    done = noted(context, INSTALL, item.id)
    node = done.get("node") if isinstance(done, dict) and "deployed" in done else None
    yield FieldVerdict("node", "mapped" if node else "differs", None, node, "" if node else "it was not deployed")


def _new_compute(context: Context, item: Item, later: bool) -> Iterator[FieldVerdict]:
    joined = noted(context, JOINED, item.move["host"])
    name = joined["service"] if isinstance(joined, dict) else item.id
    service = hypervisors.service_of(context.destination, name)
    if service is None:
        yield FieldVerdict("(resource)", "differs", None, None, "is not in the destination any more")
        return
    yield FieldVerdict("host", "equal" if name == item.move["service"] else "mapped", item.move["service"], name, "")
    # Later, who disables it or switches it off has reasons.
    for field, wanted in (("state", "up"), ("status", "enabled")) if not later else ():
        right = service[field] == wanted
        yield FieldVerdict(field, "equal" if right else "differs", wanted, service[field], "")


def _gone(id_: str, gone: bool) -> FieldVerdict:
    if gone:
        return FieldVerdict("(resource)", "equal", id_, None, "is gone from the source")
    return FieldVerdict("(resource)", "differs", id_, id_, "is still in the source, or is there again")


LOOKS: dict[str, Callable[[Context, Item, bool], Iterator[FieldVerdict]]] = {
    "machine": _machine,
    "nova_compute": _nova_compute,
    "resource_provider": _provider,
    "network_agent": _agent,
    "installation": _installation,
    "new_compute": _new_compute,
}
