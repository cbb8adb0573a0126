"""What a Cinder knows: plain data, saved and restored as a whole."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from typing import Any

Json = dict[str, Any]

GIB = 1 << 30
ZONE = "nova"
#: The type of volumes of which nothing else is said, and the one that is there before it.
DEFAULT_TYPE, FIRST_TYPE = "lab-nfs", "__DEFAULT__"
#: As pools and types call it.
BACKEND = "nfs1"
#: A project's limits of whom nothing was said, those for each type aside, which are not limited.
QUOTAS = {
    "volumes": 10,
    "per_volume_gigabytes": -1,
    "snapshots": 10,
    "gigabytes": 1000,
    "backups": 10,
    "backup_gigabytes": 1000,
}
GROUP_QUOTAS = {"groups": 10}
#: What is limited for each type of volumes, too.
BY_TYPE = ("volumes", "gigabytes", "snapshots")


@dataclasses.dataclass
class State:
    """Everything of one Cinder."""

    #: By id, in the order in which they were made; so are all others.
    volumes: dict[str, Json] = dataclasses.field(default_factory=dict)
    #: Project -> ids of its volumes; the values mean nothing.
    of_project: dict[str, dict[str, None]] = dataclasses.field(default_factory=dict)
    snapshots: dict[str, Json] = dataclasses.field(default_factory=dict)
    #: Volume -> ids of its snapshots; the values mean nothing.
    of_volume: dict[str, dict[str, None]] = dataclasses.field(default_factory=dict)
    types: dict[str, Json] = dataclasses.field(default_factory=dict)
    qos: dict[str, Json] = dataclasses.field(default_factory=dict)
    #: Project -> limits that were set.
    quotas: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)
    #: Project -> what is in use: "volumes", "gigabytes", "snapshots", and each with "/" and a type's id.
    used: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)
    #: What Cinder tells of what went wrong in the background.
    messages: dict[str, Json] = dataclasses.field(default_factory=dict)
    service_uuid: str = dataclasses.field(default_factory=lambda: str(uuid.uuid4()))


def fresh() -> State:
    """A Cinder with its two types."""
    state = State()
    first = {"description": "Default Volume Type"}
    for type_ in (new_type(FIRST_TYPE, **first), new_type(DEFAULT_TYPE, extra_specs={"volume_backend_name": BACKEND})):
        state.types[type_["id"]] = type_
    return state


def now() -> str:
    """As Cinder writes times, with microseconds: "2026-11-25T21:00:57.303549"."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def stored(time: str | None) -> str | None:
    """As the database gives them back: without microseconds."""
    return f"{time[:19]}.000000" if time else None


def touch(record: Json) -> None:
    """It was changed."""
    record["updated_at"] = now()


def new_type(name: str, **fields: Any) -> Json:
    """The record of a volume type."""
    return {
        "id": str(uuid.uuid4()),
        "name": name,
        "description": None,
        "is_public": True,
        "extra_specs": {},
        "qos_specs_id": None,
        #: Projects that may use it when it is private; the values mean nothing.
        "projects": {},
        "encryption": None,
        "created_at": now(),
        "updated_at": None,
        **fields,
    }


def new_volume(project_id: str, user_id: str, size: int, type_id: str, **fields: Any) -> Json:
    """The record of a volume that is about to be made."""
    return {
        "id": str(uuid.uuid4()),
        "project_id": project_id,
        "user_id": user_id,
        "name": None,
        "description": None,
        "size": size,
        "status": "creating",
        "previous_status": None,
        "volume_type_id": type_id,
        "availability_zone": ZONE,
        "metadata": {},
        #: What Cinder notes for itself and shows among the metadata: "readonly".
        "admin_metadata": {},
        "volume_image_metadata": {},
        "bootable": False,
        "multiattach": False,
        "encrypted": False,
        "snapshot_id": None,
        "source_volid": None,
        "image_id": None,
        "host": None,
        "migration_status": None,
        #: Of servers: attachment_id, server_id, host_name, device, attached_at.
        "attachments": [],
        "created_at": now(),
        "updated_at": None,
        "blob": None,
        **fields,
    }


def new_snapshot(volume: Json, user_id: str, project_id: str, **fields: Any) -> Json:
    """The record of a snapshot that is about to be made."""
    return {
        "id": str(uuid.uuid4()),
        "project_id": project_id,
        "user_id": user_id,
        "name": None,
        "description": None,
        "volume_id": volume["id"],
        "size": volume["size"],
        "status": "creating",
        "progress": "0%",
        "volume_type_id": volume["volume_type_id"],
        "availability_zone": volume["availability_zone"],
        "metadata": {},
        "volume_image_metadata": dict(volume["volume_image_metadata"]),
        "bootable": volume["bootable"],
        "created_at": now(),
        "updated_at": None,
        "blob": None,
        **fields,
    }
