"""What a cloud holds, read once, in bulk, and remembered for the time of one plan."""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Protocol

from pumphouse.clouds.cloud import Cloud
from pumphouse.resources.fields import Wire, Wires


class Listed(Protocol):
    """What of a resource type is needed here."""

    @property
    def plural(self) -> str:
        """What people call several of them."""

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """All in a scope."""

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One of them."""

    def id(self, resource: Wire) -> str:
        """What identifies it."""


class Inventory:
    """Lists of a cloud's resources by type and scope; each is fetched at most once."""

    def __init__(self, cloud: Cloud, types: Mapping[str, Listed], say: Callable[[str], None] = lambda _: None) -> None:
        """``say`` is told what is being read."""
        self.cloud = cloud
        self._types = types
        self._say = say
        self._lists: dict[tuple[Any, ...], Wires] = {}
        self._indexes: dict[tuple[Any, ...], Mapping[Hashable, Wires]] = {}
        self._single: dict[tuple[str, str], Wire | None] = {}
        self._lock = threading.RLock()

    def list(self, type_: str, **scope: Any) -> Wires:
        """All resources of a type in a scope; see :meth:`ResourceType.list`."""
        key = (type_, *sorted(scope.items()))
        with self._lock:
            if key not in self._lists:
                self._say(f"reading the {self.cloud.role}: {self._types[type_].plural}")
                found = self._types[type_].list(self.cloud, **scope)
                self._lists[key] = found
                self.remember(type_, found)
            return self._lists[key]

    def index(
        self, type_: str, name: str, keys: Callable[[Wire], Iterable[Hashable]], **scope: Any
    ) -> Mapping[Hashable, Wires]:
        """A list's resources by what ``keys`` gives of each; ``name`` is the index's own within the type."""
        place = (type_, name, *sorted(scope.items()))
        with self._lock:
            if place not in self._indexes:
                found: collections.defaultdict[Hashable, Wires] = collections.defaultdict(list)
                for resource in self.list(type_, **scope):
                    for key in keys(resource):
                        found[key].append(resource)
                self._indexes[place] = dict(found)
            return self._indexes[place]

    def remember(self, type_: str, resources: Wires) -> None:
        """Keep resources that were found in another way."""
        for resource in resources:
            self._single[type_, self._types[type_].id(resource)] = resource

    def knows(self, type_: str, id_: str) -> bool:
        """Whether :meth:`get` would answer without a request."""
        return (type_, id_) in self._single

    def get(self, type_: str, id_: str) -> Wire | None:
        """One resource: from a list that was read already, else by a request of its own."""
        with self._lock:
            if (type_, id_) not in self._single:
                self._single[type_, id_] = self._types[type_].get(self.cloud, id_)
            return self._single[type_, id_]
