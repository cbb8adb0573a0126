"""Move the bytes of images."""

from __future__ import annotations

from pumphouse.clouds.cloud import Cloud
from pumphouse.errors import CloudError
from pumphouse.resources.image.image import Image
from pumphouse.resources.registry import TYPES
from pumphouse.tasks.base import Task
from pumphouse.tasks.context import Context
from pumphouse.transfer.images import Copied, copy_image

IMAGE = Image()
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
        if source["status"] != "active" or record is None or record["status"] == "active":
            return
        context.step(f"copying image {source['name']}")
        copied = copy_bytes(context, self.id, context.destination, there, source["size"] - self.planned)
        context.copied("image", self.id, copied)


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
    context: Context, image_id: str, cloud: Cloud, there: str, unplanned: int = 0, guessed: int = 0
) -> Copied:
    """Stream one image's bytes with progress.

    ``unplanned``: how many more there are than was planned; ``guessed``: what was planned, where that was a guess.
    """
    if unplanned or guessed:
        context.progress.expect(context.unit, unplanned, guessed)
    return copy_image(
        context.source,
        image_id,
        cloud,
        there,
        on_bytes=lambda count: context.progress.advance(context.unit, count),
        cancelled=context.abandon.is_set,
    )


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
        source = IMAGE.get(context.source, image_id)
        if source is None:
            raise CloudError(f"the temporary image {image_id} has gone from the source")
        project = context.counterpart("project", self._project(context))
        context.step(
            f"copying the bytes of {self.subject[0]} {TYPES[self.subject[0]].name(context.before[self.subject])}"
        )
        wanted = {
            key: value
            for key, value in IMAGE.body(IMAGE.translate(source, lambda *key: self._part(context, *key))).items()
            if key not in OF_THE_SERVICES and key not in ("id", "owner", "visibility", "tags")
        }
        name = context.temporary_name("destination", "bytes", self.subject[1])
        there = IMAGE.create(context.destination, {**wanted, "name": name, "owner": project})
        context.temporary("destination", "image", there["id"], name)
        unplanned = source["size"] - self.planned
        copied = copy_bytes(context, image_id, context.destination, there["id"], unplanned, self.planned)
        context.copied(*self.subject, copied)
        context.remove_temporaries(image_id)
        return str(there["id"])

    def _part(self, context: Context, type_: str, id_: str) -> str | None:
        """The kernel and ramdisk that a root disk boots with."""
        return context.lookup(type_, id_) if type_ == "image" else None

    def _project(self, context: Context) -> str:
        wire = context.before[self.subject]
        return str(wire.get("tenant_id") or wire["os-vol-tenant-attr:tenant_id"])
