"""Snapshots of volumes (Block Storage API v3, ``/snapshots``): ours only, made to read a volume and removed again.

A tenant's own are named in ``planning.not_carried``: a volume with older contents cannot be made safely. Cinder's
os-reimage would rewrite a volume between two snapshots, but on NFS (2026.1) the snapshot then shows the new bytes.
"""

from __future__ import annotations

from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing, or_none
from pumphouse.resources.base import ResourceType, Wire, Wires
from pumphouse.resources.fields import report
from pumphouse.resources.inventory import Inventory

STAYS = "a snapshot stays where its volume is"


class VolumeSnapshot(ResourceType):
    """A snapshot of a volume; never part of a plan."""

    type = "volume_snapshot"
    unit = "volume"
    fields = (
        report("id", STAYS),
        report("name", STAYS),
        report("description", STAYS),
        report("volume_id", STAYS),
        report("size", STAYS),
        report("status", STAYS),
        report("metadata", STAYS),
        report("user_id", STAYS),
        report("group_snapshot_id", STAYS),
        report("consumes_quota", STAYS),
        report("created_at", STAYS),
        report("updated_at", STAYS),
        report("os-extended-snapshot-attributes:project_id", STAYS),
        report("os-extended-snapshot-attributes:progress", STAYS),
    )

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """All of them."""
        return [found.to_dict() for found in cloud.volume.volume_snapshots.list(search_opts={"all_tenants": 1})]

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One of them."""
        return or_none(lambda: dict(cloud.volume.volume_snapshots.get(id_).to_dict()))

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """None has a counterpart."""
        return None

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """POST /snapshots, of an attached volume too."""
        made = cloud.volume.volume_snapshots.create(wanted["volume_id"], force=True, name=wanted["name"])
        return dict(made.to_dict())

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Ask for its removal."""
        with ignore_missing():
            cloud.volume.volume_snapshots.delete(id_)
