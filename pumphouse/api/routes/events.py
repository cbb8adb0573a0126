"""The stream of events: server-sent events, from the database."""

from __future__ import annotations

import logging
from typing import Any

from apiflask import APIBlueprint
from flask import Response, copy_current_request_context, request

from .. import login
from ..guard import needs, who
from ..messages import TYPES, Wanted
from ..paging import GREATEST
from ..problems import Problem, invalid
from ..schemas.stream import StreamQuery
from ..services import services
from ..stream import TooManyError

LOG = logging.getLogger(__name__)

blueprint = APIBlueprint("events", __name__, url_prefix="/v1", tag="Events")

#: Seconds in which a client must take what is written to it; one that hangs would keep a thread for good.
STUCK = 30.0
#: Filters of one kind.
MOST = 100

DESCRIPTION = """Server-sent events (`text/event-stream`), until the client goes. Each has `event: TYPE` and `data:`
with JSON; those that are kept have an `id:`, too. Who comes back with `Last-Event-ID` (browsers do so by themselves),
or `?after=`, gets all that followed.

* `migration` {id, state, text, time}: it has changed its state
* `unit` {migration_id, unit, state or step, text, time}: a unit has, or does something else
* `log` {migration_id, unit, kind, text, time, data}: anything else that happened in a migration
* `job` {id, kind, state, said, migration_id, plan_id, error}; `plan` {id, state, said, error}
* `audit`: who did what; to administrators only
* `progress` {migration_id, units, migration}: what has changed of the units that run, and the counts; at most twice a
  second for each migration; not kept
* `clouds` {role, complete}: the lists of a cloud were read anew; not kept
* `reset` {reason}: what happened meanwhile is not kept, or the client was too slow: read everything anew"""

RESPONSES: dict[int | str, dict[str, str | dict[str, dict[str, Any]]]] = {
    200: {
        "description": "Events, until the client goes",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    422: {"description": "A filter is not one"},
    503: {"description": "Too many listen already"},
}


@blueprint.get("/events")
@needs("viewer")
@blueprint.input(StreamQuery, location="query", arg_name="query")
@blueprint.doc(
    summary="Listen to what happens",
    description=DESCRIPTION,
    operation_id="streamEvents",
    responses=RESPONSES,
)
def listen(query: StreamQuery) -> Response:
    """All that is wanted of it."""
    wanted = Wanted(_migrations(), _types(), who().may("admin"))
    try:
        client = services().stream.open(_after(query), wanted, copy_current_request_context(_still_may))
    except TooManyError as error:
        raise Problem(503, "unavailable", str(error), "try again soon", headers={"Retry-After": "5"}) from None
    if (socket := request.environ.get("gunicorn.socket")) is not None:
        socket.settimeout(STUCK)
    response = Response(client, mimetype="text/event-stream")
    # Proxies (nginx) pass it on as it comes.
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _still_may() -> bool:
    """Whether the token, or the session, that this was begun with is still good."""
    try:
        login.identify()
    except Problem as problem:
        return problem.status != 401
    except Exception:
        # A Keystone that cannot be asked has not said no.
        LOG.warning("cannot look whether somebody still may listen", exc_info=True)
    return True


def _after(query: StreamQuery) -> int | None:
    """Where to go on: browsers send the header when they come back to an URL that may still name an older place."""
    sent = request.headers.get("Last-Event-ID", "")
    if not sent:
        return query.after
    if not (sent.isascii() and sent.isdigit() and int(sent[:20]) <= GREATEST):
        raise invalid("Last-Event-ID", "Last-Event-ID: this is the id of none of our events")
    return int(sent)


def _migrations() -> frozenset[int]:
    sent = request.args.getlist("migration")
    if len(sent) > MOST:
        raise invalid("migration", f"migration: {len(sent)} are too many: at most {MOST}")
    for text in sent:
        if not (text.isascii() and text.isdigit() and int(text[:20]) <= GREATEST):
            raise invalid("migration", f"migration: {text[:50]!r} is no id")
    return frozenset(map(int, sent))


def _types() -> frozenset[str]:
    sent = frozenset(request.args.getlist("type"))
    if unknown := sent - set(TYPES):
        raise invalid("type", f"type: {min(unknown)[:50]!r} is none; there are {', '.join(TYPES)}")
    return sent
