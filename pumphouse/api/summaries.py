"""What a plan says in a few numbers. They are made once for each plan, as a plan that is ready does not change."""

from __future__ import annotations

import collections
import json
import threading
import weakref
from typing import Any

from ..planning.wanted import REASSIGN
from ..store import Store, plan_texts

#: Plans of which it is remembered.
REMEMBERED = 1000

_LOCK = threading.Lock()
_MADE: weakref.WeakKeyDictionary[Store, collections.OrderedDict[int, dict[str, Any]]] = weakref.WeakKeyDictionary()


def of_plan(store: Store, plan_id: int) -> dict[str, Any] | None:
    """That of a plan that was asked for; None while it is not ready."""
    with _LOCK:
        made = _MADE.setdefault(store, collections.OrderedDict())
        if plan_id in made:
            made.move_to_end(plan_id)
            return made[plan_id]
    text = plan_texts.of_plan(store, plan_id)
    if text is None:
        return None
    summary = summarize(json.loads(text))
    with _LOCK:
        made[plan_id] = summary
        while len(made) > REMEMBERED:
            made.popitem(last=False)
    return summary


def summarize(plan: dict[str, Any]) -> dict[str, Any]:
    """Of a plan (``Plan.to_json``)."""
    items = [item for unit in plan["units"] for item in unit["items"]]
    actions = collections.Counter(item["action"] for item in items)
    levels = collections.Counter(finding["level"] for finding in plan.get("findings", ()))
    estimate = plan.get("estimate") or {}
    downtimes = [server["downtime"] for server in estimate.get("servers", ()) if server["downtime"]]
    return {
        **{action: actions[action] for action in ("create", "reuse", "conflict", "skip")},
        "move": sum(item["action"] == "move" and item["type"] in ("server", "volume") for item in items),
        "units": len(plan["units"]),
        "not_carried": len(plan["not_carried"]) + actions["skip"],
        "bytes": sum(item["bytes"] for item in items if item["action"] == "create"),
        "seconds": estimate.get("seconds"),
        "downtime": max(downtimes, default=0),
        "servers": len(downtimes),
        "blocks": levels["blocks"],
        "loses": levels["loses"] + sum(len(item["losses"]) for item in items),
        "notes": levels["note"] + len(plan["notes"]),
        "ignorable": levels["blocks"] > 0 and REASSIGN not in plan["selection"],
    }
