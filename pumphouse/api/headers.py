"""Headers that every answer has: what a browser may do with it, and how to find it in the log."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from flask import Response, current_app, g

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "font-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def policy(style: str = "'self'") -> str:
    """The Content-Security-Policy; ``style``: what styles a page of ours may have, see :func:`style_hash`."""
    return "; ".join(f"{name} {value}" for name, value in {**_POLICY, "style-src": style}.items())


def style_hash(text: str) -> str:
    """What allows one inline ``<style>`` by its very text (between the tags)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def json_response(body: Any, status: int = 200, media_type: str = "application/json") -> Response:
    """An answer of JSON."""
    text = current_app.json.dumps(body, separators=(",", ":"))
    return current_app.response_class(f"{text}\n", status=status, mimetype=media_type)


def add(response: Response) -> Response:
    """After each request. What a view has set itself stays."""
    for name, value in _ALWAYS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", policy())
    response.headers.setdefault("Cache-Control", "no-store")
    if identifier := g.get("request_id"):
        response.headers["X-Request-Id"] = identifier
    return response
