"""What a project has that Pumphouse does not move yet: named one by one, never passed over in silence."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import explain, is_missing
from pumphouse.planning.plan import Item
from pumphouse.resources.base import Wire
from pumphouse.resources.network.router_interface import OWNERS

#: Services of the catalogue whose resources are looked at; all others are named as a whole.
KNOWN_SERVICES = {
    "identity", "image", "compute", "network", "placement", "metering", "cloudformation",
    "volume", "volumev2", "volumev3", "block-storage", "block-store",
}  # fmt: skip


#: Where Cinder shows the project of a snapshot or backup.
PROJECT_OF = ("os-extended-snapshot-attributes:project_id", "os-backup-project-attr:project_id")


@dataclasses.dataclass(frozen=True)
class Unmoved:
    """A type that is only named."""

    type: str
    list: Callable[[Cloud, str], Iterable[Wire]]
    name: Callable[[Wire], str] = lambda resource: str(resource.get("name") or resource["id"])
    reason: str = "Pumphouse does not carry this yet"


def _foreign_routers(cloud: Cloud, project: str) -> Iterator[Wire]:
    """Interfaces that routers of other projects have in networks of this one: connections that nobody moves."""
    networks = {network["id"]: network for network in cloud.network.list("networks", project_id=project)}
    for port in _interfaces(cloud, list(networks)):
        router = cloud.network.get("routers", port["device_id"])
        if router and router["project_id"] != project:
            network = networks[port["network_id"]]
            yield {"id": f"{router['id']}/{network['id']}", "name": f"{router['name']} in network {network['name']}"}


def _interfaces(cloud: Cloud, networks: list[str]) -> Iterator[Wire]:
    """Of routers, a hundred networks a request (the ids go into the URL)."""
    for start in range(0, len(networks), 100):
        yield from cloud.network.list("ports", network_id=networks[start : start + 100], device_owner=list(OWNERS))


def _volume(manager: str) -> Callable[[Cloud, str], Iterable[Wire]]:
    def listed(cloud: Cloud, project: str) -> Iterator[Wire]:
        found = getattr(cloud.volume, manager).list(search_opts={"all_tenants": 1, "project_id": project})
        for wire in (thing.to_dict() for thing in found):
            # Releases differ in whether the filter counts for administrators.
            owners = {wire.get(field, project) for field in PROJECT_OF}
            if owners == {project}:
                yield wire

    return listed


UNMOVED = (
    Unmoved("router of another project", _foreign_routers),
    Unmoved(
        "volume snapshot",
        _volume("volume_snapshots"),
        # See VolumeSnapshot.
        reason="Cinder cannot safely give a volume older contents; to keep it, make a volume from it in the source",
    ),
    Unmoved(
        "backup",
        _volume("backups"),
        reason="lies in the source's backup storage: to keep it, restore it to a volume in the source",
    ),
)


def not_carried(cloud: Cloud, projects: Iterable[str], note: Callable[[str], None]) -> list[Item]:
    """Each resource of these projects that no unit will carry. What could not be looked at goes to ``note``."""
    items = []
    for project in projects:
        for kind in UNMOVED:
            try:
                found = list(kind.list(cloud, project))
            except Exception as error:
                # An extension that the source does not have has nothing to lose either.
                if not is_missing(error):
                    note(f"Could not look for any {kind.type} in the source: {explain(error)}")
                continue
            items += [Item(kind.type, str(r["id"]), kind.name(r), "skip", kind.reason) for r in found]
    return items


def other_services(cloud: Cloud) -> list[str]:
    """Service types in the source's catalogue that Pumphouse does not look into."""
    return sorted(set(cloud.access.service_catalog.get_endpoints()) - KNOWN_SERVICES)
