"""Answers that are JSON already: plans, which can be large, are passed on from the database without being read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from flask import Response, current_app, request


def respond(make: Callable[[], str], etag_of: Any) -> Response:
    """The answer to a GET, or 304 where the client's ``If-None-Match`` still fits: then it is not even made.

    ``make``: the JSON; ``etag_of``: anything of JSON that changes whenever the answer does.
    """
    of = json.dumps([request.full_path, etag_of], default=str, sort_keys=True)
    etag = hashlib.sha256(of.encode()).hexdigest()[:32]
    if request.if_none_match.contains_weak(etag):
        response = current_app.response_class(status=304)
    else:
        response = current_app.response_class(make() + "\n", mimetype="application/json")
    response.set_etag(etag, weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(("Authorization", "X-Auth-Token", "Cookie"))
    return response


def joined(head: dict[str, Any], name: str, text: str | None) -> str:
    """The JSON of ``head`` with one more field, whose JSON this is."""
    return f"{json.dumps(head, separators=(',', ':'))[:-1]},{json.dumps(name)}:{text or 'null'}}}"
