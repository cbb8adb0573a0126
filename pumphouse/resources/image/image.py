"""Images (Image API v2, ``/v2/images``). Their bytes are moved by ``tasks.images``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import ignore_missing, is_conflict, or_none
from pumphouse.resources.base import ResourceType, Wire, Wires
from pumphouse.resources.fields import Field, Lookup, carry, keep, refer, report, some, unordered
from pumphouse.resources.inventory import Inventory

#: Properties that Glance sets itself and refuses from others.
RESERVED = ("os_glance_",)
#: Images without which this one cannot boot: they are made before it.
PARTS = ("kernel_id", "ramdisk_id")
#: Whence an image comes. Nothing depends on that: the text stays where there is no counterpart.
ORIGIN = ("base_image_ref", "instance_uuid", "owner_id", "user_id")
#: With this property Glance checks a signature when bytes arrive, by a certificate that it must have.
CERTIFICATE = "img_signature_certificate_uuid"


class Image(ResourceType):
    """An image with all its properties. It keeps its id where the destination has not given it away."""

    type = "image"
    adoptable = True
    unit = "image"
    owned = True
    others = "carry"
    soft = frozenset({"image"})
    fields = (
        keep("id", "kept when it is free in the destination"),
        carry("name", "not unique", match=True),
        refer("owner", "project", "the project that owns it", match=True),
        carry("visibility", "public, community, shared or private"),
        # Set last: a protected image cannot be undone.
        carry("protected", "cannot be deleted while true", post=False),
        carry("tags", "simple labels", normal=unordered),
        carry("disk_format", "qcow2, raw, ... null until known", match=True, omit_null=True),
        carry("container_format", "bare, ... null until known", omit_null=True),
        carry("min_disk", "GiB that a server needs"),
        carry("min_ram", "MiB that a server needs"),
        carry("os_hidden", "left out of lists", omit_null=True),
        refer("kernel_id", "image", "the kernel that boots it", loose=True, omit_null=True),
        refer("ramdisk_id", "image", "the ramdisk that its kernel needs", loose=True, omit_null=True),
        refer("base_image_ref", "image", "of a snapshot: what its server was made from", loose=True, fleeting=True),
        refer("instance_uuid", "server", "of a snapshot: its server", loose=True, fleeting=True),
        refer("owner_id", "project", "of a snapshot: whose server it was", loose=True, fleeting=True),
        refer("user_id", "user", "of a snapshot: who took it", loose=True, fleeting=True),
        report("block_device_mapping", "names snapshots of the source's volumes: no server can boot from it", some),
        # Set last: Glance would want the certificate when the bytes arrive.
        carry(CERTIFICATE, "the certificate of its signature", post=False),
        report("status", "active once the bytes are there"),
        report("size", "bytes as stored; follows from the bytes"),
        report("virtual_size", "bytes of the disk inside; found by the destination"),
        report("checksum", "MD5; follows from the bytes"),
        report("os_hash_algo", "the destination's choice"),
        report("os_hash_value", "follows from the bytes"),
        report("created_at", "a time in the source"),
        report("updated_at", "a time in the source"),
        report("self", "an address in the source's API"),
        report("file", "an address in the source's API"),
        report("schema", "an address in the source's API"),
        report("direct_url", "where the source stores it", secret=True),
        report("locations", "where the source stores it; may hold credentials", secret=True),
        report("stores", "where the source stores it"),
    )

    def list(self, cloud: Cloud, **scope: Any) -> Wires:
        """All images that the account may see, or those that a project owns; community and hidden ones too."""
        # Without a visibility, Glance leaves out the community images of other projects than ours.
        filters = {"visibility": "all"}
        if scope.get("project_id"):
            filters["owner"] = scope["project_id"]
        found: dict[str, Wire] = {}
        for hidden in (False, True):
            listed = cloud.image.images.list(filters={**filters, "os_hidden": hidden}, page_size=500)
            found.update({image["id"]: _plain(image) for image in listed})
        return list(found.values())

    def get(self, cloud: Cloud, id_: str) -> Wire | None:
        """One image."""
        return or_none(lambda: _plain(cloud.image.images.get(id_)))

    def references(self, resource: Wire) -> Iterator[tuple[str, str]]:
        """Its parts, too, though it is carried without them where they are gone."""
        yield from super().references(resource)
        for name in PARTS:
            if resource.get(name):
                yield "image", resource[name]

    def translate(self, resource: Wire, lookup: Lookup) -> Wire:
        """Origins without counterpart stay as text."""
        wanted = super().translate(resource, lookup)
        return wanted | {name: resource[name] for name in ORIGIN if name in wanted and wanted[name] is None}

    def losses(self, resource: Wire) -> Iterator[tuple[str, Any, str]]:
        """The certificate of a signature, which no image holds."""
        yield from super().losses(resource)
        if resource.get(CERTIFICATE):
            reason = "the id is carried; the certificate itself is in the source's key manager: import it"
            yield "certificate", resource[CERTIFICATE], reason

    def size(self, resource: Wire) -> int:
        """Bytes as stored."""
        return int(resource.get("size") or 0) if resource.get("status") == "active" else 0

    def obstacle(self, resource: Wire, source: Inventory, destination: Inventory) -> str | None:
        """Only whole images and empty records can be moved."""
        status = resource.get("status")
        if status in ("active", "queued"):
            return None
        return f"the image is {status}: wait until it is active, or delete it"

    def find(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wire | None:
        """The same id with the same bytes; else the same owner, name and bytes."""
        if (same := inventory.get(self.type, wanted["id"])) and _same_bytes(same, source):
            return same
        if not wanted.get("owner"):
            return None
        for image in inventory.list(self.type, project_id=wanted["owner"]):
            alike = all(field.same(image.get(field.name), wanted.get(field.name)) for field in self.matching)
            if alike and _same_bytes(image, source):
                return image
        return None

    def other(self, name: str) -> Field:
        """What users add is carried; what Glance notes for itself is not."""
        if name.startswith(RESERVED):
            return report(name, "kept by the source's Glance for itself")
        return super().other(name)

    def orphans(self, inventory: Inventory, wanted: Wire, source: Wire) -> Wires:
        """A record with the source's id, or one without bytes of that name; whatever else is equal may be another."""
        found = inventory.get(self.type, wanted["id"]) if wanted.get("id") else None
        if found and found.get("owner") == wanted.get("owner"):
            return [found]
        return [one for one in self._alike(inventory, wanted) if one["status"] == "queued"]

    def create(self, cloud: Cloud, wanted: Wire) -> Wire:
        """POST /v2/images: the record, without bytes, with the source's id where that is free."""
        body = self.body(wanted)
        try:
            return _plain(cloud.image.images.create(**body))
        except Exception as error:
            if not (is_conflict(error) and "id" in body):
                raise
        # Glance never gives an id away twice, not even a deleted image's.
        body.pop("id")
        return _plain(cloud.image.images.create(**body))

    def finish(self, cloud: Cloud, id_: str, wanted: Wire) -> None:
        """What can be set only when the bytes are there."""
        last = {"protected": True} if wanted.get("protected") else {}
        if wanted.get(CERTIFICATE):
            last[CERTIFICATE] = wanted[CERTIFICATE]
        if last:
            cloud.image.images.update(id_, **last)

    def delete(self, cloud: Cloud, id_: str) -> None:
        """Remove it, also when it is protected."""
        with ignore_missing():
            if cloud.image.images.get(id_).get("protected"):
                cloud.image.images.update(id_, protected=False)
            cloud.image.images.delete(id_)


def _same_bytes(one: Wire, other: Wire) -> bool:
    """Both empty, or the same hash. Without a common algorithm (an old Glance has MD5 alone) MD5 decides."""
    if one.get("status") != other.get("status"):
        return False
    algorithms = one.get("os_hash_algo"), other.get("os_hash_algo")
    field = "os_hash_value" if algorithms[0] == algorithms[1] is not None else "checksum"
    return bool(one.get(field) == other.get(field))


def _plain(image: Any) -> Wire:
    """A warlock model as a dict, with the image's properties as they are on the wire."""
    return {key: value for key, value in dict(image).items() if key != "request_ids"}
