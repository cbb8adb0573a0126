"""Creating requests that may be sent twice: with an Idempotency-Key the second gets the answer of the first."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Response, current_app, request

from ..store import requests
from .guard import who
from .headers import json_response
from .problems import Problem, conflict
from .services import services

View = TypeVar("View", bound=Callable[..., Any])

HEADER, REPLAYED = "Idempotency-Key", "Idempotent-Replayed"

#: Characters of a key.
LONGEST = 128


def idempotent(view: View) -> View:
    """For views that create something. It stands above ``@input`` and ``@output``: what they refuse is forgotten.

    Not for answers with secrets, as answers are kept for a day.
    """

    @functools.wraps(view)
    def once(*args: Any, **values: Any) -> Any:
        key = request.headers.get(HEADER)
        if key is None:
            return view(*args, **values)
        if not 0 < len(key) <= LONGEST or not key.isprintable():
            raise Problem(422, "invalid", f"{HEADER}: allowed are 1 to {LONGEST} printable characters", "", HEADER)
        store, actor = services().store, who().actor
        before = requests.begin(store, actor, key, fingerprint := _fingerprint())
        if before is not None:
            return _again(before, fingerprint)
        try:
            response = current_app.make_response(view(*args, **values))
        except BaseException:
            requests.forget(store, actor, key)
            raise
        if response.status_code >= 400:
            requests.forget(store, actor, key)
        else:
            location = response.headers.get("Location")
            requests.answer(store, actor, key, response.status_code, response.get_json(), location)
        return response

    marks: Any = once
    if not hasattr(marks, "_spec"):
        marks._spec = {}
    marks._spec["idempotent"] = True
    return cast("View", once)


def _fingerprint() -> str:
    """Of what is asked for: method, path with query, body."""
    head = f"{request.method} {request.full_path}\n".encode()
    return hashlib.sha256(head + request.get_data(cache=True)).hexdigest()


def _again(before: requests.Request, fingerprint: str) -> Response:
    if before.fingerprint != fingerprint:
        raise Problem(
            422,
            "idempotency-mismatch",
            f"this {HEADER} was used for another request",
            "use a new one for each thing that is to be made",
            HEADER,
        )
    if before.status is None:
        problem = conflict("the first request with this key is still being answered", "send it again in a second")
        problem.headers["Retry-After"] = "1"
        raise problem
    response = json_response(before.body, before.status)
    response.headers[REPLAYED] = "true"
    if before.location:
        response.headers["Location"] = before.location
    return response
