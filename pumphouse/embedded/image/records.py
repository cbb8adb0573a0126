"""What is kept of an image and its members, and how the API shows both."""

from __future__ import annotations

import dataclasses
import time
import uuid
from typing import Any

from pumphouse.embedded.service import Json

#: What an image has from the beginning, in the order in which it is shown.
BASE: Json = {
    "name": None,
    "disk_format": None,
    "container_format": None,
    "visibility": "shared",
    "size": None,
    "virtual_size": None,
    "status": "queued",
    "checksum": None,
    "protected": False,
    "min_ram": 0,
    "min_disk": 0,
    "owner": None,
    "os_hidden": False,
    "os_hash_algo": None,
    "os_hash_value": None,
}
#: Where all bytes are.
STORE = "file1"


@dataclasses.dataclass
class State:
    """All images."""

    images: dict[str, Json] = dataclasses.field(default_factory=dict)
    #: Ids that were ever given: none is given twice.
    used: set[str] = dataclasses.field(default_factory=set)


def now() -> str:
    """As Glance writes times."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def fresh(fields: Json) -> Json:
    """The record of a new image: the base, what users add (``properties``), tags, members, bytes."""
    moment = now()
    given = {**BASE, **{name: value for name, value in fields.items() if name in BASE}}
    kept = {"id", "tags", *BASE}
    return {
        **given,
        "id": fields.get("id") or str(uuid.uuid4()),
        "created_at": moment,
        "updated_at": moment,
        "tags": list(dict.fromkeys(fields.get("tags") or ())),
        "properties": {name: value for name, value in fields.items() if name not in kept},
        #: Project -> its membership.
        "members": {},
        #: Names of blobs: what the image is, and what waits to be imported.
        "blob": None,
        "staged": None,
    }


def view(image: Json) -> Json:
    """As the API shows it."""
    path = f"/v2/images/{image['id']}"
    stored = {"stores": STORE} if image["blob"] and image["status"] in ("active", "deactivated") else {}
    return {
        **{name: "" if value is None else value for name, value in image["properties"].items()},
        **{name: image[name] for name in (*BASE, "id", "created_at", "updated_at")},
        "tags": list(image["tags"]),
        "self": path,
        "file": f"{path}/file",
        "schema": "/v2/schemas/image",
        **stored,
    }


def member(image_id: str, project: str) -> Json:
    """A new membership, as it is kept and shown."""
    moment = now()
    return {
        "member_id": project,
        "image_id": image_id,
        "status": "pending",
        "created_at": moment,
        "updated_at": moment,
        "schema": "/v2/schemas/member",
    }


def touch(record: dict[str, Any]) -> None:
    """It was changed."""
    record["updated_at"] = now()
