"""What all calls of Nova share: versions, policies, looking things up, refusing, paging."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

from flask import Response, g, jsonify, request

from pumphouse.embedded.compute import policy, state
from pumphouse.embedded.compute.state import Json, State
from pumphouse.embedded.compute.versions import Version, asked, query_int, told
from pumphouse.embedded.service import RefusedError, Route, Service

#: The most that a list gives at once.
MAX_LIMIT = 1000
#: Status -> the envelope of an error.
ENVELOPES = {
    400: "badRequest",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}


class Base(Service):
    """Of the service, what its groups of calls build on."""

    type = "compute"
    root = "/compute"
    state: State

    def fresh(self) -> State:
        """A cloud without servers."""
        return state.fresh(self.cloud.release)

    def endpoint(self) -> str:
        """With the API's version."""
        return f"{self.root}/v2.1"

    def refusal(self, error: RefusedError) -> Response:
        """In an envelope that is named by the status; those without a valid token get Keystone's words."""
        if error.status == 401:
            message = {"code": 401, "title": "Unauthorized", "message": error.message}
            response = jsonify({"error": message})
            response.headers["WWW-Authenticate"] = f'Keystone uri="{self.cloud.identity.url}/v3"'
        else:
            envelope = error.type or ENVELOPES.get(error.status, "computeFault")
            response = jsonify({envelope: {"code": error.status, "message": error.message}})
        response.status_code = error.status
        return response

    def _handler(self, function: Callable[..., Any], one: Route) -> Callable[..., Response]:
        handle = super()._handler(function, one)

        @functools.wraps(handle)
        def versioned(**arguments: str) -> Response:
            g.request_id = f"req-{uuid.uuid4()}"
            try:
                g.microversion = asked(request.headers, self.cloud.release.compute)
            except RefusedError as error:
                response = self.refusal(error)
            else:
                response = handle(**arguments)
                if response.status_code != 401 and one.path != "/":
                    response.headers.update(told(g.microversion))
            if one.path != "/":
                names = ("x-openstack-request-id", "x-compute-request-id")
                response.headers.update(dict.fromkeys(names, g.request_id))
            if not response.content_length:
                response.content_type = "application/json"
            return response

        return versioned

    # --- versions and policies ---

    @property
    def microversion(self) -> Version:
        """Of the request that is being answered."""
        version: Version = g.microversion
        return version

    def since(self, minor: int) -> bool:
        """Whether the request speaks 2.``minor`` or newer."""
        return self.microversion >= (2, minor)

    def between(self, first: int, last: int) -> None:
        """Refuse versions in which the call does not exist."""
        if not (2, first) <= self.microversion <= (2, last):
            raise RefusedError(404, "The resource could not be found.")

    def can(self, rule: str, project_id: str | None = None) -> bool:
        """Whether the policy lets the request do something to what is in a project."""
        return policy.allowed(self.token, rule, project_id, self.cloud.release.name != "zed")

    def demand(self, rule: str, project_id: str | None = None) -> None:
        """Refuse what the policy does not allow."""
        if not self.can(rule, project_id):
            raise RefusedError(403, policy.words(rule))

    # --- looking up ---

    def find(self, id_: str) -> Json | None:
        """A server's record, for the other services."""
        return self.state.servers.get(id_)

    def visible(self, id_: str) -> Json:
        """A server of the token's project; administrators see all. Refuses others."""
        server = self.state.servers.get(id_)
        if server is None or not (self.token.admin or server["project_id"] == self.token.project_id):
            raise RefusedError(404, f"Instance {id_} could not be found.")
        return server

    def server_for(self, id_: str, rule: str) -> Json:
        """A server with which the request may do what the rule tells. Refuses."""
        server = self.visible(id_)
        self.demand(rule, server["project_id"])
        return server

    # --- answers ---

    def links(self, *path: str) -> list[Json]:
        """The two addresses of a thing: in this version of the API, and for ever."""
        rest = "/".join(path)
        return [
            {"rel": "self", "href": f"{self.url}/v2.1/{rest}"},
            {"rel": "bookmark", "href": f"{self.url}/{rest}"},
        ]

    def limits(self) -> tuple[int, str | None]:
        """How many are wanted, and behind which."""
        limit = query_int("limit")
        return MAX_LIMIT if limit is None else min(limit, MAX_LIMIT), request.args.get("marker")

    def next_links(self, path: str, page: Iterable[Json], limit: int, key: str = "id") -> list[Json]:
        """Where a list goes on, when its page is full."""
        ids = [one[key] for one in page]
        if not ids or len(ids) < limit:
            return []
        query = [(name, value) for name, value in request.args.items(multi=True) if name != "marker"]
        return [{"rel": "next", "href": f"{self.url}/v2.1/{path}?{urlencode([*query, ('marker', ids[-1])])}"}]
