"""Changes of images by JSON patches (``application/openstack-images-v2.1-json-patch``, and the older 2.0)."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from pumphouse.embedded.image import schema
from pumphouse.embedded.image.records import BASE
from pumphouse.embedded.service import Json, RefusedError

#: Content type -> draft of JSON patch.
DRAFTS = {
    "application/openstack-images-v2.0-json-patch": 4,
    "application/openstack-images-v2.1-json-patch": 10,
}
OPERATIONS = ("add", "remove", "replace")
READ_ONLY = (
    "created_at", "updated_at", "status", "checksum", "size", "virtual_size", "direct_url", "self", "file", "schema",
    "id", "os_hash_algo", "os_hash_value",
)  # fmt: skip
RESERVED = ("location", "deleted", "deleted_at")
#: Properties of Glance's own begin so.
NAMESPACE = "os_glance_"
#: What can be changed and is no property of the user's.
ATTRIBUTES = {*BASE, "tags", "locations"}


@dataclasses.dataclass(frozen=True)
class Change:
    """One operation."""

    operation: str
    name: str
    value: Any
    draft: int


def parse(body: Any, draft: int) -> list[Change]:
    """The operations of a patch; refuses what is none."""
    if not isinstance(body, list):
        raise RefusedError(400, "Request body must be a JSON array of operation objects.")
    return [_parse(raw, draft) for raw in body]


def apply(image: Json, changes: list[Change]) -> None:
    """Change a copy of a record; refuses what the image's state does not allow."""
    for change in changes:
        known = change.name in ATTRIBUTES or change.name in image["properties"]
        if change.operation != "add" and not known:
            raise RefusedError(409, f"Property {change.name} does not exist.")
        if change.operation == "add" and known and change.draft == 4:
            raise RefusedError(409, f"Property {change.name} already present.")
        if change.operation == "remove":
            if change.name in ATTRIBUTES:
                raise RefusedError(403, f"Property {change.name} may not be removed.")
            del image["properties"][change.name]
        elif change.name in ATTRIBUTES:
            _set(image, change.name, change.value)
        else:
            image["properties"][change.name] = change.value


def reserved(names: Any) -> None:
    """Refuse names that are Glance's."""
    for name in names:
        if name in RESERVED or name.startswith(NAMESPACE):
            raise RefusedError(403, f"Attribute '{name}' is reserved.")


def valid(fields: Json) -> None:
    """Refuse what the schema does not allow."""
    for fault in schema.faults(fields):
        raise RefusedError(400, f"Provided object does not match schema 'image': {fault}")


def _set(image: Json, name: str, value: Any) -> None:
    if name in ("disk_format", "container_format") and image["status"] not in ("queued", "importing"):
        raise RefusedError(403, f"Attribute {name} can be only replaced for a queued image.")
    if name in ("min_disk", "min_ram") and value < 0:
        text = f"Invalid value '{value}' for parameter '{name}': Cannot be a negative value"
        raise RefusedError(400, text)
    image[name] = list(dict.fromkeys(value)) if name == "tags" else value


def _parse(raw: Any, draft: int) -> Change:
    if not isinstance(raw, dict):
        raise RefusedError(400, "Operations must be JSON objects.")
    operation, pointer = _operation(raw, draft)
    path = _decoded(pointer)
    if len(path) != 1:
        raise RefusedError(400, f"Invalid JSON pointer for this resource: '/{'/'.join(path)}'")
    name = path[0]
    if operation != "remove" and "value" not in raw:
        raise RefusedError(400, f'Operation "{operation}" requires a member named "value".')
    if name in READ_ONLY:
        raise RefusedError(403, f"Attribute '{name}' is read-only.")
    reserved([name])
    if operation != "remove":
        valid({name: raw["value"]})
    if name == "locations":
        raise RefusedError(403, "It's not allowed to add/remove/replace locations if locations are invisible.")
    return Change(operation, name, raw.get("value"), draft)


def _operation(raw: Json, draft: int) -> tuple[str, str]:
    """(operation, pointer)."""
    if draft == 4:
        given = [name for name in OPERATIONS if name in raw]
        if len(given) != 1:
            text = 'Operation objects must contain exactly one member named "add", "remove", or "replace".'
            raise RefusedError(400, text)
        return given[0], raw[given[0]]
    available = ", ".join(OPERATIONS)
    operation = raw.get("op")
    if operation is None:
        text = f"Unable to find `op` in JSON Schema change. It must be one of the following: {available}."
        raise RefusedError(400, text)
    if operation not in OPERATIONS:
        raise RefusedError(400, f"Invalid operation: `{operation}`. It must be one of the following: {available}.")
    if "path" not in raw:
        raise RefusedError(400, "Unable to find 'path' in JSON Schema change")
    return operation, raw["path"]


def _decoded(pointer: str) -> list[str]:
    """The parts of a JSON pointer, of which Glance takes a limited form."""
    if not pointer.startswith("/"):
        raise RefusedError(400, f'Pointer `{pointer}` does not start with "/".')
    if re.search(r"/\s*?/", pointer[1:]):
        raise RefusedError(400, f'Pointer `{pointer}` contains adjacent "/".')
    if len(pointer) > 1 and pointer.endswith("/"):
        raise RefusedError(400, f'Pointer `{pointer}` end with "/".')
    if re.search("~[^01]", pointer) or pointer.endswith("~"):
        raise RefusedError(400, f'Pointer `{pointer}` contains "~" not part of a recognized escape sequence.')
    return [part.replace("~1", "/").replace("~0", "~").strip() for part in pointer.lstrip("/").split("/")]
