"""Decides for each resource what becomes of it: made, used as it is there, in the way, or left out."""

from __future__ import annotations

import collections

from pumphouse.names import Names, suggestion
from pumphouse.planning.discovery import Found, Key
from pumphouse.planning.order import in_order
from pumphouse.planning.plan import Action, Item, Loss
from pumphouse.planning.prefetch import prefetch
from pumphouse.resources.base import EVERYONE, ResourceType, Wire
from pumphouse.resources.inventory import Inventory
from pumphouse.resources.registry import TYPES
from pumphouse.store import Mapping
from pumphouse.store.store import Store


class Matcher:
    """Compares what was found in the source with what the destination has, in the order of references."""

    def __init__(
        self, source: Inventory, destination: Inventory, store: Store, pair: str, names: Names | None = None
    ) -> None:
        """``pair`` names the two clouds in the database; ``names``: those that differ between them."""
        self.names = names or Names()
        self.source = source
        self.destination = destination
        self.mapped = {(row.type, row.source_id): row for row in store.mappings(pair)}
        self.counterpart: dict[Key, str] = {}
        self.items: dict[Key, Item] = {}

    def match(self, found: Found) -> list[Item]:
        """An item for each resource; what it refers to comes before it."""
        prefetch(self.destination, {key: row.destination_id for key, row in self.mapped.items()}, found)
        for key in in_order(found.needs):
            self.items[key] = self._item(key, found)
        self._leave_companions()
        return list(self.items.values())

    def _leave_companions(self) -> None:
        """What is made only along with something else is left out where that is not made."""
        followers: collections.defaultdict[Key, list[Key]] = collections.defaultdict(list)
        for item in self.items.values():
            for need in item.needs:
                followers[need].append(item.key)
        for item in reversed(list(self.items.values())):
            leader = TYPES[item.type].only_with
            if leader is None or item.action not in ("create", "conflict"):
                continue
            actions = {self.items[key].action for key in (*followers[item.key], *item.needs) if key[0] == leader}
            if "create" not in actions and (item.action, "conflict") != ("conflict", *(actions & {"conflict"})):
                reason = f"made only along with its {leader.replace('_', ' ')}, and the destination's keeps its own"
                item.action, item.reason, item.bytes, item.losses = "skip", reason, 0, []

    def _item(self, key: Key, found: Found) -> Item:
        type_, resource = TYPES[key[0]], found.resources[key]
        action, reason, there = self._decide(key, type_, resource, found)
        if there is not None:
            self.counterpart[key] = there
        # A reference to a project that is not moved is no reason to move it.
        needs = [need for need in found.needs[key] if need in found.resources]
        item = Item(
            key[0], key[1], type_.name(resource, self._named), action, reason, destination_id=there, needs=needs
        )
        if (kind := type_.renamed(resource)) and resource.get("name"):
            item.mapping = [kind, resource["name"]]
        if action == "create":
            item.bytes = type_.size(resource)
            item.losses = [Loss(*loss) for loss in type_.losses(resource)]
            item.losses += [Loss(*loss) for loss in type_.losses_there(resource, self._there, self.destination)]
            item.losses += [
                Loss(kind, id_, "the source does not have it any more") for kind, id_ in found.gone.get(key, ())
            ]
        return item

    def _decide(self, key: Key, type_: ResourceType, resource: Wire, found: Found) -> tuple[Action, str, str | None]:
        """(action, reason, id of the counterpart)."""
        row = self.mapped.get(key)
        other = self.names.mapped(type_.renamed(resource), resource.get("name"))
        if row and (there := self.destination.get(key[0], row.destination_id)) and _stands(row, there, other):
            origin = f"moved by migration {row.migration_id}" if row.created else "is there already"
            if other and there.get("name") != other:
                origin += f", which counts for more than that it is mapped to {other!r}"
            return "reuse", origin, row.destination_id
        if why := self._unreachable(type_, resource, found):
            return "skip", why, None
        blocked = [need for need in found.needs[key] if self._action(need) in ("conflict", "skip")]
        if blocked:
            return "conflict", "needs " + ", ".join(self._title(need) for need in blocked), None
        if dangling := found.dangling.get(key):
            gone = ", ".join(f"{kind.replace('_', ' ')} {id_}" for kind, id_ in dangling)
            return "conflict", f"refers to what the source does not have any more: {gone}", None
        whole = all(need in self.counterpart for need in found.needs[key])
        if whole or other:
            wanted = type_.translate(resource, lambda kind, id_: self.counterpart.get((kind, id_)))
            if other:
                wanted["name"] = other
            if whole and (existing := type_.find(self.destination, wanted, resource)):
                return self._use(type_, existing, wanted, resource)
            if other:
                return self._use_named(type_, other, wanted, resource)
        if why := type_.leave(resource, self._made):
            return "skip", why, None
        if why := type_.hindrance(resource, self._there, self.destination):
            return "conflict", why, None
        if why := type_.obstacle(resource, self.source, self.destination):
            return "conflict", why, None
        again = f", made by migration {row.migration_id} but gone since" if row and row.created else ""
        return "create", f"not in the destination{again}", None

    def _use(self, type_: ResourceType, existing: Wire, wanted: Wire, source: Wire) -> tuple[Action, str, str | None]:
        there = type_.id(existing)
        if different := type_.clash(existing, wanted, source):
            secret = {field.name for field in type_.fields if field.secret}
            fields = "; ".join(
                f"{name} is another there"
                if name in secret
                else f"{name} is {existing.get(name)!r} there, {wanted.get(name, source.get(name))!r} here"
                for name in different
            )
            return "conflict", f"{there} stands in its place in the destination: {fields}", None
        return "reuse", "is there already", there

    def _use_named(self, type_: ResourceType, name: str, wanted: Wire, source: Wire) -> tuple[Action, str, str | None]:
        """What the configuration names: it counts for more than whose it is, if there is one of that name only."""
        listed = self.destination.list(type_.type)
        found = [one for one in listed if one.get("name") == name]
        if len(found) == 1:
            return self._use(type_, found[0], wanted, source)
        if found:
            return "conflict", f"is mapped to {name!r}, and the destination has {len(found)} of that name", None
        hint = suggestion(name, (one["name"] for one in listed if one.get("name")))
        return (
            "conflict",
            f"is mapped to {name!r} (mappings.{type_.mapping}), which the destination does not have; {hint}",
            None,
        )

    def _unreachable(self, type_: ResourceType, resource: Wire, found: Found) -> str | None:
        """Shares with a project that neither moves nor exists there are left out."""
        guest = getattr(type_, "guest", None)
        if not guest or not resource[guest] or resource[guest] == EVERYONE:
            return None
        project = ("project", resource[guest])
        if project in found.resources:
            return None
        if there := self._find_project(resource[guest]):
            self._add_guest(project, there, found)
            return None
        return "its project is not in the destination; move that too, then run this again"

    def _add_guest(self, key: Key, there: str, found: Found) -> None:
        """A project that does not move but is there already takes part in the plan, so that it is mapped."""
        project = self.source.get(*key)
        assert project is not None  # noqa: S101 (it was found by its name a moment ago)
        found.resources[key], found.needs[key] = project, []
        self.counterpart[key] = there
        self.items[key] = Item(*key, project["name"], "reuse", "is there already", destination_id=there)

    def _find_project(self, id_: str) -> str | None:
        row = self.mapped.get(("project", id_))
        if row and self._exists("project", row.destination_id):
            return str(row.destination_id)
        project = self.source.get("project", id_)
        if project is None:
            return None
        domain = self.source.get("domain", project["domain_id"])
        if domain is None:
            return None
        twin = next((d for d in self.destination.list("domain") if d["name"] == domain["name"]), None)
        if twin is None:
            return None
        names = self.destination.list("project", domain_id=twin["id"])
        return next((other["id"] for other in names if other["name"] == project["name"]), None)

    def _made(self, type_: str, id_: str) -> bool:
        """Whether Pumphouse makes this, or has made it."""
        row = self.mapped.get((type_, id_))
        return self._action((type_, id_)) == "create" or bool(row and row.created)

    def _named(self, type_: str, id_: str) -> str:
        resource = self.source.get(type_, id_)
        return TYPES[type_].name(resource) if resource else id_

    def _there(self, type_: str, id_: str) -> str | None:
        return self.counterpart.get((type_, id_))

    def _exists(self, type_: str, id_: str) -> bool:
        return self.destination.get(type_, id_) is not None

    def _action(self, key: Key) -> Action | None:
        item = self.items.get(key)
        return item.action if item else None

    def _title(self, key: Key) -> str:
        item = self.items[key]
        return f"{item.type.replace('_', ' ')} {item.name}"


def _stands(row: Mapping, there: Wire, other: str | None) -> bool:
    """Whether what an earlier migration used is used again: what it made is, what it found where no other is named."""
    return bool(row.created) or other is None or there.get("name") == other
