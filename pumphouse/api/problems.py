"""Errors as clients see them: problem+json (RFC 9457) with a code that stays, the field, and the remedy."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Response, g
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from ..engine import wording
from ..errors import CloudError, ConfigError, PumphouseError, Refusal, UsageError
from .headers import json_response

LOG = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

#: Every code there is: its status, and its title.
CODES: dict[str, tuple[int, str]] = {
    "malformed": (400, "The request cannot be read"),
    "not-logged-in": (401, "Nobody is logged in"),
    "bad-credentials": (401, "The token is not valid"),
    "forbidden": (403, "The role does not allow this"),
    "csrf": (403, "The X-CSRF-Token header is missing or wrong"),
    "not-found": (404, "There is no such thing"),
    "method-not-allowed": (405, "The method is not allowed here"),
    "conflict": (409, "The state does not allow this"),
    "precondition-failed": (412, "It has changed meanwhile"),
    "too-large": (413, "The request is too large"),
    "unsupported-media-type": (415, "Only JSON is read here"),
    "invalid": (422, "The request asks for something that is not allowed"),
    "idempotency-mismatch": (422, "The Idempotency-Key was used for another request"),
    "too-many-attempts": (429, "Too many attempts to log in"),
    "internal": (500, "An error of Pumphouse itself"),
    "cloud-failure": (502, "A cloud failed or refused"),
    "host-failure": (502, "A machine must not be switched, or could not be"),
    "unavailable": (503, "The database of Pumphouse cannot be used"),
}

#: Codes of what Flask and Werkzeug raise by themselves.
_BY_STATUS = {
    400: "malformed", 401: "not-logged-in", 403: "forbidden", 404: "not-found", 405: "method-not-allowed",
    409: "conflict", 412: "precondition-failed", 413: "too-large", 414: "malformed", 415: "unsupported-media-type",
    422: "invalid", 429: "too-many-attempts", 431: "malformed", 503: "unavailable",
}  # fmt: skip

#: What is said where Flask and Werkzeug would speak to a programmer.
_SAID = {
    404: ("there is nothing at this address", "GET /v1/openapi.json names all that there is"),
    405: ("this method is not allowed at this address", "the header Allow names those that are"),
    413: ("the body is larger than 1 MiB", "send a smaller one"),
}

#: Libraries that speak to clouds: what they raise is the cloud's word, not a fault of ours.
_CLIENTS = frozenset(
    ("keystoneauth1", "keystoneclient", "glanceclient", "novaclient", "cinderclient", "openstack", "requests")
)


class Problem(Exception):  # noqa: N818 (RFC 9457's word)
    """A request cannot be answered as it was asked for; what the client gets is made of this."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        remedy: str = "",
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, str]] = (),
    ) -> None:
        """``detail``: one sentence; ``field``: the path of what is wrong in the request; no secrets in either.

        ``errors``: {"field", "detail"} of each field, where several are wrong.
        """
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.remedy = remedy
        self.field = field
        self.headers = dict(headers or {})
        self.errors = [dict(error) for error in errors]

    def to_json(self) -> dict[str, Any]:
        """The body."""
        body = {
            "type": f"/v1/problems/{self.code}",
            "title": CODES.get(self.code, (0, self.code))[1],
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "remedy": self.remedy,
            "field": self.field,
        }
        return {**body, "errors": self.errors} if self.errors else body

    def response(self) -> Response:
        """The answer."""
        response = json_response(self.to_json(), self.status, MEDIA_TYPE)
        response.headers.update(self.headers)
        if self.status == 401:
            response.headers.setdefault("WWW-Authenticate", 'Bearer realm="pumphouse"')
        return response


def not_found(what: str, remedy: str = "") -> Problem:
    """There is no such thing; ``what``: "migration 7"."""
    return Problem(404, "not-found", f"there is no {what}", remedy)


def conflict(detail: str, remedy: str = "") -> Problem:
    """The state of the thing, which ``detail`` names, does not allow this."""
    return Problem(409, "conflict", detail, remedy)


def invalid(field: str | None, detail: str, remedy: str = "") -> Problem:
    """One field of the request has a value that is not allowed."""
    return Problem(422, "invalid", detail, remedy, field)


def refused(status: int, error: Refusal, remedy: str = "") -> Problem:
    """What cannot be done as it was asked for; ``remedy``: where the refusal itself has none."""
    code = "conflict" if status == 409 else "invalid"
    return Problem(status, code, error.detail, wording.remedy(error) or remedy, error.choice or None)


def register(app: APIFlask) -> None:
    """Have every error of an application answered so."""
    app.register_error_handler(Problem, Problem.response)
    app.register_error_handler(Exception, lambda error: from_exception(error).response())
    app.error_processor(lambda error: from_exception(error).response())


def from_exception(error: Exception) -> Problem:
    """What a client is told of an exception. What is a fault of ours is logged with its traceback."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPError):
        return _validation(error) if error.status_code == 422 else _http(error.status_code, "", error.headers)
    if isinstance(error, HTTPException):
        return _from_werkzeug(error)
    if isinstance(error, PumphouseError):
        return _ours(error)
    if type(error).__module__.partition(".")[0] in _CLIENTS:
        from ..clouds.errors import explain

        return Problem(502, "cloud-failure", explain(error), "see that the cloud's service works, then try again")
    LOG.error("request %s has failed", g.get("request_id", "-"), exc_info=error)
    remedy = "look into the log of pumphouse-api for the X-Request-Id of this answer"
    return Problem(500, "internal", "something went wrong that should not have", remedy)


def _ours(error: PumphouseError) -> Problem:
    from ..clouds.errors import RemedyError

    if isinstance(error.__cause__, SQLAlchemyError):
        LOG.error("%s", error)
        return Problem(
            503, "unavailable", "the database cannot be used just now", "try again soon", headers={"Retry-After": "5"}
        )
    if isinstance(error, RemedyError):
        return Problem(502, "cloud-failure", error.what, error.remedy)
    if isinstance(error, CloudError):
        return Problem(502, "cloud-failure", str(error), "see that the cloud's service works, then try again")
    if isinstance(error, Refusal):
        return refused(422, error)
    if isinstance(error, UsageError) and not isinstance(error, ConfigError):
        detail, _, remedy = str(error).partition("; ")
        return Problem(422, "invalid", detail, remedy)
    LOG.error("request %s has failed: %s", g.get("request_id", "-"), error)
    return Problem(500, "internal", str(error), "see the configuration" if isinstance(error, ConfigError) else "")


def _from_werkzeug(error: HTTPException) -> Problem:
    headers = {name: value for name, value in error.get_headers() if name not in ("Content-Type", "Content-Length")}
    return _http(error.code or 500, error.description or "", headers)


def _http(status: int, text: str, headers: Mapping[str, str] | Any) -> Problem:
    code = _BY_STATUS.get(status, "malformed" if status < 500 else "internal")
    detail, remedy = _SAID.get(status, (text.rstrip("."), ""))
    return Problem(status, code, detail or CODES[code][1], remedy, headers=dict(headers or {}))


def _validation(error: HTTPError) -> Problem:
    """APIFlask's {location: {field: [messages]}}."""
    errors = [
        {"field": field.removesuffix("._schema") if field != "_schema" else "", "detail": _clean(message)}
        for fields in (error.detail or {}).values()
        for field, messages in (fields.items() if isinstance(fields, Mapping) else [("", fields)])
        for message in messages
    ]
    if not errors:
        return Problem(422, "invalid", "the request is not valid")
    first = errors[0]
    where = f"{first['field']}: " if first["field"] else ""
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Problem(422, "invalid", f"{where}{first['detail']}{more}", "", first["field"] or None, errors=errors)


def _clean(message: str) -> str:
    """Pydantic's sentence in one line, as ours: without a capital."""
    text = " ".join(str(message).split()).removeprefix("Value error, ")
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
