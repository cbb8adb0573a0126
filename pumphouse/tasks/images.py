"""Move the bytes of images."""

from __future__ import annotations

from typing import Any

from pumphouse.clouds.cloud import Cloud
from pumphouse.errors import CloudError
from pumphouse.resources.base import Wire
from pumphouse.resources.image.image import Image
from pumphouse.resources.registry import TYPES
from pumphouse.tasks.base import Task
from pumphouse.tasks.context import Context
from pumphouse.transfer.images import compare_hashes, copy_image

IMAGE = Image()
#: States of an image whose bytes have come, or may still come.
FILLABLE = ("queued", "saving", "active")
#: Properties that Nova and Cinder write into images that they make of servers and volumes.
OF_THE_SERVICES = frozenset(
    (
        *("base_image_ref", "instance_uuid", "user_id", "owner_id", "owner_project_name", "owner_user_name"),
        *("image_type", "image_state", "image_location", "boot_roles", "image_id", "image_name"),
        *("block_device_mapping", "bdm_v2", "root_device_name"),
    )
)


class CopyImage(Task):
    """Fill an image's record in the destination with the source's bytes."""

    def __init__(self, image_id: str, planned: int) -> None:
        """``planned``: bytes that the plan expected."""
        super().__init__(image_id)
        self.id = image_id
        self.planned = planned

    def execute(self, context: Context) -> None:
        """An image that is active already, or has no bytes in the source, is left as it is."""
        source = context.read("image", self.id)
        there = context.counterpart("image", self.id)
        record = IMAGE.get(context.destination, there)
        if source["status"] != "active" or record is None:
            return
        if context.mine("image", self.id) is None and record["status"] == "active":
            return
        context.step(f"copying image {source['name']}")
        proof = copy_bytes(context, source, context.destination, record, source["size"] - self.planned)
        context.copied("image", self.id, proof)


class FinishImage(Task):
    """Set what can be set only when the bytes are there."""

    def __init__(self, image_id: str) -> None:
        """``image_id`` in the source."""
        super().__init__(image_id)
        self.id = image_id

    def execute(self, context: Context) -> None:
        """Protection."""
        wanted = IMAGE.translate(context.read("image", self.id), context.lookup)
        IMAGE.finish(context.destination, context.counterpart("image", self.id), wanted)


def copy_bytes(
    context: Context, source: Wire, cloud: Cloud, there: Wire, unplanned: int = 0, guessed: int = 0
) -> dict[str, Any]:
    """Stream one image's bytes with progress, unless an interrupted run has done so; returns the proof.

    ``unplanned``: how many more there are than was planned; ``guessed``: what was planned, where that was a guess.
    """
    if unplanned or guessed:
        context.progress.expect(context.unit, unplanned, guessed)
    if there["status"] == "active":
        context.progress.advance(context.unit, source["size"])
        return compare_hashes(source, there)
    copied = copy_image(
        context.source,
        source["id"],
        cloud,
        there["id"],
        on_bytes=lambda count: context.progress.advance(context.unit, count),
        cancelled=context.abandon.is_set,
    )
    return copied.proof()


class CopyTemporaryImage(Task):
    """Carry a temporary image of the source (a snapshot, a volume's bytes) to a temporary one over there."""

    def __init__(self, subject: tuple[str, str], planned: int, image: str, provides: str) -> None:
        """``subject``: (type, id) whose bytes they are; ``image``: the name under which its id is provided."""
        super().__init__(f"{subject[0]}:{subject[1]}", provides=provides, rebind={"image_id": image})
        self.subject = subject
        self.planned = planned

    def execute(self, context: Context, image_id: str) -> str:
        """Returns the id of the temporary image in the destination, or "" if there is none to carry."""
        if not image_id:
            return ""
        if context.lookup(*self.subject):
            return ""
        name = context.temporary_name("bytes", self.subject[1])
        source = IMAGE.get(context.source, image_id)
        if source is None:
            return self._copied_already(context, name, image_id)
        project = context.counterpart("project", self._project(context))
        context.step(
            f"copying the bytes of {self.subject[0]} {TYPES[self.subject[0]].name(context.was(*self.subject))}"
        )
        wanted = {
            key: value
            for key, value in IMAGE.body(IMAGE.translate(source, lambda *key: self._part(context, *key))).items()
            if key not in OF_THE_SERVICES and key not in ("id", "owner", "visibility", "tags")
        }
        there = context.temporary(
            "destination",
            "image",
            name,
            lambda: str(IMAGE.create(context.destination, {**wanted, "name": name, "owner": project})["id"]),
            usable=lambda image: image["status"] in FILLABLE,
        )
        record = IMAGE.get(context.destination, there)
        if record is None:
            raise CloudError(f"the temporary image {there} has gone from the destination")
        proof = copy_bytes(context, source, context.destination, record, source["size"] - self.planned, self.planned)
        context.copied(*self.subject, proof)
        context.remove_temporaries(image_id)
        return there

    def _copied_already(self, context: Context, name: str, image_id: str) -> str:
        """The source's image is removed when all is done: an interrupted run may have got as far as that."""
        there = context.kept("destination", "image", name, lambda image: bool(image["status"] == "active"))
        if there is None or self.subject not in context.evidence:
            raise CloudError(f"the temporary image {image_id} has gone from the source")
        return there

    def _part(self, context: Context, type_: str, id_: str) -> str | None:
        """The kernel and ramdisk that a root disk boots with."""
        return context.lookup(type_, id_) if type_ == "image" else None

    def _project(self, context: Context) -> str:
        wire = context.was(*self.subject)
        return str(wire.get("tenant_id") or wire["os-vol-tenant-attr:tenant_id"])
