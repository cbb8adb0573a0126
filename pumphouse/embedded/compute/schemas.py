"""What the bodies of requests must look like, as JSON schemas, and Nova's words for what does not."""

from __future__ import annotations

import base64
import binascii
import functools
import ipaddress
import re
import string
import unicodedata
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from pumphouse.embedded.service import RefusedError, body

Schema = dict[str, Any]

UUID: Schema = {"type": "string", "format": "uuid"}
NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "format": "name"}
NAME_OR_NULL: Schema = {"oneOf": [NAME, {"type": "null"}]}
BOOLEAN: Schema = {
    "type": ["boolean", "string"],
    "enum": [True, "True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes",
             False, "False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no"],
}  # fmt: skip
POSITIVE: Schema = {"type": ["integer", "string"], "pattern": "^[0-9]*$", "minimum": 1, "minLength": 1}
NOT_NEGATIVE: Schema = {**POSITIVE, "minimum": 0}
LARGEST = 0x7FFFFFFF
#: The last character that names may have.
LAST = "\ufffe"
KEY = "^[a-zA-Z0-9-_:. ]{1,255}$"
METADATA: Schema = {
    "type": "object",
    "patternProperties": {KEY: {"type": "string", "maxLength": 255}},
    "additionalProperties": False,
}
TAG: Schema = {"type": "string", "minLength": 1, "maxLength": 60, "pattern": "^[^,/]*$"}
DESCRIPTION: Schema = {"type": ["string", "null"], "minLength": 0, "maxLength": 255}
#: Until microversion 2.93, and from 2.94 on: a name with its domain.
HOSTNAME: Schema = {
    "type": "string",
    "minLength": 2,
    "maxLength": 63,
    "pattern": "^[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+$",
}
FQDN: Schema = {
    **HOSTNAME,
    "maxLength": 255,
    "pattern": r"^[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+(\.[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+)*$",
}
HOST: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9-._]*$"}
DISK_CONFIG: Schema = {"type": "string", "enum": ["AUTO", "MANUAL"]}
ADDRESS: Schema = {"type": "string", "oneOf": [{"format": "ipv4"}, {"format": "ipv6"}]}


def thing(required: tuple[str, ...] = (), /, **properties: Schema) -> Schema:
    """An object with these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def checked(name: str, schema: Schema) -> Any:
    """The request's body out of its envelope ``name``. Refuses in Nova's words what does not fit the schema."""
    whole = body()
    check(whole, {"type": "object", "required": [name], "properties": {name: schema}, "additionalProperties": False})
    return whole[name]


def check(given: Any, schema: Schema) -> None:
    """Refuse in Nova's words what does not fit a schema."""
    validator, formats = _tools()
    error = next(validator(schema, format_checker=formats).iter_errors(given), None)
    if error is None:
        return
    if isinstance(error.cause, _NameError):
        detail = str(error.cause)
    elif error.path:
        detail = f"Invalid input for field/attribute {error.path[-1]}. Value: {error.instance}. {error.message}"
    else:
        detail = error.message
    raise RefusedError(400, detail)


class _NameError(ValueError):
    """Names have words of their own."""

    def __init__(self, rule: str) -> None:
        super().__init__(f"An invalid 'name' value was provided. The name must be: {rule}")


@functools.cache
def _tools() -> tuple[Any, Any]:
    """The validator, which takes a while to import, and Nova's formats."""
    import jsonschema  # type: ignore[import-untyped]

    formats = jsonschema.FormatChecker(formats=())
    for name, test in FORMATS.items():
        formats.checks(name, ValueError)(test)
    numbers = {"minimum": _minimum, "maximum": _maximum}
    return jsonschema.validators.extend(jsonschema.Draft4Validator, numbers), formats


def _number(instance: Any) -> float | None:
    """Numbers in texts count as numbers."""
    try:
        return float(instance)
    except (TypeError, ValueError):
        return None


def _minimum(validator: Any, limit: float, instance: Any, schema: Mapping[str, Any]) -> Any:
    import jsonschema

    number = _number(instance)
    if number is not None and (number < limit or (schema.get("exclusiveMinimum") and number == limit)):
        yield jsonschema.ValidationError(f"{instance} is less than the minimum of {limit}")


def _maximum(validator: Any, limit: float, instance: Any, schema: Mapping[str, Any]) -> Any:
    import jsonschema

    number = _number(instance)
    if number is not None and number > limit:
        yield jsonschema.ValidationError(f"{instance} is greater than the maximum of {limit}")


def _name(instance: Any) -> bool:
    """No blanks around, nothing that cannot be printed, and of Unicode only the first 65535 characters."""
    text = str(instance)
    kinds = [unicodedata.category(character) for character in text]
    printable = all(kind[0] != "C" and (kind[0] != "Z" or kind == "Zs") for kind in kinds)
    if (
        not isinstance(instance, str)
        or not printable
        or "Zs" in (*kinds[:1], *kinds[-1:])
        or max(text, default="") > LAST
    ):
        raise _NameError("printable characters. Can not start or end with whitespace.")
    return True


def _only(safe: str) -> Callable[[Any], bool]:
    """Names of key pairs."""
    safe = f"{safe}{string.digits}{string.ascii_letters}"

    def test(instance: Any) -> bool:
        if any(character not in safe for character in str(instance)):
            raise _NameError(f"Only expected characters: [{safe}]")
        return True

    return test


def _base64(instance: Any) -> bool:
    try:
        base64.decodebytes(str(instance).encode())
    except binascii.Error:
        return False
    return True


def _uuid(instance: Any) -> bool:
    try:
        return str(uuid.UUID(str(instance))).replace("-", "") == str(instance).lower().replace("-", "")
    except ValueError:
        return False


FORMATS: dict[str, Callable[[Any], Any]] = {
    "uuid": _uuid,
    "name": _name,
    "keypair": _only("_- "),
    "keypair 2.92": _only("@._- "),
    "base64": _base64,
    "ipv4": lambda value: ipaddress.ip_address(str(value)).version == 4,
    "ipv6": lambda value: ipaddress.ip_address(str(value)).version == 6,
}


def truth(value: Any) -> bool:
    """What BOOLEAN lets through."""
    return value if isinstance(value, bool) else bool(re.fullmatch("true|1|on|yes", str(value), re.IGNORECASE))
