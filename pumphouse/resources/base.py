"""What every resource type can do; a type's own file adds its table of fields and its few API calls."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from pumphouse.clouds.cloud import Cloud
from pumphouse.names import Counterparts, Names
from pumphouse.resources.fields import Field, Lookup, Wire, Wires, some
from pumphouse.resources.inventory import Inventory


@dataclasses.dataclass
class FieldVerdict:
    """What became of one field."""

    field: str
    #: equal, mapped, differs, not carried, or not verified: it could not be read.
    verdict: str
    source: Any
    destination: Any
    reason: str = ""
    #: For what is not carried: whether the source's value would be missed.
    worth: bool = True


#: Stands for all projects, where a resource is shared with a project.
EVERYONE = "*"
#: Finds the name of a resource: (type, id) -> name.
Named = Callable[[str, str], str]


def unnamed(_type: str, id_: str) -> str:
    """For want of names, the id."""
    return id_


class ResourceType:
    """A kind of object in a cloud. Its instances hold no state; objects travel as dicts in wire form."""

    #: Its name everywhere: in plans, mappings, reports.
    type: ClassVar[str]
    #: Which kind of unit carries it, see ``pumphouse.planning.units``.
    unit: ClassVar[str]
    #: Every field of the API, by wire name.
    fields: ClassVar[tuple[Field, ...]]
    #: What to do with fields outside the table: None, reported when they hold something; "carry", copied
    #: (the API lets users add their own).
    others: ClassVar[str | None] = None
    #: The type whose resources contain these: found with :meth:`list_for` wherever the parent is found.
    parent: ClassVar[str | None] = None
    #: Whether :meth:`list` can tell what a project owns.
    owned: ClassVar[bool] = False
    #: The field with the id of the resource whose unit this one belongs to; None: it makes a unit of its own.
    home: ClassVar[str | None] = None
    #: Made by our account from within the project that it belongs to.
    inside: ClassVar[bool] = False
    #: The configuration's ``mappings`` in which its names may stand, where they differ between the clouds.
    mapping: ClassVar[str | None] = None
    #: Made only along with a resource of this type that it hangs together with; what is there keeps its own.
    only_with: ClassVar[str | None] = None
    #: Whether a plan can be made without them, where the source cannot list them.
    dispensable: ClassVar[bool] = False
    #: Types of references that may be gone from the source without harm.
    soft: ClassVar[frozenset[str]] = frozenset()
    #: Making it twice does no harm, or is refused as being there: a link between others, a setting.
    again: ClassVar[bool] = False
    #: What an interrupted attempt to make it has left is as good as new.
    adoptable: ClassVar[bool] = False
    #: In the scope of what its counterpart is looked for: names of arguments to :meth:`list`,
    #: each with the field of the wanted resource that gives it.
    scope: ClassVar[dict[str, str]] = {}

    # -- the API calls, by each type ------------------------------------------------------------------------
    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """All resources in a scope (``project_id``, ``domain_id``, ... or none: all), by bulk requests."""
        raise LookupError(f"{self.type} cannot be listed")

    def list_for(self, cloud: Cloud, parents: Iterable[Wire]) -> Wires:
        """The resources that these parents contain."""
        raise LookupError(f"{self.type} has no parents")

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One resource, or None where there is none."""
        raise LookupError(f"{self.type} cannot be read alone")

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """Make it in the destination. ``wanted`` is what :meth:`translate` gave; returns what the API shows."""
        raise LookupError(f"{self.type} is not made by a single call")

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Remove it; a missing one is fine."""
        raise LookupError(f"{self.type} is not removed by a single call")

    @contextlib.contextmanager
    def completed(self, cloud: Cloud, id_: str) -> Iterator[None]:
        """Around what completes a new resource: if that fails it is removed, as nobody else knows of it yet."""
        try:
            yield
        except Exception:
            with contextlib.suppress(Exception):
                self.delete(cloud, id_)
            raise

    # -- what differs from type to type in small ways -------------------------------------------------------
    def id(self, resource: Wire) -> str:
        """What identifies it within its type."""
        return str(resource["id"])

    def name(self, resource: Wire, named: Named = unnamed) -> str:
        """What people call it; ``named`` knows the names of what it refers to."""
        return str(resource.get("name") or resource["id"])

    def size(self, resource: Wire) -> int:
        """Bytes that have to be moved for it (an upper bound)."""
        return 0

    def renamed(self, resource: Wire) -> str | None:
        """The configuration's ``mappings`` in which its name may stand."""
        return self.mapping

    def between(
        self, source: Inventory, found: Mapping[tuple[str, str], Wire], projects: Collection[str]
    ) -> Sequence[Wire]:
        """Resources that come along only as what they connect has come: asked when all else is ``found``."""
        return []

    def leave(self, resource: Wire, made: Callable[[str, str], bool]) -> str | None:
        """Why this resource is better left out, or None. ``made``: whether (type, id) is one that Pumphouse makes."""
        return None

    def obstacle(self, resource: Wire, source: Inventory, destination: Inventory) -> str | None:
        """Why this resource cannot be moved at all, or None."""
        return None

    def hindrance(self, resource: Wire, lookup: Lookup, destination: Inventory) -> str | None:
        """Why the destination cannot take it, or None. ``lookup`` knows what of its references is there already."""
        return None

    def losses_there(self, resource: Wire, lookup: Lookup, destination: Inventory) -> Iterator[tuple[str, Any, str]]:
        """(field, value, reason) of what this destination in particular will not carry."""
        yield from ()

    def adapt(self, wanted: Wire, source: Wire, names: Names) -> Wire:
        """``wanted`` with the names that the configuration gives."""
        return {
            field.name: names.value(field.names, wanted[field.name]) if field.names else wanted[field.name]
            for field in self.every_field(wanted)
            if field.name in wanted
        }

    def hazards(self, resource: Wire) -> Iterator[tuple[str, str]]:
        """(what, reason) of what would be lost and is too dear for that, unless the operator accepts it by name."""
        yield from ()

    def resolver(self, resource: Wire, lookup: Lookup) -> Lookup:
        """How references of this resource are looked up, where that takes more than the table says."""
        return lookup

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """The counterpart that exists in the destination already: equal in every ``match`` field."""
        return next(self._alike(inventory, wanted), None)

    def repeatable(self, wanted: Wire) -> bool:
        """Whether making this one twice does no harm."""
        return self.again

    def orphans(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wires:
        """What an interrupted attempt to make it may have left in a cloud: nothing like it was there before."""
        if not self.matching:
            found = self.find(inventory, wanted, source)
            return [found] if found else []
        return list(self._alike(inventory, wanted))

    def _alike(self, inventory: Inventory, wanted: Wire) -> Iterator[Wire]:
        """All that are equal in every ``match`` field."""
        scope = {argument: wanted.get(field) for argument, field in self.scope.items()}
        for candidate in self._candidates(inventory, wanted, scope):
            if all(
                field.same(wanted.get(field.name), candidate.get(field.name))
                for field in self.matching
                if field.name in wanted
            ):
                yield candidate

    def _candidates(self, inventory: Inventory, wanted: Wire, scope: Wire) -> Iterable[Wire]:
        """All in a scope, or fewer: those that are equal in the first ``match`` field that is a text."""
        texts = (f.name for f in self.matching if isinstance(wanted.get(f.name), str) and not f.normal)
        name = next((name for name in texts if name not in self.scope.values()), None)
        if name is None:
            return inventory.list(self.type, **scope)
        return inventory.index(self.type, name, lambda one: [str(one.get(name))], **scope).get(wanted[name], ())

    def occupied(self, cloud: Cloud, id_: str) -> str | None:
        """What of others would go with it if it were removed, or None."""
        return None

    def clash(self, found: Wire, wanted: Wire, source: Wire) -> Sequence[str]:
        """Fields in which an existing counterpart differs so much that it cannot stand in."""
        return []

    @property
    def plural(self) -> str:
        """What people call several of them."""
        return f"{self.type.replace('_', ' ')}s"

    # -- what comes from the table --------------------------------------------------------------------------
    @property
    def matching(self) -> tuple[Field, ...]:
        """The fields that recognise a counterpart."""
        return tuple(field for field in self.fields if field.match)

    def references(self, resource: Wire) -> Iterator[tuple[str, str]]:
        """(type, id) of all that must be in the destination before this one can be made."""
        for field in self.fields:
            if field.to and not field.loose:
                for id_ in field.references(resource.get(field.name)):
                    yield (field.to, id_)

    def translate(self, resource: Wire, lookup: Lookup) -> Wire:
        """The resource as the destination should show it: carried values, and references replaced."""
        wanted = {}
        lookup = self.resolver(resource, lookup)
        for field in self.every_field(resource):
            if field.how != "report" and field.name in resource:
                wanted[field.name] = field.translate(resource[field.name], lookup)
        return wanted

    def body(self, wanted: Wire, extensions: set[str] | None = None) -> Wire:
        """What of ``wanted`` goes into the request that makes it."""
        body = {}
        for field in self.every_field(wanted):
            if field.name not in wanted or not field.post:
                continue
            if field.extension and extensions is not None and field.extension not in extensions:
                continue
            if field.omit_null and wanted[field.name] is None:
                continue
            body[field.name] = wanted[field.name]
        return body

    def losses(self, resource: Wire) -> Iterator[tuple[str, Any, str]]:
        """(field, value, reason) of what holds something of worth and will not be carried."""
        for field in self.every_field(resource):
            value = resource.get(field.name)
            if field.how == "report" and field.worth and field.worth(value):
                yield field.name, "(hidden)" if field.secret else value, field.doc

    def compare(
        self, source: Wire, destination: Wire, lookup: Lookup, *, later: bool = False
    ) -> Sequence[FieldVerdict]:
        """What became of each field, for the report. ``later``: some time after the move.

        A ``lookup`` that is a ``Counterparts`` knows the names that differ between the clouds, too.
        """
        names = lookup.names if isinstance(lookup, Counterparts) else Names()
        lookup = self.resolver(source, lookup)
        return [
            self._judge(
                field,
                source.get(field.name),
                destination.get(field.name),
                self._expected(field, source, lookup, names),
                lookup,
            )
            for field in self.every_field({**destination, **source})
            if (field.name in source or field.name in destination) and not (later and field.fleeting)
        ]

    def every_field(self, resource: Wire) -> Iterator[Field]:
        """The table, and then an entry for each field of this resource that the table does not know."""
        yield from self.fields
        known = {field.name for field in self.fields}
        for name in sorted(set(resource) - known):
            yield self.other(name)

    def other(self, name: str) -> Field:
        """How a field outside the table is treated."""
        if self.others == "carry":
            return Field(name, "carry", "added by a user")
        return Field(name, "report", "unknown to this release of Pumphouse", worth=some)

    def _expected(self, field: Field, source: Wire, lookup: Lookup, names: Names) -> Any:
        """The value that the destination should show."""
        value = source.get(field.name)
        if field.how == "map":
            return field.translate(value, lookup)
        return names.value(field.names or (self.renamed(source) if field.name == "name" else None), value)

    def _judge(self, field: Field, source: Any, destination: Any, expected: Any, lookup: Lookup) -> FieldVerdict:
        # A reference without counterpart has become None, which is no match for the destination's null.
        lost = field.to and any(lookup(field.to, id_) is None for id_ in field.references(source))
        same = not lost and field.same(expected, destination)
        # A value that was never set and cannot be asked for: the destination's own "nothing" is the same.
        same = same or (field.omit_null and source is None and not destination)
        worth = field.how != "report" or bool(field.worth and field.worth(source))
        if field.secret:
            source, destination = _hidden(source), _hidden(destination)
        if field.how == "report" and field.name != "id":
            verdict, reason = ("equal", "") if same else ("not carried", field.doc)
        elif same:
            verdict, reason = ("mapped" if expected != source else "equal"), ""
        elif field.how == "keep" or field.name == "id":
            verdict, reason = "mapped", field.doc
        elif field.loose:
            verdict = "not carried"
            reason = f"the {field.to} is not in the destination" if field.to else field.doc
        else:
            verdict, reason = "differs", field.doc
        return FieldVerdict(field.name, verdict, source, destination, reason, worth)


def _hidden(value: Any) -> str | None:
    return "(hidden)" if value else None
