"""What differs between the releases that an embedded cloud can be."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Release:
    """One release of OpenStack, as far as clients can tell it."""

    name: str
    #: Newest microversions.
    compute: tuple[int, int]
    volume: tuple[int, int]
    placement: tuple[int, int]
    #: Newest minor versions of the APIs without microversions.
    identity: str
    image: str
    #: What answers to Neutron: "linuxbridge" or "ovn". They differ in extensions and defaults.
    network: str


#: The two of the lab: see docs/lab.md.
RELEASES = {
    "zed": Release("zed", (2, 93), (3, 70), (1, 39), "v3.14", "v2.15", "linuxbridge"),
    "2026.1": Release("2026.1", (2, 103), (3, 71), (1, 39), "v3.14", "v2.17", "ovn"),
}
