"""Answers with an ETag: who asks again for what has not changed gets 304 and no body."""

from __future__ import annotations

import hashlib
import json
from typing import Any, cast

from flask import Response, current_app, request
from pydantic import BaseModel


def respond(body: BaseModel | dict[str, Any], etag_of: Any = None, status: int = 200) -> Response:
    """The answer to a GET, or 304 where the client's ``If-None-Match`` still fits.

    ``etag_of``: anything of JSON that changes whenever the answer does (cheaper than the answer itself); None: the
    answer. It may differ in form from its schema: it is not checked here (as ``@output`` would).
    """
    data = body.model_dump(mode="json", by_alias=True) if isinstance(body, BaseModel) else body
    text = current_app.json.dumps(data, separators=(",", ":"))
    of = text if etag_of is None else json.dumps([request.full_path, etag_of], default=str, sort_keys=True)
    response = current_app.response_class(text + "\n", status=status, mimetype="application/json")
    response.set_etag(hashlib.sha256(of.encode()).hexdigest()[:32], weak=True)
    # May be kept by the client, but must be asked for each time.
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(("Authorization", "X-Auth-Token", "Cookie"))
    return cast("Response", response.make_conditional(request))
