"""The HTTP server of an embedded cloud."""

from __future__ import annotations

import threading

from flask import Flask, Response, request
from werkzeug.serving import BaseWSGIServer, make_server

from pumphouse.embedded.cloud import EmbeddedCloud
from pumphouse.embedded.connections import Handler
from pumphouse.embedded.control import Control
from pumphouse.embedded.faults import FaultyApp
from pumphouse.embedded.service import RefusedError


def make_app(cloud: EmbeddedCloud) -> Flask:
    """All services, and the control."""
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    for service in cloud.services:
        app.register_blueprint(service.blueprint())

    @app.before_request
    def before() -> Response | None:
        if not request.path.startswith("/_control/"):
            rule = request.url_rule.rule if request.url_rule else request.path
            with cloud.lock:
                cloud.requests[f"{request.method} {rule}"] += 1
        if refuse := request.environ.get("pumphouse.refuse"):
            owner = next((s for s in cloud.services if request.path.startswith(f"{s.root}/")), cloud.identity)
            return owner.refusal(RefusedError(*refuse))
        return None

    app.wsgi_app = FaultyApp(app.wsgi_app, cloud.faults, cloud.identity.revoke)  # type: ignore[assignment,method-assign]
    Control(cloud).add_to(app)
    return app


def serve(cloud: EmbeddedCloud, port: int = 0) -> BaseWSGIServer:
    """Listen on the loopback (port 0: any that is free) and answer in threads until ``shutdown`` is called."""
    server = make_server("127.0.0.1", port, make_app(cloud), threaded=True, request_handler=Handler)
    cloud.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server
