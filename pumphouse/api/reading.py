"""How requests are read: JSON only, of a bounded size, without what no database of ours can hold."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

import flask
from flask import request
from werkzeug.routing import IntegerConverter

from .paging import GREATEST
from .problems import Problem

#: Bytes of a body.
LARGEST = 1 << 20

_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))


class Id(IntegerConverter):
    """``<int:name>`` in a path: no greater than an id can be, so that there is no such thing rather than an error."""

    def __init__(self, map: Any, fixed_digits: int = 0, min: int | None = None, max: int | None = GREATEST) -> None:
        """As Werkzeug's."""
        super().__init__(map, fixed_digits, min, max)


class Request(flask.Request):
    """Flask's, with stricter JSON. An empty body is taken for ``{}``."""

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """The body. Raises Problem where it is no JSON, or has what cannot be stored."""
        data = self.get_data(cache=cache)
        if not data.strip():
            return {}
        try:
            found = json.loads(data.decode(), parse_constant=_no_number)
            _check(found)
        except (ValueError, RecursionError) as error:
            why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise Problem(400, "malformed", f"the body is not JSON that can be read: {why}") from None
        return found


def check() -> None:
    """Before each request. Raises Problem for what is not read at all."""
    if "\0" in request.path or any("\0" in text for pair in request.args.items(multi=True) for text in pair):
        raise Problem(400, "malformed", "the URL has a NUL character")
    if request.method not in _WITH_BODY or not (request.content_length or request.headers.get("Transfer-Encoding")):
        return
    if request.mimetype != "application/json":
        raise Problem(
            415, "unsupported-media-type", "only JSON is read here", "send the header Content-Type: application/json"
        )


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _check(value: Any) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _check(key)
            _check(item)
    elif isinstance(value, list):
        for item in value:
            _check(item)
    elif isinstance(value, str):
        if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
            raise ValueError("a text has NUL or half a character")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number is too large")
