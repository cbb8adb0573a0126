"""Names that the operator maps for one plan: read, checked against both clouds, laid over the configured ones."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence

from pumphouse.clouds.cloud import Cloud
from pumphouse.config import ROLES, Role
from pumphouse.errors import Refusal
from pumphouse.names import KINDS, suggestion
from pumphouse.resources.compute.zones import zones
from pumphouse.resources.inventory import Inventory

Mappings = Mapping[str, Mapping[str, str]]
#: Where the choice stands, for complaints.
CHOICE = "selection.mappings"
#: Kinds whose names are those of a type of resource that is the whole cloud's.
TYPE_OF = {"domains": "domain", "roles": "role", "flavors": "flavor", "volume_types": "volume_type"}
#: Where Neutron tells the physical network of a network.
PHYSICAL = "provider:physical_network"
#: Nobody tells all names of this kind: those of no network, and of no agent that says so, may be there.
UNTOLD = frozenset(("physical_networks",))


def parse(texts: Iterable[str]) -> dict[str, dict[str, str]]:
    """Of "flavors:m1.small=s2.small", as the commands take them: by kind. Raises Refusal."""
    found: dict[str, dict[str, str]] = {}
    for text in texts:
        kind, colon, names = text.partition(":")
        source, equals, destination = names.partition("=")
        if not (colon and equals and source and destination):
            raise Refusal("write KIND:SOURCE=DESTINATION, as in flavors:m1.small=s2.small", choice=CHOICE, value=text)
        known = found.setdefault(refuse_kind(kind, text), {})
        if known.setdefault(source, destination) != destination:
            raise Refusal(f"{source!r} is mapped to {known[source]!r}, too: name one", choice=CHOICE, value=text)
    return found


def refuse_kind(kind: str, value: str | None = None) -> str:
    """The kind, if it is one. Raises Refusal; ``value``: what it stood in."""
    if kind not in KINDS:
        near = difflib.get_close_matches(kind, KINDS, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise Refusal(
            f"{kind!r} is no kind of names", f"{hint}there are {', '.join(KINDS)}", choice=CHOICE, value=value or kind
        )
    return kind


def laid_over(configured: Mappings | None, chosen: Mappings) -> dict[str, dict[str, str]]:
    """The configured names, and those of one plan, which count for more."""
    merged = {kind: dict(names) for kind, names in (configured or {}).items()}
    for kind, names in chosen.items():
        merged[kind] = {**merged.get(kind, {}), **names}
    return merged


def refuse_unknown(chosen: Mappings, names: Callable[[Role, str], Sequence[str]]) -> None:
    """Raises Refusal for the first name that its cloud does not have, with what may have been meant.

    ``names``: the names of a kind that a cloud has, see ``names_of``; asked once for each kind that is mapped.
    """
    for kind, pairs in chosen.items():
        refuse_kind(kind)
        known = {role: names(role, kind) for role in ROLES} if pairs else {}
        for pair in pairs.items():
            for role, name in zip(ROLES, pair, strict=True):
                if name not in known[role] and not (kind in UNTOLD and role == "destination"):
                    raise Refusal(
                        f"the {role} has no {_one(kind)} {name!r}",
                        suggestion(name, known[role]),
                        choice=f"{CHOICE}.{kind}",
                        value="=".join(pair),
                    )


def names_of(inventory: Inventory, kind: str) -> list[str]:
    """The names of a kind that a cloud has and that can be mapped, each once, sorted."""
    return sorted(set(_READ.get(kind, _of_type)(inventory, kind)))


def _one(kind: str) -> str:
    return kind.removesuffix("s").replace("_", " ")


def _of_type(inventory: Inventory, kind: str) -> list[str]:
    return [one["name"] for one in inventory.list(TYPE_OF[kind]) if one.get("name")]


def _networks(inventory: Inventory, _kind: str) -> list[str]:
    """Those of the whole cloud: external, or for every project."""
    external = inventory.list("network", **{"router:external": True})
    shared = [one for one in inventory.list("network", shared=True) if one.get("shared")]
    return [one["name"] for one in (*external, *shared) if one.get("name")]


def _zones(inventory: Inventory, _kind: str) -> list[str]:
    """Of servers, volumes and network agents. Of the source also those in which nothing new can be made just now."""
    cloud = inventory.cloud
    usable = cloud.role == "destination"
    return [*zones(cloud, "compute", usable), *zones(cloud, "volume", usable), *_network_zones(cloud)]


def _network_zones(cloud: Cloud) -> list[str]:
    if "availability_zone" not in cloud.network.extensions():
        return []
    return [zone["name"] for zone in cloud.network.list("availability_zones") if zone.get("name")]


def _physical_networks(inventory: Inventory, _kind: str) -> list[str]:
    """Those that networks lie on, and that agents say they are connected to."""
    cloud = inventory.cloud
    networks = inventory.list("network")
    parts = [*networks, *(segment for network in networks for segment in network.get("segments") or ())]
    found = [str(part[PHYSICAL]) for part in parts if part.get(PHYSICAL)]
    for agent in cloud.network.list("agents") if "agent" in cloud.network.extensions() else ():
        said = agent.get("configurations") or {}
        for name in ("bridge_mappings", "interface_mappings"):
            found += list(said.get(name) or ())
        # OVN's agents say it in one text: "physnet1:br-ex,physnet2:br-two".
        found += [pair.partition(":")[0] for pair in str(said.get("bridge-mappings") or "").split(",") if pair]
    return found


_READ: dict[str, Callable[[Inventory, str], list[str]]] = {
    "networks": _networks,
    "availability_zones": _zones,
    "physical_networks": _physical_networks,
}
