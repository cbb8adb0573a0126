"""Move volumes: clone -> image -> stream -> volume. The volume itself is only read, and never changes its state."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator

from pumphouse.clouds.cloud import Cloud
from pumphouse.clouds.errors import AwayError, RemedyError, explain, is_passing, status
from pumphouse.clouds.waiting import wait_for
from pumphouse.errors import CloudError
from pumphouse.resources.base import Wire
from pumphouse.resources.image.image import Image
from pumphouse.resources.volume.volume import Volume
from pumphouse.resources.volume.volume_snapshot import VolumeSnapshot
from pumphouse.tasks import making
from pumphouse.tasks.base import Task, anew
from pumphouse.tasks.context import PREFIX, Context, delete_and_wait

IMAGE, VOLUME, SNAPSHOT = Image(), Volume(), VolumeSnapshot()
#: Seconds; a copy inside a slow backend takes hours for terabytes.
COPY_TIMEOUT = 48 * 3600
#: Seconds that Cinder may take to notice that what it writes to is gone.
UNDO_TIMEOUT = 3600


class ExportVolume(Task):
    """Have the source's Cinder write a volume's bytes into an image.

    A volume of a stopped server is read as it is, which Cinder allows by force. Where the operator of the source
    has not enabled that, and for detached volumes, a clone is read: the volume keeps its state. Where there are no
    clones (NFS makes none of attached volumes), a volume is made from a snapshot, both of them ours.
    """

    def __init__(self, volume_id: str, provides: str) -> None:
        """``provides``: the name under which the image's id is given on."""
        super().__init__(volume_id, provides=provides)
        self.id = volume_id

    def execute(self, context: Context) -> str:
        """Returns the image's id in the source, or "" when the volume was made already."""
        volume = context.look("volume", self.id)
        if context.lookup("volume", self.id):
            return ""
        context.step(f"reading volume {VOLUME.name(volume)} into an image")
        if volume["status"] == "in-use":
            try:
                return self._upload(context, volume, force=True)
            except Exception as error:
                if not _refused(context, error, 400, 403):
                    raise
                self._note(context, f"cannot be read while it is attached ({explain(error)}): its clone is read")
                wait_volume(context, context.source, self.id, volume["status"])
        copy = self._clone(context, volume) or self._by_snapshot(context, volume)
        try:
            image_id = anew(context, lambda: self._upload(context, copy or volume, force=False))
        except Exception as error:
            if not _refused(context, error, 400, 403):
                raise
            raise self._explained(context, error) from error
        if copy:
            context.remove_temporaries(*[id_ for id_ in (copy["id"], copy.get("snapshot_id")) if id_])
        return image_id

    def _explained(self, context: Context, error: Exception) -> Exception:
        """Cinder gives no reason. Its NFS driver, since it checks qcow2 files, reads no volume with snapshots."""
        found = context.source.volume.volume_snapshots.list(search_opts={"all_tenants": 1, "volume_id": self.id})
        ours = context.temporary_name("snapshot", self.id)
        names = ", ".join(str(snapshot.name or snapshot.id) for snapshot in found if snapshot.name != ours)
        if not names:
            return error
        return RemedyError(
            f"the source's Cinder could not read the volume ({explain(error)}); it has snapshots ({names}), which "
            "some drivers (NFS) cannot read",
            "delete them in the source, and run this again",
        )

    def undo(self, context: Context) -> None:
        """Cinder must be done with the volume before its server runs again: without the image it soon is."""
        noted = context.noted("volume", self.id)
        if noted is None:
            return
        for what, type_ in (("volume", "image"), ("clone", "volume"), ("snapshot", "volume_snapshot")):
            self._discard(context, type_, context.temporary_name(what, self.id))
        wait_for(
            lambda: VOLUME.get(context.source, self.id) or {},
            done=lambda volume: not volume or volume["status"] == noted["status"],
            failed=lambda volume: volume["status"] if volume["status"].startswith("error") else None,
            what=f"volume {self.id} of the source to become {noted['status']} again",
            timeout=UNDO_TIMEOUT,
        )
        context.forget("volume", self.id)

    def _clone(self, context: Context, volume: Wire) -> Wire | None:
        """A copy that belongs to us, or None where the backend makes none."""
        name = context.temporary_name("clone", self.id)
        try:
            return self._copy(context, name, volume, source_volid=self.id)
        except Exception as error:
            self._cannot(context, error, "cannot be cloned", "a snapshot of it is read")
            return None

    def _by_snapshot(self, context: Context, volume: Wire) -> Wire | None:
        """A volume from a snapshot, both ours, or None where the backend makes none."""
        name = context.temporary_name("snapshot", self.id)
        try:
            snapshot = context.temporary(
                "source",
                "volume_snapshot",
                name,
                lambda: str(SNAPSHOT.create(context.source, {"volume_id": self.id, "name": name})["id"]),
                usable=lambda wire: not wire["status"].startswith("error"),
            )
            wait_for(
                lambda: SNAPSHOT.get(context.source, snapshot),
                done=lambda wire: wire["status"] == "available",
                failed=lambda wire: wire["status"] if wire["status"].startswith("error") else None,
                what=f"a snapshot of volume {self.id} to become available",
                timeout=COPY_TIMEOUT,
                interval=1,
                cancelled=context.abandon.is_set,
            )
            return self._copy(context, name, volume, snapshot_id=snapshot)
        except Exception as error:
            self._cannot(context, error, "cannot be copied from a snapshot", "it is read itself")
            self._discard(context, "volume_snapshot", name)
            return None

    def _copy(self, context: Context, name: str, volume: Wire, **origin: str) -> Wire:
        try:
            return copy_of(context, context.source, volume, name, **origin)
        except Exception:
            # The volume must be as it was before it is read in another way.
            if not context.abandon.is_set():
                self._discard(context, "volume", name)
            raise

    def _discard(self, context: Context, type_: str, name: str) -> None:
        """Remove what is left under a name; what cannot be removed now is at the end."""
        context.kept("source", type_, name, lambda _: False)

    def _cannot(self, context: Context, error: Exception, what: str, instead: str) -> None:
        if not _refused(context, error, 400, 403, 409, 413):
            raise error
        self._note(context, f"{what} ({explain(error)}): {instead}")

    def _upload(self, context: Context, volume: Wire, force: bool) -> str:
        name = context.temporary_name("volume", self.id)
        image_id = context.temporary(
            "source",
            "image",
            name,
            lambda: upload(context.source, volume["id"], name, disk_format(context.destination), force),
            usable=lambda image: self._comes(context, volume, image),
        )
        wait_image(context, context.source, image_id, lambda image: self._comes(context, volume, image))
        # The image is active a moment before Cinder lets go of the volume.
        wait_volume(context, context.source, volume["id"], volume["status"])
        return image_id

    def _comes(self, context: Context, volume: Wire, image: Wire) -> bool:
        """Whether an upload that an interrupted run began has its bytes, or Cinder is still at it."""
        if image["status"] in ("queued", "saving"):
            return bool((VOLUME.get(context.source, volume["id"]) or {}).get("status") == "uploading")
        return bool(image["status"] == "active")

    def _note(self, context: Context, text: str) -> None:
        context.store.add_event(context.migration_id, "note", f"volume {self.id} {text}", unit=context.unit)


class MakeVolume(Task):
    """Make the volume in its project from the temporary image, and say of it what the source says."""

    def __init__(self, volume_id: str, image: str) -> None:
        """``image``: the name under which the temporary image's id is given."""
        super().__init__(volume_id, rebind={"image_id": image})
        self.id = volume_id
        self.makes = ("volume", volume_id)

    def execute(self, context: Context, image_id: str) -> str:
        """Returns its id in the destination."""
        source = context.was("volume", self.id)
        wanted = VOLUME.translate(source, context.lookup)
        cloud = self._project(context, source)
        there = anew(context, lambda: self._make(context, cloud, source, wanted, image_id), lambda: self.undo(context))
        VOLUME.finish(cloud, there, wanted)
        context.remove_temporaries(image_id)
        return there

    def _make(self, context: Context, cloud: Cloud, source: Wire, wanted: Wire, image_id: str) -> str:
        there = context.lookup("volume", self.id)
        if not there:
            context.step(f"making volume {VOLUME.name(source)}")
            wanted["availability_zone"] = context.zone("volume", wanted.get("availability_zone"))
            if wanted.get("volume_type"):
                wanted["volume_type"] = context.names.of("volume_types", wanted["volume_type"])
            ordered = {**wanted, "imageRef": image_id, "of": self.id}
            there = making.make(
                context, VOLUME, context.destination, source, ordered, lambda: from_image(cloud, ordered)
            )
        wait_volume(context, cloud, there, "available")
        return there

    def undo(self, context: Context) -> None:
        """Remove it, and wait until it is gone: its project could not be undone else."""
        if there := context.mine("volume", self.id):
            delete_and_wait(VOLUME, context.destination, there)
            context.store.unmap(context.pair, "volume", self.id)
        elif source := VOLUME.get(context.source, self.id):
            making.clear(context, VOLUME, context.destination, source, lambda: source)

    def _project(self, context: Context, source: Wire) -> Cloud:
        return context.destination.as_project(context.counterpart("project", source["os-vol-tenant-attr:tenant_id"]))


def _refused(context: Context, error: Exception, *statuses: int) -> bool:
    """Whether Cinder cannot do this, so that another way is worth a try: not that it was lost, nor that we were told to
    stop.
    """
    if context.abandon.is_set() or is_passing(error):
        return False
    return isinstance(error, CloudError) or status(error) in statuses


@contextlib.contextmanager
def glance_may_be_away() -> Iterator[None]:
    """Tell a 400 of Cinder's API that means "not now" from others. Raises AwayError."""
    try:
        yield
    except Exception as error:
        # The first is said as if there were no such image (2026.1), the second where an image is to be made (Zed).
        if status(error) == 400 and re.search("unable to access requested image|Connection to glance", str(error)):
            raise AwayError(explain(error)) from error
        raise


def from_image(cloud: Cloud, ordered: Wire) -> Wire:
    """Create a volume from an image that is known to be there. Raises AwayError when Cinder cannot reach Glance."""
    with glance_may_be_away():
        return VOLUME.create(cloud, ordered)


def copy_of(context: Context, cloud: Cloud, volume: Wire, name: str, **origin: str) -> Wire:
    """A temporary volume with the bytes of another one (``origin``: it, or its snapshot), once it is available."""
    copy = context.temporary(
        cloud.role,
        "volume",
        name,
        lambda: str(cloud.volume.volumes.create(volume["size"], name=name, **origin).id),
        usable=lambda wire: not wire["status"].startswith("error"),
    )
    made = wait_volume(context, cloud, copy, "available")
    if made.get("volume_image_metadata"):
        # Cinder 2026.1 writes no volume into an image whose own image had no properties ("Unable to set 'properties'").
        cloud.volume.volumes.set_image_metadata(copy, {PREFIX: str(context.migration_id)})
    return made


def upload(cloud: Cloud, volume_id: str, name: str, form: str, force: bool) -> str:
    """Have Cinder write a volume into an image of this name and format; returns the image's id. Raises AwayError."""
    with glance_may_be_away():
        reply = cloud.volume.volumes.upload_to_image(
            volume_id,
            force=force,
            image_name=name,
            container_format="bare",
            disk_format=form,
            visibility="private",
            protected=False,
        )
    return str(reply[1]["os-volume_upload_image"]["image_id"])


def disk_format(destination: Cloud) -> str:
    """qcow2 (holes take no room) where the destination's Glance takes it, else raw."""
    schema = destination.image.schemas.get("image").raw()
    allowed = schema["properties"]["disk_format"].get("enum") or []
    return "qcow2" if "qcow2" in allowed else "raw"


def wait_volume(context: Context, cloud: Cloud, id_: str, state: str) -> Wire:
    """Wait until a volume has come to a state; its error ends the wait, with Cinder's words where it has any."""

    def failed(volume: Wire) -> str | None:
        if volume["status"].startswith("error"):
            return f"{volume['status']}{_messages(cloud, id_)}"
        return None

    return wait_for(
        lambda: VOLUME.get(cloud, id_),
        done=lambda volume: volume["status"] == state,
        failed=failed,
        what=f"volume {id_} of the {cloud.role} to become {state}",
        timeout=COPY_TIMEOUT,
        interval=1,
        cancelled=context.abandon.is_set,
    )


def wait_image(context: Context, cloud: Cloud, id_: str, comes: Callable[[Wire], bool] = lambda _: True) -> Wire:
    """Wait until an image has its bytes. ``comes``: whether the service that is to write them is still at it."""

    def failed(image: Wire) -> str | None:
        if image["status"] in ("killed", "deleted", "deactivated"):
            return str(image["status"])
        if not comes(image):
            # It may have ended between the two looks.
            image = IMAGE.get(cloud, id_) or {"status": "deleted"}
            return None if image["status"] == "active" else f"{image['status']}, and nothing writes it any more"
        return None

    return wait_for(
        lambda: IMAGE.get(cloud, id_),
        done=lambda image: image["status"] == "active",
        failed=failed,
        what=f"image {id_} of the {cloud.role} to become active",
        timeout=COPY_TIMEOUT,
        interval=0.5,
        cancelled=context.abandon.is_set,
    )


def _messages(cloud: Cloud, id_: str) -> str:
    """Cinder's user messages about a volume (Block Storage API 3.3)."""
    found = [m.user_message for m in cloud.volume.messages.list(search_opts={"resource_uuid": id_})]
    return f": {'; '.join(found)}" if found else ""
