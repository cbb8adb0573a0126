"""Who may do what. Every view says which role it needs; without that word no view is served at all."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

from flask import Flask, g, request

from ..store.access import ROLES, csrf_token
from . import login
from .identity import Identity, record
from .problems import Problem
from .services import services

View = TypeVar("View", bound=Callable[..., Any])

#: Methods that change nothing.
READING = frozenset(("GET", "HEAD", "OPTIONS"))

#: Where a view keeps the role that it needs: beside what the OpenAPI document is made of.
_ROLE = "needs"


def needs(role: str) -> Callable[[View], View]:
    """Only who has this role (viewer, operator, admin), or one that includes it, is let in. Any place among the
    decorators of a view will do: it is looked at before the view and its inputs are.
    """
    if role not in ROLES:
        raise ValueError(role)
    return _marked(role)


def public(view: View) -> View:
    """Anybody is let in: only what the documentation names as such."""
    return _marked("")(view)


def _marked(role: str) -> Callable[[View], View]:
    def mark(view: View) -> View:
        marks: Any = view
        if not hasattr(marks, "_spec"):
            marks._spec = {}
        marks._spec[_ROLE] = role
        return view

    return mark


def role_of(view: Any) -> str | None:
    """The role that a view needs; "": none; None: nothing was said."""
    role: str | None = getattr(view, "_spec", {}).get(_ROLE)
    return role


def who() -> Identity:
    """Who makes the current request; only in views that need a role."""
    return cast("Identity", g.identity)


def audit(action: str, target: str = "", **data: Any) -> None:
    """Write down what the current request has changed: ``audit("plan.create", "plan 7", selection={...})``."""
    record(services().store, who(), action, target, **data)


def unmarked(app: Flask) -> Iterator[str]:
    """The endpoints whose views say nothing of roles: there must be none."""
    return (name for name, view in app.view_functions.items() if role_of(view) is None)


def check() -> None:
    """Before each request: whether it may be made. Raises Problem."""
    from flask import current_app

    view = current_app.view_functions.get(request.endpoint or "")
    role = role_of(view)
    # No view: Flask answers that there is none, or which methods there are.
    if view is None or role == "":
        return
    if role is None:
        raise Problem(403, "forbidden", "nobody may use this")
    identity = login.identify()
    if not identity.may(role):
        raise Problem(403, "forbidden", f"this needs the role {role}; yours is {identity.role}", "ask an administrator")
    if identity.session and request.method not in READING:
        sent = request.headers.get(login.CSRF, "")
        if not hmac.compare_digest(sent.encode(), csrf_token(identity.session).encode()):
            raise Problem(
                403, "csrf", f"the header {login.CSRF} is missing or wrong", "send csrf_token of GET /v1/session"
            )
    g.identity = identity
