"""The plan: what a migration will do, as data. It is stored, shown, and is what gets executed."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

Action = Literal["create", "move", "reuse", "conflict", "skip"]
#: How moved servers are in the end: as they are in the source, or left shut off.
Power = Literal["as_source", "off"]
AS_SOURCE, OFF = "as_source", "off"


@dataclasses.dataclass
class Loss:
    """A field that holds something of worth and cannot, or should not, be carried."""

    field: str
    value: Any
    reason: str


@dataclasses.dataclass
class Finding:
    """What a check found before anything moves."""

    #: blocks: it cannot be moved; loses: something of worth stays behind; note: good to know.
    level: Literal["blocks", "loses", "note"]
    #: The resource that it is about; empty for the clouds as a whole.
    type: str
    id: str
    name: str
    reason: str
    remedy: str = ""


@dataclasses.dataclass
class Item:
    """One resource of the source and what becomes of it."""

    type: str
    id: str
    name: str
    #: create: will be made; move: will be moved within its own cloud; reuse: is there already; conflict: in the way,
    #: see ``reason``; skip: not carried at all, see ``reason``.
    action: Action
    reason: str
    #: Its counterpart, when the action is ``reuse``.
    destination_id: str | None = None
    #: Bytes to be moved for it (an upper bound where the service does not tell exactly).
    bytes: int = 0
    losses: list[Loss] = dataclasses.field(default_factory=list)
    #: (type, id) of the resources that it refers to.
    needs: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    #: What the operator accepted to lose of it: "memory", "ephemeral", ...
    accepted: list[str] = dataclasses.field(default_factory=list)
    #: Of what moves within its cloud: from where, to where and how; see ``pumphouse.planning.evacuating``.
    move: dict[str, Any] = dataclasses.field(default_factory=dict)
    #: Of a conflict: what may be accepted to be lost, so that it moves all the same: "server:web-1:memory".
    acceptable: list[str] = dataclasses.field(default_factory=list)
    #: [kind, name in the source]: the mapping that says which counterpart it has, or could have.
    mapping: list[str] = dataclasses.field(default_factory=list)

    @property
    def key(self) -> tuple[str, str]:
        """(type, id) in the source: what names a resource everywhere in Pumphouse."""
        return (self.type, self.id)


#: Fields of an item that are left out where they are empty.
SELDOM = ("move", "acceptable", "mapping")


@dataclasses.dataclass
class Unit:
    """A part of the plan that succeeds or is undone as a whole; runs as one TaskFlow flow."""

    #: Unique in its plan, stable between plans of the same cloud: "server:<id>", "identity:<id>", ...
    name: str
    #: Which flow runs it: a name in ``pumphouse.flows``.
    kind: str
    #: For people: "server web-1".
    title: str
    items: list[Item] = dataclasses.field(default_factory=list)
    #: Names of the units that must have succeeded before.
    needs: list[str] = dataclasses.field(default_factory=list)

    @property
    def action(self) -> Action:
        """The gravest of the actions of its items."""
        for action in ("conflict", "create", "move", "reuse"):
            if any(item.action == action for item in self.items):
                return action
        return "skip"

    @property
    def bytes(self) -> int:
        """Bytes to be moved for the whole unit."""
        return sum(item.bytes for item in self.items if item.action == "create")


@dataclasses.dataclass
class Plan:
    """Units in an order in which they can be run, and what was found but will not be carried."""

    #: What was asked for, as ``Selection`` gives it.
    selection: dict[str, Any]
    units: list[Unit] = dataclasses.field(default_factory=list)
    #: Resources of the tenant that no unit carries, each with its reason.
    not_carried: list[Item] = dataclasses.field(default_factory=list)
    #: Sentences about the whole: passwords that cannot move, services that are missing.
    notes: list[str] = dataclasses.field(default_factory=list)
    #: What the checks of both clouds found, beside the conflicts and losses of the items.
    findings: list[Finding] = dataclasses.field(default_factory=list)
    #: Whether passwords shall expire when they do in the source, as configured.
    carry_expiry: bool = False
    #: Names that differ between the clouds, as configured: kind -> name in the source -> in the destination.
    mappings: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)
    #: How long it will take, and upon what that is based: see ``pumphouse.planning.estimate``.
    estimate: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def items(self) -> list[Item]:
        """Every resource in every unit, in order."""
        return [item for unit in self.units for item in unit.items]

    @property
    def bytes(self) -> int:
        """Bytes to be moved."""
        return sum(unit.bytes for unit in self.units)

    def count(self, action: Action) -> int:
        """How many resources in the units have this action."""
        return sum(item.action == action for item in self.items)

    @property
    def power(self) -> str:
        """How moved servers are in the end: AS_SOURCE or OFF."""
        return str(self.selection.get("power", AS_SOURCE))

    def to_json(self) -> dict[str, Any]:
        """Plain dicts and lists, as stored and as ``--dry-run -f json`` prints; what few items have, only there."""
        data = dataclasses.asdict(self)
        for item in (*data["not_carried"], *(item for unit in data["units"] for item in unit["items"])):
            for name in SELDOM:
                if not item[name]:
                    del item[name]
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Plan:
        """The inverse of :meth:`to_json`."""
        return cls(
            selection=data["selection"],
            units=[Unit(**{**unit, "items": [_item(item) for item in unit["items"]]}) for unit in data["units"]],
            not_carried=[_item(item) for item in data["not_carried"]],
            notes=list(data["notes"]),
            findings=[Finding(**finding) for finding in data.get("findings", ())],
            mappings=data.get("mappings", {}),
            carry_expiry=data.get("carry_expiry", False),
            estimate=data.get("estimate", {}),
        )


def _item(data: dict[str, Any]) -> Item:
    losses = [Loss(**loss) for loss in data["losses"]]
    needs = [(kind, id_) for kind, id_ in data["needs"]]
    return Item(**{**data, "losses": losses, "needs": needs})


@dataclasses.dataclass
class Selection:
    """The roots of a migration: what the operator named, before anything is looked up."""

    #: Name or id of a project.
    tenant: str | None = None
    #: Name or id of the domain in which names are looked up.
    domain: str | None = None
    #: Every project of the source, but those of the services.
    all: bool = False
    servers: list[str] = dataclasses.field(default_factory=list)
    images: list[str] = dataclasses.field(default_factory=list)
    volumes: list[str] = dataclasses.field(default_factory=list)
    users: list[str] = dataclasses.field(default_factory=list)
    flavors: list[str] = dataclasses.field(default_factory=list)
    networks: list[str] = dataclasses.field(default_factory=list)
    #: Hypervisors, by the exact names of their hosts: the servers that live on them.
    hosts: list[str] = dataclasses.field(default_factory=list)
    #: What may be lost, each by name: "server:ID_OR_NAME:memory".
    accepted: list[str] = dataclasses.field(default_factory=list)
    #: Names that differ between the clouds, laid over those of the configuration: kind -> source -> destination.
    mappings: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)
    #: How moved servers are in the end.
    power: Power = "as_source"

    def chosen(self) -> set[str]:
        """The names of what says what is to be moved, rather than how."""
        return set(self.to_json()) - HOW

    def to_json(self) -> dict[str, Any]:
        """The choices that were made, without the empty ones and what is as usual."""
        told = {**dataclasses.asdict(self), "power": "" if self.power == AS_SOURCE else self.power}
        return {key: value for key, value in told.items() if value}


#: Of a selection, what says how things are moved.
HOW = frozenset(("domain", "accepted", "mappings", "power"))
