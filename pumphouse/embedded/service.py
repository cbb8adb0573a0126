"""What every embedded service is: a state that can be saved, routes, and the wording of its errors."""

from __future__ import annotations

import copy
import dataclasses
import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from flask import Blueprint, Response, g, jsonify, request

if TYPE_CHECKING:
    from pumphouse.embedded.ground import Ground
    from pumphouse.embedded.identity.tokens import Token

Json = dict[str, Any]
F = TypeVar("F", bound=Callable[..., Any])


class RefusedError(Exception):
    """The service says no. Each service words it in its own way, see :meth:`Service.refusal`."""

    def __init__(self, status: int, message: str, type_: str = "") -> None:
        """``type_``: what the service calls the error ("NetworkNotFound", "itemNotFound"), where it does."""
        super().__init__(message)
        self.status, self.message, self.type = status, message, type_


@dataclasses.dataclass(frozen=True)
class Route:
    """One call of an API."""

    method: str
    path: str
    #: Bytes flow for a while: the cloud is not locked meanwhile, the handler locks what it must.
    streams: bool
    #: Answered without a token.
    open: bool


def route(method: str, path: str, *, streams: bool = False, open: bool = False) -> Callable[[F], F]:
    """Mark a method of a service as what answers to a call. ``path`` is Flask's, below the service's root."""

    def mark(function: F) -> F:
        routes = [*getattr(function, "routes", ()), Route(method, path, streams, open)]
        function.routes = routes  # type: ignore[attr-defined]
        return function

    return mark


class Service:
    """One service of an embedded cloud.

    Everything that must survive ``EmbeddedCloud.save`` and ``restore`` is in ``state``: plain data only.
    """

    #: Official type: "compute". Also the name of the attribute of the cloud.
    type: ClassVar[str]
    #: Where it is below the cloud's URL: "/compute".
    root: ClassVar[str]

    def __init__(self, cloud: Ground) -> None:
        """With the state of a new one."""
        self.cloud = cloud
        self.state = self.fresh()

    def fresh(self) -> Any:
        """The state of a new cloud."""
        raise NotImplementedError

    def endpoint(self) -> str:
        """The URL in the catalogue, below the cloud's. ``%(project_id)s`` stands for the token's project."""
        return self.root

    def refusal(self, error: RefusedError) -> Response:
        """The error in the service's own form."""
        raise NotImplementedError

    def authenticate(self, token: str | None) -> Token:
        """Who asks. Raises RefusedError."""
        return self.cloud.authenticate(token)

    @property
    def token(self) -> Token:
        """Of the request that is being answered."""
        return g.token

    @property
    def url(self) -> str:
        """Of this service, absolute."""
        return f"{self.cloud.url}{self.root}"

    def blueprint(self) -> Blueprint:
        """All routes of the class."""
        blueprint = Blueprint(self.type, __name__, url_prefix=self.root)
        for name in dir(type(self)):
            for one in getattr(getattr(type(self), name), "routes", ()):
                handler = self._handler(getattr(self, name), one)
                blueprint.add_url_rule(one.path, f"{name} {one.method} {one.path}".replace(".", "_"), handler,
                                       methods=[one.method], strict_slashes=False)  # fmt: skip
        return blueprint

    def _handler(self, function: Callable[..., Any], one: Route) -> Callable[..., Response]:
        @functools.wraps(function)
        def handle(**arguments: str) -> Response:
            try:
                with self.cloud.lock:
                    self.cloud.tick()
                    if not one.open:
                        g.token = self.authenticate(request.headers.get("X-Auth-Token"))
                    if not one.streams:
                        return answer(function(**arguments))
                return answer(function(**arguments))
            except RefusedError as error:
                return self.refusal(error)

        return handle


def answer(given: Any) -> Response:
    """A Response from what handlers return: a body, (body, status), (body, status, headers), None or a Response."""
    if isinstance(given, Response):
        return given
    body, status, headers = (*given, None, None)[:3] if isinstance(given, tuple) else (given, None, None)
    if body is None:
        response = Response(status=status or 204)
    else:
        response = jsonify(body)
        response.status_code = status or 200
    response.headers.update(headers or {})
    return response


def body(key: str | None = None) -> Json:
    """A copy of the request's JSON, out of its envelope ``key``. Refuses what is no JSON object, or lacks the key."""
    given = request.get_json(force=True, silent=True)
    if not isinstance(given, dict) or (key and not isinstance(given.get(key), dict)):
        raise RefusedError(400, f"Malformed request: an object{f' {key!r}' if key else ''} is needed")
    return copy.deepcopy(given[key] if key else given)


def paged(found: Iterable[Json], limit: int | None, marker: str | None, key: str = "id") -> tuple[list[Json], bool]:
    """One page behind ``marker`` and whether there is more. Refuses an unknown marker, as all services do."""
    listed = list(found)
    if marker:
        at = next((n for n, one in enumerate(listed) if str(one[key]) == marker), None)
        if at is None:
            raise RefusedError(400, f"marker [{marker}] not found")
        listed = listed[at + 1 :]
    if limit is None or len(listed) <= limit:
        return listed, False
    return listed[:limit], True
