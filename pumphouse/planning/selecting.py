"""From what the operator named to the resources a migration starts from."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from shlex import quote

from pumphouse.errors import Refusal
from pumphouse.planning.plan import Selection
from pumphouse.resources.base import Wire
from pumphouse.resources.inventory import Inventory

#: Projects that hold the cloud's own accounts: never part of ``--all``.
SERVICE_PROJECTS = ("service", "services")
#: The field in which Nova tells administrators where a server lives.
HOST = "OS-EXT-SRV-ATTR:host"
#: Resources that are named without their project: attribute of Selection, type.
SINGLES = (
    ("servers", "server"),
    ("images", "image"),
    ("volumes", "volume"),
    ("users", "user"),
    ("flavors", "flavor"),
    ("networks", "network"),
)


def roots(selection: Selection, source: Inventory) -> Iterator[tuple[str, Wire]]:
    """(type, resource) of each thing that was named.

    Raises Refusal for a name that is unknown or stands for several things, with the candidates.
    """
    domain = _domain(selection, source)
    if selection.tenant:
        found = source.list("project", **({"domain_id": domain["id"]} if domain else {}))
        yield "project", _one("tenant", "project", selection.tenant, found, source)
    if selection.all:
        for project in source.list("project"):
            if project["name"] not in SERVICE_PROJECTS and project["id"] != source.cloud.project_id:
                yield "project", project
    for attribute, type_ in SINGLES:
        for name in getattr(selection, attribute):
            found = source.list(type_, **({"domain_id": domain["id"]} if domain and type_ == "user" else {}))
            yield type_, _one(attribute, type_, name, found, source)
    for host in selection.hosts:
        yield from (("server", server) for server in _living_on(host, source))


def _living_on(host: str, source: Inventory) -> list[Wire]:
    """The servers of a host. Raises Refusal where there are none: the name may be wrong."""
    servers = source.list("server")
    found = [server for server in servers if server.get(HOST) == host]
    if not found:
        names = sorted({str(server[HOST]) for server in servers if server.get(HOST)})
        near = sorted(difflib.get_close_matches(host, names, n=5, cutoff=0.5)) or names[:10]
        hint = f"servers live on {', '.join(map(quote, near))}" if near else "no server of it tells where it lives"
        raise Refusal("no server of the source lives there", hint, choice="selection.hosts", value=host)
    return found


def _domain(selection: Selection, source: Inventory) -> Wire | None:
    if not selection.domain:
        return None
    return _one("domain", "domain", selection.domain, source.list("domain"), source)


def _one(attribute: str, type_: str, name: str, candidates: list[Wire], source: Inventory) -> Wire:
    choice = f"selection.{attribute}"
    for candidate in candidates:
        if candidate["id"] == name:
            return candidate
    named = [candidate for candidate in candidates if candidate.get("name") == name]
    if len(named) == 1:
        return named[0]
    if named:
        which = "; ".join(_describe(type_, candidate, source) for candidate in named)
        remedy = "domain" if type_ in ("project", "user") else "id"
        raise Refusal(f"is ambiguous in the source: {which}", choice=choice, value=name, remedy=remedy)
    raise Refusal(f"the source has no such {type_}", _near(name, candidates), choice=choice, value=name)


def _describe(type_: str, candidate: Wire, source: Inventory) -> str:
    owner = candidate.get("tenant_id") or candidate.get("project_id") or candidate.get("owner")
    if type_ in ("project", "user"):
        domain = source.get("domain", candidate["domain_id"])
        return f"{candidate['id']} in domain {domain['name'] if domain else candidate['domain_id']!r}"
    project = source.get("project", owner) if owner else None
    return f"{candidate['id']}" + (f" of {project['name']}" if project else "")


def _near(name: str, candidates: list[Wire]) -> str:
    """Those that look alike first; a few others if none does."""
    names = sorted({candidate.get("name") or candidate["id"] for candidate in candidates})
    if not names:
        return "it has none at all"
    near = difflib.get_close_matches(name, names, n=5, cutoff=0.5)
    if near:
        return "did you mean " + " or ".join(quote(n) for n in near)
    shown = ", ".join(quote(n) for n in names[:10])
    return f"it has {shown}" + (f" and {len(names) - 10} more" if len(names) > 10 else "")
