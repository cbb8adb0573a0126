"""How long a migration will take, and its servers' downtime: from what was measured between these two clouds."""

from __future__ import annotations

import statistics
from typing import Any

from pumphouse.human import count, size
from pumphouse.planning.discovery import Found
from pumphouse.planning.plan import Plan
from pumphouse.store.rows import UnitRow
from pumphouse.store.store import Store

#: Until something was measured: bytes per second of one copy, and seconds that a unit takes beside its bytes
#: (a server: to stop, to be written into images, to boot). Meant to be too cautious rather than too bold.
RATE, SERVER, OTHER = 20 * 2**20, 180.0, 60.0
#: Copies smaller than this tell how long a request takes, not how fast bytes flow.
TELLING = 16 * 2**20


def estimate(plan: Plan, found: Found, store: Store, pair: str) -> dict[str, Any]:
    """Bytes, seconds, and the downtime of each server that runs; with the basis of each figure.

    Bytes are the most that may have to be moved (holes in disks are not), and so are the times.
    """
    units, copies = store.measured(pair)
    rate, rate_basis = _rate(copies)
    beside, beside_basis = _beside([unit for unit in units if unit.kind == "server"], rate, SERVER, "server")
    other, other_basis = _beside([unit for unit in units if unit.kind != "server"], rate, OTHER, "unit")
    fresh = [unit for unit in plan.units if unit.action == "create" and (unit.bytes or unit.kind == "server")]
    seconds = {u.name: (beside if u.kind == "server" else other) + u.bytes / rate for u in fresh}
    servers = [
        {
            "id": item.id,
            "name": item.name,
            "bytes": unit.bytes,
            "downtime": round(seconds[unit.name]) if _runs(item.id, found) else 0,
        }
        for unit in fresh
        for item in unit.items
        if item.type == "server"
    ]
    basis = [rate_basis]
    if servers:
        basis.append(beside_basis)
    if len(fresh) > len(servers):
        basis.append(other_basis)
    return {
        "bytes": plan.bytes,
        #: One unit after the other; several at once take less.
        "seconds": round(sum(seconds.values())),
        "bytes_per_second": round(rate),
        "basis": basis,
        "servers": servers,
    }


def _rate(copies: list[dict[str, Any]]) -> tuple[float, str]:
    """Bytes per second of a copy, and what tells it."""
    telling = [c for c in copies if (c.get("size") or 0) >= TELLING and (c.get("seconds") or 0) > 0]
    if not telling:
        return RATE, f"{size(RATE)}/s for each copy: assumed, nothing was measured between these clouds yet"
    rate = sum(copy["size"] for copy in telling) / sum(copy["seconds"] for copy in telling)
    return rate, f"{size(int(rate))}/s for each copy: from {count(len(telling), 'copy', 'copies')} before"


def _beside(units: list[UnitRow], rate: float, default: float, what: str) -> tuple[float, str]:
    """Seconds that a unit takes beside the copying of its bytes, and what tells it."""
    took = [time - unit.bytes_done / rate for unit in units if (time := _time(unit))]
    if not took:
        return default, f"{default:.0f} s for each {what} beside its bytes: assumed, none was moved yet"
    seconds = max(0.0, statistics.median(took))
    return seconds, f"{seconds:.0f} s for each {what} beside its bytes: from {count(len(took), what)} moved before"


def _time(unit: UnitRow) -> float | None:
    """Of a server that ran its downtime, of others the whole time."""
    if unit.downtime:
        return unit.downtime
    if unit.started is None or unit.finished is None:
        return None
    return unit.finished - unit.started


def _runs(id_: str, found: Found) -> bool:
    return bool(found.resources["server", id_].get("status") == "ACTIVE")
