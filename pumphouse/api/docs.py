"""The OpenAPI document as a page: what is in it, put in the order in which people read."""

from __future__ import annotations

import json
from typing import Any

STYLE = """
:root { color-scheme: light dark; --text: #1c2733; --soft: #5a6877; --line: #d5dce3; --paper: #fff; --box: #f4f6f8;
  --link: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --text: #e3e9ef; --soft: #9fadbb; --line: #37434f; --paper: #161c22;
  --box: #1f272f; --link: #7db8f2; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 62rem; font: 1rem/1.5 system-ui, sans-serif;
  color: var(--text); background: var(--paper); }
a { color: var(--link); }
h1 { margin: 0 0 .3rem; } h2 { margin: 2.5rem 0 .5rem; border-bottom: 1px solid var(--line); }
h3 { margin: 0; font-size: 1rem; font-weight: 600; }
code, pre { font: .875rem/1.45 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .6rem .8rem; background: var(--box); border-radius: .3rem; }
nav ul { columns: 3 15rem; padding-left: 1.1rem; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0; }
summary { display: flex; flex-wrap: wrap; gap: .2rem .7rem; align-items: baseline; padding: .5rem .8rem;
  cursor: pointer; }
summary code { overflow-wrap: anywhere; } summary .role { margin-left: auto; color: var(--soft); font-size: .875rem; }
.body { padding: 0 .8rem .8rem; scroll-margin-top: 4rem; } .method { min-width: 4rem; font-weight: 700; }
table { border-collapse: collapse; width: 100%; margin: .4rem 0 1rem; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-top: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; border: 0; } td p { margin: 0; }
.soft { color: var(--soft); } .lines { white-space: pre-line; }
@media print { details { break-inside: avoid; } }
"""

_METHODS = ("get", "post", "put", "patch", "delete")


def readable(document: dict[str, Any]) -> dict[str, Any]:
    """For the template: {"info", "groups": [{"name", "operations"}], "schemas": [{"name", "text", "rows"}]}."""
    groups: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in document.get("tags", ())}
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                shown = _operation(path, method, operations[method])
                groups.setdefault((operations[method].get("tags") or ["Others"])[0], []).append(shown)
    schemas = document["components"]["schemas"]
    return {
        "info": document["info"],
        "groups": [{"name": name, "operations": found} for name, found in groups.items() if found],
        "schemas": [
            {"name": name, "text": schema.get("description", ""), "rows": _rows(schema)}
            for name, schema in schemas.items()
        ],
    }


def _operation(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    return {
        "id": operation.get("operationId", f"{method} {path}"),
        "method": method.upper(),
        "path": path,
        "summary": operation.get("summary", ""),
        "text": operation.get("description", ""),
        "role": operation.get("x-role", ""),
        "parameters": [
            {**parameter, "type": _type(parameter.get("schema", {}))} for parameter in operation.get("parameters", ())
        ],
        "body": [_type(media.get("schema", {})) for media in content.values()],
        "responses": [
            {
                "status": status,
                "text": response.get("description", ""),
                "types": [
                    {"media": media, "type": _type(found.get("schema", {}))}
                    for media, found in response.get("content", {}).items()
                ],
            }
            for status, response in operation["responses"].items()
        ],
    }


def _rows(schema: dict[str, Any]) -> list[dict[str, Any]]:
    needed = schema.get("required", ())
    return [
        {"name": name, "type": _type(found), "needed": name in needed, "text": found.get("description", "")}
        for name, found in schema.get("properties", {}).items()
    ]


def _type(schema: dict[str, Any]) -> list[dict[str, str]]:
    """A type as words, some of which lead to another schema: [{"text", "to"}]."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return [{"text": name, "to": name}]
    for key in ("anyOf", "oneOf"):
        if key in schema:
            parts: list[dict[str, str]] = []
            for one in schema[key]:
                parts += ([{"text": " or ", "to": ""}] if parts else []) + _type(one)
            return parts
    if "enum" in schema:
        return [{"text": ", ".join(json.dumps(value) for value in schema["enum"]), "to": ""}]
    if "const" in schema:
        return [{"text": json.dumps(schema["const"]), "to": ""}]
    if schema.get("type") == "array":
        return [{"text": "list of ", "to": ""}, *_type(schema.get("items", {}))]
    bounds = [
        f"{word} {schema[key]}"
        for key, word in (("minimum", "from"), ("maximum", "to"), ("maxLength", "up to"))
        if key in schema
    ]
    return [{"text": " ".join([str(schema.get("type", "anything")), *bounds]), "to": ""}]
