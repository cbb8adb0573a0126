"""Bytes: images that have none, volumes that are read while a server has them, and those with snapshots."""

from __future__ import annotations

import collections
from collections.abc import Iterator

from pumphouse.human import count
from pumphouse.planning.checks.subject import Subject, about, whole
from pumphouse.planning.plan import Finding


def empty_images(subject: Subject) -> Iterator[Finding]:
    """Records that nobody has filled."""
    for item, image in subject.fresh("image"):
        if image.get("status") == "queued":
            yield about("note", item, "has no bytes in the source: only its record is made")


def attached_volumes(subject: Subject) -> Iterator[Finding]:
    """Whether Cinder lets us read them cannot be tried without doing it."""
    attached = [volume for _, volume in subject.fresh("volume") if volume.get("status") == "in-use"]
    if attached:
        size = sum(int(volume.get("size") or 0) for volume in attached)
        yield whole(
            "note",
            f"{count(len(attached), 'attached volume')} ({size} GiB) will be read by force once their servers are "
            "stopped; where the source's Cinder forbids that (enable_force_upload), a clone of each is read, which "
            "takes the same room there for a while",
        )


def volumes_with_snapshots(subject: Subject) -> Iterator[Finding]:
    """Some drivers read none of them; which do cannot be told from outside."""
    fresh = list(subject.fresh("volume"))
    if not fresh:
        return
    snapshots = collections.Counter(snapshot["volume_id"] for snapshot in subject.here.list("volume_snapshot"))
    for item, _ in fresh:
        if number := snapshots[item.id]:
            yield about(
                "note",
                item,
                f"has {count(number, 'snapshot')}, with which some drivers (NFS) cannot read it: its move then fails",
                "delete them in the source first, if its driver is such a one",
            )
