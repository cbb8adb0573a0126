"""Logging in and out: the page's cookie for a token."""

from __future__ import annotations

import time
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request

from ...store import access
from .. import login
from ..guard import audit, needs, public, who
from ..headers import json_response
from ..identity import Identity, record
from ..openapi import also
from ..schemas.access import LogIn, Session
from ..services import services

blueprint = APIBlueprint("session", __name__, url_prefix="/v1", tag="Session")


def _shown(identity: Identity) -> dict[str, Any]:
    return {
        "name": identity.name,
        "role": identity.role,
        "via": identity.kind,
        "expires": identity.expires,
        "csrf_token": access.csrf_token(identity.session) if identity.session else None,
    }


@blueprint.post("/session")
@public
@blueprint.input(LogIn, arg_name="wanted")
@blueprint.output(Session, status_code=201, description="Logged in; the cookie is set")
@blueprint.doc(
    summary="Log in",
    description="Answers with the cookie `pumphouse_session` (HttpOnly, SameSite=Strict). Too many tokens that are not "
    "valid, from one address, make it refuse for a while, for everybody there.",
    operation_id="logIn",
    responses={401: "The token is not valid", 429: "Too many attempts; see Retry-After"},
)
def log_in(wanted: LogIn) -> Response:
    """Begin a session."""
    identity, secret = login.begin(login.prove(wanted.token.strip()))
    record(services().store, identity, "session.begin", f"session of {identity.name}")
    response = json_response(_shown(identity), 201)
    seconds = int((identity.expires or 0) - time.time())
    response.set_cookie(
        login.COOKIE, secret, max_age=max(1, seconds), httponly=True, samesite="Strict", secure=request.is_secure
    )
    return response


@blueprint.get("/session")
@needs("viewer")
@blueprint.output(Session)
@blueprint.doc(summary="Who is logged in", operation_id="showSession")
def show() -> dict[str, Any]:
    """Whose token or cookie it is."""
    return _shown(who())


@blueprint.delete("/session")
@needs("viewer")
@blueprint.doc(
    summary="Log out",
    description="Ends the session of the cookie; with a token there is none, and nothing happens.",
    operation_id="logOut",
    responses=also(204, "Logged out"),
)
def log_out() -> Response:
    """End the session."""
    if secret := who().session:
        access.end_session(services().store, secret)
        audit("session.end", f"session of {who().name}")
    response = Response(status=204)
    response.delete_cookie(login.COOKIE, httponly=True, samesite="Strict", secure=request.is_secure)
    return response
