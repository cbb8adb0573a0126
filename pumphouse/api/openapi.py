"""The OpenAPI document: what APIFlask makes of the views, and what all of them have in common."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any, cast

from apiflask import APIFlask
from pydantic import BaseModel

from . import guard
from .problems import CODES, MEDIA_TYPE
from .schemas.base import ProblemAnswer

DESCRIPTION = """\
Moves tenants, whole, from an old OpenStack cloud (source) to a new one (destination).

Plans and everything that runs long are asked for with POST, answered with 202, and watched at the URL in `Location`, or
by the events. Times are seconds since the epoch (UTC), sizes are bytes unless a name says GiB.
Lists are read in parts: follow `next` until it is null.
"""

SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of `pumphouse-api token create`.",
    },
    "keystone": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Auth-Token",
        "description": "A Keystone token of either cloud, where the configuration has a role for it.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "pumphouse_session",
        "description": "The page's: set by POST /v1/session. Changes need the header X-CSRF-Token, too.",
    },
}

_SCHEMAS = "#/components/schemas/"
_PROBLEM = {"$ref": f"{_SCHEMAS}Problem"}

#: What APIFlask says of errors.
_THEIRS = ("HTTPError", "ValidationError")

#: What path parameters are, by name; of others the views' descriptions tell.
_PARAMETERS = {
    "role": "source or destination",
    "migration_id": "The migration",
    "plan_id": "The plan",
    "job_id": "The job",
    "host": "Its exact name: of its hypervisor, as the inventory knows it",
}

_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
    "description": "Chosen by the client, one for each thing to be made: sent again with the same body, nothing is made"
    " a second time, and the first answer comes again (with `Idempotent-Replayed: true`).",
}
_CSRF = {
    "name": "X-CSRF-Token",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "`csrf_token` of the session; needed with the session's cookie only.",
}


def also(status: int, description: str, media_type: str = "", kind: str | type[BaseModel] = "string") -> Any:
    """For ``@doc(responses=)``: another answer, of this kind in JSON schema, or of a model that an ``@output`` has.

    Without a type it has no body.
    """
    schema = {"type": kind} if isinstance(kind, str) else {"$ref": f"{_SCHEMAS}{kind.__name__}"}
    content = {"content": {media_type: {"schema": schema}}} if media_type else {}
    return {status: {"description": description, **content}}


def configure(app: APIFlask) -> None:
    """Say what APIFlask cannot know."""
    app.description = DESCRIPTION
    app.servers = [{"url": "/"}]
    app.config.update(
        SECURITY_SCHEMES=SECURITY,
        AUTO_404_RESPONSE=False,
        AUTO_AUTH_ERROR_RESPONSE=False,
        AUTO_OPERATION_ID=True,
    )
    app.spec_processor(lambda spec: _complete(app, cast("dict[str, Any]", spec)))


def _complete(app: APIFlask, spec: dict[str, Any]) -> dict[str, Any]:
    for operation, view, method in _operations(app, spec):
        _complete_operation(operation, guard.role_of(view) or "", getattr(view, "_spec", {}), method)
    schemas = spec.setdefault("components", {}).setdefault("schemas", {})
    for name in _THEIRS:
        schemas.pop(name, None)
    _flatten(spec)
    schemas = spec["components"]["schemas"]
    problem = ProblemAnswer.model_json_schema(ref_template=f"{_SCHEMAS}{{model}}")
    schemas.update(problem.pop("$defs", {}))
    problem["properties"]["code"]["examples"] = list(CODES)
    schemas["Problem"] = problem
    spec["components"]["schemas"] = dict(sorted(schemas.items()))
    return spec


def _operations(app: APIFlask, spec: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Any, str]]:
    """Every operation of the document, with its view and its method."""
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^<:]+:)?([^>]+)>", r"{\1}", rule.rule)
        for method in rule.methods or ():
            operation = spec.get("paths", {}).get(path, {}).get(method.lower())
            if operation is not None:
                yield operation, app.view_functions[rule.endpoint], method


def _complete_operation(operation: dict[str, Any], role: str, marks: dict[str, Any], method: str) -> None:
    responses = operation.setdefault("responses", {})
    parameters = operation["parameters"] = copy.deepcopy(operation.get("parameters", []))
    if role:
        operation["security"] = [{name: []} for name in SECURITY]
        operation["x-role"] = role
        responses.setdefault("401", {"description": "Nobody is logged in, or the token is not valid"})
        responses.setdefault("403", {"description": f"The role {role} is needed, or the CSRF token"})
        if method not in guard.READING:
            parameters.append(_CSRF)
    else:
        operation["security"] = []
    if operation.get("requestBody"):
        operation["requestBody"].setdefault("required", True)
        responses.setdefault("400", {"description": "The body is not JSON"})
        responses.setdefault("413", {"description": "The body is too large"})
        responses.setdefault("415", {"description": "The body is something else than JSON"})
    if marks.get("idempotent"):
        parameters.append(_IDEMPOTENCY)
        responses.setdefault("409", {"description": "The first request with this key is still being answered"})
        responses.setdefault("422", {"description": "The key was used for another request"})
    for parameter in parameters:
        if parameter["in"] == "path" and (text := _PARAMETERS.get(parameter["name"])):
            parameter.setdefault("description", text)
        schema = parameter["schema"] = _never_null(parameter.get("schema", {}))
        if text := schema.get("description"):
            parameter.setdefault("description", text)
    responses["default"] = {"description": "Any other error"}
    for status, response in responses.items():
        if status == "default" or (status >= "400" and _is_theirs(response)):
            response["content"] = {MEDIA_TYPE: {"schema": _PROBLEM}}
    operation["responses"] = dict(sorted(responses.items()))


def _is_theirs(response: dict[str, Any]) -> bool:
    """Whether nothing, or nothing of ours, was said of an error's body."""
    schemas = [media.get("schema", {}).get("$ref", "") for media in response.get("content", {}).values()]
    return all(schema.removeprefix(_SCHEMAS) in ("", *_THEIRS) for schema in schemas)


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that may be left out: it is never sent as null."""
    kinds = schema.get("anyOf", ())
    others = [kind for kind in kinds if kind != {"type": "null"}]
    if len(others) == len(kinds) or len(others) != 1:
        return schema
    rest = {
        key: value for key, value in schema.items() if key not in ("anyOf", "default") or value not in (None, kinds)
    }
    return {**rest, **others[0]}


def _flatten(spec: dict[str, Any]) -> None:
    """Schemas within others are called `Outer.Inner` by APIFlask, once for each outer one: here they are one."""
    schemas: dict[str, Any] = spec["components"]["schemas"]
    inner: dict[str, list[str]] = {}
    for name in schemas:
        if "." in name:
            inner.setdefault(name.rpartition(".")[2], []).append(name)
    for short, names in inner.items():
        others = [*names, short] if short in schemas else names
        plain = [_renamed(schemas[name], lambda text: text.rpartition(".")[2]) for name in others]
        if any(schema != plain[0] for schema in plain):
            continue
        schemas[short] = schemas[others[0]]
        for name in names:
            del schemas[name]
        gone = set(names)
        spec.update(_renamed(spec, lambda text, gone=gone, short=short: short if text in gone else text))
        schemas = spec["components"]["schemas"]


def _renamed(value: Any, rename: Any) -> Any:
    """A copy with the schemas that are referred to named otherwise."""
    if isinstance(value, dict):
        return {
            key: _SCHEMAS + rename(item.removeprefix(_SCHEMAS))
            if key == "$ref" and isinstance(item, str)
            else _renamed(item, rename)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_renamed(item, rename) for item in value]
    return value


def document() -> dict[str, Any]:
    """The document of this version, without a service that runs."""
    from types import SimpleNamespace

    from ..config import ApiConfig
    from .app import create_app
    from .services import Services

    nothing: Any = None
    settings: Any = SimpleNamespace(api=ApiConfig())
    app = create_app(Services(settings, nothing, nothing, nothing))
    with app.test_request_context():
        return cast("dict[str, Any]", app.spec)
