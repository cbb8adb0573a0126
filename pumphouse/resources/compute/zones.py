"""Availability zones: a name is carried where the destination knows it."""

from __future__ import annotations

from pumphouse.clouds.cloud import Cloud


def zones(cloud: Cloud, service: str, usable: bool = True) -> set[str]:
    """Names of the availability zones of a service: "compute" or "volume"; ``usable``: only of those that are up."""
    if service == "compute":
        found = cloud.compute.availability_zones.list(detailed=False)
    else:
        found = cloud.volume.availability_zones.list()
    return {zone.zoneName for zone in found if zone.zoneState.get("available") or not usable}


def known_zone(cloud: Cloud, service: str, name: str | None) -> str | None:
    """The name, if the destination has such a zone; else None, and the service chooses."""
    return name if name and name in zones(cloud, service) else None
