"""Plans: what is asked for, and what they say."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_serializer, model_validator

from ...names import KINDS
from ...planning.plan import Power, Selection
from ...planning.wanted import Wanted
from .base import MOST, Answer, Body, Listed, Name, Names
from .host_wanted import ONLY, HostWanted

#: Kind -> name in the source -> name in the destination. Kinds are looked at where what is wrong can be named.
Mappings = dict[Annotated[str, StringConstraints(max_length=50)], Annotated[dict[Name, Name], Field(max_length=MOST)]]


class SelectionWanted(HostWanted):
    """What is to be moved, each with all that it needs, or the host that is to be emptied or handed over.

    At least one choice; `all`, `evacuate` and `reassign` stand alone.
    """

    tenant: Name | None = Field(None, description="A project, with everything in it: its name or id")
    domain: Name | None = Field(None, description="Where names of projects and users are looked up: name or id")
    all: bool = Field(False, description="Every project but those of the services")
    servers: Names = Field([], description="Single servers, by name or id")
    images: Names = Field([], description="Single images")
    volumes: Names = Field([], description="Single volumes")
    users: Names = Field([], description="Single users")
    flavors: Names = Field([], description="Single flavors")
    networks: Names = Field([], description="Single networks")
    hosts: Names = Field([], description="Hosts of the source, by their exact names: the servers that live on them")
    accepted: list[Annotated[str, StringConstraints(min_length=1, max_length=400)]] = Field(
        [], max_length=MOST, description="What may be lost, as a conflict of a plan names it: server:web-1:memory"
    )
    mappings: Mappings = Field(
        {},
        max_length=len(KINDS),
        description="Names that differ between the clouds, for this plan, laid over those of the configuration: kind ->"
        " name in the source -> name in the destination. `GET /v1/clouds/{role}/names/{kind}` lists what there is",
        json_schema_extra={"propertyNames": {"enum": list(KINDS)}},
    )
    power: Power = Field(
        "as_source",
        description="How moved servers are in the end: as they are in the source, or left shut off (they boot once, as"
        " Nova boots every new server; shelved ones are shelved again)",
    )

    @model_validator(mode="after")
    def _has_a_choice(self) -> SelectionWanted:
        if self.of_a_host() is not None:
            return self
        chosen = self.chosen().chosen()
        if not chosen:
            raise ValueError(
                "nothing is chosen: name a tenant, servers, images, volumes, users, flavors, networks or hosts, or"
                " give all, evacuate or reassign"
            )
        if self.all and chosen != {"all"}:
            raise ValueError("all moves every tenant: leave out the other names, or leave out all")
        return self

    def chosen(self) -> Selection:
        """The things that are to be moved, as the planning takes them."""
        given = self.model_dump(exclude=ONLY)
        mappings = {kind: names for kind, names in given.pop("mappings").items() if names}
        return Selection(**given, mappings=mappings)

    def wanted(self) -> Wanted:
        """All of it, as the planning takes it."""
        return self.of_a_host() or self.chosen()


class PlanWanted(Body):
    """What a plan is asked for with."""

    selection: SelectionWanted


class SelectionMade(Answer):
    """What was chosen; what was not is not there."""

    model_config = {"extra": "allow"}

    tenant: str | None = None
    domain: str | None = None
    all: bool | None = None
    servers: list[str] | None = None
    images: list[str] | None = None
    volumes: list[str] | None = None
    users: list[str] | None = None
    flavors: list[str] | None = None
    networks: list[str] | None = None
    hosts: list[str] | None = None
    evacuate: str | None = None
    to: list[str] | None = None
    cold: bool | None = None
    fenced: bool | None = None
    reassign: str | None = None
    accepted: list[str] | None = None
    mappings: dict[str, dict[str, str]] | None = None
    power: str | None = Field(None, description="`off`; what is as in the source is not there")

    @model_serializer(mode="plain")
    def _made(self) -> dict[str, Any]:
        return {name: value for name, value in self if value is not None}


class Failure(Answer):
    """Why something failed."""

    code: str
    detail: str
    remedy: str = ""
    field: str | None = Field(None, description="The path of what was chosen wrongly")


class PlanSummary(Answer):
    """A plan in numbers."""

    create: int = Field(description="Resources that will be made")
    move: int = Field(description="Servers and volumes that go to other hosts of their cloud; of an evacuation")
    reuse: int = Field(description="Resources that are there already")
    conflict: int = Field(description="Resources that cannot be moved; what needs them cannot either")
    skip: int = Field(description="Resources within units that are not carried")
    units: int
    not_carried: int = Field(description="All that is not carried, skipped ones included")
    bytes: int = Field(description="To be moved, at most")
    seconds: float | None = Field(description="At most, one unit after the other; null: nothing is to be moved")
    downtime: float = Field(description="Of the server with the longest, in seconds, at most")
    servers: int = Field(description="How many will be down for a while")
    blocks: int = Field(description="Findings for which a migration is refused, but for `ignore_findings`")
    loses: int = Field(description="Findings and fields: what of worth stays behind")
    notes: int = Field(description="What is good to know")
    ignorable: bool = Field(
        description="Whether `ignore_findings` would make a difference; never where a host is handed over"
    )


class Loss(Answer):
    """A field that cannot be carried."""

    field: str
    value: Any
    reason: str


class PlannedItem(Answer):
    """A resource of the source, and what becomes of it."""

    type: str
    id: str
    name: str
    action: Literal["create", "move", "reuse", "conflict", "skip"]
    reason: str
    destination_id: str | None
    bytes: int
    losses: list[Loss]
    needs: list[list[str]] = Field(description="[type, id] of what it refers to")
    accepted: list[str]
    acceptable: list[str] | None = Field(
        None, description="Of a conflict: what `accepted` may name, so that it moves all the same"
    )
    mapping: list[str] | None = Field(
        None, description="[kind, name in the source]: the entry of `mappings` that says, or could say, its counterpart"
    )


class PlannedUnit(Answer):
    """What succeeds or is undone as a whole."""

    name: str
    kind: str
    title: str
    items: list[PlannedItem]
    needs: list[str] = Field(description="Names of the units that must have succeeded before")


class Finding(Answer):
    """What was found before anything moves."""

    level: Literal["blocks", "loses", "note"]
    type: str
    id: str
    name: str
    reason: str
    remedy: str


class PlanItself(Answer):
    """What a migration will do."""

    selection: SelectionMade
    units: list[PlannedUnit] = Field(description="In an order in which they can be run")
    not_carried: list[PlannedItem]
    notes: list[str]
    findings: list[Finding]
    carry_expiry: bool
    mappings: dict[str, dict[str, str]]
    estimate: dict[str, Any] = Field(description="bytes, seconds, bytes_per_second, basis, servers")


class PlanHead(Answer):
    """A plan in a list."""

    id: int
    state: Literal["making", "ready", "failed"]
    selection: SelectionMade
    said: str = Field(description="What is being read for it")
    error: Failure | None = Field(description="Why it failed")
    created: float
    created_by: str
    migration_id: int | None = Field(description="The migration that was begun from it: it can be used once")
    summary: PlanSummary | None = Field(description="Null until it is ready")


class PlanAnswer(PlanHead):
    """A plan."""

    plan: PlanItself | None = Field(None, description="Null until it is ready")


class PlanList(Listed):
    """The newest first."""

    items: list[PlanHead]
