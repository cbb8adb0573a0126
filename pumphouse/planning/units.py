"""Sorts the items of a plan into units: parts that succeed or are undone as a whole."""

from __future__ import annotations

import collections

from pumphouse.planning.discovery import Found, Key
from pumphouse.planning.order import in_order
from pumphouse.planning.plan import Item, Unit
from pumphouse.resources.compute.server import ports_in_order
from pumphouse.resources.registry import TYPES
from pumphouse.resources.volume.volume import in_server

IDENTITY = ("domain", "project", "role", "implied_role", "user", "group", "membership", "assignment")
#: Of those, what only connects others and is needed by nothing.
LINKS = ("implied_role", "membership", "assignment")


def make_units(items: list[Item], found: Found) -> list[Unit]:
    """Units in an order in which they can run."""
    by_key = {item.key: item for item in items}
    home = {**_identity(items, by_key), **_security_groups(items, found)}
    units: dict[str, Unit] = {}
    for item in items:
        name, kind, title = home.get(item.key) or _home(item, found)
        unit = units.setdefault(name, Unit(name, kind, title))
        if item.type == kind:
            unit.title = title
        unit.items.append(item)
    for unit in units.values():
        if unit.kind == "server":
            _order_ports(unit, found)
    _connect(units)
    return [units[name] for name in in_order({unit.name: unit.needs for unit in units.values()})]


def _identity(items: list[Item], by_key: dict[Key, Item]) -> dict[Key, tuple[str, str, str]]:
    """Each project with the people on it; who works on several projects goes with the first of them.

    Every project claims what it needs before the next one does, so that units need only earlier ones.
    """
    home: dict[Key, tuple[str, str, str]] = {}
    #: The places, and which of them came first.
    order: dict[tuple[str, str, str], int] = {}
    links: collections.defaultdict[Key, list[Key]] = collections.defaultdict(list)
    for item in items:
        for need in item.needs if item.type in LINKS else ():
            links[need].append(item.key)

    def claim(key: Key, place: tuple[str, str, str]) -> list[Key]:
        """All that is claimed with it."""
        if key not in by_key or key in home or key[0] not in IDENTITY:
            return []
        claimed = [one for need in by_key[key].needs for one in claim(need, place)]
        home[key] = place
        return [*claimed, key]

    for project in (item for item in items if item.type == "project"):
        place = (f"identity:{project.id}", "identity", f"identity of {project.name}")
        order[place] = len(order)
        new = claim(project.key, place)
        for key in links[project.key]:
            new += claim(key, place)
        # Then members of the groups, and what the roles imply, from role to role.
        for key in new:
            for link in links[key] if key[0] in ("group", "role") else ():
                if link[0] != "assignment":
                    new += claim(link, place)
    for item in (item for item in items if item.type in IDENTITY and item.key not in home):
        places = [home.get(need) for need in item.needs if need in by_key]
        if item.type in LINKS and places and all(places):
            # With the last of what it connects, so that units still need only earlier ones.
            place = max((place for place in places if place), key=order.__getitem__)
        else:
            place = (f"identity:{item.type}:{item.id}", "identity", f"{item.type.replace('_', ' ')} {item.name}")
            order[place] = len(order)
        claim(item.key, place)
    return home


def _security_groups(items: list[Item], found: Found) -> dict[Key, tuple[str, str, str]]:
    """The groups of a project with their rules; of several projects where rules refer across, maybe both ways."""
    project = {i.id: found.resources[i.key]["project_id"] for i in items if i.type == "security_group"}
    rules = {
        item.key: [id_ for kind, id_ in item.needs if kind == "security_group" and id_ in project]
        for item in items
        if item.type == "security_group_rule"
    }
    for groups in rules.values():
        together = sorted({project[group] for group in groups})
        if len(together) > 1:
            project = {group: together[0] if owner in together else owner for group, owner in project.items()}
    owners = {("security_group", group): owner for group, owner in project.items()}
    # A rule may be of another project than its group: an administrator's.
    owners |= {rule: project[groups[0]] for rule, groups in rules.items() if groups}
    return {
        key: (f"security_groups:{owner}", "security_groups", _of_project("security groups", owner, found))
        for key, owner in owners.items()
    }


def _home(item: Item, found: Found) -> tuple[str, str, str]:
    """(name, kind, title) of the unit that an item belongs to."""
    resource = found.resources[item.key]
    title = f"{item.type.replace('_', ' ')} {item.name}"
    server = None
    if item.type == "volume" and len(resource.get("attachments") or ()) == 1:
        server = in_server(resource)
    elif item.type == "port":
        server = resource.get("device_id")
    if server and ("server", server) in found.resources:
        return f"server:{server}", "server", title
    if item.type == "keypair":
        user = found.resources.get(("user", resource["user_id"]), {}).get("name", resource["user_id"])
        return f"keypairs:{resource['user_id']}", "keypairs", f"key pairs of {user}"
    if item.type == "credential":
        user = found.resources.get(("user", resource["user_id"]), {}).get("name", resource["user_id"])
        return f"credentials:{resource['user_id']}", "credentials", f"credentials of {user}"
    type_ = TYPES[item.type]
    if type_.unit == "quotas":
        title = _of_project("quotas", item.id, found)
    if item.type == "trunk":
        # Its port must not be in use yet: made before the port's server boots.
        server = found.resources.get(("port", resource["port_id"]), {}).get("device_id")
        if server and ("server", server) in found.resources:
            return f"server:{server}", "server", title
    if type_.home:
        return f"{type_.unit}:{resource[type_.home]}", type_.unit, title
    return f"{item.type}:{item.id}", type_.unit, title


def _of_project(what: str, project: str, found: Found) -> str:
    name = found.resources.get(("project", project), {}).get("name", project)
    return f"{what} of {name}"


def _order_ports(unit: Unit, found: Found) -> None:
    """A server's ports in the order in which its guest sees them; everything else stays."""
    server = found.resources.get(("server", unit.name.partition(":")[2]))
    ports = [item for item in unit.items if item.type == "port"]
    if server is None:
        return
    order = [port["id"] for port in ports_in_order(server, [found.resources[p.key] for p in ports])]
    ports.sort(key=lambda item: order.index(item.id))
    unit.items = ports + [item for item in unit.items if item.type != "port"]


def _connect(units: dict[str, Unit]) -> None:
    """What a unit's items need decides what the unit needs."""
    home = {item.key: unit.name for unit in units.values() for item in unit.items}
    for unit in units.values():
        needs = [home[need] for item in unit.items for need in item.needs if need in home]
        unit.needs = [name for name in dict.fromkeys(needs) if name != unit.name]
    _quotas_first(units)


def _quotas_first(units: dict[str, Unit]) -> None:
    """A project's limits are set before anything is made that counts: the destination's own may be too small.

    Limits in conflict hold nothing up: the destination's own are left.
    """
    quotas = {unit.name: unit for unit in units.values() if unit.kind == "quotas" and unit.action != "conflict"}
    before: set[str] = set()
    wave = set(quotas)
    while wave:
        before |= wave
        wave = {need for name in wave for need in units[name].needs} - before
    for unit in units.values():
        if unit.name in before or unit.kind == "quotas":
            continue
        of = [f"quotas:{id_}" for item in unit.items for kind, id_ in item.needs if kind == "project"]
        unit.needs += [name for name in dict.fromkeys(of) if name in quotas]
