"""Puts things behind what they need."""

from __future__ import annotations

import graphlib
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def in_order(needs: Mapping[T, Iterable[T]]) -> list[T]:
    """The keys, each after those of its needs that are keys too; otherwise in the order given.

    Raises graphlib.CycleError (a ValueError) if they go round in a circle.
    """
    place = {key: index for index, key in enumerate(needs)}
    sorter = graphlib.TopologicalSorter({key: [n for n in wanted if n in place] for key, wanted in needs.items()})
    sorter.prepare()
    ordered: list[T] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=place.__getitem__)
        ordered += ready
        sorter.done(*ready)
    return ordered
