"""What would be lost and is too dear to be lost by default: the operator accepts it by name, or it stays."""

from __future__ import annotations

from collections.abc import Iterable

from pumphouse.errors import Refusal
from pumphouse.planning.discovery import Found
from pumphouse.planning.plan import Item, Loss
from pumphouse.resources.registry import TYPES

#: Where the choice stands, for complaints.
CHOICE = "selection.accepted"


def weigh_hazards(items: Iterable[Item], found: Found, accepted: Iterable[str]) -> None:
    """Turn what has a hazard that is not accepted into a conflict, and one that is into a loss.

    ``accepted``: texts such as "server:web-1:memory", by name or id. Raises Refusal for one that stands for
    nothing in the plan.
    """
    wanted = {text: _parse(text) for text in accepted}
    items = list(items)
    for text, (type_, subject, _) in wanted.items():
        if not any(item.type == type_ and subject in (item.id, item.name) for item in items):
            raise Refusal(f"the plan has no {type_} {subject!r}", choice=CHOICE, value=text)
    for item in items:
        if item.action != "create":
            continue
        missing, acceptable = [], []
        for what, reason in TYPES[item.type].hazards(found.resources[item.key]):
            if {(item.type, item.id, what), (item.type, item.name, what)} & set(wanted.values()):
                item.accepted.append(what)
                item.losses.append(Loss(what, None, f"accepted: {reason}"))
            else:
                missing.append(reason)
                acceptable.append(f"{item.type}:{item.name}:{what}")
        if missing:
            item.action, item.reason, item.acceptable = "conflict", "; ".join(missing), acceptable


def _parse(text: str) -> tuple[str, str, str]:
    type_, _, rest = text.partition(":")
    subject, _, what = rest.rpartition(":")
    if type_ not in TYPES or not subject or not what:
        raise Refusal("write TYPE:NAME_OR_ID:WHAT, as in server:web-1:memory", choice=CHOICE, value=text)
    return type_, subject, what
