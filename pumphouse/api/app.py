"""The application: the views, who may use them, how requests are read and errors told."""

from __future__ import annotations

import importlib.metadata
import logging
import secrets
import time
from collections.abc import Sequence
from typing import Any

from apiflask import APIFlask
from flask import Response, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from . import guard, headers, metrics, openapi, problems, reading
from .routes import BLUEPRINTS, blueprints
from .services import EXTENSION, Services

#: One line for each request; never its query, which may hold what somebody searches for.
ACCESS = logging.getLogger("pumphouse.api.access")


def create_app(services: Services, modules: Sequence[str] = BLUEPRINTS) -> APIFlask:
    """The WSGI application over these services. ``modules``: which of ``routes`` are in it.

    Raises RuntimeError when a view does not say who may use it.
    """
    nothing: Any = None
    app = APIFlask(
        "pumphouse.api",
        title="Pumphouse",
        version=importlib.metadata.version("pumphouse"),
        spec_path=None,
        docs_path=None,
        static_folder=nothing,
        template_folder="templates",
    )
    app.request_class = reading.Request
    app.url_map.converters["int"] = reading.Id
    app.url_map.strict_slashes = False
    # Names of units may have two in a row.
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = reading.LARGEST
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.compact = True  # type: ignore[attr-defined]
    app.extensions[EXTENSION] = services
    problems.register(app)
    openapi.configure(app)
    app.before_request(_begin)
    app.before_request(reading.check)
    app.before_request(guard.check)
    app.after_request(headers.add)
    app.after_request(_end)
    for blueprint in blueprints(modules):
        app.register_blueprint(blueprint)
    if missing := sorted(guard.unmarked(app)):
        raise RuntimeError(f"these views do not say who may use them: {', '.join(missing)}")
    _trust(app, services)
    return app


def _trust(app: APIFlask, services: Services) -> None:
    """Believe so many proxies about where a request comes from."""
    hops = services.config.api.trust_proxy
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


def _begin() -> None:
    g.request_id = secrets.token_hex(8)
    g.began = time.monotonic()


def _end(response: Response) -> Response:
    seconds = time.monotonic() - g.get("began", time.monotonic())
    route = request.url_rule.rule if request.url_rule else "none"
    metrics.answered(request.method, route, response.status_code, seconds)
    identity = g.get("identity")
    ACCESS.info(
        "%s %s %s %s %d %.0fms %s",
        request.remote_addr,
        _printable(identity.actor) if identity else "-",
        request.method,
        _printable(request.path),
        response.status_code,
        seconds * 1000,
        g.get("request_id", "-"),
    )
    return response


def _printable(text: str) -> str:
    """One word of a log's line, whatever somebody has put into it."""
    return "".join(char if char.isprintable() and char != " " else "?" for char in text)[:500]
