"""How Nailgun answers: bodies, and the forms of its refusals."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, request

from pumphouse.embedded.nailgun.flavours import Flavour, Json
from pumphouse.embedded.service import RefusedError


class BareError(RefusedError):
    """A refusal in bare text, in all versions: that of the handlers themselves, not of the validators."""


def found(thing: Any, what: str) -> Any:
    """The thing, or a refusal if there is none: "Node not found"."""
    if thing is None:
        raise RefusedError(404, f"{what} not found")
    return thing


def refusal(flavour: Flavour, error: RefusedError) -> Response:
    """The error as this version words it. Its type is always said to be HTML. A 401 has no body."""
    if error.status == 401:
        return Response(status=401, content_type="")
    text = error.message
    if flavour.later and not isinstance(error, BareError):
        text = json.dumps({"message": error.message, "errors": []})
    return Response(text, status=error.status, content_type="text/html")


def answer(flavour: Flavour, given: Any) -> Response:
    """From what handlers give: a body, or (body, status)."""
    if isinstance(given, Response):
        return given
    body, status = given if isinstance(given, tuple) else (given, 200)
    if status == 204:
        return Response(status=204, content_type="")
    text = "None" if body is None and not flavour.later else json.dumps(body)
    return Response(text, status=status, content_type="application/json")


def sent() -> Any:
    """The request's JSON, whatever it is."""
    try:
        return json.loads(request.get_data() or b"{}")
    except ValueError:
        raise RefusedError(400, "Invalid json received") from None


def sent_list() -> list[Json]:
    """The request's JSON, a list of objects."""
    given = sent()
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise RefusedError(400, "Invalid data: a list of objects is needed")
    return given


def python2(value: Any) -> str:
    """As Python 2 shows values, which is how refusals quote them."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{python2(k)}: {python2(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(python2, value)) + "]"
    return f"u{value!r}" if isinstance(value, str) else repr(value)
