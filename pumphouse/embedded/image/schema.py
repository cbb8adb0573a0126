"""Glance's schemas of what it takes and shows, and the check of what is sent against them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pumphouse.embedded.service import Json

UUID = "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$"
STATUSES = (
    "queued",
    "saving",
    "active",
    "killed",
    "deleted",
    "uploading",
    "importing",
    "pending_delete",
    "deactivated",
)
PROPERTY_KEYS = "https://docs.openstack.org/python-glanceclient/latest/cli/property-keys.html"


def _field(type_: str | list[str], description: str, **more: Any) -> Json:
    return {"type": type_, "description": description, **more}


def _shown(type_: str | list[str], description: str, **more: Any) -> Json:
    return _field(type_, description, readOnly=True, **more)


def _usual(type_: str | list[str], description: str, **more: Any) -> Json:
    """A property that Glance knows by name, though it is one of the user's."""
    return _field(type_, description, is_base=False, **more)


TEXT_OR_NONE, NUMBER_OR_NONE = ["null", "string"], ["null", "integer"]

_VALIDATION = {
    "description": "Values to be used to populate the corresponding image properties. If the image status is not "
    "'queued', values must exactly match those already contained in the image properties.",
    "type": "object",
    "writeOnly": True,
    "additionalProperties": False,
    "properties": {
        "checksum": {"type": "string", "minLength": 32, "maxLength": 32},
        "os_hash_algo": {"type": "string", "maxLength": 64},
        "os_hash_value": {"type": "string", "maxLength": 128},
    },
    "required": ["os_hash_algo", "os_hash_value"],
}
_LOCATION = {
    "type": "object",
    "properties": {
        "url": {"type": "string", "maxLength": 255},
        "metadata": {"type": "object"},
        "validation_data": _VALIDATION,
    },
    "required": ["url", "metadata"],
}

IMAGE_PROPERTIES: Json = {
    "id": _field("string", "An identifier for the image", pattern=UUID),
    "name": _field(TEXT_OR_NONE, "Descriptive name for the image", maxLength=255),
    "status": _shown("string", "Status of the image", enum=list(STATUSES)),
    "visibility": _field("string", "Scope of image accessibility", enum=["community", "public", "private", "shared"]),
    "protected": _field("boolean", "If true, image will not be deletable."),
    "os_hidden": _field("boolean", "If true, image will not appear in default image list response."),
    "checksum": _shown(TEXT_OR_NONE, "md5 hash of image contents.", maxLength=32),
    "os_hash_algo": _shown(TEXT_OR_NONE, "Algorithm to calculate the os_hash_value", maxLength=64),
    "os_hash_value": _shown(
        TEXT_OR_NONE,
        "Hexdigest of the image contents using the algorithm specified by the os_hash_algo",
        maxLength=128,
    ),
    "owner": _field(TEXT_OR_NONE, "Owner of the image", maxLength=255),
    "size": _shown(NUMBER_OR_NONE, "Size of image file in bytes"),
    "virtual_size": _shown(NUMBER_OR_NONE, "Virtual size of image in bytes"),
    "container_format": _field(
        TEXT_OR_NONE,
        "Format of the container",
        enum=[None, "ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed"],
    ),
    "disk_format": _field(
        TEXT_OR_NONE,
        "Format of the disk",
        enum=[None, "ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop"],
    ),
    "created_at": _shown("string", "Date and time of image registration"),
    "updated_at": _shown("string", "Date and time of the last image modification"),
    "tags": _field("array", "List of strings related to the image", items={"type": "string", "maxLength": 255}),
    "direct_url": _shown("string", "URL to access the image file kept in external store"),
    "min_ram": _field("integer", "Amount of ram (in MB) required to boot image."),
    "min_disk": _field("integer", "Amount of disk space (in GB) required to boot image."),
    "self": _shown("string", "An image self url"),
    "file": _shown("string", "An image file url"),
    "stores": _shown(
        "string",
        "Store in which image data resides.  Only present when the operator has enabled multiple stores.  May be a "
        "comma-separated list of store identifiers.",
    ),
    "schema": _shown("string", "An image schema url"),
    "locations": _field("array", "A set of URLs to access the image file kept in external store", items=_LOCATION),
    "kernel_id": _usual(
        TEXT_OR_NONE,
        "ID of image stored in Glance that should be used as the kernel when booting an AMI-style image.",
        pattern=UUID,
    ),
    "ramdisk_id": _usual(
        TEXT_OR_NONE,
        "ID of image stored in Glance that should be used as the ramdisk when booting an AMI-style image.",
        pattern=UUID,
    ),
    "instance_uuid": _usual(
        "string",
        "Metadata which can be used to record which instance this image is associated with. (Informational only, "
        "does not create an instance snapshot.)",
    ),
    "architecture": _usual("string", f"Operating system architecture as specified in {PROPERTY_KEYS}"),
    "os_distro": _usual("string", f"Common name of operating system distribution as specified in {PROPERTY_KEYS}"),
    "os_version": _usual("string", "Operating system version as specified by the distributor."),
    "description": _usual("string", "A human-readable string describing this image."),
    "cinder_encryption_key_id": _usual(
        "string",
        "Identifier in the OpenStack Key Management Service for the encryption key for the Block Storage Service to "
        "use when mounting a volume created from this image",
    ),
    "cinder_encryption_key_deletion_policy": _usual(
        "string",
        "States the condition under which the Image Service will delete the object associated with the "
        "'cinder_encryption_key_id' image property.  If this property is missing, the Image Service will take no "
        "action",
        enum=["on_image_deletion", "do_not_delete"],
    ),
}

IMAGE: Json = {
    "name": "image",
    "properties": IMAGE_PROPERTIES,
    "additionalProperties": {"type": "string"},
    "links": [
        {"rel": "self", "href": "{self}"},
        {"rel": "enclosure", "href": "{file}"},
        {"rel": "describedby", "href": "{schema}"},
    ],
}

MEMBER: Json = {
    "name": "member",
    "properties": {
        "member_id": _field("string", "An identifier for the image member (tenantId)"),
        "image_id": _field("string", "An identifier for the image", pattern=UUID),
        "created_at": _field("string", "Date and time of image member creation"),
        "updated_at": _field("string", "Date and time of last modification of image member"),
        "status": _field("string", "The status of this image member", enum=["pending", "accepted", "rejected"]),
        "schema": {"readOnly": True, "type": "string"},
    },
}


def _collection(name: str, schema: Json, **more: Any) -> Json:
    properties = {name: {"type": "array", "items": schema}, **more, "schema": {"type": "string"}}
    links = [{"rel": end, "href": f"{{{end}}}"} for end in more] + [{"rel": "describedby", "href": "{schema}"}]
    return {"name": name, "properties": properties, "links": links}


#: Name -> what GET /v2/schemas/NAME answers.
SCHEMAS: dict[str, Json] = {
    "image": IMAGE,
    "images": _collection("images", IMAGE, first={"type": "string"}, next={"type": "string"}),
    "member": MEMBER,
    "members": _collection("members", MEMBER),
}

_TYPES: dict[str, type | tuple[type, ...]] = {
    "null": type(None),
    "string": str,
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
}


def faults(fields: Json) -> Iterator[str]:
    """What is wrong with the fields of an image that somebody sent, in the words of the schema's checker."""
    for name, value in fields.items():
        yield from _faults(value, IMAGE_PROPERTIES.get(name) or IMAGE["additionalProperties"])


def _faults(value: Any, rule: Json) -> Iterator[str]:
    types = rule["type"] if isinstance(rule["type"], list) else [rule["type"]]
    if not any(_is(value, type_) for type_ in types):
        yield f"{value!r} is not of type {', '.join(repr(type_) for type_ in types)}"
    elif "enum" in rule and value not in rule["enum"]:
        yield f"{value!r} is not one of {rule['enum']!r}"
    elif isinstance(value, str):
        if len(value) > rule.get("maxLength", len(value)):
            yield f"{value!r} is too long"
        if "pattern" in rule and not re.search(rule["pattern"], value):
            yield f"{value!r} does not match {rule['pattern']!r}"
    elif isinstance(value, list):
        for item in value:
            yield from _faults(item, rule["items"])


def _is(value: Any, type_: str) -> bool:
    if isinstance(value, bool):
        return type_ == "boolean"
    return isinstance(value, _TYPES[type_])
