"""What all calls of Cinder share: versions, policies, looking things up, refusing, links."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any, ClassVar

from flask import Response, g, jsonify, request

from pumphouse.embedded.service import RefusedError, Route, Service
from pumphouse.embedded.volume import state
from pumphouse.embedded.volume.state import DEFAULT_TYPE, Json, State

#: Status -> the envelope of an error.
ENVELOPES = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    501: "notImplemented",
    503: "serviceUnavailable",
}
HEADER = "OpenStack-API-Version"
TRUE, FALSE = ("1", "t", "true", "on", "y", "yes"), ("0", "f", "false", "off", "n", "no")

Version = tuple[int, int]


class Base(Service):
    """Of the service, what its groups of calls build on."""

    type: ClassVar[str] = "volume"
    root: ClassVar[str] = "/volume"
    state: State

    def fresh(self) -> State:
        """A cloud without volumes."""
        return state.fresh()

    def endpoint(self) -> str:
        """With the project in it."""
        return f"{self.root}/v3/%(project_id)s"

    def refusal(self, error: RefusedError) -> Response:
        """In an envelope that is named by the status; those without a valid token get Keystone's words."""
        told: Json = {"code": error.status, "message": error.message}
        if error.status == 401:
            response = jsonify({"error": {**told, "title": "Unauthorized"}})
            response.headers["WWW-Authenticate"] = f'Keystone uri="{self.cloud.identity.url}/v3"'
        elif error.status == 413:
            response = jsonify({"overLimit": {**told, "retryAfter": "0"}})
            response.headers["Retry-After"] = "0"
        else:
            response = jsonify({ENVELOPES.get(error.status, "computeFault"): told})
        response.status_code = error.status
        return response

    def _handler(self, function: Callable[..., Any], one: Route) -> Callable[..., Response]:
        """Of calls below a project: agree on the version, and refuse other projects than the token's."""

        def within(project_id: str | None = None, **arguments: str) -> Any:
            if project_id is not None and project_id != self.token.project_id:
                raise RefusedError(400, "Malformed request url")
            return function(**arguments)

        handle = super()._handler(within, one)

        def versioned(**arguments: str) -> Response:
            newest = self.cloud.release.volume
            g.microversion = (3, 0)
            try:
                g.microversion = _asked(request.headers.get(HEADER), newest)
            except RefusedError as error:
                return self.refusal(error)
            response = handle(**arguments)
            if response.status_code != 401:
                told = {HEADER: f"volume {_dotted(g.microversion)}", "Vary": HEADER}
                response.headers.update({**told, "x-compute-request-id": f"req-{uuid.uuid4()}"})
            return response

        return versioned

    # --- versions and policies ---

    def since(self, minor: int) -> bool:
        """Whether the request speaks 3.``minor`` or newer."""
        version: Version = g.microversion
        return version >= (3, minor)

    def needs(self, minor: int) -> None:
        """Refuse versions in which the call does not exist."""
        if not self.since(minor):
            raise RefusedError(404, f"API version {_dotted(g.microversion)} is not supported on this method.")

    def demand(self, rule: str) -> None:
        """Refuse to all but administrators what a policy leaves to them."""
        if not self.token.admin:
            raise RefusedError(403, f"Policy doesn't allow {rule} to be performed.")

    # --- looking up ---

    @property
    def host(self) -> str:
        """The backend that everything is on."""
        return f"{self.cloud.name}-volumes@{state.BACKEND}"

    @property
    def pool(self) -> str:
        """Its only pool."""
        return f"{self.host}#{state.BACKEND}"

    def visible(self, id_: str) -> Json:
        """A volume of the token's project; administrators see all. Refuses others."""
        return self._owned(self.state.volumes.get(id_), f"Volume {id_} could not be found.")

    def visible_snapshot(self, id_: str) -> Json:
        """The same of snapshots."""
        return self._owned(self.state.snapshots.get(id_), f"Snapshot {id_} could not be found.")

    def _owned(self, found: Json | None, otherwise: str) -> Json:
        if found is None or not (self.token.admin or found["project_id"] == self.token.project_id):
            raise RefusedError(404, otherwise)
        return found

    def usable(self, type_: Json) -> bool:
        """Whether the token's project may make volumes of a type."""
        return self.token.admin or type_["is_public"] or self.token.project_id in type_["projects"]

    def visible_type(self, id_: str) -> Json:
        """A type that the token's project may use. Refuses others."""
        type_ = self.state.types.get(id_)
        if type_ is None or not self.usable(type_):
            raise RefusedError(404, f"Volume type {id_} could not be found.")
        return type_

    def type_named(self, name: str) -> Json:
        """A type by its id or name, whoever may use it."""
        found = self.state.types.get(name) or self.type_called(name)
        if found is None:
            raise RefusedError(404, f"Volume type with name {name} could not be found.")
        return found

    def type_called(self, name: str) -> Json | None:
        """A type by its name, whoever may use it."""
        return next((type_ for type_ in self.state.types.values() if type_["name"] == name), None)

    def default_type(self) -> Json:
        """Of volumes of which nothing is said."""
        found = self.type_called(DEFAULT_TYPE)
        if found is None:
            text = f"The request cannot be fulfilled as the default volume type {DEFAULT_TYPE} cannot be found."
            raise RefusedError(500, text)
        return found

    # --- answers ---

    def links(self, collection: str, id_: str) -> list[Json]:
        """The two addresses of a thing: in this version of the API, and for ever."""
        path = f"{self.token.project_id}/{collection}/{id_}"
        return [
            {"rel": "self", "href": f"{self.url}/v3/{path}"},
            {"rel": "bookmark", "href": f"{self.url}/{path}"},
        ]

    def tell(self, record: Json, action: str, detail: str, type_: str = "VOLUME") -> None:
        """Leave a message about what went wrong with a volume or snapshot in the background."""
        made = {
            "id": str(uuid.uuid4()),
            "project_id": record["project_id"],
            "event_id": f"VOLUME_{type_}_{ACTIONS[action]}_{DETAILS[detail]}",
            "user_message": f"{action}:{detail}",
            "message_level": "ERROR",
            "created_at": state.now(),
            "request_id": f"req-{uuid.uuid4()}",
            "resource_type": type_,
            "resource_uuid": record["id"],
        }
        self.state.messages[made["id"]] = made


#: Numbers of what messages tell: what was done, and what went wrong.
ACTIONS = {
    "schedule allocate volume": "001",
    "copy volume to image": "003",
    "copy image to volume": "005",
    "extend volume": "007",
    "create volume from backend storage": "008",
    "create snapshot": "009",
}
DETAILS = {
    "Could not find any available weighted backend.": "003",
    "Failed to upload volume to image at backend.": "004",
    "Image used for creating volume exceeds available space.": "007",
    "Volume Driver failed to extend volume.": "010",
    "Driver failed to create the volume.": "012",
    "Snapshot failed to create.": "013",
}


def flag(value: Any, name: str = "") -> bool:
    """What Cinder takes for true and false. Refuses other words."""
    text = str(value).strip().lower()
    if text not in (*TRUE, *FALSE):
        accepted = ", ".join(repr(word) for word in sorted((*TRUE, *FALSE)))
        raise RefusedError(400, f"Invalid value '{value}' for {name}. Acceptable values are: {accepted}")
    return text in TRUE


def _dotted(version: Version) -> str:
    return f"{version[0]}.{version[1]}"


def _asked(header: str | None, newest: Version) -> Version:
    """The version that a request wants. Refuses what is none, and what is too new."""
    for part in (header or "").split(","):
        service, _, text = part.strip().partition(" ")
        if service not in ("volume", "block-storage"):
            continue
        if text == "latest":
            return newest
        if not (match := re.fullmatch(r"(\d+)\.(\d+)", text.strip())):
            words = f"API Version String {text} is of invalid format. Must be of format MajorNum.MinorNum."
            raise RefusedError(400, words)
        version = int(match[1]), int(match[2])
        if not (3, 0) <= version <= newest:
            words = f"Version {text} is not supported by the API. Minimum is 3.0 and maximum is {_dotted(newest)}."
            raise RefusedError(406, words)
        return version
    return 3, 0
