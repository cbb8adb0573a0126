"""What is refused, in the words of the commands: their options and their names.

The service has its own words for the same: ``engine/wording.py``.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from ..errors import PumphouseError, Refusal
from ..human import clean

if TYPE_CHECKING:
    from ..planning.plan import Item

#: What is chosen, by the last name on its path in the API: as an option.
OPTIONS = {
    "tenant": "--tenant",
    "domain": "--domain",
    "servers": "--server",
    "images": "--image",
    "volumes": "--volume",
    "users": "--user",
    "flavors": "--flavor",
    "networks": "--network",
    "hosts": "--host",
    "accepted": "--accept",
    "despite": "--despite",
    "to": "--to",
    "fenced": "--fenced",
    "evacuate": "HOST",
}
#: Of names that are mapped there is one option for all kinds.
MAPPINGS, MAP = "selection.mappings", "--map"
#: What to do about what is refused, by the key of it.
REMEDIES = {
    "stop": "stop it first (pumphouse cancel {migration})",
    "busy": "stop it first (pumphouse cancel {migration}), or wait for its end",
    "goes_on": "pumphouse resume {migration}, or pumphouse cancel {migration}",
    "differences": "mend them and run pumphouse verify {migration}, or name each with --despite",
    "state": "pumphouse show {migration} shows its state",
    "findings": "mend what blocks, or give --ignore-findings",
    "plan": "make a new plan, as the clouds have changed since (pumphouse migrate)",
    "ready": "wait until it is ready",
    "hosts": "pumphouse-bm hosts lists them",
    "pair": "give --config",
    "id": "give the id",
    "domain": "give the id, or --domain",
}


def told(error: PumphouseError) -> str:
    """One line: what is wrong, and the remedy."""
    if not isinstance(error, Refusal):
        return str(error)
    named = f"{option(error)}: " if error.value is not None else ""
    remedy = REMEDIES[error.remedy].format(**error.about) if error.remedy else ""
    return "; ".join(filter(None, (f"{named}{error.reason}", error.hint, remedy)))


def option(error: Refusal) -> str:
    """What was given, as it was given: "--server web-9"."""
    value = quote(error.value) if error.value else ""
    if error.choice == MAPPINGS:
        return f"{MAP} {value}"
    if error.choice.startswith(f"{MAPPINGS}."):
        return f"{MAP} {quote(error.choice.rpartition('.')[2] + ':' + (error.value or ''))}"
    return f"{OPTIONS[error.choice.rpartition('.')[2]]} {value}".strip()


def accepting(item: Item) -> str:
    """How what is in conflict is moved all the same; empty where it cannot be."""
    options = " ".join(f"{OPTIONS['accepted']} {quote(clean(name))}" for name in item.acceptable)
    return f"; to move it so: {options}" if options else ""
