"""What the service says of itself, and the page."""

from __future__ import annotations

import importlib.metadata
import mimetypes
import time
from typing import Any, cast

import sqlalchemy as sa
from apiflask import APIBlueprint, APIFlask
from flask import Response, current_app, render_template, send_from_directory
from sqlalchemy.exc import SQLAlchemyError

from ...store import database, models
from .. import headers, metrics
from ..guard import needs, public
from ..openapi import also
from ..problems import CODES, not_found
from ..schemas.service import Health, Readiness, Version
from ..services import services

blueprint = APIBlueprint("service", __name__, tag="Service")

#: Seconds that a job may wait before an engine is missed.
LATE = 60.0

#: Systems differ in what they know of these.
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2",
          ".webmanifest": "application/manifest+json"}  # fmt: skip


@blueprint.get("/v1/version")
@public
@blueprint.output(Version)
@blueprint.doc(summary="The version", operation_id="showVersion")
def version() -> dict[str, str]:
    """What answers."""
    return {"version": importlib.metadata.version("pumphouse"), "api": "v1"}


@blueprint.get("/healthz")
@public
@blueprint.output(Health)
@blueprint.doc(
    summary="Whether the process answers", description="Nothing else is looked at.", operation_id="showHealth"
)
def healthz() -> dict[str, str]:
    """It does."""
    return {"status": "ok"}


@blueprint.get("/readyz")
@public
@blueprint.output(Readiness)
@blueprint.doc(
    summary="Whether it can do its work",
    description="Looks at the database, and whether an engine takes what was asked for.",
    operation_id="showReadiness",
    responses=also(503, "Not ready", "application/json", Readiness),
)
def readyz() -> tuple[dict[str, str], int]:
    """Database and engine."""
    store = services().store
    try:
        # Without the store's patience: who asks wants to know it now.
        with store.engine.connect() as connection:
            engine = _engine(connection)
    except SQLAlchemyError:
        return {"status": "not ready", "database": "down", "engine": "unknown"}, 503
    ready = engine == "ok"
    return {"status": "ready" if ready else "not ready", "database": "ok", "engine": engine}, 200 if ready else 503


def _engine(connection: sa.Connection) -> str:
    """late: jobs have waited, although no engine is known to be at work."""
    job, clock = models.Job, database.clock(connection.engine)
    waits = sa.exists().where(job.state == "queued", job.created < time.time() - LATE)
    works = sa.exists().where(job.state == "running", job.lease > clock)
    return "late" if connection.scalar(sa.select(sa.and_(waits, ~works))) else "ok"


@blueprint.get("/metrics")
@needs("viewer")
@blueprint.doc(
    summary="Metrics for Prometheus",
    description="Migrations, units and jobs by state, bytes, cutover times, and the requests that were answered.",
    operation_id="showMetrics",
    responses=also(200, "Prometheus' text format", "text/plain"),
)
def show_metrics() -> Response:
    """All of them."""
    collector = current_app.extensions.setdefault("pumphouse.collector", metrics.DatabaseCollector(services().store))
    body, kind = metrics.text(collector)
    return Response(body, content_type=kind)


@blueprint.get("/v1/openapi.json")
@public
@blueprint.doc(
    summary="This document",
    operation_id="showOpenAPI",
    responses=also(200, "OpenAPI 3.1", "application/json", "object"),
)
def openapi() -> Response:
    """Everything that can be asked for."""
    response = headers.json_response(_document())
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    return response


@blueprint.get("/v1/docs")
@public
@blueprint.doc(
    summary="This document for people",
    operation_id="showDocs",
    responses=also(200, "A page", "text/html"),
)
def docs() -> Response:
    """The page; it needs no script, and nothing of another host."""
    from .. import docs

    response = Response(
        render_template("docs.html", document=docs.readable(_document()), codes=CODES, style=docs.STYLE)
    )
    response.headers["Content-Security-Policy"] = headers.policy(style=headers.style_hash(docs.STYLE))
    response.headers["Cache-Control"] = "no-cache"
    return response


def _document() -> dict[str, Any]:
    return cast("dict[str, Any]", cast("APIFlask", current_app).spec)


@blueprint.get("/")
@public
@blueprint.doc(hide=True)
def index() -> Response:
    """The page."""
    return _static("index.html")


@blueprint.get("/ui/<path:path>")
@public
@blueprint.doc(hide=True)
def page(path: str) -> Response:
    """What it consists of."""
    return _static(path)


def _static(path: str) -> Response:
    try:
        import pumphouse_ui
    except ModuleNotFoundError:
        raise not_found("page: it is not installed", "the API is at /v1/docs") from None
    kind = _TYPES.get(path[path.rfind(".") :]) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    response = send_from_directory(pumphouse_ui.STATIC, path, mimetype=kind, conditional=True, etag=True)
    # Kept, but looked at each time: after an upgrade old and new must not be mixed.
    response.headers["Cache-Control"] = "no-cache"
    return response
