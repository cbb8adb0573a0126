"""The part of a selection that is about one host of the source."""

from __future__ import annotations

from pydantic import Field, model_validator

from ...planning.evacuating import Wish
from ...planning.wanted import Handover, Wanted
from .base import Body, Name, Names

#: Its fields, which nothing else has.
ONLY = {"evacuate", "to", "cold", "fenced", "reassign"}
#: Those that say how a host is emptied.
HOW = {"to", "cold", "fenced"}


class HostWanted(Body):
    """A host that is to be emptied, or handed over to the destination; it stands alone in its selection."""

    evacuate: Name | None = Field(
        None,
        description="A host of the source, by its exact name: it is disabled, and its servers go to other hosts of the"
        " source",
    )
    to: Names = Field([], description="With `evacuate`: hosts that may be used; empty: Nova chooses")
    cold: bool = Field(False, description="With `evacuate`: running servers are switched off while they move")
    fenced: bool = Field(
        False,
        description="With `evacuate`: the host is down and surely stays so; its servers are rebuilt elsewhere from"
        " their disks",
    )

    reassign: Name | None = Field(
        None,
        description="An empty, disabled host of the source, by its exact name in the inventory: it is switched off,"
        " installed anew, and becomes a compute host of the destination",
    )

    @model_validator(mode="after")
    def _is_about_one_host(self) -> HostWanted:
        given = self._given()
        if self.evacuate is None and (more := sorted(HOW & given)):
            raise ValueError(f"{' and '.join(more)} {'is' if len(more) == 1 else 'are'} for evacuate: name a host")
        for verb, own in (("evacuate", HOW | {"evacuate"}), ("reassign", {"reassign"})):
            if verb in given and (others := sorted(given - own)):
                raise ValueError(f"{verb} is about one host and nothing else: leave out {', '.join(others)}")
        return self

    def of_a_host(self) -> Wanted | None:
        """What is wanted of a host, as the planning takes it; None: this is about things that are moved."""
        if self.reassign is not None:
            return Handover(self.reassign)
        return None if self.evacuate is None else Wish(self.evacuate, self.to, self.cold, self.fenced)

    def _given(self) -> set[str]:
        """The fields that say something."""
        return {name for name, value in self.model_dump(exclude_defaults=True).items() if value}
