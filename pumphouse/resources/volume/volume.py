"""Volumes (Block Storage API v3, ``/volumes``). Their bytes are moved by ``tasks.volumes``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing, or_none
from pumphouse.resources.base import FieldVerdict, ResourceType, Wire, Wires
from pumphouse.resources.fields import Lookup, carry, refer, report, some
from pumphouse.resources.inventory import Inventory

GIB = 1024**3
#: Where Cinder shows, among the owner's metadata, that a volume may only be read; set by an action of its own.
READ_ONLY = "readonly"
#: Among the metadata of a volume that is being made: the id of the source's.
MARK = "pumphouse"
#: What in the image metadata names images.
IMAGES = ("image_id", "kernel_id", "ramdisk_id")
#: What Cinder notes about the bytes a volume was made from; it follows from the image that carries them.
FROM_BYTES = (
    "checksum",
    "size",
    "disk_format",
    "container_format",
    "min_disk",
    "min_ram",
    "signature_verified",
)


def image_metadata(value: Any) -> Any:
    """volume_image_metadata without what follows from the bytes."""
    return {key: text for key, text in (value or {}).items() if key not in FROM_BYTES}


def devices(value: Any) -> Any:
    """Of attachments, the device names: all that means the same in both clouds."""
    return sorted(str(attachment.get("device")) for attachment in value or ())


class Volume(ResourceType):
    """A volume, detached or attached; in the unit of its server, if it has one."""

    type = "volume"
    adoptable = True
    unit = "volume"
    owned = True
    fields = (
        report("id", "chosen by the destination"),
        carry("name", "not unique"),
        carry("description", "free text"),
        carry("size", "GiB"),
        carry("volume_type", "its name; the destination's type of that name", names="volume_types"),
        refer("volume_type_id", "volume_type", "its type"),
        refer("os-vol-tenant-attr:tenant_id", "project", "the project that owns it"),
        carry("metadata", "keys and values of its owner"),
        carry("volume_image_metadata", "what its image said; tells Nova how to boot it", normal=image_metadata),
        carry("bootable", "whether a server may boot from it"),
        carry("multiattach", "whether several servers may have it; follows from its type"),
        carry("availability_zone", "kept where the destination has it", loose=True, names="availability_zones"),
        report("encrypted", "encrypted volumes are not carried: see the conflict", worth=bool),
        carry("attachments", "the device by which its server knows it", post=False, fleeting=True, normal=devices),
        report("status", "in-use while attached"),
        report("user_id", "the account that Pumphouse works with"),
        report("snapshot_id", "the volume is whole without its origin"),
        report("source_volid", "the volume is whole without its origin"),
        report("group_id", "volume groups are not carried yet", worth=some),
        report("consistencygroup_id", "consistency groups are not carried yet", worth=some),
        report("replication_status", "of the source's backend"),
        report("migration_status", "of the source's backend"),
        report("os-vol-host-attr:host", "where the source stores it"),
        report("os-vol-mig-status-attr:migstat", "of the source's backend"),
        report("os-vol-mig-status-attr:name_id", "of the source's backend"),
        report("service_uuid", "where the source stores it"),
        report("shared_targets", "of the source's backend"),
        report("cluster_name", "where the source stores it"),
        report("provider_id", "where the source stores it"),
        report("consumes_quota", "true for a tenant's volumes"),
        report("created_at", "a time in the source"),
        report("updated_at", "a time in the source"),
        report("links", "addresses in the source's API"),
    )

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """All volumes, or a project's."""
        search: dict[str, Any] = {"all_tenants": 1}
        if scope.get("project_id"):
            search["project_id"] = scope["project_id"]
        return [_wire(volume) for volume in cloud.volume.volumes.list(detailed=True, search_opts=search)]

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One volume."""
        return or_none(lambda: _wire(cloud.volume.volumes.get(id_)))

    def size(self, resource: Wire) -> int:
        """The volume's size in bytes: the most that can be moved (holes are not)."""
        return int(resource["size"]) * GIB

    def obstacle(self, resource: Wire, source: Inventory, destination: Inventory) -> str | None:
        """What the way through an image does not allow."""
        if resource.get("encrypted"):
            return (
                "the volume is encrypted, and its key does not leave the source's key manager: "
                "copy what is on it to an unencrypted volume in the source, and move that"
            )
        if len(resource.get("attachments") or ()) > 1:
            return (
                "the volume is attached to several servers, which is not carried: detach it from all but one, "
                "move that one with it, and attach the others in the destination"
            )
        if resource["status"] not in ("available", "in-use"):
            return f"the volume is {resource['status']}: wait until it is available, or reset its state"
        return None

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """Nothing tells that a volume holds the same bytes: only a mapping does."""
        return None

    def orphans(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wires:
        """What is marked as the counterpart of the source's volume: see ``create``."""
        search = {"all_tenants": 1, "metadata": {MARK: source["id"]}}
        return [_wire(one) for one in inventory.cloud.volume.volumes.list(detailed=True, search_opts=search)]

    def translate(self, resource: Wire, lookup: Lookup) -> Wire:
        """Ids of images in the image metadata are references too; of an image that stays behind it is kept as text."""
        wanted = super().translate(resource, lookup)
        if metadata := wanted.get("volume_image_metadata"):
            wanted["volume_image_metadata"] = _with_images(metadata, lookup)
        return wanted

    def compare(self, source: Wire, destination: Wire, lookup: Lookup, **more: Any) -> Sequence[FieldVerdict]:
        """With the images that the image metadata name as they are called in the destination."""
        if metadata := source.get("volume_image_metadata"):
            source = {**source, "volume_image_metadata": _with_images(metadata, lookup)}
        return super().compare(source, destination, lookup, **more)

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """POST /volumes from the image ``wanted["imageRef"]``, in the project that the session is scoped to.

        It is marked with the id ``wanted["of"]`` until it is finished, so that it is found if the answer is lost.
        """
        kept = wanted.get("metadata") or {}
        made = cloud.volume.volumes.create(
            wanted["size"],
            name=wanted.get("name"),
            description=wanted.get("description"),
            volume_type=wanted.get("volume_type"),
            availability_zone=wanted.get("availability_zone"),
            metadata={MARK: wanted["of"], **{key: text for key, text in kept.items() if key != READ_ONLY}},
            imageRef=wanted.get("imageRef"),
        )
        return _wire(made)

    def finish(self, cloud: Cloud, id_: str, wanted: Wire) -> Wire:
        """Say of the bytes what the source says of them, not what the image that carried them says."""
        volumes = cloud.volume.volumes
        volume = _wire(volumes.get(id_))
        there = volume.get("volume_image_metadata") or {}
        right = wanted.get("volume_image_metadata") or {}
        if surplus := sorted(set(there) - set(right)):
            volumes.delete_image_metadata(id_, surplus)
        if missing := {key: text for key, text in right.items() if there.get(key) != text}:
            volumes.set_image_metadata(id_, missing)
        flag = (wanted.get("metadata") or {}).get(READ_ONLY)
        if flag is not None and flag != (volume.get("metadata") or {}).get(READ_ONLY):
            volumes.update_readonly_flag(id_, flag == "True")
        if "bootable" in wanted and wanted["bootable"] != volume["bootable"]:
            volumes.set_bootable(id_, wanted["bootable"] == "true")
        if MARK in volume.get("metadata", {}) and MARK not in (wanted.get("metadata") or {}):
            volumes.delete_metadata(id_, [MARK])
        return _wire(volumes.get(id_))

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Remove it."""
        with ignore_missing():
            cloud.volume.volumes.delete(id_)


def in_server(volume: Wire) -> str | None:
    """Id of the server that a volume is attached to, or None."""
    attachments: Iterable[Wire] = volume.get("attachments") or ()
    return next((attachment["server_id"] for attachment in attachments), None)


def _with_images(metadata: Wire, lookup: Lookup) -> Wire:
    return metadata | {name: lookup("image", metadata[name]) or metadata[name] for name in IMAGES if metadata.get(name)}


def _wire(volume: Any) -> Wire:
    return dict(volume.to_dict())
