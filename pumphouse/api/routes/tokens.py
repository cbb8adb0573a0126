"""API tokens, for administrators."""

from __future__ import annotations

import dataclasses
from typing import Any

from apiflask import APIBlueprint
from flask import Response

from ...store import access
from ..guard import audit, needs
from ..openapi import also
from ..paging import PageQuery, marker_id, page
from ..problems import invalid, not_found
from ..schemas.access import MadeToken, NewToken, TokenList
from ..services import services

blueprint = APIBlueprint("tokens", __name__, url_prefix="/v1", tag="Tokens")


@blueprint.get("/tokens")
@needs("admin")
@blueprint.input(PageQuery, location="query", arg_name="query")
@blueprint.output(TokenList)
@blueprint.doc(
    summary="List the tokens",
    description="Oldest first, without their secrets; revoked ones, too.",
    operation_id="listTokens",
)
def list_(query: PageQuery) -> dict[str, Any]:
    """A part of them."""
    first, rows = marker_id(query.marker) or 0, access.tokens(services().store)
    items = [dataclasses.asdict(token) for token in rows[first : first + query.limit]]
    end = first + query.limit
    return page(items, end if end < len(rows) else None, len(rows))


@blueprint.post("/tokens")
@needs("admin")
@blueprint.input(NewToken, arg_name="wanted")
@blueprint.output(MadeToken, status_code=201)
@blueprint.doc(
    summary="Make a token",
    description="Its secret is in this answer and nowhere else; so this call knows no Idempotency-Key.",
    operation_id="createToken",
)
def create(wanted: NewToken) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Make it."""
    if wanted.is_past():
        raise invalid("expires", "expires: that time is over", "give one in the future, or null")
    token, proof = access.create_token(services().store, wanted.name, wanted.role, wanted.expires)
    audit("token.create", f"token {token.key}", name=token.name, granted=token.role, expires=token.expires)
    return {**dataclasses.asdict(token), "token": proof}, 201, {"Location": "/v1/tokens"}


@blueprint.delete("/tokens/<key>")
@needs("admin")
@blueprint.doc(
    summary="Revoke a token",
    description="It is worth nothing any more, nor are the sessions that were begun with it.",
    operation_id="revokeToken",
    responses={**also(204, "Revoked"), 404: "There is no such token"},
)
def revoke(key: str) -> Response:
    """Revoke it."""
    if not access.revoke_token(services().store, key):
        raise not_found(f"token {key!r}", "GET /v1/tokens lists their keys")
    audit("token.revoke", f"token {key}")
    return Response(status=204)
