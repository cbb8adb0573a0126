"""What all parts of Keystone share: wording, lists, links, who may do what."""

from __future__ import annotations

import http.client
import itertools
import uuid
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

from flask import Response, jsonify, request

from pumphouse.embedded.identity.database import Database
from pumphouse.embedded.identity.model import Json, Names, State
from pumphouse.embedded.service import RefusedError, Route, Service

#: What a list of 2026.1 gives at most (max_db_limit).
MOST = 1000


def missing(kind: str, id_: str) -> RefusedError:
    """404 in Keystone's words."""
    return RefusedError(404, f"Could not find {kind}: {id_}.")


def conflict(kind: str, detail: str) -> RefusedError:
    """409 in Keystone's words."""
    return RefusedError(409, f"Conflict occurred attempting to store {kind} - {detail}.")


def forbidden(action: str) -> RefusedError:
    """403 in Keystone's words. ``action``: the name of the policy's rule, or a reason."""
    return RefusedError(403, f"You are not authorized to perform the requested action: {action}.")


def unauthorized() -> RefusedError:
    """401: Keystone does not say why."""
    return RefusedError(401, "The request you have made requires authentication.")


class IdentityBase(Service):
    """The service without its calls."""

    type = "identity"
    root = "/identity"
    state: State
    database: Database

    def endpoint(self) -> str:
        """The version is part of it, as Keystone's own bootstrap makes it."""
        return f"{self.root}/v3"

    def refusal(self, error: RefusedError) -> Response:
        """{"error": {"code", "message", "title"}}."""
        title = http.client.responses[error.status]
        response = jsonify({"error": {"code": error.status, "message": error.message, "title": title}})
        response.status_code = error.status
        if error.status == 401:
            response.headers["WWW-Authenticate"] = f'Keystone uri="{self.url}/v3"'
        return response

    def _handler(self, function: Callable[..., Any], one: Route) -> Callable[..., Response]:
        """Whatever changes something may change what tokens stand for."""
        handle = super()._handler(function, one)
        changes = one.method not in ("GET", "HEAD") and not one.open

        def with_headers(**arguments: str) -> Response:
            try:
                response = handle(**arguments)
            finally:
                if changes:
                    self.changed()
            response.headers |= {"Vary": "X-Auth-Token", "x-openstack-request-id": f"req-{uuid.uuid4()}"}
            if response.status_code == 204:
                del response.headers["Content-Type"]
            return response

        return with_headers

    def changed(self) -> None:
        """Tokens that are out have to be looked at again."""
        self.state.epoch += 1

    def allow(self, action: str, *more: bool) -> None:
        """Refuse who is not administrator, unless one of the policy's other conditions holds."""
        if not (self.token.admin or any(more)):
            raise forbidden(f"identity:{action}")

    @property
    def reads_all(self) -> bool:
        """Whether the token is for reading the whole system."""
        return self.token.system and self.token.has("reader")

    def reads_domain(self, domain_id: str | None) -> bool:
        """Whether the token is for reading one domain."""
        return domain_id is not None and self.token.domain_id == domain_id and self.token.has("reader")

    def link(self, path: str) -> Json:
        """{"self": URL}."""
        return {"self": f"{self.url}/v3/{path}"}

    def listed(self, key: str, found: Iterable[Json]) -> Json:
        """A collection without pages."""
        links = {"next": None, "self": f"{self.cloud.url}{request.full_path.rstrip('?')}", "previous": None}
        return {key: list(found), "links": links}

    def paged(self, key: str, found: list[Json], show: Callable[[Json], Json], *, marked: bool = True) -> Json:
        """A collection of which 2026.1 gives a page by ``limit`` and ``marker``, and older ones all at once.

        Without a limit, 2026.1 gives the first thousand, and does not say that there are more. Where it does not
        know markers (not ``marked``), every page is the first.
        """
        if self.cloud.release.name == "zed":
            return self.listed(key, map(show, found))
        asked = request.args.get("limit", type=int)
        limit = min(asked or MOST, MOST)
        if marked:
            found = sorted(found, key=lambda one: str(one["id"]))
            marker = request.args.get("marker")
            if marker is not None and all(one["id"] != marker for one in found):
                raise RefusedError(404, f"Marker {marker} could not be found.")
            page = [one for one in found if marker is None or one["id"] > marker][:limit]
        else:
            page = found[:asked] if asked else found
        answer = self.listed(key, map(show, page))
        if asked and len(page) == limit:
            query = urlencode({**request.args, "limit": limit, "marker": page[-1]["id"]})
            answer["links"]["next"] = f"{request.base_url}?{query}"
            answer["truncated"] = True
        return answer


def filtered(found: Iterable[Json], *names: str) -> list[Json]:
    """Those that the query asks for, by fields that can be asked for: equal, or ``name__contains`` and the like.

    As MySQL compares them: without case, accents and spaces at the end.
    """
    chosen = list(found)
    for name in names:
        if (wanted := request.args.get(name)) is not None:
            chosen = list(filter(_equal(name, wanted), chosen))
        for how, test in COMPARISONS.items():
            if (part := request.args.get(f"{name}__{how}")) is not None:
                plain = Names.plain(part)
                chosen = [one for one in chosen if test(Names.plain(str(one.get(name) or "")), plain)]
    return chosen


#: What a name may be asked for besides being equal.
COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


def _equal(name: str, wanted: str) -> Callable[[Json], bool]:
    plain, true = Names.plain(wanted), wanted.lower() not in ("0", "false", "no", "off")

    def same(one: Json) -> bool:
        value = one.get(name)
        if isinstance(value, bool):
            return value == true
        return value is not None and (value == wanted or Names.plain(str(value)) == plain)

    return same


def before(fields: Json, name: str) -> Json:
    """The fields up to one."""
    return dict(itertools.takewhile(lambda field: field[0] != name, fields.items()))


def since(fields: Json, name: str) -> Json:
    """The fields from one on."""
    return dict(itertools.dropwhile(lambda field: field[0] != name, fields.items()))
